"""``ihcscore fields``: draw the fields and show them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ihcscore.cli.app import app
from ihcscore.cli.options import (
    DEFAULT_OUT,
    Annotations,
    Out,
    Overwrite,
    existing,
    free,
    readable,
    unused,
    with_settings,
)
from ihcscore.cli.stopping import stoppable
from ihcscore.schema import RunSettings, Sampling


@app.command()
@with_settings(RunSettings, without=("min_tissue_fraction", "max_registration_error_um", "force_stain"))
def fields(
    context: typer.Context,
    slide: Annotated[Path, typer.Argument(metavar="SLIDE")],
    annotations: Annotations = None,
    out: Out = DEFAULT_OUT,
    *,
    settings: RunSettings,
    overwrite: Overwrite = False,
) -> None:
    """Draw the fields and show them, without counting."""
    if settings.fields.sampling == Sampling.ALL:
        unused(context, ("n_fields",), "--sampling all takes every field")
    existing(slide, annotations)
    free(out, overwrite=overwrite)
    readable(slide, settings)
    with stoppable(out):
        from ihcscore.run.drawn import DrawnFields
        from ihcscore.run.preview import write_fields

        planner = DrawnFields(outline=annotations)
        plan = write_fields(slide, fields=planner, settings=settings, out=out, overwrite=overwrite)
    for note in plan.notes:
        typer.echo(f"warning: {slide.name}: {note.text}", err=True)
    typer.echo(f"{len(plan.fields)} fields: {out / 'overview.png'}, {out / 'fields.geojson'}")
