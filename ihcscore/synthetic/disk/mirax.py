"""Write real MIRAX slides (3DHISTECH): ``name.mrxs`` and a folder ``name`` beside it.

The layout is what OpenSlide documents of the format (its page "MIRAX format") for index version 01.02:

- ``name.mrxs`` is any JPEG; here a small picture of the slide.
- ``Slidedat.ini`` names the levels, their pixel sizes, the tile format and the background colour.
- ``Index.dat`` holds, for each level, a linked list of pages of (image index, offset, length, file). The
  index counts images of level 0 at every level: an image of level k stands at the first of the
  2^k × 2^k images it covers.
- ``Data0000.dat`` and on hold the compressed tiles back to back. Offsets are signed 32-bit, so
  a long slide takes several files.

Where nothing was scanned, no tile is stored, at any level. OpenSlide reads such areas as transparent
and reports the rectangle that encloses all stored tiles of level 0 as ``openslide.bounds-*``.
"""

from __future__ import annotations

import configparser
import hashlib
import io
import os
import shutil
import struct
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol, runtime_checkable

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from ihcscore.planes import shrunk_to

_VERSION = "01.02"
_PAGE_RECORDS = 1000
_CACHE_TILES = 512
_FILE_BYTES = 1_000_000_000

Rgb = NDArray[np.uint8]


@runtime_checkable
class TileSource(Protocol):
    """A picture that is too large to hold, given tile by tile."""

    @property
    def size_xy_px(self) -> tuple[int, int]:
        """Width and height of the whole picture."""

    def tile(self, left_px: int, top_px: int, side_px: int) -> Rgb | None:
        """RGB (uint8, shape (side, side, 3) or less at the far edges); None where nothing was scanned."""


@dataclass(frozen=True, kw_only=True)
class ArraySource:
    """A picture in memory.

    Attributes
    ----------
    rgb : ndarray of uint8, shape (h, w, 3)
        The picture.
    scanned : ndarray of bool, shape (rows, columns of tiles), optional
        False for tiles that were not scanned; without it all were.
    """

    rgb: Rgb
    scanned: NDArray[np.bool_] | None = None

    @property
    def size_xy_px(self) -> tuple[int, int]:
        """Width and height."""
        return self.rgb.shape[1], self.rgb.shape[0]

    def tile(self, left_px: int, top_px: int, side_px: int) -> Rgb | None:
        """The tile at a position, or None where nothing was scanned."""
        if self.scanned is not None and not self.scanned[top_px // side_px, left_px // side_px]:
            return None
        return self.rgb[top_px : top_px + side_px, left_px : left_px + side_px]


@dataclass(frozen=True, kw_only=True)
class RepeatedSource:
    """One block repeated over any area, as a large slide for timing.

    Attributes
    ----------
    block : ndarray of uint8, shape (h, w, 3)
        What is repeated; height and width are multiples of the tile's side.
    size_xy_px : tuple of int
        Width and height of the whole picture.
    """

    block: Rgb
    size_xy_px: tuple[int, int]

    def tile(self, left_px: int, top_px: int, side_px: int) -> Rgb | None:
        """The tile at a position."""
        if self.block.shape[0] % side_px or self.block.shape[1] % side_px:
            raise ValueError(
                f"block is {self.block.shape[:2]}, expected multiples of the tile's {side_px} px"
            )
        y, x = top_px % self.block.shape[0], left_px % self.block.shape[1]
        return self.block[y : y + side_px, x : x + side_px]


@dataclass(frozen=True, kw_only=True)
class MiraxSettings:
    """How a MIRAX slide is stored.

    Attributes
    ----------
    tile_px : int
        Side of a tile.
    image_format : str
        ``JPEG`` or ``PNG`` (lossless).
    quality : int
        Quality of the JPEG tiles, 1 to 100; chroma is stored in full.
    levels : int or None
        Levels, each half of the one before; None goes down to one tile.
    background_rgb : tuple of int
        Colour that viewers show where nothing was scanned.
    border_tiles_xy : tuple of int
        Unscanned tiles left of and above the picture.
    objective_power : int
        Magnification that the file states.
    share_repeats : bool
        Store tiles that are the same byte for byte once. Makes a large `RepeatedSource` small on disk.
    file_bytes : int
        Size from which a new data file is begun.
    """

    tile_px: int = 256
    image_format: str = "JPEG"
    quality: int = 90
    levels: int | None = None
    background_rgb: tuple[int, int, int] = (255, 255, 255)
    border_tiles_xy: tuple[int, int] = (0, 0)
    objective_power: int = 20
    share_repeats: bool = False
    file_bytes: int = _FILE_BYTES

    def __post_init__(self) -> None:
        if self.tile_px < 2 or self.tile_px % 2:
            raise ValueError(f"tile_px is {self.tile_px}, expected an even number from 2 up")
        if self.image_format not in ("JPEG", "PNG"):
            raise ValueError(f"image_format is {self.image_format!r}, expected 'JPEG' or 'PNG'")
        if not 1 <= self.quality <= 100:
            raise ValueError(f"quality is {self.quality}, expected 1 to 100")
        if self.levels is not None and self.levels < 1:
            raise ValueError(f"levels is {self.levels}, expected 1 or more")
        if min(self.border_tiles_xy) < 0:
            raise ValueError(f"border_tiles_xy is {self.border_tiles_xy}, expected 0 or more each")
        if not 0 < self.file_bytes <= _FILE_BYTES:
            raise ValueError(f"file_bytes is {self.file_bytes}, expected above 0 up to {_FILE_BYTES}")


def write_mirax(
    path: Path,
    picture: Rgb | TileSource,
    *,
    mpp_um: float,
    settings: MiraxSettings | None = None,
) -> Path:
    """Write a MIRAX slide.

    The picture's first pixel becomes the slide's ``openslide.bounds-x``, ``-y`` if its first row
    and column of tiles hold a scanned tile each. Where every tile is scanned OpenSlide states no bounds:
    they are the whole slide, from 0, 0 on.

    Parameters
    ----------
    path : Path
        ``name.mrxs``; a slide of that name is replaced. The data go to the folder ``name`` beside it.
    picture : ndarray of uint8, shape (h, w, 3), or TileSource
        What to write. A `TileSource` is asked once for each tile and never held whole.
    mpp_um : float
        µm per pixel of level 0.
    settings : MiraxSettings, optional
        How to store it.

    Returns
    -------
    Path
        `path`.
    """
    settings = settings or MiraxSettings()
    path = Path(path)
    if path.suffix != ".mrxs":
        raise ValueError(f"path is {path.name}, expected a name ending in .mrxs")
    if mpp_um <= 0:
        raise ValueError(f"mpp_um is {mpp_um}, expected above 0")
    source = _source_of(picture)
    folder = path.with_suffix("")
    partial = path.with_name(f".{path.stem}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        pyramid = _Pyramid(partial, source, settings, _slide_id(path.stem, source, mpp_um))
        thumbnail = pyramid.write()
        (partial / "Index.dat").write_bytes(_index_bytes(pyramid))
        (partial / "Slidedat.ini").write_text(_slidedat_text(pyramid, path.stem, mpp_um), encoding="utf-8")
        (partial / "cover.jpg").write_bytes(_encode(thumbnail, "JPEG", 85))
        path.unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
        cover = partial / "cover.jpg"
        waiting = path.with_name(f".{path.name}.partial")
        cover.replace(waiting)
        partial.replace(folder)
        waiting.replace(path)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return path


def _source_of(picture: Rgb | TileSource) -> TileSource:
    if isinstance(picture, np.ndarray):
        if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
            raise ValueError(f"picture is {picture.dtype} {picture.shape}, expected uint8 (h, w, 3)")
        return ArraySource(rgb=picture)
    return picture


def _slide_id(stem: str, source: TileSource, mpp_um: float) -> str:
    """An identifier that follows from the slide, so that the same slide is the same bytes."""
    return (
        hashlib.blake2b(f"{stem} {source.size_xy_px} {mpp_um}".encode(), digest_size=16).hexdigest().upper()
    )


def _encode(rgb: Rgb, image_format: str, quality: int) -> bytes:
    rgb = np.ascontiguousarray(rgb)
    if image_format == "PNG":
        return bytes(imagecodecs.png_encode(rgb, level=3))
    return bytes(imagecodecs.jpeg8_encode(rgb, level=quality, subsampling="444"))


@dataclass(frozen=True)
class _Record:
    index: int
    offset: int
    length: int
    file: int


@dataclass
class _DataFiles:
    """The tiles' bytes, one file after the other."""

    folder: Path
    slide_id: str
    file_bytes: int
    count: int = 0
    _open: BinaryIO | None = None

    def append(self, data: bytes) -> tuple[int, int]:
        """Where the bytes came to lie: offset and number of the file."""
        if self._open is None or self._open.tell() + len(data) > self.file_bytes:
            self.close()
            self._open = (self.folder / self.name(self.count)).open("wb")
            self._open.write(f"{_VERSION}{self.slide_id}{self.count:3d}".encode())
            self.count += 1
        offset = self._open.tell()
        self._open.write(data)
        return offset, self.count - 1

    def close(self) -> None:
        if self._open is not None:
            self._open.flush()
            os.fsync(self._open.fileno())
            self._open.close()

    @staticmethod
    def name(number: int) -> str:
        return f"Data{number:04d}.dat"


@dataclass
class _Pyramid:
    """All tiles of all levels, written depth first, so that a level holds four tiles in memory at most."""

    folder: Path
    source: TileSource
    settings: MiraxSettings
    slide_id: str
    records: list[list[_Record]] = field(default_factory=list)

    def __post_init__(self) -> None:
        tile = self.settings.tile_px
        width, height = self.source.size_xy_px
        border_x, border_y = self.settings.border_tiles_xy
        self.columns, self.rows = border_x + -(-width // tile), border_y + -(-height // tile)
        down_to_one = max(self.columns - 1, self.rows - 1).bit_length() + 1
        self.levels = self.settings.levels or down_to_one
        self.records = [[] for _ in range(self.levels)]
        self.files = _DataFiles(self.folder, self.slide_id, self.settings.file_bytes)
        self._background = np.empty((tile, tile, 3), dtype=np.uint8)
        self._background[:] = self.settings.background_rgb
        self._encoded: OrderedDict[bytes, bytes] = OrderedDict()
        self._stored: dict[bytes, tuple[int, int]] = {}

    def write(self) -> Rgb:
        """Write everything; a small picture of the whole."""
        top = self.levels - 1
        side = 1 << top
        try:
            whole = self._write_tiles(top, side)
        finally:
            self.files.close()
        for level in self.records:
            level.sort(key=lambda record: record.index)
        step = max(1, max(whole.shape) // 512)
        return whole[::step, ::step]

    def _write_tiles(self, top: int, side: int) -> Rgb:
        """Write the tiles of the coarsest level, and with them all below."""
        rows = []
        for y in range(0, self.rows, side):
            tiles = [self._tile(top, x, y) for x in range(0, self.columns, side)]
            rows.append(np.concatenate([self._background if t is None else t for t in tiles], axis=1))
        return np.concatenate(rows)

    def _tile(self, level: int, x: int, y: int) -> Rgb | None:
        """Write one tile and all below it; its picture, None where nothing was scanned."""
        rgb = self._scanned(x, y) if level == 0 else self._from_below(level, x, y)
        if rgb is None:
            return None
        digest = hashlib.blake2b(rgb.tobytes(), digest_size=16).digest()
        data = self._encoded_tile(digest, rgb)
        if self.settings.share_repeats and digest in self._stored:
            offset, file = self._stored[digest]
        else:
            offset, file = self.files.append(data)
            if self.settings.share_repeats:
                self._stored[digest] = (offset, file)
        self.records[level].append(_Record(y * self.columns + x, offset, len(data), file))
        return rgb

    def _scanned(self, x: int, y: int) -> Rgb | None:
        """A tile of level 0; a part of one at the far edges is filled up with its last row and column."""
        tile = self.settings.tile_px
        border_x, border_y = self.settings.border_tiles_xy
        if x < border_x or y < border_y or x >= self.columns or y >= self.rows:
            return None
        rgb = self.source.tile((x - border_x) * tile, (y - border_y) * tile, tile)
        if rgb is None or rgb.shape == (tile, tile, 3):
            return rgb
        missing = (0, tile - rgb.shape[0]), (0, tile - rgb.shape[1]), (0, 0)
        return np.pad(rgb, missing, mode="edge")

    def _from_below(self, level: int, x: int, y: int) -> Rgb | None:
        """A tile of a coarser level: its four finer ones, halved."""
        tile, half = self.settings.tile_px, 1 << (level - 1)
        finer = {}
        for dy in (0, 1):
            for dx in (0, 1):
                below_x, below_y = x + dx * half, y + dy * half
                if below_x < self.columns and below_y < self.rows:
                    finer[dx, dy] = self._tile(level - 1, below_x, below_y)
        if all(rgb is None for rgb in finer.values()):
            return None
        whole = self._background.copy()
        for (dx, dy), rgb in finer.items():
            if rgb is not None:
                small = shrunk_to(rgb, (tile // 2, tile // 2))
                whole[dy * tile // 2 : (dy + 1) * tile // 2, dx * tile // 2 : (dx + 1) * tile // 2] = small
        return whole

    def _encoded_tile(self, digest: bytes, rgb: Rgb) -> bytes:
        """The tile compressed; tiles seen lately are not compressed again."""
        if digest not in self._encoded:
            self._encoded[digest] = _encode(rgb, self.settings.image_format, self.settings.quality)
            if len(self._encoded) > _CACHE_TILES:
                self._encoded.popitem(last=False)
        return self._encoded[digest]


def _index_bytes(pyramid: _Pyramid) -> bytes:
    """``Index.dat``: pointers to the levels' lists of pages, and an empty table of other images."""
    out = bytearray(_VERSION.encode() + pyramid.slide_id.encode())
    roots = len(out)
    out += bytes(8)
    levels = len(out)
    struct.pack_into("<i", out, roots, levels)
    out += bytes(4 * pyramid.levels)
    for level, records in enumerate(pyramid.records):
        struct.pack_into("<i", out, levels + 4 * level, len(out))
        out += struct.pack("<ii", 0, len(out) + 8)
        for start in range(0, max(len(records), 1), _PAGE_RECORDS):
            page = records[start : start + _PAGE_RECORDS]
            following = len(out) + 8 + 16 * len(page)
            last = start + _PAGE_RECORDS >= len(records)
            out += struct.pack("<ii", len(page), 0 if last else following)
            for record in page:
                out += struct.pack("<iiii", record.index, record.offset, record.length, record.file)
    struct.pack_into("<i", out, roots + 4, len(out))
    return bytes(out + bytes(4))


def _slidedat_text(pyramid: _Pyramid, name: str, mpp_um: float) -> str:
    """``Slidedat.ini``."""
    ini = configparser.ConfigParser(interpolation=None)
    ini.optionxform = str  # type: ignore[assignment,method-assign]
    ini["GENERAL"] = {
        "SLIDE_VERSION": _VERSION,
        "SLIDE_ID": pyramid.slide_id,
        "SLIDE_NAME": name,
        "IMAGENUMBER_X": str(pyramid.columns),
        "IMAGENUMBER_Y": str(pyramid.rows),
        "OBJECTIVE_MAGNIFICATION": str(pyramid.settings.objective_power),
        "CameraImageDivisionsPerSide": "1",
    }
    ini["HIERARCHICAL"] = {
        "HIER_COUNT": "1",
        "NONHIER_COUNT": "0",
        "INDEXFILE": "Index.dat",
        "HIER_0_NAME": "Slide zoom level",
        "HIER_0_COUNT": str(pyramid.levels),
    }
    names = [_DataFiles.name(number) for number in range(pyramid.files.count)]
    ini["DATAFILE"] = {"FILE_COUNT": str(len(names)), **{f"FILE_{i}": name for i, name in enumerate(names)}}
    for level in range(pyramid.levels):
        section = f"LAYER_0_LEVEL_{level}_SECTION"
        ini["HIERARCHICAL"][f"HIER_0_VAL_{level}"] = f"ZoomLevel_{level}"
        ini["HIERARCHICAL"][f"HIER_0_VAL_{level}_SECTION"] = section
        ini[section] = _level_entries(pyramid.settings, mpp_um, level)
    text = io.StringIO()
    ini.write(text)
    return text.getvalue()


def _level_entries(settings: MiraxSettings, mpp_um: float, level: int) -> dict[str, str]:
    red, green, blue = settings.background_rgb
    return {
        "OVERLAP_X": "0",
        "OVERLAP_Y": "0",
        "MICROMETER_PER_PIXEL_X": f"{mpp_um * 2**level:.12f}",
        "MICROMETER_PER_PIXEL_Y": f"{mpp_um * 2**level:.12f}",
        "IMAGE_FORMAT": settings.image_format,
        "IMAGE_FILL_COLOR_BGR": str(blue << 16 | green << 8 | red),
        "DIGITIZER_WIDTH": str(settings.tile_px),
        "DIGITIZER_HEIGHT": str(settings.tile_px),
        "IMAGE_CONCAT_FACTOR": "0" if level == 0 else "1",
    }
