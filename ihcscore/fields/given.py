"""Fields that a person chose: shapes to squares."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from ihcscore.errors import AnnotationError
from ihcscore.geometry.field import Field
from ihcscore.geometry.square import Square
from ihcscore.schema import Note, NoteKind

# A square drawn by hand is seldom one to the pixel.
SQUARE_TOLERANCE = 0.02
# One that is turned must show by its sides and angles, each to this share, what it was meant to be.
TURNED_TOLERANCE = 0.01
# Shapes that fill their bounding box but for this share are upright; it is a turn of 3e-8 degrees.
_UPRIGHT_TOLERANCE = 1e-9


def as_square(area: BaseGeometry, where: str) -> Square:
    """The square, upright or turned, that a shape was meant to be.

    Parameters
    ----------
    area : shapely geometry
        Level-0 pixels.
    where : str
        File and place in it, for messages.

    Returns
    -------
    Square
        Its angle is above -45 to 45: a square looks the same after a quarter turn.

    Raises
    ------
    AnnotationError
        If it is none.
    """
    left, top, right, bottom = area.bounds
    width, height = right - left, bottom - top
    upright = area.area >= (1 - _UPRIGHT_TOLERANCE) * width * height
    found = None if upright else _turned_square(area)
    if found is not None:
        return found
    is_box = area.area >= (1 - SQUARE_TOLERANCE) * width * height
    if not is_box or abs(width / height - 1) > SQUARE_TOLERANCE:
        raise AnnotationError(
            f"{where}: spans {width:.0f} × {height:.0f} px, expected a square, upright or turned: four equal "
            f"sides and right angles to {TURNED_TOLERANCE:.0%}; draw it anew"
        )
    return Square(x_px=left, y_px=top, side_px=float(np.sqrt(width * height)))


def _turned_square(area: BaseGeometry) -> Square | None:
    """The square that a polygon of four equal sides and right angles is, however it is turned."""
    parts = shapely.get_parts(area)
    if len(parts) != 1 or len(parts[0].interiors):
        return None
    # Points on the way from corner to corner, and the first one given twice, are no corners.
    ring = shapely.normalize(parts[0].simplify(0.001 * float(np.sqrt(area.area)))).exterior
    corners = np.asarray(shapely.get_coordinates(ring))[:-1]
    if len(corners) != 4:
        return None
    sides = np.diff(corners @ (1, 1j), append=corners[:1] @ (1, 1j))
    lengths = np.abs(sides)
    quarters = np.angle(np.roll(sides, -1) / sides, deg=True) / 90
    if np.abs(lengths / lengths.mean() - 1).max() > TURNED_TOLERANCE or (
        np.abs(np.abs(quarters) - 1).max() > TURNED_TOLERANCE
    ):
        return None
    # The mean direction of the four sides, each turned back onto the first.
    direction = np.sum(sides * np.exp(-0.5j * np.pi * np.sign(quarters[0]) * np.arange(4)))
    angle = float(np.angle(direction, deg=True))
    return Square.about(
        corners.mean(axis=0),
        side_px=float(np.sqrt(area.area)),
        angle_deg=angle - 90 * math.ceil((angle - 45) / 90),
    )


def check_fields_on_slide(fields: Sequence[Field], *, size_xy_px: tuple[int, int], name: str) -> list[Note]:
    """Refuse fields that stick out of the slide; note fields that overlap.

    Raises
    ------
    AnnotationError
    """
    width, height = size_xy_px
    slide = shapely.box(0, 0, width, height)
    squares = [field.square.polygon for field in fields]
    for field, square in zip(fields, squares, strict=True):
        if not slide.contains(square):
            raise AnnotationError(
                f"{name}: field {field.field_id} sticks out of the slide of {width} × {height} px; "
                "was it drawn on another image?"
            )
    overlap = sum(square.area for square in squares) - shapely.union_all(squares).area
    twice = Note(kind=NoteKind.OVERLAP, text="given fields overlap: cells there count twice")
    return [twice] if overlap > 1 else []
