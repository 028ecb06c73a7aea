"""Hamamatsu NDPI: a TIFF whose levels are each one JPEG strip."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray

from writers.pyramid import levels_of

# Tags of Hamamatsu's own: https://openslide.org/formats/hamamatsu/
FORMAT_FLAG, SOURCE_LENS, X_OFFSET_NM, Y_OFFSET_NM, FOCAL_PLANE = 65420, 65421, 65422, 65423, 65424
MAKE, MODEL = 271, 272


def write_ndpi(
    path: Path,
    rgb: NDArray[np.uint8],
    *,
    mpp_xy_um: tuple[float, float] = (0.5, 0.5),
    n_levels: int = 3,
    lens: float = 20.0,
    quality: int = 95,
) -> Path:
    """Write an NDPI without restart markers: OpenSlide takes a whole level for one tile, so keep it small."""
    with tifffile.TiffWriter(path, byteorder="<") as tiff:
        for k, level in enumerate(levels_of(rgb, n_levels)):
            tiff.write(
                level,
                photometric="rgb",
                compression="jpeg",
                compressionargs={"level": quality},
                subsampling=(1, 1),
                rowsperstrip=level.shape[0],
                resolution=tuple(1e4 / (mpp * 2**k) for mpp in mpp_xy_um),
                resolutionunit="CENTIMETER",
                software="NDP.scan",
                subfiletype=0,
                metadata=None,
                extratags=[
                    (FORMAT_FLAG, "I", 1, 1, True),
                    (SOURCE_LENS, "f", 1, lens / 2**k, True),
                    (X_OFFSET_NM, "i", 1, 0, True),
                    (Y_OFFSET_NM, "i", 1, 0, True),
                    (FOCAL_PLANE, "i", 1, 0, True),
                    (MAKE, "s", 0, "Hamamatsu", True),
                    (MODEL, "s", 0, "NanoZoomer", True),
                ],
            )
    return path
