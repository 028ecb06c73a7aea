"""Leica SCN: a BigTIFF whose first description says which page is which part of the slide."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray

from writers.pyramid import levels_of

NAMESPACE = "http://www.leica-microsystems.com/scn/2010/10/01"
# Where the scanned area lies on the glass, in its own pixels.
OFFSET_XY_PX = (300, 200)


def write_scn(
    path: Path,
    rgb: NDArray[np.uint8],
    *,
    mpp_um: float = 0.5,
    n_levels: int = 3,
    tile_px: int = 256,
    quality: int = 95,
) -> Path:
    """Write an SCN: an overview of the glass, then the levels of one scanned area on it."""
    levels = levels_of(rgb, n_levels)
    overview = np.full((256, 512, 3), 230, np.uint8)
    with tifffile.TiffWriter(path, bigtiff=True) as tiff:
        for k, page in enumerate([overview, *levels]):
            tiff.write(
                page,
                tile=(tile_px, tile_px),
                photometric="rgb",
                compression="jpeg",
                compressionargs={"level": quality},
                subfiletype=0,
                description=_xml(levels, overview, mpp_um) if k == 0 else None,
                resolution=(1e4 / (mpp_um * 2 ** (k - 1)),) * 2 if k else (1e2, 1e2),
                resolutionunit="CENTIMETER",
                metadata=None,
            )
    return path


def _xml(levels: list[NDArray[np.uint8]], overview: NDArray[np.uint8], mpp_um: float) -> str:
    height, width = levels[0].shape[:2]
    nm = round(mpp_um * 1000)
    glass = ((width + 2 * OFFSET_XY_PX[0]) * nm, (height + 2 * OFFSET_XY_PX[1]) * nm)
    area = _view((width * nm, height * nm), (OFFSET_XY_PX[0] * nm, OFFSET_XY_PX[1] * nm))
    return (
        f'<?xml version="1.0"?><scn xmlns="{NAMESPACE}" uuid="urn:uuid:0">'
        f'<collection name="glass" uuid="urn:uuid:1" sizeX="{glass[0]}" sizeY="{glass[1]}">'
        f"<barcode></barcode>{_image([overview], 0, _view(glass, (0, 0)), '0.6')}"
        f"{_image(levels, 1, area, '20')}</collection></scn>"
    )


def _view(size_nm: tuple[int, int], offset_nm: tuple[int, int]) -> str:
    return (
        f'<view sizeX="{size_nm[0]}" sizeY="{size_nm[1]}" offsetX="{offset_nm[0]}" offsetY="{offset_nm[1]}" '
        'spacingZ="0"/>'
    )


def _image(pages: list[NDArray[np.uint8]], first_ifd: int, view: str, objective: str) -> str:
    height, width = pages[0].shape[:2]
    dimensions = "".join(
        f'<dimension sizeX="{page.shape[1]}" sizeY="{page.shape[0]}" r="{k}" ifd="{first_ifd + k}"/>'
        for k, page in enumerate(pages)
    )
    return (
        f'<image name="i{first_ifd}" uuid="urn:uuid:2{first_ifd}">'
        "<creationDate>2000-01-01T00:00:00Z</creationDate>"
        f'<device model="Leica SCN400;Leica SCN" version="1.0"/>'
        f'<pixels sizeX="{width}" sizeY="{height}">{dimensions}</pixels>{view}'
        f"<scanSettings><objectiveSettings><objective>{objective}</objective></objectiveSettings>"
        "<illuminationSettings><numericalAperture>0.4</numericalAperture>"
        "<illuminationSource>brightfield</illuminationSource></illuminationSettings></scanSettings></image>"
    )
