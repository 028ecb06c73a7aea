"""A folder that one run at a time works in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock

from ihcscore.errors import OutputError, parameter

LOCK = ".ihcscore-cohort.lock"


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
        raise OutputError(
            f"{folder}: another run works in this folder; wait or give another {parameter('out')}"
        ) from None
    except OSError as error:
        raise OutputError(
            f"{folder}: cannot be written ({error.strerror}); give another {parameter('out')}"
        ) from error
    try:
        yield
    finally:
        # The file stays: a run that has opened it and waits would else hold what no other can see.
        lock.release()
