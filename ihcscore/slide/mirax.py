"""What a MIRAX slide must have beside its ``.mrxs`` before anything is read from it.

OpenSlide opens a slide whose data files were cut short and fails tile by tile later. A copy that
broke off is the commonest damage to MIRAX, so the index is held against the files first.
Layout of ``Slidedat.ini`` and ``Index.dat``: https://openslide.org/formats/mirax/.
"""

from __future__ import annotations

import configparser
import struct
from pathlib import Path

from ihcscore.errors import SlideError

_VERSION = b"01.02"
_INT = struct.Struct("<i")
_PAGE_HEAD = struct.Struct("<ii")
_RECORD = struct.Struct("<iiii")
_MAX_PAGES = 1_000_000


def check_mirax(path: Path) -> None:
    """Refuse a MIRAX slide whose folder is missing, incomplete or cut short.

    Parameters
    ----------
    path : Path
        The ``.mrxs`` file.

    Raises
    ------
    SlideError
        Naming the file that is missing or too short.
    """
    folder = path.with_suffix("")
    again = "copy the .mrxs together with its whole folder"
    if not folder.is_dir():
        raise SlideError(f"{path.name}: the data folder '{folder.name}' beside it is missing; {again}")
    index, data = _listed_files(path, folder)
    for file in (index, *data):
        if not file.is_file():
            raise SlideError(f"{path.name}: '{folder.name}/{file.name}' is missing; {again}")
    sizes = [file.stat().st_size for file in data]
    needed = _needed_sizes(path, index, len(data))
    for file, has, needs in zip(data, sizes, needed, strict=True):
        if has < needs:
            raise SlideError(
                f"{path.name}: '{folder.name}/{file.name}' is cut short ({has} bytes, not {needs}); {again}"
            )


def _listed_files(path: Path, folder: Path) -> tuple[Path, list[Path]]:
    """The index file and the data files that ``Slidedat.ini`` names."""
    ini = folder / "Slidedat.ini"
    if not ini.is_file():
        raise SlideError(
            f"{path.name}: '{folder.name}/Slidedat.ini' is missing; copy the slide's folder again"
        )
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(ini.read_text(encoding="utf-8-sig", errors="replace"))
        index = parser.get("HIERARCHICAL", "INDEXFILE")
        count = parser.getint("DATAFILE", "FILE_COUNT")
        if not 1 <= count <= 10_000:
            raise ValueError(f"FILE_COUNT = {count}")
        names = [parser.get("DATAFILE", f"FILE_{i}") for i in range(count)]
    except (configparser.Error, ValueError) as error:
        raise SlideError(
            f"{path.name}: '{folder.name}/Slidedat.ini' is damaged ({' '.join(str(error).split())})"
        ) from error
    if any(Path(name).name != name for name in (index, *names)):
        raise SlideError(f"{path.name}: '{folder.name}/Slidedat.ini' names files outside the slide's folder")
    return folder / index, [folder / name for name in names]


def _needed_sizes(path: Path, index: Path, n_files: int) -> list[int]:
    """Size in bytes that each data file must have to hold the tiles that the index lists."""
    raw = index.read_bytes()
    needed = [0] * n_files
    try:
        if raw[: len(_VERSION)] != _VERSION:
            return needed  # another version: OpenSlide decides
        root = _hierarchical_root(raw)
        for offset, length, file in _records(raw, root):
            if not (0 <= file < n_files and offset >= 0 and length >= 0):
                raise ValueError(f"tile at {offset} in file {file}")
            needed[file] = max(needed[file], offset + length)
    except (struct.error, ValueError) as error:
        raise SlideError(
            f"{path.name}: '{index.parent.name}/{index.name}' is damaged or cut short ({error})"
        ) from error
    return needed


def _hierarchical_root(raw: bytes) -> int:
    """Where the pointers to the levels start: behind the version and the slide's id."""
    # The id's length is not stored; the two root pointers follow it, and the first points behind them.
    for start in range(len(_VERSION), min(len(_VERSION) + 64, len(raw) - 8)):
        pointer: int = _INT.unpack_from(raw, start)[0]
        if pointer == start + 8:
            return pointer
    raise ValueError("no table of levels")


def _records(raw: bytes, root: int) -> list[tuple[int, int, int]]:
    """Offset, length and file number of every tile of every level."""
    # The table of levels ends where the first level's list begins.
    (first,) = _INT.unpack_from(raw, root)
    if not root < first <= len(raw) or (first - root) % 4:
        raise ValueError("table of levels")
    found: list[tuple[int, int, int]] = []
    pages = 0
    for (start,) in _INT.iter_unpack(raw[root:first]):
        _, page = _PAGE_HEAD.unpack_from(raw, start)
        while page:
            count, page_next = _PAGE_HEAD.unpack_from(raw, page)
            pages += 1
            if count < 0 or pages > _MAX_PAGES:
                raise ValueError("page list")
            body = raw[page + _PAGE_HEAD.size :][: count * _RECORD.size]
            if len(body) < count * _RECORD.size:
                raise ValueError("page list ends early")
            found += [(offset, length, file) for _, offset, length, file in _RECORD.iter_unpack(body)]
            page = page_next
    return found
