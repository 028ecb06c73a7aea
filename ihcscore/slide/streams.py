"""What JPEG and JPEG 2000 streams say of their own colours.

The tag of a TIFF page and the stream of its tiles can disagree: converters copy tags, and encoders choose
colours of their own. What a decoder gives follows the stream, so the stream is asked first.
"""

from __future__ import annotations

from enum import StrEnum

# Markers: ITU-T T.81 table B.1.
_SOI, _SOS, _EOI, _APP0, _APP14 = 0xD8, 0xDA, 0xD9, 0xE0, 0xEE
_FRAMES = {0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF}
# JPEG 2000 (ITU-T T.800 annex A): start of codestream, coding style, start of tile-part.
_J2K_START, _COD, _SOT = b"\xff\x4f", 0x52, 0x90
_JP2_START = b"\x00\x00\x00\x0cjP  "


class Colours(StrEnum):
    """What three samples of a pixel are."""

    RGB = "RGB"
    YCBCR = "YCBCR"


def jpeg_colours(stream: bytes, *, tables: bytes = b"") -> tuple[Colours | None, bool]:
    """Colours of a JPEG of three components, and whether that is certain.

    As libjpeg judges (``default_decompress_parms`` in jdapimin.c): JFIF is YCbCr (ITU-T T.871); else Adobe's
    marker says (ITU-T T.872 section 6.5.3); else components that are named R, G, B are those. Components that
    are numbered 1, 2, 3 are mostly YCbCr, but encoders number RGB alike, so that is not certain.

    Parameters
    ----------
    stream : bytes
        The beginning of a tile.
    tables : bytes
        The page's JPEGTables.

    Returns
    -------
    colours : Colours or None
        None where the stream doesn't say.
    certain : bool
    """
    jfif, adobe, components = False, None, b""
    for part in (tables, stream):
        for marker, content in _segments(part):
            if marker == _APP0 and content.startswith(b"JFIF\0"):
                jfif = True
            elif marker == _APP14 and content.startswith(b"Adobe") and len(content) >= 12:
                adobe = content[11]
            elif marker in _FRAMES and len(content) >= 6:
                components = bytes(content[6 + 3 * i] for i in range(content[5]) if 6 + 3 * i < len(content))
    if len(components) != 3:
        return None, False
    if jfif:
        return Colours.YCBCR, True
    if adobe is not None:
        return (Colours.YCBCR if adobe == 1 else Colours.RGB), True
    if components == b"RGB":
        return Colours.RGB, True
    return (Colours.YCBCR, False) if components == b"\1\2\3" else (None, False)


def _segments(stream: bytes) -> list[tuple[int, bytes]]:
    """Markers before the scan, each with its content."""
    found = []
    at = 2
    while at + 4 <= len(stream) and stream[at] == 0xFF:
        marker = stream[at + 1]
        if marker in (_SOS, _EOI):
            break
        if marker == 0xFF:  # fill byte
            at += 1
            continue
        length = int.from_bytes(stream[at + 2 : at + 4], "big")
        found.append((marker, stream[at + 4 : at + 2 + length]))
        at += 2 + max(length, 2)
    return found


def without_colours(stream: bytes) -> bytes:
    """A JPEG without the markers that say its colours (JFIF's and Adobe's)."""
    kept, at = stream[:2], 2
    while at + 4 <= len(stream) and stream[at] == 0xFF and stream[at + 1] not in (_SOS, _EOI):
        end = at + 2 + int.from_bytes(stream[at + 2 : at + 4], "big")
        if stream[at + 1] not in (_APP0, _APP14):
            kept += stream[at:end]
        at = max(end, at + 2)
    return kept + stream[at:]


def jpeg_2000_is_rgb(stream: bytes) -> bool:
    """Whether a JPEG 2000 codestream went through the transform that only RGB goes through.

    Its decoder gives RGB then (ITU-T T.800 annex G), whatever the tag says. Without the transform the samples
    come back as they went in, and the tag has to say what they are.

    Parameters
    ----------
    stream : bytes
        The beginning of a tile.
    """
    if stream.startswith(_JP2_START):
        start = stream.find(_J2K_START + b"\xff\x51")
        stream = stream[start:] if start >= 0 else b""
    if not stream.startswith(_J2K_START):
        return False
    for marker, content in _segments(stream):
        if marker == _SOT:
            break
        if marker == _COD and len(content) >= 5:
            return content[4] == 1
    return False
