"""What lies about a cell: where its membrane is along rays, and how much chromogen it holds.

A membrane is thinner than what a lens shows of it: its darkest optical density depends on the focus. What a
lens spreads is light: the light that is missing across a membrane, ∫(1 - T) dx, stays the same however
blurred it is. That is measured, above the base beside the membrane, and told as the chromogen ∫OD dx in OD·µm
that a membrane of `MEMBRANE_UM` holds that takes as much light.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ihcscore.cells.membrane_nuclei import N_RAYS, STEP_UM, Nuclei, directions, sampled_at
from ihcscore.planes import Plane
from ihcscore.profiles import MembraneProfile
from ihcscore.stain import StainMaps, smooth

# Neighbours that can bound a cell; a wall seen at more than 60 degrees is not measured across.
_N_NEIGHBOURS = 14
_LEAST_COSINE = 0.5
# How far from half-way between two nuclei a membrane is looked for, and how smooth.
_SEARCH_UM = 2.0
_SEARCH_SIGMA_UM = 0.4
# Of a membrane that is a cell's own: so far from its nucleus's edge.
_OWN_SEARCH_UM = (-0.75, 3.0)
# The window is no narrower than this, however near the nuclei: a membrane has to fit in.
LEAST_WINDOW_UM = 1.5
# At each end of the window the base is a mean over so much.
_BASE_UM = 0.5
# Chromogen is told for a membrane of this thickness: thinner ones that hold as much take less light.
MEMBRANE_UM = 1.0
_MOST_OD_UM = 4.0
# How wide a membrane is seen where there is none to measure it on (standard deviation), and its range.
_ASSUMED_SIGMA_UM, _SIGMA_RANGE_UM = 0.55, (0.3, 0.9)
_FEWEST_WALLS = 20
# A window of which less than this share of a membrane's light would be seen is not corrected further.
_LEAST_SEEN = 0.4
# Cytoplasm: from so far inside the membrane to so far, without the nucleus where there is room.
_CYTOPLASM_UM = (3.0, 1.25)
# Depth of cytoplasm beside which a membrane is held: membrane / (membrane + depth · cytoplasm).
CYTOPLASM_DEPTH_UM = 3.5


@dataclass(frozen=True, kw_only=True)
class Rays:
    """A cell in 16 directions; NaN where nothing was measured.

    Attributes
    ----------
    membrane_od_um : ndarray of float64, shape (n, 16)
        Chromogen across the membrane.
    cytoplasm_od : ndarray of float64, shape (n, 16)
        Chromogen just inside of it.
    wall_um : ndarray of float64, shape (n, 16)
        From the nucleus's centre to the membrane.
    neighbour : ndarray of intp, shape (n, 16)
        The cell beyond; -1 where there is none within reach.
    """

    membrane_od_um: NDArray[np.float64] = field(repr=False)
    cytoplasm_od: NDArray[np.float64] = field(repr=False)
    wall_um: NDArray[np.float64] = field(repr=False)
    neighbour: NDArray[np.intp] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class _Walls:
    """Where each ray meets the half-way line to a neighbour, and which way the wall lies."""

    neighbour: NDArray[np.intp]
    distance_um: NDArray[np.float64]
    normal: NDArray[np.float64]
    gap_um: NDArray[np.float64]


def shared_rays(maps: StainMaps, nuclei: Nuclei, profile: MembraneProfile, *, absorbance: float) -> Rays:
    """Membranes that cells share with their neighbours, across the wall of each two.

    Parameters
    ----------
    maps : StainMaps
    nuclei : Nuclei
    profile : MembraneProfile
    absorbance : float
        OD per chromogen in the channel that it darkens most.
    """
    walls = _walls(nuclei, maps.mpp_um, profile.reach_um)
    met = walls.neighbour >= 0
    ray = directions()[None]
    at = nuclei.at_px[:, None] + ray * np.where(met, walls.distance_um, 0)[..., None] / maps.mpp_um
    room = np.maximum(walls.gap_um / 2, 0)
    return _measured(
        maps.chromogen_od,
        maps.mpp_um,
        at,
        walls,
        search_um=(-np.minimum(_SEARCH_UM, room), np.minimum(_SEARCH_UM, room)),
        window_um=np.clip(walls.gap_um / 2, LEAST_WINDOW_UM, profile.window_um),
        edge_um=nuclei.edge_um,
        absorbance=absorbance,
    )


def own_rays(
    chromogen_od: Plane,
    mpp_um: float,
    nuclei: Nuclei,
    *,
    window_um: float,
    reach_um: float,
    absorbance: float,
) -> Rays:
    """Membranes that are each cell's own, about its nucleus; not beyond the half-way line to another.

    Parameters
    ----------
    chromogen_od : ndarray of float32, shape (h, w)
    mpp_um : float
    nuclei : Nuclei
        In pixels of the plane.
    window_um : float
        Half of the window across the membrane.
    reach_um : float
        Neighbours that touch lie within twice this.
    absorbance : float
        OD per chromogen in the channel that it darkens most.
    """
    walls = _walls(nuclei, mpp_um, reach_um)
    ray = np.broadcast_to(directions()[None], (len(nuclei), N_RAYS, 2))
    at = nuclei.at_px[:, None] + ray * nuclei.edge_um[..., None] / mpp_um
    limit = np.where(walls.neighbour >= 0, walls.distance_um - nuclei.edge_um + 0.25, np.inf)
    radial = _Walls(
        neighbour=walls.neighbour,
        distance_um=nuclei.edge_um,
        normal=ray,
        gap_um=np.full(ray.shape[:2], np.inf),
    )
    low, high = _OWN_SEARCH_UM
    shape = ray.shape[:2]
    return _measured(
        chromogen_od,
        mpp_um,
        at,
        radial,
        search_um=(np.full(shape, low), np.clip(limit, 0, high)),
        window_um=np.full(shape, window_um),
        edge_um=nuclei.edge_um,
        absorbance=absorbance,
    )


def _walls(nuclei: Nuclei, mpp_um: float, reach_um: float) -> _Walls:
    """The half-way lines that bound each cell, along its rays."""
    from scipy.spatial import cKDTree

    n = len(nuclei)
    ray = directions()
    if n < 2:
        shape = (n, N_RAYS)
        return _Walls(
            neighbour=np.full(shape, -1, np.intp),
            distance_um=np.full(shape, np.inf),
            normal=np.broadcast_to(ray[None], (*shape, 2)),
            gap_um=np.full(shape, np.inf),
        )
    points = nuclei.at_px * mpp_um
    k = min(_N_NEIGHBOURS + 1, n)
    near = np.asarray(cKDTree(points).query(points, k=k)[1], np.intp)[:, 1:]
    apart = points[near] - points[:, None]  # (n, k, 2)
    length = np.hypot(apart[..., 0], apart[..., 1])
    towards = apart @ ray.T  # (n, k, 16)
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = np.where(towards > 0, (length**2)[..., None] / (2 * towards), np.inf)
    nearest = distance.argmin(axis=1)  # (n, 16)
    found = np.take_along_axis(distance, nearest[:, None], axis=1)[:, 0]
    neighbour = np.take_along_axis(near, nearest, axis=1)
    normal = np.take_along_axis(apart, nearest[..., None], axis=1)
    between = np.hypot(normal[..., 0], normal[..., 1])
    normal = normal / between[..., None]
    cosine = (normal * ray[None]).sum(axis=2)
    met = (found <= reach_um) & (cosine >= _LEAST_COSINE)
    # Room between the two nuclei: their edges where they face each other.
    facing = _facing(nuclei.edge_um, np.arange(n)[:, None], normal) + _facing(
        nuclei.edge_um, neighbour, -normal
    )
    return _Walls(
        neighbour=np.where(met, neighbour, -1),
        distance_um=found,
        normal=normal,
        gap_um=between - facing,
    )


def _facing(
    edge_um: NDArray[np.float64], which: NDArray[np.intp], normal: NDArray[np.float64]
) -> NDArray[np.float64]:
    """From the centre of a nucleus to its edge in a direction: the ray next to it."""
    angle = np.arctan2(normal[..., 1], normal[..., 0])
    index = np.rint(angle / (2 * np.pi) * N_RAYS).astype(np.intp) % N_RAYS
    return np.asarray(edge_um[np.broadcast_to(which, index.shape), index])


def _measured(
    chromogen_od: Plane,
    mpp_um: float,
    at: NDArray[np.float64],
    walls: _Walls,
    *,
    search_um: tuple[NDArray[np.float64], NDArray[np.float64]],
    window_um: NDArray[np.float64],
    edge_um: NDArray[np.float64],
    absorbance: float,
) -> Rays:
    """Chromogen across the walls.

    Parameters
    ----------
    chromogen_od : ndarray of float32, shape (h, w)
    mpp_um : float
    at : ndarray of float64, shape (n, 16, 2)
        Column and row where each ray expects the membrane.
    walls : _Walls
    search_um : tuple of ndarray of float64, shape (n, 16)
        How far inside and outside of `at` the membrane is looked for.
    window_um : ndarray of float64, shape (n, 16)
        Half of the window of the integral.
    edge_um : ndarray of float64, shape (n, 16)
        Edge of the own nucleus.
    absorbance : float
    """
    reach = float(max(window_um.max(initial=0), _CYTOPLASM_UM[0]) + max(s.max(initial=0) for s in search_um))
    reach = max(reach, -float(search_um[0].min(initial=0)) + _CYTOPLASM_UM[0])
    x = np.arange(-reach, reach + STEP_UM / 2, STEP_UM)
    place = at[:, :, None, :] + walls.normal[:, :, None, :] * (x / mpp_um)[None, None, :, None]
    profile = sampled_at(chromogen_od, place[..., 0], place[..., 1]).astype(np.float64)
    softened = sampled_at(smooth(chromogen_od, _SEARCH_SIGMA_UM / mpp_um), place[..., 0], place[..., 1])
    sought = (x >= search_um[0][..., None]) & (x <= search_um[1][..., None])
    peak_um = x[np.where(sought, softened, -np.inf).argmax(axis=2)]
    from_peak = x[None, None, :] - peak_um[..., None]
    missing_um, peak = _missing_light(profile, from_peak, window_um, absorbance)
    seen = _share_seen(missing_um, peak, window_um, walls.neighbour >= 0)
    membrane = chromogen_of_light(missing_um / seen, absorbance)
    cosine = np.maximum((walls.normal * directions()[None]).sum(axis=2), _LEAST_COSINE)
    wall_um = walls.distance_um + peak_um / cosine
    far, near = _CYTOPLASM_UM
    band = (from_peak >= -far) & (from_peak <= -near)
    # Along the normal the nucleus ends about so far from the wall.
    outside = band & (
        from_peak >= -np.maximum(wall_um - edge_um, near + STEP_UM)[..., None] * cosine[..., None]
    )
    band = np.where(outside.any(axis=2, keepdims=True), outside, band)
    cytoplasm = (profile * band).sum(axis=2) / np.maximum(band.sum(axis=2), 1)
    return Rays(
        membrane_od_um=membrane,
        cytoplasm_od=cytoplasm,
        wall_um=wall_um,
        neighbour=walls.neighbour,
    )


def _missing_light(
    profile: NDArray[np.float64],
    from_peak_um: NDArray[np.float64],
    window_um: NDArray[np.float64],
    absorbance: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """∫(1 - T) dx in µm over the window, T over that of the base, and the most that is missing at a place.

    The base is the line between the window's two ends: a step from one cytoplasm to another is no membrane.
    """
    half = window_um[..., None]
    inside = np.abs(from_peak_um) <= half + 1e-9
    ends = []
    for side in (-1, 1):
        end = (side * from_peak_um <= half + 1e-9) & (side * from_peak_um >= half - _BASE_UM - 1e-9)
        ends.append((profile * end).sum(axis=2) / np.maximum(end.sum(axis=2), 1))
    centre = half - _BASE_UM / 2
    base = (ends[0] + ends[1])[..., None] / 2 + (ends[1] - ends[0])[..., None] / 2 * from_peak_um / centre
    missing = (1 - np.power(10.0, -absorbance * (profile - base))) * inside
    at_peak = np.abs(from_peak_um) <= STEP_UM / 2
    return missing.sum(axis=2) * STEP_UM, (missing * at_peak).sum(axis=2)


def _share_seen(
    missing_um: NDArray[np.float64],
    peak: NDArray[np.float64],
    window_um: NDArray[np.float64],
    met: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """How much of a membrane's light a window sees above the base at its own ends, 0 to 1.

    Of a Gaussian as wide as the field's strong membranes in wide windows are seen.
    """
    from scipy.special import erf

    wide = met & (window_um >= window_um.max(initial=0) - 0.25) & (missing_um > 0) & (peak > 0.03)
    sigma = _ASSUMED_SIGMA_UM
    if wide.sum() >= _FEWEST_WALLS:
        strong = wide & (missing_um >= np.quantile(missing_um[wide], 0.5))
        sigma = float(
            np.clip(np.median(missing_um[strong] / peak[strong]) / np.sqrt(2 * np.pi), *_SIGMA_RANGE_UM)
        )
    outer, inner = (erf(edge / sigma / np.sqrt(2)) for edge in (window_um, window_um - _BASE_UM))
    seen = outer - (outer - inner) * window_um / _BASE_UM
    return np.asarray(np.maximum(seen, _LEAST_SEEN))


def chromogen_of_light(missing_um: NDArray[np.float64], absorbance: float) -> NDArray[np.float64]:
    """∫OD dx in OD·µm of a membrane of `MEMBRANE_UM` (Gaussian) across which so much light is missing.

    Parameters
    ----------
    missing_um : ndarray of float64
        ∫(1 - T) dx; what is negative is noise and stays in proportion.
    absorbance : float
        OD per chromogen in the channel that it darkens most.
    """
    od_um = np.linspace(0, _MOST_OD_UM, 201)
    x = np.arange(-3, 3, 0.02) * MEMBRANE_UM
    shape = np.exp(-np.pi * (x / MEMBRANE_UM) ** 2) / MEMBRANE_UM
    light = (1 - np.power(10.0, -absorbance * od_um[:, None] * shape[None])).sum(axis=1) * 0.02 * MEMBRANE_UM
    weak = od_um[1] / light[1]
    return np.where(missing_um > 0, np.interp(missing_um, light, od_um), missing_um * weak)
