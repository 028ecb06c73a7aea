"""Tables that people keep: CSV and XLSX, read with care."""

from ihcscore.sheet.columns import CheckedTable, UnreadColumn, check_table, first_double, place, refuse_empty
from ihcscore.sheet.read import Sheet, read_sheet

__all__ = [
    "CheckedTable",
    "Sheet",
    "UnreadColumn",
    "check_table",
    "first_double",
    "place",
    "read_sheet",
    "refuse_empty",
]
