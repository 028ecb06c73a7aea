"""Stain amounts to cells and their classes."""

from ihcscore.cells.classical import HALO_UM, ClassicalFinder, detect_cells, detect_in_maps
from ihcscore.cells.classify import CELL_COLUMNS, classify_cells
from ihcscore.cells.finder import Finder
from ihcscore.cells.pigment import pigment_fraction

__all__ = [
    "CELL_COLUMNS",
    "HALO_UM",
    "ClassicalFinder",
    "Finder",
    "classify_cells",
    "detect_cells",
    "detect_in_maps",
    "pigment_fraction",
]
