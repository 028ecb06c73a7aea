"""``ihcscore demo``: a cohort of known truth, from drawing to report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ihcscore.cli.app import app
from ihcscore.cli.options import Out, Overwrite, Quiet
from ihcscore.cli.printing import print_demo
from ihcscore.cli.progress import progress_bar


@app.command()
def demo(
    out: Out = Path("ihcscore-demo"),
    workers: Annotated[int, typer.Option(help="Processes on this machine.", metavar="N")] = 2,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Draw a cohort of known truth, score all stains, measure its PET scans, correlate, and compare."""
    from ihcscore.demo import run_demo

    with progress_bar(quiet) as progress:
        result = run_demo(out, workers=workers, overwrite=overwrite, progress=progress)
    if not quiet:
        print_demo(result)
        pages = ("result", *(["suv"] if result.uptake is not None else []), "study-tissue", "study-planted")
        for page in pages:
            typer.echo(f"Report: {out / page / 'report.html'}")
