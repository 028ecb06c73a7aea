"""P values adjusted for the number of tests."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from ihcscore.schema import Adjustment


def adjust(p: NDArray[np.float64], method: Adjustment) -> NDArray[np.float64]:
    """P values adjusted over one family; NaN stays NaN and is no member.

    Holm 1979 (Scand J Stat 6:65), which controls the chance of any false finding, or Benjamini and
    Hochberg 1995 (doi 10.1111/j.2517-6161.1995.tb02031.x), which controls the expected share of false
    ones, by scipy. An adjusted P never falls when another P of the family rises, so the adjusted
    smallest attainable P values are the smallest attainable adjusted ones.

    Parameters
    ----------
    p : (k,) float array
    method : Adjustment

    Returns
    -------
    (k,) float array
    """
    adjusted = np.array(p, float)
    member = np.isfinite(adjusted)
    if method is Adjustment.NONE or not member.any():
        return adjusted
    own = adjusted[member]
    adjusted[member] = _holm(own) if method is Adjustment.HOLM else stats.false_discovery_control(own)
    return adjusted


def _holm(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """The i-th smallest of k times (k - i + 1), never below a smaller one's, at most 1."""
    order = np.argsort(p, kind="stable")
    raised = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(raised, 1.0)
    return adjusted
