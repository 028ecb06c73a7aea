"""Messages name parameters; who shows them spells the names."""

import pickle

import pytest

from ihcscore.errors import IhcscoreError, SlideError, parameter


def spelled(name: str) -> str:
    return "--" + name.replace("_", "-")


def test_python_and_the_command_line_spell_a_parameter_each_in_its_own_way():
    error = SlideError(f"S07.svs: no pixel size; give {parameter('mpp_um')}, or another {parameter('out')}")
    assert str(error) == "S07.svs: no pixel size; give mpp_um, or another out"
    assert error.spelled(spelled) == "S07.svs: no pixel size; give --mpp-um, or another --out"


def test_what_a_file_says_is_left_alone():
    """Also where it holds backticks, dashes, or the name of a parameter."""
    for text in ("`mpp_um`", "mpp_um", "--mpp-um", "a_b.svs", "\ue0f0", "\ue0f0not closed", "%s {0} \\1"):
        assert str(IhcscoreError(text)) == text
        assert IhcscoreError(text).spelled(spelled) == text


def test_names_survive_the_way_between_processes():
    error = pickle.loads(pickle.dumps(SlideError(f"give {parameter('mpp_um')}")))
    assert type(error) is SlideError
    assert error.spelled(spelled) == "give --mpp-um"


def test_an_error_in_the_text_of_another_is_plain():
    inner = SlideError(f"give {parameter('mpp_um')}")
    assert IhcscoreError(f"field 1: {inner}").spelled(spelled) == "field 1: give mpp_um"


def test_only_names_are_marked():
    for wrong in ("", "mpp um", "--mpp-um", "µm"):
        with pytest.raises(ValueError, match="expected the name of a parameter"):
            parameter(wrong)
