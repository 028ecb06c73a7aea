"""Stain amounts to cells and their classes."""

from ihcscore.cells.choose import described, finder_of
from ihcscore.cells.classical import ClassicalFinder, detect_cells, detect_in_maps
from ihcscore.cells.classify import CELL_COLUMNS, classify_cells
from ihcscore.cells.finder import Finder, Found
from ihcscore.cells.network import NetworkFinder
from ihcscore.cells.pigment import pigment_mask

__all__ = [
    "CELL_COLUMNS",
    "ClassicalFinder",
    "Finder",
    "Found",
    "NetworkFinder",
    "classify_cells",
    "described",
    "detect_cells",
    "detect_in_maps",
    "finder_of",
    "pigment_mask",
]
