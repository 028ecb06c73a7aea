"""Damage to slides: what copying, cloud storage and failing disks do to them."""

from __future__ import annotations

import shutil
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile

_PIXEL_DATA = b"\xe0\x7f\x10\x00"


@dataclass(frozen=True, kw_only=True)
class StoredTile:
    """Where a tile's bytes lie."""

    file: Path
    offset: int
    length: int


def remove_data_folder(mrxs: Path) -> None:
    """Leave the ``.mrxs`` alone, as when a user copies only the file he sees."""
    shutil.rmtree(mrxs.with_suffix(""))


def truncate_data(mrxs: Path, keep: float = 0.5) -> None:
    """Cut the last data file of a MIRAX slide down to a share of its length, as a broken copy does.

    OpenSlide then refuses to open the slide: the coarsest level, which it reads at once, lies at the end.
    """
    last = sorted(mrxs.with_suffix("").glob("Data*.dat"))[-1]
    with last.open("r+b") as file:
        file.truncate(int(last.stat().st_size * keep))


def find_mirax_tile(mrxs: Path, ix: int, iy: int, level: int = 0) -> StoredTile:
    """A tile of a MIRAX slide, by its column and row among the tiles of level 0 (unscanned ones count)."""
    folder = mrxs.with_suffix("")
    ini = (folder / "Slidedat.ini").read_text(encoding="utf-8-sig")
    columns = int(next(line for line in ini.splitlines() if line.startswith("IMAGENUMBER_X")).split("=")[1])
    index = (folder / "Index.dat").read_bytes()
    (levels,) = struct.unpack_from("<i", index, 37)
    (first,) = struct.unpack_from("<i", index, levels + 4 * level)
    (page,) = struct.unpack_from("<i", index, first + 4)
    while page:
        count, following = struct.unpack_from("<ii", index, page)
        for k in range(count):
            number, offset, length, file = struct.unpack_from("<iiii", index, page + 8 + 16 * k)
            if number == iy * columns + ix:
                return StoredTile(file=folder / f"Data{file:04d}.dat", offset=offset, length=length)
        page = following
    raise ValueError(f"no tile is stored at column {ix}, row {iy} of level {level}")


def find_svs_tile(svs: Path, index: int) -> StoredTile:
    """Tile number `index` (row by row) of level 0 of an SVS or another tiled TIFF."""
    with _opened(svs) as tiff:
        page = tiff.pages[_finest(tiff)]
        return StoredTile(file=svs, offset=page.dataoffsets[index], length=page.databytecounts[index])


def overwrite(tile: StoredTile) -> None:
    """Overwrite a tile's bytes with what no decoder takes."""
    with tile.file.open("r+b") as file:
        file.seek(tile.offset)
        file.write(b"\x55" * tile.length)


def break_mirax_tile(mrxs: Path, ix: int, iy: int) -> None:
    """Make one tile of level 0 of a MIRAX slide unreadable; column and row as in `find_mirax_tile`."""
    overwrite(find_mirax_tile(mrxs, ix, iy))


def break_svs_tile(svs: Path, index: int) -> None:
    """Make one tile of level 0 of an SVS unreadable."""
    overwrite(find_svs_tile(svs, index))


def cut(file: Path, keep: float) -> None:
    """Cut a file down to a share of its length."""
    size = file.stat().st_size
    with file.open("r+b") as opened:
        opened.truncate(int(size * keep))


def flip(file: Path, places: Sequence[range], rng: np.random.Generator, n_bytes: int = 1) -> None:
    """Change some bytes, at random among the given places of a file, each to another value."""
    lengths = np.array([len(place) for place in places])
    with file.open("r+b") as opened:
        for _ in range(n_bytes):
            place = places[rng.choice(len(places), p=lengths / lengths.sum())]
            at = int(rng.integers(place.start, place.stop))
            opened.seek(at)
            old = opened.read(1)[0]
            opened.seek(at)
            opened.write(bytes([old ^ int(rng.integers(1, 256))]))


def wipe(file: Path, places: Sequence[range], rng: np.random.Generator, n_bytes: int = 4096) -> None:
    """Set a run of bytes to zero, as a lost sector does, starting at random in one of the given places."""
    place = places[int(rng.integers(len(places)))]
    at = int(rng.integers(place.start, place.stop))
    with file.open("r+b") as opened:
        opened.seek(at)
        opened.write(bytes(min(n_bytes, place.stop - at)))


def tiff_header_places(path: Path) -> list[range]:
    """Where the directories of a TIFF and their values lie, with the file's header."""
    places = [range(4, 8)]
    with _opened(path) as tiff:
        places[0] = range(4, 16 if tiff.is_bigtiff else 8)
        for page in tiff.pages:
            entries = [tag.offset for tag in page.tags]
            places.append(range(page.offset, max(entries) + tiff.tiff.tagsize + 4))
            places += [
                range(tag.valueoffset, tag.valueoffset + tag.valuebytecount)
                for tag in page.tags
                if tag.valueoffset - tag.offset > 12
            ]
    return places


def tiff_data_places(path: Path) -> list[range]:
    """Where the stored tiles and strips of a TIFF's level 0 lie."""
    with _opened(path) as tiff:
        page = tiff.pages[_finest(tiff)]
        return [
            range(offset, offset + length)
            for offset, length in zip(page.dataoffsets, page.databytecounts, strict=True)
            if length
        ]


def set_tag(path: Path, code: int, value: int, *, page: int | None = None, count: int = 1) -> None:
    """Give a tag of a page (level 0's by default) one whole number, or another count of the values it has."""
    with _opened(path) as tiff:
        tag = tiff.pages[_finest(tiff) if page is None else page].tags[code]
        big, at = tiff.is_bigtiff, tag.offset
    with path.open("r+b") as file:
        if count != 1:
            file.seek(at + 4)
            file.write(struct.pack("<Q" if big else "<I", count))
            return
        file.seek(at + 2)
        file.write(struct.pack("<HQQ" if big else "<HII", 16 if big else 4, 1, value))


def set_value(path: Path, code: int, value: int, *, at: float = 0.0) -> None:
    """Change one of a tag's values, such as the offset of a tile: the one so far through them (0 to 1)."""
    with _opened(path) as tiff:
        tag = tiff.pages[_finest(tiff)].tags[code]
        size = tag.valuebytecount // tag.count
        place = tag.valueoffset + int(at * (tag.count - 1)) * size
    with path.open("r+b") as file:
        file.seek(place)
        file.write(value.to_bytes(size, "little"))


def set_next_page(path: Path, offset: int | None, *, page: int = 0) -> None:
    """Lead the pointer behind a page (the last, if there are fewer) elsewhere; None leads to the first."""
    with _opened(path) as tiff:
        found = tiff.pages[min(page, len(tiff.pages) - 1)]
        pointer = max(tag.offset for tag in found.tags) + tiff.tiff.tagsize
        target = tiff.pages[0].offset if offset is None else offset
        size = 8 if tiff.is_bigtiff or tiff.is_ndpi else 4
    with path.open("r+b") as file:
        file.seek(pointer)
        file.write(target.to_bytes(size, "little"))


def set_jpeg_size(path: Path, side_px: int) -> None:
    """Let the JPEG stream of the tile in the middle claim another size."""
    with _opened(path) as tiff:
        index = len(tiff.pages[_finest(tiff)].dataoffsets) // 2
    tile = find_svs_tile(path, index)
    with path.open("r+b") as file:
        file.seek(tile.offset)
        frame = file.read(tile.length).find(b"\xff\xc0")
        if frame < 0:
            raise ValueError(f"tile {index} is no baseline JPEG")
        file.seek(tile.offset + frame + 5)
        file.write(struct.pack(">HH", side_px, side_px))


def set_ini(mrxs: Path, key: str, value: str) -> None:
    """Change a key of a MIRAX slide's ``Slidedat.ini`` wherever it stands."""
    ini = mrxs.with_suffix("") / "Slidedat.ini"
    lines = ini.read_text(encoding="utf-8-sig").splitlines()
    changed = [f"{key} = {value}" if line.split("=")[0].strip() == key else line for line in lines]
    if changed == lines:
        raise ValueError(f"no {key} in {ini.name}")
    ini.write_text("\n".join(changed), encoding="utf-8")


def swap_data(mrxs: Path) -> None:
    """Exchange the names of the first two data files of a MIRAX slide."""
    first, second = sorted(mrxs.with_suffix("").glob("Data*.dat"))[:2]
    aside = first.with_suffix(".aside")
    first.rename(aside)
    second.rename(first)
    aside.rename(second)


def dicom_header_places(file: Path) -> list[range]:
    """Everything before the pixels of a DICOM file, without its empty preamble."""
    return [range(128, file.read_bytes().index(_PIXEL_DATA))]


def dicom_data_places(file: Path) -> list[range]:
    """The pixels of a DICOM file."""
    return [range(file.read_bytes().index(_PIXEL_DATA) + 64, file.stat().st_size - 8)]


def cut_pixels(file: Path) -> None:
    """Leave a DICOM file without its pixels, its header whole."""
    raw = file.read_bytes()
    file.write_bytes(raw[: raw.index(_PIXEL_DATA)])


def set_dicom(file: Path, tag: int, value: int | str) -> None:
    """Write a number over that of an element of a DICOM file (explicit VR, little-endian)."""
    raw = bytearray(file.read_bytes())
    at = raw.index(struct.pack("<HH", tag >> 16, tag & 0xFFFF), 132)
    (length,) = struct.unpack_from("<H", raw, at + 6)
    new = value.to_bytes(length, "little") if isinstance(value, int) else value.ljust(length).encode()
    if len(new) != length:
        new = new + b" " * (len(new) % 2)
        struct.pack_into("<H", raw, at + 6, len(new))
    raw[at + 8 : at + 8 + length] = new
    file.write_bytes(raw)


def _finest(tiff: tifffile.TiffFile) -> int:
    """Which page holds level 0: in some formats a macro or an overview comes before it."""
    return max(range(len(tiff.pages)), key=lambda k: tiff.pages[k].imagewidth * tiff.pages[k].imagelength)


def _opened(path: Path) -> tifffile.TiffFile:
    # Our NDPI is small and has pointers of 32 bits, which tifffile does not expect under that name.
    return tifffile.TiffFile(path, is_ndpi=False)
