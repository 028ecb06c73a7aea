"""Fields that a pathologist chose, as squares in QuPath's GeoJSON."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely

from ihcscore.errors import AnnotationError
from ihcscore.regions.annotations import checked, role_of
from ihcscore.regions.qupath import class_name, features, polygon
from ihcscore.regions.reading import decoded
from ihcscore.schema import RegionName

_REGION_OF = {"centre": RegionName.TUMOUR_CENTRE, "front": RegionName.INVASIVE_FRONT}
# A square drawn by hand is seldom one to the pixel.
SQUARE_TOLERANCE = 0.02


def parse_fields(raw: bytes, *, name: str) -> pd.DataFrame:
    """Read given fields: squares along the axes, as `fields.geojson` holds them.

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
        Columns region, field_id, x_px, y_px, side_px.

    Raises
    ------
    AnnotationError
        If it is not GeoJSON, if a feature is no square along the axes, or if two have the same name.
    """
    rows = []
    for number, feature in enumerate(features(decoded(raw, name=name), name), 1):
        properties = feature.get("properties") or {}
        where = f"{name}: feature {number}"
        square = checked(polygon(feature.get("geometry"), where), where)
        left, top, right, bottom = square.bounds
        width, height = right - left, bottom - top
        is_box = square.area >= (1 - SQUARE_TOLERANCE) * width * height
        if not is_box or abs(width / height - 1) > SQUARE_TOLERANCE:
            raise AnnotationError(
                f"{where}: is {width:.0f} × {height:.0f} px, expected a square along the axes"
            )
        region = _REGION_OF.get(role_of(class_name(properties)) or "", RegionName.GIVEN)
        given_name = str(properties.get("name") or f"given-{number}")
        rows.append((str(region), given_name, left, top, float(np.sqrt(width * height))))
    fields = pd.DataFrame(rows, columns=["region", "field_id", "x_px", "y_px", "side_px"])
    twice = fields["field_id"][fields["field_id"].duplicated()]
    if len(twice):
        raise AnnotationError(f"{name}: two fields are named {twice.iloc[0]}; give each its own name")
    unsafe = [field for field in fields["field_id"] if not field.replace("-", "").replace("_", "").isalnum()]
    if unsafe:
        raise AnnotationError(
            f"{name}: field name {unsafe[0]!r}: use letters, digits, - and _, it names files"
        )
    return fields


def check_fields_on_slide(fields: pd.DataFrame, *, size_xy_px: tuple[int, int], name: str) -> list[str]:
    """Refuse fields that stick out of the slide; warn of fields that overlap.

    Raises
    ------
    AnnotationError
    """
    width, height = size_xy_px
    squares = {
        row["field_id"]: shapely.box(
            row["x_px"], row["y_px"], row["x_px"] + row["side_px"], row["y_px"] + row["side_px"]
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
