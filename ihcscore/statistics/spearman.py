"""Spearman's and Kendall's rank correlations with permutation P values."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from ihcscore.statistics.permutation import (
    PermutationMethod,
    Permutations,
    cluster_permutations,
    permutations,
)
from ihcscore.statistics.ranks import doubled_midranks

_CHUNK_ELEMENTS = 4_000_000
_FEW_LEVELS = 6


@dataclass(frozen=True, kw_only=True)
class RankTest:
    """A rank correlation and what its permutations say.

    Attributes
    ----------
    estimate : float
        Spearman's rho or Kendall's tau-b; NaN where one side is constant or there are fewer than three.
    p : float
        Two-sided permutation P.
    p_smallest : float
        Smallest P that the same values could have given in another order.
    method : PermutationMethod or None
        Which permutations; None where there is no test.
    """

    estimate: float
    p: float
    p_smallest: float
    method: PermutationMethod | None
    _reference: Permutations | None = field(default=None, repr=False)
    _extremes: NDArray[np.int64] | None = field(default=None, repr=False)
    _unit: float = field(default=math.nan, repr=False)

    def needed(self, alpha: float) -> float:
        """Smallest absolute estimate with P below alpha; NaN if there is none."""
        if self._reference is None or self._extremes is None:
            return math.nan
        found = self._reference.needed(self._extremes, alpha)
        return math.nan if found is None else found / self._unit


def spearman(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    *,
    clusters: NDArray[np.int64] | None = None,
    n_resamples: int = 100_000,
    seed: int = 0,
) -> RankTest:
    """Spearman's rho with midranks, and its two-sided permutation P.

    All permutations up to 9 units, from 10 on a seeded sample; extreme is an absolute rho at least
    as large (Spearman 1904, doi 10.2307/1412159; Hollander, Wolfe and Chicken 2014, section 8.5).
    Ranks are whole numbers here, so ties are ties and the order of the rows is of no account.

    Parameters
    ----------
    x, y : (n,) float array
        Finite.
    clusters : (n,) int array, optional
        The patient of each point where a patient has several; see
        :func:`~ihcscore.statistics.permutation.cluster_permutations`.
    n_resamples, seed : int

    Returns
    -------
    RankTest
    """
    x2, y2, reference = _prepare(x, y, clusters, n_resamples, seed)
    return _test(_SpearmanSum(x2, y2), x2, y2, clusters, reference)


def kendall(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    *,
    clusters: NDArray[np.int64] | None = None,
    n_resamples: int = 100_000,
    seed: int = 0,
) -> RankTest:
    """Kendall's tau-b and its two-sided permutation P.

    With groups in order as one of the sides this is the permutation test of Jonckheere and Terpstra: their
    statistic is half of Kendall's sum and a constant (Jonckheere 1954, doi 10.2307/2333011; Kendall
    1945, doi 10.2307/2332303). Parameters as for :func:`spearman`.
    """
    x2, y2, reference = _prepare(x, y, clusters, n_resamples, seed)
    return _test(_KendallSum(x2, y2), x2, y2, clusters, reference)


def t_approximation_p(rho: float, n: int) -> float:
    """Two-sided P of rho by Student's t with n - 2 degrees of freedom, as SPSS prints it.

    Too small at every n up to 12, and 0 where |rho| is 1; for comparison only.
    """
    if n < 3 or math.isnan(rho):
        return math.nan
    if abs(rho) >= 1:
        return 0.0
    return float(2 * stats.t.sf(abs(rho) * math.sqrt((n - 2) / (1 - rho * rho)), n - 2))


class _SpearmanSum:
    """n times the sum of products of doubled ranks, less its mean: whole numbers."""

    def __init__(self, x2: NDArray[np.int64], y2: NDArray[np.int64]) -> None:
        self._x, self._y, self._n = x2.astype(float), y2.astype(float), len(x2)
        spreads = [self._n * int((r * r).sum()) - int(r.sum()) ** 2 for r in (x2, y2)]
        self.unit = math.sqrt(spreads[0] * spreads[1])

    def __call__(self, index: NDArray[np.unsignedinteger]) -> NDArray[np.int64]:
        # Sums of products of whole numbers below 2^53 are exact in floating point.
        sums = self._y[index] @ self._x
        centred: NDArray[np.int64] = np.rint(self._n * sums - self._x.sum() * self._y.sum()).astype(np.int64)
        return centred


class _KendallSum:
    """Concordant less discordant pairs.

    Pair by pair where y has many values; group by group where it has few, as responses have, which is
    a few products of matrices and does not grow with the number of pairs of a large study.
    """

    def __init__(self, x2: NDArray[np.int64], y2: NDArray[np.int64]) -> None:
        self._first, self._second = np.triu_indices(len(x2), 1)
        self._x = np.sign(x2[self._first] - x2[self._second]).astype(np.float32)
        self._y, self._levels = y2, np.unique(y2)
        self._above = np.sign(x2[None] - x2[:, None]).astype(np.float32)
        pairs_y = np.count_nonzero(y2[self._first] != y2[self._second])
        self.unit = math.sqrt(np.count_nonzero(self._x) * pairs_y)

    def __call__(self, index: NDArray[np.unsignedinteger]) -> NDArray[np.int64]:
        width = max(len(self._x), len(self._y))
        step = max(_CHUNK_ELEMENTS // width, 1)
        chunks = [self._y[index[start : start + step]] for start in range(0, len(index), step)]
        sums = self._by_group if len(self._levels) <= _FEW_LEVELS else self._by_pair
        return np.concatenate([np.rint(sums(moved)).astype(np.int64) for moved in chunks])

    def _by_pair(self, moved: NDArray[np.int64]) -> NDArray[np.float32]:
        signs = np.sign(moved[:, self._first] - moved[:, self._second]).astype(np.float32)
        sums: NDArray[np.float32] = signs @ self._x
        return sums

    def _by_group(self, moved: NDArray[np.int64]) -> NDArray[np.float32]:
        sums = np.zeros(len(moved), np.float32)
        for level in self._levels[:-1]:
            # For each point, those of this level with a smaller x less those with a larger one.
            beyond = (moved == level).astype(np.float32) @ self._above
            sums += (beyond * (moved > level)).sum(axis=1)
        return sums


def _prepare(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    clusters: NDArray[np.int64] | None,
    n_resamples: int,
    seed: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64], Permutations | None]:
    """Doubled ranks in an order of their own, and the reference set; None where there is no test."""
    if len(x) != len(y):
        raise ValueError(f"x has {len(x)} values, y has {len(y)}")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError("x and y must be finite")
    x2, y2 = doubled_midranks(x), doubled_midranks(y)
    if len(x) < 3 or len(set(x2.tolist())) < 2 or len(set(y2.tolist())) < 2:
        return x2, y2, None
    if clusters is None:
        order = np.lexsort([y2, x2])
        return x2[order], y2[order], permutations(len(x), n_resamples=n_resamples, seed=seed)
    # The order of patients of one size and of their lesions must not matter to a random sample.
    order = np.lexsort([y2, x2, clusters])
    x2, y2 = x2[order], y2[order]
    reference = cluster_permutations(clusters[order], n_resamples=n_resamples, seed=seed)
    return x2, y2, reference


def _test(
    statistic: _SpearmanSum | _KendallSum,
    x2: NDArray[np.int64],
    y2: NDArray[np.int64],
    clusters: NDArray[np.int64] | None,
    reference: Permutations | None,
) -> RankTest:
    if reference is None:
        return RankTest(estimate=math.nan, p=math.nan, p_smallest=math.nan, method=None)
    observed = int(statistic(np.arange(len(x2), dtype=np.uint16)[None])[0])
    extremes = np.abs(statistic(reference.index))
    if reference.exact:
        p_smallest = reference.p_value(extremes, int(extremes.max()))
    else:
        best = _smallest_share(statistic, x2, y2) if clusters is None else 0.0
        p_smallest = max(best, 1 / (reference.n_rows + 1))
    return RankTest(
        estimate=min(max(observed / statistic.unit, -1.0), 1.0),
        p=reference.p_value(extremes, abs(observed)),
        p_smallest=p_smallest,
        method=reference.method,
        _reference=reference,
        _extremes=extremes,
        _unit=statistic.unit,
    )


def _smallest_share(
    statistic: Callable[[NDArray[np.unsignedinteger]], NDArray[np.int64]],
    x2: NDArray[np.int64],
    y2: NDArray[np.int64],
) -> float:
    """Share of all n! orders that are as extreme as can be, by counting, without listing them.

    The sum is largest where y rises with x. With ties several orders do that: inside a group of equal
    x the values of y may stand in any order, and equal values of y may be exchanged.
    """
    rising, falling = np.sort(y2), np.sort(y2)[::-1]
    place = np.empty(len(x2), np.int64)
    place[np.argsort(x2, kind="stable")] = np.arange(len(x2))
    positions = {value: np.flatnonzero(y2 == value) for value in np.unique(y2)}
    ends = []
    for arranged in (rising, falling):
        used = dict.fromkeys(positions, 0)
        index = np.empty(len(x2), np.int64)
        for i, value in enumerate(arranged[place]):
            index[i] = positions[value][used[value]]
            used[value] += 1
        extreme = abs(int(statistic(index.astype(np.uint16)[None])[0]))
        ends.append((extreme, _log_share(x2, arranged[place])))
    top = max(extreme for extreme, _ in ends)
    return min(sum(math.exp(share) for extreme, share in ends if extreme == top), 1.0)


def _log_share(x2: NDArray[np.int64], y2: NDArray[np.int64]) -> float:
    """Logarithm of the share of the n! orders that give each group of equal x these values of y."""
    log = -math.lgamma(len(x2) + 1)
    log += sum(math.lgamma(count + 1) for count in np.unique(y2, return_counts=True)[1])
    for value in np.unique(x2):
        inside = y2[x2 == value]
        log += math.lgamma(len(inside) + 1)
        log -= sum(math.lgamma(count + 1) for count in np.unique(inside, return_counts=True)[1])
    return log
