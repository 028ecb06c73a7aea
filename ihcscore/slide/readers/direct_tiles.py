"""Tiled TIFFs that OpenSlide opens, with their tiles decoded directly.

OpenSlide says what the slide is: levels, pixel size, identity. The tiles of a level are then decoded
without it, several times as fast, where nothing stands against it: known formats, plain 8-bit RGB in JPEG
or JPEG 2000, and one tile of the level, decoded both ways, is the same pixel for pixel. Everything else,
and every tile that is not stored, is still read by OpenSlide.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from ihcscore.errors import ReadError
from ihcscore.slide.base import Level
from ihcscore.slide.samples import YCBCR
from ihcscore.slide.streams import Colours
from ihcscore.slide.tiles import (
    PROBES,
    Rectangle,
    Rgb,
    SharedFile,
    TiledImage,
    TileLayout,
    colours_by_stream,
    direct_image,
    is_direct,
    layout_of,
)

# Formats of OpenSlide whose levels are whole TIFF pages of tiles that neither overlap nor turn.
DIRECT_FORMATS = {"aperio", "philips", "generic-tiff"}
# OpenSlide places regions by level-0 pixels. Where that misses a pixel of a coarser level by less than this,
# it copies pixels; beyond, it interpolates, and the comparison allows for rounding.
PLACE_TOLERANCE_PX = 1 / 512
BLEND_COUNTS = 2.5
RIM_PX = 2


# RGBA, shape (height, width, 4), of a level's rectangle: left and top edge, width and height.
ReadRgba = Callable[[int, tuple[int, int], tuple[int, int]], NDArray[np.uint8]]


class DirectTiles:
    """Tiles of a TIFF of OpenSlide's, decoded directly where that gives the same pixels.

    Parameters
    ----------
    path : Path
    name : str
        The slide's name, for errors.
    vendor : str
        OpenSlide's name of the format.
    levels : tuple of Level
        As OpenSlide has them.
    read_rgba : callable
        OpenSlide's pixels, for comparison.

    Attributes
    ----------
    miscoloured : bool
        Whether the JPEGs hold other colours than their pages say, so that OpenSlide, which goes by the page,
        must not read the slide. Its pixels are still what the tiles are compared with, both by the page.
    """

    def __init__(
        self, path: Path, *, name: str, vendor: str, levels: tuple[Level, ...], read_rgba: ReadRgba
    ) -> None:
        self._name = name
        self._vendor = vendor
        self._levels = levels
        self._read_rgba = read_rgba
        self._file = SharedFile(path)
        self.miscoloured = False
        self._recoloured: dict[int, TiledImage] = {}
        self._candidates = self._find_images(path)
        self._checked: dict[int, TiledImage | None] = {}
        self._checking = threading.Lock()

    def _find_images(self, path: Path) -> dict[int, TiledImage]:
        """Levels whose layout is known to be safe, still to be compared with OpenSlide's pixels."""
        try:
            with tifffile.TiffFile(path) as tiff:
                pages = list(tiff.pages)
                matched = [self._page_of(level, pages) for level in range(len(self._levels))]
                return self._images(matched)
        except Exception:
            return {}  # metadata that tifffile cannot take: OpenSlide reads the file

    def _page_of(self, level: int, pages: list[Any]) -> Any | None:
        """Return the one tiled page whose size is a level's; None where several or none are."""
        width, height = self._levels[level].size_xy_px
        fits = []
        for page in pages:
            if not page.is_tiled:
                continue
            # Philips pads the pages of coarser levels to whole tiles.
            spare_w, spare_h = page.imagewidth - width, page.imagelength - height
            slack_w, slack_h = (page.tilewidth, page.tilelength) if self._vendor == "philips" else (1, 1)
            if -1 <= spare_w <= slack_w and -1 <= spare_h <= slack_h:
                fits.append(page)
        return fits[0] if len(fits) == 1 else None

    def _images(self, pages: list[Any | None]) -> dict[int, TiledImage]:
        images = {}
        for level, page in enumerate(pages):
            if page is not None and is_direct(page):
                images[level] = self._direct(level, page)
            if self._vendor == "aperio" and (page is None or (layout_of(page).lengths == 0).any()):
                # OpenSlide redraws what lies over a missing tile, at every coarser level, from finer ones.
                return {k: image for k, image in images.items() if k == 0}
        return images

    def _direct(self, level: int, page: Any) -> TiledImage:
        """Tiles of a page in the colours that it says; those of its streams are kept beside, if others."""
        said = Colours.YCBCR if page.photometric == YCBCR else Colours.RGB
        held = colours_by_stream(self._file, page)
        self.miscoloured |= held != said
        if held is not None:
            self._recoloured[level] = direct_image(self._file, self._name, page, held)
        return direct_image(self._file, self._name, page, said, bare=held != said)

    def _image(self, level: int) -> TiledImage | None:
        """Return a level's tiles, once one of them was seen to be the same as OpenSlide's."""
        if level not in self._checked:
            with self._checking:
                image = self._candidates.get(level)
                if image is not None and not self._agrees(level, image):
                    image = None
                self._checked[level] = None if image is None else self._recoloured.get(level)
        return self._checked[level]

    def _agrees(self, level: int, image: TiledImage) -> bool:
        """Compare the tile with the most bytes, which shows the most detail, with OpenSlide's."""
        fullest = np.argsort(image.layout.lengths, kind="stable")[::-1][:PROBES]
        for index in fullest[image.layout.lengths[fullest] > 0]:
            try:
                return self._agrees_at(level, image, int(index))
            except ReadError:
                continue
        return False

    def _agrees_at(self, level: int, image: TiledImage, index: int) -> bool:
        row, column = divmod(index, image.layout.tiles_xy[0])
        (tile_w, tile_h), (page_w, page_h) = image.layout.tile_xy_px, image.layout.size_xy_px
        level_w, level_h = self._levels[level].size_xy_px
        x, w = self._inner(column, tile_w, min(page_w, level_w))
        y, h = self._inner(row, tile_h, min(page_h, level_h))
        if w < 1 or h < 1:
            return False
        direct = np.empty((h + 2, w + 2, 3), np.uint8)
        if image.read_into((x - 1, y - 1), direct):
            return False
        rgba = self._read_rgba(level, (x, y), (w, h))
        off_x, off_y = self._misplaced(level, x), self._misplaced(level, y)
        expected = _moved(_moved(direct.astype(np.float32), off_y).swapaxes(0, 1), off_x).swapaxes(0, 1)
        exact = max(abs(off_x), abs(off_y)) < PLACE_TOLERANCE_PX
        most = np.abs(rgba[..., :3] - expected).max()
        return bool(most <= (0 if exact else BLEND_COUNTS) and (rgba[..., 3] == 255).all())

    @staticmethod
    def _inner(number: int, tile_px: int, whole_px: int) -> tuple[int, int]:
        """First pixel and length, along one axis, of a tile without its rim, where OpenSlide blends tiles."""
        first = number * tile_px + RIM_PX
        return first, min((number + 1) * tile_px, whole_px) - RIM_PX - first

    def _misplaced(self, level: int, pixel: int) -> float:
        """By how many pixels of a level OpenSlide misses one, as it counts in whole level-0 pixels."""
        downsample = self._levels[level].downsample
        return round(pixel * downsample) / downsample - pixel

    def read_into(self, level: int, xy_px: tuple[int, int], rgb: Rgb) -> list[Rectangle] | None:
        """Decode a rectangle inside one level, colours as they are in the file.

        Parameters
        ----------
        level : int
        xy_px : tuple of int
            Left and top edge, in that level's pixels.
        rgb : ndarray of uint8, shape (height, width, 3)
            Written to, except where no tile is stored.

        Returns
        -------
        list of Rectangle or None
            The parts for which no tile is stored, relative to the rectangle's corner; None, and nothing
            written, where OpenSlide has to read the rectangle.

        Raises
        ------
        ReadError
            If a tile cannot be decoded.
        """
        image = self._image(level)
        if image is None or not _holds(image.layout, xy_px, (rgb.shape[1], rgb.shape[0])):
            return None
        return image.read_into(xy_px, rgb)

    def holds(self, level: int) -> bool:
        """Whether the tiles of a level are decoded directly."""
        return self._image(level) is not None

    def close(self) -> None:
        """Close the file, for all threads."""
        self._file.close()


def _holds(layout: TileLayout, xy_px: tuple[int, int], size_xy_px: tuple[int, int]) -> bool:
    """Whether a rectangle lies inside a page (a level's size, by rounding, may exceed it by a pixel)."""
    return all(v + n <= whole for v, n, whole in zip(xy_px, size_xy_px, layout.size_xy_px, strict=True))


def _moved(pixels: NDArray[np.float32], offset: float) -> NDArray[np.float32]:
    """Rows at `offset` (within half a row) beyond the inner ones, by linear interpolation."""
    beyond = pixels[2:] if offset > 0 else pixels[:-2]
    return pixels[1:-1] * np.float32(1 - abs(offset)) + beyond * np.float32(abs(offset))
