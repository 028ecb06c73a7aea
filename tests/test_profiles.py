import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from ihcscore.errors import ProfileError
from ihcscore.profiles import MarkerProfile, known_profiles, load_profile, profile_settings


@pytest.fixture
def cd3_toml() -> str:
    return (Path(__file__).parent.parent / "models" / "markers" / "CD3.toml").read_text(encoding="utf-8")


RADIUS = "[blob_radius_um]\nvalue = 3.5"


def test_known_profiles():
    assert known_profiles() == ["CD25", "CD3", "CD4", "CD8", "KI67", "MHC1", "PDL1"]


@pytest.mark.parametrize("name", ["CD3", "CD4", "CD8", "CD25", "KI67"])
def test_every_profile_loads_and_says_where_its_numbers_come_from(name):
    profile = load_profile(name)
    settings = profile_settings(name)
    assert profile.name == name
    assert [setting.key for setting in settings] == [
        field.name for field in fields(MarkerProfile) if field.name != "membrane"
    ][6:]
    assert all(setting.source for setting in settings)
    assert {setting.key: setting.value for setting in settings} == {
        setting.key: getattr(profile, setting.key) for setting in settings
    }


@pytest.mark.parametrize("name", ["ki67", "KI67", "Ki-67"])
def test_a_marker_may_be_written_in_any_case(name):
    assert load_profile(name).compartment == "nucleus"


def test_unknown_marker_names_the_known_ones():
    with pytest.raises(ProfileError, match=r"CD99: unknown marker; known are CD25, CD3, CD4, CD8, KI67"):
        load_profile("CD99")


def test_a_profile_file_of_ones_own(tmp_path, cd3_toml):
    own = tmp_path / "own.toml"
    own.write_text(cd3_toml.replace('name = "CD3"', 'name = "CD45"'), encoding="utf-8")
    assert load_profile(own).name == "CD45"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('name = "CD3"', "name = 3", r"own.toml: name is 3, expected a text"),
        ('name = "CD3"', "", r"own.toml: name is missing"),
        ('name = "CD3"', 'name = "CD3"\nextra = 1', r"own.toml: extra is not a key"),
        (
            RADIUS,
            "[blob_radius_um]\nvalue = 34.0",
            r"own.toml: blob_radius_um is 34",
        ),
        (
            RADIUS,
            "[blob_radius_um]\nvalue = 4.95",
            r"at most largest_blob_radius_um",
        ),
        (RADIUS, '[blob_radius_um]\nvalue = "3"', r"blob_radius_um.value is '3'"),
        (RADIUS, "[blob_radius_um]\nvalue = nan", r"blob_radius_um is nan"),
        ('unit = "OD"', 'unit = "um"', r"unit is 'um', expected 'OD'"),
        ('compartment = "membrane"', 'compartment = "air"', r"compartment is 'air'"),
        ('chromogen = "DAB"', 'chromogen = "DAP"', r"chromogen is 'DAP'"),
        ('name = "CD3"', "name = ", r"own.toml: not a TOML file"),
    ],
)
def test_a_broken_profile_is_named_with_its_key(tmp_path, cd3_toml, old, new, said):
    own = tmp_path / "own.toml"
    assert old in cd3_toml
    own.write_text(cd3_toml.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ProfileError, match=said):
        load_profile(own)


def test_a_missing_file_is_named():
    with pytest.raises(ProfileError, match=r"nowhere.toml: cannot be read"):
        load_profile("nowhere.toml")


def test_profiles_load_without_numpy():
    code = "import sys, ihcscore.profiles as p; p.load_profile('CD3'); print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
