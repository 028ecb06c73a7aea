"""Tidy CSV and JSON, the same bytes for the same content."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from ihcscore.schema import Table


def write_table(path: Path, table: pd.DataFrame, schema: Table) -> None:
    """Write a table as CSV, its columns as the schema says; numbers are not rounded.

    Raises
    ------
    ValueError
        If the table's columns are not the schema's.
    """
    if list(table.columns) != schema.names:
        raise ValueError(f"{schema.name}: columns {list(table.columns)}, expected {schema.names}")
    table.to_csv(path, index=False, lineterminator="\n", encoding="utf-8")


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write JSON in UTF-8, keys in the order in which they were given; NaN is refused."""
    path.write_text(
        json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8"
    )
