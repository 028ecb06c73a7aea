"""A corpus of damaged slides: every kind of damage for every format, from seeds that are written down."""

from __future__ import annotations

import shutil
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ihcscore.synthetic import MiraxSettings, write_mirax
from writers import damage
from writers.formats import WRITERS

Rgb = NDArray[np.uint8]
# Damages the slide at a path.
Harm = Callable[[Path, np.random.Generator], None]

_CUTS = (0.0, 0.0001, 0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 0.9999)
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _SAMPLES, _PLANAR = 256, 257, 258, 259, 262, 277, 284
_TILE_WIDTH, _TILE_HEIGHT, _TILE_OFFSETS, _TILE_BYTES = 322, 323, 324, 325
_ROWS_PER_STRIP, _STRIP_OFFSETS, _STRIP_BYTES = 278, 273, 279
_DICOM_ROWS, _DICOM_COLUMNS, _DICOM_FRAMES = 0x00280010, 0x00280011, 0x00280008
_DICOM_TOTAL_COLUMNS, _DICOM_TOTAL_ROWS = 0x00480006, 0x00480007


@dataclass(frozen=True, kw_only=True)
class Case:
    """One damaged slide to be made.

    Attributes
    ----------
    kind : str
        The kind of damage, as outcomes are counted by.
    name : str
        What exactly is done.
    harm : callable
        Does it.
    """

    kind: str
    name: str
    harm: Harm


def _mirax(folder: Path, rgb: Rgb) -> Path:
    # Several data files, so that they can be swapped.
    settings = MiraxSettings(border_tiles_xy=(2, 1), file_bytes=400_000)
    return write_mirax(folder / "slide.mrxs", rgb, mpp_um=0.5, settings=settings)


def _dicom(folder: Path, rgb: Rgb) -> Path:
    # The file of the finest level stands for its series.
    return min(WRITERS["dicom"](folder, rgb).iterdir())


# Variants of a format that differ in the pixels' coding alone are damaged once.
GOOD = {name: write for name, write in WRITERS.items() if ":" not in name} | {
    "mirax": _mirax,
    "dicom": _dicom,
}


def write_good(name: str, folder: Path, rgb: Rgb) -> Path:
    """A good slide of a format, alone in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    return GOOD[name](folder, rgb)


def cases(format_name: str, per_kind: int) -> Iterator[Case]:
    """All damage to one format; kinds that are random, in `per_kind` variants each."""
    if format_name == "mirax":
        yield from _mirax_cases(per_kind)
    elif format_name == "dicom":
        yield from _dicom_cases(per_kind)
    else:
        yield from _tiff_cases(per_kind, has_strips=format_name == "ndpi", is_jpeg="2000" not in format_name)


def damaged_copy(good: Path, folder: Path, case: Case, seed: int) -> Path:
    """Copy the folder of a good slide and damage the copy; the path of the damaged slide."""
    shutil.copytree(good.parent, folder)
    path = folder / good.name
    case.harm(path, np.random.default_rng(seed))
    return path


def _spread(values: tuple[float, ...], n: int) -> list[float]:
    """So many of the values, evenly taken."""
    return [values[int(i)] for i in np.linspace(0, len(values) - 1, min(n, len(values))).round()]


def _case(kind: str, name: str, act: Callable[..., None], *words: object, **more: object) -> Case:
    """A case without chance in it."""
    return Case(kind=kind, name=name, harm=lambda path, rng: act(path, *words, **more))


def _tiff_cases(per_kind: int, *, has_strips: bool, is_jpeg: bool) -> Iterator[Case]:
    yield from _tiff_bytes(per_kind)
    yield from _tiff_tags()
    if has_strips:
        yield from _tiff_places(damage.set_tag, _STRIP_OFFSETS, _STRIP_BYTES)
        for value in (0, 1, (1 << 32) - 1):
            yield _case("wrong tiles", f"strips of {value}", damage.set_tag, _ROWS_PER_STRIP, value)
        return
    yield from _tiff_places(damage.set_value, _TILE_OFFSETS, _TILE_BYTES)
    yield from _tiff_tiles()
    for side in (0, 16, 65500) if is_jpeg else ():
        yield _case("wrong tiles", f"JPEG of {side}", damage.set_jpeg_size, side)


def _tiff_bytes(per_kind: int) -> Iterator[Case]:
    for keep in _spread(_CUTS, 2 * per_kind):
        yield _case("cut short", f"to {keep:.2%}", damage.cut, keep)
    for i in range(2 * per_kind):
        n = 1 + i % 3
        yield Case(kind="header bytes flipped", name=f"{n} bytes, {i}", harm=partial(_flip_header, n=n))
    for i in range(per_kind):
        n = 10 ** (i % 3)
        yield Case(kind="data bytes flipped", name=f"{n} bytes, {i}", harm=partial(_flip_data, n=n))
        yield Case(kind="data wiped", name=f"4096 bytes, {i}", harm=_wipe_data)


def _tiff_tags() -> Iterator[Case]:
    for page in (0, 1):
        yield _case("cyclic IFDs", f"page {page}", damage.set_next_page, None, page=page)
        name = f"next of page {page}"
        yield _case("offset beyond the end", name, damage.set_next_page, 1 << 30, page=page)
    for tag, word in ((_WIDTH, "width"), (_HEIGHT, "height")):
        for value in (0, 1, 100_000, 1 << 30, (1 << 32) - 1):
            yield _case("absurd dimensions", f"{word} {value}", damage.set_tag, tag, value)
    for tag, word, values in (
        (_BITS, "bits", (0, 1, 16, 65535)),
        (_SAMPLES, "samples", (0, 1, 4, 65535)),
        (_PLANAR, "planes", (2,)),
        (_PHOTOMETRIC, "photometric", (0, 1, 2, 6)),
    ):
        for value in values:
            yield _case("wrong pixels", f"{word} {value}", damage.set_tag, tag, value)
    for value in (1, 2, 4, 5, 6, 7, 8, 32773, 32946, 33003, 33005, 34712, 50000, 50001, 65000):
        yield _case("wrong compression", str(value), damage.set_tag, _COMPRESSION, value)


def _tiff_places(act: Callable[..., None], offsets: int, lengths: int) -> Iterator[Case]:
    yield _case("offset beyond the end", "tile 0", act, offsets, 0xFFFFFF00)
    yield _case("offset beyond the end", "length of tile 0", act, lengths, 0x7FFFFFFF)
    yield Case(
        kind="offset beyond the end",
        name="tile 0 by little",
        harm=lambda path, rng: act(path, offsets, path.stat().st_size - 2),
    )


def _tiff_tiles() -> Iterator[Case]:
    for tag, word in ((_TILE_WIDTH, "width"), (_TILE_HEIGHT, "height")):
        for value in (0, 16, 1000, 1 << 15, 1 << 30, (1 << 32) - 1):
            yield _case("wrong tiles", f"{word} {value}", damage.set_tag, tag, value)
    for tag, word in ((_TILE_OFFSETS, "offsets"), (_TILE_BYTES, "lengths")):
        for count in (0, 2, 1_000_000):
            yield _case("wrong tile counts", f"{count} {word}", damage.set_tag, tag, 0, count=count)
        for at in (0.0, 0.5, 0.7):
            yield _case("zero-size tiles", f"{word} of the tile at {at:.0%}", damage.set_value, tag, 0, at=at)
        yield _case("zero-size tiles", f"{word} all", damage.set_tag, tag, 0)


def _flip_header(path: Path, rng: np.random.Generator, *, n: int) -> None:
    damage.flip(path, damage.tiff_header_places(path), rng, n)


def _flip_data(path: Path, rng: np.random.Generator, *, n: int) -> None:
    damage.flip(path, damage.tiff_data_places(path), rng, n)


def _wipe_data(path: Path, rng: np.random.Generator) -> None:
    damage.wipe(path, damage.tiff_data_places(path), rng)


def _mirax_cases(per_kind: int) -> Iterator[Case]:
    yield from _mirax_files(per_kind)
    for i in range(per_kind):
        n = 10 ** (i % 3)
        harm = partial(_flip_file, name="Data0001.dat", n=n)
        yield Case(kind="data bytes flipped", name=f"{n} bytes, {i}", harm=harm)
        yield Case(kind="data wiped", name=f"4096 bytes, {i}", harm=_wipe_mirax)
    for key, values in _INI_VALUES.items():
        for value in values:
            yield _case("bad numbers in Slidedat.ini", f"{key} = {value}", damage.set_ini, key, value)
    for word in range(4):
        for value in (-1, 0, 0x7FFFFFFF):
            harm = partial(_set_record, word=word, value=value)
            yield Case(kind="wrong tile records", name=f"word {word} is {value}", harm=harm)


def _mirax_files(per_kind: int) -> Iterator[Case]:
    yield _case("files missing", "folder", damage.remove_data_folder)
    yield _case("data files swapped", "0 and 1", damage.swap_data)
    yield Case(kind="data files swapped", name="1 is 0", harm=_copy_data)
    for name in ("Slidedat.ini", "Index.dat", "Data0000.dat", "Data0001.dat"):
        yield Case(kind="files missing", name=name, harm=_in_folder(name, _unlink))
        for keep in _spread(_CUTS, per_kind):
            harm = _in_folder(name, partial(damage.cut, keep=keep))
            yield Case(kind="cut short", name=f"{name} to {keep:.2%}", harm=harm)
    for name in ("Slidedat.ini", "Index.dat"):
        for i in range(per_kind):
            harm = partial(_flip_file, name=name, n=1 + i % 3)
            yield Case(kind="header bytes flipped", name=f"{name} {i}", harm=harm)


_BAD_NUMBERS = ("", "-1", "0", "x", "nan", "1e8", "99999999", "99999999999999999999")
_INI_VALUES = {
    "IMAGENUMBER_X": (*_BAD_NUMBERS, "3"),
    "IMAGENUMBER_Y": (*_BAD_NUMBERS, "3"),
    "DIGITIZER_WIDTH": (*_BAD_NUMBERS, "100000000", "128"),
    "DIGITIZER_HEIGHT": (*_BAD_NUMBERS, "100000000", "128"),
    "IMAGE_CONCAT_FACTOR": ("-1", "31", "x"),
    "OVERLAP_X": ("-1e9", "256", "1e9", "nan"),
    "MICROMETER_PER_PIXEL_X": ("0", "-0.5", "nan", "inf", "1e-9", "1e9", "x"),
    "IMAGE_FILL_COLOR_BGR": ("-99999999999", "x", "999999999999"),
    "IMAGE_FORMAT": ("BMP24", "PNG", "TIFF", ""),
    "HIER_COUNT": ("0", "-1", "99999999"),
    "HIER_0_COUNT": ("0", "-1", "99999999", "2"),
    "NONHIER_COUNT": ("-1", "99999999"),
    "FILE_COUNT": ("0", "-1", "99999999", "1"),
    "INDEXFILE": ("", "../slide.mrxs", "Data0000.dat"),
    "SLIDE_ID": ("", "0"),
    "CameraImageDivisionsPerSide": ("0", "-1", "99999999", "3"),
}


def _in_folder(name: str, act: Callable[[Path], None]) -> Harm:
    return lambda path, rng: act(path.with_suffix("") / name)


def _unlink(file: Path) -> None:
    file.unlink()


def _copy_data(path: Path, rng: np.random.Generator) -> None:
    folder = path.with_suffix("")
    shutil.copy(folder / "Data0000.dat", folder / "Data0001.dat")


def _flip_file(path: Path, rng: np.random.Generator, *, name: str, n: int) -> None:
    file = path.with_suffix("") / name
    damage.flip(file, [range(file.stat().st_size)], rng, n)


def _wipe_mirax(path: Path, rng: np.random.Generator) -> None:
    file = path.with_suffix("") / "Data0001.dat"
    damage.wipe(file, [range(64, file.stat().st_size)], rng)


def _set_record(path: Path, rng: np.random.Generator, *, word: int, value: int) -> None:
    """Change the image, offset, length or file of one of the first 20 tiles in the index."""
    index = path.with_suffix("") / "Index.dat"
    raw = bytearray(index.read_bytes())
    (levels,) = struct.unpack_from("<i", raw, 37)
    (first,) = struct.unpack_from("<i", raw, levels)
    (page,) = struct.unpack_from("<i", raw, first + 4)
    struct.pack_into("<i", raw, page + 8 + 16 * int(rng.integers(20)) + 4 * word, value)
    index.write_bytes(raw)


def _dicom_cases(per_kind: int) -> Iterator[Case]:
    for keep in _spread(_CUTS, 2 * per_kind):
        yield _case("cut short", f"to {keep:.2%}", damage.cut, keep)
    yield Case(kind="files missing", name="another level cut", harm=_cut_sibling)
    yield _case("no pixel data", "header alone", damage.cut_pixels)
    for i in range(2 * per_kind):
        n = 1 + i % 3
        yield Case(kind="header bytes flipped", name=f"{n} bytes, {i}", harm=partial(_flip_dicom, n=n))
    for i in range(per_kind):
        n = 10 ** (i % 3)
        yield Case(kind="data bytes flipped", name=f"{n} bytes, {i}", harm=partial(_flip_frames, n=n))
        yield Case(kind="data wiped", name=f"4096 bytes, {i}", harm=_wipe_frames)
    for tag, word in ((_DICOM_ROWS, "Rows"), (_DICOM_COLUMNS, "Columns")):
        for value in (0, 1, 100, 65535):
            yield _case("wrong tiles", f"{word} {value}", damage.set_dicom, tag, value)
    for tag, word in ((_DICOM_TOTAL_COLUMNS, "columns"), (_DICOM_TOTAL_ROWS, "rows")):
        for value in (0, 1, 100_000, (1 << 32) - 1):
            yield _case("absurd dimensions", f"{word} {value}", damage.set_dicom, tag, value)
    for text in ("0", "1", "-5", "99999999", "many"):
        yield _case("wrong tile counts", f"{text} frames", damage.set_dicom, _DICOM_FRAMES, text)


def _cut_sibling(path: Path, rng: np.random.Generator) -> None:
    other = next(file for file in sorted(path.parent.iterdir()) if file != path)
    damage.cut(other, 0.7)


def _flip_dicom(path: Path, rng: np.random.Generator, *, n: int) -> None:
    damage.flip(path, damage.dicom_header_places(path), rng, n)


def _flip_frames(path: Path, rng: np.random.Generator, *, n: int) -> None:
    damage.flip(path, damage.dicom_data_places(path), rng, n)


def _wipe_frames(path: Path, rng: np.random.Generator) -> None:
    damage.wipe(path, damage.dicom_data_places(path), rng)
