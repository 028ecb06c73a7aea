"""XLSX as a spreadsheet shows it: the visible sheet, and what of it is hidden, broken or not computed."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ihcscore.errors import TableError
from ihcscore.schema import Note, NoteKind
from ihcscore.sheet.grid import Grid, Place

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

_VISIBLE = "visible"
_LEAST_ALIKE = 2  # titles that two sheets share, from which on they are parts of one table


@dataclass(frozen=True, kw_only=True)
class _Cells:
    """The cells of a sheet: text, and which hold a number or a date."""

    rows: list[list[str]] = field(repr=False)
    numbers: frozenset[Place] = field(repr=False)
    dates: frozenset[Place] = field(repr=False)


def read_workbook(path: Path) -> Grid:
    """The cells of the first visible sheet of a workbook that holds anything.

    Parameters
    ----------
    path : Path
        XLSX or XLSM. A formula without a stored value stands as its own text, ``=A1*2``; a number that is
        shown as a percentage has the sign.

    Raises
    ------
    TableError
        If it cannot be read, shows no sheet with a table, or several sheets hold the same columns.
    """
    # openpyxl is loaded by those who read a workbook.
    from openpyxl import load_workbook

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and extensions that are of no account here
            book, formulas = (load_workbook(path, data_only=values) for values in (True, False))
    except Exception as error:  # openpyxl and zipfile raise many kinds on a damaged file
        raise TableError(f"{path.name}: cannot be read as XLSX ({error})") from error
    filled = [sheet for sheet in book.worksheets if any(map(any, sheet.iter_rows(values_only=True)))]
    shown = [sheet for sheet in filled if sheet.sheet_state == _VISIBLE]
    if not shown:
        hidden = ", ".join(f"'{sheet.title}'" for sheet in filled)
        what = f"all its sheets with content are hidden ({hidden}); show the one" if filled else "is empty;"
        raise TableError(f"{path.name}: {what} that holds the table")
    sheet, *others = shown
    cells = _cells(sheet, formulas[sheet.title], computed=not book.calculation.fullCalcOnLoad)
    _refuse_parts(path.name, sheet, others)
    merged, more = _merged(path.name, sheet, cells.rows)
    return Grid(
        name=path.name,
        rows=merged,
        numbers=cells.numbers,
        dates=cells.dates,
        hidden_rows=frozenset(at - 1 for at, row in sheet.row_dimensions.items() if row.hidden),
        hidden_columns=frozenset(
            at - 1
            for column in sheet.column_dimensions.values()
            if column.hidden
            for at in range(column.min or 0, (column.max or 0) + 1)
        ),
        beside="".join(f"; its sheet '{other.title}' was not read" for other in others),
        notes=(*_sheets_left(path.name, sheet, others, book), *more),
    )


def _cells(sheet: Worksheet, formulas: Worksheet, *, computed: bool) -> _Cells:
    """Text and kind of every cell.

    A formula that no spreadsheet has computed has no value, or, by some writers, a 0 in a file that says
    that everything is to be computed when it is opened.
    """
    rows: list[list[str]] = []
    numbers, dates = set(), set()
    for at, row in enumerate(sheet.iter_rows()):
        texts = []
        for place, cell in enumerate(row):
            asked = formulas.cell(cell.row, cell.column) if cell.row and cell.column else None
            value: Any = cell.value
            if asked is not None and asked.data_type == "f" and _is_open(cell, computed=computed):
                texts.append(_formula(asked.value))
                continue
            if _is_number(value) and "%" not in str(cell.number_format):
                numbers.add((at, place))
            elif hasattr(value, "isoformat"):
                dates.add((at, place))
            texts.append(_cell_text(value, str(cell.number_format)))
        rows.append(texts)
    return _Cells(rows=rows, numbers=frozenset(numbers), dates=frozenset(dates))


def _is_open(cell: Any, *, computed: bool) -> bool:
    """Whether a formula's stored value says nothing; an empty text is a value."""
    return (cell.value is None and cell.data_type == "n") or (cell.value == 0 and not computed)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _formula(value: Any) -> str:
    text = str(getattr(value, "text", value))
    return text if text.startswith("=") else f"={text}"


def _cell_text(value: Any, number_format: str) -> str:
    """A cell as it would stand in a CSV: whole numbers without a point, dates as 2020-01-31."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if _is_number(value):
        if "%" in number_format:
            return f"{100 * value:.15g}%"
        return str(int(value)) if float(value).is_integer() else str(value)
    if hasattr(value, "isoformat"):
        return str(value.isoformat()).removesuffix("T00:00:00")
    return str(value).strip()


def _merged(name: str, sheet: Worksheet, rows: list[list[str]]) -> tuple[list[list[str]], list[Note]]:
    """Cells that were merged downwards all with their value, as a spreadsheet shows them."""
    told = []
    for area in sheet.merged_cells.ranges:
        top, left, bottom = area.min_row - 1, area.min_col - 1, area.max_row - 1
        if top == bottom or area.max_col != area.min_col or not rows[top][left]:
            continue
        for at in range(top + 1, min(bottom + 1, len(rows))):
            rows[at][left] = rows[top][left]
        told.append(area.coord)
    if not told:
        return rows, []
    text = f"{name}: merged cells ({', '.join(told[:3])}) count as filled in every row that they cover"
    return rows, [Note(kind=NoteKind.TABLE, text=text)]


def _refuse_parts(name: str, sheet: Worksheet, others: list[Worksheet]) -> None:
    """Refuse a table that is spread over several sheets."""
    titles = _titles(sheet)
    parts = [other.title for other in others if len(titles & _titles(other)) >= _LEAST_ALIKE]
    if parts:
        both = ", ".join(f"'{title}'" for title in (sheet.title, *parts))
        raise TableError(
            f"{name}: the sheets {both} hold tables with the same columns; put all rows in one sheet, or "
            "hide those that are not meant"
        )


def _titles(sheet: Worksheet) -> set[str]:
    """Texts of the fullest of the first rows: the names of the columns, wherever they stand."""
    rows = [
        {cell.strip().casefold() for cell in row if isinstance(cell, str) and cell.strip()}
        for row in sheet.iter_rows(max_row=10, values_only=True)
    ]
    return max(rows, key=len, default=set())


def _sheets_left(name: str, sheet: Worksheet, others: list[Worksheet], book: Workbook) -> list[Note]:
    """Which sheet was read, where there are others."""
    hidden = [one.title for one in book.worksheets if one.sheet_state != _VISIBLE]
    left = [f"'{other.title}'" for other in others] + [f"'{title}' (hidden)" for title in hidden]
    if not left:
        return []
    text = f"{name}: the sheet '{sheet.title}' was read; not read: {', '.join(left)}"
    return [Note(kind=NoteKind.TABLE, text=text)]
