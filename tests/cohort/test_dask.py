"""The same cohort on a Dask cluster: a scheduler and two workers on loopback."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from drawn_cohort import SETTINGS, WORDS, Scored, stop_after_a_slide, tree
from ihcscore.cohort import schedule, score_cohort
from ihcscore.output.lock import LOCK

pytest.importorskip("distributed", reason="dask.distributed is not installed")

WITHIN_S = 300.0


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a scheduler with two workers, one of two threads, as a user would start them."""
    folder = tmp_path_factory.mktemp("cluster")
    file = folder / "scheduler.json"
    loopback = ["--host", "127.0.0.1", "--no-dashboard"]
    with (folder / "log").open("wb") as log:

        def start(*words: object) -> subprocess.Popen[bytes]:
            command = [sys.executable, "-m", "dask", *map(str, words)]
            return subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)

        started = [start("scheduler", "--port", free_port(), "--scheduler-file", file, *loopback)]
        try:
            end = time.monotonic() + WITHIN_S
            while not file.exists() or not file.read_text().strip():
                assert time.monotonic() < end, (folder / "log").read_text()
                assert started[0].poll() is None, (folder / "log").read_text()
                time.sleep(0.05)
            for n_threads in (1, 2):
                more = ["--nthreads", n_threads, "--no-nanny", "--local-directory", folder]
                started.append(start("worker", "--scheduler-file", file, *more, *loopback))
            address = json.loads(file.read_text())["address"]
            from distributed import Client

            with Client(address, timeout="60s", set_as_default=False) as client:
                client.wait_for_workers(2, timeout=WITHIN_S)
            yield address
        finally:
            # not asked to end: a worker without its scheduler would wait for it
            for process in started:
                process.kill()
                process.wait()


def test_same_bytes_on_a_cluster(scored: Scored, scheduler: str, tmp_path: Path) -> None:
    out = tmp_path / "cluster"
    result = score_cohort(scored.manifest, out=out, settings=SETTINGS, dask_scheduler=scheduler)
    assert result.errors == {}
    assert tree(out) == tree(scored.out)


def test_by_the_command_line(ihcscore_command, scheduler: str, copy: Scored) -> None:
    (copy.manifest.parent / "slides" / "broken.svs").write_bytes(b"no slide")
    copy.edit({"P1-A CD8": {"slide": "slides/broken.svs"}})
    shown = ihcscore_command(
        "cohort",
        copy.manifest,
        "--out",
        copy.out,
        "--resume",
        "--dask-scheduler",
        scheduler,
        "--keep-going",
        "--quiet",
        *WORDS,
    )
    assert shown.status == 3
    assert shown.err.startswith("ihcscore: P1-A CD8: broken.svs: not a slide")
    assert shown.err.count("\n") == 1


def test_ctrl_c_ends_what_the_workers_are_at(scored: Scored, scheduler: str, tmp_path: Path) -> None:
    out = tmp_path / "stopped"
    with pytest.raises(KeyboardInterrupt):
        score_cohort(
            scored.manifest, out=out, settings=SETTINGS, dask_scheduler=scheduler, progress=stop_after_a_slide
        )
    # the workers, in processes that no signal reaches, have seen it by themselves, or just do
    end = time.monotonic() + WITHIN_S
    while [path for path in out.rglob(".*") if path.name != LOCK]:
        assert time.monotonic() < end
        time.sleep(0.05)
    assert not (out / "run.json").exists()
    result = score_cohort(scored.manifest, out=out, settings=SETTINGS, dask_scheduler=scheduler, resume=True)
    assert result.n_done_before >= 1
    assert tree(out) == tree(scored.out)


def test_threads_of_all_workers_count(scheduler: str) -> None:
    _, n = schedule.cluster(scheduler)
    assert n == 3
