"""Intervals of Spearman's rho."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from ihcscore.statistics.ranks import without_float_noise

FEWEST = 6
"""Patients below which an interval is not estimable: it would span nearly all of -1 to 1."""

_BOOTSTRAPPING = 3
_MOST_UNDEFINED = 0.05
_EQUAL = 1e-12

Interval = tuple[float, float]
NONE: Interval = (math.nan, math.nan)


def bonett_wright(rho: float, n: int, *, confidence: float = 0.95) -> Interval:
    """Interval of Spearman's rho of n independent pairs.

    Fisher's z with variance (1 + rho²/2) / (n - 3) (Bonett and Wright 2000, doi 10.1007/BF02294183).

    Returns
    -------
    (float, float)
        NaN below :data:`FEWEST` pairs and where |rho| is 1.
    """
    if n < FEWEST or math.isnan(rho) or abs(rho) >= 1:
        return NONE
    reach = float(stats.norm.ppf(0.5 + confidence / 2)) * math.sqrt((1 + rho * rho / 2) / (n - 3))
    centre = math.atanh(rho)
    return math.tanh(centre - reach), math.tanh(centre + reach)


def bca(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    *,
    clusters: NDArray[np.int64] | None = None,
    n_bootstrap: int = 10_000,
    seed: int = 0,
    confidence: float = 0.95,
) -> Interval:
    """Bias-corrected and accelerated bootstrap interval of Spearman's rho, patients drawn whole.

    Efron 1987, doi 10.1080/01621459.1987.10478410; acceleration from the jackknife over patients.
    ``scipy.stats.bootstrap`` neither draws clusters nor forgives a sample of one patient drawn n
    times, whose rho is undefined; such samples are left out here.

    Parameters
    ----------
    x, y : (n,) float array
        Finite.
    clusters : (n,) int array, optional
        The patient of each point; without it each point is a patient.
    n_bootstrap, seed : int
    confidence : float

    Returns
    -------
    (float, float)
        NaN below :data:`FEWEST` patients, where |rho| is 1, or where more than 5 % of the samples have
        no rho.
    """
    x, y = (without_float_noise(np.asarray(values, float)) for values in (x, y))
    codes = np.arange(len(x)) if clusters is None else np.unique(clusters, return_inverse=True)[1]
    order = np.lexsort([y, x] if clusters is None else [y, x, codes])
    x, y, codes = x[order], y[order], np.arange(len(x)) if clusters is None else codes[order]
    n_patients = int(codes.max(initial=-1)) + 1
    if n_patients < FEWEST:
        return NONE
    ranking = _below(x), _below(y)
    observed = float(_weighted_rho(np.ones((1, len(x))), *ranking)[0])
    if math.isnan(observed) or abs(observed) >= 1 - _EQUAL:
        return NONE
    generator = np.random.default_rng(np.random.SeedSequence([seed, _BOOTSTRAPPING, n_patients]))
    drawn = generator.multinomial(n_patients, np.full(n_patients, 1 / n_patients), size=n_bootstrap)
    sample = _weighted_rho(drawn[:, codes].astype(float), *ranking)
    sample = sample[np.isfinite(sample)]
    left_out = _weighted_rho((1.0 - np.eye(n_patients))[:, codes], *ranking)
    if len(sample) < (1 - _MOST_UNDEFINED) * n_bootstrap or np.isnan(left_out).any():
        return NONE
    return _bca_quantiles(sample, observed, left_out, confidence)


def _bca_quantiles(
    sample: NDArray[np.float64], observed: float, left_out: NDArray[np.float64], confidence: float
) -> Interval:
    """Quantiles of a bootstrap sample at the levels that bias and acceleration move."""
    below = np.count_nonzero(sample < observed - _EQUAL)
    equal = np.count_nonzero(np.abs(sample - observed) <= _EQUAL)
    bias = float(stats.norm.ppf((below + equal / 2) / len(sample)))
    if not math.isfinite(bias):
        return NONE
    influence = left_out.mean() - left_out
    squares = float((influence**2).sum())
    acceleration = float((influence**3).sum()) / (6 * squares**1.5) if squares > 0 else 0.0
    levels = []
    for tail in ((1 - confidence) / 2, (1 + confidence) / 2):
        z = bias + float(stats.norm.ppf(tail))
        levels.append(float(stats.norm.cdf(bias + z / (1 - acceleration * z))))
    low, high = np.quantile(sample, levels)
    return float(low), float(high)


def _below(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """How much each value (row) adds to the midrank of each other (column): 1 below, 1/2 equal."""
    rows, columns = values[:, None], values[None]
    added: NDArray[np.float64] = (rows < columns) + 0.5 * (rows == columns)
    return added


def _weighted_rho(
    weights: NDArray[np.float64], below_x: NDArray[np.float64], below_y: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Spearman's rho of samples in which each point occurs so many times, (b, n) to (b,).

    The midrank of a point in such a sample is the weighted number of points below it, those equal
    counted half, and 1/2: no sample has to be built or sorted.
    """
    total = weights.sum(axis=1, keepdims=True)
    x, y = weights @ below_x, weights @ below_y
    x = x - (weights * x).sum(axis=1, keepdims=True) / total
    y = y - (weights * y).sum(axis=1, keepdims=True) / total
    spread = (weights * x * x).sum(axis=1) * (weights * y * y).sum(axis=1)
    rho = np.full(len(weights), np.nan)
    defined = spread > _EQUAL
    rho[defined] = (weights * x * y).sum(axis=1)[defined] / np.sqrt(spread[defined])
    return rho
