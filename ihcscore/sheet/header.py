"""The row that names the columns, and the rows under it."""

from __future__ import annotations

import itertools

import pandas as pd

from ihcscore.errors import TableError
from ihcscore.schema import Note, NoteKind
from ihcscore.sheet.grid import Grid
from ihcscore.sheet.sheet import Sheet

_ROWS_SHOWN = 5
_LONGEST_TITLE = 40


def to_sheet(grid: Grid) -> Sheet:
    """A grid with its columns by name; empty rows are passed over.

    Rows above the names that fill less than half of the columns (a title, a banner over several columns) are
    passed over and told.

    Raises
    ------
    TableError
        If a column has no name or the name of another, a row has more cells than there are names, or no row
        is left.
    """
    top = _header_at(grid)
    titles = [" ".join(title.split()) for title in grid.rows[top]]
    below = [row for row in range(top + 1, len(grid.rows)) if any(grid.rows[row])]
    kept = [at for at, title in enumerate(titles) if title or any(grid.rows[row][at] for row in below)]
    if kept and not titles[kept[0]] and _are_row_numbers([grid.rows[row][kept[0]] for row in below]):
        kept = kept[1:]
    _refuse_nameless(grid, top, titles, kept, below)
    if not below:
        raise TableError(f"{grid.name}: has no rows")
    rows = pd.DataFrame(
        [[grid.rows[row][at] for at in kept] for row in below],
        columns=pd.Index([titles[at] for at in kept]),
        index=pd.Index([row + 1 for row in below]),
        dtype=object,
    )
    cells = {(row, at) for row in below for at in kept}
    return Sheet(
        name=grid.name,
        rows=_without_duplicates(grid.name, rows),
        numbers=frozenset((row + 1, titles[at]) for row, at in grid.numbers & cells),
        dates=frozenset((row + 1, titles[at]) for row, at in grid.dates & cells),
        comma_delimited=grid.delimiter == ",",
        beside=grid.beside,
        notes=(*grid.notes, *_passed_over(grid, top), *_hidden(grid, titles, below)),
    )


def _header_at(grid: Grid) -> int:
    """The first row that fills half of the columns or more."""
    filled = [sum(map(bool, row)) for row in grid.rows]
    most = max(filled, default=0)
    if not most:
        raise TableError(f"{grid.name}: is empty")
    return next(at for at, n in enumerate(filled) if 2 * n >= most)


def _refuse_nameless(grid: Grid, top: int, titles: list[str], kept: list[int], below: list[int]) -> None:
    """Refuse cells that stand under no name: their row is longer, or the names are not all in one row."""
    nameless = [at for at in kept if not titles[at]]
    if not nameless:
        return
    beyond = nameless[0] > max((at for at, title in enumerate(titles) if title), default=-1)
    longer = [row for row in below if grid.rows[row][nameless[0]]]
    if beyond and grid.delimiter:
        row = longer[0]
        n, names = (max(at for at, cell in enumerate(grid.rows[r]) if cell) + 1 for r in (row, top))
        raise TableError(
            f"{grid.name}, row {row + 1}: has {n} fields where {names} columns have names; name each column, "
            "and put decimal commas in quotes or use another delimiter"
        )
    where = "the first row" if top == 0 else f"row {top + 1}, which seems to hold the names"
    raise TableError(
        f"{grid.name}: column {nameless[0] + 1} has no name in {where}; name each column in one row, without "
        "merged cells, and leave titles out"
    )


def _passed_over(grid: Grid, top: int) -> list[Note]:
    above = [" ".join(filter(None, row)) for row in grid.rows[:top] if any(row)]
    if not above:
        return []
    title = above[0] if len(above[0]) <= _LONGEST_TITLE else f"{above[0][:_LONGEST_TITLE]}…"
    more = f" and {len(above) - 1} more" if len(above) > 1 else ""
    text = (
        f"{grid.name}: the names of the columns are in row {top + 1}; what stands above ('{title}'{more}) "
        "was not read"
    )
    return [Note(kind=NoteKind.TABLE, text=text)]


def _hidden(grid: Grid, titles: list[str], below: list[int]) -> list[Note]:
    """What a spreadsheet does not show and was read all the same."""
    rows = [str(row + 1) for row in below if row in grid.hidden_rows]
    columns = [title for at, title in enumerate(titles) if title and at in grid.hidden_columns]
    told = []
    if rows:
        shown = ", ".join(rows[:_ROWS_SHOWN]) + (" and more" if len(rows) > _ROWS_SHOWN else "")
        told.append(
            f"{len(rows)} rows are hidden, by a filter or by hand (row {shown}), and were read all the same; "
            "delete what is not meant"
        )
    if columns:
        told.append(f"hidden columns were read all the same: {', '.join(columns)}")
    return [Note(kind=NoteKind.TABLE, text=f"{grid.name}: {text}") for text in told]


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
