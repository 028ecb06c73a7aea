"""A table that a person made, CSV or XLSX, read as text; errors say where."""

from __future__ import annotations

import io
import itertools
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from ihcscore.errors import TableError

_DELIMITERS = (",", ";", "\t")


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A table as text.

    Attributes
    ----------
    name : str
        File name, without folders: what errors call it.
    rows : DataFrame
        Text, trimmed; the index is the row's number in the file, the header being 1.
    number_columns : frozenset of str
        Columns of an XLSX in which a cell holds a number, not text.
    """

    name: str
    rows: pd.DataFrame = field(repr=False)
    number_columns: frozenset[str] = frozenset()

    def require(self, columns: Sequence[str], *, option: str) -> None:
        """Refuse a table that lacks a column.

        Raises
        ------
        TableError
        """
        absent = [column for column in columns if column not in self.rows.columns]
        if absent:
            there = ", ".join(map(str, self.rows.columns))
            raise TableError(f"{self.name}: no column {', '.join(absent)} (it has {there}); {option}")


def read_sheet(path: str | Path, rename: Mapping[str, str] | None = None) -> Sheet:
    """Read a table as text; empty rows are passed over.

    Parameters
    ----------
    path : str or Path
        CSV in UTF-8 with commas, semicolons or tabs, or XLSX, of which the first sheet is read.
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
    numbers: frozenset[str] = frozenset()
    if path.suffix.lower() in (".xlsx", ".xlsm"):
        rows, numbers = _read_xlsx(path)
    elif path.suffix.lower() in (".xls", ".ods", ".sav"):
        raise TableError(f"{path.name}: is no CSV or XLSX; save it as one of them")
    else:
        rows = _read_csv(path)
    rows = rows[(rows != "").any(axis=1)]
    if rows.empty:
        raise TableError(f"{path.name}: has no rows")
    return _renamed(Sheet(name=path.name, rows=rows, number_columns=numbers), rename or {})


def _read_csv(path: Path) -> pd.DataFrame:
    try:
        content = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise TableError(f"{path.name}: is not text in UTF-8; save it as 'CSV UTF-8' or XLSX") from error
    except OSError as error:
        raise TableError(f"{path.name}: cannot be read ({error.strerror})") from error
    header = content.split("\n", 1)[0]
    delimiter = max(_DELIMITERS, key=header.count)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a row with a field too many would shift the columns
            table = pd.read_csv(
                io.StringIO(content), sep=delimiter, header=None, dtype=str, keep_default_na=False,
                skip_blank_lines=False, index_col=False,
            )  # fmt: skip
    except pd.errors.EmptyDataError as error:
        raise TableError(f"{path.name}: is empty") from error
    except (pd.errors.ParserError, pd.errors.ParserWarning) as error:
        raise TableError(
            f"{path.name}: rows have different numbers of fields ({str(error).strip().splitlines()[-1]}); "
            "decimal commas need quotes or another delimiter"
        ) from error
    return _with_header(path.name, table.fillna(""))


def _read_xlsx(path: Path) -> tuple[pd.DataFrame, frozenset[str]]:
    try:
        cells = pd.read_excel(path, header=None, dtype=object, keep_default_na=False, engine="openpyxl")
    except Exception as error:  # openpyxl and zipfile raise many kinds on a damaged file
        raise TableError(f"{path.name}: cannot be read as XLSX ({error})") from error
    if cells.empty:
        raise TableError(f"{path.name}: its first sheet is empty")
    table = _with_header(path.name, cells.map(_cell_text))
    values = cells.iloc[1:]
    held = [values.iloc[:, at].map(_is_number).any() for at in range(values.shape[1])]
    return table, frozenset(name for name, number in zip(table.columns, held, strict=True) if number)


def _is_number(cell: object) -> bool:
    return isinstance(cell, int | float) and not isinstance(cell, bool)


def _cell_text(cell: object) -> str:
    """A cell as it would stand in a CSV: whole numbers without a point, dates as 2020-01-31."""
    if cell is None or (isinstance(cell, float) and np.isnan(cell)) or cell is pd.NaT:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if hasattr(cell, "isoformat"):
        return str(cell.isoformat()).removesuffix("T00:00:00")
    return str(cell)


def _with_header(name: str, table: pd.DataFrame) -> pd.DataFrame:
    table = table.apply(lambda column: column.astype(str).str.strip())
    header = table.iloc[0].tolist()
    rows = table.iloc[1:].copy()
    # Empty columns at the right, as spreadsheets leave them.
    kept = [at for at, title in enumerate(header) if title or (rows.iloc[:, at] != "").any()]
    rows, header = rows.iloc[:, kept], [header[at] for at in kept]
    if header and not header[0] and _are_row_numbers(rows.iloc[:, 0].tolist()):
        rows, header = rows.iloc[:, 1:], header[1:]
    if "" in header:
        raise TableError(f"{name}: column {header.index('') + 1} has no name in the first row")
    rows.columns = pd.Index(header)
    rows.index = pd.RangeIndex(2, len(rows) + 2)
    return _without_duplicates(name, rows)


def _are_row_numbers(cells: list[str]) -> bool:
    """Whether a column without a name numbers the rows, as pandas, R and ImageJ write them."""
    if not all(cell.isdecimal() for cell in cells):
        return False
    numbers = [int(cell) for cell in cells]
    return all(a < b for a, b in itertools.pairwise(numbers))


def _without_duplicates(name: str, rows: pd.DataFrame) -> pd.DataFrame:
    """Columns once; a second column of a name must say the same."""
    for title in rows.columns[rows.columns.duplicated()].unique():
        same = rows.loc[:, rows.columns == title]
        if not same.eq(same.iloc[:, 0], axis=0).all(axis=None):
            raise TableError(f"{name}: two columns are called {title} and differ; rename one")
    return rows.loc[:, ~rows.columns.duplicated()]


def _renamed(sheet: Sheet, rename: Mapping[str, str]) -> Sheet:
    rows = sheet.rows
    for new, old in rename.items():
        if old not in rows.columns:
            raise TableError(
                f"{sheet.name}: no column {old} for --map {new}={old}; it has {', '.join(rows.columns)}"
            )
        if new in rows.columns and new != old:
            raise TableError(f"{sheet.name}: --map {new}={old}, but it has a column {new} already")
    names = {old: new for new, old in rename.items()}
    if len(names) < len(rename):
        raise TableError(f"{sheet.name}: --map names one column twice")
    held = frozenset(names.get(name, name) for name in sheet.number_columns)
    return Sheet(name=sheet.name, rows=rows.rename(columns=names), number_columns=held)
