"""Damage to slides: what copying, cloud storage and failing disks do to them."""

from __future__ import annotations

import shutil
import struct
from dataclasses import dataclass
from pathlib import Path

import tifffile


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
    with tifffile.TiffFile(svs) as tiff:
        page = tiff.pages[0]
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
