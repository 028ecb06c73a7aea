"""Ventana BIF: a BigTIFF of stitched tiles, described by XML in the XMP tag."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray

from writers.pyramid import levels_of

XMP = 700


def write_bif(
    path: Path,
    rgb: NDArray[np.uint8],
    *,
    mpp_um: float = 0.5,
    n_levels: int = 3,
    tile_px: int = 64,
    quality: int = 95,
) -> Path:
    """Write a BIF with one area of tiles that meet without overlap; the far tiles are padded with white."""
    down, right = (-n % (tile_px << (n_levels - 1)) for n in rgb.shape[:2])
    padded = np.pad(rgb, ((0, down), (0, right), (0, 0)), constant_values=255)
    label = np.full((128, 64, 3), 250, np.uint8)
    with tifffile.TiffWriter(path, bigtiff=True) as tiff:
        tiff.write(
            label,
            photometric="rgb",
            description="Label Image",
            metadata=None,
            extratags=[_xmp(_iscan(mpp_um))],
        )
        for k, level in enumerate(levels_of(padded, n_levels)):
            tiff.write(
                level,
                tile=(tile_px, tile_px),
                photometric="rgb",
                compression="jpeg",
                compressionargs={"level": quality},
                subfiletype=0,
                description=f"level={k} mag={20 / 2**k:g} quality={quality}",
                metadata=None,
                extratags=[_xmp(_encode_info(level.shape[:2], tile_px))] if k == 0 else [],
            )
    return path


def _xmp(xml: str) -> tuple[int, str, int, bytes, bool]:
    packet = xml.encode()
    return XMP, "B", len(packet), packet, True


def _iscan(mpp_um: float) -> str:
    return (
        f'<iScan Magnification="20" ScanRes="{mpp_um}" Z-layers="1" ScannerModel="VENTANA DP 200" '
        'UnitNumber="0"><AOI0 Left="0" Top="0" Right="1" Bottom="1"/></iScan>'
    )


def _encode_info(shape: tuple[int, ...], tile_px: int) -> str:
    rows, columns = shape[0] // tile_px, shape[1] // tile_px
    return (
        '<EncodeInfo Ver="2"><SlideStitchInfo><ImageInfo AOIScanned="1" AOIIndex="0" '
        f'NumRows="{rows}" NumCols="{columns}" Width="{tile_px}" Height="{tile_px}" Pos-X="0" Pos-Y="0">'
        f"{_joints(rows, columns)}</ImageInfo></SlideStitchInfo>"
        '<AoiOrigin><AOI0 OriginX="0" OriginY="0"/></AoiOrigin></EncodeInfo>'
    )


def _joints(rows: int, columns: int) -> str:
    """Every tile's joint to its right and upper neighbour, numbered in a snake from the lower left corner."""

    def number(row: int, column: int) -> int:
        return row * columns + (columns - 1 - column if row % 2 else column) + 1

    joints = []
    for row in range(rows):  # from the bottom up
        for column in range(columns):
            if column + 1 < columns:
                joints.append(("RIGHT", number(row, column), number(row, column + 1)))
            if row + 1 < rows:
                joints.append(("UP", number(row, column), number(row + 1, column)))
    return "".join(
        f'<TileJointInfo FlagJoined="1" Confidence="99" Direction="{direction}" Tile1="{one}" Tile2="{two}" '
        'OverlapX="0" OverlapY="0"/>'
        for direction, one, two in joints
    )
