"""The fields of a reference slide on another slide of the same sample."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import shapely

from ihcscore.errors import IhcscoreError
from ihcscore.fields import SamplingFrame, tissue_fraction
from ihcscore.fields.quality import QualitySettings
from ihcscore.geometry.field import Field
from ihcscore.geometry.square import Square
from ihcscore.regions import Annotations, Region, derive_regions
from ihcscore.register import Registration
from ihcscore.run.plan import Carried, Plan, sampling_frame, sampling_notes
from ihcscore.run.survey import Survey
from ihcscore.run.write import read_run
from ihcscore.schema import FieldSettings, Note, NoteKind, RegionSource, RunSettings, Sampling
from ihcscore.serial.pair import CarriedPlace, RegisteredSlide, SlidePair
from ihcscore.serial.register import describe_registration
from ihcscore.slide import Slide, open_slide
from ihcscore.slide.thumbnail import CACHE

# Smaller squares show too little to be told from others nearby; whether a match is distinct was set on
# fields of the default side. A small field is looked for with its surroundings.
_LEAST_SIDE_UM = FieldSettings().side_um


@dataclass(frozen=True, kw_only=True)
class CarriedFields:
    """The fields that were scored on a reference slide, to be found again on another.

    Attributes
    ----------
    slide : Path
        The reference.
    mpp_um : float or None
        µm per level-0 pixel of the reference, overriding the file's.
    fields : tuple of Field
        Its fields that were scored.
    outlines : Annotations
        Its outlines, drawn or proposed.
    sampling : Sampling
        How its fields were chosen.
    thumbnail : Path or None
        File that may hold its thumbnail.
    """

    slide: Path
    mpp_um: float | None = None
    fields: tuple[Field, ...] = field(repr=False)
    outlines: Annotations = field(repr=False)
    sampling: Sampling
    thumbnail: Path | None = None

    @classmethod
    def read(cls, slide: Path, folder: Path, *, mpp_um: float | None = None) -> CarriedFields:
        """Fields from the folder that a run on the reference has written.

        Raises
        ------
        IhcscoreError
            If the folder holds no run, or one in which no field was scored.
        """
        try:
            run = read_run(folder)
        except (OSError, ValueError) as error:
            raise IhcscoreError(f"{slide.name}: its results cannot be read; score it again") from error
        if not run.scored:
            raise IhcscoreError(f"{slide.name}: no field was scored on it, so none can be carried over")
        return cls(
            slide=slide,
            mpp_um=mpp_um,
            fields=run.scored,
            outlines=run.annotations,
            sampling=run.sampling,
            thumbnail=folder / CACHE,
        )

    def annotations(self, slide: Slide) -> Annotations:
        """Empty: what was drawn on the reference is known only once the slides lie on each other."""
        return Annotations(source=self.outlines.source)

    def plan(self, slide: Slide, survey: Survey, *, annotations: Annotations, settings: RunSettings) -> Plan:
        """The reference's fields on this slide: the same areas, found again.

        A field whose place is not sure enough or is no tissue here stays in the plan with the reason why
        it isn't scored.

        Raises
        ------
        SlideError
            If the reference cannot be opened or read.
        """
        with open_slide(self.slide, mpp_um=self.mpp_um, icc=settings.icc) as other:
            pair = SlidePair(
                reference=RegisteredSlide.of(other, cache=self.thumbnail),
                moving=RegisteredSlide.of(slide, survey),
            )
            places = [
                pair.carry(one.square.centre_xy_px, side_um=max(one.side_um, _LEAST_SIDE_UM))
                for one in self.fields
            ]
            name = other.name
        frame = sampling_frame(slide, survey, settings.fields)
        most_um = settings.max_registration_error_um
        fields = tuple(
            _placed(one, place, frame=frame, mpp_um=slide.mpp_um, most_um=most_um)
            for one, place in zip(self.fields, places, strict=True)
        )
        registration = pair.registration
        outlines = _carried(self.outlines, registration)
        return Plan(
            annotations=outlines,
            regions=_regions(outlines, slide, survey, settings),
            fields=fields,
            n_fields=dict(Counter(one.region for one in fields)),
            frame=frame,
            sampling=self.sampling,
            notes=(*_notes(self.outlines.source, name), *sampling_notes(self.sampling)),
            rejects=self.sampling != Sampling.GIVEN,
            carried=Carried(
                reference=name,
                mirrored=registration.transform.mirrored,
                registration=describe_registration(registration),
            ),
        )


def _placed(one: Field, place: CarriedPlace, *, frame: SamplingFrame, mpp_um: float, most_um: float) -> Field:
    """A square of the same area around the place, and why it isn't scored where it isn't."""
    square = Square.about(place.xy_px, side_px=one.side_um / mpp_um, angle_deg=place.angle_deg)
    share = tissue_fraction(square, frame) if square.lies_within(frame.size_xy_px) else None
    return Field(
        field_id=one.field_id,
        region=one.region,
        square=square,
        area_mm2=one.area_mm2,
        tissue_fraction=share or 0.0,
        registration_error_um=place.error_um,
        unplaced=_why_unplaced(place, share, most_um),
    )


def _why_unplaced(place: CarriedPlace, share: float | None, most_um: float) -> str:
    """Why a field isn't scored here; empty where it is."""
    if place.error_um != place.error_um:  # not a number: nothing was matched
        return "this part of the section could not be matched with the reference"
    if place.error_um > most_um:
        return f"estimated registration error {place.error_um:.0f} µm, above {most_um:g}"
    if share is None:
        return "lands beyond the edge of the scan"
    if share < QualitySettings().fail_tissue_fraction:
        return f"lands outside the tissue ({share:.0%} tissue)"
    return ""


def _carried(annotations: Annotations, registration: Registration) -> Annotations:
    """The reference's outlines where the whole section's map puts them; none where there is no map."""
    if not registration.confirmed:
        return Annotations(source=annotations.source)
    areas = {
        name: shapely.transform(getattr(annotations, name), registration.transform)
        for name in ("tumour", "centre", "front", "excluded")
    }
    return Annotations(**areas, source=annotations.source)


def _regions(
    outlines: Annotations, slide: Slide, survey: Survey, settings: RunSettings
) -> tuple[Region, ...]:
    """The regions that follow from the carried outlines: to be seen, no field is drawn in them."""
    regions, _ = derive_regions(
        outlines,
        tissue=survey.outline,
        mpp_um=slide.mpp_um,
        side_px=settings.fields.side_um / slide.mpp_um,
        settings=settings.regions,
    )
    return tuple(regions)


def _notes(source: RegionSource, name: str) -> tuple[Note, ...]:
    carried = Note(kind=NoteKind.CARRIED, text=f"fields carried over from {name}")
    if source == RegionSource.PROPOSED:
        return Note(kind=NoteKind.PROPOSED, text=f"regions {RegionSource.PROPOSED}"), carried
    return (carried,)
