"""What is removed of a folder when its run is replaced: the run's own files and nothing else."""

import json
import os
import signal
import threading

import pandas as pd
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


def killed(out, *files):
    """What a run that was killed has left: files that wait, a lock that nobody holds."""
    opened = output.OutputFolder(out, overwrite=True)
    opened.__enter__()
    for file in files:
        opened.add_file("half", file)
    opened._lock.release()
    return opened.staging


def test_what_a_killed_run_left_is_cleared_by_the_next(tmp_path):
    out = tmp_path / "out"
    left = [killed(out, "scores.csv"), killed(out / "S07", "cells.csv")]
    run(out, "scores.csv")
    assert not any(folder.exists() for folder in left)
    assert names(tmp_path) == ["out", "out/run.json", "out/scores.csv"]


def test_what_a_killed_run_had_moved_in_does_not_stand_in_the_way(tmp_path):
    out = tmp_path / "out"
    left = killed(out, "scores.csv")
    (left / "run.json").write_text(json.dumps({"files": ["scores.csv"]}))
    out.mkdir()
    (left / "scores.csv").rename(out / "scores.csv")
    run(out, "scores.csv")
    assert (out / "scores.csv").read_text() == "new"


def test_nothing_of_a_run_that_is_alive_is_cleared(tmp_path):
    out = tmp_path / "out"
    with output.OutputFolder(out) as alive:
        alive.add_file("mine", "cells.csv")
        run(out, "scores.csv")
        output.clear_unfinished(out)
        assert output.unfinished(out)
    assert names(out) == ["cells.csv", "run.json", "scores.csv"]
    assert not output.unfinished(out)


def test_a_folder_without_a_lock_may_just_have_begun(tmp_path):
    young, old = (tmp_path / f".out-unfinished-{name}" for name in ("young", "old"))
    for folder in (young, old):
        folder.mkdir()
    os.utime(old, (0, 0))
    run(tmp_path / "out", "scores.csv")
    assert young.exists()
    assert not old.exists()


def test_ctrl_c_waits_until_files_are_moved_in(tmp_path, monkeypatch):
    replace = os.replace

    def interrupted(*words):
        replace(*words)
        if threading.current_thread() is threading.main_thread():
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "out", "scores.csv", "cells.csv")
    assert names(tmp_path / "out") == ["cells.csv", "run.json", "scores.csv"]


def test_names_that_no_text_file_can_hold_do_not_end_a_run(tmp_path):
    name = os.fsdecode(b"Pr\xe4parat.tif")
    with output.OutputFolder(tmp_path / "out") as folder:
        folder.add_file(f"<p>{name}</p>", "report.html")
        output.write_json(folder.new_file("a.json"), {"slide": name})
        output.write_csv(folder.new_file("a.csv"), pd.DataFrame({"slide": [name]}, dtype=object))
    for file in ("report.html", "a.json", "a.csv"):
        assert "Pr?parat.tif" in (tmp_path / "out" / file).read_text(encoding="utf-8")
