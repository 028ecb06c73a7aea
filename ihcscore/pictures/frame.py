"""What all pictures share: shapes, text, the strips with title, legend and scale bar."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import shapely
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from shapely.geometry.base import BaseGeometry

from ihcscore.geometry.polygons import raster
from ihcscore.geometry.square import centres_of_corners
from ihcscore.schema import Rgb

INK: Rgb = (30, 30, 34)
PAPER: Rgb = (255, 255, 255)
SUBPIXEL_BITS = 4
"""OpenCV's fixed point: shapes are drawn to a sixteenth of a pixel."""
TINT = 0.3
"""How much of its own colour a tint has."""
WARNING: Rgb = (157, 28, 28)
# Height of letters: what can be read on a screen, and what is enough on the largest pictures.
_SMALLEST_PX, _LARGEST_PX = 13, 26


class Mark(Enum):
    """How something is shown on a picture."""

    RING = auto()
    DOT = auto()
    LINE = auto()
    TINT = auto()
    HATCH_UP = auto()
    HATCH_DOWN = auto()


@dataclass(frozen=True, kw_only=True)
class Key:
    """An entry of a legend.

    Attributes
    ----------
    text : str
    colour : Rgb
    mark : Mark
        How it is drawn on the picture.
    """

    text: str
    colour: Rgb
    mark: Mark


def framed(
    canvas: NDArray[np.uint8],
    *,
    title: str,
    legend: Sequence[Key],
    mpp_um: float,
    bar_um: float,
    note: str = "",
) -> NDArray[np.uint8]:
    """A picture between a strip with its title and one with its legend and scale bar.

    Text is never cut or too small to be read: what does not fit in a line goes into the next, and a
    picture that is narrower than a word of its legend stands on wider paper.

    Parameters
    ----------
    canvas : ndarray of uint8, shape (height, width, 3)
    title : str
    legend : sequence of Key
    mpp_um, bar_um : float
        µm per pixel; length of the scale bar.
    note : str
        Second line of the title, in red: why a field was not scored.

    Returns
    -------
    ndarray of uint8, shape (height + strips, at least width, 3)
        The picture is centred where the paper is wider.
    """
    height, width = canvas.shape[:2]
    bar_text = f"{bar_um / 1000:g} mm" if bar_um >= 1000 else f"{bar_um:g} µm"
    bar_px = bar_um / mpp_um
    size = int(np.clip(width / 55, _SMALLEST_PX, _LARGEST_PX))
    letters, line = font(size), round(size * 1.9)
    scale_px = bar_px + size * 2.2 + letters.getlength(bar_text)
    wide = max(width, math.ceil(max([scale_px, *(_key_px(key, size) + size for key in legend)])))
    titles = [(text, INK) for text in _in_lines(title, letters, wide - 1.2 * size)]
    titles += [(text, WARNING) for text in _in_lines(note, letters, wide - 1.2 * size)]
    rows = _key_rows(legend, size, wide, last_px=scale_px)
    head, foot = line * max(len(titles), 1), line * len(rows)
    image = Image.new("RGB", (wide, head + height + foot), PAPER)
    image.paste(Image.fromarray(canvas), ((wide - width) // 2, head))
    pen = ImageDraw.Draw(image)
    for number, (text, colour) in enumerate(titles):
        pen.text((size * 0.6, line * (number + 0.5)), text, colour, letters, anchor="lm")
    for number, row in enumerate(rows):
        middle, x = head + height + line * (number + 0.5), size * 0.6
        for key in row:
            _draw_mark(pen, key, (x, middle), size)
            pen.text((x + size * 1.3, middle), key.text, INK, letters, anchor="lm")
            x += _key_px(key, size)
    right, middle = wide - size * 0.6, head + height + foot - line / 2
    pen.line((right - bar_px, middle, right, middle), INK, max(3, size // 5))
    pen.text((right - bar_px - size * 0.5, middle), bar_text, INK, letters, anchor="rm")
    return np.asarray(image)


def _key_px(key: Key, size: int) -> float:
    """Pixels that an entry of a legend takes: its mark, its text, and the gap to the next."""
    return float(font(size).getlength(key.text)) + 2.2 * size


def _key_rows(legend: Sequence[Key], size: int, width: int, *, last_px: float) -> list[list[Key]]:
    """The entries in rows that fit a width, with room for the scale bar in the last."""
    rows: list[list[Key]] = [[]]
    taken = size * 0.6
    for key in legend:
        length = _key_px(key, size)
        if rows[-1] and taken + length > width:
            rows.append([])
            taken = size * 0.6
        rows[-1].append(key)
        taken += length
    if rows[-1] and taken + last_px > width:
        rows.append([])
    return rows


def _in_lines(text: str, letters: ImageFont.FreeTypeFont, width: float) -> list[str]:
    """Words in lines that fit a width; a word that is too long is broken."""
    lines: list[str] = []
    for word in text.split(" ") if text else []:
        joined = f"{lines[-1]} {word}" if lines else word
        if lines and letters.getlength(joined) <= width:
            lines[-1] = joined
            continue
        rest = word
        while letters.getlength(rest) > width and len(rest) > 1:
            n = max(
                1, next(i for i in range(len(rest), 0, -1) if i == 1 or letters.getlength(rest[:i]) <= width)
            )
            lines.append(rest[:n])
            rest = rest[n:]
        lines.append(rest)
    return [line for line in lines if line.strip()]


def _draw_mark(pen: ImageDraw.ImageDraw, key: Key, at: tuple[float, float], size: int) -> None:
    """The mark of a legend's entry, its left edge at a point."""
    x, y = at
    box = (x, y - size * 0.4, x + size * 0.8, y + size * 0.4)
    thick = max(2, size // 6)
    if key.mark is Mark.RING:
        pen.ellipse(box, outline=key.colour, width=thick)
    elif key.mark is Mark.DOT:
        pen.ellipse((x + size * 0.2, y - size * 0.2, x + size * 0.6, y + size * 0.2), fill=key.colour)
    elif key.mark is Mark.LINE:
        pen.line((x, y, x + size, y), key.colour, thick)
    elif key.mark is Mark.TINT:
        pen.rectangle(
            box, fill=tuple(round(255 - (255 - part) * TINT) for part in key.colour), outline=key.colour
        )
    else:
        pen.rectangle(box, outline=key.colour, width=1)
        step = size * 0.4
        for shift in (-1, 0, 1):
            low, high = max(box[0], box[0] + shift * step), min(box[2], box[2] + shift * step)
            if key.mark is Mark.HATCH_UP:
                pen.line(
                    (low, box[3] - max(0.0, -shift * step), high, box[1] + max(0.0, shift * step)), key.colour
                )
            else:
                pen.line(
                    (low, box[1] + max(0.0, -shift * step), high, box[3] - max(0.0, shift * step)), key.colour
                )


def label(pen: ImageDraw.ImageDraw, xy: tuple[float, float], text: str, colour: Rgb, size: int) -> None:
    """A small tag whose lower left corner is at a point."""
    letters = font(size)
    x, y = xy
    width = pen.textlength(text, letters) + size * 0.6
    y = max(y, size * 1.4)
    pen.rectangle((x, y - size * 1.4, x + width, y), fill=colour)
    pen.text((x + size * 0.3, y - size * 0.7), text, PAPER, letters, anchor="lm")


def round_bar_um(about_um: float) -> float:
    """The largest of 1, 2, 5 times a power of ten below a length."""
    power = 10 ** np.floor(np.log10(about_um))
    return float(max(step * power for step in (1, 2, 5) if step * power <= about_um))


def hatch(
    canvas: NDArray[np.uint8],
    area: BaseGeometry,
    colour: Rgb,
    downsample: float,
    *,
    mark: Mark,
    gap_px: int = 14,
) -> None:
    """Draw thin slanting lines over an area (in pixels `downsample` times smaller), in place.

    Between the lines the picture keeps its colours: a tint would alter the stain's.

    Parameters
    ----------
    mark : Mark
        ``HATCH_UP`` or ``HATCH_DOWN``: which way the lines go to the right.
    gap_px : int
        From line to line, across.
    """
    here = raster(area, canvas.shape, downsample=downsample, bits=SUBPIXEL_BITS)
    rows, columns = np.nonzero(here)
    slanting = rows + columns if mark is Mark.HATCH_UP else rows - columns
    on = slanting % gap_px == 0
    canvas[rows[on], columns[on]] = colour


def tint(canvas: NDArray[np.uint8], inside: NDArray[np.bool_], colour: Rgb) -> None:
    """Lay a colour thinly over pixels, in place, and draw their outline."""
    canvas[inside] = np.rint(canvas[inside] * (1 - TINT) + np.asarray(colour) * TINT)
    rings, _ = cv2.findContours(inside.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(canvas, rings, -1, colour, 2)


def outline(
    canvas: NDArray[np.uint8],
    area: BaseGeometry,
    colour: Rgb,
    downsample: float,
    *,
    width: int,
) -> None:
    """Draw the outlines of an area (in pixels `downsample` times smaller), in place."""
    for rings in _rings(area, downsample):
        cv2.polylines(canvas, rings, True, colour, width, cv2.LINE_AA, SUBPIXEL_BITS)


def _rings(area: BaseGeometry, downsample: float) -> list[list[NDArray[np.int32]]]:
    """Each polygon's rings, in sixteenths of the picture's pixels."""
    polygons = [part for part in shapely.get_parts(area) if part.geom_type == "Polygon"]
    unit = 1 << SUBPIXEL_BITS
    return [
        [
            np.rint(centres_of_corners(shapely.get_coordinates(ring) / downsample) * unit).astype(np.int32)
            for ring in (polygon.exterior, *polygon.interiors)
        ]
        for polygon in polygons
    ]


@cache
def font(size: int) -> ImageFont.FreeTypeFont:
    """DejaVu Sans from matplotlib's data: Pillow's own font has no ², no µ and no accents."""
    spec = find_spec("matplotlib")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("matplotlib is not installed; install ihcscore again")
    folder = Path(spec.submodule_search_locations[0])
    return ImageFont.truetype(str(folder / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf"), size)
