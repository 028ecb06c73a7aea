"""Where the fields of a slide are, and why there: what every planner gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ihcscore.fields import SamplingFrame, draw_fields
from ihcscore.geometry.field import Field
from ihcscore.geometry.mark import DrawnMark
from ihcscore.regions import Annotations, Region
from ihcscore.schema import FieldSettings, Note, NoteKind, RegionName, RunSettings, Sampling
from ihcscore.slide import Slide

if TYPE_CHECKING:
    from ihcscore.run.survey import Survey

# Fields that may be drawn in a region in place of rejected ones.
_MAX_REDRAWS = 10


@dataclass(frozen=True, kw_only=True)
class Carried:
    """Where carried fields come from.

    Attributes
    ----------
    reference : str
        File name of the slide that they were drawn on.
    mirrored : bool
        Whether this section lies mirrored on that one.
    registration : dict
        How this section lies on that one, for the record.
    """

    reference: str
    mirrored: bool
    registration: dict[str, object] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Where the fields are, and why there.

    Attributes
    ----------
    annotations : Annotations
        Drawn, proposed or carried outlines; empty where fields were given.
    confidence : float or None
        How sure a proposal is, 0 to 1.
    regions : tuple of Region
    fields : tuple of Field
        Of all regions, in the order in which they are scored.
    n_fields : dict of RegionName to int
        Fields that were asked for, by region.
    frame : SamplingFrame
    sampling : Sampling
        How the fields were chosen.
    notes : tuple of Note
    rejects : bool
        Whether a field of failing quality is left out; what a person chose is scored whatever it is.
    redraws : bool
        Whether another field may take a rejected one's place.
    carried : Carried or None
        Where the fields come from another slide.
    file : Path or None
        The file of a person's that the plan follows: an annotation, or given fields.
    mark : DrawnMark or None
        How fields that were given back unmoved had been drawn: those settings stand for this run's own.
    """

    annotations: Annotations
    confidence: float | None = None
    regions: tuple[Region, ...] = ()
    fields: tuple[Field, ...]
    n_fields: dict[RegionName, int]
    frame: SamplingFrame
    sampling: Sampling
    notes: tuple[Note, ...]
    rejects: bool = True
    redraws: bool = False
    carried: Carried | None = None
    file: Path | None = None
    mark: DrawnMark | None = None

    def redrawn(self, region: RegionName, taken: Sequence[Field], settings: FieldSettings) -> list[Field]:
        """One field more in a region, or none where there is no room or enough was tried.

        Parameters
        ----------
        region : RegionName
        taken : sequence of Field
            All fields so far, of every region, the rejected ones among them.
        settings : FieldSettings
        """
        n_drawn = sum(one.region == region for one in taken)
        if not self.redraws or n_drawn >= settings.n_fields + _MAX_REDRAWS:
            return []
        (area,) = (one.area for one in self.regions if one.name == region)
        return draw_fields(
            area,
            region=region,
            frame=self.frame,
            settings=replace(settings, n_fields=1),
            taken=taken,
            first_number=n_drawn + 1,
        )


def fields_asked_for(settings: FieldSettings) -> dict[RegionName, int]:
    """Fields that are to be drawn, by region."""
    return dict.fromkeys((RegionName.TUMOUR_CENTRE, RegionName.INVASIVE_FRONT), settings.n_fields)


def sampling_notes(sampling: Sampling) -> tuple[Note, ...]:
    """What a reader must know of how fields were chosen; none where they stand for their region."""
    if sampling != Sampling.HOTSPOT:
        return ()
    text = "fields are hot spots, chosen for their chromogen: not the density of the region"
    return (Note(kind=NoteKind.HOT_SPOT, text=text),)


class FieldPlanner(Protocol):
    """Says where the fields of a slide are: drawn at random, given by a person, or carried over."""

    def annotations(self, slide: Slide) -> Annotations:
        """What a person drew on the slide, read before anything else; empty where nothing was drawn."""

    def plan(self, slide: Slide, survey: Survey, *, annotations: Annotations, settings: RunSettings) -> Plan:
        """The fields.

        Raises
        ------
        IhcscoreError
            If no field can be had.
        """


def sampling_frame(slide: Slide, survey: Survey, settings: FieldSettings) -> SamplingFrame:
    """The slide as sampling sees it, without the chromogen."""
    return SamplingFrame(
        tissue=survey.countable,
        downsample=survey.tissue.downsample,
        size_xy_px=slide.size_xy_px,
        side_px=settings.side_um / slide.mpp_um,
    )
