"""The trail of a review: one SQLite file beside a run, to which rows are only ever added."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from ihcscore.errors import IhcscoreError, OutputError
from ihcscore.review.acts import BEGINNING, Act, Row, hash_of
from ihcscore.schema import CORRECTIONS, ReviewAct

if TYPE_CHECKING:
    import pandas as pd

STORE = "review.sqlite"
"""In a run's folder."""

_WAIT_S = 30.0
_TYPES = {"int": "INTEGER", "float": "REAL", "str": "TEXT"}
_OF_ROW = ("row", "previous", "hash")
_MAY_BE_NONE = {"x_px", "y_px", "diameter_um"}


def _schema() -> str:
    columns = []
    for column in CORRECTIONS.columns:
        rule = "" if column.name in _MAY_BE_NONE else " NOT NULL"
        rule += {"row": " PRIMARY KEY", "act_id": " UNIQUE"}.get(column.name, "")
        columns.append(f'"{column.name}" {_TYPES[column.dtype]}{rule}')
    return f"""
    BEGIN IMMEDIATE;
    CREATE TABLE IF NOT EXISTS acts ({", ".join(columns)}) STRICT;
    CREATE TRIGGER IF NOT EXISTS acts_stay BEFORE DELETE ON acts
        BEGIN SELECT RAISE(ABORT, 'the trail only grows'); END;
    CREATE TRIGGER IF NOT EXISTS acts_are_as_they_were BEFORE UPDATE ON acts
        BEGIN SELECT RAISE(ABORT, 'the trail only grows'); END;
    CREATE TRIGGER IF NOT EXISTS acts_follow BEFORE INSERT ON acts
        WHEN NEW."row" != (SELECT ifnull(max("row"), 0) + 1 FROM acts)
        BEGIN SELECT RAISE(ABORT, 'the trail only grows at its end'); END;
    COMMIT;
    """


class Store:
    """The trail of one run's folder; used in a ``with`` statement.

    Each act is a transaction of its own and is on the disk when :meth:`append` returns. Several processes
    may write: one waits for the other.

    Parameters
    ----------
    folder : Path
        Of the run.
    create : bool
        Whether to begin a trail where there is none.

    Raises
    ------
    IhcscoreError
        If there is none, or it cannot be opened.
    """

    def __init__(self, folder: Path, *, create: bool = False) -> None:
        self.path = folder / STORE
        if not create and not self.path.exists():
            raise IhcscoreError(f"{self.path}: no such file; nobody has reviewed this run")
        with self._told():
            self._db = sqlite3.connect(self.path, timeout=_WAIT_S, isolation_level=None)
            try:
                self._db.execute("PRAGMA journal_mode=WAL")
                self._db.execute("PRAGMA synchronous=FULL")
                self._db.executescript(_schema())
            except sqlite3.Error:
                self._db.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise OutputError(
                f"{self.path}: cannot be used as the trail of a review ({error}); "
                "check the folder, or put back a copy of the file"
            ) from error

    def append(self, act: Act) -> Row:
        """Add an act at the end of the trail, in one transaction.

        An act that is there already, sent again by someone who saw no answer, is not doubled.

        Raises
        ------
        OutputError
            If the file cannot be written.
        ValueError
            If another act has its id, or it takes back one that is not the reader's or not there.
        """
        with self._told():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                row = self._appended(act)
                self._db.execute("COMMIT")
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
        return row

    def _appended(self, act: Act) -> Row:
        if (there := self._find(act.act_id)) is not None:
            if there.act != act:
                raise ValueError(f"act_id {act.act_id} is another act's")
            return there
        if act.undoes:
            undone = self._find(act.undoes)
            if undone is None or (undone.act.reader, undone.act.run_key) != (act.reader, act.run_key):
                raise ValueError(f"undoes {act.undoes}, which is no act of {act.reader} on this run")
        last = self._rows('ORDER BY "row" DESC LIMIT 1')
        number, previous = (last[0].row + 1, last[0].hash) if last else (1, BEGINNING)
        row = Row.after(act, row=number, previous=previous)
        values = {**act.as_row(), "row": number, "previous": previous, "hash": row.hash}
        marks = ", ".join("?" * len(CORRECTIONS.names))
        self._db.execute(
            f"INSERT INTO acts VALUES ({marks})",
            [values[name] for name in CORRECTIONS.names],
        )
        return row

    def _find(self, act_id: str) -> Row | None:
        found = self._rows("WHERE act_id = ?", (act_id,))
        return found[0] if found else None

    def _rows(self, rest: str, given: Sequence[str] = ()) -> list[Row]:
        names = ", ".join(f'"{name}"' for name in CORRECTIONS.names)
        rows = self._db.execute(f"SELECT {names} FROM acts {rest}", given)
        return [_row(dict(zip(CORRECTIONS.names, values, strict=True))) for values in rows]

    def rows(self) -> list[Row]:
        """The whole trail, in its order."""
        with self._told():
            return self._rows('ORDER BY "row"')


def _row(values: dict[str, object]) -> Row:
    own = {name: values.pop(name) for name in _OF_ROW}
    act = Act(**{**values, "act": ReviewAct(str(values["act"]))})  # type: ignore[arg-type]
    return Row(act=act, **own)  # type: ignore[arg-type]


def broken_at(rows: Sequence[Row]) -> str:
    """Where a trail is not whole, in a sentence without full stop; empty where it is."""
    previous = BEGINNING
    for number, row in enumerate(rows, 1):
        if row.row != number:
            return f"row {number} is missing"
        if row.previous != previous:
            return f"row {number} does not follow the row before it"
        if row.hash != hash_of(row.act, row=number, previous=previous):
            return f"row {number} was altered after it was written"
        previous = row.hash
    return ""


def corrections(rows: Sequence[Row]) -> pd.DataFrame:
    """The trail as a table."""
    import pandas as pd

    said = [{**one.act.as_row(), "row": one.row, "previous": one.previous, "hash": one.hash} for one in rows]
    return pd.DataFrame(said, columns=CORRECTIONS.names)
