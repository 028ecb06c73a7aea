"""Where the pixels of a map lie on the image that it was made from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Self

from ihcscore.geometry.square import Square, centres_of_corners, corners_of_centres

# Networks see pixels in squares of so many: grids of a slide begin and end on them, those of a picture of its
# own have a multiple of half of it, so that as much can be added on both sides.
BLOCK_PX = 8


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Square pixels laid over an image, as many times larger as need be: the factor is no whole number.

    Attributes
    ----------
    start_xy_px : tuple of float
        Left and top edge of the first pixel, in pixels of the image (pixel corners at whole numbers).
    step_px : float
        Side of a pixel, in pixels of the image.
    shape_yx : tuple of int
        Rows and columns.
    """

    start_xy_px: tuple[float, float]
    step_px: float
    shape_yx: tuple[int, int]

    @classmethod
    def centred(cls, shape_yx: tuple[int, int], step_px: float) -> Self:
        """A grid in an image's middle that covers it, a multiple of half a block of pixels each way.

        Turned and mirrored images then have the same grid. What reaches beyond the image on each side is at
        most two pixels of the grid.
        """
        half = BLOCK_PX // 2
        rows, columns = (half * max(1, math.ceil(size / step_px / half - 1e-6)) for size in shape_yx)
        start = (shape_yx[1] - columns * step_px) / 2, (shape_yx[0] - rows * step_px) / 2
        return cls(start_xy_px=start, step_px=step_px, shape_yx=(rows, columns))

    @classmethod
    def within(cls, shape_yx: tuple[int, int], step_px: float, start_xy_px: tuple[float, float]) -> Self:
        """The whole blocks of pixels that an image holds from a point on."""
        columns, rows = (
            BLOCK_PX * max(1, int((size - start) / step_px / BLOCK_PX + 1e-6))
            for size, start in zip(shape_yx[::-1], start_xy_px, strict=True)
        )
        return cls(start_xy_px=start_xy_px, step_px=step_px, shape_yx=(rows, columns))

    def covers_no_more_than(self, shape_yx: tuple[int, ...]) -> bool:
        """Whether no pixel of it reaches beyond an image."""
        ends = (at + n * self.step_px for at, n in zip(self.start_xy_px, self.shape_yx[::-1], strict=True))
        return min(self.start_xy_px) >= 0 and all(
            end <= size for end, size in zip(ends, shape_yx[1::-1], strict=True)
        )

    def part(self, window: tuple[slice, slice]) -> Self:
        """The grid of a rectangle of the maps."""
        rows, columns = (one.indices(size)[:2] for one, size in zip(window, self.shape_yx, strict=True))
        start = tuple(
            float(at + first * self.step_px)
            for at, first in zip(self.start_xy_px, (columns[0], rows[0]), strict=True)
        )
        return type(self)(
            start_xy_px=(start[0], start[1]),
            step_px=self.step_px,
            shape_yx=(rows[1] - rows[0], columns[1] - columns[0]),
        )

    def centres_in_image(self, columns: Any, rows: Any) -> tuple[Any, Any]:
        """X and y in the image of columns and rows of the grid; pixel centres at whole numbers in both."""
        x_px, y_px = (
            centres_of_corners(start + corners_of_centres(along) * self.step_px)
            for start, along in zip(self.start_xy_px, (columns, rows), strict=True)
        )
        return x_px, y_px

    def square_on(self, square: Square) -> Square:
        """A square of the image, in pixels of the grid."""
        return square.shifted(-self.start_xy_px[0], -self.start_xy_px[1]).reduced(self.step_px)
