"""What every reader offers, and what follows from it: choice of level, thumbnails, checks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from ihcscore.errors import ReadError, SlideError, parameter
from ihcscore.slide.colour import SrgbTransform

# Beyond these a pixel size is a mistake in the file (a 72 dpi default reads as 353 µm) rather than
# a brightfield scanner's: 100x oil gives about 0.06 µm/px, a 1.25x overview about 8.
PLAUSIBLE_MPP_UM = (0.05, 10.0)
# Two axes that differ by more than this are not square pixels.
SQUARE_TOLERANCE = 0.01
# Thumbnails are read in blocks of this many pixels a side, so that memory stays bounded; a block that
# cannot be decoded is read again in smaller ones, so that a broken tile costs little more than itself.
BLOCK_PX = 1024
SMALLEST_BLOCK_PX = 64
# Left, top, width and height.
Block = tuple[int, int, int, int]


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


@dataclass(frozen=True, kw_only=True)
class Thumbnail:
    """A whole slide at low resolution.

    Attributes
    ----------
    rgb : ndarray of uint8, shape (height, width, 3)
    scanned : ndarray of bool, shape (height, width)
        False where the scanner stored nothing (transparent in the file).
    unreadable : ndarray of bool, shape (height, width)
        True where the file could not be decoded.
    downsample : float
        Level-0 pixels per pixel of the thumbnail.
    mpp_um : float
        µm per pixel of the thumbnail.
    """

    rgb: NDArray[np.uint8] = field(repr=False)
    scanned: NDArray[np.bool_] = field(repr=False)
    unreadable: NDArray[np.bool_] = field(repr=False)
    downsample: float
    mpp_um: float


class Slide(ABC):
    """A slide, open for reading.

    Coordinates are level-0 pixels from the corner of the scanned area (OpenSlide's ``bounds``), as
    QuPath shows them: x right, y down, the corner of the first pixel at (0, 0).

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
    _given_mpp_um: float | None = None
    _to_srgb: SrgbTransform | None = None

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

    def _icc_profile(self) -> bytes | None:
        """ICC profile that the file holds for its pixels, if any."""
        return None

    def use_icc(self) -> None:
        """Convert colours to sRGB from now on, where the file has an ICC profile.

        Raises
        ------
        SlideError
            If the file has a profile that cannot be used.
        """
        profile = self._icc_profile()
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
        if self.file_mpp_um is None:
            raise SlideError(f"{self.name}: no microns per pixel in the file; give {parameter('mpp_um')}")
        x, y = self.file_mpp_um
        low, high = PLAUSIBLE_MPP_UM
        if not (low <= x <= high and low <= y <= high):
            raise SlideError(
                f"{self.name}: the file says {x:g} µm per pixel, expected {low} to {high}; "
                f"give {parameter('mpp_um')}"
            )
        if abs(x / y - 1) > SQUARE_TOLERANCE:
            raise SlideError(
                f"{self.name}: pixels are not square ({x:g} by {y:g} µm); "
                f"resample the slide or give {parameter('mpp_um')}"
            )
        return (x + y) / 2

    @property
    def mpp_source(self) -> str:
        """``given`` by the user or from the ``file``."""
        return "file" if self._given_mpp_um is None else "given"

    def give_mpp_um(self, mpp_um: float | None) -> None:
        """Set µm per level-0 pixel, overriding the file's; None leaves the file's."""
        low, high = PLAUSIBLE_MPP_UM
        if mpp_um is not None and not low <= mpp_um <= high:
            raise SlideError(f"{parameter('mpp_um')} is {mpp_um:g}, expected {low} to {high}")
        self._given_mpp_um = mpp_um

    def level_for(self, mpp_um: float) -> int:
        """Index of the coarsest level that is not coarser than `mpp_um` (1 % tolerated), else 0."""
        fine = [i for i, level in enumerate(self.levels) if level.downsample * self.mpp_um <= mpp_um * 1.01]
        return max(fine, default=0)

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
        """The whole slide at `mpp_um` or somewhat finer: whole pixels of a level, averaged.

        Parameters
        ----------
        mpp_um : float
            Largest µm per pixel that will do.
        progress : callable, optional
            Called with the share of the slide that has been read, 0 to 1.

        Raises
        ------
        SlideError
            If nothing of the slide can be decoded.
        """
        level = self.level_for(mpp_um)
        downsample = self.levels[level].downsample
        factor = max(1, int(mpp_um * 1.01 / (downsample * self.mpp_um)))
        width, height = (-(-n // factor) for n in self.levels[level].size_xy_px)
        rgb = np.empty((height, width, 3), np.uint8)
        scanned = np.zeros((height, width), np.bool_)
        unreadable = np.zeros((height, width), np.bool_)
        blocks = list(_blocks(width, height, max(1, BLOCK_PX // factor)))
        for done, block in enumerate(blocks, 1):
            for piece, averaged in self._averaged(level, factor, block):
                x, y, w, h = piece
                here = np.s_[y : y + h, x : x + w]
                unreadable[here] = averaged is None
                rgb[here], scanned[here] = averaged or (self.background_rgb, True)
            if progress is not None:
                progress(done / len(blocks))
        if unreadable.all():
            raise SlideError(
                f"{self.name}: opens as {self.format}, but nothing in it can be decoded; export it again"
            )
        return Thumbnail(
            rgb=rgb, scanned=scanned, unreadable=unreadable,
            downsample=downsample * factor, mpp_um=downsample * factor * self.mpp_um,
        )  # fmt: skip

    def _averaged(
        self, level: int, factor: int, block: Block
    ) -> Iterator[tuple[Block, tuple[NDArray[np.uint8], NDArray[np.bool_]] | None]]:
        """Averaged pixels and mask of a block of a thumbnail; None for the pieces that cannot be decoded."""
        x, y, w, h = block
        try:
            fine, seen = self.read_scanned(level, (x * factor, y * factor), (w * factor, h * factor))
        except ReadError:
            step = max(w, h) // 2
            if step * factor < SMALLEST_BLOCK_PX:
                yield block, None
                return
            for left, top, width, height in _blocks(w, h, step):
                yield from self._averaged(level, factor, (x + left, y + top, width, height))
            return
        pixels = np.rint(_average(fine, factor)).astype(np.uint8)
        yield block, (pixels, _average(seen[..., None], factor)[..., 0] > 0.5)


def _blocks(width: int, height: int, step: int) -> Iterator[Block]:
    """Left, top, width and height of the blocks that cover a rectangle."""
    for y in range(0, height, step):
        for x in range(0, width, step):
            yield x, y, min(step, width - x), min(step, height - y)


def _average(fine: NDArray[np.generic], factor: int) -> NDArray[np.float32]:
    """Mean over squares of factor × factor pixels, shape (height, width, channels)."""
    h, w, channels = fine.shape[0] // factor, fine.shape[1] // factor, fine.shape[2]
    mean: NDArray[np.float32] = fine.reshape(h, factor, w, factor, channels).mean((1, 3), dtype=np.float32)
    return mean
