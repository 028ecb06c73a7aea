"""Commands that work on one stain: run, regions, fields, count, info, profiles."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from ihcscore.cli.app import EXIT_PARTLY, app
from ihcscore.cli.options import (
    DEFAULT_OUT,
    FIELDS,
    REGIONS,
    Chromogen,
    FieldArea,
    FieldsAsked,
    FrontSides,
    Icc,
    Margin,
    Marker,
    MppOverride,
    Out,
    Overwrite,
    ProfileFile,
    Quiet,
    RegionsFile,
    SamplingDesign,
    Seed,
    Switch,
    chosen_profile,
    progress_bar,
    run_settings,
)
from ihcscore.cli.printing import print_scores
from ihcscore.errors import IhcscoreError
from ihcscore.schema import FieldStatus


@app.command()
def run(
    slides: Annotated[list[Path], typer.Argument(metavar="SLIDE...", help="Slides of one marker.")],
    marker: Marker = None,
    regions: RegionsFile = None,
    fields_from: Annotated[
        Path | None, typer.Option(help="Score these squares instead of drawn ones.", metavar="FILE.geojson")
    ] = None,
    out: Out = DEFAULT_OUT,
    n_fields: FieldsAsked = FIELDS.n_per_region,
    field_area_mm2: FieldArea = FIELDS.area_mm2,
    margin_um: Margin = REGIONS.margin_um,
    front: FrontSides = REGIONS.front,
    sampling: SamplingDesign = FIELDS.sampling,
    seed: Seed = FIELDS.seed,
    mpp_um: MppOverride = None,
    icc: Icc = Switch.ON,
    profile: ProfileFile = None,
    chromogen: Chromogen = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Score whole slides: random fields, counts per mm², overlays, a report."""
    from ihcscore.run.drawn import DrawnFields
    from ihcscore.run.given import GivenFields
    from ihcscore.run.slide import score_slide
    from ihcscore.run.slides import score_slides

    chosen = chosen_profile(marker, profile, chromogen)
    if fields_from is not None and (regions is not None or len(slides) > 1):
        raise IhcscoreError(
            "--fields-from names the fields of one slide; give neither --regions nor other slides"
        )
    planner = GivenFields(file=fields_from) if fields_from is not None else DrawnFields(outline=regions)
    settings = run_settings(n_fields, field_area_mm2, margin_um, front, sampling, seed)
    settings = replace(settings, mpp_um=mpp_um, icc=icc == Switch.ON)
    with progress_bar(quiet) as progress:
        if len(slides) == 1:
            result = score_slide(
                slides[0], profile=chosen, fields=planner, settings=settings, out=out,
                overwrite=overwrite, progress=progress,
            )  # fmt: skip
            results, errors, scores = {slides[0].name: result}, {}, result.scores
        else:
            joined = score_slides(
                slides, profile=chosen, fields=planner, settings=settings, out=out,
                overwrite=overwrite, progress=progress,
            )  # fmt: skip
            results, errors, scores = joined.results, joined.errors, joined.scores
    for name, one in results.items():
        for note in one.notes:
            typer.echo(f"warning: {name}: {note.text}", err=True)
        for row in one.fields[one.fields["status"] == FieldStatus.FAILED].to_dict("records"):
            typer.echo(f"ihcscore: {row['error']}", err=True)
    for error in errors.values():
        typer.echo(f"ihcscore: {error}", err=True)
    if not quiet:
        print_scores(scores)
        typer.echo(f"\nReport: {out / 'report.html'}")
    if errors or any(one.n_failed for one in results.values()):
        raise typer.Exit(EXIT_PARTLY)


@app.command()
def regions(
    slide: Annotated[Path, typer.Argument(metavar="SLIDE")],
    out: Annotated[
        Path | None,
        typer.Option(help="The file; else SLIDE.geojson.", metavar="FILE.geojson"),
    ] = None,
    mpp_um: MppOverride = None,
    icc: Icc = Switch.ON,
    overwrite: Overwrite = False,
) -> None:
    """Write the proposed tumour outline alone, for correction in QuPath."""
    from ihcscore.run.preview import write_regions

    out = out or Path(f"{slide.stem}.geojson")
    for line in write_regions(slide, out=out, mpp_um=mpp_um, icc=icc == Switch.ON, overwrite=overwrite):
        typer.echo(f"{slide.name}: {line}", err=True)
    typer.echo(f"Proposal: {out}")


@app.command()
def fields(
    slide: Annotated[Path, typer.Argument(metavar="SLIDE")],
    regions: RegionsFile = None,
    out: Out = DEFAULT_OUT,
    n_fields: FieldsAsked = FIELDS.n_per_region,
    field_area_mm2: FieldArea = FIELDS.area_mm2,
    margin_um: Margin = REGIONS.margin_um,
    front: FrontSides = REGIONS.front,
    sampling: SamplingDesign = FIELDS.sampling,
    seed: Seed = FIELDS.seed,
    mpp_um: MppOverride = None,
    icc: Icc = Switch.ON,
    overwrite: Overwrite = False,
) -> None:
    """Draw the fields and show them, without counting."""
    from ihcscore.run.drawn import DrawnFields
    from ihcscore.run.preview import write_fields

    settings = run_settings(n_fields, field_area_mm2, margin_um, front, sampling, seed)
    settings = replace(settings, mpp_um=mpp_um, icc=icc == Switch.ON)
    plan = write_fields(
        slide, fields=DrawnFields(outline=regions), settings=settings, out=out, overwrite=overwrite
    )
    for note in plan.notes:
        typer.echo(f"warning: {slide.name}: {note.text}", err=True)
    typer.echo(f"{len(plan.fields)} fields: {out / 'overview.png'}, {out / 'fields.geojson'}")


@app.command()
def count(
    images: Annotated[
        list[Path], typer.Argument(metavar="IMAGE_OR_FOLDER...", help="PNG, JPEG or TIFF tiles.")
    ],
    mpp_um: Annotated[float, typer.Option("--mpp-um", help="µm per pixel of the images.", metavar="X")],
    marker: Marker = None,
    out: Out = DEFAULT_OUT,
    overlays: Annotated[bool, typer.Option("--overlays", help="Also draw the cells on each image.")] = False,
    profile: ProfileFile = None,
    chromogen: Chromogen = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Count cells on plain RGB tiles: cells.csv, counts.csv, overlays."""
    from ihcscore.run.images import count_images

    chosen = chosen_profile(marker, profile, chromogen)
    with progress_bar(quiet) as progress:
        result = count_images(
            images,
            profile=chosen,
            mpp_um=mpp_um,
            out=out,
            overlays=overlays,
            overwrite=overwrite,
            progress=progress,
        )
    for error in result.errors.values():
        typer.echo(f"ihcscore: {error}", err=True)
    if not quiet:
        counts = result.counts
        totals = {name: counts[name].sum() for name in ("n_positive", "n_negative", "n_pigment_suspect")}
        typer.echo(
            f"{len(counts)} images: {totals['n_positive']} positive, {totals['n_negative']} negative, "
            f"{totals['n_pigment_suspect']} pigment suspects"
        )
        typer.echo(f"Tables: {out / 'counts.csv'}, {out / 'cells.csv'}")
    if result.errors:
        raise typer.Exit(EXIT_PARTLY)


@app.command()
def info(
    slide: Annotated[Path, typer.Argument(metavar="SLIDE")],
    mpp_um: MppOverride = None,
    icc: Icc = Switch.ON,
) -> None:
    """Show a slide's format, size, pixel size, levels and stains."""
    from ihcscore.run.info import describe_slide

    lines = describe_slide(slide, mpp_um=mpp_um, icc=icc == Switch.ON)
    width = max(map(len, lines))
    for name, value in lines.items():
        typer.echo(f"{name:<{width}}  {value}")


@app.command()
def profiles() -> None:
    """List the marker profiles with their values and sources."""
    from ihcscore.profiles import known_profiles, load_profile, profile_settings

    for name in known_profiles():
        profile = load_profile(name)
        typer.echo(f"{profile.name}: {profile.description} ({profile.chromogen}, {profile.compartment})")
        for setting in profile_settings(name):
            typer.echo(f"  {setting.key:<26} {setting.value:>6g} {setting.unit:<3} {setting.source}")
        typer.echo()
