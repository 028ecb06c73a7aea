"""Pictures as files: PNG and JPEG."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ihcscore import planes
from ihcscore.schema import Rgb

_COLOURS = 256
# zlib's level: beyond it a picture takes much longer and is hardly smaller.
_COMPRESSION = 6
_TINT_ALPHA = 90


def read_rgb(path: Path) -> NDArray[np.uint8]:
    """A picture that was written here, shape (height, width, 3)."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def write_png(path: Path, rgb: NDArray[np.uint8]) -> None:
    """Write a picture as PNG with a palette of its own 256 colours: about a third of the bytes.

    What is drawn keeps its colours to within what an eye tells apart; pixels for measuring are in the slide.
    """
    image = Image.fromarray(rgb).quantize(
        _COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE
    )
    image.save(path, "PNG", compress_level=_COMPRESSION)


def write_jpeg(path: Path, rgb: NDArray[np.uint8], *, quality: int) -> None:
    """Write a picture as JPEG."""
    path.write_bytes(encode_jpeg(rgb, quality=quality))


def write_tints(path: Path, tinted: Sequence[tuple[str, NDArray[np.bool_], Rgb]]) -> None:
    """Write what spoils a field as a PNG to be laid over its picture: clear but for the tints."""
    height, width = tinted[0][1].shape
    rgba = np.zeros((height, width, 4), np.uint8)
    for _, inside, colour in tinted:
        rgba[inside] = (*colour, _TINT_ALPHA)
    Image.fromarray(rgba).save(path, "PNG", compress_level=_COMPRESSION)


def encode_jpeg(rgb: NDArray[np.uint8], *, longest_px: int | None = None, quality: int = 85) -> bytes:
    """A picture as JPEG, shrunk until its longer side is at most `longest_px`."""
    small = rgb if longest_px is None else shrunk_to_fit(rgb, (longest_px, longest_px))
    return _encoded(small, ".jpg", [cv2.IMWRITE_JPEG_QUALITY, quality])


def shrunk_to_fit(rgb: NDArray[np.uint8], size_xy_px: tuple[int, int]) -> NDArray[np.uint8]:
    """A picture, shrunk where it is larger than a size."""
    scale = min(1.0, size_xy_px[0] / rgb.shape[1], size_xy_px[1] / rgb.shape[0])
    return planes.shrunk_by(rgb, scale) if scale < 1 else rgb


def _encoded(rgb: NDArray[np.uint8], suffix: str, options: list[int]) -> bytes:
    done, data = cv2.imencode(suffix, cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), options)
    if not done:
        raise ValueError(f"cannot encode an image of shape {rgb.shape} as {suffix}")
    return data.tobytes()
