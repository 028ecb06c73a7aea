"""The table of plasma samples to activities, SUV and intact tracer."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from ihcscore.errors import TableError
from ihcscore.schema import CURVES, SAMPLES, Note, NoteKind
from ihcscore.sheet import CheckedTable, check_table, first_double, folded, place, read_sheet

_WHAT = (
    "suv, or kbq_per_ml with decay_corrected, or counts with count_s, volume_ml, cps_per_bq and "
    "counted_at_min"
)
# Samples of one nominal minute: closer than half a minute, or than a tenth of the time.
_NEAR_MIN, _NEAR_SHARE = 0.5, 0.1
_DIFFERS = 0.02


@dataclass(frozen=True, kw_only=True)
class SampleTable:
    """Checked plasma samples.

    Attributes
    ----------
    name : str
        File name.
    rows : DataFrame
        The columns of :data:`ihcscore.schema.CURVES`, in the order of patient, scan and minute.
    notes : list of Note
    """

    name: str
    rows: pd.DataFrame = field(repr=False)
    notes: list[Note]


def read_samples(
    path: str | Path, *, half_life_min: float, rename: Mapping[str, str] | None = None
) -> SampleTable:
    """Read a table of plasma samples, CSV or XLSX.

    Parameters
    ----------
    path : str or Path
    half_life_min : float
        Of the nuclide, for activities that are not corrected for decay.
    rename : mapping of str to str, optional
        New name of a column to its name in the file.

    Raises
    ------
    TableError
        If a column is missing, a sample is there twice, no SUV follows from what is given, it isn't said
        whether activities are corrected for decay, or samples cannot be told apart by their minutes.
    """
    table = check_table(read_sheet(path, rename), SAMPLES)
    table, told = _plasma(table)
    name, rows = table.name, table.rows
    same = first_double(rows, ("patient_id", "timepoint", "minute"))
    if len(same):
        first = same.iloc[0]
        raise TableError(
            f"{place(name, same.index)}: patient {first['patient_id']} has {len(same)} samples at minute "
            f"{first['minute']:g} of {first['timepoint']}; keep one, or their mean"
        )
    if "kbq_per_ml" in table.given and "decay_corrected" not in table.given:
        raise TableError(
            f"{name}: kbq_per_ml is given without decay_corrected; say yes (corrected to the injection) or "
            "no in each row"
        )
    told += [*_doubtful(table)]
    rows = rows.assign(kbq=_activity(rows, math.log(2) / half_life_min), intact=_intact(table))
    rows, more = _with_suv(table, rows)
    rows = rows.sort_values(["patient_id", "timepoint", "minute"], kind="stable")
    rows["nominal_minute"] = _nominal(table, rows)
    away = (rows["nominal_minute"] - rows["minute"]).abs()
    if away.max() > 0:
        more.append(
            f"{name}: true minutes differ from the nominal ones by up to {away.max():.3g} min; areas and "
            "half-lives take the true ones"
        )
    curves = rows.assign(kbq_per_ml=rows["kbq"], intact_pct=rows["intact"])
    curves["parent_suv"] = curves["suv"] * curves["intact_pct"] / 100
    notes = [Note(kind=NoteKind.TABLE, text=text) for text in (*told, *more)]
    return SampleTable(
        name=name, rows=curves[CURVES.names].reset_index(drop=True), notes=[*table.notes, *notes]
    )


def _plasma(table: CheckedTable) -> tuple[CheckedTable, list[str]]:
    """The samples of plasma; others are left out and told."""
    said = table.rows["material"]
    other = said[~said.map(folded).isin((folded("plasma"), ""))]
    if other.empty:
        return table, []
    rows = table.rows.drop(index=other.index)
    words = ", ".join(sorted(set(other)))
    if rows.empty:
        raise TableError(f"{table.name}: no sample is of plasma (material is {words})")
    left = CheckedTable(name=table.name, rows=rows, given=table.given, notes=table.notes, unread=table.unread)
    return left, [f"{table.name}: {len(other)} samples are no plasma and are left out ({words})"]


def _doubtful(table: CheckedTable) -> Iterator[str]:
    """What looks like a slip in how samples were counted or a patient was measured."""
    name, rows = table.name, table.rows
    counts = rows["counts"].dropna()
    if (counts != counts.round()).any():
        yield f"{name}: counts are not whole numbers: is it a rate (cps, cpm)? It is divided by count_s"
    if len(counts) and rows.loc[counts.index, "background_cps"].isna().any():
        yield f"{name}: background_cps is empty for some samples and counts as 0"
    uncorrected = rows["kbq_per_ml"].notna() & ~rows["decay_corrected"]
    if (uncorrected & rows["counted_at_min"].isna()).any():
        yield (
            f"{name}: kbq_per_ml that is not corrected for decay has no counted_at_min; it is corrected from "
            "the minute of the sample"
        )
    scans = rows.groupby(["patient_id", "timepoint"])
    for column in ("weight_kg", "injected_mbq"):
        several = scans[column].nunique()
        for patient, scan in several.index[several > 1]:
            yield f"{name}: {patient} has several {column} at {scan}: typing error?"


def _activity(rows: pd.DataFrame, decay_per_min: float) -> pd.Series[float]:
    """kBq/ml, corrected for decay to the injection: given, else from counts.

    Counts per second less background, over efficiency and volume, corrected for decay during the count and
    before it (Cherry, Sorenson and Phelps 2012, Physics in Nuclear Medicine, chapter 4).
    """
    at = rows["counted_at_min"].fillna(rows["minute"])
    decayed = np.exp(decay_per_min * at).where(~rows["decay_corrected"], 1.0)
    lost = decay_per_min * rows["count_s"] / 60
    net = rows["counts"] / rows["count_s"] - rows["background_cps"].fillna(0)
    bq_per_ml = net / (rows["cps_per_bq"] * rows["volume_ml"]) * lost / -np.expm1(-lost)
    counted = bq_per_ml / 1000 * np.exp(decay_per_min * rows["counted_at_min"])
    given: pd.Series[float] = rows["kbq_per_ml"] * decayed
    return given.fillna(counted.where(counted >= 0))


def _with_suv(table: CheckedTable, rows: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """The samples that have a value, with SUV and what it follows from (plasma of 1 g/ml)."""
    name = table.name
    bare = rows[
        rows["suv"].isna() & rows["kbq"].notna() & rows[["weight_kg", "injected_mbq"]].isna().any(axis=1)
    ]
    if len(bare):
        raise TableError(f"{place(name, bare.index)}: SUV needs weight_kg and injected_mbq; give both")
    derived = rows["kbq"] * rows["weight_kg"] / rows["injected_mbq"]
    source = np.where(rows["kbq_per_ml"].notna(), "kbq_per_ml", "counts")
    source = np.where(rows["suv"].notna(), "suv", np.where(derived.notna(), source, ""))
    told = []
    both = (derived / rows["suv"].where(rows["suv"] > 0)).dropna()
    odd = both[(both - 1).abs() > _DIFFERS]
    if len(odd):
        told.append(
            f"{place(name, odd.index)}: suv is not what follows from the activity (it is "
            f"{odd.iloc[0]:.3g} times suv): corrected for decay twice, or to the start of the scan? "
            "suv is taken"
        )
    rows = rows.assign(suv=rows["suv"].fillna(derived), source=source)
    if not rows["suv"].notna().any():
        raise TableError(f"{name}: no SUV follows from any sample; give {_WHAT}")
    empty = rows[rows["suv"].isna()]
    if len(empty):
        told.append(f"{place(name, empty.index)}: no SUV follows from what is given; only the rest is taken")
    return rows[rows["suv"].notna() | rows["intact"].notna()], told


def _intact(table: CheckedTable) -> pd.Series[float]:
    """Intact tracer in %: given, else the precipitate's share."""
    rows = table.rows
    both = rows["precipitate"] + rows["supernatant"]
    intact = rows["intact_pct"].fillna(100 * rows["precipitate"] / both.where(both > 0))
    if intact.notna().any() and 0 < intact.max() <= 1:
        raise TableError(
            f"{table.name}: intact_pct is {intact.max():g} at most; give % (0 to 100), not shares"
        )
    return intact


def _nominal(table: CheckedTable, rows: pd.DataFrame) -> pd.Series[float]:
    """The minute under which samples stand together: given, else by their nearness."""
    if rows["nominal_minute"].notna().all():
        found = rows["nominal_minute"]
    else:
        times = np.unique(rows["minute"].to_numpy(float))
        gaps = np.diff(times) > np.maximum(_NEAR_MIN, _NEAR_SHARE * times[:-1])
        groups = np.concatenate([[0], np.cumsum(gaps)])
        member = rows["minute"].map(dict(zip(times.tolist(), groups.tolist(), strict=True)))
        middle = rows["minute"].groupby(member).median().round(1)
        middle = middle.where((middle - middle.round()).abs() > _NEAR_MIN, middle.round())
        found = member.map(middle)
    twice = rows.assign(nominal_minute=found)
    twice = twice[twice.duplicated(["patient_id", "timepoint", "nominal_minute"], keep=False)]
    if len(twice):
        first = twice.iloc[0]
        raise TableError(
            f"{place(table.name, twice.index[:2])}: patient {first['patient_id']} has several samples near "
            f"minute {first['nominal_minute']:g} of {first['timepoint']}; give nominal_minute in each row"
        )
    return found
