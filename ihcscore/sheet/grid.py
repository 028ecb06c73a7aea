"""What a file of a table holds before its columns have names."""

from __future__ import annotations

from dataclasses import dataclass, field

from ihcscore.schema import Note

Place = tuple[int, int]
"""A cell of a grid: row and column, both from 0."""


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Cells as text, before a row of names is found.

    Attributes
    ----------
    name : str
        File name, without folders.
    rows : list of list of str
        All rows have the same length; the first is row 1 of a spreadsheet.
    numbers, dates : frozenset of (int, int)
        Cells of a workbook that hold a number, or a date, and not its text.
    hidden_rows, hidden_columns : frozenset of int
        What a workbook does not show, from 0.
    delimiter : str
        What parts the cells of a CSV; empty for a workbook.
    beside : str
        What else the workbook holds, for the message that a column lacks.
    notes : tuple of Note
    """

    name: str
    rows: list[list[str]] = field(repr=False)
    numbers: frozenset[Place] = field(default=frozenset(), repr=False)
    dates: frozenset[Place] = field(default=frozenset(), repr=False)
    hidden_rows: frozenset[int] = frozenset()
    hidden_columns: frozenset[int] = frozenset()
    delimiter: str = ""
    beside: str = ""
    notes: tuple[Note, ...] = ()
