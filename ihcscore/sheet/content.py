"""Files that people give, as bytes."""

from __future__ import annotations

from pathlib import Path


def read_content(path: Path, *, most_bytes: int) -> bytes:
    """The first so many bytes of a file.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    with path.open("rb") as file:
        return file.read(most_bytes)
