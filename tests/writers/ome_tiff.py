"""OME-TIFF, with its coarser levels in SubIFDs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray

from writers.pyramid import levels_of


def write_ome_tiff(
    path: Path,
    rgb: NDArray[np.uint8],
    *,
    mpp_xy_um: tuple[float, float] | None = (0.5, 0.5),
    n_levels: int = 1,
    tile_px: int = 256,
    quality: int = 95,
) -> Path:
    """Write ``name.ome.tif``; OpenSlide sees only its level 0. `mpp_xy_um` of None leaves the size out."""
    levels = levels_of(rgb, n_levels)
    metadata: dict[str, object] = {"axes": "YXS"}
    if mpp_xy_um is not None:
        metadata |= {"PhysicalSizeX": mpp_xy_um[0], "PhysicalSizeY": mpp_xy_um[1]}
        metadata |= {"PhysicalSizeXUnit": "µm", "PhysicalSizeYUnit": "µm"}
    options = {
        "tile": (tile_px, tile_px),
        "photometric": "rgb",
        "compression": "jpeg",
        "compressionargs": {"level": quality},
    }
    with tifffile.TiffWriter(path, ome=True) as tiff:
        tiff.write(levels[0], subifds=n_levels - 1, metadata=metadata, **options)
        for level in levels[1:]:
            tiff.write(level, subfiletype=1, metadata=None, **options)
    return path
