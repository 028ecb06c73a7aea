"""Small pictures of fields in rows and columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from textwrap import wrap

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from ihcscore import planes
from ihcscore.geometry.square import Square, centres_of_corners
from ihcscore.pictures.frame import INK, PAPER, font

# Side of a field's picture on a contact sheet.
CONTACT_PX = 300


@dataclass(frozen=True, kw_only=True)
class ContactCell:
    """A picture of a contact sheet.

    Attributes
    ----------
    rgb : ndarray of uint8, shape (n, n, 3), or None
        None where there is nothing to show.
    caption : str
        Below the picture, or in its place.
    """

    rgb: NDArray[np.uint8] | None = field(repr=False)
    caption: str


def draw_contact_sheet(
    rows: Sequence[Sequence[ContactCell]],
    *,
    row_names: Sequence[str],
    column_names: Sequence[str],
    title: str,
) -> NDArray[np.uint8]:
    """Pictures in rows and columns with their names, shape (height, width, 3)."""
    side, gap, size = CONTACT_PX, 8, 16
    head, caption, left = 72, 26, 120
    width = left + len(column_names) * (side + gap)
    image = Image.new("RGB", (width, head + len(rows) * (side + caption + gap)), PAPER)
    pen = ImageDraw.Draw(image)
    pen.text((gap, 22), title, INK, font(20), anchor="lm")
    for column, name in enumerate(column_names):
        pen.text((left + column * (side + gap) + side / 2, 54), name, INK, font(18), anchor="mm")
    for row, (cells, name) in enumerate(zip(rows, row_names, strict=True)):
        top = head + row * (side + caption + gap)
        pen.text((left / 2, top + side / 2), name, INK, font(18), anchor="mm")
        for column, cell in enumerate(cells):
            x = left + column * (side + gap)
            if cell.rgb is None:
                pen.rectangle((x, top, x + side - 1, top + side - 1), fill=(240, 240, 243))
                text = "\n".join(wrap(cell.caption, 30))
                middle = (x + side / 2, top + side / 2)
                pen.multiline_text(middle, text, INK, font(size - 2), anchor="mm", align="center")
                continue
            image.paste(Image.fromarray(cell.rgb), (x, top))
            pen.text((x + side / 2, top + side + caption / 2), cell.caption, INK, font(size - 2), anchor="mm")
    return np.asarray(image)


def upright_square(rgb: NDArray[np.uint8], square: Square, *, mirrored: bool) -> NDArray[np.uint8]:
    """A turned field as a small upright picture, shape (300, 300, 3).

    Parameters
    ----------
    rgb : ndarray of uint8, shape (height, width, 3)
    square : Square
        The field, in pixels of `rgb`.
    mirrored : bool
        Show it from the other side.
    """
    top_left, top_right, _, bottom_left = centres_of_corners(square.corners_xy_px)
    if mirrored:
        across = top_right - top_left
        top_left, top_right, bottom_left = top_right, top_left, bottom_left + across
    corners = np.array([(0, 0), (CONTACT_PX, 0), (0, CONTACT_PX)])
    there = centres_of_corners(corners).astype(np.float32)
    here = np.array([top_left, top_right, bottom_left], np.float32)
    # Averaged before it is shrunk, so that the cells stay as they look.
    shrink = float(np.linalg.norm(top_right - top_left)) / CONTACT_PX
    smooth = planes.blurred(rgb, max(shrink / 2.5, 0.1)) if shrink > 1 else rgb
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = (CONTACT_PX, CONTACT_PX)
    upright = cv2.warpAffine(smooth, cv2.getAffineTransform(there, here), size, flags=flags)
    return np.asarray(upright, np.uint8)
