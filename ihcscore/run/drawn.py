"""Fields drawn at random, in regions that follow from what was drawn or from a proposal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import shapely
from scipy.ndimage import binary_fill_holes

from ihcscore.errors import IhcscoreError, check_name, parameter
from ihcscore.fields import SamplingFrame, draw_fields
from ihcscore.geometry.field import Field
from ihcscore.geometry.polygons import mask_to_polygons
from ihcscore.regions import Annotations, Region, check_on_slide, derive_regions, read_annotations
from ihcscore.run.plan import Plan, fields_asked_for, sampling_frame, sampling_notes
from ihcscore.run.survey import Survey, stain_amounts
from ihcscore.schema import FieldSettings, Note, NoteKind, RegionName, RegionSource, RunSettings, Sampling
from ihcscore.slide import Slide
from ihcscore.tissue.tumour import propose_tumour

# How near the centre of a thin tumour comes to its outline: as far as one field needs, then nearer in
# quarters, at last all of the tumour.
_NEARNESS = (1.0, 0.75, 0.5, 0.25, 0.0)


@dataclass(frozen=True, kw_only=True)
class DrawnFields:
    """Fields drawn at random in the tumour centre and at the invasive front.

    Attributes
    ----------
    outline : str or Path, optional
        Annotation with the tumour's outline (QuPath, ImageScope, ASAP, HALO); without it the program proposes
        one.
    """

    outline: str | Path | None = None

    def annotations(self, slide: Slide) -> Annotations:
        """What a person drew on the slide.

        Raises
        ------
        AnnotationError
            If the file cannot be used.
        """
        if self.outline is None:
            return Annotations(source=RegionSource.PROPOSED)
        check_name(Path(self.outline))
        return read_annotations(Path(self.outline), origin_xy_px=slide.origin_xy_px, mpp_um=slide.mpp_um)

    def plan(self, slide: Slide, survey: Survey, *, annotations: Annotations, settings: RunSettings) -> Plan:
        """Regions from the annotation, or proposed, and the fields in them.

        Raises
        ------
        AnnotationError
            If the annotation was not drawn on this slide.
        IhcscoreError
            If a region has no room for a field.
        """
        confidence = None
        notes: list[Note] = []
        file = None if self.outline is None else Path(self.outline)
        if file is None:
            annotations, confidence, notes = propose(survey)
        else:
            check_on_slide(annotations, size_xy_px=slide.size_xy_px, tissue=survey.outline, name=file.name)
        notes += sampling_notes(settings.fields.sampling)
        frame = _frame(slide, survey, settings.fields)
        room = _with_room(annotations, slide, survey, frame, settings)
        return Plan(
            annotations=annotations,
            confidence=confidence,
            regions=room.regions,
            fields=room.fields,
            n_fields=fields_asked_for(settings.fields),
            frame=frame,
            sampling=settings.fields.sampling,
            notes=(*notes, *room.notes),
            redraws=settings.fields.sampling in (Sampling.RANDOM, Sampling.HOTSPOT),
            file=file,
        )


def propose(survey: Survey) -> tuple[Annotations, float, list[Note]]:
    """Tumour as the program sees it, how sure it is (0 to 1), and what to know of it."""
    proposal = propose_tumour(survey.blocks.nuclei, tissue=survey.countable, mpp_um=survey.tissue.mpp_um)
    # What was left out is no hole in the tumour, and no edge of the tissue.
    mask = survey.tissue.mask if proposal.warning else binary_fill_holes(proposal.mask)
    tumour = mask_to_polygons(np.asarray(mask, np.bool_), downsample=survey.tissue.downsample)
    annotations = Annotations(
        tumour=shapely.make_valid(tumour.simplify(survey.tissue.downsample)), source=RegionSource.PROPOSED
    )
    notes = [Note(kind=NoteKind.PROPOSED, text=f"regions {RegionSource.PROPOSED}")]
    if proposal.warning:
        notes.append(Note(kind=NoteKind.PROPOSAL, text=proposal.warning))
    return annotations, proposal.confidence, notes


def _frame(slide: Slide, survey: Survey, settings: FieldSettings) -> SamplingFrame:
    frame = sampling_frame(slide, survey, settings)
    if settings.sampling != Sampling.HOTSPOT:
        return frame
    return replace(frame, chromogen=stain_amounts(survey, 1))


@dataclass(frozen=True, kw_only=True)
class _Room:
    """Regions, the fields that found room in them, and what to know of both."""

    regions: tuple[Region, ...]
    fields: tuple[Field, ...]
    notes: tuple[Note, ...]

    @property
    def n_centre(self) -> int:
        return sum(one.region == RegionName.TUMOUR_CENTRE for one in self.fields)


def _with_room(
    annotations: Annotations, slide: Slide, survey: Survey, frame: SamplingFrame, settings: RunSettings
) -> _Room:
    """Regions and their fields; a thin tumour's centre comes nearer to the outline until all fields fit."""
    # Along ink and folds nothing was invaded either: there the front ends as at the tissue's edge.
    countable = mask_to_polygons(survey.countable, downsample=survey.tissue.downsample)
    best: _Room | None = None
    failure: IhcscoreError | None = None
    for nearness in _NEARNESS:
        regions, notes = derive_regions(
            annotations,
            tissue=countable,
            mpp_um=slide.mpp_um,
            side_px=frame.side_px,
            settings=settings.regions,
            nearness=nearness,
        )
        try:
            fields, more = _draw_all(regions, frame=frame, settings=settings.fields, slide=slide)
        except IhcscoreError as error:
            failure = failure or error
        else:
            room = _Room(regions=tuple(regions), fields=tuple(fields), notes=(*notes, *more))
            if best is None or room.n_centre > best.n_centre:
                best = room
        enough = best is not None and best.n_centre >= settings.fields.n_fields
        if enough or not any(region.thin for region in regions):
            break
    if best is None:
        raise failure or IhcscoreError(f"{slide.name}: no region to draw fields in")
    return best


def _draw_all(
    regions: Sequence[Region], *, frame: SamplingFrame, settings: FieldSettings, slide: Slide
) -> tuple[list[Field], list[Note]]:
    """Fields of every region; a region without room is an error, unless it is a derived front."""
    drawn: list[Field] = []
    notes: list[Note] = []
    for region in regions:
        fields = draw_fields(region.area, region=region.name, frame=frame, settings=settings, taken=drawn)
        no_room = (
            f"no room for a field of {settings.field_area_mm2:g} mm² with "
            f"{settings.min_tissue_fraction:.0%} tissue in the {region.name.lower()}"
        )
        if not fields and (region.drawn or region.name == RegionName.TUMOUR_CENTRE):
            raise IhcscoreError(
                f"{slide.name}: {no_room}; give a smaller {parameter('field_area_mm2')} or a larger region"
            )
        if not fields:
            notes.append(Note(kind=NoteKind.NO_ROOM, region=region.name, text=no_room))
        elif len(fields) < settings.n_fields:
            few = f"only {len(fields)} of {settings.n_fields} fields fit in the {region.name.lower()}"
            notes.append(Note(kind=NoteKind.FEW_FIELDS, region=region.name, text=few))
        drawn += fields
    return drawn, notes
