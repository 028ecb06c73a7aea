"""Cells of a whole slide as files: Parquet, CSV, GeoJSON, AnnData; the same bytes for the same cells."""

from __future__ import annotations

import gzip
import json
import uuid
from collections.abc import Collection, Mapping
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ihcscore.errors import OutputError, parameter

if TYPE_CHECKING:
    import pandas as pd

    from ihcscore.schema import Rgb

# Cells that are turned into text at once: 20 MB of it.
_AT_ONCE = 20_000


class CellFormat(StrEnum):
    """How the cells of a map are written."""

    PARQUET = "parquet"
    CSV = "csv"
    GEOJSON = "geojson"
    ANNDATA = "anndata"


_FILES = {
    CellFormat.PARQUET: "cells.parquet",
    CellFormat.CSV: "cells.csv",
    CellFormat.GEOJSON: "cells.geojson.gz",
    CellFormat.ANNDATA: "cells.h5ad",
}
_NEEDS = {CellFormat.PARQUET: ("pyarrow", "map"), CellFormat.ANNDATA: ("anndata", "anndata")}


def cells_file(kind: CellFormat) -> str:
    """Name of the file."""
    return _FILES[kind]


def writable(formats: Collection[CellFormat]) -> tuple[CellFormat, ...]:
    """The formats that were asked for; CSV stands for Parquet where that cannot be written.

    Raises
    ------
    OutputError
        If one needs a package that is not installed, which is said in a sentence.
    """
    if CellFormat.CSV in formats and find_spec(_NEEDS[CellFormat.PARQUET][0]) is None:
        formats = [kind for kind in formats if kind is not CellFormat.PARQUET]
    for kind in formats:
        package, extra = _NEEDS.get(kind, ("", ""))
        if package and find_spec(package) is None:
            instead = f", or give {parameter('csv')} in its place" if extra == "map" else ""
            raise OutputError(
                f"{package} is not installed, without which {_FILES[kind]} cannot be written; "
                f"pip install 'ihcscore[{extra}]'{instead}"
            )
    return tuple(kind for kind in CellFormat if kind in formats)


def write_parquet(path: Path, cells: pd.DataFrame) -> None:
    """Write cells as Parquet: columns of 64-bit floats and of words by number, compressed."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pandas(cells, preserve_index=False).replace_schema_metadata(None)
    pq.write_table(table, path, compression="zstd")


def write_cells_geojson(
    path: Path, cells: pd.DataFrame, colours: Mapping[str, Rgb], *, slide: str, marker: str, mpp_um: float
) -> None:
    """Write cells as QuPath's detections, compressed, some at a time.

    Parameters
    ----------
    path : Path
    cells : DataFrame
        Level-0 pixels.
    colours : mapping
        Of classes.
    slide, marker : str
        Name the features, so that the same map gives the same ids.
    mpp_um : float
        µm per level-0 pixel.
    """
    from ihcscore.output.geojson import cells_geojson

    with path.open("wb") as file, gzip.GzipFile("", "wb", compresslevel=6, fileobj=file, mtime=0) as packed:
        packed.write(b'{"type":"FeatureCollection","features":[\n')
        for start in range(0, len(cells), _AT_ONCE):
            some = cells.iloc[start : start + _AT_ONCE]
            numbers = range(start + 1, start + len(some) + 1)
            named = some.assign(
                field_id="map",
                number=numbers,
                cell_id=[str(uuid.uuid5(uuid.NAMESPACE_OID, f"{slide}/{marker}/map/{n}")) for n in numbers],
            )
            features = cells_geojson(named, colours, mpp_um=mpp_um)["features"]
            lines = (
                json.dumps(one, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
                for one in features
            )
            packed.write((",\n" if start else "").encode() + ",\n".join(lines).encode("utf-8"))
        packed.write(b"\n]}\n")


def write_anndata(path: Path, cells: pd.DataFrame, *, mpp_um: float, about: Mapping[str, Any]) -> None:
    """Write cells as AnnData (HDF5), as squidpy and LazySlide read them.

    ``X`` holds diameter and optical densities, ``obs`` class, place, region, distance and confidence,
    ``obsm["spatial"]`` x and y in µm from the slide's corner, ``uns["ihcscore"]`` what the map is of.
    """
    as_anndata(cells, mpp_um=mpp_um, about=about).write_h5ad(path, compression="gzip")


def as_anndata(cells: pd.DataFrame, *, mpp_um: float, about: Mapping[str, Any]) -> Any:
    """Cells as an AnnData object; see :func:`write_anndata`."""
    import anndata
    import numpy as np
    import pandas as pd

    from ihcscore.geometry.square import corners_of_centres

    measured = ["diameter_um", "chromogen_od", "hematoxylin_od"]
    obs = cells[["class", "place", "region", "distance_um", "confidence"]].copy()
    obs.index = pd.Index([str(number) for number in range(1, len(cells) + 1)], dtype=object)
    xy_um = corners_of_centres(cells[["x_px", "y_px"]].to_numpy(float)) * mpp_um
    return anndata.AnnData(
        X=cells[measured].to_numpy(np.float32),
        obs=obs,
        var=pd.DataFrame(index=pd.Index(measured, dtype=object)),
        obsm={"spatial": xy_um},
        uns={"ihcscore": dict(about)},
    )
