"""Small pictures of fields in rows and columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from textwrap import wrap

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from ihcscore.pictures.frame import INK, PAPER, WARNING, font

CONTACT_PX = 300
"""Side of a picture on a contact sheet."""


@dataclass(frozen=True, kw_only=True)
class ContactCell:
    """A picture of a contact sheet.

    Attributes
    ----------
    rgb : ndarray of uint8, shape (at most 300, at most 300, 3), or None
        None where there is nothing to show.
    caption : str
        Below the picture, or in its place.
    warning : bool
        Write the caption in red.
    """

    rgb: NDArray[np.uint8] | None = field(repr=False)
    caption: str
    warning: bool = False


def draw_contact_sheet(
    rows: Sequence[Sequence[ContactCell]],
    *,
    row_names: Sequence[str],
    column_names: Sequence[str],
    title: str,
) -> NDArray[np.uint8]:
    """Pictures in rows and columns, shape (height, width, 3).

    Parameters
    ----------
    rows : sequence of sequence of ContactCell
        The last row may be short.
    row_names, column_names : sequence of str
        Left of the rows and above the columns; no room is left for names that are all empty.
    title : str
    """
    side, gap, letters = CONTACT_PX, 8, font(14)
    captions = [[_caption(cell.caption, cell.rgb is not None) for cell in row] for row in rows]
    lines = max((len(text) for row in captions for text in row), default=1)
    head, below = (72 if any(column_names) else 44), 8 + 18 * min(lines, 3)
    left = gap + (112 if any(row_names) else 0)
    n_across = max([len(column_names), *(len(row) for row in rows)])
    width = left + n_across * (side + gap)
    image = Image.new("RGB", (width, head + len(rows) * (side + below + gap)), PAPER)
    pen = ImageDraw.Draw(image)
    pen.text((gap, 22), title, INK, font(20), anchor="lm")
    for column, name in enumerate(column_names):
        pen.text((left + column * (side + gap) + side / 2, 54), name, INK, font(18), anchor="mm")
    for row, (cells, name) in enumerate(zip(rows, row_names, strict=True)):
        top = head + row * (side + below + gap)
        pen.text((left / 2, top + side / 2), name, INK, font(18), anchor="mm")
        for column, cell in enumerate(cells):
            x = left + column * (side + gap)
            if cell.rgb is None:
                pen.rectangle((x, top, x + side - 1, top + side - 1), fill=(240, 240, 243))
                text, middle = "\n".join(wrap(cell.caption, 30)), (x + side / 2, top + side / 2)
                pen.multiline_text(middle, text, INK, letters, anchor="mm", align="center")
                continue
            height, across = cell.rgb.shape[:2]
            image.paste(Image.fromarray(cell.rgb), (x + (side - across) // 2, top + (side - height) // 2))
            for number, text in enumerate(captions[row][column][:3]):
                place = (x + side / 2, top + side + 13 + 18 * number)
                pen.text(place, text, WARNING if cell.warning else INK, letters, anchor="mm")
    return np.asarray(image)


def _caption(text: str, below: bool) -> list[str]:
    """Lines of a caption that stands below a picture."""
    return wrap(text, 38) if below else []
