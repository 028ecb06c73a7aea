"""Uptake before and during treatment."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ihcscore.schema import SERIAL, CorrelationSettings
from ihcscore.statistics.paired import hodges_lehmann, shapiro_wilk, signed_rank, signed_rank_by_patient
from ihcscore.statistics.summary import quartiles
from ihcscore.study.join import lesions_at


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
