"""Whether a level of an NDPI can be decoded piece by piece.

A level is one JPEG stream. With restart markers OpenSlide decodes it in pieces; without them it decodes
the whole level at once, which only a small one survives (https://openslide.org/formats/hamamatsu/).
JPEG markers: ITU-T T.81, annex B.
"""

from __future__ import annotations

from ihcscore.slide.checks.directories import Directory, TiffFile
from ihcscore.slide.checks.limits import MAX_TILE_PX, damaged

_HEAD_BYTES = 1 << 16
_START_OF_SCAN, _RESTART_INTERVAL = 0xDA, 0xDD


def check_ndpi_level(tiff: TiffFile, directory: Directory, offset: int, width: int, height: int) -> None:
    """Refuse a level that would be decoded whole and is too large for it.

    Parameters
    ----------
    tiff : TiffFile
    directory : Directory
        Of the level.
    offset : int
        Where its stream begins.
    width, height : int
        Pixels of the level.

    Raises
    ------
    SlideError
    """
    if width * height <= MAX_TILE_PX:
        return
    if not _restart_interval(tiff.read(offset, _HEAD_BYTES)):
        raise damaged(
            tiff.name, f"{directory.label} is {width} × {height} px in one piece that cannot be divided"
        )


def _restart_interval(head: bytes) -> int:
    """MCUs between restart markers; 0 without them or without a JPEG header."""
    at = 2
    if head[:2] != b"\xff\xd8":
        return 0
    while at + 6 <= len(head) and head[at] == 0xFF and head[at + 1] != _START_OF_SCAN:
        if head[at + 1] == _RESTART_INTERVAL:
            return int.from_bytes(head[at + 4 : at + 6], "big")
        at += 2 + max(2, int.from_bytes(head[at + 2 : at + 4], "big"))
    return 0
