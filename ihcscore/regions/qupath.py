"""QuPath's GeoJSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

from ihcscore.errors import AnnotationError
from ihcscore.geometry.mark import MARK, DrawnMark
from ihcscore.regions.annotations import Annotations, Drawn, Gathering
from ihcscore.regions.shapes import polygon_of
from ihcscore.schema import Note

# Kinds of objects that are no outlines of a person's. Cells and tiles are expected in an export; a core of a
# tissue microarray might be taken for an outline, so that leaving it out is said.
_CELLS = {"detection", "cell", "tile"}
_NO_OUTLINES = _CELLS | {"tmacore", "root"}
_KINDS = _NO_OUTLINES | {"annotation"}
# Where the kind stands: now, in QuPath 0.3, in other exports.
_KIND_KEYS = ("objectType", "object_type", "type")
_CHILDREN_KEYS = ("childObjects", "children")
_AREAS = ("Polygon", "MultiPolygon")


@dataclass(frozen=True, kw_only=True)
class Areas:
    """Areas of a file, whatever their class.

    Attributes
    ----------
    areas : tuple of Drawn
    notes : tuple of Note
        What of the file is no area.
    mark : DrawnMark or None
        How the program drew them, where the file says so.
    """

    areas: tuple[Drawn, ...]
    notes: tuple[Note, ...] = ()
    mark: DrawnMark | None = None


@dataclass(frozen=True, kw_only=True)
class Feature:
    """A feature and where it stands: ``3``, or ``3.1`` for the first child of the third."""

    number: str
    content: dict[str, Any]

    @property
    def properties(self) -> dict[str, Any]:
        """What stands beside its geometry; empty where nothing does."""
        properties = self.content.get("properties")
        return properties if isinstance(properties, dict) else {}

    @property
    def geometry(self) -> Any:
        """As GeoJSON has it."""
        return self.content.get("geometry")

    @property
    def kind(self) -> str:
        """The kind of object, in lower case without blanks; empty where it isn't said."""
        # QuPath 0.2 wrote the kind where the feature's identifier belongs: PathCellObject.
        said = [*(self.properties.get(key) for key in _KIND_KEYS), self.content.get("id")]
        for value in said:
            if isinstance(value, str):
                plain = "".join(c for c in value.lower() if c.isalnum())
                plain = plain.removeprefix("path").removesuffix("object")
                if plain in _KINDS:
                    return plain
        return "cell" if "nucleusGeometry" in self.content else ""


def parse_qupath(text: str, *, name: str, mpp_um: float = 1.0) -> Annotations:
    """Read QuPath's GeoJSON: a collection, a list of features, or one feature, with all their children.

    Parameters
    ----------
    text : str
        The file's content; coordinates are level-0 pixels from the corner of the scanned area.
    name : str
        The file's name, for messages.
    mpp_um : float
        µm per level-0 pixel.

    Raises
    ------
    AnnotationError
        If it is not GeoJSON, holds a polygon that is broken or crosses itself, or nothing that
        says where the tumour is.
    """
    gathering = Gathering(name=name, mpp_um=mpp_um)
    no_outlines: Counter[str] = Counter()
    for feature in features(text, name):
        if feature.kind in _NO_OUTLINES:
            no_outlines[feature.kind] += 1
            continue
        class_name = class_of_properties(feature.properties)
        if not gathering.wants(class_name):
            continue  # lines, points and crossings of other classes are nobody's mistake
        where = f"{name}: feature {feature.number} ({class_name})"
        polygons, others = _polygons(feature.geometry, where)
        for kind, number in others.items():
            gathering.leave_out(class_name, f"{kind}, expected a Polygon or MultiPolygon", number)
        if polygons:
            gathering.add(_as_one(polygons), class_name=class_name, where=where)
    if no_outlines["tmacore"]:
        gathering.remark(_cores(no_outlines["tmacore"]))
    n_cells = sum(no_outlines[kind] for kind in _CELLS)
    if n_cells:
        gathering.hint(f"{n_cells} cells or tiles are no outlines")
    return gathering.annotations()


def parse_areas(text: str, *, name: str) -> Areas:
    """Read every annotation of QuPath's GeoJSON as an area, whatever its class.

    Parameters
    ----------
    text : str
        The file's content.
    name : str
        The file's name, for messages.

    Raises
    ------
    AnnotationError
        If it is not GeoJSON, holds an annotation that is no area, or no annotation at all.
    """
    areas = []
    n_cores = 0
    gathering = Gathering(name=name, mpp_um=1.0)
    for feature in features(text, name):
        n_cores += feature.kind == "tmacore"
        if feature.kind in _NO_OUTLINES:
            continue
        where = f"{name}: feature {feature.number}"
        polygons, others = _polygons(feature.geometry, where)
        if not polygons:
            kind = next(iter(others), "nothing")
            raise AnnotationError(f"{where}: is a {kind}, expected a Polygon or MultiPolygon; draw an area")
        class_name = class_of_properties(feature.properties)
        polygon = gathering.checked(_as_one(polygons), class_name=class_name, where=where)
        if polygon.is_empty:
            raise AnnotationError(f"{where}: has no area; delete it or draw it again")
        title = str(feature.properties.get("name") or "")
        areas.append(Drawn(class_name=class_name, polygon=polygon, where=where, title=title))
    if not areas:
        raise AnnotationError(
            f"{name}: holds no annotation, only cells, tiles or TMA cores; draw areas and export them"
        )
    if n_cores:
        gathering.remark(_cores(n_cores))
    return Areas(areas=tuple(areas), notes=tuple(gathering.notes()), mark=_mark_of(text))


def _mark_of(text: str) -> DrawnMark | None:
    """How the fields of QuPath's GeoJSON were drawn; None where it doesn't say."""
    try:
        data = json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        return None
    mark = DrawnMark.from_json(data.get(MARK)) if isinstance(data, dict) else None
    if mark is not None:
        return mark
    # QuPath writes back what stands in a feature, and drops what stands beside the features.
    properties = (one.get("properties") for one in _listed(data) or ())
    return DrawnMark.from_metadata([one.get("metadata") for one in properties if isinstance(one, dict)])


def _cores(number: int) -> str:
    return f"left out: {number} × TMA core, which is no outline of a person's"


def class_of_properties(properties: dict[str, Any]) -> str:
    """The class of an annotation: QuPath's classification, as a map or as plain text.

    A class derived from another is ``Tumor: Positive`` in both of QuPath's spellings, as one name and as a
    list of names. One that is a colour alone is none.
    """
    classification = properties.get("classification")
    if isinstance(classification, dict):
        classification = classification.get("name") or classification.get("names")
    names = classification if isinstance(classification, list) else [classification]
    parts = [part.strip() for name in names if isinstance(name, str) for part in name.split(":")]
    return ": ".join(part for part in parts if part)


def features(text: str, name: str) -> Iterator[Feature]:
    """The features of a FeatureCollection, a list, or a single one, each before its children."""
    try:
        data = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise AnnotationError(f"{name}: not valid JSON ({error}); export it from QuPath again") from error
    top = _listed(data)
    if top is None:
        raise AnnotationError(f"{name}: not GeoJSON features; export the annotations from QuPath as GeoJSON")
    if not top:
        raise AnnotationError(f"{name}: holds no features; draw the tumour in QuPath and export it again")
    waiting = [Feature(number=str(n), content=one) for n, one in enumerate(top, 1)][::-1]
    while waiting:
        feature = waiting.pop()
        if feature.content.get("type") != "Feature":
            raise AnnotationError(
                f"{name}: not GeoJSON features; export the annotations from QuPath as GeoJSON"
            )
        yield feature
        holders = (feature.properties, feature.content)
        lists = (_listed(holder.get(key)) for holder in holders for key in _CHILDREN_KEYS)
        children = [child for some in lists for child in some or ()]
        waiting += [
            Feature(number=f"{feature.number}.{n}", content=child) for n, child in enumerate(children, 1)
        ][::-1]


def _listed(data: Any) -> list[dict[str, Any]] | None:
    """The maps of a collection, a list (also one of collections) or of one map; None for anything else."""
    if isinstance(data, dict):
        if data.get("type") != "FeatureCollection":
            return [data]
        data = data.get("features")
    if not isinstance(data, list) or not all(isinstance(one, dict) for one in data):
        return None
    collections = [one for one in data if one.get("type") == "FeatureCollection"]
    if not collections:
        return data
    inside = [one.get("features") if one in collections else [one] for one in data]
    return [one for some in inside if isinstance(some, list) for one in some if isinstance(one, dict)]


def _polygons(geometry: Any, where: str) -> tuple[list[BaseGeometry], Counter[str]]:
    """Polygons of a geometry, those of a collection too, and the kinds of what else it holds.

    Raises
    ------
    AnnotationError
        If the coordinates of a polygon cannot be read.
    """
    polygons: list[BaseGeometry] = []
    others: Counter[str] = Counter()
    waiting = [geometry]
    while waiting:
        one = waiting.pop(0)
        kind = one.get("type") if isinstance(one, dict) else None
        if kind == "GeometryCollection" and isinstance(one.get("geometries"), list):
            waiting += one["geometries"]
            continue
        if kind not in _AREAS:
            others[str(kind or "nothing")] += 1
            continue
        coordinates = one.get("coordinates")
        parts = [coordinates] if kind == "Polygon" else coordinates
        if not isinstance(parts, list) or not all(isinstance(rings, list) for rings in parts):
            raise AnnotationError(f"{where}: broken coordinates (no list of rings); export it again")
        polygons += [polygon_of(rings, where) for rings in parts or [[]]]
    return polygons, others


def _as_one(polygons: list[BaseGeometry]) -> BaseGeometry:
    """The parts as they stand, not yet joined: whether they lie on each other is asked later."""
    parts = [polygon for polygon in polygons if not polygon.is_empty]
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)
