"""``ihcscore cohort``: score all slides of a manifest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ihcscore.cli.app import EXIT_PARTLY, app
from ihcscore.cli.options import DEFAULT_OUT, Out, Overwrite, Quiet, with_settings
from ihcscore.cli.printing import print_samples
from ihcscore.cli.progress import progress_bar
from ihcscore.schema import FieldStatus, RunSettings

if TYPE_CHECKING:
    from ihcscore.cohort import CohortResult


@app.command()
@with_settings(RunSettings, without=("min_tissue_fraction", "mpp_um"))  # µm per pixel are in the manifest
def cohort(
    manifest: Annotated[
        Path, typer.Argument(metavar="MANIFEST.csv", help="patient_id, sample_id, slide, marker, ...")
    ],
    out: Out = DEFAULT_OUT,
    workers: Annotated[int, typer.Option(help="Processes on this machine.", metavar="N")] = 1,
    dask_scheduler: Annotated[
        str | None, typer.Option(help="Work on a Dask cluster instead.", metavar="ADDRESS")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run that DIR holds.")] = False,
    *,
    settings: RunSettings,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Score the same fields on all slides of every sample: tables, contact sheets, one report."""
    from ihcscore.cohort import score_cohort

    with progress_bar(quiet, lines=True) as progress:
        result = score_cohort(
            manifest, out=out, settings=settings, workers=workers, dask_scheduler=dask_scheduler,
            resume=resume, overwrite=overwrite, progress=progress,
        )  # fmt: skip
    _tell_troubles(result)
    if not quiet:
        print_samples(result.samples)
        typer.echo(f"\nReport: {out / 'report.html'}")
    if result.errors or result.n_failed_fields or result.nothing_scored:
        raise typer.Exit(EXIT_PARTLY)


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
