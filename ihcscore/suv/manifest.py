"""Which scans and volumes belong to which patient."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ihcscore.errors import PetError, TableError
from ihcscore.pet import Overrides
from ihcscore.pet.body import Sex
from ihcscore.pet.clock import Stamp, parse_given
from ihcscore.schema import SCAN_MANIFEST, texts
from ihcscore.sheet import CheckedTable, check_table, first_double, place, read_sheet

_NUMBERS = ("weight_kg", "height_m", "injected_mbq", "residual_mbq", "half_life_s")
_TIMES = ("injected_at", "residual_at", "reference_time")


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


@dataclass(frozen=True, kw_only=True)
class ScanManifest:
    """A checked manifest.

    Attributes
    ----------
    entries : list of ScanEntry
        In the manifest's order.
    warnings : list of str
        What a reader must know of the table.
    """

    entries: list[ScanEntry] = field(repr=False)
    warnings: list[str]


def read_manifest(path: str | Path) -> ScanManifest:
    """Scans of a manifest, in its order.

    Parameters
    ----------
    path : str or Path
        CSV or XLSX with the columns of :data:`ihcscore.schema.SCAN_MANIFEST`. Paths are relative to the
        manifest's folder.

    Raises
    ------
    TableError
        If the table cannot be read, lacks a column, or a cell cannot be what it should. Files that are
        missing are no error here: their scans fail by name.
    """
    path = Path(path).absolute()
    table = check_table(read_sheet(path), SCAN_MANIFEST)
    same = first_double(table.rows, SCAN_MANIFEST.keys)
    if len(same):
        raise TableError(
            f"{place(table.name, same.index)}: {same['patient_id'].iloc[0]} has two scans called "
            f"{same['timepoint'].iloc[0]}; name them apart, or join their volumes with ';'"
        )
    entries = [
        _entry(table, int(line), {str(name): value for name, value in row.items()}, path.parent)
        for line, row in zip(table.rows.index, table.rows.to_dict("records"), strict=True)
    ]
    return ScanManifest(entries=entries, warnings=texts(table.notes))


def _entry(table: CheckedTable, line: int, row: dict[str, Any], folder: Path) -> ScanEntry:
    found = {name: None if math.isnan(row[name]) else float(row[name]) for name in _NUMBERS}
    times = {name: _time(table, line, name, row[name]) for name in _TIMES}
    return ScanEntry(
        patient_id=row["patient_id"],
        timepoint=row["timepoint"],
        pet=folder / row["pet"],
        series=row["series"] or None,
        volumes=tuple(folder / part.strip() for part in row["voi"].split(";") if part.strip()),
        overrides=Overrides(
            weight_kg=found["weight_kg"],
            height_m=found["height_m"],
            sex=Sex(row["sex"]) if row["sex"] else None,
            injected_mbq=found["injected_mbq"],
            residual_mbq=found["residual_mbq"],
            half_life_s=found["half_life_s"],
            injected_at=times["injected_at"],
            residual_at=times["residual_at"],
            reference_time=times["reference_time"],
        ),
    )


def _time(table: CheckedTable, line: int, column: str, text: str) -> Stamp | None:
    if not text:
        return None
    try:
        return parse_given(text, column)
    except PetError as error:
        raise TableError(f"{place(table.name, [line])}: {error}") from error
