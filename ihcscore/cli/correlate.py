"""``ihcscore correlate``: densities and uptake."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from ihcscore.cli.app import app
from ihcscore.cli.lesions import LESION_SETTINGS, OnTreatment, UnitOfCovariate, about_lesions
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
    name_pair,
    with_settings,
)
from ihcscore.cli.printing import print_correlations, print_warnings
from ihcscore.cli.progress import progress_bar
from ihcscore.cli.stopping import stoppable
from ihcscore.schema import CorrelationSettings

_VARIABLE = "MARKER[.COLUMN]:REGION"


@app.command()
@with_settings(
    CorrelationSettings,
    only=(*LESION_SETTINGS, "density", "point", "kendall"),
)
def correlate(
    scores: Annotated[Path, typer.Argument(metavar="SCORES.csv", help="scores.csv of a cohort.")],
    suv_table: Annotated[
        Path | None, typer.Argument(metavar="LESIONS.csv", help="Lesions with their uptake, CSV or XLSX.")
    ] = None,
    out: Out = DEFAULT_OUT,
    x: Annotated[str | None, typer.Option(help="One density alone.", metavar=_VARIABLE)] = None,
    y: Annotated[
        str | None, typer.Option(help="Against this density instead of SUV.", metavar=_VARIABLE)
    ] = None,
    region: Annotated[
        list[str] | None,
        typer.Option(help="This region alone; 'Both regions' for all fields together.", metavar="REGION"),
    ] = None,
    ratio: Annotated[
        list[str] | None,
        typer.Option(help="Ratio of two markers; CD25/CD3 and CD8/CD4 if none is given.", metavar="A/B"),
    ] = None,
    *,
    settings: CorrelationSettings,
    on_treatment: OnTreatment = None,
    unit: UnitOfCovariate = None,
    columns: ColumnNames = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Correlate a cohort's densities with lesion SUV, and say what could have been found."""
    if ratio is not None:
        settings = replace(settings, ratios=tuple(name_pair(text, "/", "--ratio") for text in ratio))
    settings = checked(replace, settings, **about_lesions(on_treatment, unit, points=True))
    settings = checked(replace, settings, x=x, y=y, regions=tuple(region or ()))
    names = mapped(columns)
    existing(scores, suv_table)
    free(out, overwrite=overwrite)
    with stoppable(out), progress_bar(quiet) as progress:
        from ihcscore.study.correlate import correlate_tables

        study = correlate_tables(
            scores, suv_table, out=out, settings=settings, rename=names,
            overwrite=overwrite, progress=progress,
        )  # fmt: skip
    print_warnings(study.warnings)
    if not quiet:
        print_correlations(study.correlations, settings)
        typer.echo(f"\nReport: {out / 'report.html'}")
