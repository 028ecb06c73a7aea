"""Options that several commands share, and those that settings give."""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Callable, Collection
from dataclasses import Field, fields, is_dataclass, replace
from enum import StrEnum
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_type_hints

import typer

from ihcscore.cli.app import option_name
from ihcscore.errors import IhcscoreError, ProfileError
from ihcscore.schema import Chromogen as ChromogenName
from ihcscore.schema import FinderName, Sampling, SettingError

if TYPE_CHECKING:
    from ihcscore.profiles import MarkerProfile
    from ihcscore.schema import RunSettings

DEFAULT_OUT = Path("ihcscore-out")
# Members of an enum that say what was, not what can be asked for.
_NOT_ASKED = {Sampling.GIVEN}
# What decides how fields are drawn, and nothing else.
DRAWING = ("n_fields", "field_area_mm2", "sampling", "seed", "margin_um", "front")
_Settings = TypeVar("_Settings")
_Name = TypeVar("_Name", bound=StrEnum)
_Command = Callable[..., None]

Marker = Annotated[
    str | None, typer.Option(help="Marker profile: CD3, CD4, CD8, CD25, KI67.", metavar="NAME")
]
ProfileFile = Annotated[
    Path | None, typer.Option("--profile", help="A profile of your own.", metavar="FILE.toml")
]
Chromogen = Annotated[
    str | None,
    typer.Option(help="DAB, AEC or FastRed, overriding the profile's.", metavar="NAME"),
]
Finder = Annotated[
    str | None,
    typer.Option(help="network or classical, overriding the profile's.", metavar="NAME"),
]
Out = Annotated[Path, typer.Option(help="Folder for the results.", metavar="DIR")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the run that DIR already holds.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar and no table.")]
Workers = Annotated[int, typer.Option(help="Processes on this machine.", metavar="N")]
Annotations = Annotated[Path | None, typer.Option(help="Annotation with the tumour.", metavar="FILE.geojson")]
ColumnNames = Annotated[
    list[str] | None, typer.Option("--map", help="Column names of the given tables.", metavar="NEW=OLD")
]


class Switch(StrEnum):
    """On or off, where both are said."""

    ON = "on"
    OFF = "off"


def with_settings(
    kind: type, *, only: Collection[str] = (), without: Collection[str] = ()
) -> Callable[[_Command], _Command]:
    """Give a command the options of a settings class, in place of its parameter ``settings``.

    Names, types and defaults are those of the fields, of nested settings too; the help is the first sentence
    of a field's description under "Attributes". The command gets the settings that were made of them.

    Parameters
    ----------
    kind : type
        A frozen dataclass of the schema.
    only, without : collection of str
        Fields that become options, or that don't; all where neither is given.
    """
    offered = {
        name: option
        for name, option in _options(kind).items()
        if name not in without and (name in only or not only)
    }

    def extend(command: _Command) -> _Command:
        @wraps(command)
        def called(**given: Any) -> None:
            values = {name: given.pop(name) for name in offered}
            command(settings=_settings(kind, values), **given)

        parameters: list[inspect.Parameter] = []
        for own in inspect.signature(command, eval_str=True).parameters.values():
            parameters += offered.values() if own.name == "settings" else [own]
        called.__annotations__ = {one.name: one.annotation for one in parameters}
        called.__dict__["__signature__"] = inspect.Signature(
            [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in parameters]
        )
        return called

    return extend


def _options(kind: type) -> dict[str, inspect.Parameter]:
    """A parameter for typer of each field, by its name; fields of nested settings stand beside the others."""
    types, helps = get_type_hints(kind), _helps(kind)
    options: dict[str, inspect.Parameter] = {}
    for one in fields(kind):
        if is_dataclass(types[one.name]):
            options |= _options(types[one.name])
        else:
            options[one.name] = _option(one, types[one.name], helps.get(one.name, ""))
    return options


def _option(one: Field[Any], hint: Any, text: str) -> inspect.Parameter:
    default: Any = one.default
    if default is True:
        hint, default = Switch, Switch.ON
    elif isinstance(hint, type) and issubclass(hint, StrEnum):
        hint = _askable(hint)
        default = hint(default)
    return inspect.Parameter(
        one.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=default,
        annotation=Annotated[hint, typer.Option(option_name(one.name), help=text)],
    )


def _askable(kind: type[StrEnum]) -> Any:
    """The enum without the members that cannot be asked for."""
    return StrEnum(kind.__name__, {one.name: one.value for one in kind if one not in _NOT_ASKED})


def _helps(kind: type) -> dict[str, str]:
    """First sentence of each field's description in a class's numpydoc docstring, without its markup."""
    _, _, attributes = inspect.cleandoc(kind.__doc__ or "").partition("\nAttributes\n----------\n")
    entry = re.compile(r"^(\w+(?:, \w+)*) : .*\n((?:[ ]+.*(?:\n|$)|\n)*)", re.MULTILINE)
    helps: dict[str, str] = {}
    for names, description in entry.findall(attributes):
        sentence = re.split(r"(?<=\.) ", " ".join(description.split()), maxsplit=1)[0]
        helps |= dict.fromkeys(names.split(", "), sentence.replace("`", ""))
    return helps


def _settings(kind: type, values: dict[str, Any]) -> Any:
    """Settings, nested ones too, from the values of the options."""
    types, given = get_type_hints(kind), {}
    for name in types:
        if is_dataclass(types[name]):
            given[name] = _settings(types[name], values)
        elif name in values:
            value = values[name]
            if isinstance(value, StrEnum):
                value = value == Switch.ON if types[name] is bool else types[name](value)
            given[name] = value
    return checked(kind, **given)


def checked(kind: Callable[..., _Settings], *given: object, **values: object) -> _Settings:
    """Settings from options; a value out of range is the user's to mend."""
    try:
        return kind(*given, **values)
    except SettingError as error:
        raise IhcscoreError(f"{option_name(error.name)} {error.problem}") from error


def existing(*files: Path | None) -> None:
    """Refuse files that are not there, before anything is loaded.

    Raises
    ------
    IhcscoreError
    """
    for file in files:
        if file is not None and not file.exists():
            raise IhcscoreError(f"{file}: no such file{_nearly(file)}")


def _nearly(file: Path) -> str:
    """A hint at a file whose name looks the same but is written in other bytes."""
    import unicodedata

    def looks(name: str) -> str:
        return unicodedata.normalize("NFKC", os.fsencode(name).decode("utf-8", "replace")).casefold()

    try:
        near = [one.name for one in file.parent.iterdir() if looks(one.name) == looks(file.name)]
    except OSError:
        return ""
    return (
        f"; one is there whose name is written in other letters or bytes ({near[0]}): rename it"
        if near
        else ""
    )


def unused(context: typer.Context, names: Collection[str], because: str) -> None:
    """Refuse options that another makes meaningless.

    Parameters
    ----------
    context : Context
        Tells which options were given.
    names : collection of str
        Parameters that have no use then.
    because : str
        The option that makes them so, and how.

    Raises
    ------
    IhcscoreError
    """
    for name in names:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            raise IhcscoreError(
                f"{option_name(name)} has no use here, because {because}; leave one of them out"
            )


def free(out: Path, *, overwrite: bool) -> None:
    """Refuse a folder that holds a run, before anything is loaded.

    Raises
    ------
    OutputError
    """
    from ihcscore.output import OutputFolder

    OutputFolder(out, overwrite=overwrite).check()


def readable(slide: Path, settings: RunSettings) -> None:
    """Refuse a slide that cannot be opened or has no scale, before what counting needs is loaded.

    Raises
    ------
    SlideError
    """
    from ihcscore.slide import open_slide

    with open_slide(slide, mpp_um=settings.mpp_um, icc=settings.icc) as opened:
        _ = opened.mpp_um  # refuses where there is none


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


def chosen_profile(
    marker: str | None, file: Path | None, chromogen: str | None, finder: str | None
) -> MarkerProfile:
    """The profile that was asked for: by a marker's name or by a file, which must agree."""
    from ihcscore.profiles import known_profiles, load_profile

    if marker is None and file is None:
        raise ProfileError(f"no marker; give --marker with one of {', '.join(known_profiles())}")
    chosen = load_profile(file if file is not None else str(marker))
    if file is not None and marker is not None and marker.lower() != chosen.name.lower():
        raise ProfileError(f"{file}: is a profile of {chosen.name}, --marker says {marker}; give one of them")
    if chromogen is not None:
        chosen = replace(chosen, chromogen=_one_of(ChromogenName, chromogen, "--chromogen"))
    if finder is not None:
        chosen = replace(chosen, finder=_one_of(FinderName, finder, "--finder"))
    return chosen


def _one_of(names: type[_Name], text: str, option: str) -> _Name:
    """The name that was meant, in any case."""
    known = {name.lower(): name for name in names}
    if text.lower() not in known:
        raise ProfileError(f"{option} is {text}, expected one of {', '.join(names)}")
    return known[text.lower()]
