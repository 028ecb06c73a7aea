"""Finished parts of a long run, kept until it is whole: a run that was killed goes on from them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ihcscore.errors import OutputError, parameter
from ihcscore.output.lock import held

_KEY = "key"
_ENDING = ".part"


class KeptParts:
    """Parts by name in a hidden folder beside the output folder.

    Attributes
    ----------
    found : frozenset of str
        Names of the parts that an earlier run left.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        names = (file.name for file in folder.glob(f"*{_ENDING}"))
        self.found = frozenset(name.removesuffix(_ENDING) for name in names)

    def read(self, name: str) -> bytes:
        """A part that was kept."""
        return (self._folder / f"{name}{_ENDING}").read_bytes()

    def keep(self, name: str, content: bytes) -> None:
        """Keep a part; killed in between, there is no half one."""
        partial = self._folder / f"{name}.new"
        partial.write_bytes(content)
        os.replace(partial, self._folder / f"{name}{_ENDING}")  # noqa: PTH105


def parts_folder(out: Path) -> Path:
    """Where the parts of a run into a folder wait."""
    return out.parent / f".{out.name}-parts"


@contextmanager
def kept_parts(out: Path, *, key: str, resume: bool) -> Iterator[KeptParts]:
    """Parts of the run into a folder; they are removed when the block is left without an error.

    Parameters
    ----------
    out : Path
        The run's output folder.
    key : str
        Hash of all that the parts depend on.
    resume : bool
        Go on from parts that an earlier run left; else they are removed first.

    Raises
    ------
    OutputError
        If the parts that are there are of other work, another run works there, or nothing can be written.
    """
    folder = parts_folder(out)
    try:
        with held(folder):
            left = _key_of(folder)
            if resume and left not in ("", key):
                raise OutputError(
                    f"{out}: what an earlier run left there is of another slide, marker or setting; leave "
                    f"{parameter('resume')} out to begin anew, or give another {parameter('out')}"
                )
            if not resume or not left:
                _clear(folder)
            (folder / _KEY).write_text(key, encoding="ascii")
            yield KeptParts(folder)
    except OSError as error:
        raise OutputError(
            f"{out}: cannot be written ({error.strerror or error}); give another {parameter('out')}"
        ) from error
    shutil.rmtree(folder, ignore_errors=True)


def _key_of(folder: Path) -> str:
    try:
        return (folder / _KEY).read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        return ""


def _clear(folder: Path) -> None:
    for file in (*folder.glob(f"*{_ENDING}"), *folder.glob("*.new")):
        file.unlink()
