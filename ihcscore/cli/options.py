"""Options that several commands share, settings from them, and the progress bar."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from ihcscore.errors import IhcscoreError, ProfileError
from ihcscore.schema import CorrelationSettings, FieldSettings, Front, RegionSettings, RunSettings, Sampling

if TYPE_CHECKING:
    from ihcscore.output.progress import Progress
    from ihcscore.profiles import MarkerProfile

FIELDS, REGIONS, RUN, STUDY = FieldSettings(), RegionSettings(), RunSettings(), CorrelationSettings()
DEFAULT_OUT = Path("ihcscore-out")
_Settings = TypeVar("_Settings")

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


def checked(kind: Callable[..., _Settings], **values: object) -> _Settings:
    """Settings from options; a value out of range is the user's to mend."""
    try:
        return kind(**values)
    except ValueError as error:
        raise IhcscoreError(str(error)) from error


def name_pair(text: str, separator: str, option: str) -> tuple[str, str]:
    """Two names from one text."""
    first, found, second = (part.strip() for part in text.partition(separator))
    if not (first and found and second):
        raise IhcscoreError(f"{option} {text}: expected two names with {separator} between them")
    return first, second


def numbers(text: str, option: str) -> tuple[float, ...]:
    """Numbers from one text, separated by commas."""
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise IhcscoreError(f"{option} {text}: expected numbers with commas between them") from None


def mapped(columns: list[str] | None) -> dict[str, str]:
    """Column names from ``NEW=OLD``."""
    return dict(name_pair(text, "=", "--map") for text in columns or ())


def chosen_profile(marker: str | None, file: Path | None, chromogen: str | None) -> MarkerProfile:
    """The profile that was asked for: by a marker's name or by a file, which must agree."""
    from ihcscore.profiles import known_profiles, load_profile
    from ihcscore.schema.names import Chromogen as Known

    if marker is None and file is None:
        raise ProfileError(f"no marker; give --marker with one of {', '.join(known_profiles())}")
    chosen = load_profile(file if file is not None else str(marker))
    if file is not None and marker is not None and marker.lower() != chosen.name.lower():
        raise ProfileError(f"{file}: is a profile of {chosen.name}, --marker says {marker}; give one of them")
    if chromogen is None:
        return chosen
    known = {name.lower(): name for name in Known}
    if chromogen.lower() not in known:
        raise ProfileError(f"--chromogen is {chromogen}, expected one of {', '.join(Known)}")
    return replace(chosen, chromogen=known[chromogen.lower()])


def run_settings(
    n_per_region: int,
    area_mm2: float,
    margin_um: float,
    front: Front,
    sampling: Sampling,
    seed: int,
) -> RunSettings:
    """Settings of a run from its options."""
    return RunSettings(
        fields=checked(
            FieldSettings, n_per_region=n_per_region, area_mm2=area_mm2, sampling=sampling, seed=seed
        ),
        regions=checked(RegionSettings, margin_um=margin_um, front=front),
    )


@contextmanager
def progress_bar(quiet: bool, *, lines: bool = False) -> Iterator[Progress]:
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
