"""A slide with all that is known of it before the first cell is counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ihcscore.geometry.field import Field
from ihcscore.geometry.mark import DrawnMark
from ihcscore.output.progress import Progress, Stopwatch
from ihcscore.run.plan import FieldPlanner, Plan
from ihcscore.run.stained import refuse_other_stains, stain_notes
from ihcscore.run.survey import Survey, survey_slide
from ihcscore.schema import Chromogen, RunSettings
from ihcscore.slide import Slide


@dataclass(frozen=True, kw_only=True)
class PlannedSlide:
    """What counting starts from.

    Attributes
    ----------
    slide : Slide
        Open.
    survey : Survey
    plan : Plan
    settings : RunSettings
    """

    slide: Slide
    survey: Survey
    plan: Plan
    settings: RunSettings

    @property
    def about(self) -> dict[str, object]:
        """Values that stand in every row of the field and the score table."""
        return {
            "slide": self.slide.name,
            "region_source": str(self.plan.annotations.source),
            "sampling": str(self.plan.sampling),
            "seed": self.settings.fields.seed,
            "margin_um": self.settings.regions.margin_um,
            "front": str(self.settings.regions.front),
        }


def mark_of(planned: PlannedSlide, fields: Sequence[Field]) -> DrawnMark:
    """How a slide's fields were drawn, for when they are given back."""
    return DrawnMark.of(
        fields,
        slide_identity=planned.slide.identity,
        region_source=planned.plan.annotations.source,
        settings=planned.settings.fields,
        regions=planned.settings.regions,
    )


def plan_slide(
    slide: Slide,
    fields: FieldPlanner,
    *,
    chromogen: Chromogen,
    settings: RunSettings,
    cache: Path | None,
    watch: Stopwatch,
    progress: Progress,
    refuses: bool = True,
) -> PlannedSlide:
    """What a person drew, then the slide seen whole, then its fields.

    Parameters
    ----------
    slide : Slide
    fields : FieldPlanner
    chromogen : Chromogen
        What the antibody is seen by.
    settings : RunSettings
    cache : Path or None
        File that may hold the slide's thumbnail.
    watch : Stopwatch
    progress : callable
    refuses : bool
        Whether a slide of another stain is an error, rather than a note.

    Raises
    ------
    IhcscoreError
        If slide or annotation cannot be used, the stain is another, or no field can be had.
    """
    with watch.timing("thumbnail, tissue and stains"):
        drawn = fields.annotations(slide)
        survey = survey_slide(
            slide, chromogen=chromogen, pigment=drawn.pigment, progress=progress, cache=cache
        )
    check = survey.stain_check
    if refuses:
        refuse_other_stains(check, name=slide.name, chromogen=chromogen, force=settings.force_stain)
    with watch.timing("regions and fields"):
        plan = fields.plan(slide, survey, annotations=drawn, settings=settings)
        plan = replace(plan, notes=(*stain_notes(check, counts=refuses), *slide.notes, *plan.notes))
    if plan.mark is not None:
        settings = replace(settings, fields=plan.mark.fields, regions=plan.mark.regions)
    return PlannedSlide(slide=slide, survey=survey, plan=plan, settings=settings)
