"""Turned fields as they lie on the slide that they were drawn on."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from ihcscore import planes
from ihcscore.geometry.square import Square, centres_of_corners
from ihcscore.pictures.field import FieldPicture

_BEYOND = (255, 255, 255)


def upright_field(picture: FieldPicture, *, mirrored: bool) -> FieldPicture:
    """The picture of a turned field with the field upright, cells and tints in their places.

    Parameters
    ----------
    picture : FieldPicture
        With a square.
    mirrored : bool
        Show it from the other side.

    Raises
    ------
    ValueError
        If the picture has no square.
    """
    if picture.square is None:
        raise ValueError("all of the picture counts; only a field can be turned")
    box = picture.square.bounds()
    margin = max(0, int(min(box.x_px, box.y_px)))
    side = round(picture.square.side_px)
    there = Square(x_px=margin, y_px=margin, side_px=side)
    onto = _turn(picture.square, there, mirrored=mirrored)
    size = (side + 2 * margin, side + 2 * margin)
    rgb = cv2.warpAffine(
        picture.rgb, onto, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_CONSTANT, borderValue=_BEYOND
    )
    cells = picture.cells
    if cells is not None:
        at = np.column_stack([cells["x_px"], cells["y_px"], np.ones(len(cells))]) @ onto.T
        cells = cells.assign(x_px=at[:, 0], y_px=at[:, 1])
    return replace(
        picture,
        rgb=np.asarray(rgb, np.uint8),
        cells=cells,
        square=there,
        tinted=[
            (name, cv2.warpAffine(inside.astype(np.uint8), onto, size, flags=cv2.INTER_NEAREST) > 0, colour)
            for name, inside, colour in picture.tinted
        ],
    )


def upright_square(
    rgb: NDArray[np.uint8], square: Square, *, side_px: int, mirrored: bool
) -> NDArray[np.uint8]:
    """A turned field alone as a small upright picture, shape (side, side, 3).

    Parameters
    ----------
    rgb : ndarray of uint8, shape (height, width, 3)
    square : Square
        The field, in pixels of `rgb`.
    side_px : int
    mirrored : bool
        Show it from the other side.
    """
    onto = _turn(square, Square(x_px=0, y_px=0, side_px=side_px), mirrored=mirrored)
    # Averaged before it is shrunk, so that the cells stay as they look.
    shrink = square.side_px / side_px
    smooth = planes.blurred(rgb, max(shrink / 2.5, 0.1)) if shrink > 1 else rgb
    return np.asarray(cv2.warpAffine(smooth, onto, (side_px, side_px), flags=cv2.INTER_LINEAR), np.uint8)


def _turn(square: Square, onto: Square, *, mirrored: bool) -> NDArray[np.float64]:
    """The map from a square to another, of pixel centres, shape (2, 3)."""
    corners, there = (centres_of_corners(one.corners_xy_px) for one in (square, onto))
    if mirrored:
        there = there[[1, 0, 3, 2]]
    three = [0, 1, 3]
    found = cv2.getAffineTransform(corners[three].astype(np.float32), there[three].astype(np.float32))
    return np.asarray(found, np.float64)
