"""Stain amounts to cells and their classes."""

from ihcscore.cells.classical import HALO_UM, detect_cells, detect_in_maps
from ihcscore.cells.classify import CELL_COLUMNS, classify_cells

__all__ = [
    "CELL_COLUMNS",
    "HALO_UM",
    "classify_cells",
    "detect_cells",
    "detect_in_maps",
]
