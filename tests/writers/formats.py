"""Every format that can be written, by name: at 0.5 µm/px, with three levels where it has any."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ihcscore.synthetic import MiraxSettings, write_mirax
from writers.bif import write_bif
from writers.dicom import write_dicom
from writers.ndpi import write_ndpi
from writers.ome_tiff import write_ome_tiff
from writers.philips import write_philips
from writers.scn import write_scn
from writers.svs import SvsSettings, write_svs
from writers.tiff import write_tiff

Rgb = NDArray[np.uint8]


def _mirax(folder: Path, rgb: Rgb) -> Path:
    settings = MiraxSettings(tile_px=128, quality=95, border_tiles_xy=(3, 2))
    return write_mirax(folder / "a.mrxs", rgb, mpp_um=0.5, settings=settings)


def _svs(folder: Path, rgb: Rgb, settings: SvsSettings) -> Path:
    return write_svs(folder / "a.svs", rgb, settings)


# A folder and a picture (uint8, height × width × 3) to the file or folder that is opened.
WRITERS: dict[str, Callable[[Path, Rgb], Path]] = {
    "mirax": _mirax,
    "svs jpeg": partial(_svs, settings=SvsSettings()),
    "svs jpeg 4:2:2": partial(_svs, settings=SvsSettings(subsampling=(2, 1))),
    "svs jpeg 4:2:0": partial(_svs, settings=SvsSettings(subsampling=(2, 2))),
    "svs jpeg 2000": partial(_svs, settings=SvsSettings(compression="jpeg 2000")),
    "ndpi": lambda folder, rgb: write_ndpi(folder / "a.ndpi", rgb),
    "philips": lambda folder, rgb: write_philips(folder / "a.tiff", rgb),
    "scn": lambda folder, rgb: write_scn(folder / "a.scn", rgb),
    "bif": lambda folder, rgb: write_bif(folder / "a.bif", rgb),
    "tiff": lambda folder, rgb: write_tiff(folder / "a.tif", rgb),
    "dicom": lambda folder, rgb: write_dicom(folder / "a", rgb),
    "ome": lambda folder, rgb: write_ome_tiff(folder / "a.ome.tif", rgb),
    "ome pyramid": lambda folder, rgb: write_ome_tiff(folder / "a.ome.tif", rgb, n_levels=3),
}
