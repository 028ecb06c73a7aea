"""Two groups of patients: the exact Mann-Whitney test and the Hodges-Lehmann difference."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ihcscore.statistics.ranks import doubled_midranks


@dataclass(frozen=True, kw_only=True)
class RankSum:
    """The Mann-Whitney test.

    Attributes
    ----------
    p : float
        Exact two-sided P; NaN where a group is empty or all values are equal.
    p_smallest : float
        Smallest P that the same values could have given, shared out otherwise.
    shift : float
        Median of all differences, first group minus second.
    """

    p: float
    p_smallest: float
    shift: float


def mann_whitney(first: NDArray[np.float64], second: NDArray[np.float64]) -> RankSum:
    """Exact two-sided Mann-Whitney test, whatever the ties.

    All ways to take the first group from the pooled values are equally likely; their rank sums are
    counted by dynamic programming over the values (Mann and Whitney 1947, doi
    10.1214/aoms/1177730491; with midranks, Lehmann 1975, section 1.4). Extreme is a rank sum at least as
    far from its mean. The shift is Hodges and Lehmann's (1963, doi 10.1214/aoms/1177704172).

    Parameters
    ----------
    first, second : float array
        Finite.
    """
    n_first, n_second = len(first), len(second)
    if not (n_first and n_second):
        return RankSum(p=math.nan, p_smallest=math.nan, shift=math.nan)
    ranks = doubled_midranks(np.concatenate([first, second]))
    shift = float(np.median(np.subtract.outer(first, second)))
    if ranks.min() == ranks.max():
        return RankSum(p=math.nan, p_smallest=math.nan, shift=shift)
    share = _rank_sum_shares(ranks, n_first)
    n = n_first + n_second
    distance = np.abs(n * np.arange(len(share)) - n_first * int(ranks.sum()))
    observed = abs(n * int(ranks[:n_first].sum()) - n_first * int(ranks.sum()))
    farthest = int(distance[share > 0].max())
    return RankSum(
        p=min(float(share[distance >= observed].sum()), 1.0),
        p_smallest=float(share[distance >= farthest].sum()),
        shift=shift,
    )


def _rank_sum_shares(ranks: NDArray[np.int64], n_first: int) -> NDArray[np.float64]:
    """Share of the choices of `n_first` ranks that have each sum, 0 to all."""
    # share[k, s]: chance that the first i ranks hold k of the group, which sum up to s.
    share = np.zeros((n_first + 1, int(ranks.sum()) + 1))
    share[0, 0] = 1.0
    n = len(ranks)
    for seen, rank in enumerate(np.sort(ranks)):
        taken = np.arange(n_first + 1)[:, None]
        chance = np.clip((n_first - taken) / (n - seen), 0.0, 1.0)
        moved = share * chance
        share *= 1 - chance
        share[1:, rank:] += moved[:-1, : share.shape[1] - rank]
    last: NDArray[np.float64] = share[n_first]
    return last
