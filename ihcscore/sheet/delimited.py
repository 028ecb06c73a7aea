"""CSV as people's programs write it: encodings, a line that names the delimiter, rows of one length."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from pathlib import Path

from ihcscore.errors import TableError
from ihcscore.sheet.grid import Grid

_DELIMITERS = (",", ";", "\t")
_LINES_LOOKED_AT = 50
# The first line that spreadsheets understand and don't show, with or without quotes.
_SEPARATOR = re.compile(r'\s*"?sep=(?P<delimiter>\t|[^\w\s"])"?[,;\t ]*\r?\n', re.IGNORECASE)
# Text that a spreadsheet was kept from taking for a number: ="007".
_KEPT_TEXT = re.compile(r'="([^"]*)"')


def read_delimited(path: Path) -> Grid:
    """The cells of a CSV.

    Parameters
    ----------
    path : Path
        UTF-8, or UTF-16 with a byte order mark; commas, semicolons or tabs. A first line ``sep=;`` is obeyed
        and counts as no row, as in a spreadsheet.

    Raises
    ------
    TableError
    """
    text = _text(path)
    said = _SEPARATOR.match(text)
    text = text[said.end() :] if said else text
    if not text.strip():
        raise TableError(f"{path.name}: is empty")
    delimiter = said["delimiter"] if said else ""
    if not delimiter or delimiter not in text:
        delimiter = _delimiter(text)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise TableError(f"{path.name}: is no CSV ({error}); look for quotes that are not closed") from error
    width = max(map(len, rows))
    cells = [[_trimmed(cell) for cell in row] + [""] * (width - len(row)) for row in rows]
    return Grid(name=path.name, rows=cells, delimiter=delimiter)


def _text(path: Path) -> str:
    """A file as text, its encoding told by its first bytes; 8-bit code pages cannot be told apart."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise TableError(f"{path.name}: cannot be read ({error.strerror})") from error
    encoding = "utf-16" if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        row = content.count(b"\n", 0, error.start) + 1
        raise TableError(
            f"{path.name}, row {row}: is not text in UTF-8; save the table as 'CSV UTF-8' or XLSX"
        ) from error


def _delimiter(text: str) -> str:
    """The delimiter with which most lines have the same number of fields, more than one."""
    lines = [line for line in text.splitlines() if line.strip()][:_LINES_LOOKED_AT]

    def fit(delimiter: str) -> tuple[int, int]:
        try:
            widths = Counter(map(len, csv.reader(lines, delimiter=delimiter)))
        except csv.Error:
            return 0, 0
        width, n = max(widths.items(), key=lambda found: (found[0] > 1, found[1], found[0]))
        return (n, width) if width > 1 else (0, 1)

    return max(_DELIMITERS, key=fit)


def _trimmed(cell: str) -> str:
    cell = cell.strip()
    kept = _KEPT_TEXT.fullmatch(cell)
    return kept[1].strip() if kept else cell
