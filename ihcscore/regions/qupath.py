"""QuPath's GeoJSON."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from ihcscore.errors import AnnotationError
from ihcscore.geometry.mark import MARK, DrawnMark
from ihcscore.regions.annotations import Annotations, Drawn, checked, gather, role_of

# Detections in an export are cells, never regions.
_NOT_REGIONS = {"detection", "cell", "tile"}


def parse_qupath(text: str, *, name: str) -> Annotations:
    """Read QuPath's GeoJSON: a FeatureCollection, a list of features, or one feature.

    Parameters
    ----------
    text : str
        The file's content; coordinates are level-0 pixels from the corner of the scanned area.
    name : str
        The file's name, for messages.

    Raises
    ------
    AnnotationError
        If it is not GeoJSON, holds a polygon that is broken or crosses itself, or nothing that
        says where the tumour is.
    """
    drawn: list[Drawn] = []
    unknown: list[str] = []
    for number, feature in enumerate(features(text, name), 1):
        properties = feature.get("properties") or {}
        if not isinstance(properties, dict) or properties.get("objectType") in _NOT_REGIONS:
            continue
        of_class = class_name(properties)
        if role_of(of_class) is None:
            # Lines and points of other classes are nobody's mistake.
            unknown.append(of_class or "(no class)")
            continue
        where = f"{name}: feature {number} ({of_class})"
        drawn.append(Drawn(class_name=of_class, polygon=polygon(feature.get("geometry"), where), where=where))
    return gather(drawn, name=name, unknown=unknown)


def parse_areas(text: str, *, name: str) -> list[Drawn]:
    """Read every feature of QuPath's GeoJSON as an area, whatever its class.

    Raises
    ------
    AnnotationError
        If it is not GeoJSON, or a feature is no polygon, is broken or crosses itself.
    """
    areas = []
    for number, feature in enumerate(features(text, name), 1):
        properties = feature.get("properties") or {}
        where = f"{name}: feature {number}"
        areas.append(
            Drawn(
                class_name=class_name(properties),
                polygon=checked(polygon(feature.get("geometry"), where), where),
                where=where,
                title=str(properties.get("name") or ""),
            )
        )
    return areas


def parse_mark(text: str) -> DrawnMark | None:
    """How the fields of QuPath's GeoJSON were drawn; None where it doesn't say."""
    try:
        data = json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        return None
    return DrawnMark.from_json(data.get(MARK)) if isinstance(data, dict) else None


def features(text: str, name: str) -> list[dict[str, Any]]:
    """The features of a FeatureCollection, a list, or a single one."""
    try:
        data = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise AnnotationError(f"{name}: not valid JSON ({error}); export it from QuPath again") from error
    if isinstance(data, dict):
        data = data.get("features") if data.get("type") == "FeatureCollection" else [data]
    if not isinstance(data, list) or not all(
        isinstance(f, dict) and f.get("type") == "Feature" for f in data
    ):
        raise AnnotationError(f"{name}: not GeoJSON features; export the annotations from QuPath as GeoJSON")
    if not data:
        raise AnnotationError(f"{name}: holds no features; draw the tumour in QuPath and export it again")
    return data


def class_name(properties: dict[str, Any]) -> str:
    """The class of an annotation: QuPath's classification, as a map or as plain text."""
    classification = properties.get("classification")
    if isinstance(classification, dict):
        names = classification.get("names")
        classification = classification.get("name") or (
            names[0] if isinstance(names, list) and names else None
        )
    return classification.strip() if isinstance(classification, str) else ""


def polygon(geometry: Any, where: str) -> BaseGeometry:
    """The geometry as a polygon."""
    if not isinstance(geometry, dict) or geometry.get("type") not in ("Polygon", "MultiPolygon"):
        kind = geometry.get("type") if isinstance(geometry, dict) else None
        raise AnnotationError(
            f"{where}: is a {kind or 'nothing'}, expected a Polygon or MultiPolygon; draw an area"
        )
    try:
        with np.errstate(invalid="ignore"):  # coordinates that are not finite are refused further on
            return shape(geometry)
    except Exception as error:
        raise AnnotationError(f"{where}: broken coordinates ({' '.join(str(error).split())})") from error
