"""The command line: parse, call, print.

Nothing heavy is imported here at the top, so that ``ihcscore --help`` answers at once.
Exit status: 0 all went well; 2 nothing could be done, one line on stderr says why; 3 part of it failed
and stands in the tables as failed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from ihcscore import __version__
from ihcscore.errors import IhcscoreError, ProfileError
from ihcscore.schema import (
    Adjustment,
    AgreementSettings,
    CorrelationSettings,
    FieldSettings,
    Front,
    RegionSettings,
    RunSettings,
    Sampling,
    Unit,
)

if TYPE_CHECKING:
    import pandas as pd

    from ihcscore.demo import DemoResult
    from ihcscore.pipeline.progress import Progress
    from ihcscore.profiles import MarkerProfile

_FIELDS, _REGIONS, _RUN, _STUDY = FieldSettings(), RegionSettings(), RunSettings(), CorrelationSettings()
_Settings = TypeVar("_Settings")
_DEFAULT_OUT = Path("ihcscore-out")
_EXIT_BAD_INPUT, _EXIT_PARTLY = 2, 3
# Typer carries its own copy of click from some version on; the base of its usage errors is the same in both.
_UsageError: type[Exception] = typer.BadParameter.__bases__[0]

app = typer.Typer(
    help="Immune cells per mm² on immunohistochemistry slides.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)

Marker = Annotated[
    str | None, typer.Option(help="Marker profile: CD3, CD4, CD8, CD25, KI67.", metavar="NAME")
]
ProfileFile = Annotated[
    Path | None, typer.Option("--profile", help="A profile of your own.", metavar="FILE.toml")
]
Chromogen = Annotated[
    str | None, typer.Option(help="DAB, AEC or FastRed, overriding the profile's.", metavar="NAME")
]
Out = Annotated[Path, typer.Option(help="Folder for the results.", metavar="DIR")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the run that DIR already holds.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar and no table.")]
MppOverride = Annotated[
    float | None, typer.Option("--mpp-um", help="µm per pixel, overriding the slide's.", metavar="X")
]


class Switch(StrEnum):
    """On or off, where both are said."""

    ON = "on"
    OFF = "off"


Icc = Annotated[Switch, typer.Option(help="Convert colours by the slide's ICC profile.")]
RegionsFile = Annotated[
    Path | None, typer.Option("--regions", help="Annotation with the tumour.", metavar="FILE.geojson")
]
FieldsAsked = Annotated[int, typer.Option("--fields", help="Fields in each region.")]
FieldArea = Annotated[float, typer.Option(help="Area of a field.")]
Margin = Annotated[float, typer.Option(help="Whole width of the invasive front.")]
FrontSides = Annotated[Front, typer.Option(help="Sides of the outline that the front takes.")]
SamplingDesign = Annotated[Sampling, typer.Option(help="How fields are chosen.")]
Seed = Annotated[int, typer.Option(help="Seed of the random positions.")]


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"ihcscore {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


@app.command()
def run(
    slides: Annotated[list[Path], typer.Argument(metavar="SLIDE...", help="Slides of one marker.")],
    marker: Marker = None,
    regions: RegionsFile = None,
    fields_from: Annotated[
        Path | None, typer.Option(help="Score these squares instead of drawn ones.", metavar="FILE.geojson")
    ] = None,
    out: Out = _DEFAULT_OUT,
    n_fields: FieldsAsked = _FIELDS.n_per_region,
    field_area_mm2: FieldArea = _FIELDS.area_mm2,
    margin_um: Margin = _REGIONS.margin_um,
    front: FrontSides = _REGIONS.front,
    sampling: SamplingDesign = _FIELDS.sampling,
    seed: Seed = _FIELDS.seed,
    mpp_um: MppOverride = None,
    icc: Icc = Switch.ON,
    profile: ProfileFile = None,
    chromogen: Chromogen = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Score whole slides: random fields, counts per mm², overlays, a report."""
    from ihcscore.pipeline import score_slide, score_slides

    chosen = _profile(marker, profile, chromogen)
    if fields_from is not None and (regions is not None or len(slides) > 1):
        raise IhcscoreError(
            "--fields-from names the fields of one slide; give neither --regions nor other slides"
        )
    settings = _settings(n_fields, field_area_mm2, margin_um, front, sampling, seed)
    settings = replace(settings, mpp_um=mpp_um, icc=icc == Switch.ON)
    with _progress_bar(quiet) as progress:
        if len(slides) == 1:
            result = score_slide(
                slides[0], profile=chosen, regions=regions, fields=fields_from, settings=settings, out=out,
                overwrite=overwrite, progress=progress,
            )  # fmt: skip
            results, errors, scores = {slides[0].name: result}, {}, result.scores
        else:
            joined = score_slides(
                slides, profile=chosen, regions=regions, settings=settings, out=out,
                overwrite=overwrite, progress=progress,
            )  # fmt: skip
            results, errors, scores = joined.results, joined.errors, joined.scores
    for name, one in results.items():
        for warning in one.warnings:
            typer.echo(f"warning: {name}: {warning}", err=True)
        for row in one.fields[one.fields["status"] == "failed"].to_dict("records"):
            typer.echo(f"ihcscore: {row['error']}", err=True)
    for error in errors.values():
        typer.echo(f"ihcscore: {error}", err=True)
    if not quiet:
        _print_scores(scores)
        typer.echo(f"\nReport: {out / 'report.html'}")
    if errors or any(one.n_failed for one in results.values()):
        raise typer.Exit(_EXIT_PARTLY)


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
    from ihcscore.pipeline import write_regions

    out = out or Path(f"{slide.stem}.geojson")
    for line in write_regions(slide, out=out, mpp_um=mpp_um, icc=icc == Switch.ON, overwrite=overwrite):
        typer.echo(f"{slide.name}: {line}", err=True)
    typer.echo(f"Proposal: {out}")


@app.command()
def fields(
    slide: Annotated[Path, typer.Argument(metavar="SLIDE")],
    regions: RegionsFile = None,
    out: Out = _DEFAULT_OUT,
    n_fields: FieldsAsked = _FIELDS.n_per_region,
    field_area_mm2: FieldArea = _FIELDS.area_mm2,
    margin_um: Margin = _REGIONS.margin_um,
    front: FrontSides = _REGIONS.front,
    sampling: SamplingDesign = _FIELDS.sampling,
    seed: Seed = _FIELDS.seed,
    mpp_um: MppOverride = None,
    icc: Icc = Switch.ON,
    overwrite: Overwrite = False,
) -> None:
    """Draw the fields and show them, without counting."""
    from ihcscore.pipeline import write_fields

    settings = _settings(n_fields, field_area_mm2, margin_um, front, sampling, seed)
    settings = replace(settings, mpp_um=mpp_um, icc=icc == Switch.ON)
    plan = write_fields(slide, regions=regions, settings=settings, out=out, overwrite=overwrite)
    for warning in (line for lines in plan.warnings.values() for line in lines):
        typer.echo(f"warning: {slide.name}: {warning}", err=True)
    typer.echo(f"{len(plan.fields)} fields: {out / 'overview.png'}, {out / 'fields.geojson'}")


@app.command()
def count(
    images: Annotated[
        list[Path], typer.Argument(metavar="IMAGE_OR_FOLDER...", help="PNG, JPEG or TIFF tiles.")
    ],
    mpp_um: Annotated[float, typer.Option("--mpp-um", help="µm per pixel of the images.", metavar="X")],
    marker: Marker = None,
    out: Out = _DEFAULT_OUT,
    overlays: Annotated[bool, typer.Option("--overlays", help="Also draw the cells on each image.")] = False,
    profile: ProfileFile = None,
    chromogen: Chromogen = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Count cells on plain RGB tiles: cells.csv, counts.csv, overlays."""
    from ihcscore.pipeline import count_images

    chosen = _profile(marker, profile, chromogen)
    with _progress_bar(quiet) as progress:
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
        raise typer.Exit(_EXIT_PARTLY)


@app.command()
def register(
    reference: Annotated[Path, typer.Argument(metavar="REFERENCE", help="Slide or plain image.")],
    moving: Annotated[Path, typer.Argument(metavar="MOVING", help="A consecutive section of any stain.")],
    points: Annotated[
        Path | None,
        typer.Option(help="Points of the reference (columns X, Y) to carry over.", metavar="FILE.csv"),
    ] = None,
    out: Out = _DEFAULT_OUT,
    mpp_um: Annotated[
        float | None,
        typer.Option("--mpp-um", help="µm per pixel of both, overriding the slides'.", metavar="X"),
    ] = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Find how a slide lies on another: registration.json, a checkerboard, points carried over."""
    from ihcscore.pipeline import register_slides

    with _progress_bar(quiet) as progress:
        found = register_slides(
            reference, moving, points=points, out=out, mpp_um=mpp_um, overwrite=overwrite, progress=progress
        ).registration
    if not found.confirmed:
        typer.echo(
            f"ihcscore: {moving.name} could not be matched with {reference.name}: too little of the tissue "
            f"looks the same; see {out / 'checkerboard.png'}",
            err=True,
        )
        raise typer.Exit(_EXIT_PARTLY)
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
    out: Out = _DEFAULT_OUT,
    workers: Annotated[int, typer.Option(help="Processes on this machine.", metavar="N")] = 1,
    dask_scheduler: Annotated[
        str | None, typer.Option(help="Work on a Dask cluster instead.", metavar="ADDRESS")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run that DIR holds.")] = False,
    n_fields: FieldsAsked = _FIELDS.n_per_region,
    field_area_mm2: FieldArea = _FIELDS.area_mm2,
    margin_um: Margin = _REGIONS.margin_um,
    front: FrontSides = _REGIONS.front,
    sampling: SamplingDesign = _FIELDS.sampling,
    seed: Seed = _FIELDS.seed,
    max_registration_error_um: Annotated[
        float, typer.Option(help="Larger estimated errors leave a field unscored.")
    ] = _RUN.max_registration_error_um,
    icc: Icc = Switch.ON,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Score the same fields on all slides of every sample: tables, contact sheets, one report."""
    from ihcscore.cohort import score_cohort

    if max_registration_error_um <= 0:
        raise IhcscoreError(f"--max-registration-error-um is {max_registration_error_um:g}, expected above 0")
    settings = _settings(n_fields, field_area_mm2, margin_um, front, sampling, seed)
    settings = replace(settings, icc=icc == Switch.ON, max_registration_error_um=max_registration_error_um)
    with _progress_bar(quiet, lines=True) as progress:
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
    for (sample, marker), error in result.errors.items():
        typer.echo(f"ihcscore: {sample} {marker}: {error}", err=True)
    if not quiet:
        _print_samples(result.samples)
        typer.echo(f"\nReport: {out / 'report.html'}")
    if result.errors or result.n_failed_fields:
        raise typer.Exit(_EXIT_PARTLY)


@app.command()
def correlate(
    scores: Annotated[Path, typer.Argument(metavar="SCORES.csv", help="scores.csv of a cohort.")],
    suv_table: Annotated[
        Path | None, typer.Argument(metavar="SUV.csv", help="Lesions with their uptake, CSV or XLSX.")
    ] = None,
    out: Out = _DEFAULT_OUT,
    suv: Annotated[str, typer.Option(help="Column of the uptake.")] = _STUDY.suv,
    density: Annotated[str, typer.Option(help="Column of the scores.")] = _STUDY.density,
    unit: Annotated[Unit, typer.Option(help="What a point is.")] = _STUDY.unit,
    timepoint: Annotated[str, typer.Option(help="The scan that is correlated.")] = _STUDY.timepoint,
    on_treatment: Annotated[str, typer.Option(help="The scan it is compared with.")] = _STUDY.on_treatment,
    adjust: Annotated[Adjustment, typer.Option(help="For several tests.")] = _STUDY.adjust,
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
    seed: Annotated[int, typer.Option(help="Seed of permutations and bootstrap.")] = _STUDY.seed,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Correlate a cohort's densities with lesion SUV, and say what could have been found."""
    from ihcscore.pipeline import correlate_tables

    settings = _checked(
        CorrelationSettings, suv=suv, density=density, unit=unit, timepoint=timepoint,
        on_treatment=on_treatment, adjust=adjust, x=x, y=y, kendall=kendall, seed=seed,
        ratios=_STUDY.ratios if ratio is None else tuple(_pair(text, "/", "--ratio") for text in ratio),
    )  # fmt: skip
    with _progress_bar(quiet) as progress:
        study = correlate_tables(
            scores, suv_table, out=out, settings=settings, rename=_mapped(columns),
            overwrite=overwrite, progress=progress,
        )  # fmt: skip
    for warning in study.warnings:
        typer.echo(f"warning: {warning}", err=True)
    if not quiet:
        _print_correlations(study.correlations, settings)
        typer.echo(f"\nReport: {out / 'report.html'}")


@app.command()
def agree(
    a: Annotated[Path, typer.Argument(metavar="A.csv", help="Counts or densities of one rater.")],
    b: Annotated[Path, typer.Argument(metavar="B.csv", help="Of the other, or of the tool.")],
    out: Out = _DEFAULT_OUT,
    value: Annotated[str | None, typer.Option(help="Column of the numbers.")] = None,
    key: Annotated[list[str] | None, typer.Option(help="Column that names the thing.")] = None,
    columns: Annotated[
        list[str] | None, typer.Option("--map", help="Column names of either.", metavar="NEW=OLD")
    ] = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Compare two raters, or the tool and people, on the same images or fields."""
    from ihcscore.pipeline import agree_tables

    settings = _checked(AgreementSettings, value=value, keys=tuple(key or ()))
    with _progress_bar(quiet) as progress:
        result = agree_tables(
            a, b, out=out, settings=settings, rename=_mapped(columns), overwrite=overwrite, progress=progress
        )
    for warning in result.warnings:
        typer.echo(f"warning: {warning}", err=True)
    if not quiet:
        _print_agreement(result.measures)
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

    with _progress_bar(quiet) as progress:
        result = run_demo(out, workers=workers, overwrite=overwrite, progress=progress)
    if not quiet:
        _print_demo(result)
        for page in ("result", "study-tissue", "study-planted"):
            typer.echo(f"Report: {out / page / 'report.html'}")


@app.command()
def info(
    slide: Annotated[Path, typer.Argument(metavar="SLIDE")],
    mpp_um: MppOverride = None,
    icc: Icc = Switch.ON,
) -> None:
    """Show a slide's format, size, pixel size, levels and stains."""
    from ihcscore.pipeline import describe_slide

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


def _checked(kind: Callable[..., _Settings], **values: object) -> _Settings:
    """Settings from options; a value out of range is the user's to mend."""
    try:
        return kind(**values)
    except ValueError as error:
        raise IhcscoreError(str(error)) from error


def _pair(text: str, separator: str, option: str) -> tuple[str, str]:
    """Two names from one text."""
    first, found, second = (part.strip() for part in text.partition(separator))
    if not (first and found and second):
        raise IhcscoreError(f"{option} {text}: expected two names with {separator} between them")
    return first, second


def _mapped(columns: list[str] | None) -> dict[str, str]:
    return dict(_pair(text, "=", "--map") for text in columns or ())


def _profile(marker: str | None, file: Path | None, chromogen: str | None) -> MarkerProfile:
    """The profile that was asked for: by a marker's name or by a file, which must agree."""
    from ihcscore.profiles import CHROMOGENS, known_profiles, load_profile

    if marker is None and file is None:
        raise ProfileError(f"no marker; give --marker with one of {', '.join(known_profiles())}")
    chosen = load_profile(file if file is not None else str(marker))
    if file is not None and marker is not None and marker.lower() != chosen.name.lower():
        raise ProfileError(f"{file}: is a profile of {chosen.name}, --marker says {marker}; give one of them")
    if chromogen is None:
        return chosen
    known = {name.lower(): name for name in CHROMOGENS}
    if chromogen.lower() not in known:
        raise ProfileError(f"--chromogen is {chromogen}, expected one of {', '.join(CHROMOGENS)}")
    return replace(chosen, chromogen=known[chromogen.lower()])


def _settings(
    n_per_region: int,
    area_mm2: float,
    margin_um: float,
    front: Front,
    sampling: Sampling,
    seed: int,
) -> RunSettings:
    """Settings of a run from its options."""
    return RunSettings(
        fields=_checked(
            FieldSettings, n_per_region=n_per_region, area_mm2=area_mm2, sampling=sampling, seed=seed
        ),
        regions=_checked(RegionSettings, margin_um=margin_um, front=front),
    )


@contextmanager
def _progress_bar(quiet: bool, *, lines: bool = False) -> Iterator[Progress]:
    """A progress bar on stderr where a person watches it; else, for long runs, a line a step."""
    if quiet or not sys.stderr.isatty():
        yield lambda stage, share: typer.echo(stage, err=True) if lines and not quiet else None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description:<40}"),
        BarColumn(),
        TextColumn("{task.percentage:3.0f} %"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("opening", total=1.0)
        yield lambda stage, share: bar.update(task, description=stage, completed=share)


def _print_scores(scores: pd.DataFrame) -> None:
    """The scores as a plain table."""
    from ihcscore.report import format_density, format_range

    header = ("slide", "marker", "region", "fields", "mean/mm²", "SD", "95 % interval", "with suspects")
    rows = [
        (
            row["slide"],
            row["marker"],
            row["region"],
            str(row["n_fields"]),
            format_density(row["mean_per_mm2"]),
            format_density(row["sd_per_mm2"]),
            format_range(row["ci95_low_per_mm2"], row["ci95_high_per_mm2"]),
            format_density(row["positive_or_suspect_per_mm2"]),
        )
        for row in scores.to_dict("records")
    ]
    _print_table(header, rows, n_left=3)


def _print_samples(samples: pd.DataFrame) -> None:
    """Mean and standard deviation of every sample and marker, as the paper gives them."""
    from ihcscore.report import format_density

    both = samples[samples["region"] == "Both regions"]
    rows = [
        (
            row["patient_id"], row["sample_id"], row["marker"], str(row["n_fields"]),
            format_density(row["mean_per_mm2"]), format_density(row["sd_per_mm2"]),
        )
        for row in both.to_dict("records")
    ]  # fmt: skip
    _print_table(("patient", "sample", "marker", "fields", "mean/mm²", "SD"), rows, n_left=3)


def _print_correlations(correlations: pd.DataFrame, settings: CorrelationSettings) -> None:
    """What could have been found in words, then what was."""
    from ihcscore.report.wording import format_interval, format_p, format_rho, what_could_be_found

    for _, sentence in what_could_be_found(correlations, settings):
        typer.echo(sentence)
    typer.echo()
    header = ("x", "y", "n", "rho", "95 % interval", "P", "adjusted P")
    rows = [
        (
            row["x"], row["y"], str(row["n"]), format_rho(row["rho"]),
            format_interval(row["rho_low"], row["rho_high"]), format_p(row["p"]), format_p(row["p_adjusted"]),
        )
        for row in correlations.to_dict("records")
    ]  # fmt: skip
    _print_table(header, rows, n_left=2)


def _print_agreement(measures: pd.DataFrame) -> None:
    """The measures with their intervals."""
    from ihcscore.report.wording import format_value

    rows = [
        (row["measure"], *(format_value(row[name]) for name in ("value", "low", "high")))
        for row in measures.to_dict("records")
    ]
    _print_table(("measure", "value", "low", "high"), rows, n_left=1)


def _print_demo(result: DemoResult) -> None:
    """The demonstration beside its truth."""
    from ihcscore.report import format_density

    _print_samples(result.cohort.samples)
    typer.echo("\nMeasured over drawn density of the regions:")
    rows = [
        (
            row["marker"],
            f"{format_density(row['lowest_per_mm2'])} to {format_density(row['highest_per_mm2'])}",
            f"{row['slope']:.2f}",
            f"{row['r']:.3f}",
        )
        for row in result.fit.to_dict("records")
    ]
    _print_table(("marker", "drawn per mm²", "slope", "r"), rows, n_left=1)
    counted, true = (int(result.comparison[name].sum()) for name in ("n_counted", "n_true"))
    typer.echo(f"\nIn the same fields: {counted} counted, {true} drawn, ratio {counted / true:.3f}")
    places = result.places
    typer.echo(
        f"Fields carried to other stains: {len(places)}, off by {places['true_error_um'].median():.1f} µm in "
        f"the median and {places['true_error_um'].max():.1f} µm at most "
        f"(estimated {places['registration_error_um'].median():.1f} and "
        f"{places['registration_error_um'].max():.1f} µm)\n"
    )


def _print_table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]], *, n_left: int) -> None:
    """Columns under a header, the first so many to the left, numbers to the right."""
    widths = [max(len(line[i]) for line in (header, *rows)) for i in range(len(header))]
    for line in (header, *rows):
        cells = [
            text.ljust(w) if i < n_left else text.rjust(w)
            for i, (text, w) in enumerate(zip(line, widths, strict=True))
        ]
        typer.echo("  ".join(cells).rstrip())


def main() -> None:
    """Run the command line; bad input ends in one line on stderr, a bug keeps its traceback."""
    try:
        status = app(standalone_mode=False)
    except IhcscoreError as error:
        typer.echo(f"ihcscore: {error}", err=True)
        sys.exit(_EXIT_BAD_INPUT)
    except _UsageError as error:
        message = getattr(error, "format_message", error.__str__)()
        typer.echo(f"ihcscore: {message.rstrip('.')}; see 'ihcscore --help'", err=True)
        sys.exit(_EXIT_BAD_INPUT)
    except (typer.Abort, KeyboardInterrupt):
        typer.echo("ihcscore: stopped; nothing was written", err=True)
        sys.exit(130)
    sys.exit(status if isinstance(status, int) else 0)
