"""Holes, gaps, specks and spikes of an outline that are too small to be meant.

Wands, brushes and pixel classifiers leave them. Each would make an invasive front as wide as the margin
around itself, and take as much from the tumour's centre.
"""

from __future__ import annotations

import math

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from ihcscore.schema import Note, NoteKind

# An outline that runs this close to the edge of the tissue follows the cut, not an invasion: a
# lymphocyte's width of slack for the mask and the pathologist's hand, several times over. In the same way
# an edge with less than this of not-tumour behind it is no front of the tumour.
EDGE_SLACK_UM = 100.0
# A part of the tumour below a circle of this width, a dozen cells, is a speck.
_SPECK_UM = 50.0
# A part of the outline narrower than two cells that sticks out by more than the slack is a slip of the hand.
_SPIKE_UM = 20.0


def without_slivers(tumour: BaseGeometry, *, mpp_um: float) -> tuple[BaseGeometry, list[Note]]:
    """The tumour whose holes and gaps are wide enough, and whose parts large enough, to make a front.

    Parameters
    ----------
    tumour : shapely geometry
        Level-0 pixels.
    mpp_um : float
        µm per level-0 pixel.

    Returns
    -------
    tumour : shapely geometry
        The very same where there is nothing to leave out.
    notes : list of Note
        How much was filled and left out.
    """
    if tumour.is_empty:
        return tumour, []
    whole, n_gaps = _filled(tumour, EDGE_SLACK_UM / mpp_um)
    kept, n_specks = _without_specks(whole, mpp_um)
    mm2 = (mpp_um / 1000) ** 2
    notes = []
    if n_gaps:
        notes.append(
            f"{n_gaps} × hole or gap narrower than {EDGE_SLACK_UM:g} µm in the tumour "
            f"({(whole.area - tumour.area) * mm2:.2g} mm² in all) counts as tumour and makes no invasive "
            "front; give what is not to be scored the class Ignore"
        )
    if n_specks:
        notes.append(
            f"{n_specks} × speck or spike of the tumour ({(whole.area - kept.area) * mm2:.2g} mm² in all) "
            "is left out and makes no invasive front"
        )
    return kept, [Note(kind=NoteKind.SLIVERS, text=text) for text in notes]


def _filled(tumour: BaseGeometry, width_px: float) -> tuple[BaseGeometry, int]:
    """The tumour without narrow holes and gaps, and their number."""
    whole, n_holes = _without_narrow_holes(tumour, width_px)
    closed = whole.buffer(width_px / 2).buffer(-width_px / 2)
    gaps = _polygons(closed.difference(whole))
    if len(gaps):
        # Between the closed outline and a curve of the drawn one lie slivers that are no gaps: a gap is
        # shut in, or reaches deep into the tumour.
        outside = closed.boundary
        shapely.prepare(outside)
        deep = closed.buffer(-width_px)
        shapely.prepare(deep)
        gaps = gaps[~shapely.dwithin(gaps, outside, width_px / 100) | shapely.intersects(gaps, deep)]
    if len(gaps):
        # A little more, so that no seam is left.
        seams = shapely.intersection(shapely.buffer(gaps, width_px / 100), closed)
        whole = shapely.union_all([whole, *seams])
    return whole, n_holes + len(gaps)


def _without_narrow_holes(tumour: BaseGeometry, width_px: float) -> tuple[BaseGeometry, int]:
    parts = shapely.get_parts(tumour)
    rings, of_part = shapely.get_rings(parts, return_index=True)
    outer = np.r_[True, np.diff(of_part) > 0]
    wide = outer.copy()
    wide[~outer] = _is_wide(shapely.polygons(rings[~outer]), width_px)
    if wide.all():
        return tumour, 0
    shells, holes, of_hole = rings[outer], rings[wide & ~outer], of_part[wide & ~outer]
    filled = [
        shapely.Polygon(shell, holes[of_hole == number].tolist()) for number, shell in enumerate(shells)
    ]
    return shapely.union_all(filled), int((~wide).sum())


def _is_wide(areas: NDArray[np.object_], width_px: float) -> NDArray[np.bool_]:
    """Whether a circle of a width fits into each area."""
    left, top, right, bottom = shapely.bounds(areas).T
    wide: NDArray[np.bool_] = np.minimum(right - left, bottom - top) >= width_px
    wide[wide] = ~shapely.is_empty(shapely.buffer(areas[wide], -width_px / 2))
    return wide


def _without_specks(tumour: BaseGeometry, mpp_um: float) -> tuple[BaseGeometry, int]:
    """The tumour without specks and spikes, and their number; all of it where it is nothing else."""
    parts = _polygons(tumour)
    large = shapely.area(parts) >= math.pi * (_SPECK_UM / 2 / mpp_um) ** 2
    if not large.any():
        return tumour, 0
    n_specks = int((~large).sum())
    kept = shapely.union_all(parts[large]) if n_specks else tumour
    half_px = _SPIKE_UM / 2 / mpp_um
    opened = kept.buffer(-half_px).buffer(half_px)
    if opened.is_empty:
        return kept, n_specks
    spikes = _polygons(kept.difference(opened))
    near = opened.buffer(EDGE_SLACK_UM / mpp_um)
    shapely.prepare(near)
    spikes = spikes[~shapely.covers(near, spikes)]
    if len(spikes):
        kept = kept.difference(shapely.union_all(spikes))
    return kept, n_specks + len(spikes)


def _polygons(area: BaseGeometry) -> NDArray[np.object_]:
    """Its polygons; lines and points that a difference leaves are none."""
    parts: NDArray[np.object_] = shapely.get_parts(area)
    polygons: NDArray[np.object_] = parts[(shapely.get_dimensions(parts) == 2) & ~shapely.is_empty(parts)]
    return polygons
