"""Squares that are turned about their centre: their corners, and the pixels that they hold.

Angles are degrees, clockwise as seen on the slide (x right, y down). Edges have pixel corners at whole
numbers.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

_QUARTER_TURNS = ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))


def turned(points: NDArray[np.float64], angle_deg: float) -> NDArray[np.float64]:
    """Points turned about (0, 0); exact for quarter turns.

    Parameters
    ----------
    points : ndarray of float64, shape (n, 2)
        x and y.
    angle_deg : float
        Degrees, clockwise.

    Raises
    ------
    ValueError
        If the angle is not finite.
    """
    cos, sin = _direction(angle_deg)
    x, y = points[:, 0], points[:, 1]
    return np.column_stack([cos * x - sin * y, sin * x + cos * y])


def _direction(angle_deg: float) -> tuple[float, float]:
    """Cosine and sine; of quarter turns without the last bit that pi lacks."""
    if not math.isfinite(angle_deg):
        raise ValueError(f"angle_deg is {angle_deg}, expected a finite number")
    if angle_deg % 90 == 0:
        return _QUARTER_TURNS[int(angle_deg // 90) % 4]
    angle = math.radians(angle_deg)
    return math.cos(angle), math.sin(angle)


def square_corners(x_px: float, y_px: float, side_px: float, angle_deg: float = 0.0) -> NDArray[np.float64]:
    """Corners of a square that is turned about its own centre.

    Parameters
    ----------
    x_px, y_px, side_px : float
        Left and top edge and side of the square before the turn.
    angle_deg : float
        Degrees, clockwise.

    Returns
    -------
    ndarray of float64, shape (4, 2)
        x and y of what was top left, top right, bottom right and bottom left before the turn.
    """
    right, bottom = x_px + side_px, y_px + side_px
    upright = np.array([(x_px, y_px), (right, y_px), (right, bottom), (x_px, bottom)], np.float64)
    if angle_deg % 360 == 0:
        return upright  # to the last bit: the way by the centre would round
    half = side_px / 2
    corners = np.array([(-half, -half), (half, -half), (half, half), (-half, half)])
    return np.asarray(turned(corners, angle_deg) + np.array([x_px + half, y_px + half]))


def bounding_square(x_px: float, y_px: float, side_px: float, angle_deg: float) -> tuple[float, float, float]:
    """Left and top edge and side of the upright square around a turned one.

    Parameters are those of :func:`square_corners`.
    """
    cos, sin = _direction(angle_deg)
    side = side_px * (abs(cos) + abs(sin))
    return x_px - (side - side_px) / 2, y_px - (side - side_px) / 2, side


def is_upright(corners: NDArray[np.float64]) -> bool:
    """Whether the edges of a rectangle (corners in order, shape (4, 2)) run along the axes."""
    return bool((np.diff(corners, axis=0, append=corners[:1]) == 0).any(axis=1).all())


def pixels_inside(
    corners: NDArray[np.float64], shape_yx: tuple[int, int]
) -> tuple[tuple[slice, slice], NDArray[np.bool_]]:
    """The pixels of an image that a rectangle, upright or turned, holds.

    Parameters
    ----------
    corners : ndarray of float64, shape (4, 2)
        x and y in pixels of the image, in the order of :func:`square_corners`.
    shape_yx : tuple of int
        Rows and columns of the image; what sticks out of it is cut off.

    Returns
    -------
    window : tuple of slice
        Rows and columns of the upright rectangle around it, edges rounded to whole pixels, at least one.
    inside : ndarray of bool, shape of the window
        Pixels of the window whose centre lies in the rectangle; all of them where it is upright, or so
        small that it holds no centre.
    """
    starts, ends = [], []
    for low, high, size in zip(corners.min(axis=0), corners.max(axis=0), shape_yx[::-1], strict=True):
        first = round(float(low))
        last = max(round(float(high)), first + 1)
        starts.append(min(max(first, 0), size))
        ends.append(min(max(last, 0), size))
    window = slice(starts[1], ends[1]), slice(starts[0], ends[0])
    inside = np.ones((ends[1] - starts[1], ends[0] - starts[0]), np.bool_)
    if is_upright(corners):
        return window, inside
    x = np.arange(starts[0], ends[0]) + 0.5 - corners[0, 0]
    y = np.arange(starts[1], ends[1])[:, None] + 0.5 - corners[0, 1]
    held = inside.copy()
    for along in (corners[1] - corners[0], corners[3] - corners[0]):
        # 0 at the first corner, 1 at the end of the edge that leaves it
        share = (along[0] * x + along[1] * y) / (along @ along)
        held &= (share >= 0) & (share < 1)
    return window, held if held.any() else inside
