"""Aperio SVS: a tiled TIFF whose descriptions say so."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

from writers.pyramid import levels_of

Rgb = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class SvsSettings:
    """How an SVS is stored; `mpp_um` or `app_mag` of None leaves the property out.

    `compression` is ``jpeg``, ``jpeg 2000`` (of RGB) or ``jpeg 2000 ycbcr``; `subsampling` is how many
    pixels share a JPEG's chroma, across and down.
    """

    mpp_um: float | None = 0.5
    app_mag: int | None = 20
    n_levels: int = 3
    tile_px: int = 240
    quality: int = 95
    compression: str = "jpeg"
    subsampling: tuple[int, int] = (1, 1)
    icc: bytes | None = None
    label: Rgb | None = None
    macro: Rgb | None = None


def write_svs(path: Path, rgb: Rgb, settings: SvsSettings | None = None) -> Path:
    """Write an SVS: level 0, thumbnail, coarser levels, then label and macro, as Aperio orders them."""
    settings = settings or SvsSettings()
    levels = levels_of(rgb, settings.n_levels)
    thumbnail = levels[-1][:: max(1, levels[-1].shape[0] // 64), :: max(1, levels[-1].shape[0] // 64)]
    with tifffile.TiffWriter(path, byteorder="<") as tiff:
        _write_level(tiff, levels[0], _description(rgb, settings), settings)
        _write_picture(tiff, thumbnail, "thumbnail", "jpeg")
        for level in levels[1:]:
            _write_level(tiff, level, _description(level, settings), settings, reduced=True)
        if settings.label is not None:
            _write_picture(tiff, settings.label, "label", "lzw")
        if settings.macro is not None:
            _write_picture(tiff, settings.macro, "macro", "jpeg")
    return path


def _description(rgb: Rgb, settings: SvsSettings) -> str:
    h, w = rgb.shape[:2]
    tile = f"({settings.tile_px}x{settings.tile_px}) JPEG/RGB Q={settings.quality}"
    properties = [f"Aperio Image Library v11.2.1\r\n{w}x{h} [0,0 {w}x{h}] {tile}"]
    if settings.app_mag is not None:
        properties.append(f"AppMag = {settings.app_mag}")
    if settings.mpp_um is not None:
        properties.append(f"MPP = {settings.mpp_um}")
    return "|".join(properties)


def _write_level(
    tiff: tifffile.TiffWriter, rgb: Rgb, description: str, settings: SvsSettings, *, reduced: bool = False
) -> None:
    if settings.compression == "jpeg":
        coding = {
            "compression": "jpeg",
            "compressionargs": {"level": settings.quality},
            "subsampling": settings.subsampling,
        }
    else:
        # 50 dB, about as close as JPEG at quality 95; Aperio stores bare codestreams
        is_rgb = settings.compression == "jpeg 2000"
        rgb = rgb if is_rgb else _ycbcr(rgb)
        args = {"level": 50, "codecformat": "J2K", "mct": is_rgb}
        coding = {"compression": 33005 if is_rgb else 33003, "compressionargs": args}
    tiff.write(
        rgb,
        tile=(settings.tile_px, settings.tile_px),
        photometric="rgb",  # with 'ycbcr' the colours come back wrong without a word
        iccprofile=settings.icc,
        **coding,
        subfiletype=1 if reduced else 0,
        description=description,
        metadata=None,
    )


def _ycbcr(rgb: Rgb) -> Rgb:
    """YCbCr of JFIF (ITU-T T.871 section 7)."""
    return np.asarray(Image.fromarray(rgb).convert("YCbCr"))


def _write_picture(tiff: tifffile.TiffWriter, rgb: Rgb, name: str, compression: str) -> None:
    """An associated picture: in strips, named by the second line of its description."""
    h, w = rgb.shape[:2]
    tiff.write(
        rgb,
        photometric="rgb",
        compression=compression,
        subfiletype={"thumbnail": 0, "label": 1, "macro": 9}[name],  # by these OpenSlide tells them apart
        description=f"Aperio Image Library v11.2.1\r\n{name} {w}x{h}",
        metadata=None,
        rowsperstrip=h,
    )
