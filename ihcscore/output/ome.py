"""A map as OME-TIFF that QuPath opens in register with the slide; the same bytes for the same map."""

from __future__ import annotations

import hashlib
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_TILE_PX = 256


def write_ome_tiff(path: Path, plane: NDArray[np.float32], *, mpp_um: float, name: str, channel: str) -> None:
    """Write a plane of 32-bit floats.

    Parameters
    ----------
    path : Path
    plane : ndarray of float32, shape (height, width)
        Its first pixel's corner is the slide's; NaN where there is no value.
    mpp_um : float
        µm per pixel.
    name, channel : str
        Of the image and its channel.
    """
    import tifffile

    # tifffile would draw the file's own name at random.
    own = uuid.UUID(
        bytes=hashlib.sha256(plane.tobytes() + name.encode("utf-8", "replace")).digest()[:16], version=4
    )
    tifffile.imwrite(
        path,
        plane,
        ome=True,
        photometric="minisblack",
        tile=(_TILE_PX, _TILE_PX),
        compression="zlib",
        predictor=3,
        resolution=(10_000 / mpp_um, 10_000 / mpp_um),
        resolutionunit="CENTIMETER",
        software="ihcscore",
        metadata={
            "axes": "YX",
            "UUID": f"urn:uuid:{own}",
            "Creator": "ihcscore",
            "Name": name,
            "PhysicalSizeX": mpp_um,
            "PhysicalSizeXUnit": "µm",
            "PhysicalSizeY": mpp_um,
            "PhysicalSizeYUnit": "µm",
            "Channel": {"Name": channel},
        },
    )
