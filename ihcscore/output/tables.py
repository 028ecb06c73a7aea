"""Tidy CSV and JSON, the same bytes for the same content."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ihcscore.errors import IhcscoreError
from ihcscore.schema import Table

if TYPE_CHECKING:
    import pandas as pd

UNWRITABLE: Final = "replace"
"""What becomes of a character that no text file can hold: a question mark. Python keeps the bytes of a file's
name that are no UTF-8 as such characters."""


def write_table(path: Path, table: pd.DataFrame, schema: Table) -> None:
    """Write a table as CSV, its columns as the schema says; numbers are not rounded.

    Raises
    ------
    ValueError
        If the table's columns are not the schema's.
    """
    if list(table.columns) != schema.names:
        raise ValueError(f"{schema.name}: columns {list(table.columns)}, expected {schema.names}")
    write_csv(path, table)


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Write a table that is no output of a command, such as one for a person to fill in."""
    table.to_csv(path, index=False, lineterminator="\n", encoding="utf-8", errors=UNWRITABLE)


def read_table(path: Path, schema: Table) -> pd.DataFrame:
    """Read a table that :func:`write_table` wrote, every number to its last bit.

    Counts are whole, but for the means of several readers.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If its columns are not the schema's.
    """
    import pandas as pd

    text = pd.read_csv(path, dtype=str, keep_default_na=False)
    if list(text.columns) != schema.names:
        raise ValueError(f"{path.name}: columns {list(text.columns)}, expected {schema.names}")
    types = {column.name: column.dtype for column in schema.columns}
    return pd.DataFrame({name: _typed(text[name], types[name]) for name in schema.names})


def _typed(column: pd.Series, dtype: str) -> pd.Series:
    import pandas as pd

    if dtype == "float":
        return pd.Series([float(value) if value else math.nan for value in column], dtype=float)
    if dtype == "int":
        if column.str.contains(".", regex=False).any():  # the mean of several readers
            return pd.Series([float(value) if value else math.nan for value in column], dtype="Float64")
        return pd.Series([int(value) if value else pd.NA for value in column], dtype="Int64")
    return column


def write_geojson(path: Path, content: dict[str, Any]) -> None:
    """Write a feature collection as :func:`write_json` does, but a feature a line and without blanks."""
    features = [
        json.dumps(feature, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        for feature in content["features"]
    ]
    rest = {name: value for name, value in content.items() if name != "features"}
    head = json.dumps(rest, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    path.write_text(f'{head[:-1]},"features":[\n' + ",\n".join(features) + "\n]}\n", encoding="utf-8")


def read_json(path: Path) -> dict[str, Any]:
    """Read what :func:`write_json` wrote.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is no JSON object.
    """
    content = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise ValueError(f"{path.name}: not a JSON object")
    return content


def text_of(path: Path) -> str:
    """A text file of a person's, in UTF-8 with or without its mark.

    Raises
    ------
    IhcscoreError
        If it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise IhcscoreError(f"{path}: cannot be read as text ({error}); give another file") from error


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write JSON in UTF-8, keys in the order in which they were given; NaN is refused."""
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8", errors=UNWRITABLE)
