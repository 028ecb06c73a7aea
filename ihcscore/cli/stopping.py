"""Ctrl-C: what a command that was stopped has left, and how to go on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ihcscore.cli.app import Stopped

_RECORD = "run.json"  # ihcscore.output.RECORD, which is not loaded for this


@contextmanager
def stoppable(out: Path, left: Callable[[Path], str] | None = None) -> Iterator[None]:
    """Turn Ctrl-C into one line that says what is left and how to go on.

    Parameters
    ----------
    out : Path
        The folder that the command writes, whole or not at all, or its file.
    left : callable, optional
        What the command has left in the folder, where it writes more than one run.
    """
    before = _written_at(out)
    try:
        yield
    except KeyboardInterrupt:
        raise Stopped(_left(out, before, left)) from None


def _left(out: Path, before: int | None, left: Callable[[Path], str] | None) -> str:
    if _written_at(out) not in (before, None):
        return f"{out} was written in full before"
    if left is not None and (more := left(out)):
        return more
    if before is not None:
        return f"{out} is as it was; give the same command again"
    return "nothing was written; give the same command again"


def _written_at(out: Path) -> int | None:
    """When the run in a folder, or a file, was written, ns; None where there is none."""
    file = out / _RECORD if out.is_dir() else out
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return None


def slides_left(out: Path) -> str:
    """What a run on several slides has left."""
    n = _n_runs(out, f"*/{_RECORD}")
    if not n:
        return ""
    return (
        f"{_slides(n)} in {out}, each in its folder, without joined tables; give the same command with "
        "--overwrite to score all, or the other slides with another --out"
    )


def map_left(out: Path) -> str:
    """What a map has left: the tiles that were counted."""
    n = len(list((out.parent / f".{out.name}-parts").glob("*.part")))  # ihcscore.output.parts, not loaded
    return f"{n} tiles are counted; go on with the same command and --resume" if n else ""


def cohort_left(out: Path) -> str:
    """What a cohort has left."""
    n = _n_runs(out, f"*/*/{_RECORD}")
    if not n:
        return ""
    return f"{_slides(n)} in {out}; go on with the same command and --resume (without --overwrite)"


def _n_runs(out: Path, pattern: str) -> int:
    """Runs in a folder, but for those whose files still wait in a hidden one."""
    return sum(not record.parent.name.startswith(".") for record in out.glob(pattern))


def _slides(n: int) -> str:
    return "1 slide is done" if n == 1 else f"{n} slides are done"
