"""``ihcscore cohort``: score all slides of a manifest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ihcscore.cli.app import EXIT_BAD_INPUT, EXIT_PARTLY, app, show_error
from ihcscore.cli.options import (
    DEFAULT_OUT,
    Out,
    Overwrite,
    Quiet,
    Workers,
    existing,
    unused,
    with_settings,
)
from ihcscore.cli.printing import print_plan, print_samples
from ihcscore.cli.progress import progress_bar
from ihcscore.cli.stopping import cohort_left, stoppable
from ihcscore.errors import IhcscoreError, require_in
from ihcscore.schema import WORKERS, FieldStatus, RunSettings, Sampling

if TYPE_CHECKING:
    from ihcscore.cohort import CohortResult


@app.command()
@with_settings(RunSettings, without=("min_tissue_fraction", "mpp_um"))  # µm per pixel are in the manifest
def cohort(
    context: typer.Context,
    manifest: Annotated[
        Path, typer.Argument(metavar="MANIFEST.csv", help="patient_id, sample_id, slide, marker, ...")
    ],
    out: Out = DEFAULT_OUT,
    workers: Workers = 1,
    dask_scheduler: Annotated[
        str | None, typer.Option(help="Work on a Dask cluster instead.", metavar="ADDRESS")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run that DIR holds.")] = False,
    keep_going: Annotated[
        bool, typer.Option("--keep-going", help="Leave out slides that cannot be scored; status 3.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Look at all files and say what would be done.")
    ] = False,
    *,
    settings: RunSettings,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Score the same fields on all slides of every sample: tables, contact sheets, one report."""
    require_in(WORKERS, "workers", workers)
    if dask_scheduler is not None:
        unused(context, ("workers",), "--dask-scheduler brings its own workers")
    if settings.fields.sampling == Sampling.ALL:
        unused(context, ("n_fields",), "--sampling all takes every field")
    existing(manifest)
    if dry_run:
        _show_plan(
            manifest, out=out, settings=settings, resume=resume, overwrite=overwrite, keep_going=keep_going,
            quiet=quiet,
        )  # fmt: skip
        return
    with stoppable(out, cohort_left), progress_bar(quiet, lines=True) as progress:
        from ihcscore.cohort import score_cohort

        result = score_cohort(
            manifest, out=out, settings=settings, workers=workers, dask_scheduler=dask_scheduler,
            resume=resume, overwrite=overwrite, keep_going=keep_going, progress=progress,
        )  # fmt: skip
    _tell_troubles(result)
    if not quiet:
        print_samples(result.samples)
        typer.echo(f"\nReport: {out / 'report.html'}")
    if result.errors or result.n_failed_fields or result.nothing_scored:
        raise typer.Exit(EXIT_PARTLY)


def _show_plan(
    manifest: Path,
    *,
    out: Path,
    settings: RunSettings,
    resume: bool,
    overwrite: bool,
    keep_going: bool,
    quiet: bool,
) -> None:
    """What would be done, and what is wrong; nothing is written."""
    with progress_bar(quiet) as progress:
        from ihcscore.cohort import plan_cohort

        plan = plan_cohort(
            manifest, out=out, settings=settings, resume=resume, overwrite=overwrite, progress=progress
        )
    for note in plan.notes:
        typer.echo(f"warning: {note.text}", err=True)
    print_plan(plan)
    if any(task.fault for task in plan.tasks):
        from ihcscore.cohort.look import refuse_faults

        try:
            refuse_faults(plan.tasks, plan.looks)
        except IhcscoreError as error:
            show_error(error)
        raise typer.Exit(EXIT_PARTLY if keep_going else EXIT_BAD_INPUT)


def _tell_troubles(result: CohortResult) -> None:
    """What was odd in the manifest, slides without scores, and those on which no field was found again."""
    for note in result.notes:
        typer.echo(f"warning: {note.text}", err=True)
    for (sample, marker), doubt in result.stains.items():
        typer.echo(f"warning: {sample} {marker}: {doubt}", err=True)
    for sample, marker in result.nothing_scored:
        typer.echo(f"ihcscore: {sample} {marker}: no field could be scored; fields.csv says why", err=True)
    for (sample, marker), error in result.errors.items():
        typer.echo(f"ihcscore: {sample} {marker}: {error}", err=True)
    for where, group in result.fields.groupby(["sample_id", "marker"], sort=False):
        if (group["status"] == FieldStatus.UNPLACED).all():
            slide = " ".join(map(str, where))
            typer.echo(f"warning: {slide}: no field could be placed; {group['error'].iloc[0]}", err=True)
