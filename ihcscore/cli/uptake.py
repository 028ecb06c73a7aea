"""``ihcscore uptake``: lesions in PET, without tissue."""

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
    with_settings,
)
from ihcscore.cli.printing import print_uptake, print_warnings
from ihcscore.cli.progress import progress_bar
from ihcscore.cli.stopping import stoppable
from ihcscore.schema import CorrelationSettings


@app.command()
@with_settings(CorrelationSettings, only=LESION_SETTINGS)
def uptake(
    lesions: Annotated[
        Path, typer.Argument(metavar="LESIONS.csv", help="Lesions with their uptake, CSV or XLSX.")
    ],
    scores: Annotated[
        Path | None, typer.Argument(metavar="SCORES.csv", help="scores.csv of a cohort, if there is one.")
    ] = None,
    out: Out = DEFAULT_OUT,
    *,
    settings: CorrelationSettings,
    on_treatment: OnTreatment = None,
    unit: UnitOfCovariate = None,
    columns: ColumnNames = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Summarise lesion uptake scan by scan, its change, and both against response; tissue may lack."""
    settings = checked(replace, settings, **about_lesions(on_treatment, unit, points=False))
    names = mapped(columns)
    existing(lesions, scores)
    free(out, overwrite=overwrite)
    with stoppable(out), progress_bar(quiet) as progress:
        from ihcscore.study.correlate import correlate_tables

        study = correlate_tables(
            scores, lesions, out=out, settings=settings, rename=names,
            overwrite=overwrite, progress=progress,
        )  # fmt: skip
    print_warnings(study.warnings)
    if not quiet:
        print_uptake(study.summary)
        typer.echo(f"\nReport: {out / 'report.html'}")
