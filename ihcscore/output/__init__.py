"""What machines read: folders that appear whole, records, tables, GeoJSON."""

from ihcscore.output.folder import OutputFolder
from ihcscore.output.geojson import cells_geojson, fields_geojson, regions_geojson
from ihcscore.output.names import overlay_name
from ihcscore.output.record import package_versions
from ihcscore.output.tables import read_table, write_json, write_table

__all__ = [
    "OutputFolder",
    "cells_geojson",
    "fields_geojson",
    "overlay_name",
    "package_versions",
    "read_table",
    "regions_geojson",
    "write_json",
    "write_table",
]
