"""Where one place of a section lies on another, once the sections are roughly aligned."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ihcscore.geometry.affine import Affine
from ihcscore.planes import Border, Plane, one_thread, sampled, shrunk_by
from ihcscore.register.structure import local_contrast

# Between nuclei, of which serial sections share few, and the field, which both show.
_FINE_UM, _COARSE_UM = 7.0, 87.0
# How far around its expected place a field is looked for.
REACH_UM = 300.0
# Around the best match, as far as its own peak reaches.
_PEAK_UM = 42.0
# A match is distinct if it stands out from all other shifts by so many standard deviations. On real
# consecutive sections (mouse lung, 10 pairs, 360 µm fields) 45 % of the true places reach it and 0.3 %
# of those are wrong by more than 90 µm; of fields held against another place 0.7 % reach it.
_DISTINCT_Z = 4.8
# Dense flow: side of its patches and distance between them.
_FLOW_PATCH_UM, _FLOW_STRIDE_UM = 56.0, 14.0
# Parts of a field that are looked for each by itself, so far around.
_PART_REACH_UM = 140.0
# Error over spread of the flow, and over spread of the parts divided by the root of their number: set so
# that the median estimate is the median error against landmarks on the ten pairs.
_FLOW_FACTOR, _PARTS_FACTOR = 2.0, 1.0


@dataclass(frozen=True, kw_only=True)
class Placed:
    """Where a place of the reference lies.

    Attributes
    ----------
    correction : Affine
        A turn and a shift in pixels of the patch, with the place's centre at (0, 0): the structure at
        a point p of the reference shows at ``correction(p)`` of the moving patch.
    error_um : float
        Estimated error of the place's centre, if the match is right.
    distinct : bool
        Whether the place can be told from all others around it. If not, the match may be wrong.
    """

    correction: Affine
    error_um: float
    distinct: bool

    @property
    def shift_px(self) -> NDArray[np.float64]:
        """Shift of the place's centre, x and y."""
        return self.correction([0.0, 0.0])


def place(reference: Plane, moving: Plane, *, side_um: float, mpp_um: float) -> Placed:
    """Find a square of the reference on a moving picture that is roughly aligned with it.

    First the whole square is looked for by normalised correlation, up to 300 µm away; where that is
    distinct it is followed. Then dense flow (DIS, Kroeger et al. 2016,
    doi 10.1007/978-3-319-46493-0_29, in OpenCV) on local contrast gives a turn and a shift by
    least squares (Arun et al. 1987, doi 10.1109/TPAMI.1987.4767965), weighted towards the centre.

    Parameters
    ----------
    reference, moving : ndarray of float32, shape (n, n)
        Structure around the square's centre, in the same frame; `REACH_UM` beyond it on all sides.
    side_um : float
        Side of the square.
    mpp_um : float
        µm per pixel of both, 1 to 8.
    """
    if reference.shape != moving.shape or reference.shape[0] != reference.shape[1]:
        raise ValueError(f"patches have shapes {reference.shape} and {moving.shape}, expected one square")
    scales = {"fine_px": _FINE_UM / mpp_um / 2, "coarse_px": _COARSE_UM / mpp_um}
    fixed, other = (local_contrast(plane, **scales) for plane in (reference, moving))
    start, distinct = _whole(fixed, other, side_um=side_um, mpp_um=mpp_um)
    if not distinct:
        start = np.zeros(2)
    shifted = _shifted(other, start)
    flow = _flow(fixed, shifted, mpp_um=mpp_um)
    turn = _fit(flow, side_px=side_um / mpp_um)
    within = _inside(flow.shape[0], side_um / mpp_um)
    bend_px = float(np.median(np.hypot(*(_residual(flow, turn)[within]).T)))
    parts_px = _disagreement(fixed, shifted, turn([0.0, 0.0]), side_um=side_um, mpp_um=mpp_um)
    error_px = math.hypot(_FLOW_FACTOR * bend_px, _PARTS_FACTOR * parts_px / 3)
    return Placed(correction=Affine.shifting(start) @ turn, error_um=error_px * mpp_um, distinct=distinct)


def _inside(n: int, side_px: float) -> tuple[slice, slice]:
    """The square in the middle of a patch."""
    first = round((n - side_px) / 2)
    return slice(first, n - first), slice(first, n - first)


def _whole(fixed: Plane, other: Plane, *, side_um: float, mpp_um: float) -> tuple[NDArray[np.float64], bool]:
    """Shift (x, y) of the square as a whole, and whether it stands out."""
    half = 2 if mpp_um < 3 else 1  # 4 µm/px say as much here as 2, in a sixteenth of the time
    fixed, other = (shrunk_by(plane, 1 / half) for plane in (fixed, other))
    inside = _inside(fixed.shape[0], side_um / mpp_um / half)
    scores = cv2.matchTemplate(other, np.ascontiguousarray(fixed[inside]), cv2.TM_CCOEFF_NORMED)
    row, column = np.unravel_index(int(np.argmax(scores)), scores.shape)
    y, x = np.ogrid[: scores.shape[0], : scores.shape[1]]
    far = scores[np.hypot(x - column, y - row) > _PEAK_UM / (mpp_um * half)]
    spread = float(far.std()) if far.size else 0.0
    distinct = spread > 0 and bool((scores[row, column] - far.mean()) / spread > _DISTINCT_Z)
    first = inside[0].start
    return np.array([column - first, row - first], float) * half, distinct


def _shifted(plane: Plane, shift: NDArray[np.float64]) -> Plane:
    """What lies at p + shift comes to p."""
    if not shift.any():
        return plane
    return sampled(plane, Affine.shifting(shift).cv(), plane.shape, border=Border.REPEATED)


def _flow(fixed: Plane, other: Plane, *, mpp_um: float) -> NDArray[np.float32]:
    """Where each pixel of the reference went, x and y in pixels, shape (n, n, 2)."""
    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    dis.setPatchSize(max(8, round(_FLOW_PATCH_UM / mpp_um)))
    dis.setPatchStride(max(2, round(_FLOW_STRIDE_UM / mpp_um)))
    before, after = (np.clip(plane * 40 + 128, 0, 255).astype(np.uint8) for plane in (fixed, other))
    flow = np.zeros((*fixed.shape, 2), np.float32)
    with one_thread():
        return np.asarray(dis.calc(before, after, flow), np.float32)


def _grid(n: int) -> NDArray[np.float64]:
    """Pixel centres of a patch from its centre, shape (n, n, 2), x and y."""
    axis = np.arange(n) + 0.5 - n / 2
    return np.stack(np.meshgrid(axis, axis), axis=-1)


def _fit(flow: NDArray[np.float32], *, side_px: float) -> Affine:
    """Turn and shift that follow the flow best, weighted by a Gaussian of a third of the square."""
    n = flow.shape[0]
    weight = cv2.getGaussianKernel(n, side_px / 3)
    weights = (weight @ weight.T).reshape(-1, 1)
    weights /= weights.sum()
    there = _grid(n).reshape(-1, 2)
    gone = there + flow.reshape(-1, 2)
    mean_there, mean_gone = (weights * there).sum(0), (weights * gone).sum(0)
    u, _, vt = np.linalg.svd((weights * (gone - mean_gone)).T @ (there - mean_there))
    turn = u @ np.diag([1.0, float(np.sign(np.linalg.det(u @ vt)))]) @ vt
    return Affine.of(turn, mean_gone - turn @ mean_there)


def _residual(flow: NDArray[np.float32], turn: Affine) -> NDArray[np.float64]:
    """What the fit leaves of the flow, shape (n, n, 2)."""
    there = _grid(flow.shape[0])
    residual: NDArray[np.float64] = there + flow - turn(there)
    return residual


def _disagreement(
    fixed: Plane, other: Plane, shift: NDArray[np.float64], *, side_um: float, mpp_um: float
) -> float:
    """Median distance, in pixels, between where nine parts of the square match best and its shift."""
    half = 2 if mpp_um < 3 else 1
    fixed, other = (shrunk_by(plane, 1 / half) for plane in (fixed, other))
    n, step_um = fixed.shape[0], mpp_um * half
    part, reach = round(side_um / step_um / 2), round(_PART_REACH_UM / step_um)
    third = side_um / step_um / 3
    distances = []
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            x, y = (round(n / 2 + third * steps - part / 2) for steps in (right, down))
            template = np.ascontiguousarray(fixed[y : y + part, x : x + part])
            top, left = max(y - reach, 0), max(x - reach, 0)
            around = np.ascontiguousarray(other[top : y + part + reach, left : x + part + reach])
            *_, (column, row) = cv2.minMaxLoc(cv2.matchTemplate(around, template, cv2.TM_CCOEFF_NORMED))
            found = np.array([left + column - x, top + row - y]) * half
            distances.append(float(np.hypot(*(found - shift))))
    return float(np.median(distances))
