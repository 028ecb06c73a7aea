"""A run that was killed, or whose inputs changed, ends as one that nothing disturbed."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import filelock
import pytest

from drawn_cohort import SETTINGS, SLIDES, WORDS, Scored, stop_after_a_slide, tree, written_at
from ihcscore.cohort import plan_cohort, score_cohort
from ihcscore.output import clear_unfinished, remove_run
from ihcscore.output.lock import LOCK
from ihcscore.schema import RegionSettings

WITHIN_S = 300.0
"""However slow the machine is."""


def wait_until(reached: Callable[[], bool]) -> None:
    end = time.monotonic() + WITHIN_S
    while not reached():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)


def children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="needs /proc to see the workers")
def test_killed_and_resumed(scored: Scored, tmp_path: Path) -> None:
    out = tmp_path / "killed"
    words = ["cohort", scored.manifest, "--out", out, "--workers", 2, "--quiet", *WORDS]
    run = subprocess.Popen(
        [sys.executable, "-m", "ihcscore", *map(str, words)],
        start_new_session=True,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: any(out.glob("*/*/run.json")) or run.poll() is not None)
        workers = children(run.pid)
        assert run.poll() is None
        os.kill(run.pid, signal.SIGKILL)
        run.wait(WITHIN_S)
        # the workers of a killed run end, so that nothing is written any more
        wait_until(lambda: not any(map(lives, workers)))
    finally:
        run.kill()
        run.wait()
    assert len(workers) >= 2
    assert not (out / "run.json").exists()
    finished = [path.parent for path in out.glob("*/*/run.json")]
    assert 1 <= len(finished) < 4
    before = {folder: written_at(folder) for folder in finished}
    result = score_cohort(scored.manifest, out=out, settings=SETTINGS, resume=True)
    assert tree(out) == tree(scored.out)
    assert result.n_done_before == len(finished)
    assert {folder: written_at(folder) for folder in finished} == before
    assert [path.name for path in tmp_path.iterdir()] == ["killed"]


def test_stopped_by_ctrl_c(scored: Scored, tmp_path: Path) -> None:
    out = tmp_path / "stopped"
    with pytest.raises(KeyboardInterrupt):
        score_cohort(scored.manifest, out=out, settings=SETTINGS, workers=2, progress=stop_after_a_slide)
    assert not multiprocessing.active_children()
    assert not [path for path in tmp_path.rglob(".*") if path.name != LOCK]
    (done,) = (path.parent for path in out.glob("*/*/run.json"))
    assert tree(done) == tree(scored.out / done.relative_to(out))
    assert n_done_before(scored, out) == 1


def n_done_before(scored: Scored, out: Path) -> int:
    """How many slides a run in the folder need not do again."""
    return sum(plan_cohort(scored.manifest, out=out, settings=SETTINGS, resume=True).done)


def test_killed_while_files_are_moved_in(scored: Scored, copy: Scored) -> None:
    # the record is moved in last: here a part of the slide's files and of the cohort's is
    for folder in (copy.out / "P1-A" / "CD8", copy.out):
        left = folder.parent / f".{folder.name}-unfinished-0abc"
        names = json.loads((folder / "run.json").read_text())["files"]
        for name in [*names[::2], "run.json"]:
            (left / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).rename(left / name)
    # and here the run ended before it had begun to
    early = copy.out / "P2-A" / ".CD8-unfinished-1abc"
    early.mkdir()
    (early / "cells.csv").write_text("half a ta")
    before = written_at(copy.out / "P2-A")
    assert copy.resume().n_done_before == 3
    assert tree(copy.out) == tree(scored.out)
    assert not list(copy.out.parent.glob(".*"))
    after = written_at(copy.out / "P2-A")
    assert {name: at for name, at in after.items() if name.startswith("CD")} == {
        name: at for name, at in before.items() if name.startswith("CD")
    }


def files_of(folder: Path, names: list[str], *, record: bool) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")
    if record:
        (folder / "run.json").write_text(json.dumps({"files": names}))


def test_only_the_killed_runs_own_files_are_removed(tmp_path: Path) -> None:
    folder = tmp_path / "CD8"
    files_of(folder, ["scores.csv", "slide.svs", "overlays/a.png", "overlays/mine.png"], record=False)
    files_of(tmp_path / ".CD8-unfinished-x", ["scores.csv", "overlays/a.png", "../other.csv"], record=True)
    (tmp_path / "other.csv").write_text("x")
    clear_unfinished(folder)
    assert list(tree(tmp_path)) == ["CD8/overlays/mine.png", "CD8/slide.svs", "other.csv"]


def test_a_finished_run_is_kept_beside_an_unfinished_one(tmp_path: Path) -> None:
    folder = tmp_path / "C[D]8"
    files_of(folder, ["scores.csv"], record=True)
    files_of(tmp_path / ".C[D]8-unfinished-x", ["scores.csv"], record=True)
    clear_unfinished(folder)
    assert list(tree(tmp_path)) == ["C[D]8/run.json", "C[D]8/scores.csv"]


def test_a_removal_that_was_killed_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "CD8"
    files_of(folder, ["scores.csv", "overlays/a.png", "mine.txt"], record=False)
    (folder / ".run-removed.json").write_text(json.dumps({"files": ["scores.csv", "overlays/a.png"]}))
    remove_run(folder)
    assert [path.name for path in folder.iterdir()] == ["mine.txt"]
    (folder / "mine.txt").unlink()
    remove_run(folder)
    assert not folder.exists()


def test_a_changed_slide_is_done_again_and_no_other(scored: Scored, copy: Scored) -> None:
    before = written_at(copy.out)
    slide = copy.manifest.parent / "slides" / "P1-A_CD8.mrxs"
    # padding at the end of a data file: other bytes, the same pixels
    data = min(slide.with_suffix("").glob("Data*.dat"))
    with data.open("ab") as opened:
        opened.write(b"\0" * 64)
    assert copy.resume().n_done_before == 3
    after = written_at(copy.out)
    again = {name for name in after if after[name] != before[name]}
    slides = {name.rsplit("/", 1)[0] for name in again if name.endswith("cells.csv")}
    assert slides == {"P1-A/CD8"}
    same = [f"{sample}/{marker}/cells.csv" for sample, marker in SLIDES]
    assert [tree(copy.out)[name] for name in same] == [tree(scored.out)[name] for name in same]


def test_a_changed_profile_of_a_reference_reaches_its_sample(copy: Scored) -> None:
    copy.edit({"P1-A CD3": {"profile": "CD4"}})
    assert copy.resume().n_done_before == 2
    assert copy.resume().n_done_before == 4


def test_a_changed_parameter_does_all_again(scored: Scored, copy: Scored) -> None:
    fewer = replace(SETTINGS, fields=replace(SETTINGS.fields, n_fields=1))
    result = copy.resume(settings=fewer)
    assert result.n_done_before == 0
    assert set(result.scores["n_scored"]) == {1, 2}  # a region, and both
    for sample, marker in SLIDES:
        overlays = {path.name for path in (copy.out / sample / marker / "overlays").glob("*.png")}
        assert overlays == {f"{sample}_{marker}_{marker}_{field}.png" for field in ("centre-1", "front-1")}


def test_results_that_were_deleted_are_made_again(scored: Scored, copy: Scored) -> None:
    (copy.out / "P2-A" / "CD8" / "overlays" / "P2-A_CD8_CD8_front-1.png").unlink()
    assert copy.resume().n_done_before == 3
    assert tree(copy.out) == tree(scored.out)


def test_refused_without_resume(ihcscore_command, copy: Scored) -> None:
    before = tree(copy.out)
    for also_top in (True, False):
        if not also_top:  # a run that was killed
            (copy.out / "run.json").unlink()
            before.pop("run.json")
        shown = ihcscore_command("cohort", copy.manifest, "--out", copy.out, *WORDS)
        assert (shown.status, shown.out) == (2, "")
        assert shown.err == (
            f"ihcscore: {copy.out}: already holds a run; give --resume to go on with it, or another --out\n"
        )
    assert tree(copy.out) == before


def test_another_commands_folder_is_refused(ihcscore_command, copy: Scored) -> None:
    folder = copy.out / "P1-A" / "CD3"
    before = tree(folder)
    shown = ihcscore_command("cohort", copy.manifest, "--out", folder, "--resume")
    assert (shown.status, shown.err.count("\n")) == (2, 1)
    assert "holds a run of another command" in shown.err
    assert tree(folder, lambda name: name != LOCK) == before


def test_a_second_run_in_the_folder_is_refused(ihcscore_command, copy: Scored) -> None:
    before = tree(copy.out)
    with filelock.FileLock(copy.out / LOCK):
        shown = ihcscore_command("cohort", copy.manifest, "--out", copy.out, "--resume")
    assert (shown.status, shown.out) == (2, "")
    assert shown.err == (
        f"ihcscore: {copy.out}: another run works in this folder; wait or give another --out\n"
    )
    assert tree(copy.out) == before
    # and the next may
    assert copy.resume().n_done_before == 4


def test_overwrite_keeps_what_is_not_the_runs(scored: Scored, copy: Scored) -> None:
    note = copy.out / "P1-A" / "CD8" / "note.txt"
    note.write_text("of the pathologist")
    broken = {name: {"slide": "slides/gone.mrxs"} for name in ("P1-A CD3", "P2-A CD3")}
    copy.edit(broken)
    result = copy.resume(resume=False, overwrite=True, keep_going=True)
    assert len(result.errors) == 4
    assert [path.name for path in copy.out.rglob("run.json")] == ["run.json"]
    assert note.read_text() == "of the pathologist"


def test_margin_is_a_parameter_too(copy: Scored) -> None:
    copy.edit({f"{sample} CD8": {"slide": "slides/gone.mrxs"} for sample in ("P1-A", "P2-A")})
    wider = replace(SETTINGS, regions=RegionSettings(margin_um=250.0))
    assert copy.resume(settings=wider, keep_going=True).n_done_before == 0
