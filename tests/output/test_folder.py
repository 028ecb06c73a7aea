"""What is removed of a folder when its run is replaced: the run's own files and nothing else."""

import json

import pytest

from ihcscore import output
from ihcscore.errors import OutputError
from ihcscore.output.lock import held


def names(folder):
    return sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*"))


def run(folder, *files, overwrite=False):
    with output.OutputFolder(folder, overwrite=overwrite) as opened:
        for file in files:
            opened.add_file("new", *file.split("/"))
        output.write_record(opened, output.make_record("run", {}))


def stumble(folder):
    with output.OutputFolder(folder, overwrite=True) as opened:
        opened.add_file("half", "scores.csv")
        raise ZeroDivisionError


def test_replacing_a_run_keeps_what_is_not_its_own(tmp_path):
    out = tmp_path / "out"
    run(out, "scores.csv", "overlays/a.png", "maps/b.png")
    (out / "overlays" / "mine.png").write_text("mine")
    (tmp_path / "beside.csv").write_text("mine")
    record = json.loads((out / "run.json").read_text())
    record["files"] += ["../beside.csv", str(tmp_path / "beside.csv"), "overlays", ""]
    (out / "run.json").write_text(json.dumps(record))
    run(out, "scores.csv", overwrite=True)
    assert names(tmp_path) == [
        "beside.csv", "out", "out/overlays", "out/overlays/mine.png", "out/run.json", "out/scores.csv"
    ]  # fmt: skip


def test_a_record_that_is_broken_removes_nothing_else(tmp_path):
    run(tmp_path, "scores.csv")
    (tmp_path / "run.json").write_text("{")
    run(tmp_path, "fields.csv", overwrite=True)
    assert names(tmp_path) == ["fields.csv", "run.json", "scores.csv"]


def test_replacing_goes_on_with_a_removal_that_was_killed(tmp_path):
    run(tmp_path, "scores.csv", "old.csv")
    (tmp_path / "run.json").rename(tmp_path / ".run-removed.json")
    with pytest.raises(OutputError, match=r"scores\.csv' is in the way"):
        run(tmp_path, "scores.csv")
    assert names(tmp_path) == [".run-removed.json", "old.csv", "scores.csv"]
    run(tmp_path, "scores.csv", overwrite=True)
    assert names(tmp_path) == ["run.json", "scores.csv"]


def test_an_error_leaves_the_folder_as_it_was(tmp_path):
    out = tmp_path / "out"
    run(out, "scores.csv")
    with pytest.raises(ZeroDivisionError):
        stumble(out)
    assert names(tmp_path) == ["out", "out/run.json", "out/scores.csv"]
    assert (out / "scores.csv").read_text() == "new"


def test_a_folder_is_held_once(tmp_path):
    out = tmp_path / "out"
    with held(out), pytest.raises(OutputError, match="another run works"), held(out):
        pass
    with held(out):
        pass
