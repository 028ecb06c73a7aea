"""A cohort's scores, read back and checked for a study."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from ihcscore.errors import TableError, parameter
from ihcscore.pet.table import parse_dates
from ihcscore.schema import RegionSource
from ihcscore.sheet.read import Sheet, numbers, read_sheet

_KEYS = ["patient_id", "sample_id", "marker", "region"]
_INTERVAL_OF = "mean_per_mm2"
# Suspects that would raise a density by more than this are told.
_MUCH_PIGMENT = 0.2
_MOST_NOTES = 8


@dataclass(frozen=True, kw_only=True)
class ScoreTable:
    """Checked scores.

    Attributes
    ----------
    rows : DataFrame
        Columns patient_id, sample_id, marker, region, density, density_low, density_high, n_fields,
        missing (why there is no density) and biopsy_date; a row a sample, marker and region.
    name : str
        File name.
    n_slides : int or None
        Slides behind the rows, where the file names them.
    warnings : list of str
    """

    rows: pd.DataFrame = field(repr=False)
    name: str
    n_slides: int | None
    warnings: list[str]


def read_scores(
    path: str | Path, *, density: str = "mean_per_mm2", rename: Mapping[str, str] | None = None
) -> ScoreTable:
    """Read a cohort's scores.

    Parameters
    ----------
    path : str or Path
    density : str
        The column that is analysed.
    rename : mapping of str to str, optional
        New name of a column to its name in the file.

    Raises
    ------
    TableError
        If a column is missing, an id is empty, a density is text, negative or absent everywhere, or a
        sample, marker and region occur twice with different values.
    """
    sheet = read_sheet(path, rename)
    sheet.require((*_KEYS, density), option="it must be the scores.csv of a cohort")
    notes = []
    again = sheet.rows.duplicated()
    if again.any():
        sheet = Sheet(name=sheet.name, rows=sheet.rows[~again], number_columns=sheet.number_columns)
        notes.append(f"{sheet.name}: {int(again.sum())} rows repeat another in full and count once")
    _check_keys(sheet)
    rows = sheet.rows[_KEYS].copy()
    rows["density"], more = _densities(sheet, density)
    notes += more
    has_interval = density == _INTERVAL_OF
    for new, old in (("density_low", "ci95_low_per_mm2"), ("density_high", "ci95_high_per_mm2")):
        rows[new] = numbers(sheet, old)[0] if has_interval and old in sheet.rows else np.nan
    rows["n_fields"] = numbers(sheet, "n_fields")[0] if "n_fields" in sheet.rows else np.nan
    rows["missing"] = sheet.rows.get("missing", "")
    rows["missing"] = rows["missing"].where(
        rows["density"].notna(), rows["missing"].replace("", f"no {density}")
    )
    rows["biopsy_date"] = (
        parse_dates(sheet, "biopsy_date") if "biopsy_date" in sheet.rows else pd.Series(pd.NaT, rows.index)
    )
    slides = sheet.rows["slide"] if "slide" in sheet.rows else pd.Series(dtype=str)
    return ScoreTable(
        rows=rows.reset_index(drop=True),
        name=sheet.name,
        n_slides=slides[slides != ""].nunique() if "slide" in sheet.rows else None,
        warnings=notes + _what_to_know(sheet, rows["density"].notna()),
    )


def _check_keys(sheet: Sheet) -> None:
    for column in _KEYS:
        empty = sheet.rows[column] == ""
        if column in ("marker", "region") and "missing" in sheet.rows:
            empty &= sheet.rows["missing"] == ""  # a sample that gave nothing has no region
        if empty.any():
            raise TableError(f"{sheet.name}, row {sheet.rows.index[empty][0]}: {column} is empty; give one")
    twice = sheet.rows[sheet.rows.duplicated(_KEYS, keep=False)]
    if len(twice):
        first = twice.iloc[0]
        where = twice.index[(twice[_KEYS] == first[_KEYS]).all(axis=1)]
        raise TableError(
            f"{sheet.name}, rows {' and '.join(map(str, where))}: {first['marker']} {first['region']} of "
            f"sample {first['sample_id']} of patient {first['patient_id']} occurs {len(where)} times; "
            "keep one"
        )


def _densities(sheet: Sheet, column: str) -> tuple[pd.Series[float], list[str]]:
    values, notes = numbers(sheet, column)
    negative = values[values < 0]
    if len(negative):
        raise TableError(
            f"{sheet.name}, row {negative.index[0]}: {column} is {negative.iloc[0]:g}, expected 0 or more"
        )
    if not values.notna().any():
        raise TableError(f"{sheet.name}: {column} has no number; choose another with {parameter('density')}")
    return values, notes


def _what_to_know(sheet: Sheet, scored: pd.Series[bool]) -> list[str]:
    """What the scores themselves warn of, for the rows that have a density."""
    rows, notes = sheet.rows[scored], []
    if "region_source" in rows:
        proposed = rows[rows["region_source"] == str(RegionSource.PROPOSED)]
        if len(proposed):
            n_proposed, n = proposed["sample_id"].nunique(), rows["sample_id"].nunique()
            notes.append(
                f"the regions of {n_proposed} of {n} samples were proposed by the program and not confirmed "
                "by a pathologist"
            )
    plain, with_suspects = "positive_per_mm2", "positive_or_suspect_per_mm2"
    if plain in rows and with_suspects in rows:
        low, high = numbers(sheet, plain)[0][scored], numbers(sheet, with_suspects)[0][scored]
        much = high - low > _MUCH_PIGMENT * low
        if much.any():
            notes.append(
                f"pigment: in {int(much.sum())} of {len(rows)} densities brown objects that look like "
                f"pigment would add more than {100 * _MUCH_PIGMENT:.0f} %; see whether the result holds with "
                f"--density {with_suspects}"
            )
    return notes + _own_warnings(rows)


def _own_warnings(rows: pd.DataFrame) -> list[str]:
    if "warnings" not in rows:
        return []
    by_text: dict[str, set[str]] = {}
    for sample, text in zip(rows["sample_id"], rows["warnings"], strict=True):
        for one in filter(None, (part.strip() for part in text.split(";"))):
            if not one.startswith("regions proposed"):  # said above
                by_text.setdefault(one, set()).add(sample)
    notes = [f"sample {', '.join(sorted(samples))}: {text}" for text, samples in sorted(by_text.items())]
    if len(notes) > _MOST_NOTES:
        notes = [*notes[:_MOST_NOTES], f"{len(notes) - _MOST_NOTES} more warnings stand in the scores"]
    return notes
