"""``ihcscore run``: score whole slides."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ihcscore.cli.app import EXIT_PARTLY, app, show_error
from ihcscore.cli.options import (
    DEFAULT_OUT,
    DRAWING,
    Annotations,
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
    readable,
    unused,
    with_settings,
)
from ihcscore.cli.printing import print_scores
from ihcscore.cli.progress import progress_bar
from ihcscore.cli.stopping import slides_left, stoppable
from ihcscore.errors import IhcscoreError
from ihcscore.schema import FieldStatus, RunSettings, Sampling

if TYPE_CHECKING:
    from ihcscore.run.result import SlideScores


@app.command()
@with_settings(RunSettings, without=("min_tissue_fraction", "max_registration_error_um"))
def run(
    context: typer.Context,
    slides: Annotated[list[Path], typer.Argument(metavar="SLIDE...", help="Slides of one marker.")],
    marker: Marker = None,
    annotations: Annotations = None,
    fields_from: Annotated[
        Path | None, typer.Option(help="Score these squares instead of drawn ones.", metavar="FILE.geojson")
    ] = None,
    out: Out = DEFAULT_OUT,
    *,
    settings: RunSettings,
    profile: ProfileFile = None,
    chromogen: Chromogen = None,
    finder: Finder = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Score whole slides: random fields, counts per mm², overlays, a report."""
    chosen = chosen_profile(marker, profile, chromogen, finder)
    if fields_from is not None and (annotations is not None or len(slides) > 1):
        raise IhcscoreError(
            "--fields-from names the fields of one slide; give neither --annotations nor other slides"
        )
    if fields_from is not None:
        unused(context, DRAWING, "--fields-from names the fields")
    elif settings.fields.sampling == Sampling.ALL:
        unused(context, ("n_fields",), "--sampling all takes every field")
    existing(annotations, fields_from, *(slides if len(slides) == 1 else ()))
    free(out, overwrite=overwrite)
    if len(slides) == 1:
        readable(slides[0], settings)
    with stoppable(out, slides_left if len(slides) > 1 else None), progress_bar(quiet) as progress:
        # What is loaded here takes seconds: until now nothing needed it.
        from ihcscore.run.drawn import DrawnFields
        from ihcscore.run.given import GivenFields
        from ihcscore.run.slide import score_slide
        from ihcscore.run.slides import score_slides

        planner = (
            GivenFields(file=fields_from) if fields_from is not None else DrawnFields(outline=annotations)
        )
        if len(slides) == 1:
            result = score_slide(
                slides[0], profile=chosen, fields=planner, settings=settings, out=out,
                overwrite=overwrite, progress=progress,
            )  # fmt: skip
            results, scores = {slides[0].name: result}, result.scores
            errors: dict[str, IhcscoreError] = {}
        else:
            joined = score_slides(
                slides, profile=chosen, fields=planner, settings=settings, out=out,
                overwrite=overwrite, progress=progress,
            )  # fmt: skip
            results, errors, scores = joined.results, joined.errors, joined.scores
    _tell_troubles(results, errors)
    if not quiet:
        print_scores(scores)
        typer.echo(f"\nReport: {out / 'report.html'}")
    if errors or any(one.n_failed or not one.n_scored for one in results.values()):
        raise typer.Exit(EXIT_PARTLY)


def _tell_troubles(results: dict[str, SlideScores], errors: dict[str, IhcscoreError]) -> None:
    """Warnings, fields that could not be read, slides that could not be scored."""
    for name, one in results.items():
        for note in one.notes:
            typer.echo(f"warning: {name}: {note.text}", err=True)
        for error in one.fields.loc[one.fields["status"] == FieldStatus.FAILED, "error"]:
            typer.echo(f"ihcscore: {error}", err=True)
        if not one.n_scored:
            typer.echo(f"ihcscore: {name}: no field could be scored; fields.csv says why", err=True)
    for trouble in errors.values():
        show_error(trouble)
