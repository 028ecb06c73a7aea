"""A tiled TIFF of JPEGs whose coding is chosen: colours, subsampling, tables of their own or shared ones."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

Rgb = NDArray[np.uint8]
SOI, EOI, SOS = b"\xff\xd8", b"\xff\xd9", 0xDA
TABLES = (0xDB, 0xC4)  # quantisation, Huffman


@dataclass(frozen=True, kw_only=True)
class JpegSettings:
    """How tiles are coded.

    `subsampling` is how many pixels share chroma across and down; `shared_tables` takes the tables out of
    the tiles, whose streams are then abbreviated, into the page's JPEGTables; `is_rgb` stores red, green and
    blue instead of YCbCr; `claims_rgb` lets the page say RGB of YCbCr, as Bio-Formats does; `ome` adds
    OME-XML.
    """

    subsampling: tuple[int, int] = (1, 1)
    shared_tables: bool = False
    is_rgb: bool = False
    claims_rgb: bool = False
    ome: bool = False
    tile_px: int = 128
    quality: int = 90
    icc: bytes | None = None


def write_jpeg_tiles(path: Path, rgb: Rgb, settings: JpegSettings) -> Path:
    """Write one level, which OpenSlide takes for ``generic-tiff``."""
    streams = [_encoded(tile, settings) for tile in _tiles(rgb, settings.tile_px)]
    says_rgb = settings.is_rgb or settings.claims_rgb
    tables = None
    if settings.shared_tables:
        tables = _parts(streams[0])[0]
        streams = [_parts(stream)[1] for stream in streams]
    tifffile.imwrite(
        path,
        iter(streams),
        shape=rgb.shape,
        dtype=np.uint8,
        tile=(settings.tile_px, settings.tile_px),
        photometric="rgb" if says_rgb else "ycbcr",
        compression="jpeg",
        compressionargs={"outcolorspace": "rgb"} if says_rgb else {},  # else the page says YCbCr
        subsampling=settings.subsampling,
        jpegtables=tables,
        iccprofile=settings.icc,
        resolution=(20_000, 20_000),
        resolutionunit="CENTIMETER",
        ome=settings.ome,
        metadata={"axes": "YXS"} if settings.ome else None,
    )
    return path


def _tiles(rgb: Rgb, side: int) -> Iterator[Rgb]:
    down, right = (-n % side for n in rgb.shape[:2])
    padded = np.pad(rgb, ((0, down), (0, right), (0, 0)), mode="edge")
    for y in range(0, padded.shape[0], side):
        for x in range(0, padded.shape[1], side):
            yield np.ascontiguousarray(padded[y : y + side, x : x + side])


def _encoded(tile: Rgb, settings: JpegSettings) -> bytes:
    encoded = io.BytesIO()
    Image.fromarray(tile).save(
        encoded,
        "JPEG",
        quality=settings.quality,
        keep_rgb=settings.is_rgb,
        subsampling={(1, 1): 0, (2, 1): 1, (2, 2): 2}[settings.subsampling],
    )
    return encoded.getvalue()


def _parts(stream: bytes) -> tuple[bytes, bytes]:
    """Tables of a JPEG as a stream of their own, and the stream without them."""
    tables, rest, at = b"", b"", 2
    while stream[at + 1] != SOS:
        length = int.from_bytes(stream[at + 2 : at + 4], "big") + 2
        if stream[at + 1] in TABLES:
            tables += stream[at : at + length]
        else:
            rest += stream[at : at + length]
        at += length
    return SOI + tables + EOI, SOI + rest + stream[at:]
