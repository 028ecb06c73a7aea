"""``ihcscore biodistribution``: uptake of organs before and during treatment."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from ihcscore.cli.app import app
from ihcscore.cli.lesions import After
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
from ihcscore.schema import BiodistributionSettings


@app.command()
@with_settings(BiodistributionSettings, only=("suv", "before", "adjust", "quartiles"))
def biodistribution(
    lesions: Annotated[
        Path, typer.Argument(metavar="LESIONS.csv", help="Table of uptake with rows of healthy tissue.")
    ],
    out: Out = DEFAULT_OUT,
    after: After = None,
    *,
    settings: BiodistributionSettings,
    columns: ColumnNames = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Compare the uptake of organs before and during treatment, patient by patient."""
    if after:
        settings = checked(replace, settings, after=tuple(after))
    names = mapped(columns)
    existing(lesions)
    free(out, overwrite=overwrite)
    with stoppable(out), progress_bar(quiet) as progress:
        from ihcscore.study.organs import compare_organs

        found = compare_organs(
            lesions, out=out, settings=settings, rename=names, overwrite=overwrite, progress=progress
        )
    print_warnings(found.warnings)
    if not quiet:
        from ihcscore.report.biodistribution import could_be_found, what_was_found

        typer.echo(could_be_found(found.organs, settings)[1])
        typer.echo(what_was_found(found.organs, settings))
        typer.echo(f"\nReport: {out / 'report.html'}")
