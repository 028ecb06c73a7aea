"""Regions and a seed to fields: squares of one area, drawn at random without overlap."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import cv2
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from ihcscore.schema import FieldSettings, RegionName

# Random placement can wedge itself in a small region; fresh starts find room where there is some, and
# where there is hardly any, the squares are packed from a corner.
_STARTS = 40
# Chooses one of the free positions, given their indices.
Pick = Callable[[NDArray[np.int64]], int]
_SHORT_NAMES = {RegionName.TUMOUR_CENTRE: "centre", RegionName.INVASIVE_FRONT: "front"}


@dataclass(frozen=True, kw_only=True)
class SamplingFrame:
    """The slide as sampling sees it.

    Attributes
    ----------
    tissue : ndarray of bool, shape (height, width)
        Tissue at low resolution.
    downsample : float
        Level-0 pixels per pixel of `tissue`.
    size_xy_px : tuple of int
        Width and height of the slide, level-0 pixels.
    side_px : float
        Side of a field, level-0 pixels.
    """

    tissue: NDArray[np.bool_] = field(repr=False)
    downsample: float
    size_xy_px: tuple[int, int]
    side_px: float


def draw_fields(
    area: BaseGeometry,
    *,
    region: RegionName,
    frame: SamplingFrame,
    settings: FieldSettings,
    taken: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Draw fields in one region.

    Every position on the grid of the tissue mask whose square lies inside the region with enough
    tissue is equally likely; fields are drawn one after the other, each among the positions that
    do not overlap those before (simple random sampling without overlap).

    Parameters
    ----------
    area : shapely geometry
        The region in level-0 pixels.
    region : RegionName
        Its name; each region has a random stream of its own, so that the fields of one do not
        depend on the other.
    frame : SamplingFrame
    settings : FieldSettings
    taken : DataFrame, optional
        Fields that must not be overlapped (columns x_px, y_px).

    Returns
    -------
    DataFrame
        Columns region, field_id, x_px and y_px (left and top edge, level-0 px), side_px and
        tissue_fraction; a row a field, as many as were asked for or fit.
    """
    corners, fractions = candidate_positions(
        area, frame=frame, min_tissue_fraction=settings.min_tissue_fraction
    )
    rng = np.random.default_rng([settings.seed, list(RegionName).index(region)])
    blocked = np.empty((0, 2)) if taken is None else taken[["x_px", "y_px"]].to_numpy(float)
    best: list[int] = []
    picks: list[Pick] = [lambda free: int(rng.choice(free))] * _STARTS + _corner_picks(corners)
    for pick in picks:
        chosen = _place(corners, area, blocked, side_px=frame.side_px, n=settings.n_per_region, pick=pick)
        if len(chosen) > len(best):
            best = chosen
        if len(best) == settings.n_per_region or not chosen:
            break
    return pd.DataFrame(
        {
            "region": str(region),
            "field_id": [f"{_SHORT_NAMES[region]}-{i + 1}" for i in range(len(best))],
            "x_px": corners[best, 0],
            "y_px": corners[best, 1],
            "side_px": frame.side_px,
            "tissue_fraction": fractions[best],
        }
    )


def candidate_positions(
    area: BaseGeometry, *, frame: SamplingFrame, min_tissue_fraction: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Positions at which a field would lie in the region with enough tissue.

    Returns
    -------
    corners : ndarray of float64, shape (n, 2)
        Left and top edge, whole level-0 pixels. The region is held against the mask's grid, so a
        position at its border may stick out by a pixel of the mask.
    tissue_fraction : ndarray of float64, shape (n,)
    """
    side = max(1, round(frame.side_px / frame.downsample))
    height, width = frame.tissue.shape
    if side > height or side > width or area.is_empty:
        return np.empty((0, 2)), np.empty(0)
    inside = _window_mean(_raster(area, frame), side)
    tissue = _window_mean(frame.tissue, side)
    rows, columns = np.nonzero((inside > 1 - 1e-6) & (tissue >= min_tissue_fraction))
    corners = np.rint(np.column_stack([columns, rows]) * frame.downsample)
    room = np.asarray(frame.size_xy_px) - frame.side_px
    fits = (corners[:, 0] <= room[0]) & (corners[:, 1] <= room[1])
    return corners[fits], tissue[rows, columns][fits]


def _window_mean(mask: NDArray[np.bool_], side: int) -> NDArray[np.float64]:
    """Mean of a mask over every square of side × side pixels, by its top left pixel."""
    total = cv2.integral(mask.astype(np.uint8), sdepth=cv2.CV_64F)
    window = total[side:, side:] - total[:-side, side:] - total[side:, :-side] + total[:-side, :-side]
    mean: NDArray[np.float64] = window / side**2
    return mean


def _raster(area: BaseGeometry, frame: SamplingFrame) -> NDArray[np.bool_]:
    """The region on the mask's grid, its border pixels included."""
    mask = np.zeros(frame.tissue.shape, np.uint8)
    fine = 16  # OpenCV takes sixteenths of a pixel as whole numbers, with shift=4
    for polygon in shapely.get_parts(area):
        if polygon.geom_type != "Polygon":
            continue  # lines and points that a difference of polygons leaves behind
        rings = [polygon.exterior, *polygon.interiors]
        # A level-0 coordinate c lies at c / downsample - 0.5 between the centres of the mask's pixels.
        points = [
            np.rint((shapely.get_coordinates(ring) / frame.downsample - 0.5) * fine).astype(np.int32)
            for ring in rings
        ]
        cv2.fillPoly(mask, points, 1, shift=4)
    return mask.astype(bool)


def _place(
    corners: NDArray[np.float64],
    area: BaseGeometry,
    blocked: NDArray[np.float64],
    *,
    side_px: float,
    n: int,
    pick: Pick,
) -> list[int]:
    """Indices of up to n positions, picked one after the other without overlap."""
    shapely.prepare(area)
    free = np.ones(len(corners), np.bool_)
    for other in blocked:
        free &= ~_overlaps(corners, other, side_px)
    chosen: list[int] = []
    while len(chosen) < n and free.any():
        at = pick(np.flatnonzero(free))
        x, y = corners[at]
        if area.contains(shapely.box(x, y, x + side_px, y + side_px)):
            chosen.append(at)
            free &= ~_overlaps(corners, corners[at], side_px)
        else:
            free[at] = False
    return chosen


def _corner_picks(corners: NDArray[np.float64]) -> list[Pick]:
    """Picks of the free position farthest into each corner, along rows and along columns."""
    picks: list[Pick] = []
    for x_sign, y_sign in ((1, 1), (-1, 1), (1, -1), (-1, -1)):
        x, y = x_sign * corners[:, 0], y_sign * corners[:, 1]
        for first, second in ((x, y), (y, x)):
            rank = np.empty(len(corners), np.int64)
            rank[np.lexsort((second, first))] = np.arange(len(corners))
            picks.append(partial(_first, rank))
    return picks


def _first(rank: NDArray[np.int64], free: NDArray[np.int64]) -> int:
    return int(free[np.argmin(rank[free])])


def _overlaps(corners: NDArray[np.float64], other: NDArray[np.float64], side_px: float) -> NDArray[np.bool_]:
    """Which squares share an area with the square at `other`."""
    near = np.abs(corners - other) < side_px
    return near[:, 0] & near[:, 1]
