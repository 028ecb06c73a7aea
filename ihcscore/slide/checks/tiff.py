"""Whether a TIFF can be what its headers say: SVS, Philips, NDPI, SCN, BIF, OME and plain TIFF.

A tile length of 2^30 or a table that is too short aborts the whole process inside a decoder, and a file
that was cut short opens without complaint; so sizes, tables and compression are checked first.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ihcscore.errors import SlideError
from ihcscore.slide.checks.directories import Directory, TiffFile, Values
from ihcscore.slide.checks.limits import MAX_STRIP_PX, check_picture_size, check_tile_size, cut_short, damaged
from ihcscore.slide.checks.ndpi import check_ndpi_level

MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _SAMPLES, _PLANAR = 256, 257, 258, 259, 277, 284
_STRIP_OFFSETS, _ROWS_PER_STRIP, _STRIP_BYTES = 273, 278, 279
_TILE_WIDTH, _TILE_HEIGHT, _TILE_OFFSETS, _TILE_BYTES = 322, 323, 324, 325
_NDPI_LENS = 65421

_NONE, _LZW, _PACKBITS = 1, 5, 32773
# What OpenSlide (libtiff) or imagecodecs decode: TIFF 6.0, JPEG 2000 of Aperio and others, JPEG's second
# number, JPEG XR, JPEG XL, LZMA, LERC, Zstandard, WebP.
_KNOWN_COMPRESSIONS = {
    _NONE, _LZW, _PACKBITS, 6, 7, 8, 32946, 33003, 33004, 33005, 34712, 33007, 22610, 34934, 50002, 52546,
    34925, 34926, 34887, 34927, 50000, 50001,
}  # fmt: skip
# These decoders take any bytes, so JPEG under their number would come back as noise.
_UNSIGNED_STREAMS = {_NONE, _LZW, _PACKBITS}
_JPEG_STARTS = (b"\xff\xd8\xff", b"\xff\x4f\xff\x51")
_LOOKED_AT = 9
# No encoder makes a tile much larger than its pixels; a longer one is a damaged table.
_MAX_GROWTH, _SLACK_BYTES = 4, 1 << 20


def check_tiff(path: Path) -> None:
    """Refuse a TIFF whose headers cannot be true or whose pixels lie beyond its end.

    Parameters
    ----------
    path : Path

    Raises
    ------
    SlideError
    """
    with path.open("rb") as file:
        tiff = TiffFile(path, file)
        for number, directory in enumerate(tiff.directories):
            _check_directory(tiff, directory, is_first=number == 0)


def _check_directory(tiff: TiffFile, directory: Directory, *, is_first: bool) -> None:
    width, height = _one(tiff, directory, _WIDTH), _one(tiff, directory, _HEIGHT)
    if width is None or height is None:
        if is_first:
            raise damaged(tiff.name, f"{directory.label} has no width or height")
        return
    tiled = any(tag in directory.entries for tag in (_TILE_WIDTH, _TILE_HEIGHT, _TILE_OFFSETS, _TILE_BYTES))
    if not (is_first or tiled or tiff.ndpi):
        return  # label, macro and thumbnail lie in strips and are never read
    check_picture_size(tiff.name, directory.label, width, height)
    if tiff.ndpi and not tiled:
        _check_ndpi(tiff, directory, width, height)
        return
    samples = _one(tiff, directory, _SAMPLES) or 1
    bits = tiff.values(directory, _BITS)
    pixel_bits = samples * (int(bits.max()) if bits is not None else 1)
    if not 1 <= pixel_bits <= 512:
        raise damaged(tiff.name, f"{directory.label} claims {pixel_bits} bits a pixel")
    compression = _one(tiff, directory, _COMPRESSION) or _NONE
    if compression not in _KNOWN_COMPRESSIONS:
        raise SlideError(
            f"{tiff.name}: cannot be opened (compression {compression} is none that can be read); "
            "copy the slide again or export it with JPEG tiles"
        )
    planes = samples if _one(tiff, directory, _PLANAR) == 2 else 1
    block_px, n_blocks = _blocks(tiff, directory, width, height, tiled=tiled)
    block_bytes = block_px * pixel_bits // 8 // planes
    offsets, lengths = _tables(tiff, directory, n_blocks * planes, tiled=tiled)
    _check_within(tiff, offsets, lengths)
    if int(lengths.max()) > _MAX_GROWTH * block_bytes + _SLACK_BYTES:
        raise damaged(tiff.name, f"{directory.label} claims a tile of {int(lengths.max())} bytes")
    if compression in _UNSIGNED_STREAMS:
        _check_streams(tiff, directory, compression, offsets[lengths > 0])
    if compression == _NONE and tiled and (lengths[lengths > 0] < block_bytes).any():
        raise damaged(tiff.name, f"{directory.label} has uncompressed tiles that are too short")


def _one(tiff: TiffFile, directory: Directory, tag: int) -> int | None:
    """The single value of a tag, None without it."""
    found = tiff.values(directory, tag)
    return None if found is None else int(found[0])


def _blocks(tiff: TiffFile, directory: Directory, width: int, height: int, *, tiled: bool) -> tuple[int, int]:
    """Pixels of a tile or strip, and how many cover the picture."""
    if tiled:
        across, down = _one(tiff, directory, _TILE_WIDTH), _one(tiff, directory, _TILE_HEIGHT)
        if across is None or down is None:
            raise damaged(tiff.name, f"{directory.label} has tiles of no size")
        check_tile_size(tiff.name, directory.label, across, down)
        return across * down, -(-width // across) * -(-height // down)
    # Without the tag the picture is one strip (TIFF 6.0 p. 39).
    rows = min(_one(tiff, directory, _ROWS_PER_STRIP) or height, height)
    if rows * width > MAX_STRIP_PX:
        raise SlideError(
            f"{tiff.name}: is stored in strips of {width} × {rows} px, too large to decode; "
            "export it in tiles"
        )
    return rows * width, -(-height // rows)


def _tables(tiff: TiffFile, directory: Directory, needed: int, *, tiled: bool) -> tuple[Values, Values]:
    """Offsets and lengths of the tiles or strips, at least as many as are `needed`."""
    tags = (_TILE_OFFSETS, _TILE_BYTES) if tiled else (_STRIP_OFFSETS, _STRIP_BYTES)
    # Some writers list tiles under the strips' tags; libtiff takes either.
    other = (_STRIP_OFFSETS, _STRIP_BYTES)
    found = [
        tiff.values(directory, tag if tag in directory.entries else other[i]) for i, tag in enumerate(tags)
    ]
    part = "tiles" if tiled else "strips"
    for table in found:
        if table is None or len(table) < needed:
            has = 0 if table is None else len(table)
            raise damaged(tiff.name, f"{directory.label} lists {has} {part} where its size needs {needed}")
        # Some writers pad their tables a little; a width that lost a bit leaves far too many.
        if tiled and len(table) > needed * 5 // 4 + 8:
            raise damaged(tiff.name, f"{directory.label} lists {len(table)} {part}, its size needs {needed}")
    offsets, lengths = (np.asarray(table, np.uint64)[:needed] for table in found)
    return offsets, lengths


def _check_within(tiff: TiffFile, offsets: Values, lengths: Values) -> None:
    """Refuse stored tiles beyond the end of the file; a length of 0 is a tile that was never stored."""
    stored = lengths > 0
    if not stored.any():
        return
    # Each is below the size before they are added, so that the sum does not wrap.
    size = np.uint64(tiff.size_bytes)
    furthest = max(int(offsets[stored].max()), int(lengths.max()))
    ends = offsets[stored] + lengths[stored] if furthest <= size else None
    needed = furthest if ends is None else int(ends.max())
    if needed > tiff.size_bytes:
        raise cut_short(tiff.name, size_bytes=tiff.size_bytes, needed_bytes=needed)


def _check_streams(tiff: TiffFile, directory: Directory, compression: int, offsets: Values) -> None:
    """Refuse JPEG or JPEG 2000 tiles under the number of a method that would decode them as noise."""
    picked = offsets[np.linspace(0, len(offsets) - 1, min(_LOOKED_AT, len(offsets))).astype(int)]
    starts = [tiff.read(int(offset), 4) for offset in picked]
    if starts and all(start.startswith(_JPEG_STARTS) for start in starts):
        raise damaged(tiff.name, f"{directory.label} holds JPEG, but claims compression {compression}")


def _check_ndpi(tiff: TiffFile, directory: Directory, width: int, height: int) -> None:
    """One JPEG stream for each level of an NDPI; macro and map (lens below 0) are never read."""
    lens = directory.entries.get(_NDPI_LENS)
    if lens is not None and lens.inline[3] & 0x80:  # the sign bit of a little-endian float
        return
    offsets, lengths = (tiff.values(directory, tag) for tag in (_STRIP_OFFSETS, _STRIP_BYTES))
    if offsets is None or lengths is None or len(offsets) != 1:
        raise damaged(tiff.name, f"{directory.label} lists no stream of pixels")
    offset, length = tiff.ndpi_offset(directory, int(offsets[0])), int(lengths[0])
    # The length's high half is not read: a stream of 4 GB and more is held against its low half.
    if offset + length > tiff.size_bytes:
        raise cut_short(tiff.name, size_bytes=tiff.size_bytes, needed_bytes=offset + length)
    check_ndpi_level(tiff, directory, offset, width, height)
