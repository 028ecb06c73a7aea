"""Uptake of lesions and organs."""

from ihcscore.pet.table import UptakeTable, read_uptake

__all__ = [
    "UptakeTable",
    "read_uptake",
]
