"""Fields placed again and again, as a run would draw them: what a few fields tell of a whole slide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from ihcscore.fields.draw import SamplingFrame, candidate_positions

# A field that overlaps those before is drawn anew so often; then its draw has no room.
_TRIES = 30
# A region in which so large a share of the draws had no room for a field gets no more.
_FULL = 0.9


@dataclass(frozen=True, kw_only=True)
class Places:
    """Where a field may lie in one region.

    Attributes
    ----------
    corners_xy_px : ndarray of float, shape (n, 2)
        Left and top edge, level-0 pixels.
    side_px : float
    """

    corners_xy_px: NDArray[np.float64] = field(repr=False)
    side_px: float

    @property
    def centres_xy_px(self) -> NDArray[np.float64]:
        """Centres of the fields, pixel corners at whole numbers."""
        return self.corners_xy_px + self.side_px / 2


def places_in(area: BaseGeometry, *, frame: SamplingFrame, min_tissue_fraction: float) -> Places:
    """All positions at which :func:`ihcscore.fields.draw_fields` could place a field in a region.

    Parameters
    ----------
    area : shapely geometry
        The region, level-0 pixels.
    frame : SamplingFrame
    min_tissue_fraction : float
    """
    corners, _ = candidate_positions(area, frame=frame, min_tissue_fraction=min_tissue_fraction)
    shapely.prepare(area)
    x, y = corners.T
    squares = shapely.box(x, y, x + frame.side_px, y + frame.side_px)
    return Places(corners_xy_px=corners[shapely.contains(area, squares)], side_px=frame.side_px)


def draw_often(regions: Sequence[Places], *, n_fields: int, n_draws: int, seed: int) -> NDArray[np.intp]:
    """Fields drawn at random without overlap, many times over.

    Region by region, field by field: each position of a region that overlaps no field before is equally
    likely, as in a run with random sampling. The first k fields of a draw are a draw of k fields.

    Parameters
    ----------
    regions : sequence of Places
    n_fields : int
        In each region.
    n_draws : int
    seed : int

    Returns
    -------
    ndarray of int, shape (n_draws, n_regions, n_fields)
        Which position of the region; -1 where there was no room.
    """
    rng = np.random.default_rng([seed, 0xF1E1D])
    chosen = np.full((n_draws, len(regions), n_fields), -1, np.intp)
    placed = np.full((n_draws, len(regions), n_fields, 2), np.inf)
    # Fields take turns between the regions, so that the first k of each are a draw of k.
    for number in range(n_fields):
        for region, places in enumerate(regions):
            if number and (chosen[:, region, number - 1] < 0).mean() > _FULL:
                continue
            n = len(places.corners_xy_px)
            open_draws = np.arange(n_draws)
            for _ in range(_TRIES if n else 0):
                at = rng.integers(0, n, len(open_draws))
                corners = places.corners_xy_px[at]
                others = placed[open_draws, :, : number + 1].reshape(len(open_draws), -1, 2)
                close = np.asarray(np.abs(others - corners[:, None]) < places.side_px)
                near = np.asarray(close.all(axis=2)).any(axis=1)
                free = open_draws[~near]
                chosen[free, region, number], placed[free, region, number] = at[~near], corners[~near]
                open_draws = open_draws[near]
                if not len(open_draws):
                    break
    return chosen
