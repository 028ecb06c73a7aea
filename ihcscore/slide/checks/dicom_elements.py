"""The elements of a DICOM file that say how large its picture is, read within bounds.

Files: PS3.10 section 7. Elements, value lengths and sequences: PS3.5 section 7; encapsulated pixels:
PS3.5 section A.4. Only little-endian files are walked; sequences are stepped over.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from ihcscore.errors import SlideError
from ihcscore.slide.checks.limits import cut_short, damaged

PIXEL_DATA = 0x7FE00010
UNDEFINED = 0xFFFFFFFF
IMPLICIT = "1.2.840.10008.1.2"
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_PER_FRAME = 0x52009230
# These have a length of 4 bytes behind 2 that are reserved (PS3.5 table 7.1-1).
_LONG = {b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"}
_MAX_ELEMENTS, _MAX_DEPTH = 100_000, 16
_MAX_VALUE_BYTES = 1 << 16


@dataclass(frozen=True, kw_only=True)
class Element:
    """Where the value of an element lies.

    Attributes
    ----------
    tag : int
        Group and element in one number.
    start : int
        Of the value.
    length : int
        Bytes of the value; `UNDEFINED` where delimiters end it.
    """

    tag: int
    start: int
    length: int


class DicomFile:
    """A DICOM file in memory-mapped form.

    Parameters
    ----------
    name : str
        For messages.
    raw : mmap
        The whole file.

    Attributes
    ----------
    syntax : str
        UID of the transfer syntax.
    elements : dict of int to Element
        Of the data set's top level up to the pixels, by tag.
    """

    def __init__(self, name: str, raw: mmap.mmap) -> None:
        self.name = name
        self.raw = raw
        self._n_read = 0
        self.elements: dict[int, Element] = {}
        at = 132
        # The file meta information is always explicit (PS3.10 section 7.1).
        while at + 8 <= len(raw) and raw[at : at + 2] == b"\x02\x00":
            element = self._element(at, explicit=True)
            self._keep(element)
            at = element.start + element.length
        self.syntax = self.text(0x00020010)
        for element in self._walk(at):
            self._keep(element)

    def text(self, tag: int) -> str:
        """Text of an element, without padding; empty without it."""
        element = self.elements.get(tag)
        if element is None or element.length > _MAX_VALUE_BYTES:
            return ""
        raw = self.raw[element.start : element.start + element.length]
        return raw.decode("ascii", errors="replace").strip(" \0")

    def number(self, tag: int, *, text: bool = False) -> int | None:
        """A whole number, stored as bytes or as `text`; None without it.

        Raises
        ------
        SlideError
            If it is no number.
        """
        element = self.elements.get(tag)
        if element is None or element.length == 0:
            return None
        if text:
            try:
                return int(self.text(tag))
            except ValueError:
                raise self.wrong(tag) from None
        code = {2: "<H", 4: "<I"}.get(element.length)
        if code is None:
            raise self.wrong(tag)
        value: int = struct.unpack_from(code, self.raw, element.start)[0]
        return value

    def wrong(self, tag: int) -> SlideError:
        """The error of an element whose value cannot be."""
        return damaged(self.name, f"element ({tag >> 16:04X},{tag & 0xFFFF:04X}) has no valid value")

    def fragments(self) -> Iterator[Element]:
        """The items of encapsulated pixels; the first is the table of offsets.

        Raises
        ------
        SlideError
            If the file ends before the last item, or before the delimiter behind it.
        """
        at = self.elements[PIXEL_DATA].start
        while True:
            item = self._item(at)
            if item.tag == _SEQUENCE_END:
                return
            if item.tag != _ITEM:
                raise damaged(self.name, "its pixels are not divided into frames as they should be")
            yield item
            at = item.start + item.length

    def _keep(self, element: Element) -> None:
        self.elements.setdefault(element.tag, element)

    def _need(self, end: int) -> None:
        if end > len(self.raw):
            raise cut_short(self.name, size_bytes=len(self.raw), needed_bytes=end)

    def _walk(self, at: int) -> Iterator[Element]:
        """Elements of the top level, to the pixels or the end of the file."""
        explicit = self.syntax != IMPLICIT
        while at < len(self.raw):
            element = self._element(at, explicit=explicit)
            if element.tag == _PER_FRAME and element.length == UNDEFINED:
                # One item a frame: too many to step through one by one.
                element = self._pixels_behind(element.start)
            yield element
            if element.tag == PIXEL_DATA:
                return
            at = self._end(element, explicit=explicit)

    def _pixels_behind(self, at: int) -> Element:
        """The pixels, found by their tag behind a sequence of undefined length."""
        for kind in (b"OB", b"OW"):
            found = self.raw.find(b"\xe0\x7f\x10\x00" + kind + b"\0\0", at)
            if found >= 0:
                return self._element(found, explicit=True)
        raise damaged(self.name, "it holds no pixels")

    def _element(self, at: int, *, explicit: bool) -> Element:
        self._n_read += 1
        if self._n_read > _MAX_ELEMENTS:
            raise damaged(self.name, f"it holds more than {_MAX_ELEMENTS} elements before its pixels")
        self._need(at + 8)
        group, number = struct.unpack_from("<HH", self.raw, at)
        tag = group << 16 | number
        kind = self.raw[at + 4 : at + 6]
        if explicit and tag >> 16 != 0xFFFE:
            if not (kind.isalpha() and kind.isupper()):
                raise damaged(self.name, f"its elements cannot be followed behind byte {at}")
            if kind not in _LONG:
                length = struct.unpack_from("<H", self.raw, at + 6)[0]
                return self._checked(Element(tag=tag, start=at + 8, length=length))
            at += 4
            self._need(at + 8)
        return self._checked(
            Element(tag=tag, start=at + 8, length=struct.unpack_from("<I", self.raw, at + 4)[0])
        )

    def _checked(self, element: Element) -> Element:
        if element.length != UNDEFINED:
            self._need(element.start + element.length)
        return element

    def _item(self, at: int) -> Element:
        self._need(at + 8)
        group, number, length = struct.unpack_from("<HHI", self.raw, at)
        if length == UNDEFINED:
            raise damaged(self.name, "its pixels are not divided into frames as they should be")
        return self._checked(Element(tag=group << 16 | number, start=at + 8, length=length))

    def _end(self, element: Element, *, explicit: bool, depth: int = 0) -> int:
        """Where the next element begins."""
        if element.length != UNDEFINED:
            return element.start + element.length
        if depth > _MAX_DEPTH:
            raise damaged(self.name, "its sequences lie too deep in each other")
        # A sequence or item of undefined length: step over what it holds, to its own delimiter.
        at = element.start
        while True:
            inner = self._element(at, explicit=explicit)
            if inner.tag in (_ITEM_END, _SEQUENCE_END):
                return inner.start
            at = self._end(inner, explicit=explicit, depth=depth + 1)
