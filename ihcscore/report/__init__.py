"""Tables, GeoJSON, HTML and provenance on disk."""

from ihcscore.report.cohort import CohortPage, write_cohort_page
from ihcscore.report.folder import OutputFolder
from ihcscore.report.geojson import (
    IGNORE_COLOUR,
    TUMOUR_COLOUR,
    cells_geojson,
    fields_geojson,
    regions_geojson,
)
from ihcscore.report.page import SlidePage, format_density, format_range, write_index_page, write_slide_page
from ihcscore.report.provenance import package_versions
from ihcscore.report.tables import read_table, write_json, write_table

__all__ = [
    "IGNORE_COLOUR",
    "TUMOUR_COLOUR",
    "CohortPage",
    "OutputFolder",
    "SlidePage",
    "cells_geojson",
    "fields_geojson",
    "format_density",
    "format_range",
    "package_versions",
    "read_table",
    "regions_geojson",
    "write_cohort_page",
    "write_index_page",
    "write_json",
    "write_slide_page",
    "write_table",
]
