"""From a rough placement to an affine map, coarse to fine."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ihcscore.geometry.affine import Affine
from ihcscore.planes import Border, Plane, blurred, one_thread, sampled, shrunk_by
from ihcscore.register.search import Candidate, search, search_px
from ihcscore.register.structure import local_contrast

# Longest side of the reference at each step, in pixels, and the blur at that step.
_STEPS_PX = (256, 512, 1024)
# Rough placements of the structure itself, led by the outline, and of its contrast, led by what is inside.
_CANDIDATES = 6
_CONTRAST_PX = 6.0
# The scale at which placements are judged, and the contrast by which they are.
_JUDGED_PX = 512
_JUDGED_CONTRAST = {"fine_px": 0.75, "coarse_px": 8.0}
_BLUR_PX = 0.75
_ITERATIONS = 50
_PRECISION = 1e-5
# Sections shrink and stretch by a few percent; a map beyond this has run away.
_STRETCH = (0.8, 1.25)


@dataclass(frozen=True, kw_only=True)
class Alignment:
    """How two pictures lie on each other.

    Attributes
    ----------
    transform : Affine
        From the reference's pixels to the moving picture's.
    score : float
        How well they agree under it, -1 to 1: :func:`contrast_correlation`.
    """

    transform: Affine
    score: float


def align(reference: Plane, moving: Plane) -> Alignment:
    """Best affine map between two pictures of the same scale, with nothing known about their placing.

    Rough placements are refined at a coarse scale by enhanced correlation (Evangelidis and Psarakis
    2008, doi 10.1109/TPAMI.2008.113, in OpenCV). The one whose local contrast agrees best is refined
    at finer scales: outlines alone are too alike, turned by half or with a part torn away.

    Parameters
    ----------
    reference, moving : ndarray of float32, shape (height, width)
        Structure, 0 on glass; the same µm per pixel.

    Returns
    -------
    Alignment
    """
    first, *finer = _STEPS_PX
    best: Alignment | None = None
    for one in _rough(reference, moving):
        refined = refine(reference, moving, one.transform, longest_px=first)
        score = contrast_correlation(reference, moving, refined)
        if best is None or score > best.score:
            best = Alignment(transform=refined, score=score)
    if best is None:
        raise ValueError("no placement was tried")
    transform = best.transform
    for longest in finer:
        transform = refine(reference, moving, transform, longest_px=longest)
        if longest >= max(reference.shape):
            break
    return Alignment(transform=transform, score=contrast_correlation(reference, moving, transform))


def _rough(reference: Plane, moving: Plane) -> list[Candidate]:
    """Placements to begin with."""
    inner = (
        plane - blurred(plane, _CONTRAST_PX * search_px(reference, moving)) for plane in (reference, moving)
    )
    found = search(reference, moving, n=_CANDIDATES)
    return found + search(*inner, n=_CANDIDATES)


def refine(reference: Plane, moving: Plane, start: Affine, *, longest_px: int) -> Affine:
    """An affine map refined at one scale; where it runs away, a rigid one, else the start itself."""
    scale = min(1.0, longest_px / max(reference.shape))
    fixed, other = (_scaled(plane, scale) for plane in (reference, moving))
    small = Affine.scaling(scale) @ start @ Affine.scaling(1 / scale)
    everywhere = np.full(other.shape, 255, np.uint8)
    stop = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, _ITERATIONS, _PRECISION)
    for kind in (cv2.MOTION_AFFINE, cv2.MOTION_EUCLIDEAN):
        if kind == cv2.MOTION_EUCLIDEAN and small.mirrored:
            continue  # OpenCV's rigid model cannot hold a mirrored map
        try:
            with one_thread():
                _, matrix = cv2.findTransformECC(fixed, other, small.cv(), kind, stop, everywhere, 5)
        except cv2.error:
            continue  # the correlation fell to nothing on the way
        found = Affine.scaling(1 / scale) @ Affine.from_cv(matrix) @ Affine.scaling(scale)
        largest, smallest = found.stretches
        if _STRETCH[0] <= smallest and largest <= _STRETCH[1] and found.mirrored == small.mirrored:
            return found
    return start


def _scaled(plane: Plane, scale: float) -> Plane:
    return blurred(shrunk_by(plane, scale), _BLUR_PX)


def contrast_correlation(reference: Plane, moving: Plane, transform: Affine) -> float:
    """Correlation of the local contrast of two pictures under a map, -1 to 1; 0 where one is empty."""
    scale = min(1.0, _JUDGED_PX / max(reference.shape))
    fixed, other = (_scaled(plane, scale) for plane in (reference, moving))
    small = Affine.scaling(scale) @ transform @ Affine.scaling(1 / scale)
    warped = sampled(other, small.cv(), fixed.shape, border=Border.ZERO)
    a, b = (local_contrast(plane, **_JUDGED_CONTRAST).ravel() for plane in (fixed, warped))
    spread = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / spread if spread > 0 else 0.0
