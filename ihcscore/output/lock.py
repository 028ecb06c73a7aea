"""Locks that tell a run that is alive from one that was killed: the system lets go of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import filelock

from ihcscore.errors import OutputError, parameter

LOCK = ".ihcscore-cohort.lock"
_STOP = ".ihcscore-cohort.stop"


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold a folder, made if need be, against other runs; the system lets go if the process dies.

    Raises
    ------
    OutputError
        If another run holds it, or it cannot be written.
    """
    lock = filelock.FileLock(folder / LOCK, blocking=False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except filelock.Timeout:
        raise OutputError(_another_works(folder)) from None
    except OSError as error:
        raise OutputError(
            f"{folder}: cannot be written ({error.strerror}); give another {parameter('out')}"
        ) from error
    try:
        yield
    finally:
        # The file stays: a run that has opened it and waits would else hold what no other can see.
        lock.release()


def refuse_held(folder: Path) -> None:
    """Refuse a folder that another run holds; nothing is written.

    Raises
    ------
    OutputError
    """
    if (folder / LOCK).exists() and _is_taken(folder / LOCK):
        raise OutputError(_another_works(folder))


def _another_works(folder: Path) -> str:
    return f"{folder}: another run works in this folder; wait or give another {parameter('out')}"


def _is_taken(file: Path) -> bool:
    """Whether a lock is held, or cannot be asked for."""
    lock = filelock.FileLock(file, blocking=False)
    try:
        lock.acquire()
    except (OSError, NotImplementedError, filelock.Timeout):
        return True
    lock.release()
    return False


class StagingLock:
    """A lock in a folder of files that wait, held for as long as the run is alive that writes them.

    Parameters
    ----------
    folder : Path
        Gets the lock's file. A file system without locks is no error: the folder is then never taken for
        that of a killed run.
    """

    NAME = ".alive"

    def __init__(self, folder: Path) -> None:
        self._lock = filelock.FileLock(folder / self.NAME, blocking=False)
        with suppress(OSError, NotImplementedError, filelock.Timeout):
            self._lock.acquire()

    def release(self) -> None:
        """Let go."""
        with suppress(OSError):
            self._lock.release()


def lives(folder: Path) -> bool:
    """Whether a folder of files that wait belongs to a run that is alive, as far as its lock tells."""
    file = folder / StagingLock.NAME
    return file.exists() and _is_taken(file)


def tell_stop(folder: Path, *, stopped: Callable[[], bool], within_s: float) -> None:
    """Tell those who work in a folder, on whatever machine, to stop, and wait a while for them.

    Parameters
    ----------
    folder : Path
    stopped : callable
        Whether all have.
    within_s : float
        Seconds after which they are left to see it by themselves.
    """
    end = time.monotonic() + within_s
    with suppress(OSError):
        (folder / _STOP).touch()
        while not stopped():
            if time.monotonic() > end:
                return
            time.sleep(0.1)
        go_on(folder)


def told_to_stop(folder: Path) -> bool:
    """Whether the run in a folder was stopped."""
    return (folder / _STOP).exists()


def go_on(folder: Path) -> None:
    """Take back that the run in a folder was stopped."""
    (folder / _STOP).unlink(missing_ok=True)
