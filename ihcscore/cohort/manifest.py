"""Which slides belong to which sample and patient."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from ihcscore.errors import TableError
from ihcscore.sheet.read import Sheet, read_sheet

_REQUIRED = ("patient_id", "sample_id", "slide", "marker")
_TRUE, _FALSE = {"true", "yes", "1"}, {"false", "no", "0", ""}
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
    regions : Path or None
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
    regions: Path | None = None
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


def read_manifest(path: str | Path) -> list[Sample]:
    """Samples of a manifest, in its order.

    Parameters
    ----------
    path : str or Path
        CSV or XLSX with the columns patient_id, sample_id, slide, marker and, where wanted, reference,
        regions, mpp_um and profile. Paths are relative to the manifest's folder.

    Raises
    ------
    TableError
        If the table cannot be read, lacks a column or contradicts itself. Files that are missing are no
        error here: their slides fail by name.
    """
    path = Path(path).absolute()  # the workers of a cluster may stand in another folder
    sheet = read_sheet(path)
    sheet.require(_REQUIRED, option="see docs/cohort.md for the manifest's columns")
    rows: dict[str, list[tuple[SlideEntry, bool, int]]] = {}
    for line, row in zip(sheet.rows.index, sheet.rows.to_dict("records"), strict=True):
        texts = {str(name): str(value) for name, value in row.items()}
        entry, is_reference = _entry(sheet, int(line), texts, path.parent)
        rows.setdefault(entry.sample_id, []).append((entry, is_reference, int(line)))
    if not rows:
        raise TableError(f"{sheet.name}: no slides in it")
    _check_folders(sheet, list(rows))
    return [_sample(sheet, entries) for entries in rows.values()]


def _entry(sheet: Sheet, line: int, row: dict[str, str], folder: Path) -> tuple[SlideEntry, bool]:
    """One row, and whether it says that its slide is the reference."""
    for name in _REQUIRED:
        if not row[name]:
            raise TableError(f"{sheet.name}: row {line}: no {name}")
    for name in ("sample_id", "marker"):
        if set(row[name]) & _NO_NAME or row[name].startswith("."):
            raise TableError(
                f"{sheet.name}: row {line}: {name} {row[name]!r} names a folder; use letters, digits, - and _"
            )
    said = row.get("reference", "").lower()
    if said not in _TRUE | _FALSE:
        raise TableError(
            f"{sheet.name}: row {line}: reference is {row['reference']!r}, expected true or false"
        )
    regions, profile = row.get("regions", ""), row.get("profile", "") or row["marker"]
    return SlideEntry(
        patient_id=row["patient_id"],
        sample_id=row["sample_id"],
        marker=row["marker"],
        slide=folder / row["slide"],
        written=row["slide"] if not Path(row["slide"]).is_absolute() else Path(row["slide"]).name,
        regions=folder / regions if regions else None,
        mpp_um=_mpp_um(sheet, line, row.get("mpp_um", "")),
        profile=folder / profile if (folder / profile).is_file() else profile,
    ), said in _TRUE


def _mpp_um(sheet: Sheet, line: int, text: str) -> float | None:
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not value > 0 or math.isinf(value):
        raise TableError(f"{sheet.name}: row {line}: mpp_um is {text!r}, expected a number above 0")
    return value


def _check_folders(sheet: Sheet, names: list[str]) -> None:
    """Refuse samples whose folders would be one on some file systems."""
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(name.lower(), name)
        if other != name:
            raise TableError(f"{sheet.name}: samples {other!r} and {name!r} differ in case only; rename one")


def _sample(sheet: Sheet, entries: list[tuple[SlideEntry, bool, int]]) -> Sample:
    """The rows of one sample, which must agree."""
    first = entries[0][0]
    where = f"{sheet.name}: sample {first.sample_id!r}"
    patients = sorted({entry.patient_id for entry, *_ in entries})
    if len(patients) > 1:
        raise TableError(f"{where} belongs to patients {' and '.join(patients)}; give each its own sample_id")
    markers = [entry.marker.lower() for entry, *_ in entries]
    for entry, _, line in entries:
        if markers.count(entry.marker.lower()) > 1:
            raise TableError(
                f"{where} has two slides of {entry.marker} (row {line}); give one of them another sample"
            )
    said = [entry for entry, is_reference, _ in entries if is_reference]
    if len(said) > 1:
        raise TableError(f"{where} has {len(said)} references; mark one")
    reference = said[0] if said else first
    for entry, _, line in entries:
        if entry is not reference and entry.regions is not None:
            raise TableError(
                f"{where}: row {line} has regions but is not the reference, on which fields are drawn; "
                "draw them there or mark this slide as the reference"
            )
    return Sample(
        patient_id=first.patient_id,
        sample_id=first.sample_id,
        reference=reference,
        others=tuple(entry for entry, *_ in entries if entry is not reference),
    )
