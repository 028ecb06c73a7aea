"""A field with its cells."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from ihcscore.geometry.square import Square, centres_of_corners, corners_of_centres, is_upright
from ihcscore.pictures.frame import (
    INK,
    PAPER,
    SUBPIXEL_BITS,
    Key,
    Mark,
    font,
    framed,
    outline,
    round_bar_um,
    tint,
)
from ihcscore.schema import CLASS_COLOURS, REMOVED, CellClass, Rgb
from ihcscore.schema.colours import MEMBRANE_COLOURS

# Smaller pictures are enlarged before anything is drawn on them.
_LARGE_PX = 700
# Diameter of a negative cell's dot: about a third of a small nucleus.
_DOT_UM = 2.0
# A ring of dashes has one every so many degrees.
_DASH_DEG = 45
# Height of a cell's number.
_NUMBER_PX = 12
# Rings are wider where a pixel shows less than this.
_FINE_UM = 0.12


@dataclass(frozen=True, kw_only=True)
class FieldPicture:
    """One field with its surroundings.

    Attributes
    ----------
    rgb : ndarray of uint8, shape (height, width, 3)
    cells : DataFrame or None
        Columns x_px, y_px (pixels of `rgb`, centres at whole numbers), class, diameter_um; None where the
        field was not scored.
    square : Square or None
        The field, in pixels of `rgb`; None where all of `rgb` counts.
    mpp_um : float
        µm per pixel of `rgb`.
    title : str
    negatives : bool
        Mark negative cells too. They outnumber positive ones and hide the tissue.
    numbers : bool
        Write each ringed cell's number (column `number`) beside its ring.
    tinted : sequence of (str, ndarray of bool of shape (height, width), Rgb)
        Name, pixels and colour of what spoils the field.
    note : str
        Why it was not scored, or what else must be known.
    """

    rgb: NDArray[np.uint8] = field(repr=False)
    cells: pd.DataFrame | None = field(repr=False)
    square: Square | None
    mpp_um: float
    title: str
    negatives: bool = False
    numbers: bool = False
    tinted: Sequence[tuple[str, NDArray[np.bool_], Rgb]] = field(default=(), repr=False)
    note: str = ""


def draw_field(picture: FieldPicture) -> NDArray[np.uint8]:
    """The field with a ring round every positive and suspect cell, its border, a title, a legend, a bar.

    Small pictures are enlarged, so that the rings leave their cells to be seen.

    Returns
    -------
    ndarray of uint8, shape (height × n + strips, at least width × n, 3)
        n is 1 for pictures of 700 px and more, else 2 to 4.
    """
    large = enlarged(picture, zoom_of(picture.rgb.shape))
    canvas = _marked(large)
    _border(canvas, large.square)
    legend = [Key(text=name, colour=colour, mark=Mark.TINT) for name, _, colour in large.tinted]
    if large.cells is not None:
        legend = [*_legend(large.cells, negatives=large.negatives), *legend]
    bar_um = round_bar_um(max(canvas.shape[1] * large.mpp_um / 6, 1.0))
    return framed(
        canvas,
        title=large.title,
        legend=legend,
        mpp_um=large.mpp_um,
        bar_um=min(bar_um, 50.0),
        note=large.note,
    )


def tinted(picture: FieldPicture) -> NDArray[np.uint8]:
    """The bare pixels of a field, with what spoils it tinted."""
    canvas = picture.rgb.copy()
    for _, inside, colour in picture.tinted:
        tint(canvas, inside, colour)
    return canvas


def with_marks(picture: FieldPicture) -> NDArray[np.uint8]:
    """A picture with its tints and marks alone, enlarged where it is small, its surroundings paled."""
    return _marked(enlarged(picture, zoom_of(picture.rgb.shape)))


def _marked(large: FieldPicture) -> NDArray[np.uint8]:
    """Tints, marks and pale surroundings on a picture that is as large as it will be."""
    canvas = tinted(large)
    if large.square is not None:
        _fade_outside(canvas, large.square)
    if large.cells is not None:
        draw_rings(canvas, large.cells, mpp_um=large.mpp_um, negatives=large.negatives)
        if large.numbers:
            canvas = _numbered(canvas, large.cells, mpp_um=large.mpp_um)
    return canvas


def _numbered(canvas: NDArray[np.uint8], cells: pd.DataFrame, *, mpp_um: float) -> NDArray[np.uint8]:
    """The picture with each ringed cell's number above its ring, to the right."""
    image = Image.fromarray(canvas)
    pen = ImageDraw.Draw(image)
    letters = font(_NUMBER_PX)
    for cell in cells[cells["class"] != CellClass.NEGATIVE].to_dict("records"):
        reach = 0.7 * ring_radius_px(cell["diameter_um"], mpp_um)
        pen.text(
            (cell["x_px"] + reach, cell["y_px"] - reach), str(cell["number"]), INK, letters,
            anchor="ls", stroke_width=2, stroke_fill=PAPER,
        )  # fmt: skip
    return np.array(image)  # one that can be drawn on


def zoom_of(shape_yx: tuple[int, ...]) -> int:
    """How many times a picture is enlarged: 1 from 700 px on, else 2 to 4, to 700 px where that is enough."""
    longest = max(shape_yx[:2])
    return 1 if longest >= _LARGE_PX else int(np.clip(math.ceil(_LARGE_PX / longest), 2, 4))


def enlarged(picture: FieldPicture, zoom: int) -> FieldPicture:
    """The same picture with so many times as many pixels a side."""
    if zoom == 1:
        return picture
    height, width = picture.rgb.shape[:2]
    size = (width * zoom, height * zoom)
    cells = picture.cells
    if cells is not None:
        x, y = (
            centres_of_corners(corners_of_centres(cells[axis].to_numpy(float)) * zoom)
            for axis in ("x_px", "y_px")
        )
        cells = cells.assign(x_px=x, y_px=y)
    return replace(
        picture,
        rgb=np.asarray(cv2.resize(picture.rgb, size, interpolation=cv2.INTER_CUBIC), np.uint8),
        cells=cells,
        square=None if picture.square is None else picture.square.reduced(1 / zoom),
        mpp_um=picture.mpp_um / zoom,
        tinted=[
            (name, np.repeat(np.repeat(inside, zoom, axis=0), zoom, axis=1), colour)
            for name, inside, colour in picture.tinted
        ],
    )


def _legend(cells: pd.DataFrame, *, negatives: bool) -> list[Key]:
    """Classes with their counts, and how each is marked."""
    counts = cells["class"].value_counts()
    keys = [
        Key(text=f"{kind} {counts[kind]}", colour=colour, mark=Mark.RING)
        for kind, colour in MEMBRANE_COLOURS.items()
        if kind in counts
    ]
    if keys:
        return keys
    for kind, colour in CLASS_COLOURS.items():
        text = f"{kind} {counts.get(kind, 0)}"
        if kind == CellClass.NEGATIVE:
            keys.append(Key(text=text if negatives else f"{text}, not marked", colour=colour, mark=Mark.DOT))
        else:
            keys.append(Key(text=text, colour=colour, mark=Mark.RING))
    return keys


def draw_rings(
    canvas: NDArray[np.uint8], cells: pd.DataFrame, *, mpp_um: float, negatives: bool = True
) -> None:
    """Draw a ring round every positive and suspect cell, in place; negative ones are small dots.

    Of a reviewed field, a cell that a reader added (`class_tool` empty) has a ring of dashes, one that a
    reader removed a cross.

    Every nucleus has one mark: a dot that would lie within another cell's ring is left out.

    Parameters
    ----------
    canvas : ndarray of uint8, shape (height, width, 3)
    cells : DataFrame
        Columns x_px, y_px, class, diameter_um.
    mpp_um : float
        µm per pixel.
    negatives : bool
        Mark negative cells at all.
    """
    unit = 1 << SUBPIXEL_BITS
    ringed = cells[cells["class"] != CellClass.NEGATIVE]
    if negatives:
        dot_px = max(_DOT_UM / 2 / mpp_um, 2.0)
        for x, y in _alone(cells[cells["class"] == CellClass.NEGATIVE], ringed, mpp_um):
            centre = round(x * unit), round(y * unit)
            colour = CLASS_COLOURS[CellClass.NEGATIVE]
            cv2.circle(canvas, centre, round(dot_px * unit), colour, -1, cv2.LINE_AA, SUBPIXEL_BITS)
    width = 2 if mpp_um > _FINE_UM else 3
    colours = CLASS_COLOURS | MEMBRANE_COLOURS
    for kind in (*MEMBRANE_COLOURS, CellClass.PIGMENT_SUSPECT, CellClass.POSITIVE):
        for cell in ringed[ringed["class"] == kind].to_dict("records"):
            centre = round(cell["x_px"] * unit), round(cell["y_px"] * unit)
            radius = round(ring_radius_px(cell["diameter_um"], mpp_um) * unit)
            if cell.get("class_tool") == "":
                _dashed(canvas, centre, radius, colours[kind], width)
            else:
                cv2.circle(canvas, centre, radius, colours[kind], width, cv2.LINE_AA, SUBPIXEL_BITS)
    for cell in ringed[ringed["class"] == REMOVED].to_dict("records"):
        _cross(canvas, cell, ring_radius_px(cell["diameter_um"], mpp_um), width)


def _dashed(canvas: NDArray[np.uint8], centre: tuple[int, int], radius: int, colour: Rgb, width: int) -> None:
    """A ring of dashes, for a cell that a reader added; all in sixteenths of a pixel."""
    for start in range(0, 360, _DASH_DEG):
        arc = (start, start + _DASH_DEG * 0.55)
        cv2.ellipse(
            canvas, centre, (radius, radius), 0, *arc, colour, width, cv2.LINE_AA, SUBPIXEL_BITS
        )  # fmt: skip


def _cross(canvas: NDArray[np.uint8], cell: Mapping[Hashable, Any], radius_px: float, width: int) -> None:
    """A cross through a cell that a reader removed, in the colour of the class that the tool gave."""
    unit = 1 << SUBPIXEL_BITS
    x, y, reach = (round(value * unit) for value in (cell["x_px"], cell["y_px"], 0.8 * radius_px))
    colour = CLASS_COLOURS[cell["class_tool"]]
    for sign in (1, -1):
        ends = (x - reach, y - sign * reach), (x + reach, y + sign * reach)
        cv2.line(canvas, *ends, colour, width, cv2.LINE_AA, SUBPIXEL_BITS)


def ring_radius_px(diameter_um: float, mpp_um: float) -> float:
    """Radius of a cell's ring: a µm of air around it."""
    return (diameter_um / 2 + 1) / mpp_um


def _alone(negative: pd.DataFrame, ringed: pd.DataFrame, mpp_um: float) -> NDArray[np.float64]:
    """Centres of negative cells that lie in no ring, nor on a dot that is drawn, shape (n, 2)."""
    at = negative[["x_px", "y_px"]].to_numpy(float)
    rings = ringed[["x_px", "y_px"]].to_numpy(float)
    radius = np.array([ring_radius_px(one, mpp_um) for one in ringed["diameter_um"]])
    keep = [not (np.hypot(*(rings - one).T) < radius).any() for one in at]
    drawn: list[NDArray[np.float64]] = []
    for one in at[np.array(keep, bool)]:
        if not drawn or np.hypot(*(np.array(drawn) - one).T).min() >= _DOT_UM / mpp_um:
            drawn.append(one)
    return np.array(drawn).reshape(-1, 2)


def _fade_outside(canvas: NDArray[np.uint8], square: Square) -> None:
    """Pale the surroundings, which are read but not counted."""
    faded = (canvas.astype(np.uint16) + 2 * 255) // 3
    window, inside = square.pixels(canvas.shape)
    faded[window][inside] = canvas[window][inside]
    canvas[:] = faded


def _border(canvas: NDArray[np.uint8], square: Square | None) -> None:
    """Draw the outline of the field, or of the whole picture; an upright one sharp, on whole pixels."""
    if square is not None and not is_upright(square.corners_xy_px):
        outline(canvas, square.polygon, INK, 1.0, width=2)
        return
    left, top, right, bottom = 0.0, 0.0, float(canvas.shape[1]), float(canvas.shape[0])
    if square is not None:
        left, top, right, bottom = square.polygon.bounds
    cv2.rectangle(canvas, (round(left), round(top)), (round(right) - 1, round(bottom) - 1), INK, 2)
