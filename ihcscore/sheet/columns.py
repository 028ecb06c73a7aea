"""The one checker of tables that a person gives: text to ids, numbers, days, yes and no."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from ihcscore.errors import TableError
from ihcscore.schema import InputColumn, InputTable, Kind, Note, NoteKind, Range
from ihcscore.sheet.read import Sheet

MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "-", "–"})
"""How an empty number, day or choice is written, in small letters. Text is taken as it stands."""

YES = frozenset({"yes", "y", "true", "1", "x", "ja", "j"})
NO = frozenset({"no", "n", "false", "0", "nein", ""})
"""How yes and no are written, in small letters."""

_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
_THREE_DIGITS = re.compile(r"[+-]?\d{1,3},\d{3}")
_DAY = "%Y-%m-%d"
_ROWS_SHOWN = 5
_LIKE = 0.8  # share of letters that two names have in common, as difflib counts it


@dataclass(frozen=True, kw_only=True)
class UnreadColumn:
    """A column that nobody reads.

    Attributes
    ----------
    name : str
    like : str or None
        The column that it may be meant for, if one of those that lack is spelled nearly so.
    """

    name: str
    like: str | None


@dataclass(frozen=True, kw_only=True)
class CheckedTable:
    """A table that holds what it should.

    Attributes
    ----------
    name : str
        File name, without folders.
    rows : DataFrame
        Every column of the declaration by its own name: ids, texts and choices as str, numbers as float
        with NaN, yes or no as bool, days as Timestamp with NaT. A column that the file lacks is empty.
        The index is the row's number in the file, the header being 1.
    given : frozenset of str
        Columns that the file has.
    notes : list of Note
        What a reader must know.
    unread : list of UnreadColumn
    """

    name: str
    rows: pd.DataFrame = field(repr=False)
    given: frozenset[str]
    notes: list[Note]
    unread: list[UnreadColumn]

    def require_number(self, column: str, *, remedy: str) -> None:
        """Refuse a column without any number.

        Raises
        ------
        TableError
        """
        if not self.rows[column].notna().any():
            raise TableError(f"{self.name}: {column} has no number; {remedy}")


def check_table(sheet: Sheet, table: InputTable) -> CheckedTable:
    """Read the columns of a table as its declaration says.

    Parameters
    ----------
    sheet : Sheet
    table : InputTable

    Returns
    -------
    CheckedTable

    Raises
    ------
    TableError
        If a column is missing, a cell is empty that must not be, or one does not say what it should.
    """
    found = {column.name: _found(sheet, column) for column in table.columns}
    lacking = [one.name for one in table.columns if one.need.of_column and found[one.name] is None]
    sheet.require(lacking, option=table.remedy)
    unread = _unread(sheet, table, found)
    notes = _ids_as_numbers(sheet, table, found)
    if table.keys:
        sheet, more = _without_repeats(sheet)
        notes += more
    texts = {
        column: sheet.rows[title].rename(column.name)
        for column in table.columns
        if (title := found[column.name]) is not None
    }
    for column, text in texts.items():
        if column.need.of_cells:
            refuse_empty(sheet.name, text)
    notes += _decimal_commas(sheet.name, (text for column, text in texts.items() if column.is_number))
    rows = pd.DataFrame(index=sheet.rows.index)
    for column in table.columns:
        text = texts.get(column, pd.Series("", index=rows.index, name=column.name, dtype=object))
        rows[column.name] = _read(sheet.name, column, text)
        notes += _implausible(sheet.name, column, rows[column.name])
    given = frozenset(column.name for column in texts)
    return CheckedTable(name=sheet.name, rows=rows, given=given, notes=notes, unread=unread)


def place(name: str, rows: Iterable[object]) -> str:
    """Where something stands in a table: ``scores.csv, row 2`` or ``scores.csv, rows 2, 3 and 5``."""
    numbers = [str(row) for row in rows]
    if len(numbers) == 1:
        return f"{name}, row {numbers[0]}"
    if len(numbers) > _ROWS_SHOWN:
        numbers = [*numbers[:_ROWS_SHOWN], f"{len(numbers) - _ROWS_SHOWN} more"]
    return f"{name}, rows {', '.join(numbers[:-1])} and {numbers[-1]}"


def refuse_empty(name: str, text: pd.Series[str]) -> None:
    """Refuse an empty cell of a column of text.

    Raises
    ------
    TableError
    """
    empty = text.index[text == ""]
    if len(empty):
        raise TableError(f"{place(name, empty[:1])}: {text.name} is empty; give one")


def first_double(rows: pd.DataFrame, keys: Iterable[str]) -> pd.DataFrame:
    """The rows that have the same key as the first row that shares its key; none where no row does."""
    columns = list(keys)
    twice = rows[rows.duplicated(columns, keep=False)]
    return twice[(twice[columns] == twice[columns].iloc[0]).all(axis=1)] if len(twice) else twice


def _found(sheet: Sheet, column: InputColumn) -> str | None:
    """The column's name in the file: its own, else the first alias that is there."""
    return next((name for name in (column.name, *column.aliases) if name in sheet.rows.columns), None)


def _unread(sheet: Sheet, table: InputTable, found: dict[str, str | None]) -> list[UnreadColumn]:
    """Columns that nobody reads, each with the one that lacks whose name is nearly the same."""
    left = [str(name) for name in sheet.rows.columns if name not in {*found.values(), *table.passed_over}]
    absent = {
        _bare(name): column.name
        for column in table.columns
        if found[column.name] is None
        for name in (column.name, *column.aliases)
    }
    like = [difflib.get_close_matches(_bare(name), absent, n=1, cutoff=_LIKE) for name in left]
    return [
        UnreadColumn(name=name, like=absent[near[0]] if near else None)
        for name, near in zip(left, like, strict=True)
    ]


def _bare(name: str) -> str:
    return "".join(filter(str.isalnum, name.casefold()))


def _ids_as_numbers(sheet: Sheet, table: InputTable, found: dict[str, str | None]) -> list[Note]:
    return [
        Note(
            kind=NoteKind.TABLE,
            text=f"{sheet.name}: {column.name} holds numbers, not text: a leading zero is lost there",
        )
        for column in table.columns
        if column.kind is Kind.ID and found[column.name] in sheet.number_columns
    ]


def _without_repeats(sheet: Sheet) -> tuple[Sheet, list[Note]]:
    """Rows that say the same in every column, once."""
    again = sheet.rows.duplicated()
    if not again.any():
        return sheet, []
    rows = sheet.rows.index[again]
    where = ", ".join(map(str, rows[:_ROWS_SHOWN]))
    text = f"{sheet.name}: {len(rows)} rows repeat another in full and count once (row {where})"
    return replace(sheet, rows=sheet.rows[~again]), [Note(kind=NoteKind.REPEATED, text=text)]


def _decimal_commas(name: str, columns: Iterable[pd.Series[str]]) -> list[Note]:
    """That decimal commas are read as points, once for all columns."""
    n = {str(text.name): int(_with_comma(text).sum()) for text in columns}
    held = [column for column, count in n.items() if count]
    if not held:
        return []
    text = f"{name}: {sum(n.values())} decimal commas in {', '.join(held)} were read as decimal points"
    return [Note(kind=NoteKind.TABLE, text=text)]


def _with_comma(text: pd.Series[str]) -> pd.Series[bool]:
    return text.str.contains(",", regex=False).astype(bool)


def _read(name: str, column: InputColumn, text: pd.Series[str]) -> pd.Series:
    """A column of text as what it says."""
    if column.is_number:
        return _numbers(name, column, text)
    if column.kind is Kind.YES_NO:
        return _yes_or_no(name, text)
    if column.kind is Kind.DATE:
        return _days(name, text)
    if column.kind is Kind.CHOICE:
        return _choices(name, column, text)
    return text


def _numbers(name: str, column: InputColumn, text: pd.Series[str]) -> pd.Series[float]:
    plain = text.where(~_is_missing(text), "")
    if _with_comma(plain).any():
        _check_commas(name, plain)
        plain = plain.str.replace(",", ".", regex=False)
    values = pd.to_numeric(plain.where(plain != "", "nan"), errors="coerce").astype(float)
    wrong = (plain != "") & ~np.isfinite(values)
    if wrong.any():
        _refuse(name, text[wrong], "a number", then="; write numbers without units")
    outside = _outside(values, column.range)
    if len(outside):
        _refuse_value(name, outside, str(column.range))
    if column.kind is Kind.WHOLE:
        broken = values[values.notna() & (values != values.round())]
        if len(broken):
            _refuse_value(name, broken, "a whole number")
    return values


def _outside(values: pd.Series[float], expected: Range) -> pd.Series[float]:
    return values[[bool(np.isfinite(value)) and value not in expected for value in values]]


def _check_commas(name: str, text: pd.Series[str]) -> None:
    """Refuse commas that may not be decimal ones."""
    commas = text[_with_comma(text)]
    odd = commas[~commas.str.fullmatch(_DECIMAL_COMMA)]
    if len(odd):
        _refuse(name, odd, "a number")
    points = text[text.str.contains(".", regex=False)]
    if len(points):
        raise TableError(
            f"{name}: {text.name} has decimal commas (row {commas.index[0]}: {commas.iloc[0]}) and "
            f"points (row {points.index[0]}: {points.iloc[0]}); write one of them"
        )
    if commas.str.fullmatch(_THREE_DIGITS).all():
        raise TableError(
            f"{place(name, commas.index[:1])}: {text.name} is '{commas.iloc[0]}'; a comma before three "
            "digits may part thousands or decimals; write a decimal point"
        )


def _yes_or_no(name: str, text: pd.Series[str]) -> pd.Series[bool]:
    said = text.str.lower()
    wrong = ~said.isin(YES | NO)
    if wrong.any():
        _refuse(name, text[wrong], "yes or no")
    return said.isin(YES)


def _days(name: str, text: pd.Series[str]) -> pd.Series[pd.Timestamp]:
    """Days written 2020-01-31; any other way is refused: 03/04/2020 is two days."""
    filled = text[~_is_missing(text)]
    days = pd.to_datetime(filled, format=_DAY, errors="coerce")
    if days.isna().any():
        _refuse(name, filled[days.isna()], "a date as 2020-01-31")
    return days.reindex(text.index)


def _choices(name: str, column: InputColumn, text: pd.Series[str]) -> pd.Series[str]:
    known = {choice.casefold(): choice for choice in column.choices}
    nothing = MISSING | {word.casefold() for word in column.none}
    said = text.str.casefold()
    wrong = ~said.isin({*known, *nothing})
    if wrong.any():
        _refuse(name, text[wrong], f"{', '.join(column.choices)} or nothing")
    return said.map(known).fillna("").astype(object)


def _implausible(name: str, column: InputColumn, values: pd.Series) -> list[Note]:
    if column.plausible == Range():
        return []
    odd = _outside(values, column.plausible)
    if odd.empty:
        return []
    text = (
        f"{place(name, odd.index[:1])}: {column.name} is {odd.iloc[0]:g}, expected {column.plausible}: "
        "mixed units?"
    )
    return [Note(kind=NoteKind.TABLE, text=text)]


def _is_missing(text: pd.Series[str]) -> pd.Series[bool]:
    return text.str.lower().isin(MISSING)


def _refuse(name: str, cells: pd.Series[str], expected: str, *, then: str = "") -> None:
    """Refuse the first of some cells, by what it says."""
    more = f" (and {len(cells) - 1} more)" if len(cells) > 1 else ""
    raise TableError(
        f"{place(name, cells.index[:1])}: {cells.name} is '{cells.iloc[0]}', expected {expected}{more}{then}"
    )


def _refuse_value(name: str, values: pd.Series[float], expected: str) -> None:
    """Refuse the first of some numbers."""
    raise TableError(
        f"{place(name, values.index[:1])}: {values.name} is {values.iloc[0]:g}, expected {expected}"
    )
