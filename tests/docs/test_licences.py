import sys
import tomllib
from pathlib import Path

import pytest

import ihcscore

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "docs" / "tools"))

import licences  # noqa: E402


def test_page_is_fresh():
    text = licences.PAGE.read_text("utf-8")
    assert licences.licences_page(text) == text, "docs/licences.md is not what make licences writes"


def test_every_requirement_and_weight_has_a_row():
    text = licences.PAGE.read_text("utf-8")
    manifest = tomllib.loads((ROOT / "models/counters/manifest.toml").read_text("utf-8"))
    names = {name for packages in licences.requirements().values() for name in packages} | set(manifest)
    assert names
    assert all(f"| `{name}` |" in text for name in names)


def test_what_is_not_installed_keeps_its_row():
    page = licences._packages({"x": ("no-such-package",)}, {"no-such-package": "MIT"})
    assert "| `no-such-package` | extra `x` | MIT |" in page


def test_citation_has_this_version():
    yaml = pytest.importorskip("yaml")
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert citation["version"] == ihcscore.__version__
    assert citation["license"] == "BSD-3-Clause"
    assert all(citation[name] for name in ("cff-version", "authors", "title"))
