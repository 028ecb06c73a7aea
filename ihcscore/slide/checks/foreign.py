"""Files that are no slide that can be read, told by their first bytes or their suffix, and what to do."""

from __future__ import annotations

from pathlib import Path

from ihcscore.errors import SlideError

_EXPORT = "export the slide from its viewer as pyramidal TIFF, OME-TIFF or SVS"
# By the first bytes.
_KINDS = (
    (b"\x00\x05\x16\x07", "is a sidecar of macOS (AppleDouble), not the slide; give the file without '._'"),
    (b"ZISRAWFILE", f"is a Zeiss CZI, which is not read; {_EXPORT}"),
    (b"PK\x03\x04", "is a ZIP archive; unpack it and give the slide in it"),
    (b"\x1f\x8b", "is compressed by gzip; unpack it and give the slide in it"),
    (b"7z\xbc\xaf\x27\x1c", "is a 7z archive; unpack it and give the slide in it"),
    (b"Rar!\x1a\x07", "is a RAR archive; unpack it and give the slide in it"),
    (b"BZh", "is compressed by bzip2; unpack it and give the slide in it"),
    (b"\xfd7zXZ\x00", "is compressed by xz; unpack it and give the slide in it"),
    (b"\xda\xce\xbe\x0a", f"is a Nikon ND2, which is not read; {_EXPORT}"),
    (b"\x89HDF\r\n", f"is an HDF5 file (such as Imaris), which is not read; {_EXPORT}"),
    (b"%PDF", "is a PDF; give the slide's own file"),
    (b"\x00\x00\x00\x0cjP  ", f"is a single JPEG 2000 picture; {_EXPORT}"),
)  # fmt: skip
# A TIFF by its first bytes, with an overview alone in it.
_VSI, _VSI_IS = (
    ".vsi",
    f"is an Olympus/Evident VSI, whose pixels lie in the .ets files of its folder; {_EXPORT}",
)
# By the suffix, where no reader takes the file.
_SUFFIXES = {
    ".ets": f"holds pixels of an Olympus/Evident VSI; {_EXPORT}",
    ".lif": f"is a Leica LIF, which is not read; {_EXPORT}",
    ".dat": "is a part of a slide (MIRAX keeps its pixels in such files); give the .mrxs beside its folder",
    ".ini": "is a part of a slide; give the .mrxs beside its folder",
    ".kfb": f"is a KFBIO slide, which is not read; {_EXPORT}",
    ".sdpc": f"is an SDPC slide, which is not read; {_EXPORT}",
    ".mds": f"is a Motic slide, which is not read; {_EXPORT}",
    ".zvi": f"is a Zeiss ZVI, which is not read; {_EXPORT}",
    ".qpproj": "is a QuPath project; give the slide's own file",
    ".geojson": "is an annotation; give the slide first",
    ".xml": "is an annotation or metadata; give the slide's own file",
    ".csv": "is a table; give the slide's own file",
}
_TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def check_kind(path: Path, head: bytes) -> None:
    """Refuse a file that is known to be something else, before a reader takes it for a slide.

    Parameters
    ----------
    path : Path
    head : bytes
        The file's first bytes.

    Raises
    ------
    SlideError
    """
    found = next((what for start, what in _KINDS if head.startswith(start)), None)
    if path.suffix.lower() == _VSI:
        found = _VSI_IS
    if found:
        raise SlideError(f"{path.name}: {found}")


def what_to_do(path: Path) -> str:
    """What a file that no reader takes is, and what to do."""
    with path.open("rb") as file:
        head = file.read(4)
    if head in _TIFF_STARTS:
        return "a TIFF without tiles, not a slide; score it with 'ihcscore count', or export it as tiled TIFF"
    known = _SUFFIXES.get(path.suffix.lower())
    if known:
        return known
    return "not a slide that OpenSlide or tifffile can read (damaged, or another format)"
