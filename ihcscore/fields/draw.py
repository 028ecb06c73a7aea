"""Regions and a seed to fields: squares of one area, drawn at random without overlap."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import cv2
import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from ihcscore.geometry.field import Field
from ihcscore.geometry.square import Square, centres_of_corners
from ihcscore.schema import FieldSettings, RegionName, Sampling

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
    chromogen : ndarray of float32, shape (height, width), optional
        Optical density of the chromogen at the same resolution, for hotspots.
    """

    tissue: NDArray[np.bool_] = field(repr=False)
    downsample: float
    size_xy_px: tuple[int, int]
    side_px: float
    chromogen: NDArray[np.float32] | None = field(default=None, repr=False)


def draw_fields(
    area: BaseGeometry,
    *,
    region: RegionName,
    frame: SamplingFrame,
    settings: FieldSettings,
    taken: Sequence[Field] = (),
    first_number: int = 1,
) -> list[Field]:
    """Draw fields in one region.

    The positions are those on the grid of the tissue mask whose square lies inside the region with
    enough tissue. ``random``: each is equally likely, one field after the other, each among the
    positions that do not overlap those before. ``systematic``: a square lattice with a random start,
    its step such that the expected number of fields is the one asked for (Gundersen and Jensen 1987,
    doi 10.1111/j.1365-2818.1987.tb02837.x). ``hotspot``: one after the other where the chromogen is
    densest. ``all``: the lattice without gaps that holds most fields.

    Parameters
    ----------
    area : shapely geometry
        The region in level-0 pixels.
    region : RegionName
        Its name; each region has a random stream of its own, so that the fields of one do not
        depend on the other.
    frame : SamplingFrame
    settings : FieldSettings
    taken : sequence of Field
        Fields that must not be overlapped, of the same side and not turned.
    first_number : int
        Number of the first field's name; later draws have random streams of their own.

    Returns
    -------
    list of Field
        Not turned; as many as were asked for or fit.
    """
    corners, fractions = candidate_positions(
        area, frame=frame, min_tissue_fraction=settings.min_tissue_fraction
    )
    blocked = np.array([(one.square.x_px, one.square.y_px) for one in taken]).reshape(-1, 2)
    places = _Places(corners=corners, area=area, blocked=blocked, side_px=frame.side_px)
    rng = np.random.default_rng([settings.seed, list(RegionName).index(region), first_number])
    match settings.sampling:
        case Sampling.RANDOM:
            chosen = _random(places, settings.n_per_region, rng)
        case Sampling.SYSTEMATIC:
            chosen = _systematic(places, settings.n_per_region, rng, grid_px=frame.downsample)
        case Sampling.HOTSPOT:
            chosen = _hottest(places, settings.n_per_region, frame)
        case Sampling.ALL:
            chosen = _lattice(places, grid_px=frame.downsample)
        case Sampling.GIVEN:
            raise ValueError("given fields are not drawn")
    return [
        Field(
            field_id=f"{_SHORT_NAMES[region]}-{number}",
            region=region,
            square=Square(x_px=float(corners[at, 0]), y_px=float(corners[at, 1]), side_px=frame.side_px),
            area_mm2=settings.area_mm2,
            tissue_fraction=float(fractions[at]),
        )
        for number, at in enumerate(chosen, first_number)
    ]


def tissue_fraction(square: Square, frame: SamplingFrame) -> float:
    """Share of tissue in a square (level-0 px), of what of it lies on the slide; 0 to 1."""
    window, inside = square.reduced(frame.downsample).pixels(frame.tissue.shape)
    tissue = frame.tissue[window][inside]
    return float(tissue.mean()) if tissue.size else 0.0


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


def _window_mean(values: NDArray[Any], side: int) -> NDArray[np.float64]:
    """Mean over every square of side × side pixels, by its top left pixel."""
    total = cv2.integral(values.astype(np.float32), sdepth=cv2.CV_64F)
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
        points = [
            np.rint(centres_of_corners(shapely.get_coordinates(ring) / frame.downsample) * fine).astype(
                np.int32
            )
            for ring in rings
        ]
        cv2.fillPoly(mask, points, 1, shift=4)
    return mask.astype(bool)


@dataclass(frozen=True, kw_only=True)
class _Places:
    """Candidate positions of one region."""

    corners: NDArray[np.float64]
    area: BaseGeometry
    blocked: NDArray[np.float64]
    side_px: float

    def __post_init__(self) -> None:
        shapely.prepare(self.area)

    def free(self) -> NDArray[np.bool_]:
        """Which positions overlap no field that is already taken."""
        free = np.ones(len(self.corners), np.bool_)
        for other in self.blocked:
            free &= ~self.overlapping(other)
        return free

    def overlapping(self, other: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which squares share an area with the square at `other`."""
        near = np.abs(self.corners - other) < self.side_px
        return near[:, 0] & near[:, 1]

    def inside(self, at: int) -> bool:
        """Whether the square lies inside the region to the last bit, not only on the mask's grid."""
        x, y = self.corners[at]
        return bool(self.area.contains(shapely.box(x, y, x + self.side_px, y + self.side_px)))

    def pick(self, n: int, pick: Pick) -> list[int]:
        """Up to n positions, picked one after the other without overlap."""
        free = self.free()
        chosen: list[int] = []
        while len(chosen) < n and free.any():
            at = pick(np.flatnonzero(free))
            if self.inside(at):
                chosen.append(at)
                free &= ~self.overlapping(self.corners[at])
            else:
                free[at] = False
        return chosen


def _random(places: _Places, n: int, rng: np.random.Generator) -> list[int]:
    """Simple random sampling without overlap; packed from a corner where there is hardly room."""
    best: list[int] = []
    picks: list[Pick] = [lambda free: int(rng.choice(free))] * _STARTS + _corner_picks(places.corners)
    for pick in picks:
        chosen = places.pick(n, pick)
        if len(chosen) > len(best):
            best = chosen
        if len(best) == n or not chosen:
            break
    return best


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


def _systematic(places: _Places, n: int, rng: np.random.Generator, *, grid_px: float) -> list[int]:
    """A lattice with a random start; another start where the first hits nothing."""
    if len(places.corners) == 0:
        return []
    # As many lattice points fall on the positions, on average, as steps fit into their area.
    step = max(grid_px * np.sqrt(len(places.corners) / n), places.side_px + grid_px)
    free = places.free()
    for _ in range(_STARTS):
        start = rng.uniform(0, step, 2)
        beyond = np.mod(places.corners - start, step)
        hit = free & (beyond[:, 0] < grid_px) & (beyond[:, 1] < grid_px)
        chosen = [int(at) for at in np.flatnonzero(hit) if places.inside(int(at))]
        if chosen:
            return chosen
    return []


def _hottest(places: _Places, n: int, frame: SamplingFrame) -> list[int]:
    """The positions with most chromogen, one after the other."""
    if frame.chromogen is None:
        raise ValueError("hotspot sampling needs the chromogen of the slide")
    side = max(1, round(frame.side_px / frame.downsample))
    amount = _window_mean(frame.chromogen, side)
    columns, rows = np.rint(places.corners / frame.downsample).astype(int).T
    rank = np.empty(len(places.corners), np.int64)
    rank[np.argsort(-amount[rows, columns], kind="stable")] = np.arange(len(places.corners))
    return places.pick(n, partial(_first, rank))


def _lattice(places: _Places, *, grid_px: float) -> list[int]:
    """Every position of the lattice without gaps that holds most fields."""
    free = np.flatnonzero(places.free())
    if len(free) == 0:
        return []
    step = int(np.ceil(places.side_px / grid_px))
    phase = np.rint(places.corners[free] / grid_px).astype(np.int64) % step
    kind = phase[:, 1] * step + phase[:, 0]
    return [int(at) for at in free[kind == np.bincount(kind).argmax()] if places.inside(int(at))]
