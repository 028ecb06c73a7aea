"""What a header may claim before it is a mistake, and the words in which a mistake is told.

Messages never repeat text of the file: descriptions and labels hold names, barcodes and dates.
"""

from __future__ import annotations

from ihcscore.errors import SlideError

# A whole-mount slide of 200 × 150 mm at 0.2 µm/px is 1 000 000 px wide; scanners stop well before.
MAX_SIDE_PX = 1_000_000
# About 500 000 × 500 000 px: 100 × 100 mm at 0.2 µm/px.
MAX_AREA_PX = 1 << 38
# A decoder holds a whole tile at 4 bytes a pixel: 256 MiB here. Scanners write tiles of 240 to 4096 px.
MAX_TILE_PX = 1 << 26
# A picture stored in strips is decoded strip by strip, or whole where it is one strip.
MAX_STRIP_PX = 1 << 28


def damaged(name: str, what: str) -> SlideError:
    """The error of a header that cannot be true."""
    return SlideError(f"{name}: {what}; the file is damaged, copy or export it again")


def cut_short(name: str, *, size_bytes: int, needed_bytes: int) -> SlideError:
    """The error of a file that ends before its data do."""
    return SlideError(f"{name}: is cut short ({size_bytes} bytes, not {needed_bytes}); copy it again")


def check_picture_size(name: str, what: str, width: int, height: int) -> None:
    """Refuse a width and height that no scanner makes.

    Parameters
    ----------
    name : str
        Of the file.
    what : str
        Which picture of the file, such as ``image 2``.
    width, height : int
        Pixels.

    Raises
    ------
    SlideError
    """
    if not (1 <= width <= MAX_SIDE_PX and 1 <= height <= MAX_SIDE_PX and width * height <= MAX_AREA_PX):
        raise damaged(name, f"{what} claims {width} × {height} px, expected 1 to {MAX_SIDE_PX} each way")


def check_tile_size(name: str, what: str, width: int, height: int) -> None:
    """Refuse a tile that is empty or would not fit into memory; arguments as in `check_picture_size`."""
    if width < 1 or height < 1 or width * height > MAX_TILE_PX:
        raise damaged(
            name, f"{what} claims tiles of {width} × {height} px, expected 1 px to {MAX_TILE_PX} in all"
        )
