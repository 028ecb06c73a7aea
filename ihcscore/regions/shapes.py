"""Rings of corners to sound polygons: what is clear is mended, what is doubtful refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from shapely.geometry.base import BaseGeometry
from shapely.validation import explain_validity

from ihcscore.errors import AnnotationError

# Less than a nucleus' tenth: nobody draws it on purpose, and no count depends on it.
SLIVER_UM2 = 1.0
# An outline that crosses itself is mended where no more than this share of it is in doubt.
_DOUBTFUL_SHARE = 0.001

# An outline with more corners than this is thinned by a pixel at the most: hand-drawn ones have hundreds,
# traced masks up to millions.
MAX_CORNERS = 20_000
_THINNED_PX = 1.0


@dataclass(frozen=True, kw_only=True)
class Sound:
    """A polygon that can be worked with.

    Attributes
    ----------
    area : shapely geometry
        A valid Polygon or MultiPolygon in level-0 pixels; empty if nothing of it can be seen.
    doubt_um2 : float or None
        How much of it was in doubt before it was mended; None where nothing had to be.
    """

    area: BaseGeometry = field(repr=False)
    doubt_um2: float | None = None


def polygon_of(rings: Sequence[ArrayLike], where: str) -> BaseGeometry:
    """The polygon of an outer ring and its holes, not yet checked for crossings.

    Parameters
    ----------
    rings : sequence of array_like, each of shape (n, 2) or more columns
        x and y of their corners, the outer ring first, closed or not, in either direction; a third
        coordinate is passed over.
    where : str
        File and place in it, for messages.

    Returns
    -------
    shapely geometry
        Empty if the outer ring has fewer than three different corners.

    Raises
    ------
    AnnotationError
        If there are corners that are not two numbers.
    """
    corners = [_corners(ring, where) for ring in rings]
    if not corners or not _is_ring(corners[0]):
        return shapely.Polygon()
    outer, *holes = (shapely.linearrings(ring) if _is_ring(ring) else None for ring in corners)
    return shapely.Polygon(outer, [hole for hole in holes if hole is not None])


def sound(area: BaseGeometry, *, mpp_um: float, where: str) -> Sound:
    """An area with its crossings mended, and thinned where it has very many corners.

    A ring that touches itself is clear in what it encloses. Of one that crosses itself, loops which run
    against the others, or round a place for the second time, are in doubt; so are holes beyond their
    outer ring and parts that lie on each other.

    Parameters
    ----------
    area : shapely geometry
        Polygon or MultiPolygon.
    mpp_um : float
        µm per pixel.
    where : str
        File and place in it, for messages.

    Returns
    -------
    Sound
        Its area is empty where it is below `SLIVER_UM2`.

    Raises
    ------
    AnnotationError
        If more is in doubt than `SLIVER_UM2` and a thousandth of the area.
    """
    doubt_um2 = None
    reason = "" if area.is_valid else explain_validity(area)
    if reason:
        area, doubt_px2 = _mended(area)
        doubt_um2 = doubt_px2 * mpp_um**2
    area_um2 = area.area * mpp_um**2
    if area_um2 < SLIVER_UM2:
        return Sound(area=shapely.Polygon())
    if doubt_um2 is not None and doubt_um2 > max(SLIVER_UM2, _DOUBTFUL_SHARE * area_um2):
        crossing = "crosses itself" if "ntersection" in reason else "has rings that lie on each other"
        raise AnnotationError(
            f"{where}: {crossing} ({reason}), which leaves {doubt_um2:.0f} µm² in doubt; "
            "mend it and export it again"
        )
    return Sound(area=_thinned(area), doubt_um2=doubt_um2)


def _corners(ring: ArrayLike, where: str) -> NDArray[np.float64]:
    try:
        corners = np.asarray(ring, float)
        if corners.ndim != 2 or not 2 <= corners.shape[1] <= 4:
            raise ValueError(f"got shape {corners.shape}, expected corners of x and y")
    except (TypeError, ValueError, OverflowError) as error:
        why = " ".join(str(error).split())
        raise AnnotationError(f"{where}: broken coordinates ({why}); export it again") from error
    if not np.isfinite(corners[:, :2]).all():
        raise AnnotationError(f"{where}: broken coordinates (not finite numbers); export it again")
    return corners[:, :2]


def _is_ring(corners: NDArray[np.float64]) -> bool:
    """Whether there are three different corners, so that a ring can be closed."""
    if len(corners) > 4:
        return True
    return len(np.unique(corners, axis=0)) >= 3


def _mended(area: BaseGeometry) -> tuple[BaseGeometry, float]:
    """The area without crossings, and how much of it is in doubt."""
    polygons, doubt = [], 0.0
    for part in shapely.get_parts(area):
        outer, unsure = _untangled(part.exterior)
        holes = [_untangled(ring) for ring in part.interiors]
        cut = shapely.union_all([hole for hole, _ in holes])
        doubt += unsure + sum(more for _, more in holes) + cut.difference(outer).area
        polygons.append(outer.difference(cut))
    whole = shapely.union_all(polygons)
    doubt += sum(polygon.area for polygon in polygons) - whole.area
    parts = shapely.get_parts(whole)
    return shapely.union_all(parts[shapely.get_dimensions(parts) == 2]), doubt


def _untangled(ring: BaseGeometry) -> tuple[BaseGeometry, float]:
    """What a ring encloses, and how much of that is in doubt.

    A ring runs round each place that it encloses a number of times, with a sign; its area by the shoelace
    formula counts each place by that number. What is enclosed twice is told by the even-odd rule, what
    is enclosed the other way round by what the shoelace formula lacks.
    """
    polygon = shapely.Polygon(ring)
    if polygon.is_valid:
        return polygon, 0.0
    x, y = shapely.get_coordinates(ring).T
    shoelace = abs(float(np.dot(x[:-1] - x[0], y[1:] - y[0]) - np.dot(x[1:] - x[0], y[:-1] - y[0]))) / 2
    even_odd = shapely.make_valid(polygon)
    enclosed = shapely.make_valid(polygon, method="structure", keep_collapsed=False)
    twice = even_odd.symmetric_difference(enclosed).area
    backwards = abs(enclosed.area + twice - shoelace)
    return enclosed, twice + backwards


def _thinned(area: BaseGeometry) -> BaseGeometry:
    """The area, its corners moved by a pixel at the most where it has very many.

    Ring by ring, which takes as long as there are corners; if rings meet by it, nothing is moved.
    """
    if shapely.get_num_coordinates(area) <= MAX_CORNERS:
        return area
    thinned = []
    for part in shapely.get_parts(area):
        rings = shapely.get_rings(part)
        fewer = shapely.simplify(rings, _THINNED_PX, preserve_topology=False)
        collapsed = shapely.get_num_coordinates(fewer) < 4
        fewer[collapsed] = rings[collapsed]
        thinned.append(shapely.Polygon(fewer[0], fewer[1:].tolist()))
    whole = thinned[0] if len(thinned) == 1 else shapely.MultiPolygon(thinned)
    return whole if whole.is_valid else area
