"""A table that a person made, CSV or XLSX, read as text; errors say where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ihcscore.errors import TableError, parameter
from ihcscore.sheet.delimited import read_delimited
from ihcscore.sheet.header import to_sheet
from ihcscore.sheet.sheet import Sheet
from ihcscore.sheet.workbook import read_workbook

_WORKBOOKS = (".xlsx", ".xlsm")
_OTHERS = (".xls", ".xlsb", ".ods", ".numbers", ".sav")


def read_sheet(path: str | Path, rename: Mapping[str, str] | None = None) -> Sheet:
    """Read a table as text; empty rows are passed over.

    Parameters
    ----------
    path : str or Path
        CSV in UTF-8 with commas, semicolons or tabs, or XLSX, of which the first sheet that is shown is read.
    rename : mapping of str to str, optional
        New name to the name in the file.

    Returns
    -------
    Sheet

    Raises
    ------
    TableError
        If the file cannot be read, a column has no name or the name of another, or a column of `rename`
        is not there.
    """
    path = Path(path)
    if not path.is_file():
        raise TableError(f"{path}: no such file")
    kind = path.suffix.lower()
    if kind in _OTHERS:
        raise TableError(f"{path.name}: is no CSV or XLSX; save it as one of them")
    grid = read_workbook(path) if kind in _WORKBOOKS else read_delimited(path)
    return _renamed(to_sheet(grid), rename or {})


def _renamed(sheet: Sheet, rename: Mapping[str, str]) -> Sheet:
    rows = sheet.rows
    for new, old in rename.items():
        if old not in rows.columns:
            raise TableError(
                f"{sheet.name}: no column {old} for {parameter('rename')} {new}={old}; "
                f"it has {', '.join(rows.columns)}"
            )
        if new in rows.columns and new != old:
            raise TableError(
                f"{sheet.name}: {parameter('rename')} {new}={old}, but it has a column {new} already"
            )
    names = {old: new for new, old in rename.items()}
    if len(names) < len(rename):
        raise TableError(f"{sheet.name}: {parameter('rename')} names one column twice")
    numbers, dates = (
        frozenset((row, names.get(name, name)) for row, name in cells)
        for cells in (sheet.numbers, sheet.dates)
    )
    return replace(sheet, rows=rows.rename(columns=names), numbers=numbers, dates=dates)
