"""Tumour centre and invasive front from what was drawn."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import shapely
from shapely.geometry.base import BaseGeometry

from ihcscore.errors import AnnotationError
from ihcscore.regions.annotations import EMPTY, Annotations
from ihcscore.regions.slivers import EDGE_SLACK_UM, without_slivers
from ihcscore.schema import Front, Note, NoteKind, RegionName, RegionSettings

# Most of the tumour must lie on tissue, or the annotation belongs to another image.
MIN_ON_TISSUE = 0.5


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
    thin : bool
        Whether it is a centre that lies nearer to the outline than the margin asks for.
    """

    name: RegionName
    area: BaseGeometry = field(repr=False)
    drawn: bool
    thin: bool = False


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
    annotations: Annotations,
    *,
    tissue: BaseGeometry,
    mpp_um: float,
    side_px: float,
    settings: RegionSettings,
    nearness: float = 1.0,
) -> tuple[list[Region], list[Note]]:
    """Tumour centre and invasive front from what was drawn.

    The centre is the tumour farther than half the margin width from its outline. The front is the
    band of half the margin width on both sides of the outline, where tissue lies beyond the outline:
    along the cut edge of the tissue nothing can have been invaded. A centre or front that a
    pathologist drew is taken as drawn. Holes, gaps, specks and spikes of the tumour too small to be meant are
    no edge of it (:mod:`ihcscore.regions.slivers`).

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
    nearness : float
        Where the tumour is too thin, its centre comes so much nearer to the outline, 0 (all of the
        tumour) to 1 (no nearer than one field needs).

    Returns
    -------
    regions : list of Region
        Centre first; a region that does not exist on the slide is left out.
    notes : list of Note
    """
    notes = []
    if annotations.unknown:
        ignored = f"ignored annotations of class {', '.join(annotations.unknown)}"
        notes.append(Note(kind=NoteKind.IGNORED, text=ignored))
    notes += annotations.notes
    half_px = settings.margin_um / 2 / mpp_um
    centre, front = annotations.centre, annotations.front
    tumour, slivers = without_slivers(annotations.tumour, mpp_um=mpp_um)
    notes += slivers
    thin = False
    if centre.is_empty and not tumour.is_empty:
        centre, distance_px = tumour_centre(tumour, half_px=half_px, side_px=side_px)
        thin = distance_px < half_px
        if thin:
            distance_px *= nearness
            centre = tumour.buffer(-distance_px)
            notes.append(_thin_note(distance_px * mpp_um, settings))
    if front.is_empty and not tumour.is_empty:
        line = _invasive(tumour, tissue, mpp_um)
        front = _one_side(line.buffer(half_px), tumour, settings.front) if line.length > side_px else EMPTY
        front = front.difference(centre) if thin else front
    if centre.is_empty:
        notes.append(_absent(RegionName.TUMOUR_CENTRE, "no tumour centre was drawn on this slide"))
    if front.is_empty:
        why = "none was drawn" if tumour.is_empty else "the tumour reaches the tissue's edge all round"
        notes.append(_absent(RegionName.INVASIVE_FRONT, f"no invasive front on this slide ({why})"))
    found = (
        (RegionName.TUMOUR_CENTRE, centre, not annotations.centre.is_empty, thin),
        (RegionName.INVASIVE_FRONT, front, not annotations.front.is_empty, False),
    )
    regions = [
        Region(name=name, area=area.difference(annotations.excluded), drawn=drawn, thin=is_thin)
        for name, area, drawn, is_thin in found
        if not area.is_empty
    ]
    return regions, notes


@dataclass(frozen=True, kw_only=True)
class Border:
    """Where a tumour meets other tissue.

    Attributes
    ----------
    tumour : shapely geometry
        Level-0 pixels; without gaps, specks and spikes.
    line : shapely geometry
        The parts of its outline beyond which tissue goes on; empty where it reaches the cut edge all round.
    """

    tumour: BaseGeometry = field(repr=False)
    line: BaseGeometry = field(repr=False)


def tumour_border(annotations: Annotations, *, tissue: BaseGeometry, mpp_um: float) -> Border:
    """The outline from which the invasive front is measured.

    Parameters
    ----------
    annotations : Annotations
    tissue : shapely geometry
        Outline of the tissue in level-0 pixels.
    mpp_um : float
        µm per level-0 pixel.
    """
    tumour, _ = without_slivers(annotations.tumour, mpp_um=mpp_um)
    line = EMPTY if tumour.is_empty else _invasive(tumour, tissue, mpp_um)
    return Border(tumour=tumour, line=line)


def _invasive(tumour: BaseGeometry, tissue: BaseGeometry, mpp_um: float) -> BaseGeometry:
    """The outline without what follows the cut edge of the tissue: nothing can have been invaded there."""
    return tumour.boundary.intersection(tissue.buffer(-EDGE_SLACK_UM / mpp_um))


def _one_side(band: BaseGeometry, tumour: BaseGeometry, front: Front) -> BaseGeometry:
    if front == Front.INSIDE:
        return band.intersection(tumour)
    return band.difference(tumour) if front == Front.OUTSIDE else band


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


def _absent(region: RegionName, text: str) -> Note:
    return Note(kind=NoteKind.NO_REGION, region=region, text=text)


def _thin_note(distance_um: float, settings: RegionSettings) -> Note:
    return Note(
        kind=NoteKind.THIN,
        region=RegionName.TUMOUR_CENTRE,
        text=(
            f"the tumour is too thin for a margin of {settings.margin_um:g} µm; its centre is taken "
            f"{distance_um:.0f} µm and more inside its outline"
        ),
    )
