"""Slides through OpenSlide."""

from __future__ import annotations

import os
import re
import threading
import weakref
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import openslide
from numpy.typing import NDArray
from PIL import ImageCms

from ihcscore.errors import ReadError, SlideError, parameter
from ihcscore.slide.base import Level, Slide, closed_on_error
from ihcscore.slide.pyramid import StoredLevel, levels_to_use
from ihcscore.slide.readers.direct_tiles import DIRECT_FORMATS, DirectTiles
from ihcscore.slide.scale import Scale, number, tags_mpp_um, weighed

# Formats whose levels OpenSlide takes by the sizes of pages, padded or not.
_SIZED_BY_PAGES = {"aperio", "generic-tiff"}
# Where the objective is no measure of the scale: 3DHISTECH puts adapters between lens and camera, and a 20x
# lens gives 0.24 µm.
_OWN_OPTICS = {"mirax"}
# Formats with a field of their own for µm per pixel; the others have it from the resolution tags.
_STATE_MPP = {"aperio", "mirax", "philips", "ventana", "dicom"}
# Shares of width and height that differ by no more are one factor.
_SAME_SHAPE = 0.01
# OpenSlide's scale of a level is the mean of width's and height's, so that its size comes back rounded.
_ROUNDED_PX = 2


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
            self._read_levels(self._handle())
            if direct and self.format in DIRECT_FORMATS and self.origin_xy_px == (0, 0):
                self._direct = DirectTiles(
                    path,
                    name=self.name,
                    vendor=self.format,
                    levels=self._stored,
                    read_rgba=self._read_rgba,
                )
                if self._direct.miscoloured:
                    self._need_direct(self._direct)
            self._use_levels(self._handle())
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
        self._use_scale(_scale(properties, self.format))
        self.origin_xy_px = (
            int(properties.get(openslide.PROPERTY_NAME_BOUNDS_X, 0)),
            int(properties.get(openslide.PROPERTY_NAME_BOUNDS_Y, 0)),
        )

    def _read_levels(self, handle: openslide.OpenSlide) -> None:
        """Levels as OpenSlide has them."""
        properties = handle.properties
        (full_w, full_h), (x, y) = handle.dimensions, self.origin_xy_px
        width = int(properties.get(openslide.PROPERTY_NAME_BOUNDS_WIDTH, full_w - x))
        height = int(properties.get(openslide.PROPERTY_NAME_BOUNDS_HEIGHT, full_h - y))
        sizes = [(max(1, round(width / d)), max(1, round(height / d))) for d in handle.level_downsamples]
        if self.format in _SIZED_BY_PAGES:  # padded ones keep their own
            sizes = [
                size if max(abs(size[0] - w), abs(size[1] - h)) <= _ROUNDED_PX else (w, h)
                for size, (w, h) in zip(sizes, handle.level_dimensions, strict=True)
            ]
        self._stored = tuple(
            Level(size_xy_px=size, downsample=float(d))
            for size, d in zip(sizes, handle.level_downsamples, strict=True)
        )

    def _use_levels(self, handle: openslide.OpenSlide) -> None:
        """Levels by their true scales, each with OpenSlide's number of it."""
        self.levels, self._number = self._stored, tuple(range(len(self._stored)))
        if self.format not in _SIZED_BY_PAGES:
            return
        used = levels_to_use(
            [
                StoredLevel(
                    index=i,
                    size_xy_px=size,
                    downsample=self._stored[i].downsample,
                    tile_xy_px=_tile_size(handle.properties, i),
                )
                for i, size in enumerate(handle.level_dimensions)
            ],
            self._read_stored,
        )
        self._number = tuple(one.index for one in used)
        self.levels = tuple(
            # Sizes by OpenSlide's own scale, as everywhere else, where that is the true one.
            self._stored[one.index]
            if one.level.downsample == self._stored[one.index].downsample
            else one.level
            for one in used
        )

    def _need_direct(self, direct: DirectTiles) -> None:
        """Read by the tiles alone, as OpenSlide mistakes their colours; refuse where that cannot be."""
        if not all(direct.holds(level) for level in range(len(self._stored))):
            raise SlideError(
                f"{self.name}: its pages and its JPEG tiles contradict each other on the colours "
                "(RGB or YCbCr); export it again"
            )
        self._add_note(
            "the pages name other colours (RGB or YCbCr) than the JPEG tiles hold; read by the tiles"
        )

    def _read_into(
        self, level: int, xy_px: tuple[int, int], rgb: NDArray[np.uint8], scanned: NDArray[np.bool_]
    ) -> None:
        self._read_stored_into(self._number[level], xy_px, rgb, scanned)

    def _read_stored(
        self, number: int, xy_px: tuple[int, int], size_xy_px: tuple[int, int]
    ) -> NDArray[np.uint8]:
        """RGB of a rectangle of a level by OpenSlide's number, for comparing levels."""
        rgb = np.empty((size_xy_px[1], size_xy_px[0], 3), np.uint8)
        self._read_stored_into(number, xy_px, rgb, np.empty(rgb.shape[:2], np.bool_))
        return rgb

    def _read_stored_into(
        self, number: int, xy_px: tuple[int, int], rgb: NDArray[np.uint8], scanned: NDArray[np.bool_]
    ) -> None:
        missing = None if self._direct is None else self._direct.read_into(number, xy_px, rgb)
        if missing is None:
            self._lay(self._read_rgba(number, xy_px, (rgb.shape[1], rgb.shape[0])), rgb, scanned)
            return
        scanned[:] = True
        if self._to_srgb is not None:
            rgb[:] = self._in_srgb(rgb)
        for x, y, w, h in missing:
            here = np.s_[y : y + h, x : x + w]
            rgba = self._read_rgba(number, (xy_px[0] + x, xy_px[1] + y), (w, h))
            self._lay(rgba, rgb[here], scanned[here])

    def _read_rgba(
        self, number: int, xy_px: tuple[int, int], size_xy_px: tuple[int, int]
    ) -> NDArray[np.uint8]:
        """RGBA, shape (height, width, 4), of a rectangle inside one of OpenSlide's levels."""
        downsample = self._stored[number].downsample
        # OpenSlide places a region by level-0 pixels at every level, and from its own origin.
        x, y = (o + round(v * downsample) for o, v in zip(self.origin_xy_px, xy_px, strict=True))
        try:
            return np.asarray(self._handle().read_region((x, y), number, size_xy_px))
        except openslide.OpenSlideError as error:
            del self._own.handle
            raise ReadError(
                f"{self.name}: cannot decode {size_xy_px[0]} × {size_xy_px[1]} px at level {number}, "
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
        return self._direct is not None and self._direct.holds(self._number[level])

    def close(self) -> None:
        """Close the file, for all threads."""
        self._closed = True
        if self._direct is not None:
            self._direct.close()
        for handle in list(self._handles):
            handle.close()


def _scale(properties: Mapping[str, str], vendor: str) -> Scale:
    """µm per pixel, held against what else the file says."""
    x, y = (
        number(properties.get(key)) for key in (openslide.PROPERTY_NAME_MPP_X, openslide.PROPERTY_NAME_MPP_Y)
    )
    said = Scale(mpp_um=(x, y) if x and y else None)
    described = _described_size(properties) if vendor == "aperio" else None
    if described:
        return Scale(mpp_um=None, problem=described)
    objective = number(properties.get(openslide.PROPERTY_NAME_OBJECTIVE_POWER))
    return weighed(
        said,
        tags_um=_tags_um(properties) if vendor == "aperio" else None,
        objective=None if vendor in _OWN_OPTICS else objective,
        from_tags=vendor not in _STATE_MPP,
    )


def _tags_um(properties: Mapping[str, str]) -> tuple[float, float] | None:
    """µm per pixel of the TIFF resolution tags."""
    x, y = (number(properties.get(f"tiff.{axis}Resolution")) for axis in "XY")
    unit = {"inch": 2, "centimeter": 3}.get(properties.get("tiff.ResolutionUnit", ""), 1)
    return tags_mpp_um((x, y), unit) if x and y else None


def _described_size(properties: Mapping[str, str]) -> str:
    """Why an Aperio description is not the picture's, as after a resize that copied it; empty where it is.

    Its second line has the scan's size, and the size of what was cut out of it.
    """
    lines = properties.get("tiff.ImageDescription", "").splitlines()
    first = lines[1].split("|")[0] if len(lines) > 1 else ""
    sizes = [(int(w), int(h)) for w, h in re.findall(r"(?<![(\d])(\d+)x(\d+)", first)]
    size = tuple(int(properties.get(f"openslide.level[0].{name}", 0)) for name in ("width", "height"))
    if 0 in size or size in sizes:
        return ""
    for described in sizes:
        shrunk = [whole / n for whole, n in zip(described, size, strict=True)]
        if abs(shrunk[0] / shrunk[1] - 1) < _SAME_SHAPE and abs(shrunk[0] - 1) > _SAME_SHAPE:
            return (
                f"its description is that of a picture of {described[0]} × {described[1]} px, it has "
                f"{size[0]} × {size[1]}: the microns per pixel in it are not its own; "
                f"give {parameter('mpp_um')}"
            )
    return ""


def _tile_size(properties: Mapping[str, str], level: int) -> tuple[int, int] | None:
    width, height = (
        int(properties.get(f"openslide.level[{level}].tile-{name}", 0)) for name in ("width", "height")
    )
    return (width, height) if width and height else None


def _colour(text: str) -> tuple[int, int, int]:
    """RGB of six hexadecimal digits."""
    return int(text[0:2], 16), int(text[2:4], 16), int(text[4:6], 16)


def _one_line(error: Exception, path: Path) -> str:
    """What OpenSlide says, without the folders of this machine: the message may go into a table."""
    text = str(error).replace(f"{path.parent}{os.sep}", "")
    return " ".join(text.split()) or type(error).__name__
