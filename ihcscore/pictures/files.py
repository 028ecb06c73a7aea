"""Pictures as files: PNG and JPEG."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ihcscore import planes


def read_rgb(path: Path) -> NDArray[np.uint8]:
    """A picture that was written here, shape (height, width, 3)."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def write_png(path: Path, rgb: NDArray[np.uint8]) -> None:
    """Write a picture as PNG; light compression, because fields are large and many."""
    path.write_bytes(_encoded(rgb, ".png", [cv2.IMWRITE_PNG_COMPRESSION, 4]))


def write_jpeg(path: Path, rgb: NDArray[np.uint8], *, quality: int) -> None:
    """Write a picture as JPEG."""
    path.write_bytes(encode_jpeg(rgb, quality=quality))


def encode_jpeg(rgb: NDArray[np.uint8], *, longest_px: int | None = None, quality: int = 85) -> bytes:
    """A picture as JPEG, shrunk until its longer side is at most `longest_px`."""
    scale = min(1.0, longest_px / max(rgb.shape[:2])) if longest_px else 1.0
    if scale < 1:
        rgb = planes.shrunk_by(rgb, scale)
    return _encoded(rgb, ".jpg", [cv2.IMWRITE_JPEG_QUALITY, quality])


def _encoded(rgb: NDArray[np.uint8], suffix: str, options: list[int]) -> bytes:
    done, data = cv2.imencode(suffix, cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), options)
    if not done:
        raise ValueError(f"cannot encode an image of shape {rgb.shape} as {suffix}")
    return data.tobytes()
