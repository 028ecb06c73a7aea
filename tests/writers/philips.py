"""Philips TIFF: tiled BigTIFF whose first description is the scanner's XML."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray

from writers.pyramid import levels_of


def write_philips(
    path: Path,
    rgb: NDArray[np.uint8],
    *,
    mpp_xy_um: tuple[float, float] = (0.5, 0.5),
    n_levels: int = 3,
    tile_px: int = 256,
    quality: int = 95,
) -> Path:
    """Write a Philips TIFF; as the scanner does, pages of coarser levels are padded to whole tiles."""
    with tifffile.TiffWriter(path, bigtiff=True) as tiff:
        for k, level in enumerate(levels_of(rgb, n_levels)):
            if k:
                down, right = (-n % tile_px for n in level.shape[:2])
                level = np.pad(level, ((0, down), (0, right), (0, 0)), constant_values=255)
            tiff.write(
                level,
                tile=(tile_px, tile_px),
                photometric="rgb",
                compression="jpeg",
                compressionargs={"level": quality},
                subfiletype=1 if k else 0,
                description=f"level={k}" if k else _xml(mpp_xy_um, n_levels),
                software="Philips DP v1.0",
                metadata=None,
            )
    return path


def _xml(mpp_xy_um: tuple[float, float], n_levels: int) -> str:
    representations = "".join(
        '<DataObject ObjectType="PixelDataRepresentation">'
        + _attribute("DICOM_PIXEL_SPACING", _spacing(mpp_xy_um, k))
        + _attribute("PIIM_PIXEL_DATA_REPRESENTATION_NUMBER", str(k))
        + "</DataObject>"
        for k in range(n_levels)
    )
    image = (
        '<DataObject ObjectType="DPScannedImage">'
        + _attribute("PIM_DP_IMAGE_TYPE", "WSI")
        + _attribute(
            "DICOM_DERIVATION_DESCRIPTION", "tiff-useBigTIFF=1-useRgb=0-levels=10003,10000-processed"
        )
        + _attribute("DICOM_PIXEL_SPACING", _spacing(mpp_xy_um, 0))
        + _array("PIIM_PIXEL_DATA_REPRESENTATION_SEQUENCE", "8B01", representations)
        + "</DataObject>"
    )
    return (
        '<?xml version="1.0" encoding="UTF-8" ?><DataObject ObjectType="DPUfsImport">'
        + _attribute("DICOM_MANUFACTURER", "PHILIPS")
        + _array("PIM_DP_SCANNED_IMAGES", "1003", image)
        + "</DataObject>"
    )


def _spacing(mpp_xy_um: tuple[float, float], level: int) -> str:
    """Millimetres per pixel: rows (y) first, as in DICOM."""
    x, y = (mpp * 2**level / 1e3 for mpp in mpp_xy_um)
    return f"&quot;{y:.9f}&quot; &quot;{x:.9f}&quot;"


def _attribute(name: str, value: str) -> str:
    return f'<Attribute Name="{name}" Group="0x301D" Element="0x1000" PMSVR="IString">{value}</Attribute>'


def _array(name: str, element: str, objects: str) -> str:
    return (
        f'<Attribute Name="{name}" Group="0x301D" Element="0x{element}" PMSVR="IDataObjectArray">'
        f"<Array>{objects}</Array></Attribute>"
    )
