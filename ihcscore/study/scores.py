"""A cohort's scores, read back and checked for a study."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from ihcscore.errors import TableError, parameter
from ihcscore.schema import (
    BOTH_REGIONS,
    INTERVAL_COLUMNS,
    SCORES_IN,
    WITH_INTERVAL,
    WITH_MATCHED,
    Note,
    NoteKind,
    RegionSource,
)
from ihcscore.sheet import CheckedTable, check_table, first_double, place, read_sheet, refuse_empty

_KEYS = list(SCORES_IN.keys)
_PLAIN, _WITH_SUSPECTS = "positive_per_mm2", "positive_or_suspect_per_mm2"
# Suspects that would raise a density by more than this are told.
_MUCH_PIGMENT = 0.2
_MOST_NOTES = 8


@dataclass(frozen=True, kw_only=True)
class ScoreTable:
    """Checked scores.

    Attributes
    ----------
    rows : DataFrame
        Columns patient_id, sample_id, marker, region, one of numbers for each column that was asked for,
        density (the first of them), density_low and density_high (its 95 % interval, where the file has
        it), density_sd (between its fields),
        n_scored (fields), matched_density and n_matched (of the fields that were scored on all markers;
        NaN where the file does not say), missing (why there is no density) and biopsy_date; a row a sample,
        marker and region.
    name : str
        File name.
    n_slides : int or None
        Slides behind the rows, where the file names them.
    warnings : list of Note
    """

    rows: pd.DataFrame = field(repr=False)
    name: str
    n_slides: int | None
    warnings: list[Note]


def read_scores(path: str | Path, *, columns: Sequence[str]) -> ScoreTable:
    """Read a cohort's scores.

    Parameters
    ----------
    path : str or Path
    columns : sequence of str
        The columns that are analysed, one or more; the first is called `density` too.

    Raises
    ------
    TableError
        If a column is missing, an id is empty, a density is text, negative or absent everywhere, or a
        sample, marker and region occur twice with different values.
    """
    table = check_table(read_sheet(path), SCORES_IN.asking(*columns))
    _check_keys(table)
    for column in columns:
        table.require_number(column, remedy=f"choose another with {parameter('density')}")
    checked, density = table.rows, columns[0]
    rows = checked[[*_KEYS, *dict.fromkeys(columns)]].copy()
    rows["density"] = checked[density]
    for name, end in zip(("density_low", "density_high"), INTERVAL_COLUMNS, strict=True):
        rows[name] = checked[end] if density in WITH_INTERVAL else np.nan
    rows["density_sd"] = checked["sd_per_mm2"] if density in WITH_INTERVAL else np.nan
    rows["n_scored"] = checked["n_scored"]
    has_matched = density in WITH_MATCHED
    rows["matched_density"] = checked["matched_mean_per_mm2"] if has_matched else np.nan
    rows["n_matched"] = checked["n_matched"] if has_matched else np.nan
    why = checked["missing"].replace("", f"no {density}")
    rows["missing"] = checked["missing"].where(rows["density"].notna(), why)
    rows["biopsy_date"] = checked["biopsy_date"]
    slides = checked["slide"]
    has = rows["density"].notna()
    by_region = has & (rows["region"] != BOTH_REGIONS)  # both together are the same cells again
    return ScoreTable(
        rows=rows.reset_index(drop=True),
        name=table.name,
        n_slides=slides[slides != ""].nunique() if "slide" in table.given else None,
        warnings=[*table.notes, *_what_to_know(checked[by_region if by_region.any() else has])],
    )


def _check_keys(table: CheckedTable) -> None:
    rows = table.rows
    for column in ("marker", "region"):  # a sample that gave nothing has no region
        refuse_empty(table.name, rows.loc[rows["missing"] == "", column])
    same = first_double(rows, _KEYS)
    if len(same):
        first = same.iloc[0]
        raise TableError(
            f"{place(table.name, same.index)}: {first['marker']} {first['region']} of sample "
            f"{first['sample_id']} of patient {first['patient_id']} occurs {len(same)} times; keep one"
        )


def _what_to_know(scored: pd.DataFrame) -> list[Note]:
    """What the scores themselves warn of, for the rows that have a density."""
    notes = []
    proposed = scored[scored["region_source"] == RegionSource.PROPOSED]
    if len(proposed):
        text = (
            f"the regions of {proposed['sample_id'].nunique()} of {scored['sample_id'].nunique()} samples "
            "were proposed by the program and not confirmed by a pathologist"
        )
        notes.append(Note(kind=NoteKind.PROPOSED, text=text))
    low, high = scored[_PLAIN], scored[_WITH_SUSPECTS]
    much = high - low > _MUCH_PIGMENT * low
    if much.any():
        text = (
            f"pigment: in {int(much.sum())} of {len(scored)} densities brown objects that look like pigment "
            f"would add more than {100 * _MUCH_PIGMENT:.0f} %; "
            f"see whether the result holds with {_WITH_SUSPECTS}"
        )
        notes.append(Note(kind=NoteKind.PIGMENT, text=text))
    return notes + _own_warnings(scored)


def _own_warnings(scored: pd.DataFrame) -> list[Note]:
    """Each text of the column of warnings with its samples; a person's text is told as it stands."""
    told = scored[scored["warnings"] != ""]
    texts = [
        f"sample {', '.join(sorted(set(samples)))}: {text}"
        for text, samples in told.groupby("warnings", sort=True)["sample_id"]
    ]
    if len(texts) > _MOST_NOTES:
        texts = [*texts[:_MOST_NOTES], f"{len(texts) - _MOST_NOTES} more warnings stand in the scores"]
    return [Note(kind=NoteKind.TABLE, text=text) for text in texts]
