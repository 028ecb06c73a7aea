"""Cheap pictures of consecutive sections: the same vessels, nodules and outline, other stain and noise."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ihcscore.geometry.affine import Affine
from ihcscore.register import SectionView

Plane = NDArray[np.float32]
MPP_UM = 8.0
SHAPE_YX = (380, 480)
CENTRE_XY = np.array([240.0, 190.0])


def drawn_section(seed: int, *, shape_yx: tuple[int, int] = SHAPE_YX) -> Plane:
    """Structure of a section, 0 on glass: an uneven blob of 2.4 by 1.9 mm with vessels and nodules."""
    rng = np.random.default_rng(seed)
    height, width = shape_yx
    y, x = np.mgrid[:height, :width]
    angle = np.arctan2(y - height / 2, x - width / 2)
    uneven = sum(rng.uniform(-0.1, 0.1) * np.cos(k * angle + rng.uniform(0, 6)) for k in (1, 2, 3, 5))
    radius = np.hypot((x - width / 2) / (0.34 * width), (y - height / 2) / (0.34 * height))
    plane = np.full(shape_yx, 0.45, np.float32)
    for _ in range(130):
        at = (int(rng.integers(0, width)), int(rng.integers(0, height)))
        axes = (int(rng.integers(2, 12)), int(rng.integers(2, 9)))
        shade = float(rng.choice([0.02, 0.2, 0.7, 0.95]))
        cv2.ellipse(plane, at, axes, float(rng.uniform(0, 180)), 0, 360, shade, -1)
    plane[radius > 1 + uneven] = 0
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), 1.0), np.float32)


def laid(plane: Plane, onto: Affine, shape_yx: tuple[int, int] = SHAPE_YX) -> Plane:
    """The section laid elsewhere; `onto` maps its pixels to those of the picture that comes back."""
    warped = cv2.warpAffine(plane, onto.cv(), shape_yx[::-1], flags=cv2.INTER_LINEAR)
    return np.asarray(warped, np.float32)


def restained(plane: Plane, seed: int, *, noise: float = 0.06) -> Plane:
    """Another stain's look of it: other strength, cells that only this section has, noise."""
    rng = np.random.default_rng(seed)
    grain = cv2.GaussianBlur(rng.normal(0, 1, plane.shape).astype(np.float32), (0, 0), 1.0) * 3.5
    return np.asarray(np.clip(plane**0.8 * 0.9 + noise * grain * (plane > 0.05), 0, 1), np.float32)


def about_centre(linear: NDArray[np.float64], shift_px: tuple[float, float] = (0, 0)) -> Affine:
    """A map that turns, mirrors or shears about the picture's centre and then shifts."""
    return Affine.of(linear, CENTRE_XY + shift_px - linear @ CENTRE_XY)


def turn(degrees: float) -> NDArray[np.float64]:
    """Rotation, clockwise as seen, shape (2, 2)."""
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[cos, -sin], [sin, cos]])


def view(plane: Plane, *, mpp_um: float = MPP_UM, downsample: float = 1.0) -> SectionView:
    """The section as registration takes it."""
    return SectionView(structure=plane, downsample=downsample, mpp_um=mpp_um)


def as_rgb(plane: Plane, *, stain_od: tuple[float, float, float] = (0.3, 0.45, 0.2)) -> NDArray[np.uint8]:
    """The section as a scanner shows it, on glass of (244, 243, 245)."""
    od = plane[..., None] * np.asarray(stain_od)
    return np.rint(np.array([244.0, 243.0, 245.0]) * 10**-od).astype(np.uint8)
