"""``ihcscore demo``: a cohort of known truth, from drawing to report."""

from __future__ import annotations

from pathlib import Path

import typer

from ihcscore.cli.app import app
from ihcscore.cli.options import Out, Overwrite, Quiet, Workers, free
from ihcscore.cli.printing import print_demo
from ihcscore.cli.progress import progress_bar
from ihcscore.cli.stopping import stoppable
from ihcscore.errors import require_in
from ihcscore.schema import WORKERS


@app.command()
def demo(
    out: Out = Path("ihcscore-demo"),
    workers: Workers = 2,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Draw a cohort of known truth, score all stains, measure its PET scans, correlate, and compare."""
    require_in(WORKERS, "workers", workers)
    free(out, overwrite=overwrite)
    with stoppable(out), progress_bar(quiet) as progress:
        from ihcscore.demo import run_demo

        result = run_demo(out, workers=workers, overwrite=overwrite, progress=progress)
    if not quiet:
        print_demo(result)
        pages = ("result", *(["suv"] if result.uptake is not None else []), "study-tissue", "study-planted")
        for page in pages:
            typer.echo(f"Report: {out / page / 'report.html'}")
