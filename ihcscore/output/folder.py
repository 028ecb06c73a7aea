"""An output folder that is either complete or untouched."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from ihcscore.errors import OutputError, parameter

RECORD = "run.json"


class OutputFolder:
    """Collects a run's files beside the folder and moves them in when the run has succeeded.

    Used in a ``with`` statement: write into :attr:`staging`; on leaving without an error the files
    are renamed into place, `run.json` last, so that a folder with a `run.json` is always whole. On an
    error, or if the process is killed, the folder is as it was before.

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

    def __enter__(self) -> Self:
        if self.path.exists() and not self.path.is_dir():
            raise OutputError(f"{self.path}: is a file; give another {parameter('out')}")
        if (self.path / RECORD).exists() and not self._overwrite:
            raise OutputError(
                f"{self.path}: already holds a run; "
                f"give {parameter('overwrite')} or another {parameter('out')}"
            )
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if self.path.is_dir():
                # A read-only folder in a writable one would only be noticed at the end.
                tempfile.TemporaryFile(dir=self.path).close()
            self.staging = Path(
                tempfile.mkdtemp(prefix=f".{self.path.name}-unfinished-", dir=self.path.parent)
            )
        except OSError as error:
            raise OutputError(_cannot_write(self.path, error)) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._commit()
            elif isinstance(value, OSError):
                raise OutputError(_cannot_write(self.path, value)) from value
        finally:
            shutil.rmtree(self.staging, ignore_errors=True)

    def new_file(self, *parts: str) -> Path:
        """Path in the staging folder for a file of this name, its folder made."""
        path = self.staging.joinpath(*parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def files(self) -> list[str]:
        """Names of the files written so far, relative, with forward slashes, sorted."""
        return sorted(f.relative_to(self.staging).as_posix() for f in self.staging.rglob("*") if f.is_file())

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
            self._remove_earlier_run()
            for name in sorted(names, key=lambda name: (name == RECORD, name)):
                target = self.path / name
                target.parent.mkdir(parents=True, exist_ok=True)
                os.replace(self.staging / name, target)  # noqa: PTH105
        except OSError as error:
            raise OutputError(_cannot_write(self.path, error)) from error

    def _remove_earlier_run(self) -> None:
        """Remove the files that the earlier run's record lists, the record first."""
        record = self.path / RECORD
        if not record.exists():
            return
        try:
            listed = json.loads(record.read_text(encoding="utf-8"))["files"]
            names = [name for name in listed if isinstance(name, str) and ".." not in Path(name).parts]
        except (ValueError, KeyError, TypeError):
            names = []
        record.unlink()
        for name in names:
            if not Path(name).is_absolute():
                (self.path / name).unlink(missing_ok=True)


def _cannot_write(path: Path, error: OSError) -> str:
    return f"{path}: cannot be written ({error.strerror or error}); give another {parameter('out')}"
