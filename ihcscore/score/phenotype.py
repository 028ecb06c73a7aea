"""Immune phenotype with its probability, and a score of markers by percentiles of a reference."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ihcscore.schema import Phenotype

DECIDABLE = 0.8
"""Probability that a phenotype must reach to be named."""
_Z = 1.959963984540054  # the 97.5 % quantile of the normal distribution


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A density with its 95 % interval, per mm²."""

    value: float
    low: float
    high: float

    def above(self, cut: float) -> float:
        """Probability that the true density is above a cut, 0 to 1; NaN without an interval.

        Below the estimate it is spread as a normal distribution, above it as a log-normal one, each half with
        its end of the interval at 1.96 standard deviations: the shape of
        :func:`ihcscore.score.mean_interval`.
        """
        if not all(math.isfinite(one) for one in (self.value, self.low, self.high)):
            return math.nan
        if self.value <= 0:  # nothing found: an exponential tail whose 97.5 % quantile is the upper end
            return math.exp(math.log(0.025) * cut / self.high) if self.high > 0 else 0.0
        if cut >= self.value:
            reach = math.log(self.high / self.value) / _Z
            return _upper_tail(math.log(cut / self.value) / reach) if reach > 0 else 0.5 * (cut == self.value)
        reach = (self.value - self.low) / _Z
        return 1 - _upper_tail((self.value - cut) / reach) if reach > 0 else 1.0


def _upper_tail(z: float) -> float:
    return 0.5 * math.erfc(z / math.sqrt(2))


@dataclass(frozen=True, kw_only=True)
class PhenotypeResult:
    """A phenotype with the probability of each class.

    Attributes
    ----------
    phenotype : Phenotype
        The likeliest class, or not decidable where none reaches 0.8.
    p_inflamed, p_excluded, p_desert : float
        They add up to 1; NaN where an interval is not known.
    cut_per_mm2 : float
    """

    phenotype: Phenotype
    p_inflamed: float
    p_excluded: float
    p_desert: float
    cut_per_mm2: float


def immune_phenotype(centre: Estimate, front: Estimate, *, cut_per_mm2: float) -> PhenotypeResult:
    """Inflamed, excluded or desert, by the rule of Kather et al. 2018 (doi 10.7554/eLife.36967).

    Hot (inflamed) if the core of the tumour is above the cut, excluded if its margin is and the core is not,
    cold (desert) if neither. The probabilities take the errors of the two densities as independent.

    Parameters
    ----------
    centre, front : Estimate
        Positive cells per mm² in the tumour centre and at the invasive front.
    cut_per_mm2 : float
        Given, or the median of the cohort.
    """
    if not cut_per_mm2 > 0:
        raise ValueError(f"cut_per_mm2 is {cut_per_mm2}, expected above 0")
    core, margin = centre.above(cut_per_mm2), front.above(cut_per_mm2)
    p = {
        Phenotype.INFLAMED: core,
        Phenotype.EXCLUDED: (1 - core) * margin,
        Phenotype.DESERT: (1 - core) * (1 - margin),
    }
    known = {name: value for name, value in p.items() if math.isfinite(value)}
    likeliest = max(known, key=lambda name: known[name], default=Phenotype.NOT_DECIDABLE)
    decided = likeliest if known.get(likeliest, 0.0) >= DECIDABLE else Phenotype.NOT_DECIDABLE
    return PhenotypeResult(
        phenotype=decided,
        p_inflamed=p[Phenotype.INFLAMED],
        p_excluded=p[Phenotype.EXCLUDED],
        p_desert=p[Phenotype.DESERT],
        cut_per_mm2=cut_per_mm2,
    )


def percentile_score(values: ArrayLike, reference: ArrayLike) -> NDArray[np.float64]:
    """Mean percentile of densities within a reference, 0 to 100.

    Two markers in two regions are four columns. A value's percentile is the share of the reference below it
    and half of those equal to it (Hazen's definition), so that the reference's own mean is 50.

    Parameters
    ----------
    values : array_like of float, shape (n, k)
        NaN where a density is missing: that row has no score.
    reference : array_like of float, shape (m, k)
        The cohort itself, or a table; missing values don't count in their column.

    Returns
    -------
    ndarray of float, shape (n,)

    Raises
    ------
    ValueError
        If the columns differ in number, or a column of the reference has no value.
    """
    given, known = np.atleast_2d(np.asarray(values, float)), np.atleast_2d(np.asarray(reference, float))
    if given.shape[1] != known.shape[1]:
        raise ValueError(f"values have {given.shape[1]} columns, the reference has {known.shape[1]}")
    percentiles = np.empty_like(given)
    for column in range(given.shape[1]):
        ranked = np.sort(known[np.isfinite(known[:, column]), column])
        if not len(ranked):
            raise ValueError(f"column {column} of the reference has no value")
        below = np.searchsorted(ranked, given[:, column], "left")
        up_to = np.searchsorted(ranked, given[:, column], "right")
        percentiles[:, column] = 50 * (below + up_to) / len(ranked)
    percentiles[~np.isfinite(given)] = np.nan
    return np.asarray(percentiles.mean(axis=1), float)
