"""Wilcoxon's and Mann and Whitney's P as SPSS prints them: by the normal distribution.

For comparison with papers, beside the exact P and never in its place: the approximation is of no use where
values are few. Neither takes a correction for continuity, both take one for ties (IBM SPSS Statistics
Algorithms, NPAR TESTS, "Asymp. Sig. (2-tailed)").
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from ihcscore.statistics.ranks import doubled_midranks, without_float_noise


def signed_rank_asymptotic(differences: NDArray[np.float64]) -> float:
    """Two-sided P of Wilcoxon's signed-rank test by the normal distribution.

    Differences of 0 are left out before ranking (Wilcoxon 1945, doi 10.2307/3001968), as SPSS does; the
    exact test here ranks them (Pratt). z = (W - n(n+1)/4) / sqrt(n(n+1)(2n+1)/24 - sum(t³-t)/48).

    Parameters
    ----------
    differences : (n,) float array
        Finite.

    Returns
    -------
    float
        NaN without a difference.
    """
    values = without_float_noise(np.asarray(differences, float))
    values = values[values != 0]
    n = len(values)
    if not n:
        return math.nan
    ranks = doubled_midranks(np.abs(values))
    centred = ranks[values > 0].sum() / 2 - n * (n + 1) / 4
    variance = n * (n + 1) * (2 * n + 1) / 24 - _ties(ranks) / 48
    return _two_sided(centred, variance)


def rank_sum_asymptotic(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Two-sided P of the Mann-Whitney test by the normal distribution.

    z = (U - mn/2) / sqrt(mn/(N(N-1)) · ((N³-N)/12 - sum(t³-t)/12)), N = m + n.

    Parameters
    ----------
    first, second : float array
        Finite.

    Returns
    -------
    float
        NaN where a group is empty or all values are equal.
    """
    m, n = len(first), len(second)
    if not (m and n):
        return math.nan
    ranks = doubled_midranks(np.concatenate([first, second]))
    total = m + n
    centred = ranks[:m].sum() / 2 - m * (total + 1) / 2
    variance = m * n / (total * (total - 1)) * (total**3 - total - _ties(ranks)) / 12
    return _two_sided(centred, variance)


def _ties(ranks: NDArray[np.int64]) -> int:
    """Sum of t³ - t over the groups of t equal ranks."""
    sizes = np.unique(ranks, return_counts=True)[1].astype(np.int64)
    return int((sizes**3 - sizes).sum())


def _two_sided(centred: float, variance: float) -> float:
    if variance <= 0:
        return math.nan
    return float(2 * stats.norm.sf(abs(centred) / math.sqrt(variance)))
