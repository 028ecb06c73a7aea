"""``ihcscore count``: count cells on plain tiles."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ihcscore.cli.app import EXIT_PARTLY, app, show_error
from ihcscore.cli.options import (
    DEFAULT_OUT,
    Chromogen,
    Finder,
    Marker,
    Out,
    Overwrite,
    ProfileFile,
    Quiet,
    chosen_profile,
    existing,
    free,
)
from ihcscore.cli.printing import print_totals
from ihcscore.cli.progress import progress_bar
from ihcscore.cli.stopping import stoppable
from ihcscore.errors import require_in
from ihcscore.schema import COUNTED_MPP_UM


@app.command()
def count(
    images: Annotated[
        list[Path], typer.Argument(metavar="IMAGE_OR_FOLDER...", help="PNG, JPEG or TIFF tiles.")
    ],
    mpp_um: Annotated[float, typer.Option("--mpp-um", help="µm per pixel of the images.", metavar="X")],
    marker: Marker = None,
    out: Out = DEFAULT_OUT,
    overlays: Annotated[bool, typer.Option("--overlays", help="Also draw the cells on each image.")] = False,
    force_stain: Annotated[
        bool, typer.Option("--force-stain", help="Count images that are refused for their stain.")
    ] = False,
    negatives: Annotated[
        bool, typer.Option("--negatives", help="Mark negative cells on the pictures too, by small dots.")
    ] = False,
    profile: ProfileFile = None,
    chromogen: Chromogen = None,
    finder: Finder = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Count cells on plain RGB tiles: cells.csv, counts.csv, a page, overlays."""
    require_in(COUNTED_MPP_UM, "mpp_um", mpp_um)
    chosen = chosen_profile(marker, profile, chromogen, finder)
    existing(*images)
    free(out, overwrite=overwrite)
    with stoppable(out), progress_bar(quiet) as progress:
        from ihcscore.run.images import count_images

        result = count_images(
            images, profile=chosen, mpp_um=mpp_um, out=out, overlays=overlays,
            force_stain=force_stain, negatives=negatives, overwrite=overwrite, progress=progress,
        )  # fmt: skip
    for name, said in result.warnings.items():
        typer.echo(f"warning: {name}: {said}", err=True)
    for error in result.errors.values():
        show_error(error)
    if not quiet:
        print_totals(result.counts)
        typer.echo(f"Tables: {out / 'counts.csv'}, {out / 'cells.csv'}")
        typer.echo(f"Report: {out / 'report.html'}")
    if result.errors:
        raise typer.Exit(EXIT_PARTLY)
