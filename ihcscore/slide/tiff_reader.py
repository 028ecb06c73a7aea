"""OME-TIFF through tifffile: single level or pyramid in sub-IFDs, tiles or strips, chunky or planar."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import defusedxml.ElementTree
import numpy as np
import tifffile
from defusedxml import DefusedXmlException
from numpy.typing import NDArray

from ihcscore.errors import ReadError, SlideError
from ihcscore.slide.base import Level, Slide

# Units of OME's PhysicalSize in µm (OME data model, 2016-06).
_UNIT_UM = {"µm": 1.0, "um": 1.0, "nm": 1e-3, "mm": 1e3, "cm": 1e4, "m": 1e6, "pm": 1e-6}


def is_ome_tiff(path: Path) -> bool:
    """Whether the file is a TIFF with OME-XML in it."""
    with path.open("rb") as file:
        if file.read(2) not in (b"II", b"MM"):
            return False
    try:
        with tifffile.TiffFile(path) as tiff:
            return bool(tiff.is_ome)
    except Exception:
        return False  # a damaged TIFF: OpenSlide says what is wrong with it


class TiffReader(Slide):
    """An RGB OME-TIFF.

    Parameters
    ----------
    path : Path
    identity : str

    Raises
    ------
    SlideError
        If the file is damaged or holds no 8-bit RGB image.
    """

    format = "ome-tiff"
    background_rgb = (255, 255, 255)

    def __init__(self, path: Path, *, identity: str) -> None:
        self.name = path.name
        self.identity = identity
        try:
            self._tiff = tifffile.TiffFile(path)
            series = self._tiff.series[0]
            self._pages = [level.keyframe for level in series.levels]
        except Exception as error:
            raise SlideError(
                f"{self.name}: cannot be opened as OME-TIFF ({' '.join(str(error).split())})"
            ) from error
        try:
            self._check_rgb(series)
            self._read_levels()
            self.file_mpp_um = _physical_size_um(self._tiff.ome_metadata or "")
        except SlideError:
            self._tiff.close()
            raise

    def _check_rgb(self, series: Any) -> None:
        page = self._pages[0]
        if page.dtype != np.uint8 or page.samplesperpixel != 3 or len(series.pages) != 1:
            channels = page.samplesperpixel * len(series.pages)
            raise SlideError(
                f"{self.name}: not an 8-bit RGB image ({channels} planes of {page.dtype}); export it as RGB"
            )

    def _read_levels(self) -> None:
        width = self._pages[0].imagewidth
        self.levels = tuple(
            Level(
                size_xy_px=(page.imagewidth, page.imagelength),
                downsample=1.0 if i == 0 else width / page.imagewidth,
            )
            for i, page in enumerate(self._pages)
        )

    def _read_rgba(
        self, level: int, xy_px: tuple[int, int], size_xy_px: tuple[int, int]
    ) -> NDArray[np.uint8]:
        (x, y), (width, height) = xy_px, size_xy_px
        rgba = np.full((height, width, 4), 255, np.uint8)
        page = self._pages[level]
        tile_h, tile_w = (
            (page.tilelength, page.tilewidth) if page.is_tiled else (page.rowsperstrip, page.imagewidth)
        )
        across, down = -(-page.imagewidth // tile_w), -(-page.imagelength // tile_h)
        planes = 3 if page.planarconfig == 2 else 1
        for row in range(y // tile_h, (y + height - 1) // tile_h + 1):
            for column in range(x // tile_w, (x + width - 1) // tile_w + 1):
                for plane in range(planes):
                    index = (plane * down + row) * across + column
                    tile = self._decode(page, index)
                    channels = slice(plane, plane + 1) if planes == 3 else slice(0, 3)
                    if tile is None:
                        rgba[..., 3][
                            _overlap(x, y, width, height, column * tile_w, row * tile_h, tile_w, tile_h)[0]
                        ] = 0
                        continue
                    here, there = _overlap(
                        x, y, width, height, column * tile_w, row * tile_h, tile.shape[1], tile.shape[0]
                    )
                    rgba[..., channels][here] = tile[there]
        return rgba

    def _decode(self, page: Any, index: int) -> NDArray[np.uint8] | None:
        """One tile or strip, shape (height, width, samples); None where the file stores none."""
        length = page.databytecounts[index]
        if length == 0:
            return None
        try:
            handle = self._tiff.filehandle
            handle.seek(page.dataoffsets[index])
            encoded = handle.read(length)
            tile, _, shape = page.decode(encoded, index, jpegtables=page.jpegtables)
        except Exception as error:
            raise ReadError(
                f"{self.name}: cannot decode tile {index} ({' '.join(str(error).split())})"
            ) from error
        return np.asarray(tile[0, : shape[1], : shape[2]], np.uint8)

    def close(self) -> None:
        """Close the file."""
        self._tiff.close()


def _overlap(
    x: int, y: int, width: int, height: int, tile_x: int, tile_y: int, tile_w: int, tile_h: int
) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Slices (rows, columns) of the part that a rectangle and a tile share: in the rectangle, in the tile."""
    left, top = max(x, tile_x), max(y, tile_y)
    right, bottom = min(x + width, tile_x + tile_w), min(y + height, tile_y + tile_h)
    here = slice(top - y, bottom - y), slice(left - x, right - x)
    there = slice(top - tile_y, bottom - tile_y), slice(left - tile_x, right - tile_x)
    return here, there


def _physical_size_um(ome_xml: str) -> tuple[float, float] | None:
    """PhysicalSizeX and PhysicalSizeY of the first image, in µm."""
    try:
        root = defusedxml.ElementTree.fromstring(ome_xml, forbid_dtd=True)
    except (ParseError, DefusedXmlException):
        return None
    pixels = root.find(".//{*}Pixels")
    if pixels is None:
        return None
    sizes = []
    for axis in "XY":
        value, unit = pixels.get(f"PhysicalSize{axis}"), pixels.get(f"PhysicalSize{axis}Unit", "µm")
        if value is None or unit not in _UNIT_UM:
            return None
        sizes.append(float(value) * _UNIT_UM[unit])
    return sizes[0], sizes[1]
