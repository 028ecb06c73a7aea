"""Whether a DICOM whole-slide image can be what its header says, and is all there.

OpenSlide gathers the files of one series from the folder of the file that it is given and leaves out
those that it cannot read, so a series of which one file was cut short would open without that level.

Attributes: PS3.3 sections C.7.6.3 (image pixels), C.7.6.6 (frames) and C.8.12.4 (whole-slide image).
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from ihcscore.errors import SlideError
from ihcscore.slide.checks.dicom_elements import PIXEL_DATA, UNDEFINED, DicomFile
from ihcscore.slide.checks.limits import check_picture_size, check_tile_size, cut_short, damaged
from ihcscore.slide.samples import HEAD_BYTES
from ihcscore.slide.streams import Colours, jpeg_colours

PREFIX_AT, PREFIX = 128, b"DICM"

_WHOLE_SLIDE = "1.2.840.10008.5.1.4.1.1.77.1.6"
_NATIVE = {"1.2.840.10008.1.2", "1.2.840.10008.1.2.1"}
# Deflated and big-endian files cannot be walked; no reader of slides takes them.
_NOT_WALKED = {"1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2"}
_SOP_CLASS, _SERIES, _ORGANIZATION = 0x00020002, 0x0020000E, 0x00209311
_CONCATENATION, _SAMPLES, _FRAMES, _ROWS, _COLUMNS = (
    0x00209162,
    0x00280002,
    0x00280008,
    0x00280010,
    0x00280011,
)
_BITS, _TOTAL_COLUMNS, _TOTAL_ROWS = 0x00280100, 0x00480006, 0x00480007
_OPTICAL_PATHS, _FOCAL_PLANES = 0x00480302, 0x00480303
_PHOTOMETRIC, _IMAGE_TYPE = 0x00280004, 0x00080008
_JPEG = {"1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"}
_MAX_FRAMES = 20_000_000
_MAX_FILES = 2000


def is_dicom(path: Path) -> bool:
    """Whether a file begins as DICOM files do (PS3.10 section 7.1)."""
    with path.open("rb") as file:
        return file.read(PREFIX_AT + 4)[PREFIX_AT:] == PREFIX


def check_dicom(path: Path) -> None:
    """Refuse a DICOM file, or a folder of them, that is damaged, cut short or without pixels.

    Parameters
    ----------
    path : Path
        A folder, or one file; the files of its series beside it are checked with it.

    Raises
    ------
    SlideError
        Naming the file.
    """
    if path.is_dir():
        for file in _dicom_files(path):
            _check_file(file)
        return
    series = _check_file(path)
    if not series:
        return
    for file in _dicom_files(path.parent):
        if file.name != path.name and _series_of(file) in (series, None):
            _check_file(file)


def _dicom_files(folder: Path) -> list[Path]:
    """The DICOM files that lie directly in a folder."""
    files = sorted(file for file in folder.iterdir() if file.is_file())[:_MAX_FILES]
    return [file for file in files if is_dicom(file)]


@contextmanager
def _opened(path: Path) -> Iterator[DicomFile]:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as raw:
        yield DicomFile(path.name, raw)


def _series_of(path: Path) -> str | None:
    """The series of a file; None where the file is damaged before it says so."""
    try:
        with _opened(path) as dicom:
            return dicom.text(_SERIES)
    except SlideError:
        return None


def _check_file(path: Path) -> str:
    """Check one file; the series that it belongs to, empty for what is no whole-slide image."""
    with _opened(path) as dicom:
        if dicom.text(_SOP_CLASS) not in ("", _WHOLE_SLIDE) or dicom.syntax in _NOT_WALKED:
            return ""
        rows, columns = dicom.number(_ROWS), dicom.number(_COLUMNS)
        samples, bits = dicom.number(_SAMPLES) or 1, dicom.number(_BITS) or 8
        if rows is None or columns is None:
            raise damaged(dicom.name, "it has no Rows or Columns")
        check_tile_size(dicom.name, "the image", columns, rows)
        if not (1 <= samples <= 16 and 1 <= bits <= 64):
            raise damaged(dicom.name, f"it claims {samples} samples of {bits} bits a pixel")
        n_frames = _check_frames(dicom, columns, rows)
        if PIXEL_DATA not in dicom.elements:
            raise damaged(dicom.name, "it holds no pixels")
        _check_picture(dicom, samples=samples, bits=bits)
        if dicom.elements[PIXEL_DATA].length == UNDEFINED:
            _check_encapsulated(dicom, n_frames)
        else:
            _check_native(dicom, n_frames * rows * columns * samples * bits // 8)
        return dicom.text(_SERIES)


def _check_picture(dicom: DicomFile, *, samples: int, bits: int) -> None:
    """Refuse what is no single RGB picture, or JPEG of other colours than the header says."""
    said = dicom.text(_PHOTOMETRIC)
    if not said or "VOLUME" not in dicom.text(_IMAGE_TYPE).split("\\"):
        return  # labels and overviews are never read
    if samples != 3 or bits != 8 or not said.startswith(("RGB", "YBR")):
        what = "grey" if said.startswith("MONOCHROME") else f"{samples} samples of {bits} bits"
        raise SlideError(f"{dicom.name}: not an 8-bit RGB image ({what}); export it as RGB")
    for tag, what in ((_FOCAL_PLANES, "focal planes"), (_OPTICAL_PATHS, "optical paths")):
        n = dicom.number(tag) or 1
        if n > 1:
            raise SlideError(
                f"{dicom.name}: holds {n} {what}; export the one that is meant as a slide of its own"
            )
    if dicom.syntax not in _JPEG or dicom.elements[PIXEL_DATA].length != UNDEFINED:
        return
    fragments = dicom.fragments()
    next(fragments, None)  # the table of offsets
    first = next(fragments, None)
    if first is None:
        return
    held, certain = jpeg_colours(dicom.raw[first.start : first.start + HEAD_BYTES])
    if certain and (held == Colours.RGB) != (said == "RGB"):
        raise SlideError(
            f"{dicom.name}: its header and its JPEG frames contradict each other on the colours "
            "(RGB or YCbCr); export it again"
        )


def _check_frames(dicom: DicomFile, columns: int, rows: int) -> int:
    """Check the whole picture against its frames; the number of frames."""
    frames = dicom.number(_FRAMES, text=True)
    frames = 1 if frames is None else frames
    if not 1 <= frames <= _MAX_FRAMES:
        raise damaged(dicom.name, f"it claims {frames} frames, expected 1 to {_MAX_FRAMES}")
    width, height = dicom.number(_TOTAL_COLUMNS), dicom.number(_TOTAL_ROWS)
    if width is None or height is None:
        raise damaged(dicom.name, "it has no TotalPixelMatrixColumns or TotalPixelMatrixRows")
    check_picture_size(dicom.name, "the image", width, height)
    tiled_full = dicom.text(_ORGANIZATION) == "TILED_FULL"
    needed = -(-width // columns) * -(-height // rows)
    # A sparse picture stores fewer, and a part of a concatenation holds a share of them.
    if tiled_full and _CONCATENATION not in dicom.elements:
        most = needed * (dicom.number(_OPTICAL_PATHS) or 1) * (dicom.number(_FOCAL_PLANES) or 1)
        if not needed <= frames <= most:
            raise damaged(dicom.name, f"it lists {frames} frames where its size needs {needed}")
    return frames


def _check_native(dicom: DicomFile, needed: int) -> None:
    length = dicom.elements[PIXEL_DATA].length
    if dicom.syntax not in _NATIVE:
        raise damaged(dicom.name, "its pixels are not divided into frames as they should be")
    if length < needed:
        raise damaged(dicom.name, f"it holds {length} bytes of pixels where its size needs {needed}")


def _check_encapsulated(dicom: DicomFile, n_frames: int) -> None:
    """Follow the table of offsets, or the frames themselves where the table is empty."""
    fragments = dicom.fragments()
    table = next(fragments, None)
    if table is None:
        raise damaged(dicom.name, "it holds no pixels")
    if not table.length:
        if sum(1 for _ in fragments) < n_frames:
            raise damaged(dicom.name, f"it holds fewer frames than the {n_frames} that it claims")
        return
    offsets = np.frombuffer(dicom.raw[table.start : table.start + table.length // 4 * 4], "<u4")
    if len(offsets) < n_frames or (np.diff(offsets.astype(np.int64)) <= 0).any():
        # Beyond 4 GB the offsets wrap, and such files leave the table empty (PS3.5 section A.4).
        raise damaged(dicom.name, "its table of frames is not in order")
    last = table.start + table.length + int(offsets[-1])
    end = last + 8
    if end <= len(dicom.raw):
        end += int.from_bytes(dicom.raw[last + 4 : last + 8], "little")
    if end > len(dicom.raw):
        raise cut_short(dicom.name, size_bytes=len(dicom.raw), needed_bytes=end)
