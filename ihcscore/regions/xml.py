"""Annotations in XML: Aperio ImageScope, ASAP and HALO.

The first two give level-0 pixels from the corner of the whole canvas, not of the scanned area as QuPath does,
so the scanned area's origin (OpenSlide's ``bounds``) is subtracted. What HALO counts from on slides that have
such an origin is not known for sure; on all others it is the corner of the slide.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from xml.etree.ElementTree import Element, ParseError

import defusedxml.ElementTree
import numpy as np
import shapely
from defusedxml import DefusedXmlException
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from ihcscore.errors import AnnotationError
from ihcscore.regions.annotations import Annotations, Gathering
from ihcscore.regions.classes import class_of, role_of
from ihcscore.regions.shapes import polygon_of

_WAY_ON = "bring the outlines into QuPath, see that they lie on the tumour, and export them as GeoJSON"

# What a region's type (Region/@Type) says it is: ImageScope's numbers, HALO's words.
_OUTLINES = {"", "0", "polygon", "freehand"}
_RECTANGLES = {"1", "rectangle"}
_ELLIPSES = {"2", "ellipse"}
_LINES = {"3", "4", "arrow", "ruler", "pin", "line", "text"}
_ASAP_OUTLINES = {"polygon", "spline", "rectangle"}
_ASAP_POINTS = {"dot", "pointset", "measurement", "none", ""}
_ELLIPSE_CORNERS = 128
# What a negative region of the tumour is.
_NEGATIVE = "Ignore"
# Classes of which negative regions are no part.
_OWN = ("excluded", "pigment")


def parse_xml(
    text: str, *, name: str, origin_xy_px: tuple[int, int] = (0, 0), mpp_um: float = 1.0
) -> Annotations:
    """Read annotations of ImageScope, HALO or ASAP, told apart by the root and the regions' types.

    ImageScope and HALO: the class is the layer's name, or the region's text where the layer's means nothing;
    negative regions are cut out. ASAP: the class is the group, or the nearest group around it that means
    something, or the annotation's name.

    Parameters
    ----------
    text : str
        The file's content.
    name : str
        The file's name, for messages.
    origin_xy_px : tuple of int
        Corner of the scanned area on the canvas, level-0 pixels.
    mpp_um : float
        µm per level-0 pixel.

    Raises
    ------
    AnnotationError
        If it is not XML, declares entities, is of another program, holds a polygon that is broken or
        crosses itself, or nothing that says where the tumour is.
    """
    root = _parsed(text, name)
    gathering = Gathering(name=name, mpp_um=mpp_um)
    origin = np.asarray(origin_xy_px, float)
    if root.tag == "Annotations":
        if _is_halo(root):
            if origin.any():
                raise AnnotationError(
                    f"{name}: HALO's annotations are not read on a slide whose scanned area starts at "
                    f"{origin_xy_px} of its canvas: what they count from there is not sure; {_WAY_ON}"
                )
            gathering.remark("outlines are HALO's: see on the overview that they lie on the tumour")
        _gather_imagescope(root, gathering, origin)
    elif root.tag == "ASAP_Annotations":
        _gather_asap(root, gathering, origin)
    elif root.tag == "annotations" and next(root.iter("ndpviewstate"), None) is not None:
        raise AnnotationError(
            f"{name}: NDP.view's annotations are not read: they are in nanometres from the glass's centre; "
            f"{_WAY_ON}"
        )
    else:
        raise AnnotationError(
            f"{name}: root is <{root.tag}>, expected ImageScope's or ASAP's annotations, or HALO's; {_WAY_ON}"
        )
    return gathering.annotations()


def _parsed(text: str, name: str) -> Element:
    try:
        root: Element = defusedxml.ElementTree.fromstring(text.strip(), forbid_dtd=True)
    except DefusedXmlException as error:
        raise AnnotationError(
            f"{name}: declares a DTD or entities, which annotations never need; refused"
        ) from error
    except (ParseError, ValueError) as error:
        raise AnnotationError(f"{name}: not valid XML ({error}); export it again") from error
    return root


def _is_halo(root: Element) -> bool:
    """HALO's root is ImageScope's; it names types by words and corners ``V``."""
    return any(not region.get("Type", "0").strip().isdigit() for region in root.iter("Region")) or (
        next(root.iter("V"), None) is not None
    )


@dataclass(frozen=True, kw_only=True)
class _Region:
    """A region of ImageScope or HALO whose class means something."""

    class_name: str
    negative: bool
    area: BaseGeometry
    where: str


def _gather_imagescope(root: Element, gathering: Gathering, origin: NDArray[np.float64]) -> None:
    for layer in root.iter("Annotation"):
        regions = list(_regions_of(layer, gathering, origin))
        for one in _without_own_negatives(regions, gathering):
            class_name = _NEGATIVE if one.negative else one.class_name
            gathering.add(one.area, class_name=class_name, where=one.where)


def _regions_of(layer: Element, gathering: Gathering, origin: NDArray[np.float64]) -> Iterator[_Region]:
    """Regions of a layer, as far as their class means something and they are areas."""
    layer_name = layer.get("Name", "").strip() or _attribute(layer, "Description")
    for region in layer.iter("Region"):
        kind = region.get("Type", "0").strip().lower()
        vertices = list(region.iter("Vertex")) or list(region.iter("V"))
        if kind in _LINES and len(vertices) < 3:
            continue
        text = region.get("Text", "").strip()
        negative = region.get("NegativeROA", "0").strip().lower() in ("1", "true")
        class_name = class_of([layer_name, text])
        if negative and not class_name:
            class_name, negative = _NEGATIVE, False
        if not gathering.wants(class_name):
            continue
        number = f"region {region.get('Id', '?')}"
        _say_otherwise_named(gathering, number, text, class_name)
        where = f"{gathering.name}: {number} ({class_name})"
        if kind not in _OUTLINES | _RECTANGLES | _ELLIPSES:
            gathering.leave_out(class_name, f"region of type {kind}, not known; draw it as a polygon")
            continue
        area = _area(kind, _corners(vertices, where) - origin, where)
        yield _Region(class_name=class_name, negative=negative, area=area, where=where)


def _without_own_negatives(regions: list[_Region], gathering: Gathering) -> Iterator[_Region]:
    """The regions of a layer; what is negative within a class to be left out is no part of that class.

    A negative region of the tumour is left out of it. One of a necrosis says where there is none, unless it
    lies on no positive region of the layer: then it can only mean what is to be left out.
    """
    if not any(one.negative and role_of(one.class_name) in _OWN for one in regions):
        yield from regions
        return
    checked = [
        replace(one, area=gathering.checked(one.area, class_name=one.class_name, where=one.where))
        for one in regions
    ]
    checked = [one for one in checked if not one.area.is_empty]
    for role in dict.fromkeys(role_of(one.class_name) for one in checked):
        own = [one for one in checked if role_of(one.class_name) == role]
        if role not in _OWN:
            yield from own
            continue
        kept = shapely.union_all([one.area for one in own if not one.negative])
        cut = shapely.union_all([one.area for one in own if one.negative])
        for one in own:
            if not one.negative:
                yield replace(one, area=one.area.difference(cut))
            elif not one.area.intersects(kept) and role == "excluded":
                yield one


def _say_otherwise_named(gathering: Gathering, what: str, own_name: str, class_name: str) -> None:
    """Say that a shape's own name means something else than the class it is taken for."""
    own = role_of(own_name)
    if own is not None and own != role_of(class_name):
        gathering.remark(f"{what} is named {own_name} and taken as {class_name}, the class around it")


def _attribute(layer: Element, name: str) -> str:
    for attribute in layer.iter("Attribute"):
        if attribute.get("Name") == name:
            return attribute.get("Value", "").strip()
    return ""


def _gather_asap(root: Element, gathering: Gathering, origin: NDArray[np.float64]) -> None:
    parents = {
        group.get("Name", "").strip(): group.get("PartOfGroup", "").strip() for group in root.iter("Group")
    }
    for annotation in root.iter("Annotation"):
        kind = annotation.get("Type", "").strip().lower()
        if kind in _ASAP_POINTS:
            continue
        name = annotation.get("Name", "").strip()
        groups = _groups_around(annotation.get("PartOfGroup", "").strip(), parents)
        class_name = class_of([*groups, name])
        if not gathering.wants(class_name):
            continue
        _say_otherwise_named(gathering, "an annotation", name, class_name)
        where = f"{gathering.name}: annotation '{name or '?'}' ({class_name})"
        if kind not in _ASAP_OUTLINES:
            gathering.leave_out(class_name, f"annotation of type {kind}, not known; draw it as a polygon")
            continue
        corners = _corners(_in_order(annotation, where, gathering), where) - origin
        gathering.add(_area(kind, corners, where), class_name=class_name, where=where)


def _groups_around(group: str, parents: dict[str, str]) -> list[str]:
    """A group and those that it lies in, the nearest first; groups that lie in each other end somewhere."""
    around: list[str] = []
    while group not in ("", "None") and group not in around:
        around.append(group)
        group = parents.get(group, "")
    return around


def _in_order(annotation: Element, where: str, gathering: Gathering) -> list[Element]:
    """Corners of an annotation of ASAP by their order, or as they stand where that is no number."""
    corners = list(annotation.iter("Coordinate"))
    try:
        orders = [float(corner.get("Order", "")) for corner in corners]
    except ValueError:
        orders = [math.nan]
    if not all(map(math.isfinite, orders)):
        said = where.removeprefix(f"{gathering.name}: ")
        gathering.remark(f"{said} has corners without an order; they are taken as they stand in the file")
        return corners
    return [corner for _, corner in sorted(zip(orders, corners, strict=True), key=lambda pair: pair[0])]


def _corners(points: Iterable[Element], where: str) -> NDArray[np.float64]:
    """Corners, shape (n, 2), x and y."""
    try:
        corners = [(float(point.get("X", "")), float(point.get("Y", ""))) for point in points]
    except ValueError as error:
        raise AnnotationError(f"{where}: broken coordinates ({error})") from error
    return np.asarray(corners, float).reshape(-1, 2)


def _area(kind: str, corners: NDArray[np.float64], where: str) -> BaseGeometry:
    """The area of a shape, empty where it has too few corners."""
    if kind in _ELLIPSES and len(corners) >= 2:
        return polygon_of([_ellipse(corners)], where)
    if kind in _RECTANGLES and len(corners) == 2:
        (left, top), (right, bottom) = corners
        corners = np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
    return polygon_of([corners], where)


def _ellipse(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """An ellipse in the box between the outermost corners."""
    (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
    angle = np.linspace(0, 2 * np.pi, _ELLIPSE_CORNERS, endpoint=False)
    x = (left + right) / 2 + (right - left) / 2 * np.cos(angle)
    y = (top + bottom) / 2 + (bottom - top) / 2 * np.sin(angle)
    return np.column_stack([x, y])
