"""A whole cohort: every slide of a manifest into tables, contact sheets and one report."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from ihcscore import output, pictures, report
from ihcscore.cohort import tables
from ihcscore.cohort.contact import contact_sheet, overlay_files
from ihcscore.cohort.look import Look, look_at, refuse_faults, with_faults
from ihcscore.cohort.manifest import Manifest, Sample, read_manifest
from ihcscore.cohort.schedule import cluster, perform_here, perform_on, processes
from ihcscore.cohort.work import Outcome, Task, is_done
from ihcscore.errors import OutputError, parameter, require_in
from ihcscore.output.lock import go_on, held, refuse_held, tell_stop
from ihcscore.output.progress import Progress, silent
from ihcscore.schema import (
    COHORT_FIELDS,
    COHORT_SCORES,
    MARKER_SUMMARY,
    SAMPLE_SUMMARY,
    WORKERS,
    Note,
    RunSettings,
    texts,
)

_COMMAND = "cohort"
_CONTACT = "contact.jpg"
_CONTACT_QUALITY = 88
# A worker on a cluster looks between fields whether the run was stopped.
_STOPPED_WITHIN_S = 15.0


@dataclass(frozen=True, kw_only=True)
class CohortResult:
    """What a cohort gives.

    Attributes
    ----------
    scores, fields, samples, markers : DataFrame
        As in the tables of the same names.
    errors : dict of (str, str) to str
        Slides that could not be scored, by sample and marker, and why.
    n_failed_fields : int
        Fields that could not be read on the others.
    nothing_scored : tuple of (str, str)
        Slides, by sample and marker, that could be read and on which no field could be scored. Those on which
        no field was found again are none of them.
    stains : dict of (str, str) to str
        What is doubtful in the stain of a slide, by sample and marker.
    n_done_before : int
        Slides that an earlier run had done.
    notes : list of Note
        What a reader must know of the manifest.
    """

    scores: pd.DataFrame = field(repr=False)
    fields: pd.DataFrame = field(repr=False)
    samples: pd.DataFrame = field(repr=False)
    markers: pd.DataFrame = field(repr=False)
    errors: dict[tuple[str, str], str]
    n_failed_fields: int
    n_done_before: int
    nothing_scored: tuple[tuple[str, str], ...] = ()
    stains: dict[tuple[str, str], str] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class CohortPlan:
    """What a run on a cohort would do.

    Attributes
    ----------
    tasks : list of Task
        A slide each, in the manifest's order, the reference of a sample first.
    looks : list of Look
        What was seen of each.
    done : list of bool
        Whether an earlier run in the folder has done it, so that it is not done again.
    notes : list of Note
        What a reader must know of the manifest.
    """

    tasks: list[Task]
    looks: list[Look]
    done: list[bool]
    notes: list[Note]


def plan_cohort(
    manifest: str | Path,
    *,
    out: str | Path,
    settings: RunSettings | None = None,
    resume: bool = False,
    overwrite: bool = False,
    progress: Progress = silent,
) -> CohortPlan:
    """Look at every slide of a manifest and say what would be done; nothing is written.

    Parameters are those of :func:`score_cohort`. A slide that cannot be scored is no error here: its look
    says what is wrong.

    Raises
    ------
    IhcscoreError
        If the manifest or the folder cannot be used.
    """
    _check_words(resume=resume, overwrite=overwrite)
    given = read_manifest(manifest)
    out = Path(out).resolve()
    _check_folder(out, given.samples, resume=resume, overwrite=overwrite)
    tasks, _ = _tasks(given.samples, out, settings or RunSettings())
    looks = look_at(tasks, progress)
    tasks = with_faults(tasks, looks)
    done = [resume and not task.fault and is_done(task) for task in tasks]
    return CohortPlan(tasks=tasks, looks=looks, done=done, notes=given.notes)


def score_cohort(
    manifest: str | Path,
    *,
    out: str | Path,
    settings: RunSettings | None = None,
    workers: int = 1,
    dask_scheduler: str | None = None,
    resume: bool = False,
    overwrite: bool = False,
    keep_going: bool = False,
    progress: Progress = silent,
) -> CohortResult:
    """Score every slide of a manifest; the fields of a sample are drawn once and found again.

    The results are the same bytes whatever the number of workers. Every slide, annotation and profile is
    looked at before the first is scored; a slide that fails after that stops no other.

    Parameters
    ----------
    manifest : str or Path
        See :func:`ihcscore.cohort.manifest.read_manifest`.
    out : str or Path
        Gets a folder a sample with one a slide in it, and the joined tables and report.
    settings : RunSettings, optional
        For all slides; the pixel size comes from the manifest.
    workers : int
        Processes on this machine.
    dask_scheduler : str, optional
        Address of a Dask scheduler, whose workers see the same files under the same names.
    resume : bool
        Go on with what a run in this folder has left undone, or do again what has changed.
    overwrite : bool
        Begin anew, slide by slide, in a folder that holds a run.
    keep_going : bool
        Leave out slides that cannot be scored, by name and reason, instead of scoring none.
    progress : callable, optional

    Raises
    ------
    IhcscoreError
        If the manifest or the folder cannot be used, or another run works in the folder.
    FaultsError
        If slides cannot be opened, or their annotations, pixel sizes or profiles cannot be used; all are told
        at once, and nothing is written.
    """
    require_in(WORKERS, "workers", workers)
    _check_words(resume=resume, overwrite=overwrite)
    given = read_manifest(manifest)
    samples = given.samples
    settings = settings or RunSettings()
    out = Path(out).resolve()
    _check_folder(out, samples, resume=resume, overwrite=overwrite)
    refuse_held(out)
    tasks, after = _tasks(samples, out, settings)
    looks = look_at(tasks, progress)
    if not keep_going:
        refuse_faults(tasks, looks)
    tasks = with_faults(tasks, looks)
    with held(out):
        _check_folder(out, samples, resume=resume, overwrite=overwrite)  # another may have come between
        if overwrite:
            _remove_slides(out, samples)
        _clear(out, tasks)
        try:
            outcomes = _perform(
                tasks, after, workers=workers, dask_scheduler=dask_scheduler, progress=progress
            )
        except BaseException:
            if dask_scheduler is not None:
                _stop(out, tasks)
            _clear(out, tasks)
            raise
        progress("tables and report", 0.99)
        for number, outcome in outcomes.items():
            if outcome.error:
                output.clear_unfinished(tasks[number].folder)  # of a worker that died
        by_slide = {(task.entry.sample_id, task.entry.marker): outcomes[i] for i, task in enumerate(tasks)}
        return _join(out, given, by_slide, settings, manifest=Path(manifest))


def _check_words(*, resume: bool, overwrite: bool) -> None:
    """Refuse what contradicts itself."""
    if resume and overwrite:
        raise OutputError(
            f"{parameter('resume')} keeps what is done and {parameter('overwrite')} does it again; "
            "give one of them"
        )


def _check_folder(out: Path, samples: list[Sample], *, resume: bool, overwrite: bool) -> None:
    """Refuse a folder that holds a run, unless it is to be resumed or replaced; nothing is written."""
    if out.exists() and not out.is_dir():
        raise OutputError(f"{out}: is a file; give another {parameter('out')}")
    started = [folder for folder in (out, *_slide_folders(out, samples)) if _holds_a_run(folder)]
    if started and not (resume or overwrite):
        raise OutputError(
            f"{out}: already holds a run; "
            f"give {parameter('resume')} to go on with it, or another {parameter('out')}"
        )
    record = output.find_record(out)
    if resume and started[:1] == [out] and (record is None or record.command != _COMMAND):
        raise OutputError(f"{out}: holds a run of another command; give another {parameter('out')}")


def _slide_folders(out: Path, samples: list[Sample]) -> list[Path]:
    return [out / slide.folder for sample in samples for slide in sample.slides]


def _holds_a_run(folder: Path) -> bool:
    return (folder / output.RECORD).exists()


def _remove_slides(out: Path, samples: list[Sample]) -> None:
    """Remove what an earlier run has made of each slide; the joined tables stay until there are new ones."""
    for folder in filter(_holds_a_run, _slide_folders(out, samples)):
        output.remove_run(folder)


def _clear(out: Path, tasks: list[Task]) -> None:
    """Remove what a run that was killed or stopped has left half done."""
    for folder in (out, *(task.folder for task in tasks)):
        output.clear_unfinished(folder)
    if not any(output.unfinished(task.folder) for task in tasks):
        go_on(out)


def _stop(out: Path, tasks: list[Task]) -> None:
    """Tell a cluster's workers to stop, and wait a while until they have."""
    tell_stop(
        out,
        stopped=lambda: not any(output.unfinished(task.folder) for task in tasks),
        within_s=_STOPPED_WITHIN_S,
    )


def _tasks(samples: list[Sample], out: Path, settings: RunSettings) -> tuple[list[Task], dict[int, int]]:
    """Tasks in the manifest's order, and which must be done before which."""
    tasks: list[Task] = []
    after: dict[int, int] = {}
    for sample in samples:
        first = len(tasks)
        tasks.append(Task(entry=sample.reference, out=out, settings=settings))
        for entry in sample.others:
            after[len(tasks)] = first
            tasks.append(Task(entry=entry, reference=sample.reference, out=out, settings=settings))
    return tasks, after


def _perform(
    tasks: list[Task],
    after: dict[int, int],
    *,
    workers: int,
    dask_scheduler: str | None,
    progress: Progress,
) -> dict[int, Outcome]:
    """Outcome of every task."""
    outcomes: dict[int, Outcome] = {}
    tell = _teller(tasks, progress)

    def done(number: int, outcome: Outcome) -> None:
        outcomes[number] = outcome
        tell(number, outcome)

    if dask_scheduler is not None:
        opened, n = cluster(dask_scheduler)
        perform_on(opened, tasks, after, done, n_workers=n)
    elif workers > 1:
        perform_on(processes(workers), tasks, after, done, n_workers=workers)
    else:
        perform_here(tasks, after, done)
    return outcomes


def _teller(tasks: list[Task], progress: Progress) -> Callable[[int, Outcome], None]:
    """Progress with the time left, from the slides that were scored in this run."""
    start = time.monotonic()
    count = {"done": 0, "here": 0}

    def tell(number: int, outcome: Outcome) -> None:
        count["done"] += 1
        count["here"] += not outcome.done_before
        left = len(tasks) - count["done"]
        text = f"{count['done']} of {len(tasks)} slides"
        if left and count["here"]:
            seconds = (time.monotonic() - start) / count["here"] * left
            text += f", about {_duration(seconds)} left"
        if outcome.error:
            text += f" ({outcome.error})"
        progress(text, 0.98 * count["done"] / len(tasks))

    progress(f"0 of {len(tasks)} slides", 0.0)
    return tell


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"


def _join(
    out: Path,
    given: Manifest,
    outcomes: dict[tuple[str, str], Outcome],
    settings: RunSettings,
    *,
    manifest: Path,
) -> CohortResult:
    """Tables, contact sheets, report and record of the whole cohort."""
    samples = given.samples
    errors = {where: outcome.error for where, outcome in outcomes.items() if outcome.error}
    fields = tables.join_fields(samples, out, errors)
    scores = tables.with_matched(tables.join_scores(samples, out, errors), fields)
    per_sample = tables.sample_summary(scores)
    per_marker = tables.marker_summary(per_sample)
    result = CohortResult(
        scores=scores,
        fields=fields,
        samples=per_sample,
        markers=per_marker,
        errors=errors,
        n_failed_fields=sum(outcome.n_failed for outcome in outcomes.values()),
        n_done_before=sum(outcome.done_before for outcome in outcomes.values()),
        notes=given.notes,
        nothing_scored=tuple(where for where, outcome in outcomes.items() if outcome.nothing_scored),
        stains={where: outcome.stain for where, outcome in outcomes.items() if outcome.stain},
    )
    with output.OutputFolder(out, overwrite=True) as folder:
        output.write_table(folder.new_file("scores.csv"), scores, COHORT_SCORES)
        output.write_table(folder.new_file("fields.csv"), fields, COHORT_FIELDS)
        output.write_table(folder.new_file("samples.csv"), per_sample, SAMPLE_SUMMARY)
        output.write_table(folder.new_file("markers.csv"), per_marker, MARKER_SUMMARY)
        overlays = overlay_files(samples, out, fields)
        contacts = {}
        for sample in samples:
            sheet = contact_sheet(sample, out, fields, overlays)
            if sheet is not None:
                file = folder.new_file(sample.sample_id, _CONTACT)
                pictures.write_jpeg(file, sheet, quality=_CONTACT_QUALITY)
                contacts[sample.sample_id] = f"{sample.sample_id}/{_CONTACT}"
        record = _record(given, errors, settings, manifest)
        page = report.CohortPage(
            record=record, scores=scores, fields=fields, samples=per_sample, markers=per_marker,
            errors=errors, stains=result.stains, contacts=contacts, overlays=overlays,
            folders={
                (slide.sample_id, slide.marker): slide.folder.as_posix()
                for sample in samples
                for slide in sample.slides
            },
        )  # fmt: skip
        folder.add_file(report.html_of(page), "report.html")
        output.write_record(folder, record)
    return result


def _record(
    given: Manifest, errors: dict[tuple[str, str], str], settings: RunSettings, manifest: Path
) -> dict[str, Any]:
    """What the cohort was made from; nothing of when or where."""
    content = {
        "manifest": manifest.name,
        "parameters": settings,
        "samples": [
            {
                "patient_id": sample.patient_id,
                "sample_id": sample.sample_id,
                "reference": sample.reference.marker,
                "slides": {slide.marker: slide.written for slide in sample.slides},
            }
            for sample in given.samples
        ],
        "notes": texts(given.notes),
        "errors": {f"{sample} {marker}": text for (sample, marker), text in errors.items()},
    }
    return output.make_record(_COMMAND, content)
