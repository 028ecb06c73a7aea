"""The one checker of tables that a person gives: text to ids, numbers, days, yes and no."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from ihcscore.errors import TableError, parameter
from ihcscore.schema import InputColumn, InputTable, Kind, Note, NoteKind, Range
from ihcscore.sheet.names import (
    UnreadColumn,
    about_unread,
    found_columns,
    near_ids,
    one_spelling,
    unread_columns,
)
from ihcscore.sheet.numbers import Choice, Written, about_signs, decide, written
from ihcscore.sheet.sheet import Sheet

MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "-", "–"})
"""How an empty number, day or choice is written, in small letters. Text is taken as it stands."""

YES = frozenset({"yes", "y", "true", "1", "x", "ja", "j"})
NO = frozenset({"no", "n", "false", "0", "nein", ""})
"""How yes and no are written, in small letters."""

# What spreadsheets show for a formula that failed, in English and German; a value that is not there apart.
_ERROR = re.compile(r"#(?:[A-ZÄÖÜ_]+|DIV/0|NAME)[!?]")
_NOT_THERE = frozenset({"#n/a", "#nv"})
_DAY = "%Y-%m-%d"
_LIKE_DAY = r"\d{4}-\d\d-\d\d(?:T.*)?"
_LIKE_DAY_NUMBER = r"[1-9]\d{4}(?:\.\d+)?"
_ROWS_SHOWN = 5


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
    found, notes = found_columns(sheet, table)
    unread = unread_columns(sheet, table, found)
    lacking = [one.name for one in table.columns if one.need.of_column and found[one.name] is None]
    if lacking:
        raise sheet.lacks(lacking, option=_meant(unread, lacking) + _spelled(table.remedy))
    notes = [*sheet.notes, *notes, *about_unread(sheet.name, unread), *_ids_as_numbers(sheet, table, found)]
    alike, more = one_spelling(sheet, table, found)
    sheet = replace(sheet, rows=sheet.rows.assign(**alike))
    notes += more
    if table.keys:
        sheet, more = _without_repeats(sheet)
        notes += more
    notes += near_ids(sheet, table, found)
    texts = {
        column: sheet.rows[title].rename(column.name)
        for column in table.columns
        if (title := found[column.name]) is not None
    }
    for column, text in texts.items():
        notes += _not_there(sheet.name, column, text)
        if column.need.of_cells:
            refuse_empty(sheet.name, text)
    rows, more = _read_all(sheet, table, texts, found)
    given = frozenset(column.name for column in texts)
    return CheckedTable(name=sheet.name, rows=rows, given=given, notes=notes + more, unread=unread)


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


def _meant(unread: Iterable[UnreadColumn], lacking: list[str]) -> str:
    """A hint at columns that may be those that lack."""
    like = [f"{one.name} for {one.like}" for one in unread if one.like is not None and one.like in lacking]
    return f"is it {', '.join(like)}? " if like else ""


def _ids_as_numbers(sheet: Sheet, table: InputTable, found: dict[str, str | None]) -> list[Note]:
    """That a workbook holds ids as numbers or days, which are not what was typed."""
    said = (
        (sheet.numbers, "holds numbers, not text: a leading zero is lost there"),
        (sheet.dates, "holds dates: ids like 3-12 that the spreadsheet took for days?"),
    )
    return [
        Note(kind=NoteKind.TABLE, text=f"{sheet.name}: {column.name} {text}")
        for column in table.columns
        for cells, text in said
        if column.kind is Kind.ID and found[column.name] in {title for _, title in cells}
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


def _not_there(name: str, column: InputColumn, text: pd.Series[str]) -> list[Note]:
    """Refuse what a spreadsheet could not compute; values that it did not find are missing, which is told."""
    broken = text[text.str.fullmatch(_ERROR)]
    if len(broken):
        _refuse(name, broken, "a value", then="; the spreadsheet could not compute it: mend it there")
    formulas = text[text.str.startswith("=")]
    if len(formulas):
        _refuse(
            name,
            formulas,
            "its value",
            then="; open the file in a spreadsheet, save it once and give it again",
        )
    lost = text[text.str.lower().isin(_NOT_THERE)]
    if lost.empty:
        return []
    if column.kind in (Kind.ID, Kind.NAME, Kind.TEXT):
        _refuse(name, lost, "a name")
    where = place(name, lost.index)
    return [Note(kind=NoteKind.TABLE, text=f"{where}: {column.name} is {lost.iloc[0]} and counts as missing")]


def _read_all(
    sheet: Sheet,
    table: InputTable,
    texts: dict[InputColumn, pd.Series[str]],
    found: dict[str, str | None],
) -> tuple[pd.DataFrame, list[Note]]:
    """Every column of the declaration as what it says, and what must be told of its numbers."""
    all_written = _all_written(sheet, table, found)
    rows = pd.DataFrame(index=sheet.rows.index)
    decided, notes = [], []
    for column in table.columns:
        text = texts.get(column, pd.Series("", index=rows.index, name=column.name, dtype=object))
        if column.is_number and column in texts:
            own = all_written[str(found[column.name])]
            others = [one for title, one in all_written.items() if title != found[column.name]]
            rows[column.name], choice = _numbers(sheet, column, text, replace(own, name=column.name), others)
            decided.append((replace(own, name=column.name), choice))
        else:
            rows[column.name] = _read(sheet.name, column, text)
        notes += _implausible(sheet.name, column, rows[column.name])
    return rows, about_signs(sheet.name, decided) + notes


def _all_written(sheet: Sheet, table: InputTable, found: dict[str, str | None]) -> dict[str, Written]:
    """All columns of numbers of a file, by title: the declared ones, and others that hold nothing else."""
    asked = {found[column.name] for column in table.columns if column.is_number}
    other = {found[column.name] for column in table.columns} - asked
    held = {}
    for title in sheet.rows.columns:
        if title in other:
            continue
        text = sheet.rows[title]
        filled = text[~_is_missing(text)]
        typed = [row for row, name in sheet.numbers if name == title]
        column = written(title, filled, typed)
        if title in asked or (len(filled) and column.possible):
            held[title] = column
    return held


def _read(name: str, column: InputColumn, text: pd.Series[str]) -> pd.Series:
    """A column of text as what it says."""
    if column.is_number:  # one that the file lacks
        return pd.Series(np.nan, index=text.index)
    if column.kind is Kind.YES_NO:
        return _yes_or_no(name, text)
    if column.kind is Kind.DATE:
        return _days(name, text)
    if column.kind is Kind.CHOICE:
        return _choices(name, column, text)
    return text


def _numbers(
    sheet: Sheet, column: InputColumn, text: pd.Series[str], own: Written, others: list[Written]
) -> tuple[pd.Series[float], Choice]:
    nowhere = own.text[pd.concat(list(own.read.values()), axis=1).isna().all(axis=1)]
    if len(nowhere):
        made = nowhere.str.fullmatch(_LIKE_DAY).iloc[0]
        then = "the spreadsheet took it for a day" if made else "write numbers without units"
        _refuse(sheet.name, nowhere, "a number", then=f"; {then}")
    choice = decide(
        sheet.name, own, others, plausible=column.believable, comma_delimited=sheet.comma_delimited
    )
    values = pd.Series(np.nan, index=text.index, name=column.name)
    values[own.text.index] = own.read[choice.decimal]
    rest = text.index[~_is_missing(text) & ~text.index.isin(own.text.index)]
    values[rest] = text[rest].astype(float)  # a workbook's own numbers
    outside = _outside(values, column.range)
    if len(outside):
        _refuse_value(sheet.name, outside, str(column.range))
    if column.kind is Kind.WHOLE:
        broken = values[values.notna() & (values != values.round())]
        if len(broken):
            _refuse_value(sheet.name, broken, "a whole number")
    return values, choice


def _outside(values: pd.Series[float], expected: Range) -> pd.Series[float]:
    return values[[bool(np.isfinite(value)) and value not in expected for value in values]]


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
        wrong = filled[days.isna()]
        number = wrong.str.fullmatch(_LIKE_DAY_NUMBER).iloc[0]
        then = "; it seems a spreadsheet's day number: format the column as dates there" if number else ""
        _refuse(name, wrong, "a date as 2020-01-31", then=then)
    return days.reindex(text.index)


def _choices(name: str, column: InputColumn, text: pd.Series[str]) -> pd.Series[str]:
    known = {choice.casefold(): choice for choice in column.choices}
    nothing = MISSING | _NOT_THERE | {word.casefold() for word in column.none}
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
    return text.str.lower().isin(MISSING | _NOT_THERE)


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


def _spelled(remedy: str) -> str:
    """A declaration's advice, the parameter between its backticks marked as one."""
    return re.sub(r"`(\w+)`", lambda found: parameter(found[1]), remedy)
