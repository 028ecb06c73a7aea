"""Damaged slides of every format, as the whole corpus in benchmarks/damaged.py, in small."""

import json
import subprocess
import sys

import numpy as np
import pytest

from ihcscore.errors import SlideError
from ihcscore.slide import open_slide
from ihcscore.slide.checks import check_headers
from writers import damage
from writers.corpus import GOOD, cases, damaged_copy, write_good

SAMPLES, TILE_HEIGHT = 277, 323

# Opens the slides that it is given and says what became of each, with little memory to do it in.
OPEN_EACH = """
import json, resource, sys
resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
from ihcscore.errors import SlideError
from ihcscore.slide import open_slide
said = []
for path in sys.argv[1:]:
    try:
        with open_slide(path) as slide:
            slide.read(0, (0, 0), (64, 64))
        said.append("")
    except SlideError as error:
        said.append(str(error))
print(json.dumps(said))
"""


@pytest.fixture(scope="module")
def small():
    rng = np.random.default_rng(2)
    return rng.integers(80, 255, (700, 900, 3), dtype=np.uint8)


@pytest.mark.parametrize("name", list(GOOD))
def test_headers_of_damaged_slides_are_refused_in_one_line_or_pass(name, small, tmp_path):
    good = write_good(name, tmp_path / "good", small)
    check_headers(good)
    found = {}
    for number, case in enumerate(cases(name, 2)):
        path = damaged_copy(good, tmp_path / str(number), case, seed=number)
        try:
            check_headers(path)
        except SlideError as error:
            found.setdefault(case.kind, []).append(str(error))
    for says in (line for lines in found.values() for line in lines):
        assert "\n" not in says
        assert str(tmp_path) not in says
    assert {"cut short", "header bytes flipped"} & set(found)
    for kind in (
        "cyclic IFDs",
        "offset beyond the end",
        "files missing",
        "data files swapped",
        "no pixel data",
    ):
        if any(case.kind == kind for case in cases(name, 2)):
            assert kind in found


def test_what_once_ended_the_process_is_refused(small, tmp_path):
    """In another process, so that a crash is one line here and not the end of the suite."""
    paths = []
    for name in ("svs jpeg", "philips", "ome", "ome pyramid", "tiff"):
        path = write_good(name, tmp_path / name, small)
        damage.set_tag(path, TILE_HEIGHT, 1 << 30)
        paths.append(path)
    for key, value in (("DIGITIZER_HEIGHT", "100000000"), ("IMAGENUMBER_X", "99999999")):
        path = write_good("mirax", tmp_path / key, small)
        damage.set_ini(path, key, value)
        paths.append(path)
    path = write_good("svs jpeg", tmp_path / "cut", small)
    damage.cut(path, 0.9)
    shown = subprocess.run(
        [sys.executable, "-c", OPEN_EACH, *map(str, [*paths, path])],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert shown.returncode == 0, shown.stderr[-500:]
    said = json.loads(shown.stdout)
    assert len(said) == 8
    for line in said:
        assert "damaged" in line or "cut short" in line


def test_the_command_line_says_one_line_and_ends_with_2(small, tmp_path, ihcscore_command):
    path = write_good("svs jpeg", tmp_path / "svs", small)
    damage.cut(path, 0.5)
    for words in (("info", path), ("run", path, "--marker", "CD3", "--out", tmp_path / "out")):
        shown = ihcscore_command(*words)
        assert shown.status == 2
        assert shown.err.count("\n") == 1
        assert shown.err.startswith(f"ihcscore: {path.name}: is cut short (")
    assert not (tmp_path / "out").exists()


def test_a_decoders_message_names_no_folder_of_this_machine(small, tmp_path):
    """It stands in the table of fields; OpenSlide puts the whole path into some of its messages."""
    path = write_good("tiff", tmp_path / "planted surname", small)
    damage.set_tag(path, SAMPLES, 4)
    check_headers(path)
    with pytest.raises(SlideError, match="cannot be opened") as caught:
        open_slide(path)
    assert path.name in str(caught.value)
    assert "surname" not in str(caught.value)
