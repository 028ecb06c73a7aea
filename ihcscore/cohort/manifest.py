"""Which slides belong to which sample and patient."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from ihcscore.errors import FaultsError, TableError
from ihcscore.schema import MANIFEST, Note, NoteKind
from ihcscore.sheet import CheckedTable, Sheet, check_table, place, read_sheet

# Characters that some file system refuses in a folder's name.
_NO_NAME = set('/\\:*?"<>|')
_NUMBERS = {2: "two", 3: "three"}


@dataclass(frozen=True, kw_only=True)
class SlideEntry:
    """A slide of a cohort.

    Attributes
    ----------
    patient_id, sample_id, marker : str
    slide : Path
        As found from the manifest's folder.
    written : str
        As the manifest has it, for tables and messages; without folders where they are absolute.
    annotations : Path or None
        Annotation of the reference.
    mpp_um : float or None
        µm per level-0 pixel, overriding the file's.
    profile : str or Path
        A profile's name or its file.
    """

    patient_id: str
    sample_id: str
    marker: str
    slide: Path
    written: str
    annotations: Path | None = None
    mpp_um: float | None = None
    profile: str | Path

    @property
    def folder(self) -> Path:
        """Folder of its results, relative to the cohort's."""
        return Path(self.sample_id, self.marker)


@dataclass(frozen=True, kw_only=True)
class Sample:
    """The slides of one sample: fields are drawn on the reference and found again on the others.

    Attributes
    ----------
    patient_id, sample_id : str
    reference : SlideEntry
    others : tuple of SlideEntry
    """

    patient_id: str
    sample_id: str
    reference: SlideEntry
    others: tuple[SlideEntry, ...]

    @property
    def slides(self) -> tuple[SlideEntry, ...]:
        """All slides, the reference first."""
        return self.reference, *self.others


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """A checked manifest.

    Attributes
    ----------
    samples : list of Sample
        In the manifest's order.
    notes : list of Note
        What a reader must know of the table.
    """

    samples: list[Sample]
    notes: list[Note]


def read_manifest(path: str | Path) -> Manifest:
    """Samples of a manifest, in its order.

    Parameters
    ----------
    path : str or Path
        CSV or XLSX with the columns of :data:`ihcscore.schema.MANIFEST`. Paths are relative to the
        manifest's folder.

    Raises
    ------
    TableError
        If the table cannot be read, lacks a column or contradicts itself; what is found of the cells of all
        columns, or of all samples, is told at once. The files are looked at by :mod:`ihcscore.cohort.look`.
    """
    path = Path(path).absolute()  # the workers of a cluster may stand in another folder
    table = _checked(read_sheet(path))
    groups = [rows for _, rows in table.rows.groupby("sample_id", sort=False)]
    _refuse(
        table.name,
        [
            *_bad_names(table.name, table.rows),
            *_doubles(table.name, table.rows),
            *(fault for rows in groups for fault in _contradictions(table.name, rows)),
        ],
    )
    notes = [*table.notes, *_shared_slides(table.name, table.rows)]
    return Manifest(samples=[_sample(rows, path.parent) for rows in groups], notes=notes)


def _refuse(name: str, faults: Sequence[str]) -> None:
    """Refuse a manifest for all its faults at once."""
    if len(faults) == 1:
        raise TableError(faults[0])
    if faults:
        raise _all_of(name, faults)


def _all_of(name: str, faults: Sequence[str]) -> FaultsError:
    return FaultsError(faults, f"{name}: {len(faults)} faults; mend them and give the same command again")


def _checked(sheet: Sheet) -> CheckedTable:
    """The table, each cell as it should be; else the first fault of every column."""
    try:
        return check_table(sheet, MANIFEST)
    except TableError:
        faults = []
        for column in MANIFEST.columns:
            try:
                check_table(sheet, replace(MANIFEST, columns=(column,), keys=()))
            except TableError as one:
                faults.append(str(one.args[0]))
        if len(faults) > 1:
            raise _all_of(sheet.name, faults) from None
        raise


def _bad_names(name: str, rows: pd.DataFrame) -> Iterator[str]:
    """Names that cannot be those of folders, or whose folders would be one on some file systems."""
    for column in ("sample_id", "marker"):
        for row, text in rows[column].items():
            if set(text) & _NO_NAME or text.startswith("."):
                yield f"{place(name, [row])}: {column} {text!r} names a folder; use letters, digits, - and _"
    seen: dict[str, str] = {}
    for sample in dict.fromkeys(rows["sample_id"]):
        other = seen.setdefault(sample.lower(), sample)
        if other != sample:
            yield f"{name}: samples {other!r} and {sample!r} differ in case only; rename one"


def _doubles(name: str, rows: pd.DataFrame) -> Iterator[str]:
    """Two slides of one marker in a sample."""
    markers = rows["marker"].str.lower()
    for (sample, _), same in rows.groupby(["sample_id", markers], sort=False):
        n = _NUMBERS.get(len(same), len(same))
        if len(same) > 1:
            yield (
                f"{place(name, same.index)}: sample {sample!r} has {n} slides of {same['marker'].iloc[0]}; "
                "give one of them another sample"
            )


def _contradictions(name: str, rows: pd.DataFrame) -> Iterator[str]:
    """What the rows of one sample say against each other."""
    sample = rows["sample_id"].iloc[0]
    patients = sorted(set(rows["patient_id"]))
    if len(patients) > 1:
        yield (
            f"{place(name, rows.index)}: sample {sample!r} belongs to patients {' and '.join(patients)}; "
            "give each its own sample_id"
        )
    said = rows.index[rows["reference"]]
    if len(said) > 1:
        yield f"{place(name, said)}: sample {sample!r} has {len(said)} references; mark one"
        return
    annotated = rows.index[(rows["annotations"] != "") & (rows.index != _reference(rows))]
    if len(annotated):
        yield (
            f"{place(name, annotated[:1])}: sample {sample!r} has annotations on a slide that is not the "
            "reference, on which fields are drawn; draw them there or mark this slide as the reference"
        )


def _shared_slides(name: str, rows: pd.DataFrame) -> Iterator[Note]:
    """Slides that stand in several rows: most often a line that was copied and not changed."""
    for slide, same in rows.groupby("slide", sort=False):
        if len(same) > 1:
            yield Note(
                kind=NoteKind.TABLE,
                text=f"{place(name, same.index)}: all name the slide {Path(str(slide)).name}",
            )


def _reference(rows: pd.DataFrame) -> Hashable:
    """The row of a sample's reference."""
    said = rows.index[rows["reference"]]
    reference: Hashable = said[0] if len(said) else rows.index[0]
    return reference


def _sample(rows: pd.DataFrame, folder: Path) -> Sample:
    """The rows of one sample."""
    entries = {row: _entry(rows.loc[row], folder) for row in rows.index}
    reference = entries.pop(_reference(rows))
    return Sample(
        patient_id=reference.patient_id,
        sample_id=reference.sample_id,
        reference=reference,
        others=tuple(entries.values()),
    )


def _entry(row: pd.Series, folder: Path) -> SlideEntry:
    """One slide."""
    slide, profile = Path(row["slide"]), row["profile"] or row["marker"]
    return SlideEntry(
        patient_id=row["patient_id"],
        sample_id=row["sample_id"],
        marker=row["marker"],
        slide=folder / slide,
        written=slide.name if slide.is_absolute() else row["slide"],
        annotations=folder / row["annotations"] if row["annotations"] else None,
        mpp_um=None if math.isnan(row["mpp_um"]) else float(row["mpp_um"]),
        profile=folder / profile if (folder / profile).is_file() else profile,
    )
