"""What a table is."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a table: its name (with the unit in it), type and meaning."""

    name: str
    dtype: str
    meaning: str


@dataclass(frozen=True, kw_only=True)
class Table:
    """A tidy table: one row a thing, its columns in the order in which they are written."""

    name: str
    row: str
    columns: tuple[Column, ...] = field(repr=False)

    @property
    def names(self) -> list[str]:
        """Names of the columns, in order."""
        return [column.name for column in self.columns]


def columns(text: str) -> tuple[Column, ...]:
    """Columns from lines of ``name | dtype | meaning``."""
    lines = [line.split("|") for line in text.strip().splitlines()]
    return tuple(Column(name=n.strip(), dtype=d.strip(), meaning=m.strip()) for n, d, m in lines)
