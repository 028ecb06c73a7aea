"""Ctrl-C: one line that says what is left and how to go on, nothing half written, no process left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ihcscore.cli.app import Stopped
from ihcscore.cli.stopping import cohort_left, slides_left, stoppable

WITHIN_S = 300.0


def run_in(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "run.json").write_text("{}")


def told(out: Path, left=None, doing=lambda: None) -> str:
    with pytest.raises(Stopped) as stopped, stoppable(out, left):  # noqa: PT012
        doing()
        raise KeyboardInterrupt
    return str(stopped.value)


def test_what_is_left_is_told(tmp_path):
    out = tmp_path / "out"
    again = "nothing was written; give the same command again"
    assert told(out) == told(out, cohort_left) == told(out, slides_left) == again
    run_in(out)
    assert told(out) == f"{out} is as it was; give the same command again"
    late = told(tmp_path / "late", doing=lambda: run_in(tmp_path / "late"))
    assert late == f"{tmp_path / 'late'} was written in full before"


def test_slides_that_are_done_are_counted(tmp_path):
    out = tmp_path / "out"
    run_in(out / "S1")
    assert told(out, slides_left).startswith(f"1 slide is done in {out}, each in its folder")
    run_in(out / "P1" / "CD3")
    run_in(out / "P1" / "CD8")
    assert told(out, cohort_left) == (
        f"2 slides are done in {out}; go on with the same command and --resume (without --overwrite)"
    )


@pytest.mark.skipif(os.name != "posix", reason="needs signals to a group of processes")
@pytest.mark.parametrize("after_s", [2.0])
def test_demo_stopped_while_slides_are_drawn(tmp_path, after_s):
    """All processes get the signal, as from a terminal; the workers may be loading still, or drawing."""
    out = tmp_path / "demo"
    run = subprocess.Popen(
        [sys.executable, "-m", "ihcscore", "demo", "--out", str(out), "--workers", "2"],
        start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        # A shell starts what runs in the background, such as this suite, deaf to Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    try:
        end = time.monotonic() + WITHIN_S
        while not list(tmp_path.glob(".demo-unfinished-*/slides")):
            assert run.poll() is None
            assert time.monotonic() < end
            time.sleep(0.02)
        time.sleep(after_s)
        os.killpg(run.pid, signal.SIGINT)
        stopped_at = time.monotonic()
        shown, err = run.communicate(timeout=WITHIN_S)
    finally:
        run.kill()
    assert time.monotonic() - stopped_at < 20
    assert (run.returncode, shown) == (130, "")
    assert err == "ihcscore: stopped; nothing was written; give the same command again\n"
    assert list(tmp_path.iterdir()) == []
