"""Two groups of patients: the Mann-Whitney test and the Hodges-Lehmann difference."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from ihcscore.schema import PermutationKind
from ihcscore.statistics.asymptotic import rank_sum_asymptotic
from ihcscore.statistics.interval import NONE, Interval
from ihcscore.statistics.permutation import PermutationMethod
from ihcscore.statistics.ranks import doubled_midranks

EXACT_UP_TO = 150
"""Patients of both groups together up to which all choices are counted; the work grows with their fourth
power."""

_CHOOSING = 6
_CHUNK_ELEMENTS = 4_000_000


@dataclass(frozen=True, kw_only=True)
class RankSum:
    """The Mann-Whitney test.

    Attributes
    ----------
    p : float
        Two-sided P; NaN where a group is empty or all values are equal.
    p_smallest : float
        Smallest P that the same values could have given, shared out otherwise.
    shift : float
        Median of all differences, first group minus second.
    method : PermutationMethod or None
        Whether all choices of the first group were counted or a seeded sample drawn; None where there is no
        test.
    p_asymptotic : float
        P by the normal distribution, as SPSS prints it, for comparison.
    """

    p: float
    p_smallest: float
    shift: float
    method: PermutationMethod | None
    p_asymptotic: float


_NO_TEST = RankSum(p=math.nan, p_smallest=math.nan, shift=math.nan, method=None, p_asymptotic=math.nan)


def mann_whitney(
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    *,
    n_resamples: int = 100_000,
    seed: int = 0,
) -> RankSum:
    """Two-sided Mann-Whitney test, whatever the ties: exact up to :data:`EXACT_UP_TO` patients.

    All ways to take the first group from the pooled values are equally likely; their rank sums are
    counted by dynamic programming over the values (Mann and Whitney 1947, doi
    10.1214/aoms/1177730491; with midranks, Lehmann 1975, section 1.4). Extreme is a rank sum at least as
    far from its mean. Beyond that size a seeded sample of choices stands for all of them, with
    (b + 1) / (m + 1) (Phipson and Smyth 2010, doi 10.2202/1544-6115.1585). The shift is Hodges and
    Lehmann's (1963, doi 10.1214/aoms/1177704172).

    Parameters
    ----------
    first, second : float array
        Finite.
    n_resamples, seed : int
        Size and seed of the sample, where one is drawn.
    """
    n_first, n_second = len(first), len(second)
    if not (n_first and n_second):
        return _NO_TEST
    ranks = doubled_midranks(np.concatenate([first, second]))
    shift = float(np.median(np.subtract.outer(first, second)))
    if ranks.min() == ranks.max():
        return replace(_NO_TEST, shift=shift)
    # The smaller group says as much as the larger, with less work.
    own = ranks[:n_first] if n_first <= n_second else ranks[n_first:]
    n = n_first + n_second
    if n <= EXACT_UP_TO:
        p, p_smallest = _exact(ranks, len(own), int(own.sum()))
        method = PermutationMethod(kind=PermutationKind.ALL, n=math.comb(n, n_first))
    else:
        p, p_smallest = _sampled(ranks, len(own), int(own.sum()), n_resamples=n_resamples, seed=seed)
        method = PermutationMethod(kind=PermutationKind.RANDOM, n=n_resamples, seed=seed)
    return RankSum(
        p=p,
        p_smallest=p_smallest,
        shift=shift,
        method=method,
        p_asymptotic=rank_sum_asymptotic(first, second),
    )


def shift_interval(
    first: NDArray[np.float64], second: NDArray[np.float64], *, confidence: float = 0.95
) -> Interval:
    """Interval of the shift: the differences that the Mann-Whitney test does not reject.

    Moses' interval, by the distribution without ties (Hollander, Wolfe and Chicken 2014, section 4.3), so its
    confidence is at least as stated; beyond :data:`EXACT_UP_TO` patients by the normal distribution.

    Returns
    -------
    (float, float)
        First minus second; NaN where the groups are too small for such an interval, as 3 and 4 are.
    """
    m, n = len(first), len(second)
    if not (m and n):
        return NONE
    differences = np.sort(np.subtract.outer(first, second).ravel())
    if m + n <= EXACT_UP_TO:
        smaller = min(m, n)
        share = _rank_sum_shares(np.arange(1, m + n + 1), smaller)[smaller * (smaller + 1) // 2 :]
        n_outside = int(np.searchsorted(np.cumsum(share), (1 - confidence) / 2 + 1e-12, side="right"))
    else:
        reach = float(stats.norm.ppf(0.5 + confidence / 2)) * math.sqrt(m * n * (m + n + 1) / 12)
        n_outside = max(math.floor(m * n / 2 - reach), 0)
    return (float(differences[n_outside - 1]), float(differences[-n_outside])) if n_outside else NONE


def _exact(ranks: NDArray[np.int64], n_own: int, own_sum: int) -> tuple[float, float]:
    """P and the smallest P of all choices of a group of this size."""
    share = _rank_sum_shares(ranks, n_own)
    distance = np.abs(len(ranks) * np.arange(len(share)) - n_own * int(ranks.sum()))
    observed = abs(len(ranks) * own_sum - n_own * int(ranks.sum()))
    farthest = int(distance[share > 0].max())
    return (
        min(float(share[distance >= observed].sum()), 1.0),
        float(share[distance >= farthest].sum()),
    )


def _sampled(
    ranks: NDArray[np.int64], n_own: int, own_sum: int, *, n_resamples: int, seed: int
) -> tuple[float, float]:
    """P of a seeded sample of choices, and the smallest that a sample of its size can give."""
    generator = np.random.default_rng(np.random.SeedSequence([seed, _CHOOSING, len(ranks), n_own]))
    ordered = np.sort(ranks)  # the order of the rows is of no account
    centre = n_own * int(ranks.sum())
    observed = abs(len(ranks) * own_sum - centre)
    n_as_extreme = 0
    step = max(_CHUNK_ELEMENTS // len(ranks), 1)
    for start in range(0, n_resamples, step):
        rows = np.tile(ordered, (min(step, n_resamples - start), 1))
        sums = generator.permuted(rows, axis=1)[:, :n_own].sum(axis=1)
        n_as_extreme += int(np.count_nonzero(np.abs(len(ranks) * sums - centre) >= observed))
    return (n_as_extreme + 1) / (n_resamples + 1), 1 / (n_resamples + 1)


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
