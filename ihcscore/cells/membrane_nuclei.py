"""Nuclei of packed cells: where they lie, how large, dark and long, and which are those of lymphocytes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ihcscore import planes
from ihcscore.cells.features import blob_contrast
from ihcscore.planes import Border, Plane
from ihcscore.profiles import MembraneProfile
from ihcscore.stain import StainMaps, smooth

N_RAYS = 16
"""Directions in which a cell is looked at."""

# Steps along a ray, and how far a nucleus is followed.
STEP_UM = 0.25
_NUCLEUS_REACH_UM = 9.0
# A nucleus ends where haematoxylin has fallen half-way to what lies between the nuclei.
_EDGE = 0.5
_CORE_SIGMA_UM = 1.0
# Share of the field's typical blob contrast from which a blob is a nucleus.
_LEAST_CONTRAST = 0.3
# Two peaks nearer than this are one nucleus unless haematoxylin dips between them by more than a tenth.
_SPLIT_UM, _DIP = 7.5, 0.9
# Spindle nuclei are longer than this for their width: no tumour cell's, where only nuclei tell cells apart.
_SPINDLE = 1.8
# Fewest large nuclei by whose darkness small ones are judged.
_FEWEST_LARGE = 5

Points = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Nuclei:
    """Nuclei of a field.

    Attributes
    ----------
    at_px : ndarray of float64, shape (n, 2)
        Columns and rows of the maps.
    edge_um : ndarray of float64, shape (n, 16)
        From the centre to the edge in each direction.
    diameter_um : ndarray of float64, shape (n,)
        Of the circle of the nucleus's area.
    hematoxylin_od : ndarray of float64, shape (n,)
    elongation : ndarray of float64, shape (n,)
        Length over width.
    lymphocyte : ndarray of bool, shape (n,)
        Small and dark.
    spindle : ndarray of bool, shape (n,)
        Long and thin.
    """

    at_px: Points = field(repr=False)
    edge_um: NDArray[np.float64] = field(repr=False)
    diameter_um: NDArray[np.float64] = field(repr=False)
    hematoxylin_od: NDArray[np.float64] = field(repr=False)
    elongation: NDArray[np.float64] = field(repr=False)
    lymphocyte: NDArray[np.bool_] = field(repr=False)
    spindle: NDArray[np.bool_] = field(repr=False)

    def __len__(self) -> int:
        return len(self.at_px)


def directions() -> NDArray[np.float64]:
    """Unit vectors (x right, y down) of the rays, shape (16, 2)."""
    angle = 2 * np.pi * np.arange(N_RAYS) / N_RAYS
    return np.column_stack([np.cos(angle), np.sin(angle)])


def sampled_at(plane: Plane, x_px: NDArray[np.float64], y_px: NDArray[np.float64]) -> NDArray[np.float32]:
    """Values of a plane at points of any shape, linear in between; its border is repeated."""
    rows = 16_384  # OpenCV's limit is 32766
    x, y = (one.reshape(-1, one.shape[-1]).astype(np.float32) for one in (x_px, y_px))
    parts = [
        planes.values_at(plane, x[i : i + rows], y[i : i + rows], border=Border.REPEATED)
        for i in range(0, len(x), rows)
    ]
    return np.concatenate(parts).reshape(x_px.shape) if parts else np.zeros(x_px.shape, np.float32)


def find_nuclei(maps: StainMaps, profile: MembraneProfile, *, least_od: float) -> Nuclei:
    """Nuclei by a blob filter on haematoxylin, their edges along rays.

    Parameters
    ----------
    maps : StainMaps
    profile : MembraneProfile
        Radius of the tumour's nuclei, and diameter below which a dark one is a lymphocyte's.
    least_od : float
        Haematoxylin of a nucleus at least.
    """
    blue = np.asarray(maps.hematoxylin_od, np.float32)
    core = smooth(blue, _CORE_SIGMA_UM / maps.mpp_um)
    at = _peaks(blue, core, profile, maps.mpp_um)
    at = at[core[at[:, 1].astype(int), at[:, 0].astype(int)] >= least_od]
    edge_um, inside_od = _edges(core, at, maps.mpp_um)
    diameter = 2 * np.sqrt((edge_um**2).mean(axis=1)) if len(at) else np.zeros(0)
    elongation = _elongation(edge_um)
    spindle = elongation > _SPINDLE
    small = diameter < profile.immune_diameter_um
    large_od = inside_od[~small & ~spindle]
    dark = inside_od >= np.median(large_od) if len(large_od) >= _FEWEST_LARGE else np.ones(len(at), bool)
    return Nuclei(
        at_px=at,
        edge_um=edge_um,
        diameter_um=diameter,
        hematoxylin_od=inside_od,
        elongation=elongation,
        lymphocyte=small & dark & ~spindle,
        spindle=spindle,
    )


def _elongation(edge_um: NDArray[np.float64]) -> NDArray[np.float64]:
    """Length over width of shapes that are told by their radii: of the ellipse of the same moments."""
    x, y = (edge_um[..., None] * directions()[None]).transpose(2, 0, 1)
    xx, yy, xy = ((one * other).mean(axis=1) for one, other in ((x, x), (y, y), (x, y)))
    half, apart = (xx + yy) / 2, np.hypot((xx - yy) / 2, xy)
    return np.asarray(np.sqrt((half + apart) / np.maximum(half - apart, STEP_UM**2 / 4)))


def _peaks(blue: Plane, core: Plane, profile: MembraneProfile, mpp_um: float) -> Points:
    """Columns and rows of the blobs, those of one nucleus joined, shape (n, 2)."""
    contrast = blob_contrast(blue, profile.nucleus_radius_um / mpp_um)
    window = 2 * max(1, round(profile.nucleus_radius_um / mpp_um / 2)) + 1
    rows, columns = np.nonzero((contrast >= planes.dilated(contrast, planes.square(window))) & (contrast > 0))
    height = contrast[rows, columns]
    if not len(rows):
        return np.zeros((0, 2))
    # The upper quartile of the clear peaks is what nuclei of this field look like.
    typical = float(np.quantile(height[height > 0.1 * height.max()], 0.75))
    strong = height > _LEAST_CONTRAST * typical
    at = np.column_stack([columns, rows])[strong].astype(np.float64)
    return at[_kept(at, height[strong], core, mpp_um)]


def _kept(at: Points, height: NDArray[np.float32], core: Plane, mpp_um: float) -> NDArray[np.intp]:
    """Which peaks stay: of two on one nucleus the higher."""
    from scipy.spatial import cKDTree

    pairs = cKDTree(at).query_pairs(_SPLIT_UM / mpp_um, output_type="ndarray")
    if not len(pairs):
        return np.arange(len(at))
    share = np.linspace(0, 1, 9)
    between = at[pairs[:, 0], None] + (at[pairs[:, 1]] - at[pairs[:, 0]])[:, None] * share[None, :, None]
    along = sampled_at(core, between[..., 0], between[..., 1])
    one = along.min(axis=1) > _DIP * np.minimum(along[:, 0], along[:, -1])
    dropped = np.zeros(len(at), np.bool_)
    order = np.argsort(-height[pairs].max(axis=1), kind="stable")
    for a, b in pairs[order][one[order]]:
        if not (dropped[a] or dropped[b]):
            dropped[b if (height[a], -a) >= (height[b], -b) else a] = True
    return np.flatnonzero(~dropped)


def _edges(core: Plane, at: Points, mpp_um: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """From each centre to the nucleus's edge along the rays, and the haematoxylin inside."""
    if not len(at):
        return np.zeros((0, N_RAYS)), np.zeros(0)
    radius = np.arange(0, _NUCLEUS_REACH_UM, STEP_UM)
    offset = directions()[None, :, None, :] * (radius / mpp_um)[None, None, :, None]
    place = at[:, None, None, :] + offset
    along = sampled_at(core, place[..., 0], place[..., 1]).astype(np.float64)
    inside = np.median(along[:, :, radius <= 2.0], axis=(1, 2))
    outside = np.quantile(core, 0.1)
    below = along < (outside + _EDGE * (inside - outside))[:, None, None]
    # A touching nucleus begins where haematoxylin rises again.
    lowest = np.minimum.accumulate(along, axis=2)
    rises = along > lowest + 0.15 * (inside - outside)[:, None, None]
    ends = below | (rises & (radius > 2.0)[None, None, :])
    first = np.where(ends.any(axis=2), ends.argmax(axis=2), len(radius) - 1)
    edge = radius[first]
    # Of a touching one the edge is where it was lowest.
    beyond = np.where(np.arange(len(radius))[None, None, :] <= first[..., None], along, np.inf)
    touching = np.take_along_axis(rises & ~below, first[..., None], axis=2)[..., 0]
    edge = np.where(touching, radius[beyond.argmin(axis=2)], edge)
    return edge, inside
