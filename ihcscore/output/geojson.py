"""GeoJSON that QuPath opens: level-0 pixels, pixel corners at whole numbers."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from ihcscore.geometry.field import square_of
from ihcscore.geometry.mark import MARK, DrawnMark
from ihcscore.geometry.square import corners_of_centres
from ihcscore.schema import Rgb

_CIRCLE_CORNERS = 12
# Of coordinates in pixels, and of the cells' measurements: ODs and a confidence from 0 to 1, in full in
# cells.csv. Fields are given back to be scored again, and keep all digits.
_DECIMALS = 2
_MEASURED_DECIMALS = 4
_FIELD_MEASUREMENTS = {
    "Num Positive": "n_positive",
    "Num Negative": "n_negative",
    "Num Pigment suspect": "n_pigment_suspect",
    "Num Positive per mm^2": "positive_per_mm2",
}


def regions_geojson(areas: Mapping[str, tuple[BaseGeometry, Rgb]], *, slide: str) -> dict[str, Any]:
    """Annotations, one for each polygon of each class.

    Parameters
    ----------
    areas : mapping
        Class name to geometry (level-0 pixels) and colour.
    slide : str
        File name of the slide; names the features, so that the same run gives the same ids.
    """
    features = []
    for class_name, (area, colour) in areas.items():
        polygons = [part for part in shapely.get_parts(area) if part.geom_type == "Polygon"]
        for number, polygon in enumerate(polygons, 1):
            features.append(
                _feature(
                    f"{slide}/{class_name}/{number}",
                    _coordinates(polygon),
                    {
                        "objectType": "annotation",
                        "classification": {"name": class_name, "color": list(colour)},
                    },
                )
            )
    return {"type": "FeatureCollection", "features": features}


def fields_geojson(
    fields: pd.DataFrame, colours: Mapping[str, Rgb], *, mark: DrawnMark | None = None
) -> dict[str, Any]:
    """The fields as locked squares, with their counts under QuPath's names where they were scored.

    Parameters
    ----------
    fields : DataFrame
        A field table, or a plan's.
    colours : mapping
        Of regions.
    mark : DrawnMark, optional
        How the fields were drawn: a member of the collection beside its features (RFC 7946, section 6.1).
    """
    features = []
    for row in fields.to_dict("records"):
        corners = square_of(row).corners_xy_px.tolist()
        measured = {name: row.get(column) for name, column in _FIELD_MEASUREMENTS.items()}
        features.append(
            _feature(
                f"{row['slide']}/{row['field_id']}",
                [[*corners, corners[0]]],
                {
                    "objectType": "annotation",
                    "name": row["field_id"],
                    "isLocked": True,
                    "classification": {"name": row["region"], "color": list(colours[row["region"]])},
                    "measurements": {name: float(v) for name, v in measured.items() if pd.notna(v)},
                    "metadata": {
                        "field": str(row["field_id"]),
                        **({} if mark is None else mark.as_metadata(str(row["field_id"]))),
                    },
                },
            )
        )
    said = {} if mark is None else {MARK: mark.as_json()}
    return {"type": "FeatureCollection", **said, "features": features}


def cells_geojson(
    cells: pd.DataFrame, colours: Mapping[str, Rgb], *, mpp_um: float, run_key: str = ""
) -> dict[str, Any]:
    """The cells as detections: a circle of the cell's size, its name, class and measurements.

    Parameters
    ----------
    cells : DataFrame
        Of one slide; its rows of a class without a colour are no cells any more.
    colours : mapping
        Of classes.
    mpp_um : float
        µm per level-0 pixel.
    run_key : str
        Of the run, by which corrections that come back are known.
    """
    angle = np.linspace(0, 2 * np.pi, _CIRCLE_CORNERS + 1)
    circle = np.column_stack([np.cos(angle), np.sin(angle)])
    circle[-1] = circle[0]  # a ring ends where it starts, to the last bit
    features = []
    for row in cells[cells["class"].isin(list(colours))].to_dict("records"):
        centre = corners_of_centres(np.array([row["x_px"], row["y_px"]]))
        ring = centre + circle * row["diameter_um"] / 2 / mpp_um
        measured = {
            "Cell: DAB OD mean": row["chromogen_od"],
            "Nucleus: Hematoxylin OD mean": row["hematoxylin_od"],
            "Confidence": row["confidence"],
        }
        features.append(
            _feature(
                None,
                [_short(ring)],
                {
                    "objectType": "detection",
                    "name": f"{row['field_id']} #{row['number']}",
                    "classification": {"name": row["class"], "color": list(colours[row["class"]])},
                    "measurements": {
                        name: round(float(v), _MEASURED_DECIMALS)
                        for name, v in measured.items()
                        if pd.notna(v)
                    },
                    # QuPath keeps it, as text, and writes it back.
                    "metadata": {"field": row["field_id"], "number": str(row["number"]), "run": run_key},
                },
                feature_id=row["cell_id"],
            )
        )
    return {"type": "FeatureCollection", "features": features}


def _feature(
    name: str | None, coordinates: list[Any], properties: dict[str, Any], *, feature_id: str = ""
) -> dict[str, Any]:
    return {
        "type": "Feature",
        "id": feature_id if name is None else str(uuid.uuid5(uuid.NAMESPACE_OID, name)),
        "geometry": {"type": "Polygon", "coordinates": coordinates},
        "properties": properties,
    }


def _coordinates(polygon: BaseGeometry) -> list[Any]:
    rings = (polygon.exterior, *polygon.interiors)
    return [_short(shapely.get_coordinates(ring)) for ring in rings]


def _short(xy_px: NDArray[np.float64]) -> list[list[float | int]]:
    """Points to a hundredth of a pixel, so that none moves by more than half of that; whole numbers bare."""
    points: list[list[float]] = np.round(xy_px, _DECIMALS).tolist()
    return [[int(value) if value == int(value) else value for value in point] for point in points]
