"""What the command line asks of a review, each in one call."""

from __future__ import annotations

from pathlib import Path

from ihcscore import output
from ihcscore.errors import IhcscoreError
from ihcscore.review.folder import read_reviewed
from ihcscore.review.qupath import Imported, import_qupath
from ihcscore.review.store import Store, broken_at


def verify_review(folder: Path) -> str:
    """What is to be said of a trail that is whole.

    Raises
    ------
    IhcscoreError
        If it is not whole, or there is none.
    """
    with Store(folder) as store:
        rows = store.rows()
    if broken := broken_at(rows):
        raise IhcscoreError(f"{folder}: the trail is not whole: {broken}")
    last = f", last hash {rows[-1].hash}" if rows else ""
    return f"The trail is whole: {len(rows)} acts{last}"


def import_review(folder: Path, file: Path, *, reviewer: str) -> Imported:
    """Add to a run's trail what a reader did in QuPath.

    Raises
    ------
    IhcscoreError
        If run, file or trail cannot be used; nothing is added then.
    """
    if not reviewer.strip():
        raise IhcscoreError("the reviewer's name is empty; give who reviewed")
    run = read_reviewed(folder)
    text = output.text_of(file)
    with Store(folder, create=True) as store:
        found = import_qupath(run, store.rows(), text, name=file.name, reader=reviewer.strip())
        for act in found.acts:
            store.append(act)
    return found
