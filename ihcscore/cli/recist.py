"""``ihcscore recist``: responses by RECIST 1.1."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ihcscore.cli.app import app
from ihcscore.cli.options import (
    DEFAULT_OUT,
    ColumnNames,
    Out,
    Overwrite,
    Quiet,
    checked,
    existing,
    free,
    mapped,
    with_settings,
)
from ihcscore.cli.printing import print_warnings
from ihcscore.cli.progress import progress_bar
from ihcscore.cli.stopping import stoppable
from ihcscore.schema import RecistSettings


@app.command()
@with_settings(RecistSettings, without=("confirm",))
def recist(
    diameters: Annotated[
        Path,
        typer.Argument(metavar="DIAMETERS.csv", help="Lesions at visits with their diameters."),
    ],
    out: Out = DEFAULT_OUT,
    confirm: Annotated[
        bool, typer.Option("--confirm", help="CR and PR must be confirmed 28 days later or more.")
    ] = False,
    *,
    settings: RecistSettings,
    columns: ColumnNames = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Find responses by RECIST 1.1 from diameters: each visit, best responses, waterfall and spider plots."""
    settings = checked(RecistSettings, confirm=confirm, min_sd_days=settings.min_sd_days)
    names = mapped(columns)
    existing(diameters)
    free(out, overwrite=overwrite)
    with stoppable(out), progress_bar(quiet) as progress:
        from ihcscore.study.recist.run import assess_responses

        found = assess_responses(
            diameters, out=out, settings=settings, rename=names, overwrite=overwrite, progress=progress
        )
    print_warnings(found.warnings)
    if not quiet:
        from ihcscore.report.recist import sentences

        for text in sentences(found.best, found.response):
            typer.echo(text)
        typer.echo(f"\nReport: {out / 'report.html'}")
