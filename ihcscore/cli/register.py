"""``ihcscore register``: how one section lies on another."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ihcscore.cli.app import EXIT_PARTLY, app
from ihcscore.cli.options import DEFAULT_OUT, Out, Overwrite, Quiet, existing, free
from ihcscore.cli.progress import progress_bar
from ihcscore.cli.stopping import stoppable
from ihcscore.errors import require_in
from ihcscore.schema import SLIDE_MPP_UM


@app.command()
def register(
    reference: Annotated[Path, typer.Argument(metavar="REFERENCE", help="Slide or plain image.")],
    moving: Annotated[Path, typer.Argument(metavar="MOVING", help="A consecutive section of any stain.")],
    points: Annotated[
        Path | None,
        typer.Option(help="Points of the reference (columns X, Y) to carry over.", metavar="FILE.csv"),
    ] = None,
    out: Out = DEFAULT_OUT,
    mpp_um: Annotated[
        float | None,
        typer.Option("--mpp-um", help="µm per pixel of both, overriding the slides'.", metavar="X"),
    ] = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Find how a slide lies on another: registration.json, a checkerboard, points carried over."""
    if mpp_um is not None:
        require_in(SLIDE_MPP_UM, "mpp_um", mpp_um)
    existing(reference, moving, points)
    free(out, overwrite=overwrite)
    with stoppable(out), progress_bar(quiet) as progress:
        from ihcscore.serial.register import register_slides

        result = register_slides(
            reference, moving, points=points, out=out, mpp_um=mpp_um, overwrite=overwrite, progress=progress
        )
    found = result.registration
    if not found.confirmed:
        typer.echo(
            f"ihcscore: {moving.name} could not be matched with {reference.name}: too little of the tissue "
            f"looks the same; see {out / 'checkerboard.png'}",
            err=True,
        )
        raise typer.Exit(EXIT_PARTLY)
    if result.n_off and result.points is not None:
        typer.echo(
            f"warning: {result.n_off} of {len(result.points)} points come to lie off {moving.name}, where "
            "nothing can be recognised; see points.csv",
            err=True,
        )
    if not quiet:
        turned = f"turned by {found.transform.angle_deg:.1f}°" + (", mirrored" * found.transform.mirrored)
        typer.echo(
            f"{turned}; estimated error {found.error_um:.0f} µm "
            f"({found.n_distinct} of {found.n_places} places recognised)"
        )
        typer.echo(f"Written: {out / 'registration.json'}, {out / 'checkerboard.png'}")
