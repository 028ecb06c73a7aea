"""Whether a MIRAX slide has beside its ``.mrxs`` what its headers say, and whether that can be true.

OpenSlide opens a slide whose data files were cut short and fails tile by tile later; a camera image
1e8 px high aborts the process, and 99999999 images across take all memory before anything is read.
Layout of ``Slidedat.ini`` and ``Index.dat``: https://openslide.org/formats/mirax/.
"""

from __future__ import annotations

import math
from pathlib import Path

from ihcscore.errors import SlideError
from ihcscore.slide.checks.limits import check_picture_size, check_tile_size
from ihcscore.slide.checks.mirax_index import VERSION, MiraxIndex

SUFFIX = ".mrxs"

# OpenSlide reads no longer one.
_MAX_INI_BYTES = 1 << 20
_MAX_FILES = 10_000
_MAX_LEVELS, _MAX_LAYERS, _MAX_VALUES = 32, 1000, 100_000
# A 500 000 px square of 256 px images has 4 million; OpenSlide keeps a position for each.
_MAX_IMAGES = 10_000_000
_AGAIN = "copy the .mrxs together with its whole folder"
_POSITION_LAYERS = ("StitchingIntensityLayer", "VIMSLIDE_POSITION_BUFFER")

Ini = dict[str, dict[str, str]]


class _Slidedat:
    """``Slidedat.ini``, whose values are checked as they are asked for.

    Messages name a key and never its value, unless that is a number.
    """

    def __init__(self, path: Path, file: Path) -> None:
        self._where = f"{path.name}: '{file.parent.name}/{file.name}'"
        if not file.is_file():
            raise SlideError(f"{self._where} is missing; {_AGAIN}")
        with file.open("rb") as opened:
            raw = opened.read(_MAX_INI_BYTES + 1)
        if len(raw) > _MAX_INI_BYTES:
            raise self.damaged(f"more than {_MAX_INI_BYTES} bytes")
        self._sections = _parse(raw.decode("utf-8-sig", errors="replace"))

    def damaged(self, what: str) -> SlideError:
        return SlideError(f"{self._where} is damaged ({what}); {_AGAIN}")

    def text(self, section: str, key: str) -> str:
        value = self._sections.get(section, {}).get(key)
        if value is None:
            raise self.damaged(f"no {key} in [{section[:40]}]" if section.isascii() else f"no {key}")
        return value

    def whole(self, section: str, key: str, low: int, high: int) -> int:
        """A whole number from `low` to `high`."""
        return int(self.number(section, key, low, high, whole=True))

    def number(self, section: str, key: str, low: float, high: float, *, whole: bool = False) -> float:
        """A number from `low` to `high`."""
        text = self.text(section, key)
        try:
            value = int(text) if whole else float(text)
        except ValueError:
            raise self.damaged(f"{key} is no number") from None
        if not (math.isfinite(value) and low <= value <= high):
            raise self.damaged(f"{key} = {value:g}, expected {low:g} to {high:g}")
        return value

    def has(self, section: str, key: str) -> bool:
        return key in self._sections.get(section, {})


def _parse(text: str) -> Ini:
    """Sections and their keys; what is neither is left out, as are comments."""
    sections: Ini = {}
    current: dict[str, str] = {}
    for line in text.splitlines():
        line = line.strip()
        if line.startswith("[") and line.endswith("]"):
            current = sections.setdefault(line[1:-1], {})
        elif "=" in line and not line.startswith(("#", ";")):
            key, _, value = line.partition("=")
            current[key.strip()] = value.strip()
    return sections


def check_mirax(path: Path) -> None:
    """Refuse a MIRAX slide whose folder is missing, incomplete or cut short, or whose numbers are absurd.

    Parameters
    ----------
    path : Path
        The ``.mrxs`` file.

    Raises
    ------
    SlideError
        Naming the file that is missing, too short or damaged.
    """
    folder = path.with_suffix("")
    if not folder.is_dir():
        raise SlideError(f"{path.name}: the data folder '{folder.name}' beside it is missing; {_AGAIN}")
    ini = _Slidedat(path, folder / "Slidedat.ini")
    index, data = _listed_files(ini, folder)
    for file in (index, *data):
        if not file.is_file():
            raise SlideError(f"{path.name}: '{folder.name}/{file.name}' is missing; {_AGAIN}")
    n_levels, across, usable_xy = _check_geometry(path, ini)
    read = MiraxIndex(
        path, index, n_levels=n_levels, images_across=across, usable_xy=usable_xy, n_files=len(data)
    )
    needed = read.needed_bytes(_position_records(ini))
    for number, file in enumerate(data):
        has, needs = file.stat().st_size, needed[number]
        if has < needs:
            raise SlideError(
                f"{path.name}: '{folder.name}/{file.name}' is cut short ({has} bytes, not {needs}); {_AGAIN}"
            )
        _check_same_slide(path, file, number, read.head)


def _listed_files(ini: _Slidedat, folder: Path) -> tuple[Path, list[Path]]:
    """The index file and the data files that ``Slidedat.ini`` names."""
    count = ini.whole("DATAFILE", "FILE_COUNT", 1, _MAX_FILES)
    names = [
        ini.text("HIERARCHICAL", "INDEXFILE"),
        *(ini.text("DATAFILE", f"FILE_{number}") for number in range(count)),
    ]
    if any(not name or "\0" in name or "\\" in name or Path(name).name != name for name in names):
        raise ini.damaged("it names files outside the slide's folder")
    return folder / names[0], [folder / name for name in names[1:]]


def _check_geometry(path: Path, ini: _Slidedat) -> tuple[int, int, tuple[int, int]]:
    """Check sizes and levels; the number of levels, of images in a row, of columns and rows to use."""
    across = ini.whole("GENERAL", "IMAGENUMBER_X", 1, _MAX_IMAGES)
    down = ini.whole("GENERAL", "IMAGENUMBER_Y", 1, _MAX_IMAGES)
    if across * down > _MAX_IMAGES:
        raise ini.damaged(f"{across} × {down} images, expected {_MAX_IMAGES} at most")
    sides = "CameraImageDivisionsPerSide"
    divisions = ini.whole("GENERAL", sides, 1, 64) if ini.has("GENERAL", sides) else 1
    exponent = 0
    sections = _level_sections(ini)
    for number, section in enumerate(sections):
        width, height = (ini.whole(section, f"DIGITIZER_{side}", 0, 1 << 31) for side in ("WIDTH", "HEIGHT"))
        check_tile_size(path.name, f"level {number}", width, height)
        if number == 0:
            check_picture_size(path.name, "level 0", across * width, down * height)
        exponent += ini.whole(section, "IMAGE_CONCAT_FACTOR", 0, 24)
        if exponent > 24:
            raise ini.damaged(f"IMAGE_CONCAT_FACTOR adds up to {exponent}")
        for axis, side in (("X", width), ("Y", height)):
            # Neighbours overlap by a part of an image; the whole of one leaves no step between them.
            ini.number(section, f"OVERLAP_{axis}", -side, side * 0.99)
            ini.number(section, f"MICROMETER_PER_PIXEL_{axis}", 1e-6, 1e6)
        ini.whole(section, "IMAGE_FILL_COLOR_BGR", -(1 << 31), (1 << 32) - 1)
    # A photograph is divided into images; what is left over of a division has no place on the slide.
    return len(sections), across, (across // divisions * divisions, down // divisions * divisions)


def _level_sections(ini: _Slidedat) -> list[str]:
    """Names of the sections of the levels, finest first."""
    layers = ini.whole("HIERARCHICAL", "HIER_COUNT", 1, _MAX_LAYERS)
    for layer in range(layers):
        if ini.text("HIERARCHICAL", f"HIER_{layer}_NAME") == "Slide zoom level":
            count = ini.whole("HIERARCHICAL", f"HIER_{layer}_COUNT", 1, _MAX_LEVELS)
            return [ini.text("HIERARCHICAL", f"HIER_{layer}_VAL_{i}_SECTION") for i in range(count)]
    raise ini.damaged("it lists no levels")


def _position_records(ini: _Slidedat) -> list[int]:
    """Numbers of the records that hold the images' positions, which OpenSlide reads on opening."""
    layers = ini.whole("HIERARCHICAL", "NONHIER_COUNT", 0, _MAX_LAYERS)
    found, first = [], 0
    for layer in range(layers):
        if ini.text("HIERARCHICAL", f"NONHIER_{layer}_NAME") in _POSITION_LAYERS:
            found.append(first)
        first += ini.whole("HIERARCHICAL", f"NONHIER_{layer}_COUNT", 0, _MAX_VALUES)
    return found


def _check_same_slide(path: Path, file: Path, number: int, head: bytes) -> None:
    """Refuse a data file of another slide, or one that took another's name: each begins with who it is."""
    with file.open("rb") as opened:
        begin = opened.read(len(head) + 3)
    if not begin.startswith(VERSION):
        return  # no header that is known: the tiles decide
    if not begin.startswith(head):
        raise SlideError(f"{path.name}: '{file.parent.name}/{file.name}' belongs to another slide; {_AGAIN}")
    says = begin[len(head) :].strip()
    if says.isdigit() and int(says) != number:
        raise SlideError(
            f"{path.name}: '{file.parent.name}/{file.name}' is data file {int(says)}, "
            f"expected {number}; {_AGAIN}"
        )
