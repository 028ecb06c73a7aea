"""What a map leaves on disk."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd
import shapely

from ihcscore import output, pictures, report
from ihcscore.geometry.field import square_of
from ihcscore.geometry.square import Square
from ihcscore.output.columnar import (
    CellFormat,
    cells_file,
    write_anndata,
    write_cells_geojson,
    write_parquet,
)
from ihcscore.output.ome import write_ome_tiff
from ihcscore.report.map import MapPage
from ihcscore.report.map_figures import (
    DensityPicture,
    density_figure,
    fields_figure,
    profile_figure,
    spatial_figure,
)
from ihcscore.run.planned import PlannedSlide
from ihcscore.run.whole_measure import Measured
from ihcscore.schema import CLASS_COLOURS, MAP, MAP_CELLS, MAP_FIELDS, PROFILE, SPATIAL, FieldStatus
from ihcscore.slide.thumbnail import CACHE, keep_thumbnail
from ihcscore.tissue.mask import TissueSettings

_PICTURE_PX = 1400


def write_map(
    folder: output.OutputFolder,
    planned: PlannedSlide,
    measured: Measured,
    *,
    record: Mapping[str, Any],
    formats: Collection[CellFormat],
) -> None:
    """Cells, tables, maps, page and record of one slide."""
    _write_cells(folder, planned, measured, record, formats)
    for name, table, schema in (
        ("map", measured.parts, MAP),
        ("profile", measured.profile, PROFILE),
        ("what_fields_tell", measured.fields_tell, MAP_FIELDS),
        ("spatial", measured.spatial, SPATIAL),
    ):
        if name != "profile" or len(table):
            output.write_table(folder.new_file(f"{name}.csv"), table, schema)
    slide, survey, marker = planned.slide, planned.survey, str(record["marker"])
    write_ome_tiff(
        folder.new_file("density.tif"), measured.density, mpp_um=measured.area.tissue.mpp_um,
        name=f"{slide.name} {marker}", channel=f"{marker} positive per mm2 of tissue",
    )  # fmt: skip
    keep_thumbnail(folder.staging / CACHE, slide, survey.thumbnail, TissueSettings().mpp_um)
    drawn = _draw(folder, planned, measured, record)
    page = MapPage(
        record=record,
        parts=measured.parts,
        fields_tell=measured.fields_tell,
        spatial=measured.spatial,
        n_cells=len(measured.cells),
        has_profile=len(measured.profile) > 0,
        cells_files=[cells_file(kind) for kind in formats],
        pictures=drawn,
    )
    folder.add_file(report.html_of(page), "report.html")
    output.write_record(folder, record)


def _write_cells(
    folder: output.OutputFolder,
    planned: PlannedSlide,
    measured: Measured,
    record: Mapping[str, Any],
    formats: Collection[CellFormat],
) -> None:
    slide, marker, cells = planned.slide, str(record["marker"]), measured.cells
    for kind in formats:
        file = folder.new_file(cells_file(kind))
        match kind:
            case CellFormat.PARQUET:
                write_parquet(file, cells)
            case CellFormat.CSV:
                output.write_table(file, cells, MAP_CELLS)
            case CellFormat.GEOJSON:
                write_cells_geojson(
                    file, cells, CLASS_COLOURS, slide=slide.name, marker=marker, mpp_um=slide.mpp_um
                )
            case CellFormat.ANNDATA:
                about = {
                    "slide": slide.name, "marker": marker, "mpp_um": slide.mpp_um,
                    "ihcscore": str(record["ihcscore"]),
                    "region_source": str(record["annotations"]["source"]),
                }  # fmt: skip
                write_anndata(file, cells, mpp_um=slide.mpp_um, about=about)


def _draw(
    folder: output.OutputFolder, planned: PlannedSlide, measured: Measured, record: Mapping[str, Any]
) -> list[str]:
    """Density, profile, draws of fields and spatial statistics; the names of what was drawn."""
    about = f"{planned.slide.name}  ·  {record['marker']}"
    folder.add_file(density_figure(_density_picture(planned, measured, record)), "density.png")
    drawn = ["density"]

    def add(name: str, figure: dict[str, bytes]) -> None:
        for kind, content in figure.items():
            folder.add_file(content, f"{name}.{kind}")
        drawn.append(name)

    settings, summary = planned.settings, measured.summary
    if len(measured.profile):
        marker = str(record["marker"])
        title = f"{about}  ·  regions {record['annotations']['source']}"
        add(
            "profile",
            profile_figure({marker: measured.profile}, title=title, margin_um=settings.regions.margin_um),
        )
    if len(measured.six_means):
        own = measured.fields_tell[measured.fields_tell["n_fields"] == settings.fields.n_fields]
        add(
            "fields",
            fields_figure(
                measured.six_means,
                drawn=summary["fields_mean_per_mm2"],
                from_run=bool(record["of_run"]),
                n_fields=int(own["n_fields_in_all"].iloc[0]) if len(own) else settings.fields.n_fields,
                title=about,
            ),
        )
    if len(measured.spatial):
        add("spatial", spatial_figure(measured.spatial, title=about))
    return drawn


def _density_picture(planned: PlannedSlide, measured: Measured, record: Mapping[str, Any]) -> DensityPicture:
    slide, mm = planned.slide, planned.slide.mpp_um / 1000
    thumbnail = planned.survey.thumbnail
    rgb = thumbnail.rgb
    if max(rgb.shape) < _PICTURE_PX / 2:
        longest_um = max(slide.size_xy_px) * slide.mpp_um
        rgb = slide.thumbnail(max(longest_um / _PICTURE_PX, slide.mpp_um)).rgb
    spot, radius = measured.summary["hot_spot"], record["parameters"]["radius_um"]
    width, height = (size * mm for size in slide.size_xy_px)
    density_mm = measured.area.tissue.mpp_um / 1000
    rows, columns = measured.density.shape
    return DensityPicture(
        rgb=pictures.shrunk_to_fit(rgb, (_PICTURE_PX, _PICTURE_PX)),
        density=measured.density,
        size_mm=(max(width, columns * density_mm), max(height, rows * density_mm)),
        tumour=shapely.transform(measured.area.border.tumour, lambda xy: xy * mm),
        squares=_squares(measured.fields, mm),
        hot_spot=None
        if spot is None
        else Square(x_px=spot["x_px"], y_px=spot["y_px"], side_px=spot["side_px"]).corners_xy_px * mm,
        title=f"{slide.name}  ·  {record['marker']}",
        kernel=f"flat disc of {radius:g} µm radius",
    )


def _squares(fields: pd.DataFrame, mm: float) -> list[tuple[str, str, np.ndarray]]:
    """The scored fields by name, region and corners."""
    shown = fields[fields["status"] == FieldStatus.SCORED]
    return [
        (str(row["field_id"]), str(row["region"]), square_of(row).corners_xy_px * mm)
        for row in shown.to_dict("records")
    ]
