"""Tiled pyramidal TIFF of no maker."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray

from writers.pyramid import levels_of


def write_tiff(
    path: Path,
    rgb: NDArray[np.uint8],
    *,
    mpp_xy_um: tuple[float, float] | None = (0.5, 0.5),
    n_levels: int = 3,
    tile_px: int = 256,
    quality: int = 95,
) -> Path:
    """Write a tiled TIFF; `mpp_xy_um` goes to its resolution tags (pixels per cm), None leaves them unset."""
    with tifffile.TiffWriter(path) as tiff:
        for k, level in enumerate(levels_of(rgb, n_levels)):
            resolution = {}
            if mpp_xy_um is not None:
                per_cm = tuple(1e4 / (mpp * 2**k) for mpp in mpp_xy_um)
                resolution = {"resolution": per_cm, "resolutionunit": "CENTIMETER"}
            tiff.write(
                level,
                tile=(tile_px, tile_px),
                photometric="rgb",
                compression="jpeg",
                compressionargs={"level": quality},
                subfiletype=1
                if k
                else 0,  # without it OpenSlide takes coarser levels for slides of their own
                metadata=None,
                **resolution,
            )
    return path
