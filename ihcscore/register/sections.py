"""Two whole sections: one affine map, or one for each piece of tissue, and how far to trust it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from shapely.geometry.base import BaseGeometry

from ihcscore.geometry.affine import Affine
from ihcscore.geometry.polygons import mask_to_polygons, without_holes
from ihcscore.planes import (
    Border,
    Mask,
    Plane,
    blurred,
    box_mean,
    dilated,
    disc,
    parts_of,
    sampled,
    shrunk_by,
)
from ihcscore.register.align import Alignment, align, contrast_correlation, refine
from ihcscore.register.place import REACH_UM, place

# Tissue for the purpose of finding its extent and its pieces: structure smoothed over so many µm.
_TISSUE_SMOOTH_UM = 60.0
_TISSUE_STRUCTURE = 0.12
_CROP_MARGIN_UM = 200.0
# Tissue nearer than this belongs to one piece, and a piece is at least this share of all tissue.
_PIECE_GAP_UM = 120.0
_MIN_PIECE_FRACTION = 0.04
# The outline of a piece, half-way across a gap, needs no more corners than this many pixels ask for.
_OUTLINE_PX = 0.5
# The scale at which a piece's own map is refined: longest side of the piece in pixels.
_PIECE_PX = 512
# A piece gets a map of its own where that raises the correlation of its contrast by so much.
_PIECE_GAIN = 0.05
# Where the global map is tried: squares of this side, spread evenly over the tissue, at most so many.
_CHECK_SIDE_UM = 500.0
_CHECK_PLACES = 36
# Share of such a square that is tissue.
_CHECK_TISSUE = 0.6
# Of places held against the wrong part of a section 0.7 % look distinct, and few of these lie near where the
# map says: three near ones of 36, or two of a few, are no chance (binomial, P < 0.002).
_MIN_DISTINCT = 3
_MIN_DISTINCT_OF_FEW = 2
_FEW_PLACES = 10
# A map that is farther off than half of what places are looked for is a chance agreement.
_MAX_SHIFT_UM = REACH_UM / 2


@dataclass(frozen=True, kw_only=True)
class SectionView:
    """A section seen whole.

    Attributes
    ----------
    structure : ndarray of float32, shape (height, width)
        0 on glass, 1 in the densest tissue.
    downsample : float
        Level-0 pixels per pixel of `structure`.
    mpp_um : float
        µm per pixel of `structure`.
    """

    structure: Plane = field(repr=False)
    downsample: float
    mpp_um: float


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A piece of the reference's tissue that lies elsewhere than the rest.

    Attributes
    ----------
    area : shapely geometry
        On the reference, level-0 pixels.
    transform : Affine
        From the reference's to the moving slide's level-0 pixels.
    """

    area: BaseGeometry = field(repr=False)
    transform: Affine


@dataclass(frozen=True, kw_only=True)
class Registration:
    """How a section lies on another.

    Attributes
    ----------
    transform : Affine
        From the reference's to the moving slide's level-0 pixels.
    pieces : tuple of Piece
        Pieces with a map of their own; a point in none of them takes `transform`.
    doubtful : shapely geometry
        Pieces of the reference of which no place was recognised under any map.
    correlation : float
        Of the local contrast of both sections under `transform`, -1 to 1.
    n_places, n_distinct : int
        Places at which the map was tried, and of these the ones whose match was distinct.
    error_um : float
        Estimated error: the median distance between the map and distinct matches, with the error of
        these. NaN where the map was not confirmed.
    """

    transform: Affine
    pieces: tuple[Piece, ...] = ()
    doubtful: BaseGeometry = field(default_factory=shapely.MultiPolygon, repr=False)
    correlation: float
    n_places: int
    n_distinct: int
    error_um: float

    @property
    def confirmed(self) -> bool:
        """Whether distinct places of the tissue lie where the map says."""
        return not math.isnan(self.error_um)

    def error_um_at(self, xy_px: ArrayLike) -> float:
        """Estimated error at a point of the reference; NaN where nothing confirms the map there."""
        if self.doubtful.intersects(shapely.Point(np.asarray(xy_px, float))):
            return math.nan
        return self.error_um

    def transform_at(self, xy_px: ArrayLike) -> Affine:
        """The map that holds at a point of the reference, level-0 pixels."""
        point = shapely.Point(np.asarray(xy_px, float))
        for piece in self.pieces:
            if piece.area.intersects(point):
                return piece.transform
        return self.transform


def register_sections(reference: SectionView, moving: SectionView) -> Registration:
    """Find how a section lies on another: any turn, either side up, slightly stretched or sheared.

    Parameters
    ----------
    reference, moving : SectionView
        At µm per pixel that may differ; the coarser one decides.

    Returns
    -------
    Registration
        Of two sections that show nothing in common too: then it is not confirmed.
    """
    mpp_um = max(reference.mpp_um, moving.mpp_um)
    fixed, to_fixed = _working(reference, mpp_um)
    other, to_other = _working(moving, mpp_um)
    alignment = align(fixed, other)
    pieces, doubtful = _pieces(fixed, other, alignment, mpp_um=mpp_um)
    working = Registration(
        transform=alignment.transform,
        pieces=tuple(pieces),
        correlation=alignment.score,
        n_places=0,
        n_distinct=0,
        error_um=math.nan,
    )
    n_places, n_distinct, error_um = _checked(fixed, other, working, mpp_um=mpp_um)
    from_other = to_other.inverse()
    back = to_fixed.inverse().matrix
    return replace(
        working,
        transform=from_other @ alignment.transform @ to_fixed,
        pieces=tuple(
            Piece(
                area=shapely.transform(piece.area, Affine(matrix=back)),
                transform=from_other @ piece.transform @ to_fixed,
            )
            for piece in pieces
        ),
        doubtful=shapely.transform(shapely.union_all(doubtful), Affine(matrix=back)),
        n_places=n_places,
        n_distinct=n_distinct,
        error_um=error_um,
    )


def _working(view: SectionView, mpp_um: float) -> tuple[Plane, Affine]:
    """Structure around the tissue at the common scale, and the map to it from level-0 pixels."""
    scale = view.mpp_um / mpp_um
    plane = shrunk_by(view.structure, scale) if scale < 1 else view.structure
    tissue = _tissue(plane, mpp_um)
    rows, columns = (np.flatnonzero(tissue.any(axis)) for axis in (1, 0))
    if rows.size == 0:
        return plane, Affine.scaling(scale / view.downsample)
    margin = round(_CROP_MARGIN_UM / mpp_um)
    top, left = max(int(rows[0]) - margin, 0), max(int(columns[0]) - margin, 0)
    cropped = plane[top : int(rows[-1]) + margin + 1, left : int(columns[-1]) + margin + 1]
    to_working = Affine.shifting((-left, -top)) @ Affine.scaling(scale / view.downsample)
    return np.ascontiguousarray(cropped), to_working


def _tissue(plane: Plane, mpp_um: float) -> Mask:
    return np.asarray(blurred(plane, _TISSUE_SMOOTH_UM / mpp_um) > _TISSUE_STRUCTURE)


def _pieces(
    fixed: Plane, other: Plane, whole: Alignment, *, mpp_um: float
) -> tuple[list[Piece], list[BaseGeometry]]:
    """Pieces of tissue that moved by themselves, and those that are recognised under no map."""
    found, doubtful = [], []
    places = _check_places(fixed, mpp_um=mpp_um)
    for mask in _piece_masks(fixed, mpp_um=mpp_um):
        centres = [at for at in places if mask[int(at[1]), int(at[0])]]
        own = _own_map(fixed, other, mask, whole.transform)
        for transform in (own, whole.transform):
            if transform is None:
                continue
            matches = (_match(fixed, other, transform, centre, mpp_um=mpp_um) for centre in centres)
            near = sum(match is not None and match[0] <= _MAX_SHIFT_UM for match in matches)
            if near >= (_MIN_DISTINCT_OF_FEW if len(centres) > 2 else 1):
                if transform is own:
                    found.append(Piece(area=_outline(mask), transform=transform))
                break
        else:
            doubtful.append(_outline(mask))
    return found, doubtful


def _own_map(fixed: Plane, other: Plane, mask: Mask, whole: Affine) -> Affine | None:
    """The map of a piece by itself, where it agrees clearly better than the whole section's."""
    rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
    top, left = int(rows[0]), int(columns[0])
    window = np.s_[top : int(rows[-1]) + 1, left : int(columns[-1]) + 1]
    alone = np.ascontiguousarray((fixed * mask)[window])
    offset = Affine.shifting((left, top))
    here = whole @ offset
    near = refine(alone, other, here, longest_px=_PIECE_PX)
    start = Alignment(transform=near, score=contrast_correlation(alone, other, near))
    best = max((start, align(alone, other)), key=lambda one: one.score)
    if best.score > contrast_correlation(alone, other, here) + _PIECE_GAIN:
        return best.transform @ offset.inverse()
    return None


def _outline(mask: Mask) -> BaseGeometry:
    """Outline of a mask of one piece, its holes filled, pixel corners at whole numbers."""
    return without_holes(mask_to_polygons(mask, downsample=1.0)).simplify(_OUTLINE_PX)


def _piece_masks(plane: Plane, *, mpp_um: float) -> list[Mask]:
    """Each piece of tissue with half the gap around it; none where there is only one."""
    tissue = _tissue(plane, mpp_um)
    parts = parts_of(dilated(tissue, disc(_PIECE_GAP_UM / 2 / mpp_um)))
    masks = [np.asarray(parts.labels == label) for label in range(1, len(parts.area_px))]
    large = [mask for mask in masks if (mask & tissue).sum() >= _MIN_PIECE_FRACTION * tissue.sum()]
    return large if len(large) > 1 else []


def _checked(
    fixed: Plane, other: Plane, registration: Registration, *, mpp_um: float
) -> tuple[int, int, float]:
    """Places tried, how many were distinct, and the estimated error in µm."""
    centres = _check_places(fixed, mpp_um=mpp_um)
    found = [
        match
        for centre in centres
        if (match := _match(fixed, other, registration.transform_at(centre), centre, mpp_um=mpp_um))
    ]
    distances, errors = [distance for distance, _ in found], [error for _, error in found]
    enough = _MIN_DISTINCT if len(centres) >= _FEW_PLACES else _MIN_DISTINCT_OF_FEW
    near = sum(distance <= _MAX_SHIFT_UM for distance in distances)
    if near < enough or np.median(distances) > _MAX_SHIFT_UM:
        return len(centres), len(distances), math.nan
    return len(centres), len(distances), math.hypot(float(np.median(distances)), float(np.median(errors)))


def _match(
    fixed: Plane, other: Plane, transform: Affine, centre: NDArray[np.float64], *, mpp_um: float
) -> tuple[float, float] | None:
    """How far from where a map puts it a place is, and the error of that, in µm; None if not distinct."""
    size = round((_CHECK_SIDE_UM + 2 * REACH_UM) / mpp_um)
    corner = Affine.shifting(centre - size / 2)
    placed = place(
        patch(fixed, corner, size),
        patch(other, transform @ corner, size),
        side_um=_CHECK_SIDE_UM,
        mpp_um=mpp_um,
    )
    if not placed.distinct:
        return None
    return float(np.hypot(*placed.shift_px)) * mpp_um, placed.error_um


def patch(plane: Plane, onto: Affine, size: int) -> Plane:
    """A square of a plane, shape (size, size), resampled; `onto` maps the square's pixels to the plane's."""
    return sampled(plane, onto.cv(), (size, size), border=Border.REPEATED)


def _check_places(plane: Plane, *, mpp_um: float) -> list[NDArray[np.float64]]:
    """Centres of a lattice of squares that are mostly tissue."""
    tissue = _tissue(plane, mpp_um).astype(np.float32)
    side = round(_CHECK_SIDE_UM / mpp_um)
    share = box_mean(tissue, side, border=Border.ZERO)
    step = max(side / 2, math.sqrt(float(tissue.sum()) / _CHECK_PLACES))
    columns, rows = (np.arange(step / 2, length, step) for length in plane.shape[::-1])
    found = [np.array([x, y]) for y in rows for x in columns if share[int(y), int(x)] > _CHECK_TISSUE]
    picked = np.unique(np.linspace(0, len(found) - 1, min(len(found), _CHECK_PLACES)).round().astype(int))
    return [found[at] for at in picked]
