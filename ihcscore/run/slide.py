"""The main job: a whole slide to counts per mm², overlays and a report."""

from __future__ import annotations

from collections import deque
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ihcscore import output, score
from ihcscore.errors import ReadError
from ihcscore.fields import FieldQuality, field_quality, judge_field, tissue_fraction
from ihcscore.geometry.field import Field
from ihcscore.output.progress import Progress, Stopwatch, silent
from ihcscore.profiles import MarkerProfile
from ihcscore.run.count import CountedField, as_profile, count_field
from ihcscore.run.drawn import DrawnFields
from ihcscore.run.plan import FieldPlanner, Plan
from ihcscore.run.result import ScoredField, SlideScores, notes_of, tables_of
from ihcscore.run.survey import Survey, learn_pigment, survey_slide
from ihcscore.run.thumbnails import CACHE
from ihcscore.run.write import FieldPictures, record_of, write_run
from ihcscore.schema import FieldStatus, Quality, RunSettings
from ihcscore.slide import Slide, open_slide


def score_slide(
    path: str | Path,
    *,
    profile: str | MarkerProfile,
    fields: FieldPlanner | None = None,
    settings: RunSettings | None = None,
    out: str | Path | None = None,
    overwrite: bool = False,
    work_key: str | None = None,
    upright: bool = False,
    progress: Progress = silent,
) -> SlideScores:
    """Score one slide: plan fields, count cells, give densities.

    Parameters
    ----------
    path : str or Path
        The slide.
    profile : str or MarkerProfile
        A marker's name, a profile file, or a profile.
    fields : FieldPlanner, optional
        Where the fields are: :class:`~ihcscore.DrawnFields` (the default; with the tumour's outline or a
        proposal), :class:`~ihcscore.GivenFields`, or fields carried over from another slide.
    settings : RunSettings, optional
        Fields, margin and pixel size; the defaults are the study's.
    out : str or Path, optional
        Folder for tables, overlays and report; without it nothing is written.
    overwrite : bool
        Replace a run that the folder already holds.
    work_key : str, optional
        What the run was made from, written into its record.
    upright : bool
        Also write each field as it lies on the slide that it was drawn on.
    progress : callable, optional
        Called with what is being done and the share done.

    Returns
    -------
    SlideScores

    Raises
    ------
    IhcscoreError
        If slide, annotation, profile or folder cannot be used; nothing is written then. A field
        that cannot be read is no error: it stands in the tables as failed.
    """
    settings = settings or RunSettings()
    profile = as_profile(profile)
    fields = fields or DrawnFields()
    watch = Stopwatch()
    with ExitStack() as stack:
        folder = None
        if out is not None:
            folder = stack.enter_context(output.OutputFolder(out, overwrite=overwrite))
        with watch.timing("opening"):
            slide = stack.enter_context(open_slide(path, mpp_um=settings.mpp_um, icc=settings.icc))
        with watch.timing("thumbnail, tissue and stains"):
            drawn = fields.annotations(slide)
            cache = None if out is None else Path(out) / CACHE
            survey = survey_slide(slide, profile=profile, progress=progress, cache=cache)
            survey = learn_pigment(slide, survey, drawn.pigment)
        with watch.timing("regions and fields"):
            plan = fields.plan(slide, survey, annotations=drawn, settings=settings)
        pictures = None
        if folder is not None:
            pictures = FieldPictures(
                folder=folder,
                slide=slide.name,
                marker=profile.name,
                mirrored=plan.carried is not None and plan.carried.mirrored,
                upright=upright,
            )
        scorer = _Scorer(
            slide=slide, survey=survey, plan=plan, profile=profile, watch=watch, pictures=pictures
        )
        scored = _score_all(scorer, settings, progress)
        notes = notes_of(plan, scored)
        tables = tables_of(
            scored, plan=plan, slide=slide.name, marker=profile.name, settings=settings, notes=notes
        )
        result = SlideScores(
            scores=tables.scores,
            fields=tables.fields,
            cells=tables.cells,
            notes=notes,
            record=record_of(
                slide, survey, plan, profile=profile, settings=settings, notes=notes, work_key=work_key
            ),
            seconds=watch.seconds,
        )
        progress("report", 0.95)
        if folder is not None and pictures is not None:
            with watch.timing("writing"):
                write_run(
                    folder, result, slide=slide, survey=survey, plan=plan, profile=profile,
                    previews=pictures.previews,
                )  # fmt: skip
        progress("done", 1.0)
    return result


def _score_all(scorer: _Scorer, settings: RunSettings, progress: Progress) -> list[ScoredField]:
    """Every field of the plan, and those drawn in place of rejected ones."""
    taken = list(scorer.plan.fields)
    waiting = deque(taken)
    scored: list[ScoredField] = []
    while waiting:
        one = waiting.popleft()
        progress(f"field {one.field_id}", 0.25 + 0.7 * len(scored) / len(taken))
        scored.append(scorer.score(one))
        if scored[-1].status == FieldStatus.REJECTED:
            again = scorer.plan.redrawn(one.region, taken, settings.fields)
            waiting.extendleft(again)
            taken += again
    return scored


@dataclass(frozen=True, kw_only=True)
class _Scorer:
    """Counts the fields of one slide, one after the other."""

    slide: Slide
    survey: Survey
    plan: Plan
    profile: MarkerProfile
    watch: Stopwatch
    pictures: FieldPictures | None

    def score(self, one: Field) -> ScoredField:
        """Count a field, unless it has no place here, cannot be read, or its quality fails."""
        if one.unplaced:
            return ScoredField(
                field=one,
                status=FieldStatus.UNPLACED,
                error=f"field {one.field_id} not placed: {one.unplaced}",
            )
        try:
            counted = count_field(
                self.slide, one.square, profile=self.profile, stains=self.survey.stains, watch=self.watch
            )
        except ReadError as error:
            return ScoredField(field=one, status=FieldStatus.FAILED, error=f"field {one.field_id}: {error}")
        quality = self._quality(one, counted)
        qc, reason = judge_field(
            quality, tissue_fraction=one.tissue_fraction, pigment_fraction=counted.pigment_fraction
        )
        seen = ScoredField(
            field=one, status=FieldStatus.SCORED, qc=Quality(qc), qc_reason=reason, quality=quality
        )
        if seen.qc == Quality.FAIL and self.plan.rejects:
            return replace(seen, status=FieldStatus.REJECTED, error=f"field {one.field_id}: {reason}")
        scored = replace(
            seen,
            values=score.score_field(
                counted.cells,
                area_mm2=one.area_mm2,
                tissue_fraction=one.tissue_fraction,
                pigment_fraction=counted.pigment_fraction,
            ),
            cells=counted.cells,
        )
        if self.pictures is not None:
            with self.watch.timing("writing"):
                self.pictures.add(scored, counted)
        return scored

    def _quality(self, one: Field, counted: CountedField) -> FieldQuality:
        """Quality of one field, from its own pixels and from the thumbnail's folds."""
        window, inside = counted.square.pixels(counted.rgb.shape)
        found = field_quality(
            np.ascontiguousarray(counted.rgb[window]),
            inside=inside,
            mpp_um=counted.mpp_um,
            white_rgb=self.survey.stains.white_rgb,
        )
        # A field that lies in a fold altogether cannot see its edge.
        folds = replace(self.plan.frame, tissue=self.survey.artefacts.fold)
        return replace(found, fold_fraction=max(found.fold_fraction, tissue_fraction(one.square, folds)))
