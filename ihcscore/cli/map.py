"""``ihcscore map``: every cell of a slide, their density, the infiltration profile."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ihcscore.cli.app import app
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
    Workers,
    chosen_profile,
    existing,
    free,
    readable,
    unused,
    with_settings,
)
from ihcscore.cli.progress import progress_bar
from ihcscore.cli.stopping import map_left, stoppable
from ihcscore.errors import require_in
from ihcscore.schema import WORKERS, MapSettings

if TYPE_CHECKING:
    from ihcscore.run.whole import MappedSlide


@app.command("map")
@with_settings(
    MapSettings, without=("min_tissue_fraction", "max_registration_error_um", "negatives", "sampling")
)
def map_command(
    context: typer.Context,
    slide: Annotated[Path, typer.Argument(metavar="SLIDE")],
    marker: Marker = None,
    annotations: Annotations = None,
    run: Annotated[
        Path | None, typer.Option(help="A finished run on the slide: its regions and fields.", metavar="DIR")
    ] = None,
    out: Out = DEFAULT_OUT / "map",
    workers: Workers = 1,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with what a killed run has counted.")
    ] = False,
    csv: Annotated[bool, typer.Option("--csv", help="Write the cells as CSV too.")] = False,
    geojson: Annotated[bool, typer.Option("--geojson", help="Write the cells for QuPath too.")] = False,
    anndata: Annotated[bool, typer.Option("--anndata", help="Write the cells as AnnData too.")] = False,
    *,
    settings: MapSettings,
    profile: ProfileFile = None,
    chromogen: Chromogen = None,
    finder: Finder = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Map a whole slide: every cell, density map, infiltration profile, what fields tell."""
    require_in(WORKERS, "workers", workers)
    chosen = chosen_profile(marker, profile, chromogen, finder)
    if run is not None:
        unused(
            context,
            tuple(name for name in DRAWING if name != "sampling"),
            "--run names a run with its own fields",
        )
    existing(slide, annotations, run)
    free(out, overwrite=overwrite)
    readable(slide, settings.run)
    with stoppable(out, map_left), progress_bar(quiet) as progress:
        from ihcscore.output.columnar import CellFormat
        from ihcscore.run.whole import map_slide

        wanted = {CellFormat.CSV: csv, CellFormat.GEOJSON: geojson, CellFormat.ANNDATA: anndata}
        result = map_slide(
            slide, profile=chosen, annotations=annotations, run=run, settings=settings, out=out,
            formats=[CellFormat.PARQUET, *(kind for kind, asked in wanted.items() if asked)],
            workers=workers, resume=resume, overwrite=overwrite, progress=progress,
        )  # fmt: skip
    for note in result.notes:
        typer.echo(f"warning: {slide.name}: {note.text}", err=True)
    if not quiet:
        _print(result)
        typer.echo(f"\nReport: {out / 'report.html'}")


def _print(result: MappedSlide) -> None:
    """Densities of the parts, the phenotype, and what fields tell."""
    from ihcscore.cli.printing import print_table
    from ihcscore.report import format_density, format_range

    rows = [
        (
            row["region"], f"{row['tissue_mm2']:.2f}", str(row["n_positive"]),
            format_density(row["positive_per_mm2_tissue"]),
            format_range(row["ci95_low_per_mm2"], row["ci95_high_per_mm2"]),
        )
        for row in result.parts.to_dict("records")
    ]  # fmt: skip
    print_table(("part", "tissue mm²", "positive", "per mm² tissue", "95 % interval"), rows, n_left=1)
    if found := result.summary.get("phenotype"):
        shares = ((name, found[f"p_{name}"]) for name in ("inflamed", "excluded", "desert"))
        said = ", ".join(f"{name} {'–' if p is None else format(p, '.0%')}" for name, p in shares)
        typer.echo(f"\nImmune phenotype: {found['class']} ({said}; cut {found['cut_per_mm2']:g} per mm²)")
