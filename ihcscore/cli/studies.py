"""Commands that join stains, patients and scans: register, cohort, correlate, agree, demo."""

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
    RUN,
    STUDY,
    FieldArea,
    FieldsAsked,
    FrontSides,
    Icc,
    Margin,
    Out,
    Overwrite,
    Quiet,
    SamplingDesign,
    Seed,
    Switch,
    checked,
    mapped,
    name_pair,
    numbers,
    progress_bar,
    run_settings,
)
from ihcscore.cli.printing import print_agreement, print_correlations, print_demo, print_samples
from ihcscore.errors import IhcscoreError
from ihcscore.schema import Adjustment, AgreementSettings, CorrelationSettings, FieldStatus, Unit


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
    from ihcscore.serial.register import register_slides

    with progress_bar(quiet) as progress:
        found = register_slides(
            reference, moving, points=points, out=out, mpp_um=mpp_um, overwrite=overwrite, progress=progress
        ).registration
    if not found.confirmed:
        typer.echo(
            f"ihcscore: {moving.name} could not be matched with {reference.name}: too little of the tissue "
            f"looks the same; see {out / 'checkerboard.png'}",
            err=True,
        )
        raise typer.Exit(EXIT_PARTLY)
    if not quiet:
        turned = f"turned by {found.transform.angle_deg:.1f}°" + (", mirrored" * found.transform.mirrored)
        typer.echo(
            f"{turned}; estimated error {found.error_um:.0f} µm "
            f"({found.n_distinct} of {found.n_places} places recognised)"
        )
        typer.echo(f"Written: {out / 'registration.json'}, {out / 'checkerboard.png'}")


@app.command()
def cohort(
    manifest: Annotated[
        Path, typer.Argument(metavar="MANIFEST.csv", help="patient_id, sample_id, slide, marker, ...")
    ],
    out: Out = DEFAULT_OUT,
    workers: Annotated[int, typer.Option(help="Processes on this machine.", metavar="N")] = 1,
    dask_scheduler: Annotated[
        str | None, typer.Option(help="Work on a Dask cluster instead.", metavar="ADDRESS")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run that DIR holds.")] = False,
    n_fields: FieldsAsked = FIELDS.n_per_region,
    field_area_mm2: FieldArea = FIELDS.area_mm2,
    margin_um: Margin = REGIONS.margin_um,
    front: FrontSides = REGIONS.front,
    sampling: SamplingDesign = FIELDS.sampling,
    seed: Seed = FIELDS.seed,
    max_registration_error_um: Annotated[
        float, typer.Option(help="Larger estimated errors leave a field unscored.")
    ] = RUN.max_registration_error_um,
    icc: Icc = Switch.ON,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Score the same fields on all slides of every sample: tables, contact sheets, one report."""
    from ihcscore.cohort import score_cohort

    if max_registration_error_um <= 0:
        raise IhcscoreError(f"--max-registration-error-um is {max_registration_error_um:g}, expected above 0")
    settings = run_settings(n_fields, field_area_mm2, margin_um, front, sampling, seed)
    settings = replace(settings, icc=icc == Switch.ON, max_registration_error_um=max_registration_error_um)
    with progress_bar(quiet, lines=True) as progress:
        result = score_cohort(
            manifest,
            out=out,
            settings=settings,
            workers=workers,
            dask_scheduler=dask_scheduler,
            resume=resume,
            overwrite=overwrite,
            progress=progress,
        )
    for note in result.notes:
        typer.echo(f"warning: {note.text}", err=True)
    for (sample, marker), error in result.errors.items():
        typer.echo(f"ihcscore: {sample} {marker}: {error}", err=True)
    for where, group in result.fields.groupby(["sample_id", "marker"], sort=False):
        if (group["status"] == FieldStatus.UNPLACED).all():
            why = str(group["error"].iloc[0]).split(": ", 1)[-1]
            typer.echo(f"warning: {' '.join(map(str, where))}: no field could be placed: {why}", err=True)
    if not quiet:
        print_samples(result.samples)
        typer.echo(f"\nReport: {out / 'report.html'}")
    if result.errors or result.n_failed_fields:
        raise typer.Exit(EXIT_PARTLY)


@app.command()
def correlate(
    scores: Annotated[Path, typer.Argument(metavar="SCORES.csv", help="scores.csv of a cohort.")],
    suv_table: Annotated[
        Path | None, typer.Argument(metavar="SUV.csv", help="Lesions with their uptake, CSV or XLSX.")
    ] = None,
    out: Out = DEFAULT_OUT,
    suv: Annotated[str, typer.Option(help="Column of the uptake.")] = STUDY.suv,
    density: Annotated[str, typer.Option(help="Column of the scores.")] = STUDY.density,
    unit: Annotated[Unit, typer.Option(help="What a point is.")] = STUDY.unit,
    timepoint: Annotated[str, typer.Option(help="The scan that is correlated.")] = STUDY.timepoint,
    on_treatment: Annotated[str, typer.Option(help="The scan it is compared with.")] = STUDY.on_treatment,
    adjust: Annotated[Adjustment, typer.Option(help="For several tests.")] = STUDY.adjust,
    x: Annotated[str | None, typer.Option(help="One density alone.", metavar="MARKER:REGION")] = None,
    y: Annotated[
        str | None, typer.Option(help="Against this density instead of SUV.", metavar="MARKER:REGION")
    ] = None,
    ratio: Annotated[
        list[str] | None,
        typer.Option(help="Ratio of two markers; CD25/CD3 and CD8/CD4 if none is given.", metavar="A/B"),
    ] = None,
    kendall: Annotated[bool, typer.Option("--kendall", help="Also Kendall's tau.")] = False,
    columns: Annotated[
        list[str] | None, typer.Option("--map", help="Column names of SUV.csv.", metavar="NEW=OLD")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of permutations and bootstrap.")] = STUDY.seed,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Correlate a cohort's densities with lesion SUV, and say what could have been found."""
    from ihcscore.study.correlate import correlate_tables

    settings = checked(
        CorrelationSettings, suv=suv, density=density, unit=unit, timepoint=timepoint,
        on_treatment=on_treatment, adjust=adjust, x=x, y=y, kendall=kendall, seed=seed,
        ratios=STUDY.ratios if ratio is None else tuple(name_pair(text, "/", "--ratio") for text in ratio),
    )  # fmt: skip
    with progress_bar(quiet) as progress:
        study = correlate_tables(
            scores, suv_table, out=out, settings=settings, rename=mapped(columns),
            overwrite=overwrite, progress=progress,
        )  # fmt: skip
    for warning in study.warnings:
        typer.echo(f"warning: {warning}", err=True)
    if not quiet:
        print_correlations(study.correlations, settings)
        typer.echo(f"\nReport: {out / 'report.html'}")


@app.command()
def agree(
    a: Annotated[Path, typer.Argument(metavar="A.csv", help="Counts or densities of one rater.")],
    b: Annotated[Path, typer.Argument(metavar="B.csv", help="Of the other, or of the tool.")],
    out: Out = DEFAULT_OUT,
    value: Annotated[str | None, typer.Option(help="Column of the numbers.")] = None,
    key: Annotated[list[str] | None, typer.Option(help="Column that names the thing.")] = None,
    bins: Annotated[
        str | None, typer.Option(help="Lower ends of the classes for kappa, beside 0.", metavar="1,6,11,21")
    ] = None,
    offset: Annotated[
        float | None, typer.Option(help="Added before the logarithm where values are 0.", metavar="X")
    ] = None,
    columns: Annotated[
        list[str] | None, typer.Option("--map", help="Column names of either.", metavar="NEW=OLD")
    ] = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Compare two raters, or the tool and people, on the same images or fields."""
    from ihcscore.study.agree import agree_tables

    given = {"bins": None if bins is None else numbers(bins, "--bins"), "offset": offset}
    settings = checked(
        AgreementSettings,
        value=value,
        keys=tuple(key or ()),
        **{name: one for name, one in given.items() if one is not None},
    )
    with progress_bar(quiet) as progress:
        result = agree_tables(
            a, b, out=out, settings=settings, rename=mapped(columns), overwrite=overwrite, progress=progress
        )
    for warning in result.warnings:
        typer.echo(f"warning: {warning}", err=True)
    if not quiet:
        print_agreement(result.measures)
        typer.echo(f"\nReport: {out / 'report.html'}")


@app.command()
def demo(
    out: Out = Path("ihcscore-demo"),
    workers: Annotated[int, typer.Option(help="Processes on this machine.", metavar="N")] = 2,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Draw a cohort of known truth, score it on all stains, correlate it with PET, and compare."""
    from ihcscore.demo import run_demo

    with progress_bar(quiet) as progress:
        result = run_demo(out, workers=workers, overwrite=overwrite, progress=progress)
    if not quiet:
        print_demo(result)
        for page in ("result", "study-tissue", "study-planted"):
            typer.echo(f"Report: {out / page / 'report.html'}")
