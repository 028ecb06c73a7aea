"""Two scans of the same lesions: Wilcoxon's signed-rank test and the Hodges-Lehmann shift."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from ihcscore.statistics.asymptotic import signed_rank_asymptotic
from ihcscore.statistics.interval import NONE, Interval
from ihcscore.statistics.ranks import without_float_noise

_FLIPPING = 5
_ALL_FLIPS_UP_TO = 16


@dataclass(frozen=True, kw_only=True)
class SignedRank:
    """Wilcoxon's signed-rank test.

    Attributes
    ----------
    p : float
        Exact two-sided P; NaN without a difference.
    p_smallest : float
        Smallest P that the same differences could have given, all signs equal.
    n_zero : int
        Pairs without a difference.
    p_asymptotic : float
        P by the normal distribution, as SPSS prints it, for comparison; NaN without a difference.
    """

    p: float
    p_smallest: float
    n_zero: int
    p_asymptotic: float


def signed_rank(differences: NDArray[np.float64]) -> SignedRank:
    """Exact two-sided Wilcoxon signed-rank test, whatever the ties and zeros.

    All 2^m choices of sign of the m differences that are not 0 are equally likely; their distribution
    of rank sums is found by convolution, not by listing. Ties have midranks. Zeros are ranked with
    the others and then carry no sign (Pratt 1959, doi 10.1080/01621459.1959.10501526): dropping them first
    can make a larger change less significant.

    Parameters
    ----------
    differences : (n,) float array
        After minus before, finite.
    """
    ranks, signs = _signed_ranks(differences)
    n_zero = int((signs == 0).sum())
    ranks, signs = ranks[signs != 0], signs[signs != 0]
    if not len(ranks):
        return SignedRank(p=math.nan, p_smallest=math.nan, n_zero=n_zero, p_asymptotic=math.nan)
    share = _rank_sum_shares(ranks)
    # Twice the distance of the rank sum of the positive from its mean: whole numbers again.
    distance = np.abs(2 * np.arange(len(share)) - ranks.sum())
    observed = abs(2 * int(ranks[signs > 0].sum()) - int(ranks.sum()))
    return SignedRank(
        p=min(float(share[distance >= observed].sum()), 1.0),
        p_smallest=float(share[0] + share[-1]),
        n_zero=n_zero,
        p_asymptotic=signed_rank_asymptotic(differences),
    )


def signed_rank_by_patient(
    differences: NDArray[np.float64], clusters: NDArray[np.int64], *, n_resamples: int, seed: int
) -> float:
    """P of the signed-rank sum where the lesions of a patient change sign together.

    Lesions of one patient are not independent; under the hypothesis of no change the signs of a whole
    patient may be turned (randomisation by cluster, Rosner, Glynn and Lee 2006, Biometrics 62:185,
    PMID 16542245). All 2^k turns up to 16 patients, else a seeded sample.

    Parameters
    ----------
    differences : (n,) float array
    clusters : (n,) int array
        The patient of each lesion.
    n_resamples, seed : int
    """
    ranks, signs = _signed_ranks(differences)
    codes = np.unique(clusters, return_inverse=True)[1]
    sums = np.bincount(codes, weights=ranks * signs)
    sums = np.sort(sums[sums != 0])
    if not len(sums):
        return math.nan
    k = len(sums)
    exact = k <= _ALL_FLIPS_UP_TO
    if exact:
        flips = 1 - 2 * ((np.arange(2**k)[:, None] >> np.arange(k)) & 1)
    else:
        generator = np.random.default_rng(np.random.SeedSequence([seed, _FLIPPING, k]))
        flips = 1 - 2 * generator.integers(0, 2, (n_resamples, k))
    n_as_extreme = int((np.abs(flips @ sums) >= abs(sums.sum()) - 0.5).sum())
    return n_as_extreme / len(flips) if exact else (n_as_extreme + 1) / (len(flips) + 1)


def hodges_lehmann(differences: NDArray[np.float64], *, confidence: float = 0.95) -> tuple[float, Interval]:
    """Median of the Walsh averages, and the interval of them that Wilcoxon's test does not reject.

    Hodges and Lehmann 1963 (doi 10.1214/aoms/1177704172); the interval takes the distribution without
    ties (Hollander, Wolfe and Chicken 2014, section 3.3), so its confidence is at least as stated.

    Returns
    -------
    shift : float
        NaN without pairs.
    interval : (float, float)
        NaN below 6 pairs, where no interval of 95 % exists.
    """
    n = len(differences)
    if not n:
        return math.nan, NONE
    first, second = np.triu_indices(n)
    walsh = np.sort((differences[first] + differences[second]) / 2)
    below = np.cumsum(_rank_sum_shares(range(1, n + 1)))
    n_outside = int(np.searchsorted(below, (1 - confidence) / 2 + 1e-12, side="right"))
    interval = (float(walsh[n_outside - 1]), float(walsh[-n_outside])) if n_outside else NONE
    return float(np.median(walsh)), interval


def median_interval(values: NDArray[np.float64], *, confidence: float = 0.95) -> Interval:
    """Interval of a median by the sign test, whatever the distribution: two of the values themselves.

    Thompson 1936, doi 10.1214/aoms/1177732502 (Hollander, Wolfe and Chicken 2014, section 3.6); its
    confidence is at least as stated.

    Returns
    -------
    (float, float)
        NaN below 6 values, where no interval of 95 % exists.
    """
    n = len(values)
    below = stats.binom.cdf(np.arange(n), n, 0.5)
    n_outside = int(np.searchsorted(below, (1 - confidence) / 2 + 1e-12, side="right"))
    if not n_outside:
        return NONE
    ordered = np.sort(values)
    return float(ordered[n_outside - 1]), float(ordered[-n_outside])


def shapiro_wilk(values: NDArray[np.float64]) -> tuple[float, float]:
    """Shapiro and Wilk's W and its P by scipy; NaN below three values or without spread."""
    if len(values) < 3 or len(np.unique(values)) < 2:
        return NONE
    found = stats.shapiro(values)
    return float(found.statistic), float(found.pvalue)


def _rank_sum_shares(ranks: Iterable[int]) -> NDArray[np.float64]:
    """Share of the choices of sign that give each sum of the positive ranks, 0 to the sum of all."""
    share = np.ones(1)
    for rank in ranks:
        longer = np.zeros(len(share) + rank)
        longer[: len(share)] += share / 2
        longer[rank:] += share / 2
        share = longer
    return share


def _signed_ranks(differences: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Doubled midranks of the absolute differences, zeros ranked too, and the signs."""
    values = without_float_noise(np.asarray(differences, float))
    ranks = np.rint(2 * stats.rankdata(np.abs(values))).astype(np.int64)
    return ranks, np.sign(values).astype(np.int64)
