"""Which slides belong to which sample and patient."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ihcscore.errors import TableError
from ihcscore.schema import MANIFEST, Note
from ihcscore.sheet import check_table, first_double, place, read_sheet

# Characters that some file system refuses in a folder's name.
_NO_NAME = set('/\\:*?"<>|')


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
        If the table cannot be read, lacks a column or contradicts itself. Files that are missing are no
        error here: their slides fail by name.
    """
    path = Path(path).absolute()  # the workers of a cluster may stand in another folder
    table = check_table(read_sheet(path), MANIFEST)
    _check_names(table.name, table.rows)
    _check_doubles(table.name, table.rows)
    samples = [
        _sample(table.name, rows, path.parent) for _, rows in table.rows.groupby("sample_id", sort=False)
    ]
    return Manifest(samples=samples, notes=table.notes)


def _check_names(name: str, rows: pd.DataFrame) -> None:
    """Refuse names that cannot be those of folders, or whose folders would be one on some file systems."""
    for column in ("sample_id", "marker"):
        for row, text in rows[column].items():
            if set(text) & _NO_NAME or text.startswith("."):
                raise TableError(
                    f"{place(name, [row])}: {column} {text!r} names a folder; use letters, digits, - and _"
                )
    seen: dict[str, str] = {}
    for sample in rows["sample_id"]:
        other = seen.setdefault(sample.lower(), sample)
        if other != sample:
            raise TableError(f"{name}: samples {other!r} and {sample!r} differ in case only; rename one")


def _check_doubles(name: str, rows: pd.DataFrame) -> None:
    """Refuse two slides of one marker in a sample."""
    same = first_double(rows.assign(marker=rows["marker"].str.lower()), MANIFEST.keys)
    if len(same):
        row = rows.loc[same.index[0]]
        raise TableError(
            f"{place(name, same.index)}: sample {row['sample_id']!r} has two slides of {row['marker']}; give "
            "one of them another sample"
        )


def _sample(name: str, rows: pd.DataFrame, folder: Path) -> Sample:
    """The rows of one sample, which must agree."""
    sample = rows["sample_id"].iloc[0]
    patients = sorted(set(rows["patient_id"]))
    if len(patients) > 1:
        raise TableError(
            f"{place(name, rows.index)}: sample {sample!r} belongs to patients {' and '.join(patients)}; "
            "give each its own sample_id"
        )
    said = rows.index[rows["reference"]]
    if len(said) > 1:
        raise TableError(f"{place(name, said)}: sample {sample!r} has {len(said)} references; mark one")
    reference = said[0] if len(said) else rows.index[0]
    annotated = rows.index[(rows["annotations"] != "") & (rows.index != reference)]
    if len(annotated):
        raise TableError(
            f"{place(name, annotated[:1])}: sample {sample!r} has annotations on a slide that is not the "
            "reference, on which fields are drawn; draw them there or mark this slide as the reference"
        )
    entries = {row: _entry(rows.loc[row], folder) for row in rows.index}
    return Sample(
        patient_id=patients[0],
        sample_id=sample,
        reference=entries.pop(reference),
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
