"""Slides through OpenSlide."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openslide
from numpy.typing import NDArray

from ihcscore.errors import ReadError, SlideError
from ihcscore.slide.base import Level, Slide


def detect_format(path: Path) -> str | None:
    """OpenSlide's name of the format, or None where it knows none."""
    return openslide.OpenSlide.detect_format(path)


class OpenSlideReader(Slide):
    """A slide that OpenSlide opens, cropped to its ``openslide.bounds-*``.

    Parameters
    ----------
    path : Path
    identity : str
        Used where the format has no quick hash of its own.

    Raises
    ------
    SlideError
        If OpenSlide refuses the file.
    """

    def __init__(self, path: Path, *, identity: str) -> None:
        self.name = path.name
        self._path = path
        self._handle = self._open()
        self._read_properties(identity)

    def _open(self) -> openslide.OpenSlide:
        try:
            return openslide.OpenSlide(self._path)
        except openslide.OpenSlideError as error:
            raise SlideError(
                f"{self.name}: cannot be opened ({_one_line(error)}); copy or export the slide again"
            ) from error

    def _read_properties(self, identity: str) -> None:
        properties = self._handle.properties
        self.format = properties.get(openslide.PROPERTY_NAME_VENDOR, "unknown")
        self.identity = properties.get(openslide.PROPERTY_NAME_QUICKHASH1) or identity
        self.background_rgb = _colour(properties.get(openslide.PROPERTY_NAME_BACKGROUND_COLOR, "FFFFFF"))
        mpp_x, mpp_y = (
            _number(properties.get(key))
            for key in (openslide.PROPERTY_NAME_MPP_X, openslide.PROPERTY_NAME_MPP_Y)
        )
        self.file_mpp_um = (mpp_x, mpp_y) if mpp_x and mpp_y else None
        full_w, full_h = self._handle.dimensions
        x, y = (
            int(properties.get(key, 0))
            for key in (openslide.PROPERTY_NAME_BOUNDS_X, openslide.PROPERTY_NAME_BOUNDS_Y)
        )
        width = int(properties.get(openslide.PROPERTY_NAME_BOUNDS_WIDTH, full_w - x))
        height = int(properties.get(openslide.PROPERTY_NAME_BOUNDS_HEIGHT, full_h - y))
        self.origin_xy_px = (x, y)
        self.levels = tuple(
            Level(size_xy_px=(max(1, round(width / d)), max(1, round(height / d))), downsample=float(d))
            for d in self._handle.level_downsamples
        )

    def _read_rgba(
        self, level: int, xy_px: tuple[int, int], size_xy_px: tuple[int, int]
    ) -> NDArray[np.uint8]:
        downsample = self.levels[level].downsample
        # OpenSlide places a region by level-0 pixels at every level, and from its own origin.
        x, y = (o + round(v * downsample) for o, v in zip(self.origin_xy_px, xy_px, strict=True))
        try:
            return np.asarray(self._handle.read_region((x, y), level, size_xy_px))
        except openslide.OpenSlideError as error:
            # After an error OpenSlide refuses every later call on the same handle.
            self._handle.close()
            self._handle = self._open()
            raise ReadError(
                f"{self.name}: cannot decode {size_xy_px[0]} × {size_xy_px[1]} px at level {level}, "
                f"({xy_px[0]}, {xy_px[1]}): {_one_line(error)}"
            ) from error

    def close(self) -> None:
        """Close the file."""
        self._handle.close()


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None


def _colour(text: str) -> tuple[int, int, int]:
    """RGB of six hexadecimal digits."""
    return int(text[0:2], 16), int(text[2:4], 16), int(text[4:6], 16)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
