"""``ihcscore count``: count cells on plain tiles."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ihcscore.cli.app import EXIT_PARTLY, app, show_error
from ihcscore.cli.options import (
    DEFAULT_OUT,
    Chromogen,
    Marker,
    Out,
    Overwrite,
    ProfileFile,
    Quiet,
    chosen_profile,
)
from ihcscore.cli.printing import print_totals
from ihcscore.cli.progress import progress_bar


@app.command()
def count(
    images: Annotated[
        list[Path], typer.Argument(metavar="IMAGE_OR_FOLDER...", help="PNG, JPEG or TIFF tiles.")
    ],
    mpp_um: Annotated[float, typer.Option("--mpp-um", help="µm per pixel of the images.", metavar="X")],
    marker: Marker = None,
    out: Out = DEFAULT_OUT,
    overlays: Annotated[bool, typer.Option("--overlays", help="Also draw the cells on each image.")] = False,
    negatives: Annotated[
        bool, typer.Option("--negatives", help="Mark negative cells on the pictures too, by small dots.")
    ] = False,
    profile: ProfileFile = None,
    chromogen: Chromogen = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Count cells on plain RGB tiles: cells.csv, counts.csv, a page, overlays."""
    from ihcscore.run.images import count_images

    chosen = chosen_profile(marker, profile, chromogen)
    with progress_bar(quiet) as progress:
        result = count_images(
            images, profile=chosen, mpp_um=mpp_um, out=out, overlays=overlays,
            negatives=negatives, overwrite=overwrite, progress=progress,
        )  # fmt: skip
    for name, said in result.warnings.items():
        typer.echo(f"warning: {name}: {' '.join(said)}", err=True)
    for error in result.errors.values():
        show_error(error)
    if not quiet:
        print_totals(result.counts)
        typer.echo(f"Tables: {out / 'counts.csv'}, {out / 'cells.csv'}")
        typer.echo(f"Report: {out / 'report.html'}")
    if result.errors:
        raise typer.Exit(EXIT_PARTLY)
