"""Tiles of a TIFF, read and decoded one rectangle at a time, from any number of threads."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import simplejpeg
from numpy.typing import NDArray

from ihcscore.errors import ReadError
from ihcscore.slide.samples import HEAD_BYTES, after_tifffile, colours_of, colours_seen, to_rgb
from ihcscore.slide.streams import Colours, without_colours

# What tifffile finds wrong with a file is told in this package's own errors, not on the user's screen.
logging.getLogger("tifffile").addHandler(logging.NullHandler())

Rgb = NDArray[np.uint8]
# Encoded bytes and the tile's number to pixels of shape (height, width, samples).
Decode = Callable[[bytes, int], Rgb]
# Left, top, width and height in pixels of the image.
Rectangle = tuple[int, int, int, int]

JPEG = 7
# What Aperio calls JPEG 2000 of RGB. Its YCbCr kind (33003) is left to OpenSlide: the decoder takes all
# the time, and its chroma is stored at half width in a way of its own.
JPEG_2000_RGB = 33005
RGB, YCBCR = 2, 6
# No coder makes a tile much larger than its pixels: a longer one is a damaged entry of the index.
MAX_EXPANSION = 4
SMALLEST_BOUND_BYTES = 1 << 16
MOST_THREADS = 8
# Marker at the end of JPEG and JPEG 2000 alike; writers may pad a tile behind it.
SOI, END = b"\xff\xd8", b"\xff\xd9"
# Adobe's marker, by which decoders know the colours of a JPEG that isn't JFIF: 0 for RGB, 1 for YCbCr
# (ITU-T T.872 section 6.5.3).
ADOBE = {
    colours: b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00" + bytes([n])
    for n, colours in enumerate((Colours.RGB, Colours.YCBCR))
}
MAX_PADDING_BYTES = 16
# Tiles that are looked at for the colours of a page.
PROBES = 3


class SharedFile:
    """A file, open for reading at any place, by several threads at once."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb", buffering=0)
        self._lock = threading.Lock()
        self.size_bytes = os.fstat(self._file.fileno()).st_size

    def read_at(self, offset: int, length: int) -> bytes:
        """Bytes from `offset` on, fewer than `length` at the end of the file."""
        if hasattr(os, "pread"):
            return os.pread(self._file.fileno(), length, offset)
        with self._lock:  # Windows has no read that leaves the position alone
            self._file.seek(offset)
            return self._file.read(length)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


@dataclass(frozen=True, kw_only=True)
class TileLayout:
    """How the pixels of one TIFF page lie in its file.

    Attributes
    ----------
    size_xy_px : tuple of int
        Width and height of the image.
    tile_xy_px : tuple of int
        Width and height of a tile; of a strip, the image's width and its rows.
    planes : int
        1 where a tile holds all samples, else how many samples are stored apart.
    offsets, lengths : ndarray of int64, shape (tiles,)
        Where each tile starts and how many bytes it has; 0 bytes where none is stored. Row by row, plane
        by plane.
    """

    size_xy_px: tuple[int, int]
    tile_xy_px: tuple[int, int]
    planes: int = 1
    offsets: NDArray[np.int64] = field(repr=False)
    lengths: NDArray[np.int64] = field(repr=False)

    @property
    def tiles_xy(self) -> tuple[int, int]:
        """Columns and rows of tiles."""
        (width, height), (tile_w, tile_h) = self.size_xy_px, self.tile_xy_px
        return -(-width // tile_w), -(-height // tile_h)


def layout_of(page: Any) -> TileLayout:
    """Layout of a page of tifffile."""
    tile = (page.tilewidth, page.tilelength) if page.is_tiled else (page.imagewidth, page.rowsperstrip)
    return TileLayout(
        size_xy_px=(page.imagewidth, page.imagelength),
        tile_xy_px=tile,
        planes=page.samplesperpixel if page.planarconfig == 2 else 1,
        offsets=np.asarray(page.dataoffsets, np.int64),
        lengths=np.asarray(page.databytecounts, np.int64),
    )


def is_direct(page: Any) -> bool:
    """Whether :func:`direct_decoder` takes a page: tiles of plain JPEG or JPEG 2000, 8-bit RGB."""
    tags = page.tags
    return bool(
        page.is_tiled
        and page.dtype == np.uint8
        and page.samplesperpixel == 3
        and page.planarconfig == 1
        and page.imagedepth == page.tiledepth == 1
        and page.predictor == 1
        and page.fillorder == 1
        and ("Orientation" not in tags or tags["Orientation"].value == 1)
        and (
            (page.compression == JPEG and page.photometric in (RGB, YCBCR))
            or (page.compression == JPEG_2000_RGB and page.photometric == RGB)
        )
    )


def direct_decoder(page: Any, colours: Colours, *, bare: bool = False) -> Decode:
    """Decoder of the tiles of a page for which :func:`is_direct` holds.

    JPEG is decoded into a buffer of the calling thread, which its next tile overwrites.

    Parameters
    ----------
    page : TiffPage
    colours : Colours
        What its JPEGs hold.
    bare : bool
        Whatever they say themselves: decoders go by that first.
    """
    shape = (page.tilelength, page.tilewidth, 3)
    buffers = threading.local()
    tables = (page.jpegtables or SOI + END)[len(SOI) : -len(END)]
    head = SOI + ADOBE[colours] + tables

    def decode_jpeg(encoded: bytes, index: int) -> Rgb:
        buffer = getattr(buffers, "tile", None)
        if buffer is None:
            buffer = buffers.tile = np.empty(shape, np.uint8)
        if not encoded.startswith(SOI):
            raise ValueError("no JPEG")
        if bare:
            encoded = without_colours(encoded)
        # Strict: what libjpeg only warns of, such as a bad Huffman code, is noise on the picture.
        stream = head + encoded[len(SOI) :]
        decoded: Rgb = simplejpeg.decode_jpeg(stream, "RGB", buffer=buffer, strict=True)
        return decoded

    def decode_jpeg_2000(encoded: bytes, index: int) -> Rgb:
        decoded: Rgb = imagecodecs.jpeg2k_decode(encoded)
        return decoded

    decode = decode_jpeg if page.compression == JPEG else decode_jpeg_2000

    def checked(encoded: bytes, index: int) -> Rgb:
        if END not in encoded[-MAX_PADDING_BYTES:]:
            raise ValueError("the tile is cut short")  # the decoders would fill the rest in
        tile = decode(encoded, index)
        if tile.shape != shape or tile.dtype != np.uint8:
            raise ValueError(f"{tile.shape} {tile.dtype}, expected {shape} uint8")
        return tile

    return checked


def direct_image(
    file: SharedFile, name: str, page: Any, colours: Colours, *, bare: bool = False
) -> TiledImage:
    """Image of a page for which :func:`is_direct` holds; the rest as in :func:`direct_decoder`."""
    # JPEG is decoded faster than threads would help; JPEG 2000 takes five times as long and more.
    threads = 1 if page.compression == JPEG else min(os.cpu_count() or 1, MOST_THREADS)
    return TiledImage(file, name, layout_of(page), direct_decoder(page, colours, bare=bare), threads=threads)


def tifffile_decoder(page: Any, colours: Colours) -> Decode:
    """Decoder of the tiles or strips of any page that tifffile knows and that RGB can be had from.

    Parameters
    ----------
    page : TiffPage
    colours : Colours
        What its tiles hold. Planes that are stored apart come back as they are.
    """
    convert = to_rgb(page, after_tifffile(page, colours)) if page.planarconfig == 1 else None

    def decode(encoded: bytes, index: int) -> Rgb:
        tile, _, shape = page.decode(encoded, index, jpegtables=page.jpegtables)
        samples = np.asarray(tile[0, : shape[1], : shape[2]], np.uint8)
        return samples if convert is None else convert(samples)

    return decode


def colours_by_stream(file: SharedFile, page: Any) -> Colours | None:
    """What the samples of a page are by its own tiles, else by its tag; None where they can't be told.

    Parameters
    ----------
    file : SharedFile
    page : TiffPage
    """
    layout = layout_of(page)
    stored = np.flatnonzero(layout.lengths)
    if len(stored) == 0:
        return colours_of(page, b"")
    # Tiles of a page are all written in one way; those of which most is stored show most.
    fullest = stored[np.argsort(layout.lengths[stored], kind="stable")[::-1][:PROBES]]
    heads = [file.read_at(int(layout.offsets[at]), HEAD_BYTES) for at in fullest]
    said = {colours_of(page, head) for head in heads}
    if said != {None}:
        return said.pop() if len(said) == 1 else None
    if not is_direct(page):
        return None
    decode = direct_decoder(page, Colours.RGB, bare=True)  # RGB is not converted
    for at in (*fullest, *stored[:PROBES]):
        try:
            found = colours_seen(decode(file.read_at(int(layout.offsets[at]), int(layout.lengths[at])), at))
        except Exception:  # a broken tile says nothing; who reads it is told
            found = None
        if found is not None:
            return found
    return None


@dataclass(frozen=True, kw_only=True)
class _Shared:
    """What a tile shares with a rectangle: place in the rectangle, rows and columns of the tile."""

    column: int
    row: int
    inside: Rectangle
    in_tile: tuple[slice, slice]


class TiledImage:
    """One level of a TIFF.

    Parameters
    ----------
    file : SharedFile
    name : str
        The slide's name, for errors.
    layout : TileLayout
    decode : callable
        From :func:`direct_decoder` or :func:`tifffile_decoder`.
    threads : int
        Tiles of a rectangle that are decoded at once.
    """

    def __init__(
        self, file: SharedFile, name: str, layout: TileLayout, decode: Decode, *, threads: int = 1
    ) -> None:
        self.layout = layout
        self._file = file
        self._name = name
        self._decode = decode
        self._threads = threads

    def read_into(self, xy_px: tuple[int, int], rgb: Rgb) -> list[Rectangle]:
        """Decode a rectangle that lies inside the image.

        Parameters
        ----------
        xy_px : tuple of int
            Left and top edge, pixels of this image.
        rgb : ndarray of uint8, shape (height, width, 3)
            Written to, except where no tile is stored.

        Returns
        -------
        list of Rectangle
            The parts for which no tile is stored, relative to the rectangle's corner.

        Raises
        ------
        ReadError
            If a tile lies beyond the end of the file or cannot be decoded.
        """
        shared = list(self._shared(xy_px, (rgb.shape[1], rgb.shape[0])))
        threads = min(self._threads, len(shared))
        if threads > 1:
            # Starting threads takes 0.1 ms; kept ones would be dead in a process that was forked.
            with ThreadPoolExecutor(threads) as pool:
                stored = list(pool.map(lambda part: self._copy(part, rgb), shared))
        else:
            stored = [self._copy(part, rgb) for part in shared]
        return [part.inside for part, is_stored in zip(shared, stored, strict=True) if not is_stored]

    def _copy(self, part: _Shared, rgb: Rgb) -> bool:
        """Write what a tile and the rectangle share; False where no tile is stored."""
        x, y, w, h = part.inside
        here = rgb[y : y + h, x : x + w]
        across, down = self.layout.tiles_xy
        for plane in range(min(self.layout.planes, 3)):  # those beyond hold no colour
            tile = self.tile((plane * down + part.row) * across + part.column)
            if tile is None:
                return False
            channels = slice(plane, plane + 1) if self.layout.planes > 1 else slice(0, 3)
            here[..., channels] = tile[part.in_tile]
        return True

    def _shared(self, xy_px: tuple[int, int], size_xy_px: tuple[int, int]) -> Iterator[_Shared]:
        """What each tile shares with a rectangle."""
        (x, y), (width, height), (tile_w, tile_h) = xy_px, size_xy_px, self.layout.tile_xy_px
        for row in range(y // tile_h, (y + height - 1) // tile_h + 1):
            top, bottom = max(y, row * tile_h), min(y + height, (row + 1) * tile_h)
            rows = slice(top - row * tile_h, bottom - row * tile_h)
            for column in range(x // tile_w, (x + width - 1) // tile_w + 1):
                left, right = max(x, column * tile_w), min(x + width, (column + 1) * tile_w)
                columns = slice(left - column * tile_w, right - column * tile_w)
                inside = left - x, top - y, right - left, bottom - top
                yield _Shared(column=column, row=row, inside=inside, in_tile=(rows, columns))

    def tile(self, index: int) -> Rgb | None:
        """Pixels of one tile, shape (height, width, samples); None where none is stored.

        The next tile may overwrite them.
        """
        tile_w, tile_h = self.layout.tile_xy_px
        bound = max(MAX_EXPANSION * 3 * tile_w * tile_h, SMALLEST_BOUND_BYTES)
        try:
            offset, length = int(self.layout.offsets[index]), int(self.layout.lengths[index])
            if length == 0:
                return None
            if offset < 0 or not 0 < length <= bound or offset + length > self._file.size_bytes:
                raise ValueError(f"{length} bytes at {offset} in a file of {self._file.size_bytes}")
            return self._decode(self._file.read_at(offset, length), index)
        except Exception as error:
            raise ReadError(
                f"{self._name}: cannot decode tile {index} ({' '.join(str(error).split())})"
            ) from error
