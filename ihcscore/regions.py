"""Annotations, or a proposal, to tumour centre and invasive front."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry
from shapely.validation import explain_validity
from skimage.filters import threshold_otsu
from skimage.morphology import remove_small_holes, remove_small_objects

from ihcscore.errors import AnnotationError
from ihcscore.schema import RegionName, RegionSettings, RegionSource

# Class names as people write them in QuPath, in lower case.
_TUMOUR = {"tumor", "tumour"}
_CENTRE = {"tumour centre", "tumor center", "tumour center", "tumor centre"}
_FRONT = {"invasive front", "invasive margin"}
_EXCLUDED = {"ignore", "exclude", "necrosis"}
# Detections in an export are cells, never regions.
_NOT_REGIONS = {"detection", "cell", "tile"}
# An outline that runs this close to the edge of the tissue follows the cut, not an invasion: a
# lymphocyte's width of slack for the mask and the pathologist's hand, several times over.
EDGE_SLACK_UM = 100.0
# Most of the tumour must lie on tissue, or the annotation belongs to another image.
MIN_ON_TISSUE = 0.5

_EMPTY = shapely.MultiPolygon()


@dataclass(frozen=True, kw_only=True)
class Annotations:
    """What a pathologist drew, as geometries in level-0 pixels.

    Attributes
    ----------
    tumour, centre, front, excluded : shapely geometry
        Polygons of the classes, empty where none was drawn.
    unknown : tuple of str
        Class names that mean nothing here.
    source : RegionSource
    """

    tumour: BaseGeometry = _EMPTY
    centre: BaseGeometry = _EMPTY
    front: BaseGeometry = _EMPTY
    excluded: BaseGeometry = _EMPTY
    unknown: tuple[str, ...] = ()
    source: RegionSource = RegionSource.ANNOTATED


@dataclass(frozen=True, kw_only=True)
class Region:
    """Where fields may lie.

    Attributes
    ----------
    name : RegionName
    area : shapely geometry
        In level-0 pixels, not clipped to tissue: a field must lie inside, and how much of it is
        tissue is asked separately.
    drawn : bool
        Whether a pathologist drew this very region.
    """

    name: RegionName
    area: BaseGeometry = field(repr=False)
    drawn: bool


def parse_qupath(text: str, *, name: str) -> Annotations:
    """Read QuPath's GeoJSON: a FeatureCollection, a list of features, or one feature.

    Parameters
    ----------
    text : str
        The file's content.
    name : str
        The file's name, for messages.

    Raises
    ------
    AnnotationError
        If it is not GeoJSON, holds a polygon that is broken or crosses itself, or nothing that
        says where the tumour is.
    """
    found: dict[str, list[BaseGeometry]] = {"tumour": [], "centre": [], "front": [], "excluded": []}
    unknown: list[str] = []
    for number, feature in enumerate(_features(text, name), 1):
        properties = feature.get("properties") or {}
        if not isinstance(properties, dict) or properties.get("objectType") in _NOT_REGIONS:
            continue
        class_name = _class_name(properties)
        role = _role(class_name)
        if role is None:
            unknown.append(class_name or "(no class)")
            continue
        found[role].append(_polygon(feature.get("geometry"), f"{name}: feature {number} ({class_name})"))
    if not (found["tumour"] or found["centre"] or found["front"]):
        classes = ", ".join(sorted(set(unknown))) or "none"
        raise AnnotationError(
            f"{name}: no polygon classed Tumor, Tumour centre or Invasive front (classes found: {classes})"
        )
    merged = {role: shapely.union_all(polygons) if polygons else _EMPTY for role, polygons in found.items()}
    return Annotations(**merged, unknown=tuple(sorted(set(unknown))))


def _features(text: str, name: str) -> list[dict[str, Any]]:
    if not text.strip():
        raise AnnotationError(f"{name}: empty file; export the annotations from QuPath as GeoJSON")
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


def _class_name(properties: dict[str, Any]) -> str:
    """The class of an annotation: QuPath's classification, as a map or as plain text."""
    classification = properties.get("classification")
    if isinstance(classification, dict):
        classification = classification.get("name") or (classification.get("names") or [None])[0]
    return classification.strip() if isinstance(classification, str) else ""


def _role(class_name: str) -> str | None:
    lower = " ".join(class_name.lower().split())
    if lower in _EXCLUDED or (lower.endswith("*") and lower):
        return "excluded"
    for role, names in (("tumour", _TUMOUR), ("centre", _CENTRE), ("front", _FRONT)):
        if lower in names:
            return role
    return None


def _polygon(geometry: Any, where: str) -> BaseGeometry:
    if not isinstance(geometry, dict) or geometry.get("type") not in ("Polygon", "MultiPolygon"):
        kind = geometry.get("type") if isinstance(geometry, dict) else None
        raise AnnotationError(
            f"{where}: is a {kind or 'nothing'}, expected a Polygon or MultiPolygon; draw an area"
        )
    try:
        polygon = shape(geometry)
        finite = bool(np.isfinite(shapely.get_coordinates(polygon)).all())
    except Exception as error:
        raise AnnotationError(f"{where}: broken coordinates ({' '.join(str(error).split())})") from error
    if not polygon.is_empty and finite and not polygon.is_valid:
        raise AnnotationError(f"{where}: crosses itself ({explain_validity(polygon)}); mend it in QuPath")
    if polygon.is_empty or not finite or polygon.area == 0:
        raise AnnotationError(f"{where}: has no area; draw it again")
    return polygon


def check_on_slide(
    annotations: Annotations, *, size_xy_px: tuple[int, int], tissue: BaseGeometry, name: str
) -> None:
    """Refuse annotations that cannot have been drawn on this slide.

    Parameters
    ----------
    annotations : Annotations
    size_xy_px : tuple of int
        Width and height of the slide in level-0 pixels.
    tissue : shapely geometry
        Outline of the tissue in level-0 pixels.
    name : str
        The annotation file's name, for messages.

    Raises
    ------
    AnnotationError
        If the polygons lie outside the slide, or mostly off the tissue.
    """
    drawn = shapely.union_all([annotations.tumour, annotations.centre, annotations.front])
    width, height = size_xy_px
    left, top, right, bottom = drawn.bounds
    extent = f"x {left:.0f}-{right:.0f}, y {top:.0f}-{bottom:.0f}, the slide is {width} × {height} px"
    if drawn.intersection(shapely.box(0, 0, width, height)).area < MIN_ON_TISSUE * drawn.area:
        raise AnnotationError(f"{name}: drawn outside the slide ({extent}); was it drawn on another image?")
    if not annotations.tumour.is_empty:
        share = annotations.tumour.intersection(tissue).area / annotations.tumour.area
        if share < MIN_ON_TISSUE:
            raise AnnotationError(
                f"{name}: {share:.0%} of the tumour is on tissue ({extent}); was it drawn on another image?"
            )


def derive_regions(
    annotations: Annotations, *, tissue: BaseGeometry, mpp_um: float, side_px: float, settings: RegionSettings
) -> tuple[list[Region], dict[str, list[str]]]:
    """Tumour centre and invasive front from what was drawn.

    The centre is the tumour farther than half the margin width from its outline. The front is the
    band of half the margin width on both sides of the outline, where tissue lies beyond the outline:
    along the cut edge of the tissue nothing can have been invaded. A centre or front that a
    pathologist drew is taken as drawn.

    Parameters
    ----------
    annotations : Annotations
    tissue : shapely geometry
        Outline of the tissue in level-0 pixels.
    mpp_um : float
        µm per level-0 pixel.
    side_px : float
        Side of a field in level-0 pixels, for which the centre must have room.
    settings : RegionSettings

    Returns
    -------
    regions : list of Region
        Centre first; a region that does not exist on the slide is left out.
    warnings : dict of str to list of str
        By region's name; under the empty name what concerns the whole slide.
    """
    warnings: dict[str, list[str]] = {name: [] for name in ("", *RegionName)}
    if annotations.unknown:
        warnings[""].append(f"ignored annotations of class {', '.join(annotations.unknown)}")
    half_px = settings.margin_um / 2 / mpp_um
    centre, front = annotations.centre, annotations.front
    tumour = annotations.tumour
    if centre.is_empty and not tumour.is_empty:
        centre, distance_px = tumour_centre(tumour, half_px=half_px, side_px=side_px)
        if distance_px < half_px:
            warnings[RegionName.TUMOUR_CENTRE].append(_thin_warning(distance_px * mpp_um, settings))
    if front.is_empty and not tumour.is_empty:
        line = tumour.boundary.intersection(tissue.buffer(-EDGE_SLACK_UM / mpp_um))
        front = line.buffer(half_px) if line.length > side_px else _EMPTY
    if centre.is_empty:
        warnings[RegionName.TUMOUR_CENTRE].append("no tumour centre was drawn on this slide")
    if front.is_empty:
        why = "none was drawn" if tumour.is_empty else "the tumour reaches the tissue's edge all round"
        warnings[RegionName.INVASIVE_FRONT].append(f"no invasive front on this slide ({why})")
    regions = [
        Region(name=RegionName.TUMOUR_CENTRE, area=centre, drawn=not annotations.centre.is_empty),
        Region(name=RegionName.INVASIVE_FRONT, area=front, drawn=not annotations.front.is_empty),
    ]
    kept = [
        Region(name=region.name, area=region.area.difference(annotations.excluded), drawn=region.drawn)
        for region in regions
        if not region.area.is_empty
    ]
    return kept, warnings


def tumour_centre(tumour: BaseGeometry, *, half_px: float, side_px: float) -> tuple[BaseGeometry, float]:
    """The tumour farther than half the margin width from its outline, or its innermost part.

    Where the tumour is too thin to leave room for a field at that distance, the distance shrinks
    until the circle around a field fits.

    Parameters
    ----------
    tumour : shapely geometry
    half_px : float
        Half the margin width, level-0 px.
    side_px : float
        Side of a field, level-0 px.

    Returns
    -------
    centre : shapely geometry
    distance_px : float
        Its distance from the outline: `half_px`, or less.
    """
    reach = side_px / math.sqrt(2)

    def holds_field(distance: float) -> bool:
        return not tumour.buffer(-distance - reach).is_empty

    if holds_field(half_px):
        return tumour.buffer(-half_px), half_px
    roomy, tight = 0.0, half_px
    for _ in range(12):  # to 1/4096 of the margin
        middle = (roomy + tight) / 2
        roomy, tight = (middle, tight) if holds_field(middle) else (roomy, middle)
    return tumour.buffer(-roomy), roomy


def _thin_warning(distance_um: float, settings: RegionSettings) -> str:
    return (
        f"the tumour is too thin for a margin of {settings.margin_um:g} µm; its centre is taken "
        f"{distance_um:.0f} µm and more inside its outline"
    )


@dataclass(frozen=True, kw_only=True)
class ProposalSettings:
    """When a part of the tissue is proposed as tumour.

    Attributes
    ----------
    smooth_um : float
        Gaussian sigma of the map of haematoxylin density, about the width of a tumour nest.
    min_separation : float
        Smallest share of the map's variance that the split into two parts must explain.
    min_contrast : float
        Smallest ratio of the two parts' mean haematoxylin density.
    min_area_mm2 : float
        Smaller parts are not proposed, smaller holes are filled.
    """

    smooth_um: float = 100.0
    min_separation: float = 0.6
    min_contrast: float = 1.4
    min_area_mm2: float = 0.25


def propose_tumour(
    hematoxylin_od: NDArray[np.float32],
    tissue: NDArray[np.bool_],
    *,
    mpp_um: float,
    settings: ProposalSettings | None = None,
) -> tuple[NDArray[np.bool_], str]:
    """Where tumour is likely: the part of the tissue that is denser in nuclei.

    Parameters
    ----------
    hematoxylin_od : ndarray of float32, shape (height, width)
        Haematoxylin density of a thumbnail; solid tumour has more and larger nuclei than stroma.
    tissue : ndarray of bool, shape (height, width)
    mpp_um : float
        µm per pixel of both.
    settings : ProposalSettings, optional

    Returns
    -------
    mask : ndarray of bool, shape (height, width)
        All of the tissue where no part stands out.
    warning : str
        Empty where a part stands out.
    """
    settings = settings or ProposalSettings()
    sigma = settings.smooth_um / mpp_um
    inside = tissue.astype(np.float32)
    weight = cv2.GaussianBlur(inside, (0, 0), sigma)
    density = cv2.GaussianBlur(hematoxylin_od * inside, (0, 0), sigma) / np.maximum(weight, 1e-6)
    values = density[tissue]
    if values.size == 0 or float(np.ptp(values)) < 1e-6:
        return tissue, "no part of the tissue stands out as tumour; all of it is proposed"
    high = values > threshold_otsu(values)
    share = float(high.mean())
    means = float(values[~high].mean()), float(values[high].mean())
    separation = share * (1 - share) * (means[1] - means[0]) ** 2 / float(values.var())
    contrast = means[1] / max(means[0], 1e-6)
    mask = np.zeros_like(tissue)
    mask[tissue] = high
    pixels = int(settings.min_area_mm2 * (1000 / mpp_um) ** 2)
    mask = remove_small_holes(remove_small_objects(mask, max_size=pixels), max_size=pixels)
    if separation < settings.min_separation or contrast < settings.min_contrast or not mask.any():
        return tissue, "no part of the tissue stands out as tumour; all of it is proposed"
    return mask, ""
