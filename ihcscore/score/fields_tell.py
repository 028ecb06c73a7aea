"""What a few fields tell of a slide of which every cell is known."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

# Fewer draws say nothing of how means spread.
_FEWEST_DRAWS = 100
WITHIN = (0.1, 0.2, 0.3)
WANTED = 0.95
"""Share of draws that must be so near for a number of fields to be enough."""


def densities_at(
    centres_xy_px: NDArray[np.float64],
    positive_xy_px: NDArray[np.float64],
    *,
    side_px: float,
    area_mm2: float,
) -> NDArray[np.float64]:
    """Positive cells per mm² of field in squares, shape (n,).

    Parameters
    ----------
    centres_xy_px : ndarray of float, shape (n, 2)
        Of the squares, pixel corners at whole numbers.
    positive_xy_px : ndarray of float, shape (m, 2)
        All positive cells, in the same coordinates.
    side_px : float
    area_mm2 : float
        Of a square.
    """
    from scipy.spatial import cKDTree

    if len(positive_xy_px) == 0:
        return np.zeros(len(centres_xy_px))
    found = cKDTree(positive_xy_px).query_ball_point(centres_xy_px, side_px / 2, p=np.inf, return_length=True)
    return np.asarray(found, float) / area_mm2


def fields_tell(densities: NDArray[np.float64], numbers: Sequence[int]) -> pd.DataFrame:
    """How the mean of the first k fields of every region spreads over draws.

    Parameters
    ----------
    densities : ndarray of float, shape (n_draws, n_regions, n_fields)
        Of the fields in the order in which they were drawn; NaN where there was no room.
    numbers : sequence of int
        Fields in each region.

    Returns
    -------
    DataFrame
        n_fields, n_fields_in_all, n_draws, mean_per_mm2, sd_per_mm2, low95_per_mm2, median_per_mm2,
        high95_per_mm2, within_10_percent, within_20_percent, within_30_percent. "Within" is of the mean over
        all draws of one field a region, which all numbers of fields share in expectation where fields are few
        to the region's room.
    """
    n_regions = densities.shape[1]
    first = densities[:, :, 0].mean(axis=1) if n_regions else np.empty(0)
    aim = float(np.nanmean(first)) if np.isfinite(first).any() else math.nan
    rows: list[dict[str, float]] = []
    for n in numbers:
        placed = np.isfinite(densities[:, :, :n]).sum(axis=2)
        most = placed.max(axis=0, initial=0)
        means = whole_draws(densities[:, :, :n])
        if len(means) < _FEWEST_DRAWS or (rows and most.sum() == rows[-1]["n_fields_in_all"]):
            break
        low, middle, high = np.quantile(means, [0.025, 0.5, 0.975])
        rows.append(
            {
                "n_fields": n,
                "n_fields_in_all": int(most.sum()),
                "n_draws": len(means),
                "mean_per_mm2": float(means.mean()),
                "sd_per_mm2": float(means.std(ddof=1)),
                "low95_per_mm2": float(low),
                "median_per_mm2": float(middle),
                "high95_per_mm2": float(high),
                **{
                    f"within_{100 * share:.0f}_percent": float((np.abs(means - aim) <= share * aim).mean())
                    for share in WITHIN
                },
            }
        )
    names = ["n_fields", "n_fields_in_all", "n_draws", "mean_per_mm2", "sd_per_mm2", "low95_per_mm2",
             "median_per_mm2", "high95_per_mm2",
             *(f"within_{100 * share:.0f}_percent" for share in WITHIN)]  # fmt: skip
    return pd.DataFrame(rows, columns=names)


def whole_draws(densities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Means over the fields of the draws that placed as many in every region as any draw, shape (m,).

    A run begins anew where a field finds no room, until as many lie there as fit.

    Parameters
    ----------
    densities : ndarray of float, shape (n_draws, n_regions, n_fields)
        NaN where there was no room.
    """
    placed = np.isfinite(densities).sum(axis=2)
    whole = (placed == placed.max(axis=0, initial=0)).all(axis=1) & placed.any(axis=1)
    return np.asarray(np.nanmean(densities[whole], axis=(1, 2)), float) if whole.any() else np.empty(0)


def fields_needed(table: pd.DataFrame, share: float) -> int | None:
    """Fewest fields in all whose mean lies within a share of the aim in 95 % of draws; None beyond the table.

    Parameters
    ----------
    table : DataFrame
        Of :func:`fields_tell`.
    share : float
        One of `WITHIN`.
    """
    enough = table[table[f"within_{100 * share:.0f}_percent"] >= WANTED]
    return int(enough["n_fields_in_all"].iloc[0]) if len(enough) else None
