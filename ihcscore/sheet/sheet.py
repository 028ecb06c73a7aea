"""A table as text, its columns by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pandas as pd

from ihcscore.errors import TableError
from ihcscore.schema import Note

Cell = tuple[int, str]
"""A cell of a table: the row's number in the file, and the column's name."""


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A table as text.

    Attributes
    ----------
    name : str
        File name, without folders: what errors call it.
    rows : DataFrame
        Text, trimmed; the index is the row's number in the file as a spreadsheet counts, from 1.
    numbers, dates : frozenset of (int, str)
        Cells of an XLSX that hold a number, or a date, and not its text.
    comma_delimited : bool
        Whether commas part the cells.
    beside : str
        What else the file holds, for the message that a column lacks.
    notes : tuple of Note
        What a reader must know of how it was read.
    """

    name: str
    rows: pd.DataFrame = field(repr=False)
    numbers: frozenset[Cell] = field(default=frozenset(), repr=False)
    dates: frozenset[Cell] = field(default=frozenset(), repr=False)
    comma_delimited: bool = False
    beside: str = ""
    notes: tuple[Note, ...] = ()

    def require(self, columns: Sequence[str], *, option: str) -> None:
        """Refuse a table that lacks a column.

        Raises
        ------
        TableError
        """
        absent = [column for column in columns if column not in self.rows.columns]
        if absent:
            raise self.lacks(absent, option=option)

    def lacks(self, absent: Sequence[str], *, option: str) -> TableError:
        """The error that columns are not there."""
        there = ", ".join(map(str, self.rows.columns))
        return TableError(
            f"{self.name}: no column {', '.join(absent)} (it has {there}); {option}{self.beside}"
        )
