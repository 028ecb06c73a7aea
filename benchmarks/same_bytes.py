"""Whether a change of the code leaves every result as it was.

usage: python benchmarks/same_bytes.py keep DIR [--checkout PATH] [--inputs DIR] [--only NAME ...]
       python benchmarks/same_bytes.py compare BEFORE AFTER

`keep` draws a section, writes it in every format, and runs each command on it and the demonstration, with
the package of a checkout (this one, if none is given); `--inputs` takes the slides of an earlier `keep`, `--only` the
commands whose names start so.
`compare` holds two such folders against each other, file by file: the same bytes, the same but for names
of columns and keys, or what differs and by how much.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import math
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Names that one redesign changed: what stood before, and what stands now.
OPTIONS = {"--annotations": "--regions"}
COLUMNS = {
    "dab_od": "chromogen_od",
    "n_fields_asked": "n_fields",
    "n_fields": "n_scored",
    "n_fields_rejected": "n_rejected",
    "n_fields_unplaced": "n_unplaced",
    "n_fields_failed": "n_failed",
    "regions": "annotations",
}
FILES = {"regions.geojson": "annotations.geojson", "bands.geojson": "regions.geojson"}


def keep(folder: Path, checkout: Path, inputs: Path | None, only: tuple[str, ...] = ("",)) -> None:
    """Run everything and keep what it wrote."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = inputs or folder / "inputs"
    if inputs is None:
        _draw(drawn, checkout)
    old = not (checkout / "ihcscore" / "run").is_dir()
    for name, words in _commands(drawn).items():
        if not name.startswith(only):
            continue
        out = folder / name
        words = [OPTIONS.get(word, word) if old else word for word in words]
        told = subprocess.run(
            [sys.executable, "-m", "ihcscore", *words, "--out", str(out)],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(checkout)},
            capture_output=True,
            text=True,
            check=False,
        )
        text = f"status {told.returncode}\n{told.stdout}{told.stderr}"
        for path, word in ((folder, "OUT"), (drawn, "INPUTS")):
            text = text.replace(str(path), word)
        (folder / f"{name}.log").write_text(text, encoding="utf-8")
        print(f"{name}: status {told.returncode}", flush=True)


def _draw(folder: Path, checkout: Path) -> None:
    """One drawn section in every format, tiles, and tables."""
    sys.path[:0] = [str(checkout / "tests"), str(checkout)]
    from ihcscore import synthetic
    from writers.formats import WRITERS

    folder.mkdir()
    settings = synthetic.SectionSettings(
        size_um=(2600.0, 2400.0),
        tissue_um=2200.0,
        tumour_um=1300.0,
        front_um=300.0,
        centre_per_mm2=500.0,
        mpp_um=0.5,
    )
    section = synthetic.draw_section(settings, seed=3)
    for name, write in WRITERS.items():
        place = folder / name.replace(" ", "-").replace(":", "")
        place.mkdir()
        written = write(place, section.rgb)
        (folder / f"{place.name}.path").write_text(str(written.relative_to(folder)), encoding="utf-8")
    shutil.copytree(checkout / "sample_tiles", folder / "tiles")
    (folder / "tumour.geojson").write_text(section.geojson_text(), encoding="utf-8")


def _commands(inputs: Path) -> dict[str, list[str]]:
    """Every command by the name of the folder that it writes."""
    commands: dict[str, list[str]] = {}
    outline = ["--annotations", str(inputs / "tumour.geojson")]
    short = ["--fields", "2", "--margin-um", "300", "--quiet", "--marker", "CD8"]
    slides = {}
    for path in sorted(inputs.glob("*.path")):
        slide = slides[path.stem] = str(inputs / path.read_text(encoding="utf-8"))
        commands[f"run-{path.stem}"] = ["run", slide, *outline, *short]
    slide = slides["svs-jpeg"]
    commands["run-proposed"] = ["run", slide, *short]
    commands["run-chromogen"] = [
        "run",
        slide,
        *short,
        "--front",
        "inside",
        "--sampling",
        "random",
        "--seed",
        "5",
    ]
    commands["run-several"] = ["run", slide, slides["ndpi"], *short]
    commands["fields"] = ["fields", slide, *outline, "--fields", "2", "--margin-um", "300"]
    commands["run-given"] = [
        "run",
        slide,
        "--fields-from",
        "fields/fields.geojson",
        "--marker",
        "CD3",
        "--quiet",
    ]
    commands["regions.geojson"] = ["regions", slide]
    commands["count"] = [
        "count", str(inputs / "tiles"), "--mpp-um", "0.25", "--marker", "CD3", "--overlays", "--quiet"
    ]  # fmt: skip
    commands["register"] = ["register", slide, slides["ndpi"], "--quiet"]
    commands["demo"] = ["demo", "--quiet"]
    return commands


def compare(before: Path, after: Path) -> int:
    """Print what differs; 1 if anything but names does."""
    old, new = _listing(before, renamed=True), _listing(after, renamed=False)
    kept = {"same bytes": 0, "same but for names": 0}
    differing = 0
    for name in sorted(old.keys() | new.keys()):
        if name not in old or name not in new:
            print(f"{'new' if name not in old else 'gone'}: {name}")
            continue
        a, b = old[name], new[name]
        if hashlib.sha256(a.read_bytes()).digest() == hashlib.sha256(b.read_bytes()).digest():
            kept["same bytes"] += 1
            continue
        found = _difference(a, b)
        if found:
            differing += 1
            print(f"differs: {name}: {found}")
        else:
            kept["same but for names"] += 1
    print(", ".join(f"{number} {what}" for what, number in kept.items()), f"{differing} differ", sep=", ")
    return int(differing > 0)


def _listing(folder: Path, *, renamed: bool) -> dict[str, Path]:
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_dir() or name.startswith("inputs") or "/.cache" in name:
            continue
        if renamed and path.name in FILES and "/" in name:
            name = name.removesuffix(path.name) + FILES[path.name]
        overlay = re.fullmatch(r"(.*/overlays/)(?:.*_)?([a-z]+-\d+(?:-plain|-upright)?\.\w+)", name)
        found[f"{overlay[1]}{overlay[2]}" if overlay else name] = path
    return found


def _difference(a: Path, b: Path) -> str:
    if a.suffix == ".csv":
        return _table_difference(a, b)
    if a.suffix in (".json", ".geojson"):
        return _json_difference(json.loads(a.read_text()), json.loads(b.read_text()))
    if a.suffix in (".html", ".log"):
        first, second = (path.read_text(encoding="utf-8").splitlines() for path in (a, b))
        return f"text, {len(set(first) ^ set(second))} lines"
    return f"{a.stat().st_size} and {b.stat().st_size} bytes"


def _table_difference(a: Path, b: Path) -> str:
    """Columns that are gone, and values that moved; new columns and joined rows are none."""
    first, second = (list(csv.DictReader(path.open(encoding="utf-8", newline=""))) for path in (a, b))
    if len(first) != len(second):
        second = [row for row in second if row.get("region") != "Both regions"]
    if len(first) != len(second):
        return f"{len(first)} and {len(second)} rows"
    said = []
    for column in first[0] if first else ():
        now = (
            column
            if column in (second[0] if second else {}) and column != "n_fields"
            else COLUMNS.get(column, column)
        )
        if second and now not in second[0]:
            said.append(f"{column} is gone")
            continue
        worst = max((_apart(x[column], y[now]) for x, y in zip(first, second, strict=True)), default=0.0)
        if worst:
            said.append(f"{column} by {worst:.2g}")
    return ", ".join(said)


def _apart(a: str, b: str) -> float:
    if a == b:
        return 0.0
    try:
        x, y = float(a), float(b)
    except ValueError:
        return math.inf
    return abs(x - y) / max(abs(x), abs(y))


def _json_difference(a: object, b: object) -> str:
    first, second = (dict(_leaves(one)) for one in (a, b))
    gone = [key for key in first if key not in second]
    moved = [key for key in first if key in second and first[key] != second[key]]
    new = [key for key in second if key not in first]
    parts = (("gone", gone), ("moved", moved), ("new", new))
    return "; ".join(f"{what}: {', '.join(keys[:6])}{' …' * (len(keys) > 6)}" for what, keys in parts if keys)


def _leaves(value: object, at: str = "") -> list[tuple[str, object]]:
    if isinstance(value, dict):
        return [leaf for key, one in value.items() for leaf in _leaves(one, f"{at}.{COLUMNS.get(key, key)}")]
    if isinstance(value, list):
        return [leaf for number, one in enumerate(value) for leaf in _leaves(one, f"{at}[{number}]")]
    return [(at, value)]


def main() -> None:
    """Keep, or compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    keeping = commands.add_parser("keep")
    keeping.add_argument("folder", type=Path)
    keeping.add_argument("--checkout", type=Path, default=ROOT)
    keeping.add_argument("--inputs", type=Path)
    keeping.add_argument("--only", nargs="*", default=[""])
    comparing = commands.add_parser("compare")
    comparing.add_argument("before", type=Path)
    comparing.add_argument("after", type=Path)
    given = parser.parse_args()
    if given.command == "keep":
        keep(
            given.folder.resolve(),
            given.checkout.resolve(),
            given.inputs and given.inputs.resolve(),
            tuple(given.only),
        )
    else:
        sys.exit(compare(given.before, given.after))


if __name__ == "__main__":
    main()
