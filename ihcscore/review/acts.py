"""What a reader did, and the order in which it counts."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ihcscore.schema import ReviewAct

BEGINNING = "0" * 64
"""Stands for the hash before the first row."""


@dataclass(frozen=True, kw_only=True)
class Act:
    """One act of a reader; columns of the same names in ``corrections.csv``.

    Attributes
    ----------
    act_id : str
    at : str
        UTC, ISO 8601.
    reader, origin : str
    slide_identity, run_key : str
    field_id : str
    act : ReviewAct
    cell_id : str
    x_px, y_px, diameter_um : float or None
    class_old, class_new, reason, undoes : str
    """

    act_id: str
    at: str
    reader: str
    origin: str
    slide_identity: str
    run_key: str
    field_id: str
    act: ReviewAct
    cell_id: str = ""
    x_px: float | None = None
    y_px: float | None = None
    diameter_um: float | None = None
    class_old: str = ""
    class_new: str = ""
    reason: str = ""
    undoes: str = ""

    def __post_init__(self) -> None:
        for name in ("x_px", "y_px", "diameter_um"):
            value = getattr(self, name)
            if value is not None and not math.isfinite(value):
                raise ValueError(f"{name} is {value}, expected a finite number")
        if (self.act is ReviewAct.UNDONE) != bool(self.undoes):
            raise ValueError(f"act {self.act} has undoes {self.undoes!r}; only an undo names an act")

    def as_row(self) -> dict[str, Any]:
        """Its columns."""
        return {**asdict(self), "act": str(self.act)}


@dataclass(frozen=True, kw_only=True)
class Row:
    """An act in the trail.

    Attributes
    ----------
    row : int
        From 1.
    act : Act
    previous, hash : str
        Of the row before, and of this one.
    """

    row: int
    act: Act
    previous: str
    hash: str

    @classmethod
    def after(cls, act: Act, *, row: int, previous: str) -> Row:
        """The row of an act that follows another row."""
        return cls(row=row, act=act, previous=previous, hash=hash_of(act, row=row, previous=previous))


def hash_of(act: Act, *, row: int, previous: str) -> str:
    """SHA-256 of an act, its number and the hash before it, as JSON with sorted keys."""
    content = {**act.as_row(), "row": row, "previous": previous}
    text = json.dumps(content, sort_keys=True, ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def standing(acts: Sequence[Act]) -> list[Act]:
    """The acts that nobody took back, in their order, undoes left out."""
    taken_back: set[str] = set()
    kept = []
    for act in reversed(acts):  # an undo comes after what it takes back, and may be taken back itself
        if act.act_id in taken_back:
            continue
        if act.act is ReviewAct.UNDONE:
            taken_back.add(act.undoes)
        else:
            kept.append(act)
    return kept[::-1]
