"""What a pathologist drew, whatever the program it was drawn in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry
from shapely.validation import explain_validity

from ihcscore.errors import AnnotationError
from ihcscore.schema import RegionName, RegionSource

EMPTY = shapely.MultiPolygon()

# Class names as people write them, in lower case.
_TUMOUR = {"tumor", "tumour"}
_CENTRE = {"tumour centre", "tumor center", "tumour center", "tumor centre"}
_FRONT = {"invasive front", "invasive margin"}
_REGION_OF = {"centre": RegionName.TUMOUR_CENTRE, "front": RegionName.INVASIVE_FRONT}
_EXCLUDED = {"ignore", "exclude", "necrosis"}
_PIGMENT = {"pigment", "melanin"}

# An outline with more corners than this is thinned, by a pixel at a time: hand-drawn ones have hundreds,
# traced masks tens of thousands, and buffers of millions take minutes.
MAX_CORNERS = 20_000


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """One area with the name of its class.

    Attributes
    ----------
    class_name : str
    polygon : shapely geometry
        Level-0 pixels.
    where : str
        File and place in it, for messages.
    title : str
        The name that the area itself was given; empty where it has none.
    """

    class_name: str
    polygon: BaseGeometry
    where: str
    title: str = ""

    @property
    def region(self) -> RegionName:
        """The region that the class names; given fields where it names none."""
        return _REGION_OF.get(role_of(self.class_name) or "", RegionName.GIVEN)


@dataclass(frozen=True, kw_only=True)
class Annotations:
    """Areas by what they mean, as geometries in level-0 pixels.

    Attributes
    ----------
    tumour, centre, front, excluded : shapely geometry
        Polygons of the classes, empty where none was drawn.
    pigment : shapely geometry
        Examples of the slide's pigment, for its colour; no part of any region.
    unknown : tuple of str
        Class names that mean nothing here.
    source : RegionSource
    """

    tumour: BaseGeometry = EMPTY
    centre: BaseGeometry = EMPTY
    front: BaseGeometry = EMPTY
    excluded: BaseGeometry = EMPTY
    pigment: BaseGeometry = EMPTY
    unknown: tuple[str, ...] = ()
    source: RegionSource = RegionSource.ANNOTATED


def role_of(class_name: str) -> str | None:
    """What a class means, by the name of a field of :class:`Annotations`; None for nothing here."""
    lower = " ".join(class_name.lower().split())
    if lower in _EXCLUDED or lower.endswith("*"):
        return "excluded"
    for role, names in (("tumour", _TUMOUR), ("centre", _CENTRE), ("front", _FRONT), ("pigment", _PIGMENT)):
        if lower in names:
            return role
    return None


def gather(drawn: Iterable[Drawn], *, name: str, unknown: Iterable[str] = ()) -> Annotations:
    """Sort areas by what their class means.

    Parameters
    ----------
    drawn : iterable of Drawn
    name : str
        The file's name, for messages.
    unknown : iterable of str
        Classes that were met already and mean nothing here.

    Raises
    ------
    AnnotationError
        If an area is broken or crosses itself, or if nothing says where the tumour is.
    """
    found: dict[str, list[BaseGeometry]] = {
        role: [] for role in ("tumour", "centre", "front", "excluded", "pigment")
    }
    ignored = set(unknown)
    for area in drawn:
        role = role_of(area.class_name)
        if role is None:
            ignored.add(area.class_name or "(no class)")
        else:
            found[role].append(_thinned(checked(area.polygon, area.where)))
    if not (found["tumour"] or found["centre"] or found["front"]):
        classes = ", ".join(sorted(ignored)) or "none"
        raise AnnotationError(
            f"{name}: no polygon classed Tumor, Tumour centre or Invasive front (classes found: {classes})"
        )
    merged = {role: shapely.union_all(areas) if areas else EMPTY for role, areas in found.items()}
    return Annotations(**merged, unknown=tuple(sorted(ignored)))


def checked(polygon: BaseGeometry, where: str) -> BaseGeometry:
    """The polygon itself.

    Raises
    ------
    AnnotationError
        If it has no area, coordinates that are not numbers, or crosses itself.
    """
    finite = bool(np.isfinite(shapely.get_coordinates(polygon)).all())
    if not polygon.is_empty and finite and not polygon.is_valid:
        raise AnnotationError(
            f"{where}: crosses itself ({explain_validity(polygon)}); mend it and export it again"
        )
    if polygon.is_empty or not finite or polygon.area == 0:
        raise AnnotationError(f"{where}: has no area; draw it again")
    return polygon


def _thinned(polygon: BaseGeometry) -> BaseGeometry:
    """The polygon with at most `MAX_CORNERS` corners, none of them moved by more pixels than needed."""
    tolerance_px = 0.5
    thinned = polygon
    while shapely.get_num_coordinates(thinned) > MAX_CORNERS:
        tolerance_px *= 2
        thinned = polygon.simplify(tolerance_px)
    return thinned
