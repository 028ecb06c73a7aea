"""Densities, uptake and its change against the best response."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ihcscore.schema import RESPONSE, RESPONSES, CorrelationSettings
from ihcscore.statistics.adjust import adjust
from ihcscore.statistics.groups import mann_whitney, shift_interval
from ihcscore.statistics.spearman import kendall

RESPONDERS = ("CR", "PR")
# What is adjusted within each family.
_ADJUSTED = {
    "p": "p_adjusted",
    "p_smallest": "p_smallest_adjusted",
    "p_trend": "p_trend_adjusted",
}


def compare_responses(
    quantities: Sequence[tuple[str, str, pd.DataFrame]], settings: CorrelationSettings
) -> pd.DataFrame:
    """Responders against others, and across CR, PR, SD, PD in order; each family adjusted for itself.

    Parameters
    ----------
    quantities : sequence of (str, str, DataFrame)
        Family, name, and columns patient_id, value, response (CR, PR, SD or PD); a row a patient.

    Returns
    -------
    DataFrame
        The table of responses.
    """
    table = pd.DataFrame(
        [{"family": family} | _compare(name, rows, settings) for family, name, rows in quantities],
        columns=RESPONSE.names,
    )
    for name, adjusted in _ADJUSTED.items():
        table[adjusted] = np.nan
        for _, own in table.groupby("family", sort=False):
            table.loc[own.index, adjusted] = adjust(own[name].to_numpy(float), settings.adjust)
    return table


def _compare(name: str, rows: pd.DataFrame, settings: CorrelationSettings) -> dict[str, object]:
    rows = rows.sort_values("patient_id", kind="stable")
    values = rows["value"].to_numpy(float)
    responds = rows["response"].isin(RESPONDERS).to_numpy(bool)
    test = mann_whitney(
        values[responds], values[~responds], n_resamples=settings.n_resamples, seed=settings.seed
    )
    low, high = shift_interval(values[responds], values[~responds])
    # From PD up to CR, so that a positive trend means more in better response.
    order = np.array([len(RESPONSES) - RESPONSES.index(r) for r in rows["response"]], float)
    trend = kendall(values, order, n_resamples=settings.n_resamples, seed=settings.seed)
    notes = []
    if responds.all() or not responds.any():
        notes.append("no comparison: all patients are on one side")
    elif np.isnan(low):
        notes.append("interval not estimable: too few patients")
    if np.isnan(trend.p):
        notes.append("no trend: fewer than 3 patients, one response, or equal values")
    return {
        "variable": name,
        "n_responders": int(responds.sum()),
        "n_others": int((~responds).sum()),
        "median_responders": float(np.median(values[responds])) if responds.any() else np.nan,
        "median_others": float(np.median(values[~responds])) if (~responds).any() else np.nan,
        "shift": test.shift,
        "shift_low": low,
        "shift_high": high,
        "p_smallest": test.p_smallest,
        "p": test.p,
        "p_asymptotic": test.p_asymptotic,
        "p_method": test.method,
        **{f"n_{r.lower()}": int((rows["response"] == r).sum()) for r in RESPONSES},
        "p_trend_smallest": trend.p_smallest,
        "trend": trend.estimate,
        "p_trend": trend.p,
        "p_trend_method": trend.method,
        "note": "; ".join(notes),
    }
