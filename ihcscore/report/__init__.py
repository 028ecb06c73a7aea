"""Tables, GeoJSON, HTML and provenance on disk."""

from ihcscore.report.folder import OutputFolder
from ihcscore.report.geojson import (
    IGNORE_COLOUR,
    TUMOUR_COLOUR,
    cells_geojson,
    fields_geojson,
    regions_geojson,
)
from ihcscore.report.page import SlidePage, format_density, write_index_page, write_slide_page
from ihcscore.report.provenance import package_versions
from ihcscore.report.tables import write_json, write_table

__all__ = [
    "IGNORE_COLOUR",
    "TUMOUR_COLOUR",
    "OutputFolder",
    "SlidePage",
    "cells_geojson",
    "fields_geojson",
    "format_density",
    "package_versions",
    "regions_geojson",
    "write_index_page",
    "write_json",
    "write_slide_page",
    "write_table",
]
