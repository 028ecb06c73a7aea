"""The record of a run: written, read back, and never a guide out of its folder."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import pytest

import ihcscore
from ihcscore import output
from ihcscore.output.digest import sampled_sha256
from ihcscore.schema import Front, RegionSettings, RunSettings


def write(folder: Path, content: object) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / output.RECORD).write_text(json.dumps(content))
    return folder


def test_what_is_written_is_read(tmp_path):
    settings = RunSettings(regions=RegionSettings(front=Front.INSIDE))
    content = {"marker": "CD8", "parameters": settings, "slide": {"name": "S07.svs"}, "work_key": "ab"}
    with output.OutputFolder(tmp_path / "out") as folder:
        folder.add_file("a,b\n", "scores.csv")
        folder.add_file(b"\xff", "overlays", "a.jpg")
        output.write_record(folder, output.make_record("run", content, packages=["numpy"]))
    read = output.read_record(tmp_path / "out")
    assert (read.command, read.slide, read.marker, read.work_key) == ("run", "S07.svs", "CD8", "ab")
    assert read.files == ("overlays/a.jpg", "scores.csv")
    assert read.parameters["regions"] == {"margin_um": 1000.0, "front": "inside"}
    assert list(read.content) == [
        "ihcscore", "command", "marker", "parameters", "slide", "work_key", "packages", "files"
    ]  # fmt: skip
    assert read.content["ihcscore"] == ihcscore.__version__
    assert set(read.content["packages"]) == {"python", "numpy"}
    assert (tmp_path / "out" / "scores.csv").read_bytes() == b"a,b\n"


def test_values_become_plain():
    @dataclass
    class Inner:
        front: Front
        edges: tuple[float, ...]

    plain = output.as_plain({"a": [Inner(front=Front.BOTH, edges=(1.0, 2.0))], "b": None})
    assert plain == {"a": [{"front": "both", "edges": [1.0, 2.0]}], "b": None}
    assert type(plain["a"][0]["front"]) is str


@pytest.mark.parametrize("listed", [{"a.csv": 1}, "a.csv", None, [["a.csv"]], [3]])
def test_a_list_that_no_run_wrote_names_nothing(tmp_path, listed):
    assert output.read_record(write(tmp_path, {"command": "run", "files": listed})).files == ()


def test_names_that_lead_out_of_the_folder_are_left_out(tmp_path):
    listed = ["a.csv", 3, "../b.csv", "/etc/c", "overlays/../../d", "overlays/e.png"]
    assert output.read_record(write(tmp_path, {"files": listed})).files == ("a.csv", "overlays/e.png")


def test_no_record(tmp_path):
    assert output.find_record(tmp_path) is None
    assert output.find_record(write(tmp_path, [1, 2])) is None
    (tmp_path / output.RECORD).write_bytes(b"\xff{")
    assert output.find_record(tmp_path) is None
    with pytest.raises(ValueError, match="decode"):
        output.read_record(tmp_path)


def test_inputs_by_name_and_hash(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"1")
    assert output.describe_inputs({"scores": tmp_path / "a.csv"}) == {
        "scores": {"name": "a.csv", "sha256": hashlib.sha256(b"1").hexdigest()}
    }


def test_both_ends_and_the_size_of_a_large_file_count(tmp_path):
    file = tmp_path / "slide.svs"
    contents = [bytearray(3_000_000) for _ in range(3)]
    contents[1][0] = contents[2][-1] = 1
    seen = set()
    for content in (*contents, bytes(3_000_001)):
        file.write_bytes(content)
        seen.add(sampled_sha256(file))
    assert len(seen) == 4


def test_overlays_are_named_by_slide_marker_and_field():
    assert output.overlay_name("P1 A.svs", "CD8", "centre-1") == "P1-A_CD8_centre-1"
    assert output.overlay_name("a?b#c%20.mrxs", "PD/L1", "front-2") == "a-b-c-20_PD-L1_front-2"
