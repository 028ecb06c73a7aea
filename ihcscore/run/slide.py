"""The main job: a whole slide to counts per mm², overlays and a report."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ihcscore import output, score
from ihcscore.cells import Finder, finder_of
from ihcscore.errors import ReadError
from ihcscore.fields import judge_field, tissue_fraction
from ihcscore.geometry.field import Field, FieldQuality
from ihcscore.output.progress import Progress, Stopwatch, silent
from ihcscore.profiles import MarkerProfile
from ihcscore.run.array import as_profile
from ihcscore.run.count import CountedField, count_field
from ihcscore.run.drawn import DrawnFields
from ihcscore.run.plan import FieldPlanner
from ihcscore.run.planned import PlannedSlide, plan_slide
from ihcscore.run.result import ScoredField, SlideScores, notes_of, tables_of
from ihcscore.run.stained import doubted
from ihcscore.run.write import FieldPictures, record_of, write_run
from ihcscore.schema import FieldStatus, Quality, RunSettings
from ihcscore.slide import open_slide
from ihcscore.slide.thumbnail import CACHE
from ihcscore.tissue.focus import field_quality


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
    finder = finder_of(profile)
    watch = Stopwatch()
    with ExitStack() as stack:
        folder = None
        if out is not None:
            folder = stack.enter_context(output.OutputFolder(out, overwrite=overwrite))
        with watch.timing("opening"):
            slide = stack.enter_context(open_slide(path, mpp_um=settings.mpp_um, icc=settings.icc))
        planned = plan_slide(
            slide,
            fields or DrawnFields(),
            chromogen=profile.chromogen,
            settings=settings,
            cache=None if out is None else Path(out) / CACHE,
            watch=watch,
            progress=progress,
        )
        pictures = (
            None
            if folder is None
            else FieldPictures(folder=folder, planned=planned, marker=profile.name, upright=upright)
        )
        scored = _score_all(_Scorer(planned=planned, finder=finder, watch=watch, pictures=pictures), progress)
        result = _result(planned, profile, scored, watch, work_key)
        progress("report", 0.95)
        if folder is not None and pictures is not None:
            with watch.timing("writing"):
                write_run(folder, result, planned, marker=profile.name, previews=pictures.previews)
        progress("done", 1.0)
    return result


def _result(
    planned: PlannedSlide,
    profile: MarkerProfile,
    scored: Sequence[ScoredField],
    watch: Stopwatch,
    work_key: str | None,
) -> SlideScores:
    notes = notes_of(planned.plan, scored)
    tables = tables_of(planned, scored, notes, marker=profile.name)
    return SlideScores(
        scores=tables.scores,
        fields=tables.fields,
        cells=tables.cells,
        notes=notes,
        record=record_of(planned, notes, profile=profile, work_key=work_key),
        seconds=watch.seconds,
    )


def _score_all(scorer: _Scorer, progress: Progress) -> list[ScoredField]:
    """Every field of the plan, and those drawn in place of rejected ones."""
    planned = scorer.planned
    taken = list(planned.plan.fields)
    waiting = deque(taken)
    scored: list[ScoredField] = []
    while waiting:
        one = waiting.popleft()
        progress(f"field {one.field_id}", 0.25 + 0.7 * len(scored) / len(taken))
        scored.append(scorer.score(one))
        if scored[-1].status == FieldStatus.REJECTED:
            again = planned.plan.redrawn(one.region, taken, planned.settings.fields)
            waiting.extendleft(again)
            taken += again
    return scored


@dataclass(frozen=True, kw_only=True)
class _Scorer:
    """Counts the fields of one slide, one after the other."""

    planned: PlannedSlide
    finder: Finder
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
                self.planned.slide,
                one.square,
                finder=self.finder,
                stains=self.planned.survey.stains,
                watch=self.watch,
            )
        except ReadError as error:
            return ScoredField(field=one, status=FieldStatus.FAILED, error=f"field {one.field_id}: {error}")
        quality = self._quality(one, counted)
        qc, reason = judge_field(
            quality, tissue_fraction=one.tissue_fraction, pigment_fraction=counted.pigment_fraction
        )
        qc, reason = doubted(qc, reason, self.planned.survey.stain_check)
        seen = ScoredField(field=one, status=FieldStatus.SCORED, qc=qc, qc_reason=reason, quality=quality)
        if seen.qc == Quality.FAIL and self.planned.plan.rejects:
            rejected = replace(seen, status=FieldStatus.REJECTED, error=f"field {one.field_id}: {reason}")
            self._draw(rejected, counted)
            return rejected
        scored = replace(
            seen,
            values=score.score_field(
                counted.cells,
                area_mm2=one.area_mm2,
                tissue_fraction=one.tissue_fraction,
                pigment_fraction=counted.pigment_fraction,
            ),
            cells=counted.cells,
            nuclei_um=counted.nuclei_um,
        )
        self._draw(scored, counted)
        return scored

    def _draw(self, one: ScoredField, counted: CountedField) -> None:
        """Write its pictures, where anything is written."""
        if self.pictures is not None:
            with self.watch.timing("writing"):
                self.pictures.add(one, counted)

    def _quality(self, one: Field, counted: CountedField) -> FieldQuality:
        """Quality of one field, from its own pixels and from the thumbnail's folds."""
        window, inside = counted.square.pixels(counted.rgb.shape)
        found = field_quality(
            np.ascontiguousarray(counted.rgb[window]),
            inside=inside,
            mpp_um=counted.mpp_um,
            white_rgb=self.planned.survey.stains.white_rgb,
        )
        # A field that lies in a fold altogether cannot see its edge.
        folds = replace(self.planned.plan.frame, tissue=self.planned.survey.artefacts.fold)
        return replace(found, fold_fraction=max(found.fold_fraction, tissue_fraction(one.square, folds)))
