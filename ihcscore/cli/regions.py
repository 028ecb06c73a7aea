"""``ihcscore regions``: propose where the tumour is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ihcscore.cli.app import app
from ihcscore.cli.options import Overwrite, existing, with_settings
from ihcscore.cli.stopping import stoppable
from ihcscore.schema import RunSettings


@app.command()
@with_settings(RunSettings, only=("mpp_um", "icc"))
def regions(
    slide: Annotated[Path, typer.Argument(metavar="SLIDE")],
    out: Annotated[
        Path | None, typer.Option(help="The file; else SLIDE.geojson.", metavar="FILE.geojson")
    ] = None,
    *,
    settings: RunSettings,
    overwrite: Overwrite = False,
) -> None:
    """Write the proposed tumour outline alone, for correction in QuPath."""
    existing(slide)
    out = out or Path(f"{slide.stem}.geojson")
    with stoppable(out):
        from ihcscore.run.preview import write_regions

        lines = write_regions(slide, out=out, mpp_um=settings.mpp_um, icc=settings.icc, overwrite=overwrite)
    for line in lines:
        typer.echo(f"{slide.name}: {line}", err=True)
    typer.echo(f"Proposal: {out}")
