"""What all pictures share: shapes, text, the strips with title, legend and scale bar."""

from __future__ import annotations

from collections.abc import Sequence
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


def framed(
    canvas: NDArray[np.uint8],
    *,
    title: str,
    legend: Sequence[tuple[str, Rgb]],
    mpp_um: float,
    bar_um: float,
) -> NDArray[np.uint8]:
    """A picture between a strip with its title and one with its legend and scale bar."""
    height, width = canvas.shape[:2]
    bar_text = f"{bar_um / 1000:g} mm" if bar_um >= 1000 else f"{bar_um:g} µm"
    bar_px = bar_um / mpp_um
    size = int(np.clip(width / 55, 12, 26))
    while size > 6 and _legend_width([*(text for text, _ in legend), bar_text], size) + bar_px > width:
        size -= 1
    strip = round(max(size, 10) * 1.9)
    image = Image.new("RGB", (width, height + 2 * strip), PAPER)
    image.paste(Image.fromarray(canvas), (0, strip))
    pen = ImageDraw.Draw(image)
    letters = font(size)
    middle = height + strip + strip / 2
    pen.text((size * 0.6, strip / 2), title, INK, letters, anchor="lm")
    x = size * 0.6
    for text, colour in legend:
        ring = (x, middle - size * 0.4, x + size * 0.8, middle + size * 0.4)
        pen.ellipse(ring, outline=colour, width=max(2, size // 6))
        pen.text((x + size * 1.1, middle), text, INK, letters, anchor="lm")
        x += size * 2.0 + pen.textlength(text, letters)
    right = width - size * 0.6
    pen.line((right - bar_px, middle, right, middle), INK, max(3, size // 5))
    pen.text((right - bar_px - size * 0.5, middle), bar_text, INK, letters, anchor="rm")
    return np.asarray(image)


def _legend_width(texts: Sequence[str], size: int) -> float:
    """Pixels that texts take in a row, each with its ring and a gap."""
    return float(sum(font(size).getlength(text) + 2.0 * size for text in texts)) + size


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


def fill(
    canvas: NDArray[np.uint8],
    area: BaseGeometry,
    colour: Rgb,
    downsample: float,
    *,
    opacity: float,
) -> None:
    """Lay a colour over an area (in pixels `downsample` times smaller), in place."""
    here = raster(area, canvas.shape, downsample=downsample, bits=SUBPIXEL_BITS)
    canvas[here] = np.rint(canvas[here] * (1 - opacity) + np.asarray(colour) * opacity)


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
