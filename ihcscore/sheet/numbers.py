"""Numbers as people and programs write them, and which sign is which in a file.

``6.962`` is seven where points are decimal, and six thousand where they part thousands. A column says which
by its other cells (``0.962``, ``6.9``, ``6.962,5``), a file by its other columns; where neither does, the
number is refused.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from enum import StrEnum

import pandas as pd

from ihcscore.errors import TableError
from ihcscore.schema import Note, NoteKind, Range

# What parts thousands whatever the decimal sign (ISO 80000-1, 7.3.1: a small space): blanks of all kinds and
# the apostrophe of Switzerland.
_PARTS = " \u00a0\u2007\u2008\u2009\u200a\u202f'’"
_MINUS = re.compile("^[−–](?=[\\d.,])")


class Decimal(StrEnum):
    """The decimal sign of a column; the other of the two may part thousands."""

    POINT = "."
    COMMA = ","

    @property
    def other(self) -> Decimal:
        """The sign that may part thousands."""
        return Decimal.COMMA if self is Decimal.POINT else Decimal.POINT


def _pattern(decimal: Decimal) -> re.Pattern[str]:
    return re.compile(
        rf"(?P<sign>[+-]?)(?:(?P<first>[1-9]\d{{0,2}})(?P<mark>[{decimal.other}{_PARTS}])"
        rf"(?P<rest>\d{{3}}(?:(?P=mark)\d{{3}})*)|(?P<whole>\d*))"
        rf"(?:[{decimal}](?P<part>\d*))?(?P<exponent>[eE][+-]?\d+)?",
        re.ASCII,
    )


_PATTERNS = {decimal: _pattern(decimal) for decimal in Decimal}


@dataclass(frozen=True, kw_only=True)
class Written:
    """A column of numbers as it is written.

    Attributes
    ----------
    name : str
    text : Series of str
        The cells that are not missing and hold text.
    typed : bool
        Whether other cells of the column are a workbook's own numbers.
    read : dict of Decimal to Series of float
        The cells read with each decimal sign; NaN where they cannot be.
    """

    name: str
    text: pd.Series[str] = field(repr=False)
    typed: bool
    read: dict[Decimal, pd.Series[float]] = field(repr=False)

    @property
    def possible(self) -> list[Decimal]:
        """The signs with which every cell is a number."""
        return [decimal for decimal in Decimal if self.read[decimal].notna().all()]

    @property
    def ambiguous(self) -> pd.Series[str]:
        """The cells that are different numbers with one sign and the other."""
        point, comma = self.read[Decimal.POINT], self.read[Decimal.COMMA]
        return self.text[point.notna() & comma.notna() & (point != comma)]


def written(name: str, text: pd.Series[str], typed: Collection[int]) -> Written:
    """A column with both ways to read it.

    Parameters
    ----------
    name : str
    text : Series of str
        Without the cells that are missing.
    typed : collection of int
        Rows that hold a workbook's own number, which is no matter of signs.
    """
    own = text[~text.index.isin(list(typed))]
    read = {
        decimal: pd.Series([_value(cell, decimal) for cell in own], index=own.index, dtype=float)
        for decimal in Decimal
    }
    return Written(name=name, text=own, typed=len(own) < len(text), read=read)


def _value(cell: str, decimal: Decimal) -> float:
    found = _PATTERNS[decimal].fullmatch(_MINUS.sub("-", cell))
    if found is None:
        return math.nan
    whole, part = found["whole"] or "", found["part"] or ""
    if found["mark"]:
        if found["exponent"]:
            return math.nan
        whole = found["first"] + found["rest"].replace(found["mark"], "")
    if not (whole or part):
        return math.nan
    value = float(f"{found['sign']}{whole}.{part}{found['exponent'] or ''}")
    return value if math.isfinite(value) else math.nan


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The decimal sign of a column, and what decided on it where its own cells did not.

    Attributes
    ----------
    decimal : Decimal
    by : str
        Column of the file that decided; empty: its own cells, or there was nothing to decide.
    """

    decimal: Decimal
    by: str = ""


def decide(
    name: str,
    column: Written,
    others: Collection[Written],
    *,
    plausible: Range,
    comma_delimited: bool,
) -> Choice:
    """The decimal sign of a column.

    Parameters
    ----------
    name : str
        File name.
    column : Written
        Each of its cells is a number with one sign at least.
    others : collection of Written
        The file's other columns of numbers.
    plausible : Range
        Numbers that the column can hold in earnest.
    comma_delimited : bool

    Raises
    ------
    TableError
        If no sign fits all cells, or both do and nothing decides.
    """
    possible, ambiguous = column.possible, column.ambiguous
    if not possible:
        raise _both_signs(name, column)
    if len(possible) == 1 or ambiguous.empty:
        return Choice(decimal=possible[0])
    elsewhere = {one.possible[0]: one.name for one in others if len(one.possible) == 1}
    if len(elsewhere) == 1:
        ((decimal, by),) = elsewhere.items()
        return Choice(decimal=decimal, by=by)
    points = ambiguous.str.contains(".", regex=False)
    all_have_three = points.all() and len(ambiguous) == len(column.text) and not column.typed
    thousands = column.read[Decimal.COMMA][ambiguous.index]
    if all_have_three and (comma_delimited or not any(value in plausible for value in thousands)):
        return Choice(decimal=Decimal.POINT)
    raise _undecided(name, column, ambiguous)


def _both_signs(name: str, column: Written) -> TableError:
    point, comma = (column.read[decimal] for decimal in Decimal)
    with_comma, with_point = (
        f"(row {one.index[0]}: {one.iloc[0]})"
        for one in (column.text[point.isna()], column.text[comma.isna()])
    )
    return TableError(
        f"{name}: {column.name} has decimal commas {with_comma} and points {with_point}; write one of them"
    )


def _undecided(name: str, column: Written, ambiguous: pd.Series[str]) -> TableError:
    row, cell = ambiguous.index[0], ambiguous.iloc[0]
    sign = "point" if "." in cell else "comma"
    point, comma = (column.read[decimal][row] for decimal in Decimal)
    small, large = sorted((point, comma), key=abs)
    return TableError(
        f"{name}, row {row}: {column.name} is '{cell}'; a {sign} before three digits may part thousands or "
        f"decimals; write {large:.0f}, or {small:.4f}"
    )


def about_signs(name: str, columns: Collection[tuple[Written, Choice]]) -> list[Note]:
    """How numbers were read that are not written plainly: decimal commas, thousands, and by what column."""
    told = []
    commas = {
        column.name: int(_with_decimal_comma(column).sum())
        for column, choice in columns
        if choice.decimal is Decimal.COMMA
    }
    held = [column for column, n in commas.items() if n]
    if held:
        n = sum(commas.values())
        told.append(f"{n} decimal commas in {', '.join(held)} were read as decimal points")
    for column, choice in columns:
        told += _about_column(column, choice)
    return [Note(kind=NoteKind.TABLE, text=f"{name}: {text}") for text in told]


def _about_column(column: Written, choice: Choice) -> list[str]:
    values = column.read[choice.decimal]
    parted = column.text[[_parts_thousands(cell, choice.decimal) for cell in column.text]]
    decided = f", as the decimal sign of {choice.by} says" if choice.by else ""
    for cells, what in ((parted, "have parted thousands"), (column.ambiguous, "could be read in two ways")):
        if len(cells) and (choice.by or cells is parted):
            row, cell = cells.index[0], cells.iloc[0]
            return [
                f"{len(cells)} numbers of {column.name} {what}: '{cell}' was read as "
                f"{values[row]:.12g}{decided}"
            ]
    return []


def _parts_thousands(cell: str, decimal: Decimal) -> bool:
    found = _PATTERNS[decimal].fullmatch(_MINUS.sub("-", cell))
    return found is not None and bool(found["mark"])


def _with_decimal_comma(column: Written) -> pd.Series[bool]:
    return column.text.str.contains(",", regex=False).astype(bool)
