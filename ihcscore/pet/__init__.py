"""Uptake of lesions and organs."""

from ihcscore.pet.table import SuvTable, parse_dates, read_suv

__all__ = [
    "SuvTable",
    "parse_dates",
    "read_suv",
]
