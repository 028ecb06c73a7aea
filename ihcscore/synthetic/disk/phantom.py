"""A drawn section on disk: slide, outline of the tumour, truth."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from ihcscore.geometry.polygons import filled
from ihcscore.synthetic.disk.mirax import ArraySource, MiraxSettings, write_mirax

if TYPE_CHECKING:
    import pandas as pd

    from ihcscore.synthetic.section import Section


@dataclass(frozen=True, kw_only=True)
class PhantomFiles:
    """Files of a phantom.

    Attributes
    ----------
    slide : Path
        ``name.mrxs``; its data lie in the folder ``name``.
    annotation : Path
        ``name.geojson``, the tumour's outline as QuPath writes it.
    cells : Path
        ``name_cells.csv``, all cells.
    pigment : Path
        ``name_pigment.csv``, all pigmented things.
    zones : Path
        ``name_zones.csv``, area, planted and true density of each zone.
    """

    slide: Path
    annotation: Path
    cells: Path
    pigment: Path
    zones: Path


def write_phantom(
    folder: Path, section: Section, *, name: str = "phantom", mirax: MiraxSettings | None = None
) -> PhantomFiles:
    """Write a section as a MIRAX slide with its annotation and truth.

    All coordinates in the files are level-0 pixels from the slide's bounds origin
    (``openslide.bounds-x``, ``-y``), as in QuPath, and so are those of `section`: its first pixel is that
    origin. The corners, far from the tissue, are not scanned, nor is a border left of and above it.

    Parameters
    ----------
    folder : Path
        Where to write; made if missing.
    section : Section
        What to write.
    name : str
        Stem of all file names.
    mirax : MiraxSettings, optional
        How to store the slide; by default with a border of 2 by 1 unscanned tiles.

    Returns
    -------
    PhantomFiles
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    files = PhantomFiles(
        slide=folder / f"{name}.mrxs",
        annotation=folder / f"{name}.geojson",
        cells=folder / f"{name}_cells.csv",
        pigment=folder / f"{name}_pigment.csv",
        zones=folder / f"{name}_zones.csv",
    )
    write_slide(files.slide, section, mirax=mirax)
    write_text(files.annotation, section.geojson_text())
    write_table(files.cells, section.cells)
    write_table(files.pigment, section.pigment)
    write_table(files.zones, section.zones)
    return files


def write_slide(path: Path, section: Section, *, mirax: MiraxSettings | None = None) -> None:
    """Write a section as a MIRAX slide, ``name.mrxs``, and nothing else; see `write_phantom`."""
    mirax = mirax or MiraxSettings(border_tiles_xy=(2, 1), objective_power=round(10 / section.mpp_um))
    source = ArraySource(rgb=section.rgb, scanned=scanned_tiles(section, mirax.tile_px))
    write_mirax(path, source, mpp_um=section.mpp_um, settings=mirax)


def scanned_tiles(section: Section, tile_px: int) -> NDArray[np.bool_]:
    """Which tiles a scanner would scan: those near the tissue, out to all four edges of the picture.

    Returns
    -------
    ndarray of bool, shape (rows, columns)
    """
    rows, columns = (-(-side // tile_px) for side in section.rgb.shape[:2])
    mask = filled([np.floor(np.array(section.tissue_px) / tile_px)], (rows, columns), bits=0)
    away = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    edges = (away[0], away[-1], away[:, 0], away[:, -1])
    reach = max(1.5, *(float(edge.min()) for edge in edges))
    return np.asarray(away <= reach)


def write_text(path: Path, text: str) -> None:
    """Write a text file, whole or not at all."""
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table as CSV, numbers to six figures."""
    write_text(path, table.to_csv(index=False, float_format="%.6g", lineterminator="\n"))
