"""Intervals of densities from blocks of tissue: cells that lie together are drawn again together."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ihcscore.score.interval import poisson_interval, student_t

FEWEST_BLOCKS = 5
"""With fewer there is no interval: what blocks differ by would be a guess."""
DRAWS = 2000
_LOW, _HIGH = 0.025, 0.975

Table = NDArray[np.float64]


def block_sums(values: NDArray[np.float64], blocks: NDArray[np.intp], n_blocks: int) -> Table:
    """Sum of values by block, shape (n_blocks,)."""
    return np.bincount(blocks, weights=values, minlength=n_blocks).astype(float)


def block_draws(counts: Table, areas: Table, *, seed: int, n_draws: int = DRAWS) -> Table:
    """Densities of blocks that are drawn again, with replacement (Künsch 1989, doi 10.1214/aos/1176347265).

    Parameters
    ----------
    counts, areas : ndarray of float, shape (n, n_blocks)
        Cells and mm² of each of n parts in each block; the same blocks are drawn for all parts.
    seed : int
    n_draws : int

    Returns
    -------
    ndarray of float, shape (n_draws, n)
        NaN where a draw has no area of a part.
    """
    n_blocks = counts.shape[1]
    drawn = np.random.default_rng([seed, 0xB10C]).multinomial(
        n_blocks, np.full(n_blocks, 1 / n_blocks), n_draws
    )
    area = drawn @ areas.T
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(area > 0, (drawn @ counts.T) / area, np.nan), float)


def block_interval(draws: Table, *, count: int, area_mm2: float, n_blocks: int) -> tuple[float, float]:
    """95 % interval of a density from its draws, never narrower than chance alone leaves it.

    The quantiles of the draws are spread as far as few blocks ask for: by Student's t over the normal and by
    √(n / (n - 1)) (the expanded percentile interval, Hesterberg 2015, doi 10.1080/00031305.2015.1089789). The
    exact Poisson interval holds where it is wider.

    Parameters
    ----------
    draws : ndarray of float, shape (n_draws,)
    count : int
        Cells in all blocks.
    area_mm2 : float
    n_blocks : int
        Blocks that have area.

    Returns
    -------
    low, high : float
        NaN below five blocks.
    """
    if n_blocks < FEWEST_BLOCKS or not area_mm2 > 0:
        return math.nan, math.nan
    density = count / area_mm2
    low, high = np.nanquantile(draws, [_LOW, _HIGH])
    wider = student_t(n_blocks - 1) / student_t(1e9) * math.sqrt(n_blocks / (n_blocks - 1))
    least_low, least_high = poisson_interval(count, area_mm2=area_mm2)
    low, high = (density + wider * (float(end) - density) for end in (low, high))
    return max(min(low, least_low), 0.0), max(high, least_high)


def band(draws: Table, density: Table, low: Table, high: Table) -> tuple[Table, Table]:
    """Ends of a band that holds all of several densities at once in 95 %.

    Each density's interval is widened by one factor, the same for all: so far that 95 % of the draws lie in
    the band as a whole (the studentised maximum of Davison and Hinkley 1997, section 4.2.4,
    doi 10.1017/CBO9780511802843).

    Parameters
    ----------
    draws : ndarray of float, shape (n_draws, n)
    density, low, high : ndarray of float, shape (n,)
        Each with its 95 % interval, NaN where there is none.
    """
    known = np.isfinite(low) & np.isfinite(high) & (high > low)
    if not known.any():
        return low, high
    with np.errstate(invalid="ignore", divide="ignore"):
        below = (density - draws) / (density - low)
        above = (draws - density) / (high - density)
    away = np.where(np.isfinite(below), np.maximum(below, above), 0.0)[:, known]
    factor = max(1.0, float(np.quantile(away.max(axis=1), 0.95)))
    return np.maximum(density - factor * (density - low), 0.0), density + factor * (high - density)
