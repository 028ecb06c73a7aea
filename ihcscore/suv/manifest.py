"""Which scans and volumes belong to which patient."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ihcscore.errors import PetError, TableError
from ihcscore.pet.body import Sex
from ihcscore.pet.clock import Stamp, parse_given
from ihcscore.pet.patient import Overrides
from ihcscore.sheet.read import MISSING, Sheet, numbers, read_sheet

_REQUIRED = ("patient_id", "timepoint", "pet", "voi")
_NUMBERS = ("weight_kg", "height_m", "injected_mbq", "residual_mbq", "half_life_s")
_TIMES = ("injected_at", "residual_at", "reference_time")
_KNOWN = {*_REQUIRED, "series", "sex", *_NUMBERS, *_TIMES}


@dataclass(frozen=True, kw_only=True)
class ScanEntry:
    """A scan and its volumes.

    Attributes
    ----------
    patient_id, timepoint : str
    pet : Path
        Folder of the series.
    series : str or None
        Number of the series, or part of its description.
    volumes : tuple of Path
    overrides : Overrides
        What stands in place of the header.
    """

    patient_id: str
    timepoint: str
    pet: Path
    series: str | None
    volumes: tuple[Path, ...]
    overrides: Overrides

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"{self.patient_id} {self.timepoint}"


def read_manifest(path: str | Path) -> tuple[list[ScanEntry], list[str]]:
    """Scans of a manifest, in its order, and what a reader must know.

    Parameters
    ----------
    path : str or Path
        CSV or XLSX with patient_id, timepoint, pet, voi and, where wanted, series, weight_kg, height_m, sex,
        injected_mbq, injected_at, residual_mbq, residual_at, reference_time, half_life_s. Paths are relative
        to the manifest's folder; several volumes are separated by ``;``.

    Raises
    ------
    TableError
        If the table cannot be read, lacks a column, or a cell cannot be what it should. Files that are
        missing are no error here: their scans fail by name.
    """
    path = Path(path).absolute()
    sheet = read_sheet(path)
    sheet.require(_REQUIRED, option="see docs/suv.md for the manifest's columns")
    warnings = [
        f"{sheet.name}: column {column} is not used" for column in sheet.rows.columns if column not in _KNOWN
    ]
    columns: dict[str, pd.Series[float]] = {}
    for column in _NUMBERS:
        if column in sheet.rows:
            columns[column], more = numbers(sheet, column)
            warnings += more
    entries: dict[tuple[str, str], ScanEntry] = {}
    for line, row in zip(sheet.rows.index, sheet.rows.to_dict("records"), strict=True):
        texts = {str(name): str(value) for name, value in row.items()}
        given = {column: float(values[line]) for column, values in columns.items()}
        entry = _entry(sheet, int(line), texts, given, path.parent)
        key = entry.patient_id, entry.timepoint
        if key in entries:
            raise TableError(
                f"{sheet.name}: row {line}: {entry.name} occurs twice; join its volumes with ';'"
            )
        entries[key] = entry
    return list(entries.values()), warnings


def _entry(sheet: Sheet, line: int, row: dict[str, str], given: dict[str, float], folder: Path) -> ScanEntry:
    for column in _REQUIRED:
        if not row[column]:
            raise TableError(f"{sheet.name}: row {line}: no {column}; give it")
    found = {column: None if math.isnan(value) else value for column, value in given.items()}
    for column, value in found.items():
        lowest_allowed = column == "residual_mbq"
        if value is not None and not (value > 0 or (lowest_allowed and value == 0)):
            raise TableError(f"{sheet.name}: row {line}: {column} is {value:g}, expected above 0")
    times = {column: _time(sheet, line, column, row.get(column, "")) for column in _TIMES}
    return ScanEntry(
        patient_id=row["patient_id"],
        timepoint=row["timepoint"],
        pet=folder / row["pet"],
        series=row.get("series") or None,
        volumes=tuple(folder / part.strip() for part in row["voi"].split(";") if part.strip()),
        overrides=Overrides(
            weight_kg=found.get("weight_kg"), height_m=found.get("height_m"), sex=_sex(sheet, line, row),
            injected_mbq=found.get("injected_mbq"), residual_mbq=found.get("residual_mbq"),
            half_life_s=found.get("half_life_s"), injected_at=times["injected_at"],
            residual_at=times["residual_at"], reference_time=times["reference_time"],
        ),
    )  # fmt: skip


def _sex(sheet: Sheet, line: int, row: dict[str, str]) -> Sex | None:
    text = row.get("sex", "").upper()
    if text.lower() in MISSING:
        return None
    if text not in set(Sex):
        raise TableError(f"{sheet.name}: row {line}: sex is '{row['sex']}', expected M, F or O")
    return Sex(text)


def _time(sheet: Sheet, line: int, column: str, text: str) -> Stamp | None:
    if text.lower() in MISSING:
        return None
    try:
        return parse_given(text.replace("T", " "), column)
    except PetError as error:
        raise TableError(f"{sheet.name}: row {line}: {error}") from error
