"""``Index.dat`` of a MIRAX slide: where each tile lies, read in bulk and within bounds.

Layout: https://openslide.org/formats/mirax/. Version, slide's id, two pointers to roots; each level has a
linked list of pages of (image, offset, length, file), all 32-bit little-endian.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ihcscore.errors import SlideError

VERSION = b"01.02"
_PAGE_HEAD_BYTES, _RECORD_BYTES = 8, 16
# 20 million tiles of 16 bytes.
_MAX_BYTES = 1 << 29


class MiraxIndex:
    """The index of one slide.

    Parameters
    ----------
    path : Path
        The ``.mrxs`` file, for messages.
    index : Path
    n_levels : int
    images_across : int
        Camera images in a row of level 0, stored or not.
    usable_xy : tuple of int
        Columns and rows of them that may hold a tile.
    n_files : int
        Data files of the slide.

    Attributes
    ----------
    head : bytes
        Version and slide's id, with which the index and every data file begin.

    Raises
    ------
    SlideError
        If the index is cut short or lists what cannot be.
    """

    def __init__(
        self,
        path: Path,
        index: Path,
        *,
        n_levels: int,
        images_across: int,
        usable_xy: tuple[int, int],
        n_files: int,
    ) -> None:
        self._where = f"{path.name}: '{index.parent.name}/{index.name}'"
        self._n_levels, self._n_files = n_levels, n_files
        self._across, self._usable_xy = images_across, usable_xy
        if index.stat().st_size > _MAX_BYTES:
            raise self._damaged(f"more than {_MAX_BYTES} bytes")
        self._raw = index.read_bytes()
        if not self._raw.startswith(VERSION):
            raise self._damaged(f"not of version {VERSION.decode()}, the only one that can be read")
        self._root = self._find_root()
        self.head = self._raw[: self._root - 8]

    def needed_bytes(self, positions: list[int]) -> list[int]:
        """Bytes that each data file must have to hold what the index lists.

        Parameters
        ----------
        positions : list of int
            Numbers of the records outside the levels that are read as well.

        Raises
        ------
        SlideError
        """
        needed = np.zeros(self._n_files, np.int64)
        for records in [self._tiles(), *(self._layer(number) for number in positions)]:
            _, offset, length, file = records.T.astype(np.int64)
            if not ((offset >= 0) & (length >= 0) & (file >= 0) & (file < self._n_files)).all():
                raise self._damaged("a tile that cannot be")
            np.maximum.at(needed, file, offset + length)
        return [int(n_bytes) for n_bytes in needed]

    def _damaged(self, what: str) -> SlideError:
        return SlideError(
            f"{self._where} is damaged or cut short ({what}); copy the .mrxs together with its whole folder"
        )

    def _int(self, at: int) -> int:
        if not 0 <= at <= len(self._raw) - 4:
            raise self._damaged(f"a pointer to {at}")
        value: int = struct.unpack_from("<i", self._raw, at)[0]
        return value

    def _find_root(self) -> int:
        """Where the pointers to the levels start; the one to all other records stands behind it."""
        # The id's length is not stored; the two root pointers follow it, and the first points behind them.
        for start in range(len(VERSION), min(len(VERSION) + 64, len(self._raw) - 8)):
            if self._int(start) == start + 8:
                return start + 8
        raise self._damaged("no table of levels")

    def _tiles(self) -> NDArray[np.int32]:
        """Image, offset, length and file of every tile of every level."""
        levels = [np.empty((0, 4), np.int32)]
        # Levels come first among the layers; lists of other layers stand behind theirs.
        for at in range(self._root, self._root + 4 * self._n_levels, 4):
            level = self._tiles_of_level(self._int(self._int(at) + 4))
            image = level[:, 0]
            row, column = np.divmod(image, self._across)
            outside = (image < 0) | (column >= self._usable_xy[0]) | (row >= self._usable_xy[1])
            if outside.any() or len(np.unique(image)) < len(image):
                raise self._damaged("a tile outside the slide or on another's place")
            levels.append(level)
        return np.concatenate(levels)

    def _tiles_of_level(self, page: int) -> NDArray[np.int32]:
        """The tiles of one level, from its first page on."""
        pages = [np.empty((0, 4), np.int32)]
        while page:
            count, following = self._int(page), self._int(page + 4)
            start = page + _PAGE_HEAD_BYTES
            if count < 0 or start + count * _RECORD_BYTES > len(self._raw):
                raise self._damaged("list of tiles")
            # Pages follow one another in the file, so none leads back (OpenSlide relies on it as well).
            if following and following <= page:
                raise self._damaged("list of tiles runs in a circle")
            pages.append(np.frombuffer(self._raw, "<i4", count * 4, start).reshape(-1, 4))
            page = following
        return np.concatenate(pages)

    def _layer(self, number: int) -> NDArray[np.int32]:
        """The one record of a layer outside the levels: its page has three words before the place."""
        root = self._int(self._root - 4)
        page = self._int(self._int(root + 4 * number) + 4)
        offset, length, file = (self._int(page + _PAGE_HEAD_BYTES + 4 * word) for word in (2, 3, 4))
        return np.array([[0, offset, length, file]], np.int32)
