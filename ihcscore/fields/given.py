"""Fields that a pathologist chose, as squares in QuPath's GeoJSON."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from ihcscore.errors import AnnotationError
from ihcscore.geometry.square import square_corners
from ihcscore.regions.annotations import checked, role_of
from ihcscore.regions.qupath import class_name, features, polygon
from ihcscore.regions.read import decoded
from ihcscore.schema import RegionName

_REGION_OF = {"centre": RegionName.TUMOUR_CENTRE, "front": RegionName.INVASIVE_FRONT}
# A square drawn by hand is seldom one to the pixel.
SQUARE_TOLERANCE = 0.02
# One that is turned must show by its sides and angles, each to this share, what it was meant to be.
TURNED_TOLERANCE = 0.01
# Shapes that fill their bounding box but for this share are upright; it is a turn of 3e-8 degrees.
_UPRIGHT_TOLERANCE = 1e-9


def parse_fields(raw: bytes, *, name: str) -> pd.DataFrame:
    """Read given fields: squares, upright or turned, as `fields.geojson` holds them.

    A field's region is its class (Tumour centre, Invasive front, else Given fields), its name the
    annotation's name.

    Parameters
    ----------
    raw : bytes
        The file's content; level-0 pixels from the corner of the scanned area.
    name : str
        The file's name, for messages.

    Returns
    -------
    DataFrame
        Columns region, field_id, x_px, y_px, side_px (of the square before its turn) and angle_deg, above
        -45 to 45: a square looks the same after a quarter turn.

    Raises
    ------
    AnnotationError
        If it is not GeoJSON, if a feature is no square, or if two have the same name.
    """
    rows = []
    for number, feature in enumerate(features(decoded(raw, name=name), name), 1):
        properties = feature.get("properties") or {}
        where = f"{name}: feature {number}"
        square = checked(polygon(feature.get("geometry"), where), where)
        region = _REGION_OF.get(role_of(class_name(properties)) or "", RegionName.GIVEN)
        given_name = str(properties.get("name") or f"given-{number}")
        rows.append((str(region), given_name, *_as_square(square, where)))
    fields = pd.DataFrame(rows, columns=["region", "field_id", "x_px", "y_px", "side_px", "angle_deg"])
    twice = fields["field_id"][fields["field_id"].duplicated()]
    if len(twice):
        raise AnnotationError(f"{name}: two fields are named {twice.iloc[0]}; give each its own name")
    unsafe = [field for field in fields["field_id"] if not field.replace("-", "").replace("_", "").isalnum()]
    if unsafe:
        raise AnnotationError(
            f"{name}: field name {unsafe[0]!r}: use letters, digits, - and _, it names files"
        )
    return fields


def _as_square(area: BaseGeometry, where: str) -> tuple[float, float, float, float]:
    """Left and top edge and side of a square before its turn, and the turn in degrees.

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
    return left, top, float(np.sqrt(width * height)), 0.0


def _turned_square(area: BaseGeometry) -> tuple[float, float, float, float] | None:
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
    x, y = corners.mean(axis=0).tolist()
    side = float(np.sqrt(area.area))
    return x - side / 2, y - side / 2, side, angle - 90 * math.ceil((angle - 45) / 90)


def check_fields_on_slide(fields: pd.DataFrame, *, size_xy_px: tuple[int, int], name: str) -> list[str]:
    """Refuse fields that stick out of the slide; warn of fields that overlap.

    Raises
    ------
    AnnotationError
    """
    width, height = size_xy_px
    squares = {
        row["field_id"]: shapely.Polygon(
            square_corners(row["x_px"], row["y_px"], row["side_px"], row["angle_deg"])
        )
        for row in fields.to_dict("records")
    }
    slide = shapely.box(0, 0, width, height)
    for field_id, square in squares.items():
        if not slide.contains(square):
            raise AnnotationError(
                f"{name}: field {field_id} sticks out of the slide of {width} × {height} px; "
                "was it drawn on another image?"
            )
    overlap = sum(square.area for square in squares.values()) - shapely.union_all([*squares.values()]).area
    return ["given fields overlap: cells there count twice"] if overlap > 1 else []
