"""A whole cohort: every slide of a manifest into tables, contact sheets and one report."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from ihcscore import output, pictures, report
from ihcscore.cohort import tables
from ihcscore.cohort.contact import contact_sheet, overlay_files
from ihcscore.cohort.manifest import Sample, read_manifest
from ihcscore.cohort.schedule import cluster, perform_here, perform_on, processes
from ihcscore.cohort.work import Outcome, Task
from ihcscore.errors import OutputError, parameter
from ihcscore.output.lock import held
from ihcscore.output.progress import Progress, silent
from ihcscore.schema import COHORT_FIELDS, COHORT_SCORES, MARKER_SUMMARY, SAMPLE_SUMMARY, Note, RunSettings

_COMMAND = "cohort"
_CONTACT = "contact.jpg"
_CONTACT_QUALITY = 88


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


def score_cohort(
    manifest: str | Path,
    *,
    out: str | Path,
    settings: RunSettings | None = None,
    workers: int = 1,
    dask_scheduler: str | None = None,
    resume: bool = False,
    overwrite: bool = False,
    progress: Progress = silent,
) -> CohortResult:
    """Score every slide of a manifest; the fields of a sample are drawn once and found again.

    The results are the same bytes whatever the number of workers. A slide that fails stops no other.

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
    progress : callable, optional

    Raises
    ------
    IhcscoreError
        If the manifest or the folder cannot be used, or another run works in the folder.
    """
    if workers < 1:
        raise OutputError(f"{parameter('workers')} is {workers}, expected 1 or more")
    given = read_manifest(manifest)
    samples = given.samples
    settings = settings or RunSettings()
    out = Path(out).resolve()
    with held(out):
        _check_folder(out, samples, resume=resume, overwrite=overwrite)
        tasks, after = _tasks(samples, out, settings)
        for folder in (out, *(task.folder for task in tasks)):
            output.clear_unfinished(folder)
        outcomes = _perform(tasks, after, workers=workers, dask_scheduler=dask_scheduler, progress=progress)
        progress("tables and report", 0.99)
        for number, outcome in outcomes.items():
            if outcome.error:
                output.clear_unfinished(tasks[number].folder)  # of a worker that died
        by_slide = {(task.entry.sample_id, task.entry.marker): outcomes[i] for i, task in enumerate(tasks)}
        return replace(_join(out, samples, by_slide, settings, manifest=Path(manifest)), notes=given.notes)


def _check_folder(out: Path, samples: list[Sample], *, resume: bool, overwrite: bool) -> None:
    """Refuse a folder that holds a run, unless it is to be resumed or replaced."""
    if resume and overwrite:
        raise OutputError(
            f"{parameter('resume')} keeps what is done and {parameter('overwrite')} does it again; "
            "give one of them"
        )
    slides = [out / slide.folder for sample in samples for slide in sample.slides]
    started = [folder for folder in (out, *slides) if (folder / output.RECORD).exists()]
    if started and not (resume or overwrite):
        raise OutputError(
            f"{out}: already holds a run; "
            f"give {parameter('resume')} to go on with it, or another {parameter('out')}"
        )
    record = output.find_record(out)
    if resume and started[:1] == [out] and (record is None or record.command != _COMMAND):
        raise OutputError(f"{out}: holds a run of another command; give another {parameter('out')}")
    if overwrite:
        for folder in started:
            if folder != out:
                output.remove_run(folder)


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
    samples: list[Sample],
    outcomes: dict[tuple[str, str], Outcome],
    settings: RunSettings,
    *,
    manifest: Path,
) -> CohortResult:
    """Tables, contact sheets, report and record of the whole cohort."""
    errors = {where: outcome.error for where, outcome in outcomes.items() if outcome.error}
    scores = tables.join_scores(samples, out, errors)
    fields = tables.join_fields(samples, out, errors)
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
        record = _record(samples, errors, settings, manifest)
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
    samples: list[Sample], errors: dict[tuple[str, str], str], settings: RunSettings, manifest: Path
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
            for sample in samples
        ],
        "errors": {f"{sample} {marker}": text for (sample, marker), text in errors.items()},
    }
    return output.make_record(_COMMAND, content)
