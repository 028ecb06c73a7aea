"""What every reader offers: levels, pixel size, colours, RGB of a rectangle."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from ihcscore.errors import SlideError, parameter
from ihcscore.schema import SLIDE_MPP_UM, Source
from ihcscore.slide.colour import SrgbTransform
from ihcscore.slide.thumbnail import Thumbnail, read_thumbnail
from ihcscore.slide.view import View

PLAUSIBLE_MPP_UM = (SLIDE_MPP_UM.low, SLIDE_MPP_UM.high)
# Two axes that differ by more than this are not square pixels.
SQUARE_TOLERANCE = 0.01


@dataclass(frozen=True, kw_only=True)
class Level:
    """One level of a pyramid.

    Attributes
    ----------
    size_xy_px : tuple of int
        Width and height in pixels of this level.
    downsample : float
        Level-0 pixels per pixel of this level.
    """

    size_xy_px: tuple[int, int]
    downsample: float


@contextmanager
def closed_on_error(slide: Slide) -> Iterator[None]:
    """Close a slide that cannot be opened to the end."""
    try:
        yield
    except BaseException:
        slide.close()
        raise


class Slide(ABC):
    """A slide, open for reading.

    Coordinates are level-0 pixels from the corner of the scanned area (OpenSlide's ``bounds``), as
    QuPath shows them: x right, y down, the corner of the first pixel at (0, 0).

    Parameters
    ----------
    name : str
    identity : str
    mpp_um : float or None
        µm per level-0 pixel, overriding the file's.

    Raises
    ------
    SlideError
        If the pixel size that is given is implausible.

    Attributes
    ----------
    name : str
        File name, without folders.
    format : str
        Name of the format, such as ``mirax`` or ``aperio``.
    levels : tuple of Level
        Finest first; ``levels[0].downsample`` is 1.
    file_mpp_um : tuple of float or None
        µm per pixel in x and y as the file says.
    background_rgb : tuple of int
        Colour of what was not scanned.
    identity : str
        The format's own quick hash, or a hash of the file's head and its size.
    origin_xy_px : tuple of int
        Corner of the scanned area on the format's own canvas (OpenSlide's ``bounds``), level-0 pixels.
    """

    name: str
    format: str
    levels: tuple[Level, ...]
    file_mpp_um: tuple[float, float] | None
    background_rgb: tuple[int, int, int]
    identity: str
    origin_xy_px: tuple[int, int] = (0, 0)

    def __init__(self, *, name: str, identity: str, mpp_um: float | None) -> None:
        low, high = PLAUSIBLE_MPP_UM
        if mpp_um is not None and not low <= mpp_um <= high:
            raise SlideError(f"{parameter('mpp_um')} is {mpp_um:g}, expected {low} to {high}")
        self.name = name
        self.identity = identity
        self._given_mpp_um = mpp_um
        self._to_srgb: SrgbTransform | None = None

    @abstractmethod
    def _read_into(
        self, level: int, xy_px: tuple[int, int], rgb: NDArray[np.uint8], scanned: NDArray[np.bool_]
    ) -> None:
        """Write the RGB and mask of a rectangle inside one level.

        Parameters
        ----------
        level : int
        xy_px : tuple of int
            Left and top edge, in that level's pixels.
        rgb : ndarray of uint8, shape (height, width, 3)
            Written to: colours as :meth:`_in_srgb` gives them, on the background.
        scanned : ndarray of bool, shape (height, width)
            Written to.

        Raises
        ------
        ReadError
            If the pixels cannot be decoded; the slide stays usable.
        """

    def _use_icc(self, profile: bytes | None) -> None:
        """Convert colours to sRGB from now on, where the file has an ICC profile.

        Raises
        ------
        SlideError
            If it has one that cannot be used.
        """
        self._to_srgb = None if profile is None else SrgbTransform(profile, slide_name=self.name)

    @property
    def icc_name(self) -> str | None:
        """Description of the ICC profile in use."""
        return None if self._to_srgb is None else self._to_srgb.name

    @property
    def icc_applied(self) -> bool:
        """Whether colours are converted to sRGB by the file's ICC profile."""
        return self._to_srgb is not None

    def _in_srgb(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """RGB or RGBA by the ICC profile in use, if any."""
        return pixels if self._to_srgb is None else self._to_srgb(pixels)

    @abstractmethod
    def close(self) -> None:
        """Close the file."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def size_xy_px(self) -> tuple[int, int]:
        """Width and height in level-0 pixels."""
        return self.levels[0].size_xy_px

    @property
    def mpp_um(self) -> float:
        """µm per level-0 pixel: the user's, else the file's.

        Raises
        ------
        SlideError
            If there is none, if it is implausible, or if the pixels are not square.
        """
        if self._given_mpp_um is not None:
            return self._given_mpp_um
        if self.file_mpp_um is None or self.mpp_problem:
            raise SlideError(f"{self.name}: {self.mpp_problem}")
        x, y = self.file_mpp_um
        return (x + y) / 2

    @property
    def mpp_problem(self) -> str:
        """Why there are no µm per pixel, and what to do; empty where there are."""
        if self._given_mpp_um is not None:
            return ""
        if self.file_mpp_um is None:
            return f"no microns per pixel in the file; give {parameter('mpp_um')}"
        x, y = self.file_mpp_um
        low, high = PLAUSIBLE_MPP_UM
        if not (low <= x <= high and low <= y <= high):
            return f"the file says {x:g} µm per pixel, expected {low} to {high}; give {parameter('mpp_um')}"
        if abs(x / y - 1) > SQUARE_TOLERANCE:
            return (
                f"pixels are not square ({x:g} by {y:g} µm); resample the slide or give {parameter('mpp_um')}"
            )
        return ""

    @property
    def mpp_source(self) -> Source:
        """Whether the µm per pixel were given by the user or stand in the file."""
        return Source.FILE if self._given_mpp_um is None else Source.GIVEN

    def at(self, mpp_um: float, *, exact: bool = False) -> View:
        """The slide at a scale, for reading.

        Parameters
        ----------
        mpp_um : float
            Largest µm per pixel that will do. The coarsest level that is not coarser is read (1 % tolerated),
            or the finest where all are coarser.
        exact : bool
            Average a finer level down to exactly this scale.
        """
        return View.of(self, mpp_um, exact=exact)

    def read(self, level: int, xy_px: tuple[int, int], size_xy_px: tuple[int, int]) -> NDArray[np.uint8]:
        """RGB of a rectangle of one level; what lies outside the slide is background.

        Parameters
        ----------
        level : int
            Index into `levels`.
        xy_px : tuple of int
            Left and top edge, in pixels of that level; may be negative.
        size_xy_px : tuple of int
            Width and height, in pixels of that level.

        Returns
        -------
        ndarray of uint8, shape (height, width, 3)

        Raises
        ------
        ReadError
            If the pixels cannot be decoded.
        """
        return self.read_scanned(level, xy_px, size_xy_px)[0]

    def read_scanned(
        self, level: int, xy_px: tuple[int, int], size_xy_px: tuple[int, int]
    ) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """As :meth:`read`, with a mask (height, width) of the pixels that were scanned."""
        width, height = size_xy_px
        if width < 1 or height < 1:
            raise ValueError(f"size_xy_px is {size_xy_px}, expected 1 or more each way")
        rgb = np.empty((height, width, 3), np.uint8)
        scanned = np.empty((height, width), np.bool_)
        level_w, level_h = self.levels[level].size_xy_px
        x, y = xy_px
        left, top, right, bottom = max(x, 0), max(y, 0), min(x + width, level_w), min(y + height, level_h)
        if (left, top, right, bottom) != (x, y, x + width, y + height):
            rgb[:], scanned[:] = self.background_rgb, False
        if left < right and top < bottom:
            here = np.s_[top - y : bottom - y, left - x : right - x]
            self._read_into(level, (left, top), rgb[here], scanned[here])
        return rgb, scanned

    def _lay(self, rgba: NDArray[np.uint8], rgb: NDArray[np.uint8], scanned: NDArray[np.bool_]) -> None:
        """Lay RGBA as it lies in the file on the background colour, into `rgb`, and fill the mask."""
        rgba = self._in_srgb(rgba)
        alpha = rgba[..., 3]
        if (np.ascontiguousarray(rgba).view("<u4") >= 0xFF000000).all():  # no transparency, the usual case
            rgb[:], scanned[:] = cv2.cvtColor(rgba, cv2.COLOR_RGBA2RGB), True
            return
        weight = alpha[..., None].astype(np.float32) / 255
        laid = rgba[..., :3] * weight + np.asarray(self.background_rgb, np.float32) * (1 - weight)
        rgb[:] = np.rint(laid).astype(np.uint8)
        np.greater(alpha, 127, out=scanned)

    def thumbnail(self, mpp_um: float, *, progress: Callable[[float], None] | None = None) -> Thumbnail:
        """The whole slide; see :func:`ihcscore.slide.thumbnail.read_thumbnail`."""
        return read_thumbnail(self, mpp_um, progress=progress)
