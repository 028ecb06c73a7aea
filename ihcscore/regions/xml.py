"""Annotations in XML: Aperio ImageScope and ASAP.

Both give level-0 pixels from the corner of the whole canvas, not of the scanned area as QuPath does, so the
scanned area's origin (OpenSlide's ``bounds``) is subtracted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from xml.etree.ElementTree import Element, ParseError

import defusedxml.ElementTree
import numpy as np
import shapely
from defusedxml import DefusedXmlException
from shapely.geometry.base import BaseGeometry

from ihcscore.errors import AnnotationError
from ihcscore.regions.annotations import Annotations, Drawn, checked, gather

# ImageScope's region types (Region/@Type): outlines, and an ellipse given by two corners of its box.
_IMAGESCOPE_OUTLINES = {"0", "1"}
_IMAGESCOPE_ELLIPSE = "2"
_ASAP_OUTLINES = {"polygon", "spline", "rectangle"}
_ELLIPSE_CORNERS = 128


def parse_xml(text: str, *, name: str, origin_xy_px: tuple[int, int]) -> Annotations:
    """Read annotations of ImageScope or ASAP, told apart by the name of the root.

    ImageScope: the class is the layer's name, or the region's text where the layer has none; negative
    regions are cut out. ASAP: the class is the group, or the annotation's name where it is in none.

    Parameters
    ----------
    text : str
        The file's content.
    name : str
        The file's name, for messages.
    origin_xy_px : tuple of int
        Corner of the scanned area on the canvas, level-0 pixels.

    Raises
    ------
    AnnotationError
        If it is not XML, declares entities, is of another program, holds a polygon that is broken or
        crosses itself, or nothing that says where the tumour is.
    """
    try:
        root = defusedxml.ElementTree.fromstring(text, forbid_dtd=True)
    except DefusedXmlException as error:
        raise AnnotationError(
            f"{name}: declares a DTD or entities, which annotations never need; refused"
        ) from error
    except (ParseError, ValueError) as error:
        raise AnnotationError(f"{name}: not valid XML ({error}); export it again") from error
    if root.tag == "Annotations":
        drawn = _imagescope(root, name)
    elif root.tag == "ASAP_Annotations":
        drawn = _asap(root, name)
    else:
        raise AnnotationError(f"{name}: root is <{root.tag}>, expected ImageScope's or ASAP's annotations")
    moved = [
        Drawn(
            class_name=area.class_name,
            polygon=shapely.transform(area.polygon, lambda xy: xy - np.asarray(origin_xy_px, float)),
            where=area.where,
        )
        for area in drawn
    ]
    return gather(moved, name=name)


def _imagescope(root: Element, name: str) -> Iterator[Drawn]:
    for layer in root.iter("Annotation"):
        layer_name = layer.get("Name", "").strip() or _attribute(layer, "Description")
        for region in layer.iter("Region"):
            kind = region.get("Type", "0")
            class_name = layer_name or region.get("Text", "").strip()
            where = f"{name}: region {region.get('Id', '?')} ({class_name or 'no class'})"
            if kind not in _IMAGESCOPE_OUTLINES | {_IMAGESCOPE_ELLIPSE}:
                continue  # arrows and rulers
            corners = _corners(region.iter("Vertex"), where)
            polygon = _ellipse(corners) if kind == _IMAGESCOPE_ELLIPSE else _outline(corners, where)
            negative = region.get("NegativeROA", "0") == "1"
            yield Drawn(class_name="Ignore" if negative else class_name, polygon=polygon, where=where)


def _attribute(layer: Element, name: str) -> str:
    for attribute in layer.iter("Attribute"):
        if attribute.get("Name") == name:
            return attribute.get("Value", "").strip()
    return ""


def _asap(root: Element, name: str) -> Iterator[Drawn]:
    for annotation in root.iter("Annotation"):
        group = annotation.get("PartOfGroup", "").strip()
        class_name = annotation.get("Name", "").strip() if group in ("", "None") else group
        where = f"{name}: annotation '{annotation.get('Name', '?')}' ({class_name or 'no class'})"
        if annotation.get("Type", "").lower() not in _ASAP_OUTLINES:
            continue  # dots and measurements
        ordered = sorted(annotation.iter("Coordinate"), key=lambda c: float(c.get("Order", "0")))
        yield Drawn(class_name=class_name, polygon=_outline(_corners(ordered, where), where), where=where)


def _corners(points: Iterable[Element], where: str) -> list[tuple[float, float]]:
    try:
        corners = [(float(point.get("X", "")), float(point.get("Y", ""))) for point in points]
    except (TypeError, ValueError) as error:
        raise AnnotationError(f"{where}: broken coordinates ({error})") from error
    if not np.isfinite(corners).all():
        raise AnnotationError(f"{where}: broken coordinates (not finite)")
    return corners


def _outline(corners: list[tuple[float, float]], where: str) -> BaseGeometry:
    if len(corners) < 3:
        raise AnnotationError(f"{where}: has {len(corners)} corners, expected 3 or more; draw it again")
    return checked(shapely.Polygon(corners), where)


def _ellipse(corners: list[tuple[float, float]]) -> BaseGeometry:
    """An ellipse in the box between the outermost corners."""
    box = np.asarray(corners, float)
    (left, top), (right, bottom) = box.min(axis=0), box.max(axis=0)
    angle = np.linspace(0, 2 * np.pi, _ELLIPSE_CORNERS, endpoint=False)
    x = (left + right) / 2 + (right - left) / 2 * np.cos(angle)
    y = (top + bottom) / 2 + (bottom - top) / 2 * np.sin(angle)
    return shapely.Polygon(np.column_stack([x, y]))
