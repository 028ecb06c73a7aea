"""What machines read: folders that appear whole, records, tables, GeoJSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ihcscore.output.digest import sha256_of
from ihcscore.output.folder import OutputFolder, clear_unfinished, remove_run, unfinished
from ihcscore.output.names import OVERLAYS, distinct_names, overlay_name
from ihcscore.output.record import (
    RECORD,
    STUDY_PACKAGES,
    Record,
    as_plain,
    describe_inputs,
    find_record,
    make_record,
    package_versions,
    read_record,
    write_record,
)
from ihcscore.output.tables import (
    read_json,
    read_table,
    text_of,
    write_csv,
    write_geojson,
    write_json,
    write_table,
)

if TYPE_CHECKING:
    from ihcscore.output.geojson import cells_geojson, fields_geojson, regions_geojson

__all__ = [
    "OVERLAYS",
    "RECORD",
    "STUDY_PACKAGES",
    "OutputFolder",
    "Record",
    "as_plain",
    "cells_geojson",
    "clear_unfinished",
    "describe_inputs",
    "distinct_names",
    "fields_geojson",
    "find_record",
    "make_record",
    "overlay_name",
    "package_versions",
    "read_json",
    "read_record",
    "read_table",
    "regions_geojson",
    "remove_run",
    "sha256_of",
    "text_of",
    "unfinished",
    "write_csv",
    "write_geojson",
    "write_json",
    "write_record",
    "write_table",
]


def __getattr__(name: str) -> Any:
    # Loaded when it is used: whether a folder can be written is asked before pandas and shapely are needed.
    if name in ("cells_geojson", "fields_geojson", "regions_geojson"):
        from ihcscore.output import geojson

        return getattr(geojson, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
