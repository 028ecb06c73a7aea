"""Fields that a person chose, as squares in QuPath's GeoJSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import shapely

from ihcscore.errors import AnnotationError, check_name
from ihcscore.fields import SamplingFrame, as_square, check_fields_on_slide, tissue_fraction
from ihcscore.geometry.field import Field
from ihcscore.geometry.mark import DrawnMark
from ihcscore.regions import Annotations, Drawn, read_areas
from ihcscore.run.plan import Plan, fields_asked_for, sampling_frame, sampling_notes
from ihcscore.run.survey import Survey
from ihcscore.schema import Note, NoteKind, RegionSource, RunSettings, Sampling
from ihcscore.slide import Slide


@dataclass(frozen=True, kw_only=True)
class GivenFields:
    """Squares that a person chose, scored whatever their quality.

    Squares that :func:`ihcscore.run.preview.write_fields` drew on this very slide and that are given back
    unmoved were chosen by nobody: they keep their sampling, their seed and the regions' source.

    Attributes
    ----------
    file : str or Path
        QuPath GeoJSON of squares, upright or turned, as ``fields.geojson`` holds them. A field's region
        is its class (Tumour centre, Invasive front, else Given fields), its name the annotation's.
    """

    file: str | Path

    def annotations(self, slide: Slide) -> Annotations:
        """Empty: given fields stand in no outline."""
        check_name(Path(self.file))
        return Annotations()

    def plan(self, slide: Slide, survey: Survey, *, annotations: Annotations, settings: RunSettings) -> Plan:
        """The squares of the file.

        Raises
        ------
        AnnotationError
            If the file cannot be read, holds what is no square, names two fields alike, or a field sticks
            out of the slide.
        """
        file = Path(self.file)
        frame = sampling_frame(slide, survey, settings.fields)
        areas = read_areas(file)
        fields = fields_from(areas.areas, frame=frame, mpp_um=slide.mpp_um, name=file.name)
        overlaps = check_fields_on_slide(fields, size_xy_px=slide.size_xy_px, name=file.name)
        corners = [shapely.get_coordinates(area.polygon) for area in areas.areas]
        changed = "" if areas.mark is None else areas.mark.changed(fields, corners)
        given = Plan(
            annotations=annotations,
            fields=tuple(fields),
            n_fields=dict(Counter(one.region for one in fields)),
            frame=frame,
            sampling=Sampling.GIVEN,
            notes=(_given_note(areas.mark, slide.identity, changed), *areas.notes, *overlaps),
            rejects=False,
            file=file,
        )
        mark = areas.mark
        if mark is None or mark.slide_identity != slide.identity or not mark.fits(fields, corners):
            return given
        return _as_drawn(given, mark)


def _given_note(mark: DrawnMark | None, slide_identity: str, changed: str) -> Note:
    """That fields were given; of ones that the program had drawn, what makes them a person's choice."""
    how = "were given, not drawn at random"
    if mark is not None and mark.slide_identity == slide_identity:
        which = changed or "moved, renamed, added or left out"
        how = f"were drawn by the program and changed since ({which})"
    elif mark is not None:
        how = "were drawn on another slide, not on this one"
    return Note(kind=NoteKind.GIVEN, text=f"fields {how}: their density is theirs, not the region's")


def _as_drawn(given: Plan, mark: DrawnMark) -> Plan:
    """The plan of fields that were drawn, looked at and given back unmoved: what it was when they were drawn.

    None is drawn in place of a rejected one: the regions are not known here.
    """
    proposed = Note(kind=NoteKind.PROPOSED, text=f"regions {RegionSource.PROPOSED}")
    of_regions = (proposed,) if mark.region_source == RegionSource.PROPOSED else ()
    return replace(
        given,
        annotations=replace(given.annotations, source=mark.region_source),
        n_fields=fields_asked_for(mark.fields),
        sampling=mark.fields.sampling,
        notes=(*of_regions, *sampling_notes(mark.fields.sampling)),
        rejects=True,
        mark=mark,
    )


def fields_from(areas: Sequence[Drawn], *, frame: SamplingFrame, mpp_um: float, name: str) -> list[Field]:
    """Fields of the areas of a file.

    Parameters
    ----------
    areas : sequence of Drawn
    frame : SamplingFrame
    mpp_um : float
        µm per level-0 pixel.
    name : str
        The file's name, for messages.

    Raises
    ------
    AnnotationError
        If an area is no square, or two have the same name.
    """
    fields = []
    for number, area in enumerate(areas, 1):
        square = as_square(area.polygon, area.where)
        fields.append(
            Field(
                field_id=area.title or f"given-{number}",
                region=area.region,
                square=square,
                area_mm2=square.area_mm2(mpp_um),
                tissue_fraction=tissue_fraction(square, frame),
            )
        )
    _check_names([one.field_id for one in fields], name)
    return fields


def _check_names(names: Sequence[str], file: str) -> None:
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        raise AnnotationError(f"{file}: two fields are named {twice[0]}; give each its own name")
    unsafe = [name for name in names if not name.replace("-", "").replace("_", "").isalnum()]
    if unsafe:
        raise AnnotationError(
            f"{file}: field name {unsafe[0]!r}: use letters, digits, - and _, it names files"
        )
