"""``ihcscore agree``: two raters of the same."""

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
    checked,
    existing,
    free,
    mapped,
    numbers,
    with_settings,
)
from ihcscore.cli.printing import print_agreement, print_warnings
from ihcscore.cli.progress import progress_bar
from ihcscore.cli.stopping import stoppable
from ihcscore.schema import AgreementSettings


@app.command()
@with_settings(AgreementSettings, only=("value", "offset"))
def agree(
    a: Annotated[Path, typer.Argument(metavar="A.csv", help="Counts or densities of one rater.")],
    b: Annotated[Path, typer.Argument(metavar="B.csv", help="Of the other, or of the tool.")],
    out: Out = DEFAULT_OUT,
    key: Annotated[
        list[str] | None, typer.Option(help="Column that names the thing.", metavar="COLUMN")
    ] = None,
    bins: Annotated[
        str | None, typer.Option(help="Lower ends of the classes for kappa, beside 0.", metavar="1,6,11,21")
    ] = None,
    *,
    settings: AgreementSettings,
    columns: ColumnNames = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Compare two raters, or the tool and people, on the same images or fields."""
    settings = replace(settings, keys=tuple(key or ()))
    if bins is not None:
        settings = checked(replace, settings, bins=numbers(bins, "--bins"))
    names = mapped(columns)
    existing(a, b)
    free(out, overwrite=overwrite)
    with stoppable(out), progress_bar(quiet) as progress:
        from ihcscore.study.agree import agree_tables

        result = agree_tables(
            a, b, out=out, settings=settings, rename=names, overwrite=overwrite, progress=progress
        )
    print_warnings(result.warnings)
    if not quiet:
        print_agreement(result.measures)
        typer.echo(f"\nReport: {out / 'report.html'}")
