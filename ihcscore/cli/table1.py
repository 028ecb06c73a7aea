"""``ihcscore table1``: a study's patients in a table."""

from __future__ import annotations

from dataclasses import replace
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
    existing,
    free,
    mapped,
    with_settings,
)
from ihcscore.cli.printing import print_warnings
from ihcscore.cli.stopping import stoppable
from ihcscore.schema import PatientsSettings


@app.command()
@with_settings(PatientsSettings, only=("by",))
def table1(
    patients: Annotated[
        Path, typer.Argument(metavar="PATIENTS.csv", help="A row a patient; every other column is described.")
    ],
    out: Out = DEFAULT_OUT,
    *,
    settings: PatientsSettings,
    mean: Annotated[bool, typer.Option("--mean", help="Mean ± SD instead of median (Q1-Q3, range).")] = False,
    numbers: Annotated[
        list[str] | None, typer.Option(help="Column that is a number.", metavar="COLUMN")
    ] = None,
    categories: Annotated[
        list[str] | None, typer.Option(help="Column that is a category.", metavar="COLUMN")
    ] = None,
    leave_out: Annotated[
        list[str] | None, typer.Option(help="Column that is not shown.", metavar="COLUMN")
    ] = None,
    columns: ColumnNames = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Describe the patients of a study: table 1, without any P."""
    settings = replace(
        settings,
        mean=mean,
        numbers=tuple(numbers or ()),
        categories=tuple(categories or ()),
        leave_out=tuple(leave_out or ()),
    )
    names = mapped(columns)
    existing(patients)
    free(out, overwrite=overwrite)
    with stoppable(out):
        from ihcscore.study.patients import describe_patients

        found = describe_patients(patients, out=out, settings=settings, rename=names, overwrite=overwrite)
    print_warnings(found.warnings)
    if not quiet:
        typer.echo(found.markdown)
        typer.echo(f"\nReport: {out / 'report.html'}")
