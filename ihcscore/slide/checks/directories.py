"""The directories (IFDs) of a TIFF, read within bounds: classic, BigTIFF, and Hamamatsu's NDPI.

Nothing is believed that the file cannot hold: every table is held against the file's size before it is
read, every directory is visited once.

Layout: TIFF 6.0 (Adobe 1992), section 2; BigTIFF as libtiff describes it
(https://libtiff.gitlab.io/libtiff/specification/bigtiff.html). NDPI is a little-endian classic TIFF with
64-bit pointers to directories, and the high halves of all values in 4 bytes each behind a directory's
last pointer (https://openslide.org/formats/hamamatsu/).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from ihcscore.slide.checks.limits import cut_short, damaged

SUB_IFDS = 330
NDPI_FORMAT = 65420
# Bytes of a value of each type (TIFF 6.0 p. 15; 13: TIFF Tech Note 1; 16 to 18: BigTIFF).
_TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8} | {
    13: 4, 16: 8, 17: 8, 18: 8,
}  # fmt: skip
_UNSIGNED = {1: "u1", 3: "u2", 4: "u4", 13: "u4", 16: "u8", 18: "u8"}
# Slides have tens of directories of tens of entries; stacks of sections have some thousands.
_MAX_DIRECTORIES = 20_000
_MAX_ENTRIES, _MAX_ALL_ENTRIES = 4096, 500_000
_MAX_SUB_IFDS = 1000
# A description with a label picture in it has some MB, a table of 10 million tiles 80.
_MAX_VALUE_BYTES = 1 << 28
# Tags that readers use; what a maker's own tags point at is their business.
_MAX_STANDARD_TAG = 32767

Values = NDArray[np.uint64]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One entry of a directory.

    Attributes
    ----------
    kind : int
        TIFF's type of the values.
    count : int
        Number of values.
    inline : bytes
        The value field, which holds the values themselves where they fit.
    offset : int
        Where the values lie otherwise.
    """

    kind: int
    count: int
    inline: bytes
    offset: int

    @property
    def n_bytes(self) -> int:
        """Bytes of all values; 0 for a type that TIFF does not know."""
        return self.count * _TYPE_BYTES.get(self.kind, 0)


@dataclass(frozen=True, kw_only=True)
class Directory:
    """One image of a TIFF.

    Attributes
    ----------
    label : str
        How messages name it: ``image 2``, or ``image 1.3`` for the third SubIFD of image 1.
    offset : int
        Where it lies in the file.
    entries : dict of int to Entry
        By tag.
    """

    label: str
    offset: int
    entries: dict[int, Entry] = field(repr=False)


class TiffFile:
    """The structure of a TIFF, read within bounds.

    Parameters
    ----------
    path : Path
    file : BinaryIO
        The same file, open; stays open.

    Attributes
    ----------
    directories : list of Directory
        The main chain in order, each followed by its SubIFDs.

    Raises
    ------
    SlideError
        If the directories cannot be followed.
    """

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.name = path.name
        self.size_bytes = path.stat().st_size
        self._file = file
        head = file.read(16)
        self._order = "<" if head[:2] == b"II" else ">"
        self._big = self._unpack("H", head, 2) == 43
        self.ndpi = False
        self._seen: set[int] = set()
        self._n_entries = 0
        self.directories: list[Directory] = []
        self._follow(self._first_directory(head), label="image {}")

    def values(self, directory: Directory, tag: int) -> Values | None:
        """Whole numbers of a tag; None where the directory has no such tag.

        Raises
        ------
        SlideError
            If the tag holds no unsigned whole numbers, or lies beyond the end of the file.
        """
        entry = directory.entries.get(tag)
        if entry is None:
            return None
        if entry.kind not in _UNSIGNED or entry.count < 1:
            raise damaged(self.name, f"tag {tag} of {directory.label} holds no whole numbers")
        raw = entry.inline
        if entry.n_bytes > len(raw):
            raw = self._read(entry.offset, entry.n_bytes)
        found = np.frombuffer(raw, self._order + _UNSIGNED[entry.kind], entry.count)
        return found.astype(np.uint64)

    def read(self, offset: int, n_bytes: int) -> bytes:
        """Some bytes, fewer at the end of the file, none beyond it."""
        if not 0 <= offset < self.size_bytes:
            return b""
        self._file.seek(offset)
        return self._file.read(n_bytes)

    def ndpi_offset(self, directory: Directory, offset: int) -> int:
        """The 64-bit place of NDPI's 32-bit `offset`: the nearest before the directory."""
        # As OpenSlide does: data precede their directory, so the high half follows from it.
        place = (directory.offset & ~0xFFFFFFFF) | (offset & 0xFFFFFFFF)
        return place - (1 << 32) if place >= directory.offset and place >= 1 << 32 else place

    def _unpack(self, code: str, raw: bytes, at: int) -> int:
        if at + struct.calcsize(code) > len(raw):
            raise cut_short(self.name, size_bytes=self.size_bytes, needed_bytes=at + struct.calcsize(code))
        value: int = struct.unpack_from(self._order + code, raw, at)[0]
        return value

    def _read(self, offset: int, n_bytes: int) -> bytes:
        if offset + n_bytes > self.size_bytes:
            raise cut_short(self.name, size_bytes=self.size_bytes, needed_bytes=offset + n_bytes)
        self._file.seek(offset)
        return self._file.read(n_bytes)

    def _first_directory(self, head: bytes) -> int:
        if self._big:
            if self._unpack("H", head, 4) != 8 or self._unpack("H", head, 6) != 0:
                raise damaged(self.name, "its BigTIFF header is not valid")
            return self._unpack("Q", head, 8)
        short = self._unpack("I", head, 4)
        long = self._unpack("Q", head, 4) if len(head) >= 12 and self._order == "<" else short
        for start in (long, short):
            if 8 <= start < self.size_bytes - 2 and self._is_ndpi(start):
                self.ndpi = True
                return start
        return short

    def _is_ndpi(self, start: int) -> bool:
        """Whether the directory at `start` has Hamamatsu's tag."""
        raw = self.read(start, 2 + 12 * _MAX_ENTRIES)
        count = min(self._unpack("H", raw, 0), (len(raw) - 2) // 12)
        return any(self._unpack("H", raw, 2 + 12 * i) == NDPI_FORMAT for i in range(count))

    def _follow(self, start: int, *, label: str) -> None:
        """Read a chain of directories, and with each its SubIFDs."""
        number = 0
        while start:
            number += 1
            if start in self._seen:
                raise damaged(self.name, "its list of images runs in a circle")
            self._seen.add(start)
            if len(self._seen) > _MAX_DIRECTORIES:
                raise damaged(self.name, f"it lists more than {_MAX_DIRECTORIES} images")
            directory, start = self._directory(start, label.format(number))
            self.directories.append(directory)
            below = self.values(directory, SUB_IFDS)
            # SubIFDs of SubIFDs hold no pyramid; nobody reads them.
            if below is not None:
                if len(below) > _MAX_SUB_IFDS:
                    raise damaged(self.name, f"{directory.label} lists {len(below)} reduced images")
                for place, sub in enumerate(below.tolist(), 1):
                    self._follow_sub(sub, f"{directory.label}.{place}")
        if not self.directories:
            raise damaged(self.name, "it holds no image")

    def _follow_sub(self, start: int, label: str) -> None:
        if start in self._seen:
            raise damaged(self.name, "its list of images runs in a circle")
        if start:
            self._seen.add(start)
            # The pointer at its end may lead to the next SubIFD, which its parent lists as well.
            self.directories.append(self._directory(start, label)[0])

    def _directory(self, start: int, label: str) -> tuple[Directory, int]:
        """One directory and the place of the next."""
        n_bytes = 8 if self._big else 2
        count = self._unpack("Q" if self._big else "H", self._read(start, n_bytes), 0)
        self._n_entries += count
        if not 1 <= count <= _MAX_ENTRIES or self._n_entries > _MAX_ALL_ENTRIES:
            raise damaged(self.name, f"{label} lists {count} tags, expected 1 to {_MAX_ENTRIES}")
        step, pointer = (20, 8) if self._big else (12, 4)
        raw = self._read(start + n_bytes, count * step + pointer)
        entries: dict[int, Entry] = {}
        for i in range(count):
            tag, entry = self._entry(raw[i * step : (i + 1) * step], start)
            self._check_entry(tag, entry, label)
            entries.setdefault(tag, entry)
        following = self._unpack("Q" if self._big else "I", raw, count * step)
        if self.ndpi:
            following = self._ndpi_next(start + n_bytes + count * step, following)
        return Directory(label=label, offset=start, entries=entries), following

    def _entry(self, raw: bytes, start: int) -> tuple[int, Entry]:
        tag, kind = self._unpack("H", raw, 0), self._unpack("H", raw, 2)
        code = "Q" if self._big else "I"
        count = self._unpack(code, raw, 4)
        inline = raw[4 + struct.calcsize(code) :]
        offset = self._unpack(code, inline, 0)
        if self.ndpi:
            offset = self.ndpi_offset(Directory(label="", offset=start, entries={}), offset)
        return tag, Entry(kind=kind, count=count, inline=inline, offset=offset)

    def _check_entry(self, tag: int, entry: Entry, label: str) -> None:
        """Refuse values that the file cannot hold or that would fill the memory."""
        if entry.n_bytes <= len(entry.inline):
            return
        if entry.n_bytes > _MAX_VALUE_BYTES:
            raise damaged(self.name, f"tag {tag} of {label} claims {entry.n_bytes} bytes")
        if tag <= _MAX_STANDARD_TAG and entry.offset + entry.n_bytes > self.size_bytes:
            raise cut_short(self.name, size_bytes=self.size_bytes, needed_bytes=entry.offset + entry.n_bytes)

    def _ndpi_next(self, at: int, short: int) -> int:
        """Pointer to the next directory: 64 bits, or 32 where a file under 4 GB has only so many."""
        raw = self.read(at, 8)
        long = self._unpack("Q", raw, 0) if len(raw) == 8 else short
        return long if long < self.size_bytes else short
