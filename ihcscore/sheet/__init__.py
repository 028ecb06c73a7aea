"""Tables that people keep: CSV and XLSX, read with care."""

from ihcscore.sheet.columns import (
    MISSING,
    NO,
    YES,
    CheckedTable,
    check_table,
    first_double,
    place,
    refuse_empty,
)
from ihcscore.sheet.names import UnreadColumn
from ihcscore.sheet.read import read_sheet
from ihcscore.sheet.sheet import Sheet
from ihcscore.sheet.spelling import bare, folded, nearest

__all__ = [
    "MISSING",
    "NO",
    "YES",
    "CheckedTable",
    "Sheet",
    "UnreadColumn",
    "bare",
    "check_table",
    "first_double",
    "folded",
    "nearest",
    "place",
    "read_sheet",
    "refuse_empty",
]
