"""A field with its cells."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ihcscore.geometry.square import Square, is_upright
from ihcscore.pictures.frame import INK, SUBPIXEL_BITS, framed, outline
from ihcscore.schema import CLASS_COLOURS, CellClass


@dataclass(frozen=True, kw_only=True)
class FieldPicture:
    """One field with its surroundings.

    Attributes
    ----------
    rgb : ndarray of uint8, shape (height, width, 3)
    cells : DataFrame
        Columns x_px, y_px (pixels of `rgb`, centres at whole numbers), class, diameter_um.
    square : Square or None
        The field, in pixels of `rgb`; None where all of `rgb` counts.
    mpp_um : float
        µm per pixel of `rgb`.
    title : str
    """

    rgb: NDArray[np.uint8] = field(repr=False)
    cells: pd.DataFrame = field(repr=False)
    square: Square | None
    mpp_um: float
    title: str


def draw_field(picture: FieldPicture) -> NDArray[np.uint8]:
    """The field with a ring round every cell, its border, a title, a legend and a scale bar.

    Returns
    -------
    ndarray of uint8, shape (height + strips, width, 3)
    """
    canvas = picture.rgb.copy()
    if picture.square is not None:
        _fade_outside(canvas, picture.square)
    draw_rings(canvas, picture.cells, mpp_um=picture.mpp_um)
    _border(canvas, picture.square)
    counts = picture.cells["class"].value_counts()
    legend = [(f"{kind} {counts.get(kind, 0)}", colour) for kind, colour in CLASS_COLOURS.items()]
    return framed(canvas, title=picture.title, legend=legend, mpp_um=picture.mpp_um, bar_um=50)


def draw_rings(canvas: NDArray[np.uint8], cells: pd.DataFrame, *, mpp_um: float) -> None:
    """Draw a ring round every cell, in place; negative cells thin, so that they don't crowd the rest."""
    unit = 1 << SUBPIXEL_BITS
    for kind, colour in reversed(CLASS_COLOURS.items()):
        width = 1 if kind == CellClass.NEGATIVE else 2
        for cell in cells[cells["class"] == kind].to_dict("records"):
            centre = round(cell["x_px"] * unit), round(cell["y_px"] * unit)
            radius = round((cell["diameter_um"] / 2 + 1) / mpp_um * unit)
            cv2.circle(canvas, centre, radius, colour, width, cv2.LINE_AA, SUBPIXEL_BITS)


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
