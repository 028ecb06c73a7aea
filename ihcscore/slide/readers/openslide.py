"""Slides through OpenSlide."""

from __future__ import annotations

import os
import threading
import weakref
from pathlib import Path

import numpy as np
import openslide
from numpy.typing import NDArray
from PIL import ImageCms

from ihcscore.errors import ReadError, SlideError, parameter
from ihcscore.slide.base import Level, Slide, closed_on_error
from ihcscore.slide.readers.direct_tiles import DIRECT_FORMATS, DirectTiles


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
    name : str, optional
        What the slide is called, if not as the file.
    mpp_um : float, optional
        µm per level-0 pixel, overriding the file's.
    icc : bool
        Convert colours to sRGB where the file has an ICC profile.
    direct : bool
        Decode tiles without OpenSlide where that gives the same pixels.

    Raises
    ------
    SlideError
        If OpenSlide refuses the file.
    """

    def __init__(
        self,
        path: Path,
        *,
        identity: str,
        name: str | None = None,
        mpp_um: float | None = None,
        icc: bool = True,
        direct: bool = True,
    ) -> None:
        super().__init__(name=name or path.name, identity=identity, mpp_um=mpp_um)
        self._path = path
        self._own = threading.local()
        self._handles: weakref.WeakSet[openslide.OpenSlide] = weakref.WeakSet()
        self._closed = False
        self._direct: DirectTiles | None = None
        with closed_on_error(self):
            self._read_properties(self._handle())
            if direct and self.format in DIRECT_FORMATS and self.origin_xy_px == (0, 0):
                self._direct = DirectTiles(
                    path,
                    name=self.name,
                    vendor=self.format,
                    levels=self.levels,
                    read_rgba=self._read_rgba,
                )
            if icc:
                self._use_icc(self._icc_profile())

    def _handle(self) -> openslide.OpenSlide:
        """Return the calling thread's handle: after an error OpenSlide refuses every later call on one."""
        if self._closed:
            raise ValueError(f"{self.name} is closed")
        handle: openslide.OpenSlide | None = getattr(self._own, "handle", None)
        if handle is None:
            handle = self._own.handle = self._open()
            self._handles.add(handle)
        return handle

    def _open(self) -> openslide.OpenSlide:
        try:
            return openslide.OpenSlide(self._path)
        except openslide.OpenSlideError as error:
            raise SlideError(
                f"{self.name}: cannot be opened ({_one_line(error, self._path)}); "
                "copy or export the slide again"
            ) from error

    def _read_properties(self, handle: openslide.OpenSlide) -> None:
        properties = handle.properties
        self.format = properties.get(openslide.PROPERTY_NAME_VENDOR, "unknown")
        self.identity = properties.get(openslide.PROPERTY_NAME_QUICKHASH1) or self.identity
        self.background_rgb = _colour(properties.get(openslide.PROPERTY_NAME_BACKGROUND_COLOR, "FFFFFF"))
        mpp_x, mpp_y = (
            _number(properties.get(key))
            for key in (openslide.PROPERTY_NAME_MPP_X, openslide.PROPERTY_NAME_MPP_Y)
        )
        self.file_mpp_um = (mpp_x, mpp_y) if mpp_x and mpp_y else None
        full_w, full_h = handle.dimensions
        x, y = (
            int(properties.get(key, 0))
            for key in (openslide.PROPERTY_NAME_BOUNDS_X, openslide.PROPERTY_NAME_BOUNDS_Y)
        )
        width = int(properties.get(openslide.PROPERTY_NAME_BOUNDS_WIDTH, full_w - x))
        height = int(properties.get(openslide.PROPERTY_NAME_BOUNDS_HEIGHT, full_h - y))
        self.origin_xy_px = (x, y)
        self.levels = tuple(
            Level(size_xy_px=(max(1, round(width / d)), max(1, round(height / d))), downsample=float(d))
            for d in handle.level_downsamples
        )

    def _read_into(
        self, level: int, xy_px: tuple[int, int], rgb: NDArray[np.uint8], scanned: NDArray[np.bool_]
    ) -> None:
        missing = None if self._direct is None else self._direct.read_into(level, xy_px, rgb)
        if missing is None:
            self._lay(self._read_rgba(level, xy_px, (rgb.shape[1], rgb.shape[0])), rgb, scanned)
            return
        scanned[:] = True
        if self._to_srgb is not None:
            rgb[:] = self._in_srgb(rgb)
        for x, y, w, h in missing:
            here = np.s_[y : y + h, x : x + w]
            rgba = self._read_rgba(level, (xy_px[0] + x, xy_px[1] + y), (w, h))
            self._lay(rgba, rgb[here], scanned[here])

    def _read_rgba(
        self, level: int, xy_px: tuple[int, int], size_xy_px: tuple[int, int]
    ) -> NDArray[np.uint8]:
        """RGBA, shape (height, width, 4), of a rectangle inside one level."""
        downsample = self.levels[level].downsample
        # OpenSlide places a region by level-0 pixels at every level, and from its own origin.
        x, y = (o + round(v * downsample) for o, v in zip(self.origin_xy_px, xy_px, strict=True))
        try:
            return np.asarray(self._handle().read_region((x, y), level, size_xy_px))
        except openslide.OpenSlideError as error:
            del self._own.handle
            raise ReadError(
                f"{self.name}: cannot decode {size_xy_px[0]} × {size_xy_px[1]} px at level {level}, "
                f"({xy_px[0]}, {xy_px[1]}): {_one_line(error, self._path)}"
            ) from error

    def _icc_profile(self) -> bytes | None:
        try:
            profile = self._handle().color_profile
        except (openslide.OpenSlideError, ImageCms.PyCMSError, OSError) as error:
            raise SlideError(
                f"{self.name}: its ICC colour profile cannot be read ({_one_line(error, self._path)}); "
                f"give {parameter('icc')} off"
            ) from error
        return None if profile is None else profile.tobytes()

    def is_direct(self, level: int) -> bool:
        """Whether the tiles of a level are decoded without OpenSlide."""
        return self._direct is not None and self._direct.holds(level)

    def close(self) -> None:
        """Close the file, for all threads."""
        self._closed = True
        if self._direct is not None:
            self._direct.close()
        for handle in list(self._handles):
            handle.close()


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None


def _colour(text: str) -> tuple[int, int, int]:
    """RGB of six hexadecimal digits."""
    return int(text[0:2], 16), int(text[2:4], 16), int(text[4:6], 16)


def _one_line(error: Exception, path: Path) -> str:
    """What OpenSlide says, without the folders of this machine: the message may go into a table."""
    text = str(error).replace(f"{path.parent}{os.sep}", "")
    return " ".join(text.split()) or type(error).__name__
