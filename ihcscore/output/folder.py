"""An output folder that is either complete or untouched: staging, moving in, clearing, removing a run."""

from __future__ import annotations

import glob
import os
import re
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from ihcscore.errors import OutputError, parameter
from ihcscore.output.lock import StagingLock, lives
from ihcscore.output.record import RECORD, parse_record
from ihcscore.output.tables import UNWRITABLE

# The record of a run whose files are being removed.
_REMOVED = ".run-removed.json"
_UNFINISHED = "-unfinished-"
# Folders without a lock are of a run that has just begun, or that was killed as it did.
_YOUNG_S = 60.0


class OutputFolder:
    """Collects a run's files beside the folder and moves them in when the run has succeeded.

    Used in a ``with`` statement: write into :attr:`staging`; on leaving without an error the files
    are renamed into place, `run.json` last, so that a folder with a `run.json` is always whole. On an
    error, or if the process is killed, the folder is as it was before. What a killed run left beside and in
    the folder is cleared by the next one; a lock tells it from what a run that is still alive has there.

    Parameters
    ----------
    path : Path
    overwrite : bool
        Replace a run that the folder already holds. Only files that the earlier run wrote are
        removed; anything else in the folder stays.

    Raises
    ------
    OutputError
        If the folder holds a run or files of the same names and `overwrite` is False, or if it
        cannot be written.
    """

    def __init__(self, path: str | Path, *, overwrite: bool = False) -> None:
        self.path = Path(path)
        self._overwrite = overwrite
        self.staging = self.path  # until entered
        self._lock: StagingLock | None = None

    def check(self) -> None:
        """Refuse a folder that is a file or holds a run that must stay; nothing is written.

        Raises
        ------
        OutputError
        """
        if self.path.exists() and not self.path.is_dir():
            raise OutputError(f"{self.path}: is a file; give another {parameter('out')}")
        if (self.path / RECORD).exists() and not self._overwrite:
            raise OutputError(
                f"{self.path}: already holds a run; "
                f"give {parameter('overwrite')} or another {parameter('out')}"
            )

    def __enter__(self) -> Self:
        self.check()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            _clear_dead(self.path)
            if self.path.is_dir():
                # A read-only folder in a writable one would only be noticed at the end.
                tempfile.TemporaryFile(dir=self.path).close()
            with _interrupts_later():
                self.staging = Path(tempfile.mkdtemp(prefix=_staging_prefix(self.path), dir=self.path.parent))
                self._lock = StagingLock(self.staging)
        except OSError as error:
            raise OutputError(_cannot_write(self.path, error)) from error
        except KeyboardInterrupt:
            self._drop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                with _interrupts_later():
                    self._commit()
            elif isinstance(value, OSError):
                raise OutputError(_cannot_write(self.path, value)) from value
        finally:
            self._drop()

    def _drop(self) -> None:
        """Remove the files that wait."""
        if self._lock is not None:
            self._lock.release()
            shutil.rmtree(self.staging, ignore_errors=True)

    def new_file(self, *parts: str) -> Path:
        """Path in the staging folder for a file of this name, its folder made."""
        path = self.staging.joinpath(*parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def add_file(self, content: str | bytes, *parts: str) -> None:
        """Write a file of this name; text as UTF-8."""
        data = content.encode("utf-8", UNWRITABLE) if isinstance(content, str) else content
        self.new_file(*parts).write_bytes(data)

    def copy_files(self, source: Path, names: Iterable[str]) -> None:
        """Copy files of another folder under their relative names."""
        for name in names:
            shutil.copyfile(source / name, self.new_file(name))

    def files(self) -> list[str]:
        """Names of the files written so far, relative, with forward slashes, sorted."""
        names = (f.relative_to(self.staging).as_posix() for f in self.staging.rglob("*") if f.is_file())
        return sorted(name for name in names if name != StagingLock.NAME)

    def _commit(self) -> None:
        names = self.files()
        if not self._overwrite:
            in_the_way = [name for name in names if (self.path / name).exists()]
            if in_the_way:
                raise OutputError(
                    f"{self.path}: '{in_the_way[0]}' is in the way; "
                    f"give {parameter('overwrite')} or another {parameter('out')}"
                )
        try:
            if self._overwrite:
                _remove_finished(self.path)
            for name in sorted(names, key=lambda name: (name == RECORD, name)):
                target = self.path / name
                target.parent.mkdir(parents=True, exist_ok=True)
                os.replace(self.staging / name, target)  # noqa: PTH105
        except OSError as error:
            raise OutputError(_cannot_write(self.path, error)) from error


def clear_unfinished(folder: Path) -> None:
    """Remove what a killed run left: files waiting beside a folder, and of these what was moved in.

    Nothing is removed but what the killed run lists as its own: the folder may hold other files. The caller
    knows that no other run begins one there; what belongs to a run that is alive stays.
    """
    for left in _left_beside(folder):
        if not lives(left):
            _clear(folder, left)


def unfinished(folder: Path) -> bool:
    """Whether a run that is alive has files waiting beside a folder."""
    return any(map(lives, _left_beside(folder)))


def _clear_dead(folder: Path) -> None:
    """Remove what killed runs left beside a folder and, of folders in it, inside; not what may be alive."""
    inside = {
        folder / found[1]: left
        for left in folder.glob(f".*{_UNFINISHED}*")
        if (found := re.fullmatch(rf"\.(.+){_UNFINISHED}[^-]*", left.name))
    }
    for target, left in [*((folder, left) for left in _left_beside(folder)), *inside.items()]:
        locked = (left / StagingLock.NAME).exists()
        if not lives(left) and (locked or time.time() - left.stat().st_mtime > _YOUNG_S):
            _clear(target, left)


def _left_beside(folder: Path) -> list[Path]:
    return sorted(folder.parent.glob(f"{glob.escape(_staging_prefix(folder))}*"))


def _clear(folder: Path, left: Path) -> None:
    # Files are moved in only while the folder has no record.
    if not (folder / RECORD).exists():
        _remove_listed(folder, left / RECORD)
    shutil.rmtree(left, ignore_errors=True)


def remove_run(folder: Path) -> None:
    """Remove what a run, finished or killed, has written into a folder; other files stay.

    Killed in between, it goes on at the next call.
    """
    clear_unfinished(folder)
    _remove_finished(folder)
    with suppress(OSError):
        folder.rmdir()


def _staging_prefix(folder: Path) -> str:
    return f".{folder.name}{_UNFINISHED}"


@contextmanager
def _interrupts_later() -> Iterator[None]:
    """Hold Ctrl-C back for the moment in which files are moved in: they are whole then, or not there."""
    if threading.current_thread() is not threading.main_thread():  # which alone gets it
        yield
        return
    held: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: held.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if held:
        raise KeyboardInterrupt


def _remove_finished(folder: Path) -> None:
    """Remove a finished run's files, its record first: without it the folder holds no run.

    Until all files are gone their list is kept, under a name that is no record's.
    """
    removed = folder / _REMOVED
    _remove_listed(folder, removed)
    with suppress(FileNotFoundError):
        (folder / RECORD).replace(removed)
    _remove_listed(folder, removed)


def _remove_listed(folder: Path, record: Path) -> None:
    """Remove the files that a record lists, folders that are empty then, and the record."""
    try:
        names = parse_record(record).files
    except (OSError, ValueError):
        names = ()
    files = [folder / name for name in names]
    for file in files:
        if file.is_file() or file.is_symlink():
            file.unlink()
    for parent in {file.parent for file in files} - {folder}:
        with suppress(OSError):
            parent.rmdir()
    record.unlink(missing_ok=True)


def _cannot_write(path: Path, error: OSError) -> str:
    return f"{path}: cannot be written ({error.strerror or error}); give another {parameter('out')}"
