"""Options that come from settings: names, defaults, help, and what becomes of a wrong value."""

import inspect
from dataclasses import fields, is_dataclass
from typing import Annotated, get_args, get_origin

import pytest

from ihcscore import schema
from ihcscore.cli.app import option_name
from ihcscore.cli.options import with_settings

SETTINGS = [schema.RunSettings, schema.CorrelationSettings, schema.AgreementSettings]


def options(kind, **chosen):
    """Parameters of a command with the settings' options, by name."""

    @with_settings(kind, **chosen)
    def command(*, settings):
        raise NotImplementedError

    return inspect.signature(command).parameters


def flat(settings):
    """Fields and values of settings and of the settings in them."""
    for one in fields(settings):
        value = getattr(settings, one.name)
        if is_dataclass(value):
            yield from flat(value)
        else:
            yield one.name, value


@pytest.mark.parametrize("kind", SETTINGS, ids=lambda kind: kind.__name__)
def test_every_field_is_an_option_with_its_default_and_a_help(kind):
    made = options(kind)
    assert list(made) == [name for name, _ in flat(kind())]
    for name, default in flat(kind()):
        assert get_origin(made[name].annotation) is Annotated
        option = get_args(made[name].annotation)[1]
        assert option.help.endswith(".")
        assert "`" not in option.help
        assert made[name].default == ("on" if default is True else default)


def test_first_sentence_of_the_docstring_is_the_help():
    option = get_args(options(schema.RunSettings)["field_area_mm2"].annotation)[1]
    assert option.help == "Area of a square field in mm²."


def test_defaults_make_the_settings_that_the_class_makes():
    got = []
    command = with_settings(schema.RunSettings)(lambda *, settings: got.append(settings))
    command(**{name: one.default for name, one in inspect.signature(command).parameters.items()})
    assert got == [schema.RunSettings()]


def test_some_fields_alone():
    assert set(options(schema.RunSettings, only=("icc", "mpp_um"))) == {"icc", "mpp_um"}
    assert "seed" not in options(schema.RunSettings, without=("seed",))


def test_what_only_a_person_can_do_is_no_choice():
    sampling = get_args(options(schema.RunSettings)["sampling"].annotation)[0]
    assert [str(one) for one in sampling] == ["random", "systematic", "hotspot", "all"]


def test_names_are_the_fields_but_for_the_number_of_fields():
    assert option_name("field_area_mm2") == "--field-area-mm2"
    assert option_name("n_fields") == "--fields"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("run", "a.svs", "--marker", "CD8", "--fields", "0"), "--fields is 0, expected 1 to 10000"),
        (("fields", "a.svs", "--field-area-mm2", "-1"), "--field-area-mm2 is -1.0, expected 0.001 to 100"),
        (("cohort", "a.csv", "--max-registration-error-um", "0"), "--max-registration-error-um is 0.0"),
        (("correlate", "a.csv", "--on-treatment", "baseline"), "--on-treatment is baseline"),
        (("agree", "a.csv", "b.csv", "--offset", "0"), "--offset is 0.0, expected above 0 to 1000000"),
        (("run", "a.svs", "--regions", "a.geojson"), "--regions"),
        (("run", "a.svs", "--sampling", "given"), "--sampling"),
    ],
)
def test_a_value_out_of_range_is_one_line(ihcscore_command, words, says):
    shown = ihcscore_command(*words)
    assert (shown.status, shown.out, shown.err.count("\n")) == (2, "", 1)
    assert says in shown.err
