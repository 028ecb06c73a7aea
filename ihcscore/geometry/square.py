"""Squares that are turned about their centre: their corners, what they hold, the pixels in them.

Angles are degrees, clockwise as seen on the slide (x right, y down). A square's edges have pixel corners at
whole numbers; the centres of cells and pixels lie half a pixel from them, see :func:`corners_of_centres`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import shapely

_QUARTER_TURNS = ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))
# Edges of turned squares and the points near them are held against each other on a grid of a millionth of
# a pixel: far coarser than rounding on the largest slides (1e-10 px), far finer than a cell's place.
_EDGE_DECIMALS = 6
# From coordinates whose pixel centres are whole numbers to those whose pixel corners are.
_HALF_PIXEL = 0.5


def corners_of_centres(centres: Any) -> Any:
    """Coordinates with pixel corners at whole numbers, of ones with pixel centres at whole numbers."""
    return centres + _HALF_PIXEL


def centres_of_corners(corners: Any) -> Any:
    """Coordinates with pixel centres at whole numbers, of ones with pixel corners at whole numbers."""
    return corners - _HALF_PIXEL


@dataclass(frozen=True, kw_only=True)
class Square:
    """A square that may be turned about its own centre.

    Attributes
    ----------
    x_px, y_px : float
        Left and top edge before the turn; pixel corners at whole numbers.
    side_px : float
    angle_deg : float
        Turn about the centre, clockwise.
    """

    x_px: float
    y_px: float
    side_px: float
    angle_deg: float = 0.0

    @classmethod
    def about(cls, centre_xy_px: NDArray[np.float64], *, side_px: float, angle_deg: float = 0.0) -> Self:
        """The square around a centre."""
        x, y = (float(at) - side_px / 2 for at in centre_xy_px)
        return cls(x_px=x, y_px=y, side_px=side_px, angle_deg=angle_deg)

    @property
    def centre_xy_px(self) -> NDArray[np.float64]:
        """Its centre, shape (2,): the same whatever the turn."""
        return np.array([self.x_px + self.side_px / 2, self.y_px + self.side_px / 2])

    @property
    def corners_xy_px(self) -> NDArray[np.float64]:
        """Corners, shape (4, 2): what was top left, top right, bottom right, bottom left before the turn."""
        left, top = self.x_px, self.y_px
        right, bottom = left + self.side_px, top + self.side_px
        upright = np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.float64)
        if self.angle_deg % 360 == 0:
            return upright  # to the last bit: the way by the centre would round
        half = self.side_px / 2
        corners = np.array([(-half, -half), (half, -half), (half, half), (-half, half)])
        return np.asarray(turned(corners, self.angle_deg) + self.centre_xy_px)

    @property
    def polygon(self) -> shapely.Polygon:
        """The square as a polygon."""
        # Loaded by those who ask for polygons only: counting on arrays does not.
        import shapely

        return shapely.Polygon(self.corners_xy_px)

    def area_mm2(self, mpp_um: float) -> float:
        """Area at so many µm per pixel."""
        return (self.side_px * mpp_um / 1000) ** 2

    def bounds(self) -> Square:
        """The upright square around it."""
        cos, sin = _direction(self.angle_deg)
        side = self.side_px * (abs(cos) + abs(sin))
        reach = (side - self.side_px) / 2
        return Square(x_px=self.x_px - reach, y_px=self.y_px - reach, side_px=side)

    def shifted(self, x_px: float, y_px: float) -> Square:
        """The square moved right and down."""
        return replace(self, x_px=self.x_px + x_px, y_px=self.y_px + y_px)

    def reduced(self, downsample: float) -> Square:
        """The same square in pixels that are so many times larger."""
        return replace(
            self, x_px=self.x_px / downsample, y_px=self.y_px / downsample, side_px=self.side_px / downsample
        )

    def lies_within(self, size_xy_px: tuple[int, int]) -> bool:
        """Whether no part of it sticks out of a picture of that size."""
        corners = self.corners_xy_px
        return bool((corners >= 0).all() and (corners <= np.asarray(size_xy_px)).all())

    def holds(self, x_px: Any, y_px: Any) -> NDArray[np.bool_]:
        """Which cells it holds; of two touching squares of one angle exactly one holds a cell.

        The edges that are left and top before the turn belong to the square, the other two to its
        neighbours.

        Parameters
        ----------
        x_px, y_px : array_like of float, shape (n,)
            Centres of cells, pixel centres at whole numbers.

        Returns
        -------
        ndarray of bool, shape (n,)
        """
        x, y = (corners_of_centres(np.asarray(one, np.float64)) for one in (x_px, y_px))
        if self.angle_deg % 360 == 0:
            return np.asarray(
                (x >= self.x_px) & (x < self.x_px + self.side_px)
                & (y >= self.y_px) & (y < self.y_px + self.side_px)
            )  # fmt: skip
        # Cells and centre are turned back about (0, 0), not about the centre: touching squares then share
        # the number that is their common edge, up to rounding, which the grid takes away.
        points = np.round(turned(np.column_stack([x, y]), -self.angle_deg), _EDGE_DECIMALS)
        centre = turned(self.centre_xy_px[None], -self.angle_deg)
        low, high = (
            np.round(centre + reach, _EDGE_DECIMALS) for reach in (-self.side_px / 2, self.side_px / 2)
        )
        return np.asarray(((points >= low) & (points < high)).all(axis=1), np.bool_)

    def upright_map(self, *, mirrored: bool = False) -> NDArray[np.float64]:
        """The map onto the square as it lies upright, its top left corner at (0, 0), shape (2, 3).

        Of points with pixel corners at whole numbers; `mirrored` shows it from the other side.
        """
        cos, sin = _direction(-self.angle_deg)
        turn = np.array([[cos, -sin], [sin, cos]])
        onto = np.column_stack([turn, self.side_px / 2 - turn @ self.centre_xy_px])
        return np.array([[-1.0], [1.0]]) * onto + [[0, 0, self.side_px], [0, 0, 0]] if mirrored else onto

    def pixels(self, shape_yx: tuple[int, ...]) -> tuple[tuple[slice, slice], NDArray[np.bool_]]:
        """The pixels of an image that it holds; as :func:`pixels_inside`."""
        return pixels_inside(self.corners_xy_px, (shape_yx[0], shape_yx[1]))


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
        x and y in pixels of the image, in the order of :attr:`Square.corners_xy_px`.
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
    x = corners_of_centres(np.arange(starts[0], ends[0])) - corners[0, 0]
    y = corners_of_centres(np.arange(starts[1], ends[1])[:, None]) - corners[0, 1]
    held = inside.copy()
    for along in (corners[1] - corners[0], corners[3] - corners[0]):
        # 0 at the first corner, 1 at the end of the edge that leaves it
        share = (along[0] * x + along[1] * y) / (along @ along)
        held &= (share >= 0) & (share < 1)
    return window, held if held.any() else inside
