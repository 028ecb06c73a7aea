"""Tables that people keep: CSV and XLSX, read with care."""

from ihcscore.sheet.read import Sheet, numbers, read_sheet

__all__ = [
    "Sheet",
    "numbers",
    "read_sheet",
]
