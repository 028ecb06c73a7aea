"""Uptake before and during treatment."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ihcscore.errors import TableError, parameter
from ihcscore.pet.table import UptakeTable
from ihcscore.schema import SERIAL, CorrelationSettings, Note, NoteKind, When
from ihcscore.sheet import folded, nearest
from ihcscore.statistics.paired import (
    hodges_lehmann,
    median_interval,
    shapiro_wilk,
    signed_rank,
    signed_rank_by_patient,
)
from ihcscore.statistics.summary import quartiles
from ihcscore.study.join import lesions_at

_MOST_NAMED = 6


def as_asked(suv: UptakeTable, settings: CorrelationSettings) -> UptakeTable:
    """The table with its scans spelled as the settings have them, and what each is in the study.

    Returns
    -------
    UptakeTable
        Its rows have a column `when` (:class:`~ihcscore.schema.When`); of several scans during treatment that
        are pooled, one a patient. What was matched or pooled is among its warnings.

    Raises
    ------
    TableError
        If a scan that was asked for is not in the table.
    """
    names = (settings.timepoint, *settings.during)
    asked = {folded(name): name for name in names}
    there = list(suv.rows["timepoint"].unique()) + list(suv.excluded["timepoint"].unique())
    spelled = {name: asked.get(folded(name), name) for name in there}
    for name in settings.on_treatment:
        if name not in spelled.values():
            raise _no_scan(suv, name, "on_treatment")
    told = [
        f"{suv.name}: timepoint '{name}' was taken for '{to}'" for name, to in spelled.items() if name != to
    ]
    rows, excluded = (
        table.assign(timepoint=table["timepoint"].map(spelled)) for table in (suv.rows, suv.excluded)
    )
    chosen = scans_of_patients(rows, settings)
    rows["when"] = [
        When.BEFORE if scan == settings.timepoint else When.DURING if scan == chosen.get(patient)
        else When.NEITHER
        for patient, scan in zip(rows["patient_id"], rows["timepoint"], strict=True)
    ]  # fmt: skip
    told += _about_pooling(rows, chosen, suv.name, settings)
    notes = [Note(kind=NoteKind.TABLE, text=text) for text in told]
    return replace(suv, rows=rows, excluded=excluded, warnings=[*suv.warnings, *notes])


def _no_scan(suv: UptakeTable, name: str, option: str) -> TableError:
    there = sorted(set(suv.rows["timepoint"]) | set(suv.excluded["timepoint"]))
    near = nearest(name, there)
    hint = f"; is {near} meant?" if near else ""
    return TableError(
        f"{suv.name}: no scan is called '{name}' (it has {', '.join(there)}); give another "
        f"{parameter(option)}{hint}"
    )


def scans_of_patients(rows: pd.DataFrame, settings: CorrelationSettings) -> dict[str, str]:
    """Each patient's scan during treatment: the first of the names asked for that has a value.

    One with a lesion's value goes before one that has healthy tissue alone.
    """
    order = {name: place for place, name in enumerate(settings.during)}
    found = rows[rows["suv"].notna() & rows["timepoint"].isin(list(order))]
    found = found.assign(healthy=~found["is_lesion"], place=found["timepoint"].map(order))
    first = found.sort_values(["patient_id", "healthy", "place"], kind="stable").drop_duplicates("patient_id")
    return dict(zip(first["patient_id"], first["timepoint"], strict=True))


def _about_pooling(
    rows: pd.DataFrame, chosen: dict[str, str], name: str, settings: CorrelationSettings
) -> list[str]:
    """Which scan each patient has among pooled ones, and who had several."""
    if len(settings.during) < 2:
        return []
    taken = pd.Series(chosen, dtype=object)
    shares = ", ".join(f"{scan} ({int((taken == scan).sum())})" for scan in settings.during)
    told = [f"{name}: the scans {shares} were pooled as one during treatment (patients in brackets)"]
    there = rows[rows["timepoint"].isin(settings.during) & rows["suv"].notna()]
    several = there.groupby("patient_id")["timepoint"].agg(lambda said: sorted(set(said)))
    several = several[several.map(len) > 1]
    if len(several):
        shown = [f"{patient}: {chosen[patient]}" for patient in several.index[:_MOST_NAMED]]
        more = len(several) - len(shown)
        told.append(
            f"{name}: {len(several)} patients have several of the pooled scans, and the first in the order "
            f"asked for was taken ({', '.join(shown)}{f' and {more} more' if more > 0 else ''})"
        )
    return told


def other_scans(suv: UptakeTable) -> pd.DataFrame:
    """Lesions with an uptake at scans that take no part: the rows of the table."""
    rows = suv.rows
    return rows[rows["is_lesion"] & rows["suv"].notna() & (rows["when"] == When.NEITHER)]


def about_other_scans(suv: UptakeTable, settings: CorrelationSettings) -> list[str]:
    """Which scans take no part, with their lesions, and which may be meant for one that does."""
    names = (settings.timepoint, *settings.during)
    shown = []
    for name, rows in other_scans(suv).groupby("timepoint", sort=False):
        if name in names:
            continue  # of a patient who has another of the pooled scans, which is told
        meant = nearest(str(name), names)
        hint = f"; meant for {meant}?" if meant else ""
        shown.append(f"'{name}' ({len(rows)} lesions of {rows['patient_id'].nunique()} patients{hint})")
    if not shown:
        return []
    there = set(suv.rows["timepoint"])
    lacking = [f"no scan is called {name}, " for name in names if name not in there]
    return [
        f"{suv.name}: {''.join(lacking)}these scans take no part: {', '.join(shown)}; name the scans "
        "with --timepoint and --on-treatment"
    ]


def about_order(suv: UptakeTable, settings: CorrelationSettings) -> list[str]:
    """Patients whose scan during treatment lies before the first, where dates are given."""
    before, during = (
        suv.rows[suv.rows["when"] == when].groupby("patient_id")["scan_date"].min()
        for when in (When.BEFORE, When.DURING)
    )
    both = before.index.intersection(during.index)
    turned = [str(patient) for patient in both[during[both] <= before[both]]]
    if not turned:
        return []
    return [
        f"{suv.name}: in {len(turned)} patients ({', '.join(turned[:_MOST_NAMED])}) the scan at "
        f"{settings.during_name} is not later than the one at {settings.timepoint}"
    ]


def pair_scans(suv: pd.DataFrame) -> pd.DataFrame:
    """Lesions that both scans have: columns patient_id, lesion_id, before, after; sorted."""
    keys = ["patient_id", "lesion_id"]
    before, after = (lesions_at(suv, when)[[*keys, "suv"]] for when in (When.BEFORE, When.DURING))
    both = before.merge(after, on=keys, how="inner", suffixes=("_before", "_after"), validate="one_to_one")
    return both.rename(columns={"suv_before": "before", "suv_after": "after"})


def compare_scans(pairs: pd.DataFrame, settings: CorrelationSettings) -> pd.DataFrame:
    """Wilcoxon's signed-rank test and Hodges and Lehmann's shift: lesion by lesion, and by patients.

    Parameters
    ----------
    pairs : DataFrame
        From :func:`pair_scans`.

    Returns
    -------
    DataFrame
        The table of serial scans; without pairs it has no rows. The row of lesions takes them as
        independent, as papers do, and gives beside it the P with the signs changed patient by patient.
    """
    if pairs.empty:
        return pd.DataFrame(columns=SERIAL.names)
    by_patient = pairs.groupby("patient_id", sort=True)[["before", "after"]]
    tables = {
        "lesion": pairs,
        "patient, mean of lesions": by_patient.mean().reset_index(),
        "patient, highest lesion": by_patient.max().reset_index(),
    }
    rows = [_compare(table, unit, settings) for unit, table in tables.items()]
    return pd.DataFrame(rows, columns=SERIAL.names)


def _compare(table: pd.DataFrame, unit: str, settings: CorrelationSettings) -> dict[str, object]:
    before, after = table["before"].to_numpy(float), table["after"].to_numpy(float)
    differences = after - before
    test = signed_rank(differences)
    shift, (low, high) = hodges_lehmann(differences)
    w, p_normal = shapiro_wilk(differences)
    by_patient = math.nan
    if unit == "lesion":
        codes = np.unique(table["patient_id"].to_numpy(str), return_inverse=True)[1]
        by_patient = signed_rank_by_patient(
            differences, codes, n_resamples=settings.n_resamples, seed=settings.seed
        )
    notes = []
    if math.isnan(test.p):
        notes.append("no test: no pair differs")
    if math.isnan(low):
        notes.append(f"interval not estimable: {len(table)} pairs, fewer than 6")
    if (before <= 0).any():
        notes.append(f"no change in percent for {int((before <= 0).sum())} pairs that begin at 0 or below")
    return {
        "measure": settings.measure.column,
        "before": settings.timepoint,
        "after": settings.during_name,
        "unit": unit,
        "n": len(table),
        "n_patients": table["patient_id"].nunique(),
        "n_zero": test.n_zero,
        **_quartiles(before, "before", settings),
        **_quartiles(after, "after", settings),
        "quartiles": str(settings.quartiles),
        "shift": shift,
        "shift_low": low,
        "shift_high": high,
        **_changes_in_percent(before, after),
        "p_smallest": test.p_smallest,
        "p": test.p,
        "p_asymptotic": test.p_asymptotic,
        "p_by_patient": by_patient,
        "shapiro_w": w,
        "shapiro_p": p_normal,
        "note": "; ".join(notes),
    }


def _quartiles(values: NDArray[np.float64], when: str, settings: CorrelationSettings) -> dict[str, float]:
    q1, median, q3 = quartiles(values, settings.quartiles)
    return {f"median_{when}": median, f"q1_{when}": q1, f"q3_{when}": q3}


def percent_changes(before: NDArray[np.float64], after: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each change in percent of what was before; NaN where that is not above 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(before > 0, 100 * (after - before) / before, np.nan)


def _changes_in_percent(before: NDArray[np.float64], after: NDArray[np.float64]) -> dict[str, float]:
    """Of the medians, and the median of all with its interval: papers give one or the other."""
    each = percent_changes(before, after)
    each = each[np.isfinite(each)]
    medians = percent_changes(*(np.array([np.median(values)]) for values in (before, after)))
    low, high = median_interval(each)
    return {
        "change_of_medians_pct": float(medians[0]),
        "median_change_pct": float(np.median(each)) if len(each) else math.nan,
        "median_change_low_pct": low,
        "median_change_high_pct": high,
    }
