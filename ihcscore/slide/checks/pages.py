"""Whether the pages of a TIFF are one RGB slide, as OpenSlide takes them to be.

OpenSlide turns every page into RGBA, whatever its samples are, takes further pages for coarser levels or
leaves them out, and has the pixel size from the first page. So what the pages are is looked at before.
"""

from __future__ import annotations

from pathlib import Path

from ihcscore.errors import SlideError
from ihcscore.slide.checks.directories import Directory, TiffFile
from ihcscore.slide.samples import HEAD_BYTES, JPEG, JPEG_2000_YCBCR, YCBCR, described
from ihcscore.slide.streams import Colours, jpeg_2000_is_rgb, jpeg_colours

_SUBFILE, _WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC = 254, 256, 257, 258, 259, 262
_ORIENTATION, _SAMPLES, _TILE_WIDTH, _TILE_OFFSETS, _EXTRA = 274, 277, 322, 324, 338
_STRIP_OFFSETS, _JPEG_TABLES = 273, 347
_REDUCED = 1
# Formats whose first page is the slide at its finest, by OpenSlide's names.
_FIRST_IS_FINEST = {"aperio", "generic-tiff", "philips", "trestle"}
# Formats whose tiles are decoded by the colours of their streams.
_BY_STREAM = {"aperio", "generic-tiff", "philips"}


def check_pages(path: Path, *, vendor: str) -> None:
    """Refuse a TIFF whose pages are not one RGB slide.

    Parameters
    ----------
    path : Path
    vendor : str
        OpenSlide's name of the format, of a TIFF.

    Raises
    ------
    SlideError
    """
    with path.open("rb") as file:
        tiff = TiffFile(path, file)
        # SubIFDs are read by no format of these.
        pages = [one for one in tiff.directories if "." not in one.label.removeprefix("image ")]
        tiled = [one for one in pages if _TILE_WIDTH in one.entries]
        for page in tiled:
            if vendor != "generic-tiff" or page is pages[0] or _one(tiff, page, _SUBFILE, 0) & _REDUCED:
                _check_samples(tiff, page)
        if vendor not in _BY_STREAM:
            for page in tiled:
                _check_streams(tiff, page)
        elif vendor == "aperio" and tiled:
            _check_jpeg_2000(tiff, tiled[0])
        if vendor in _FIRST_IS_FINEST and pages:
            _check_sizes(tiff, pages, tiled, vendor)


def _one(tiff: TiffFile, page: Directory, tag: int, default: int) -> int:
    found = tiff.values(page, tag)
    return default if found is None else int(found[0])


def _check_samples(tiff: TiffFile, page: Directory) -> None:
    """Refuse what is no 8-bit RGB, or stored turned."""
    bits = tiff.values(page, _BITS)
    extra = tiff.values(page, _EXTRA)
    found = described(
        photometric=_one(tiff, page, _PHOTOMETRIC, 2),
        samples=_one(tiff, page, _SAMPLES, 1),
        bits=1 if bits is None else int(bits.max()),
        extra=() if extra is None else tuple(extra.tolist()),
    )
    if found:
        raise SlideError(f"{tiff.name}: not an 8-bit RGB image ({found}); export it as RGB")
    if extra is not None and 0 in extra.tolist():
        raise SlideError(
            f"{tiff.name}: has a fourth sample a pixel of which it does not say what it is; "
            "export it as RGB without it"
        )
    orientation = _one(tiff, page, _ORIENTATION, 1)
    if 2 <= orientation <= 8:
        raise SlideError(
            f"{tiff.name}: is stored turned or mirrored (orientation {orientation}), which programs show "
            "differently; export it upright"
        )


def _head(tiff: TiffFile, page: Directory) -> bytes:
    """The beginning of a page's first stored tile."""
    offsets = tiff.values(page, _TILE_OFFSETS if _TILE_OFFSETS in page.entries else _STRIP_OFFSETS)
    stored = [] if offsets is None else offsets[offsets > 0][:1].tolist()
    return tiff.read(int(stored[0]), HEAD_BYTES) if stored else b""


def _check_streams(tiff: TiffFile, page: Directory) -> None:
    """Refuse JPEG tiles of other colours than their page says, where OpenSlide goes by the page."""
    if _one(tiff, page, _COMPRESSION, 1) != JPEG:
        return
    tables = page.entries.get(_JPEG_TABLES)
    shared = tiff.read(tables.offset, tables.n_bytes) if tables is not None and tables.n_bytes > 8 else b""
    said, certain = jpeg_colours(_head(tiff, page), tables=shared)
    tagged = Colours.YCBCR if _one(tiff, page, _PHOTOMETRIC, 2) == YCBCR else Colours.RGB
    if certain and said != tagged:
        raise SlideError(
            f"{tiff.name}: its pages and its JPEG tiles contradict each other on the colours (RGB or YCbCr); "
            "export it again"
        )


def _check_jpeg_2000(tiff: TiffFile, page: Directory) -> None:
    """Refuse JPEG 2000 of RGB under the number of YCbCr, which OpenSlide goes by."""
    if _one(tiff, page, _COMPRESSION, 1) == JPEG_2000_YCBCR and jpeg_2000_is_rgb(_head(tiff, page)):
        raise SlideError(f"{tiff.name}: its pages say YCbCr, its JPEG 2000 tiles hold RGB; export it again")


def _check_sizes(tiff: TiffFile, pages: list[Directory], tiled: list[Directory], vendor: str) -> None:
    """Refuse several pictures of the slide's size, or one larger than the first."""
    first = pages[0]
    size = _size(tiff, first)
    # A generic TIFF's further pages are levels where they say so, else pictures of their own.
    others = [one for one in (tiled if vendor != "generic-tiff" else pages) if one is not first]
    alike = [one for one in others if _size(tiff, one) == size]
    if alike:
        raise SlideError(
            f"{tiff.name}: holds {1 + len(alike)} pictures of {size[0]} × {size[1]} px, such as focal planes "
            "or sections; export the one that is meant as a file of its own"
        )
    if any(w * h > size[0] * size[1] for w, h in (_size(tiff, one) for one in others)):
        raise SlideError(
            f"{tiff.name}: its first picture ({size[0]} × {size[1]} px) is not its largest, such as a label "
            "or an overview before the slide; export the slide as a file of its own"
        )


def _size(tiff: TiffFile, page: Directory) -> tuple[int, int]:
    return _one(tiff, page, _WIDTH, 0), _one(tiff, page, _HEIGHT, 0)
