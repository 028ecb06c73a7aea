"""Uptake before and during treatment."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ihcscore.pet.table import UptakeTable
from ihcscore.schema import SERIAL, CorrelationSettings, Note, NoteKind
from ihcscore.sheet import folded, nearest
from ihcscore.statistics.paired import hodges_lehmann, shapiro_wilk, signed_rank, signed_rank_by_patient
from ihcscore.statistics.summary import quartiles
from ihcscore.study.join import lesions_at


def as_asked(suv: UptakeTable, settings: CorrelationSettings) -> UptakeTable:
    """The table with its scans spelled as the settings have them; what was matched is among its warnings."""
    asked = {folded(name): name for name in (settings.timepoint, settings.on_treatment)}
    there = suv.rows["timepoint"]
    spelled = {name: asked.get(folded(name), name) for name in there.unique()}
    told = [
        f"{suv.name}: timepoint '{name}' was taken for '{to}'" for name, to in spelled.items() if name != to
    ]
    if not told:
        return suv
    notes = [Note(kind=NoteKind.TABLE, text=text) for text in told]
    rows = suv.rows.assign(timepoint=there.map(spelled))
    return replace(suv, rows=rows, warnings=[*suv.warnings, *notes])


def other_scans(suv: UptakeTable, settings: CorrelationSettings) -> pd.DataFrame:
    """Lesions with an uptake at scans that nobody asked for: the rows of the table."""
    rows = suv.rows
    asked = rows["timepoint"].isin((settings.timepoint, settings.on_treatment))
    return rows[rows["is_lesion"] & rows["suv"].notna() & ~asked]


def about_other_scans(suv: UptakeTable, settings: CorrelationSettings) -> list[str]:
    """Which scans take no part, with their lesions, and which may be meant for one that does."""
    names = (settings.timepoint, settings.on_treatment)
    shown = []
    for name, rows in other_scans(suv, settings).groupby("timepoint", sort=False):
        meant = nearest(str(name), names)
        hint = f"; meant for {meant}?" if meant else ""
        shown.append(f"'{name}' ({len(rows)} lesions of {rows['patient_id'].nunique()} patients{hint})")
    if not shown:
        return []
    there = set(suv.rows["timepoint"])
    lacking = [f"no scan is called {name}, " for name in names if name not in there]
    return [
        f"{suv.name}: {''.join(lacking)}these scans take no part: {', '.join(shown)}; name two of the scans "
        "with --timepoint and --on-treatment"
    ]


def pair_scans(suv: pd.DataFrame, settings: CorrelationSettings) -> pd.DataFrame:
    """Lesions that both scans have: columns patient_id, lesion_id, before, after; sorted."""
    keys = ["patient_id", "lesion_id"]
    before, after = (
        lesions_at(suv, name)[[*keys, "suv"]] for name in (settings.timepoint, settings.on_treatment)
    )
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
    return {
        "suv_column": settings.suv,
        "unit": unit,
        "n": len(table),
        "n_patients": table["patient_id"].nunique(),
        "n_zero": test.n_zero,
        **_quartiles(before, "before"),
        **_quartiles(after, "after"),
        "shift": shift,
        "shift_low": low,
        "shift_high": high,
        "p_smallest": test.p_smallest,
        "p": test.p,
        "p_by_patient": by_patient,
        "shapiro_w": w,
        "shapiro_p": p_normal,
        "note": "; ".join(notes),
    }


def _quartiles(values: NDArray[np.float64], when: str) -> dict[str, float]:
    q1, median, q3 = quartiles(values)
    return {f"median_{when}": median, f"q1_{when}": q1, f"q3_{when}": q3}
