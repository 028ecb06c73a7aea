"""Licences of what ihcscore brings and needs, from the packages' own metadata: docs/licences.md.

usage: python docs/tools/licences.py

Written again by ``make licences``. A package that is not installed keeps what the page said of it before, so
that the page can be made in several environments one after the other; no versions stand in it, so that it
is the same whichever versions are installed.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "licences.md"
UNKNOWN = "not looked up: not installed where this page was made"
# A licence's whole text stands in some packages' metadata instead of its name.
_LONGEST_NAME = 60
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_HEAD = """\
# Licences

ihcscore itself is BSD-3-Clause (`LICENSE`). This page is made by `make licences`: the weights from
`models/counters/manifest.toml`, the packages from what each says of itself. Packages that those
need in turn are not listed; `pip install pip-licenses`, then `pip-licenses`, lists all that one
environment holds.

No code of another project is part of ihcscore; packages are installed beside it, under their own licences.
"""


def requirements() -> dict[str, tuple[str, ...]]:
    """Packages that each set of requirements names, the core as an empty name first."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    sets = {"": project["dependencies"], **project["optional-dependencies"]}
    own = project["name"]
    return {
        extra: tuple(sorted({_plain(line) for line in lines} - {own}))
        for extra, lines in sorted(sets.items())
    }


def _plain(requirement: str) -> str:
    found = _NAME.match(requirement)
    if found is None:
        raise ValueError(f"{requirement}: not a requirement")
    return found[0].lower()


def licence_of(package: str) -> str | None:
    """The licence that an installed package names, None where it isn't installed."""
    try:
        about = metadata(package)
    except PackageNotFoundError:
        return None
    expression, text = about.get("License-Expression"), (about.get("License") or "").strip()
    named = [
        line.split("::")[-1].strip()
        for line in about.get_all("Classifier") or []
        if line.startswith("License ::")
    ]
    if expression:
        return expression
    if named:
        return ", ".join(named)
    return text if 0 < len(text) <= _LONGEST_NAME and "\n" not in text else "names none in its metadata"


def licences_page(before: str = "") -> str:
    """The page; what is not installed keeps its row of the page before."""
    known = dict(re.findall(r"^\| `([^`]+)` \| [^|]* \| ([^|]+) \|$", before, re.MULTILINE))
    return "".join([_HEAD, _weights(), _packages(requirements(), known)])


def _weights() -> str:
    manifest = tomllib.loads((ROOT / "models" / "counters" / "manifest.toml").read_text("utf-8"))
    lines = ["\n## Weights\n", "", "| weights | licence | trained on |", "| --- | --- | --- |"]
    lines += [
        f"| `{name}` | {one['licence']} | {one['trained_on']} |"
        for name, one in manifest.items()
        if "licence" in one
    ]
    return "\n".join(lines) + "\n"


def _packages(sets: Mapping[str, tuple[str, ...]], known: Mapping[str, str]) -> str:
    lines = ["\n## Packages\n", "", "| package | needed by | licence |", "| --- | --- | --- |"]
    needed: dict[str, list[str]] = {}
    for extra, packages in sets.items():
        for package in packages:
            needed.setdefault(package, []).append(f"extra `{extra}`" if extra else "ihcscore")
    for package, by in sorted(needed.items()):
        licence = licence_of(package) or known.get(package) or UNKNOWN
        lines.append(f"| `{package}` | {', '.join(by)} | {licence} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(licences_page(PAGE.read_text("utf-8") if PAGE.exists() else ""), encoding="utf-8")
