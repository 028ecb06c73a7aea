"""What a study of n patients could have found."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from ihcscore.statistics.spearman import spearman

_SIMULATING = 4


@lru_cache(maxsize=64)
def power(rho: float, n: int, *, alpha: float, n_simulated: int, n_resamples: int, seed: int) -> float:
    """Chance that the permutation test of n patients finds a true Spearman rho, by simulation.

    Pairs are bivariate normal with Pearson's r = 2 sin(pi rho / 6), which gives Spearman's rho
    (Pearson 1907; Kruskal 1958, doi 10.1080/01621459.1958.10501481). Rank tests see no more than ranks,
    so it holds for whatever monotone transform of a normal the data are; without ties.

    Parameters
    ----------
    rho : float
        True Spearman correlation.
    n : int
        Patients.
    alpha : float
        P must be below it.
    n_simulated : int
        Studies; the standard error is at most 0.5 / √n_simulated.
    n_resamples, seed : int
        As of the test.

    Returns
    -------
    float
        NaN below three patients, 0 where no result could have been significant.
    """
    if n < 3:
        return math.nan
    needed = spearman(
        np.arange(n, dtype=float), np.arange(n, dtype=float), n_resamples=n_resamples, seed=seed
    )
    least = needed.needed(alpha)
    if math.isnan(least):
        return 0.0
    generator = np.random.default_rng(np.random.SeedSequence([seed, _SIMULATING, n]))
    return float(np.mean(np.abs(simulated_rho(rho, n, n_simulated, generator)) >= least - 1e-9))


def simulated_rho(rho: float, n: int, n_simulated: int, generator: np.random.Generator) -> np.ndarray:
    """Sample correlations of studies of n patients drawn with a true Spearman rho, (n_simulated,)."""
    r = 2 * math.sin(math.pi * rho / 6)
    x = generator.standard_normal((n_simulated, n))
    y = r * x + math.sqrt(1 - r * r) * generator.standard_normal((n_simulated, n))
    ranks_x, ranks_y = (values.argsort(axis=1).argsort(axis=1) for values in (x, y))
    squared = ((ranks_x - ranks_y) ** 2).sum(axis=1)
    found: np.ndarray = 1 - 6 * squared / (n * (n * n - 1))
    return found
