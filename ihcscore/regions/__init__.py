"""Annotations, or a proposal, to tumour centre and invasive front."""

from ihcscore.regions.annotations import Annotations, Drawn
from ihcscore.regions.bands import (
    Border,
    Region,
    check_on_slide,
    derive_regions,
    tumour_border,
    tumour_centre,
)
from ihcscore.regions.qupath import Areas
from ihcscore.regions.read import parse_annotations, read_annotations, read_areas

__all__ = [
    "Annotations",
    "Areas",
    "Border",
    "Drawn",
    "Region",
    "check_on_slide",
    "derive_regions",
    "parse_annotations",
    "read_annotations",
    "read_areas",
    "tumour_border",
    "tumour_centre",
]
