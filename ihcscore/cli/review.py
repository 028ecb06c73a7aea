"""``ihcscore review``: corrections of a run's cells, and the scores that follow from them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ihcscore.cli.app import EXIT_PARTLY, app
from ihcscore.cli.options import Quiet, existing
from ihcscore.cli.printing import print_scores
from ihcscore.errors import IhcscoreError
from ihcscore.schema import ReviewRule


@app.command()
def review(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder of a run on one slide.")],
    apply: Annotated[
        bool, typer.Option("--apply", help="Write tables, overlays and report after the review.")
    ] = False,
    verify: Annotated[
        bool, typer.Option("--verify", help="Say whether the trail of the review is whole.")
    ] = False,
    qupath: Annotated[
        Path | None,
        typer.Option("--import", help="Take corrections from QuPath's export.", metavar="FILE.geojson"),
    ] = None,
    reviewer: Annotated[
        str | None, typer.Option(help="Who corrected the cells in QuPath.", metavar="NAME")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for --apply; default: reviewed, in FOLDER.", metavar="DIR")
    ] = None,
    rule: Annotated[
        ReviewRule, typer.Option(help="Whose marks count where several reviewed a field.")
    ] = ReviewRule.FIRST,
    quiet: Quiet = False,
) -> None:
    """Correct a run's cells: take what a pathologist did in QuPath, and let the scores follow."""
    if not (apply or verify or qupath):
        raise IhcscoreError("nothing to do: give --import FILE --reviewer NAME, --apply or --verify")
    if (qupath is None) != (reviewer is None):
        raise IhcscoreError("--import and --reviewer go together; give both")
    if out is not None and not apply:
        raise IhcscoreError("--out has no use without --apply; give both or neither")
    existing(folder, qupath)
    partly = False
    if qupath is not None and reviewer is not None:
        from ihcscore.review.commands import import_review

        found = import_review(folder, qupath, reviewer=reviewer)
        for text in found.refused:
            typer.echo(f"warning: not taken: {text}", err=True)
        partly = bool(found.refused)
        if not quiet:
            typer.echo(f"{len(found.acts)} acts of {reviewer.strip()} added to {folder / 'review.sqlite'}")
    if verify:
        from ihcscore.review.commands import verify_review

        typer.echo(verify_review(folder))
    if apply:
        from ihcscore.review.apply import REVIEWED, apply_review

        after = apply_review(folder, out=out, rule=rule)
        if not quiet:
            print_scores(after.scores)
            typer.echo(f"\nReport: {(out or folder / REVIEWED) / 'report.html'}")
    if partly:
        raise typer.Exit(EXIT_PARTLY)
