"""Every number that a command takes: out of its range it is one line that names the option, at once."""

import inspect
import math
from dataclasses import dataclass
from typing import Annotated, get_args, get_origin

import pytest

from ihcscore.cli.app import option_name
from ihcscore.cli.commands import app

# Options of text that hold numbers, and what is none of theirs.
TEXT_NUMBERS = {
    "--bins": ("0", "-1", "nan", "inf", "1e300", "6,1", "1,1", "few", ""),
    "--threshold": ("0", "-1", "nan", "inf", "1e300", "0%", "-41%", "101%", "nan%", "inf%", "half"),
}
# Options of text that hold none, so that a new one has to be thought of here.
TEXTS = {
    "--marker", "--chromogen", "--finder", "--value", "--key", "--map", "--suv", "--density", "--timepoint",
    "--on-treatment", "--after", "--before", "--reviewer", "--name", "--unit", "--covariate", "--by",
    "--numbers", "--categories", "--leave-out", "--x", "--y", "--region", "--ratio", "--dask-scheduler",
    "--series", "--reference-time",
}  # fmt: skip
OUTSIDE = {
    int: ("-1", "0", "nan", "inf", str(10**30), "many"),
    float: ("-1", "0", "nan", "inf", "1e300", "many"),
}
# Where nought will do.
NOUGHT = {"--seed", "--min-sd-days"}
# A value that will do where an option is required.
NEEDED = {"--mpp-um": "0.5"}


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A parameter of a command: its option, None for an argument, and the type of one value."""

    name: str
    option: str | None
    kind: type
    required: bool


def parameters(command):
    """The parameters of a registered command, by the signature that typer reads."""
    found = []
    for one in inspect.signature(command.callback, eval_str=True).parameters.values():
        if get_origin(one.annotation) is not Annotated:
            continue  # the context
        hint, about = get_args(one.annotation)[:2]
        is_option = type(about).__name__ == "OptionInfo"
        # in an Annotated, typer keeps the first of an option's names as its default
        given = [about.default, *(about.param_decls or ())]
        named = [word for word in given if isinstance(word, str) and word.startswith("--")]
        (kind,) = {part for part in (get_args(hint) or (hint,)) if part is not type(None)}
        found.append(
            Parameter(
                name=one.name,
                option=(named or [option_name(one.name)])[0] if is_option else None,
                kind=(get_args(kind) or (kind,))[0],
                required=one.default is inspect.Parameter.empty,
            )
        )
    return found


COMMANDS = {
    command.name or command.callback.__name__: parameters(command) for command in app.registered_commands
}
OPTIONS = [(name, one) for name, found in COMMANDS.items() for one in found if one.option]


def cases():
    for name, one in OPTIONS:
        values = TEXT_NUMBERS.get(one.option, ()) if one.kind is str else OUTSIDE.get(one.kind, ())
        for value in values:
            if not (value == "0" and one.option in NOUGHT):
                yield pytest.param(name, one.option, value, id=f"{name} {one.option} {value}")


def words(name, without):
    """The command with what it requires; no file of it is there."""
    given = []
    for one in COMMANDS[name]:
        if one.required and one.option is None:
            given.append(f"no-{one.name}")
        elif one.required and one.option != without:
            given += [one.option, NEEDED[one.option]]
    return given


@pytest.mark.parametrize(("name", "option", "value"), list(cases()))
def test_a_number_out_of_range_is_one_line_that_names_the_option(
    ihcscore_command, tmp_path, monkeypatch, name, option, value
):
    monkeypatch.chdir(tmp_path)
    shown = ihcscore_command(name, *words(name, option), f"{option}={value}")
    assert (shown.status, shown.out, shown.err.count("\n")) == (2, "", 1), shown
    assert option in shown.err
    assert list(tmp_path.iterdir()) == []


def test_every_option_of_text_is_known_to_hold_a_number_or_none():
    assert {one.option for _, one in OPTIONS if one.kind is str} <= TEXTS | set(TEXT_NUMBERS)
    assert {name for name, one in OPTIONS if one.kind in OUTSIDE} >= {
        "run",
        "count",
        "cohort",
        "demo",
        "register",
    }


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (("count", "a.png", "--marker", "CD3", "--mpp-um", 5), "--mpp-um is 5.0, expected 0.05 to 1"),
        (("demo", "--workers", 0), "--workers is 0, expected 1 to 256"),
        (("run", "a.svs", "--fields", 0), "--fields is 0, expected 1 to 10000"),
        (
            ("run", "a.svs", "--marker", "CD3", "--fields-from", "a.geojson", "--fields", 3),
            "--fields has no use",
        ),
        (("run", "a.svs", "--marker", "CD3", "--fields-from", "a.geojson", "--seed", 0), "--seed has no use"),
        (("run", "a.svs", "--marker", "CD3", "--sampling", "all", "--fields", 3), "--fields has no use"),
        (("fields", "a.svs", "--sampling", "all", "--fields", 3), "--fields has no use"),
        (("cohort", "a.csv", "--dask-scheduler", "tcp://a:1", "--workers", 2), "--workers has no use"),
        (("correlate", "a.csv", "--on-treatment", "baseline"), "--on-treatment is baseline"),
        (("correlate", "a.csv", "--y", "CD8:Tumour centre"), "where y is given"),
    ],
)
def test_what_was_seen_and_what_contradicts_another_option(
    ihcscore_command, tmp_path, monkeypatch, given, says
):
    monkeypatch.chdir(tmp_path)
    shown = ihcscore_command(*given)
    assert (shown.status, shown.out, shown.err.count("\n")) == (2, "", 1), shown
    assert says in shown.err


def test_the_ranges_hold_in_python_too():
    from ihcscore import schema
    from ihcscore.errors import IhcscoreError
    from ihcscore.run.images import count_images

    for values in ({"margin_um": math.nan}, {"margin_um": math.inf}):
        with pytest.raises(schema.SettingError, match="margin_um"):
            schema.RegionSettings(**values)
    with pytest.raises(schema.SettingError, match="max_registration_error_um is inf"):
        schema.RunSettings(max_registration_error_um=math.inf)
    with pytest.raises(IhcscoreError, match="mpp_um is nan"):
        count_images(["a.png"], profile="CD3", mpp_um=math.nan)
