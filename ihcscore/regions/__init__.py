"""Annotations, or a proposal, to tumour centre and invasive front."""

from ihcscore.regions.annotations import Annotations
from ihcscore.regions.bands import Region, check_on_slide, derive_regions, tumour_centre
from ihcscore.regions.read import MAX_BYTES, parse_annotations

__all__ = [
    "MAX_BYTES",
    "Annotations",
    "Region",
    "check_on_slide",
    "derive_regions",
    "parse_annotations",
    "tumour_centre",
]
