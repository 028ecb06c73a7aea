"""Uptake as people look at it: a volume on its hottest slice, all volumes on a projection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

_INK, _PAPER = (30, 30, 34), (255, 255, 255)
_OUTLINE, _HOTTEST = (0, 114, 178), (213, 94, 0)
_COLOURS = ((0, 114, 178), (213, 94, 0), (0, 158, 115), (204, 121, 167), (230, 159, 0), (86, 180, 233))
_SIDE_PX = 520
_PROJECTION_WIDTH_PX, _PROJECTION_HEIGHT_PX = 560, 1100
# Pages show the pictures at about two thirds of their size.
_TEXT_PX, _MARGIN_PX = 18, 10
_NUMBER_PX = 24
_AROUND_MM = 45.0


@dataclass(frozen=True, kw_only=True)
class Sides:
    """Letters of the patient's directions at the edges of a picture: R, L, A, P, H, F."""

    left: str
    right: str
    top: str
    bottom: str


@dataclass(frozen=True, kw_only=True)
class UptakeSlice:
    """A slice with a volume on it.

    Attributes
    ----------
    suv : (rows, columns) array of float
    inside : (rows, columns) array of bool
    hottest_yx : (int, int)
        The highest voxel.
    spacing_yx_mm : (float, float)
    sides : Sides
    title : str
    unit : str
    """

    suv: NDArray[np.float32] = field(repr=False)
    inside: NDArray[np.bool_] = field(repr=False)
    hottest_yx: tuple[int, int]
    spacing_yx_mm: tuple[float, float]
    sides: Sides
    title: str
    unit: str


@dataclass(frozen=True, kw_only=True)
class Projection:
    """The highest uptake along one direction, with the volumes.

    Attributes
    ----------
    suv : (rows, columns) array of float
    volumes : sequence of (str, (rows, columns) array of bool)
        Name and shadow of each, numbered from 1.
    spacing_yx_mm : (float, float)
    sides : Sides
    title : str
    upper : float
        SUV that is black.
    unit : str
    """

    suv: NDArray[np.float32] = field(repr=False)
    volumes: Sequence[tuple[str, NDArray[np.bool_]]] = field(repr=False)
    spacing_yx_mm: tuple[float, float]
    sides: Sides
    title: str
    upper: float
    unit: str


def draw_uptake_slice(picture: UptakeSlice) -> NDArray[np.uint8]:
    """A slice around a volume: uptake in grey, black the volume's highest; its outline; that voxel marked.

    Returns
    -------
    (height, width, 3) array of uint8
    """
    around = [max(round(_AROUND_MM / mm), 2) for mm in picture.spacing_yx_mm]
    at = np.argwhere(picture.inside)
    at = np.vstack([at, [picture.hottest_yx]])
    low = np.maximum(at.min(axis=0) - around, 0)
    high = np.minimum(at.max(axis=0) + around + 1, picture.suv.shape)
    part = slice(low[0], high[0]), slice(low[1], high[1])
    upper = float(picture.suv[picture.hottest_yx]) or 1.0
    zoom_yx = _zoom(picture.suv[part].shape, picture.spacing_yx_mm, (_SIDE_PX, _SIDE_PX))
    canvas = _grey(picture.suv[part], upper, zoom_yx)
    _outline(canvas, picture.inside[part], _OUTLINE)
    y, x = (
        (np.array(picture.hottest_yx) - low + 0.5)
        * np.array(canvas.shape[:2])
        / np.array(picture.suv[part].shape)
    )
    half = np.array(canvas.shape[:2]) / np.array(picture.suv[part].shape) / 2
    corners = [(round(x + a * half[1]), round(y + a * half[0])) for a in (-1, 1)]
    cv2.rectangle(canvas, corners[0], corners[1], _HOTTEST, 2)
    cv2.drawMarker(canvas, (round(x), round(y)), _HOTTEST, cv2.MARKER_CROSS, 12, 2)
    scale = f"white 0, black {upper:.2f} {picture.unit} (SUVmax, marked)"
    return _framed(canvas, picture.sides, [picture.title, scale])


def draw_projection(picture: Projection) -> NDArray[np.uint8]:
    """A maximum intensity projection with every volume outlined and numbered, and their names.

    Returns
    -------
    (height, width, 3) array of uint8
    """
    room = _PROJECTION_HEIGHT_PX, _PROJECTION_WIDTH_PX
    canvas = _grey(picture.suv, picture.upper, _zoom(picture.suv.shape, picture.spacing_yx_mm, room))
    scale = np.array(canvas.shape[:2]) / np.array(picture.suv.shape)
    places = []
    for number, (_, inside) in enumerate(picture.volumes):
        colour = _COLOURS[number % len(_COLOURS)]
        _outline(canvas, inside, colour)
        rows, columns = np.nonzero(inside)
        beside = rows[columns == columns.max()].mean() + 0.5
        places.append(((columns.max() + 1) * scale[1] + 5, beside * scale[0] - _NUMBER_PX / 2, colour))
    image = Image.fromarray(canvas)
    pen = ImageDraw.Draw(image)
    taken: list[tuple[float, float]] = []
    font = _font(_NUMBER_PX - 2)
    for number, (x, y, colour) in enumerate(places, 1):
        while any(abs(x - a) < _NUMBER_PX and abs(y - b) < _NUMBER_PX for a, b in taken):
            y += _NUMBER_PX
        taken.append((x, y))
        pen.text((x, y), str(number), fill=colour, font=font, stroke_width=3, stroke_fill=_PAPER)
    names = [f"{number}  {name}" for number, (name, _) in enumerate(picture.volumes, 1)]
    said = f"white 0, black {picture.upper:.3g} {picture.unit} and more"
    return _framed(np.asarray(image), picture.sides, [picture.title, said, *names])


def _zoom(
    shape_yx: tuple[int, ...], spacing_yx_mm: tuple[float, float], room_yx_px: tuple[int, int]
) -> tuple[float, float]:
    """Pixels a voxel, the same for a millimetre in both directions."""
    sides_mm = shape_yx[0] * spacing_yx_mm[0], shape_yx[1] * spacing_yx_mm[1]
    per_mm = min(room / side for room, side in zip(room_yx_px, sides_mm, strict=True))
    return per_mm * spacing_yx_mm[0], per_mm * spacing_yx_mm[1]


def _grey(suv: NDArray[np.float32], upper: float, zoom_yx: tuple[float, float]) -> NDArray[np.uint8]:
    level = (255 * (1 - np.clip(suv / upper, 0, 1))).astype(np.uint8)
    size = max(round(suv.shape[1] * zoom_yx[1]), 1), max(round(suv.shape[0] * zoom_yx[0]), 1)
    large = cv2.resize(level, size, interpolation=cv2.INTER_NEAREST)
    return np.ascontiguousarray(np.repeat(large[..., None], 3, axis=2))


def _outline(canvas: NDArray[np.uint8], inside: NDArray[np.bool_], colour: tuple[int, int, int]) -> None:
    """Draw along the edges of the voxels, on white, so that it shows on black."""
    height, width = canvas.shape[:2]
    large = cv2.resize(inside.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
    rings, _ = cv2.findContours(large, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    for ink, width_px in ((_PAPER, 5), (colour, 2)):
        cv2.drawContours(canvas, rings, -1, ink, width_px)


def _framed(canvas: NDArray[np.uint8], sides: Sides, lines: Sequence[str]) -> NDArray[np.uint8]:
    """The picture with the patient's directions at its edges and lines of text below."""
    font = _font(_TEXT_PX)
    height, width = canvas.shape[:2]
    room = 28
    step = _TEXT_PX + 5
    total = max(width + 2 * room, round(max(font.getlength(line) for line in lines)) + 2 * _MARGIN_PX)
    image = Image.new("RGB", (total, height + 2 * room + step * len(lines) + _MARGIN_PX), _PAPER)
    left = (total - width) // 2
    image.paste(Image.fromarray(canvas), (left, room))
    pen = ImageDraw.Draw(image)
    for (x, y), letter in (
        ((left - room // 2, room + height // 2), sides.left),
        ((left + width + room // 2, room + height // 2), sides.right),
        ((left + width // 2, room // 2), sides.top),
        ((left + width // 2, room + height + room // 2), sides.bottom),
    ):
        pen.text((x, y), letter, fill=_INK, font=font, anchor="mm")
    for number, line in enumerate(lines):
        pen.text((_MARGIN_PX, height + 2 * room + number * step), line, fill=_INK, font=font)
    return np.asarray(image)


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    """DejaVu Sans from matplotlib's data, without loading matplotlib."""
    spec = find_spec("matplotlib")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("matplotlib is not installed; install ihcscore again")
    folder = Path(spec.submodule_search_locations[0])
    return ImageFont.truetype(str(folder / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf"), size)
