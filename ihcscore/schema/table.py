"""What a table is: one that is written, and one that a person gives."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from enum import StrEnum


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a table: its name (with the unit in it), type and meaning."""

    name: str
    dtype: str
    meaning: str


@dataclass(frozen=True, kw_only=True)
class Table:
    """A tidy table: one row a thing, its columns in the order in which they are written."""

    name: str
    row: str
    columns: tuple[Column, ...] = field(repr=False)

    @property
    def names(self) -> list[str]:
        """Names of the columns, in order."""
        return [column.name for column in self.columns]


def columns(text: str) -> tuple[Column, ...]:
    """Columns from lines of ``name | dtype | meaning``."""
    lines = [line.split("|") for line in text.strip().splitlines()]
    return tuple(Column(name=n.strip(), dtype=d.strip(), meaning=m.strip()) for n, d, m in lines)


class Kind(StrEnum):
    """How the cells of a column that a person gives are read.

    A name is one in any spelling that readers take for the same (capitals, blanks, dashes, tumour or tumor);
    an id never is.
    """

    TEXT = "text"
    NAME = "name"
    ID = "id"
    NUMBER = "number"
    WHOLE = "whole number"
    YES_NO = "yes or no"
    DATE = "date"
    CHOICE = "choice"


class Need(StrEnum):
    """Whether a column, and every cell of it, must be there."""

    FILLED = "yes"
    COLUMN = "yes; cells may be empty"
    FILLED_IF_THERE = "no; if it is there, every cell"
    NO = "no"

    @property
    def of_column(self) -> bool:
        """Whether the column must be there."""
        return self in (Need.FILLED, Need.COLUMN)

    @property
    def of_cells(self) -> bool:
        """Whether no cell of the column may be empty."""
        return self in (Need.FILLED, Need.FILLED_IF_THERE)


@dataclass(frozen=True, kw_only=True)
class Range:
    """The numbers from a lowest to a highest.

    Attributes
    ----------
    low, high : float
        Both belong to it, unless `open_low`.
    open_low : bool
        Whether the lowest itself is left out.
    """

    low: float = -math.inf
    high: float = math.inf
    open_low: bool = False

    def __contains__(self, value: float) -> bool:
        return (self.low < value or (self.low == value and not self.open_low)) and value <= self.high

    def __str__(self) -> str:
        if math.isinf(self.low):
            return "any" if math.isinf(self.high) else f"{_plain(self.high)} or less"
        if math.isinf(self.high):
            return f"above {_plain(self.low)}" if self.open_low else f"{_plain(self.low)} or more"
        return f"{'above ' if self.open_low else ''}{_plain(self.low)} to {_plain(self.high)}"


def _plain(number: float) -> str:
    """A number with all its digits, without an exponent up to 12 of them."""
    return f"{number:.12g}"


@dataclass(frozen=True, kw_only=True)
class InputColumn:
    """One column of a table that a person gives.

    Attributes
    ----------
    name : str
        What the program calls it.
    aliases : tuple of str
        Names by which it is found where `name` is not there, first come first.
    meant : tuple of str
        Other words for it, in small letters: a column of such a name is pointed at, never taken.
    kind : Kind
    unit : str
        Unit of a number, empty where it has none.
    range : Range
        Numbers outside are refused.
    plausible : Range
        Numbers outside are told.
    choices : tuple of str
        What a cell of a choice may say, in any case; of a name, how known ones are spelled.
    none : tuple of str
        What else an empty cell of a choice may say.
    need : Need
    meaning : str
    """

    name: str
    aliases: tuple[str, ...] = ()
    meant: tuple[str, ...] = ()
    kind: Kind = Kind.TEXT
    unit: str = ""
    range: Range = Range()
    plausible: Range = Range()
    choices: tuple[str, ...] = ()
    none: tuple[str, ...] = ()
    need: Need = Need.NO
    meaning: str

    @property
    def is_number(self) -> bool:
        """Whether its cells are numbers, whole or not."""
        return self.kind in (Kind.NUMBER, Kind.WHOLE)

    @property
    def believable(self) -> Range:
        """Numbers that it can hold in earnest: the plausible ones, else all that it may."""
        return self.plausible if self.plausible != Range() else self.range


@dataclass(frozen=True, kw_only=True)
class InputTable:
    """A table that a person gives.

    Attributes
    ----------
    name : str
    command : str
        The command that reads it.
    row : str
        What a row is.
    columns : tuple of InputColumn
    asked : InputColumn or None
        A column whose name is asked for, under the name that it has where nothing is said (empty: none).
    keys : tuple of str
        Columns that name the thing of a row; where there are some, a row that repeats another in full
        counts once.
    remedy : str
        What to do about a column that lacks.
    passed_over : frozenset of str
        Columns that the program itself writes to such a table and does not read back.
    """

    name: str
    command: str
    row: str
    columns: tuple[InputColumn, ...] = field(repr=False)
    asked: InputColumn | None = field(default=None, repr=False)
    keys: tuple[str, ...] = ()
    remedy: str
    passed_over: frozenset[str] = field(default=frozenset(), repr=False)

    @property
    def names(self) -> list[str]:
        """Names of the columns, in order."""
        return [column.name for column in self.columns]

    def with_columns(self, *added: InputColumn) -> InputTable:
        """The table with more columns; one of the same name gives way."""
        by_name = {column.name: column for column in (*self.columns, *added)}
        return replace(self, columns=tuple(by_name.values()))

    def asking(self, *names: str) -> InputTable:
        """The table with the columns that are asked for.

        Raises
        ------
        ValueError
            If nothing can be asked of the table.
        """
        if self.asked is None:
            raise ValueError(f"{self.name} has no column to ask for")
        asked = self.asked
        return self.with_columns(*(replace(asked, name=name) for name in names))
