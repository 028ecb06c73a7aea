"""``ihcscore info``: what a slide is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ihcscore.cli.app import app, option_name
from ihcscore.cli.options import existing, with_settings
from ihcscore.schema import RunSettings


@app.command()
@with_settings(RunSettings, only=("mpp_um", "icc"))
def info(slide: Annotated[Path, typer.Argument(metavar="SLIDE")], *, settings: RunSettings) -> None:
    """Show a slide's format, size, pixel size, levels and stains."""
    existing(slide)
    from ihcscore.run.info import describe_slide

    lines = describe_slide(slide, mpp_um=settings.mpp_um, icc=settings.icc, spell=option_name)
    width = max(map(len, lines))
    for name, value in lines.items():
        typer.echo(f"{name:<{width}}  {value}")
