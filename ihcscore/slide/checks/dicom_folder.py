"""Which slide a folder of DICOM files holds."""

from __future__ import annotations

import mmap
from pathlib import Path

from ihcscore.errors import SlideError
from ihcscore.slide.checks.dicom import is_dicom
from ihcscore.slide.checks.dicom_elements import DicomFile

# Attributes: PS3.3 sections A.32.8 and C.8.12.4.
WHOLE_SLIDE = "1.2.840.10008.5.1.4.1.1.77.1.6"
SOP_CLASS, IMAGE_TYPE, SERIES, TOTAL_COLUMNS = 0x00080016, 0x00080008, 0x0020000E, 0x00480006


def find_dicom(folder: Path) -> Path:
    """Give the file of a folder's one slide that shows the tissue at its finest.

    OpenSlide gathers the other files of the series from the folder by itself. Files of labels and overviews
    are not taken.

    Parameters
    ----------
    folder : Path

    Raises
    ------
    SlideError
        If the folder holds no DICOM slide, or more than one.
    """
    found: dict[str, list[tuple[int, Path]]] = {}
    for file in sorted(folder.iterdir()):
        if file.is_file() and is_dicom(file):
            series, columns = _volume(file)
            if series:
                found.setdefault(series, []).append((columns, file))
    if not found:
        raise SlideError(f"{folder}: is a folder without DICOM slides; give the slide file itself")
    if len(found) > 1:
        raise SlideError(
            f"{folder}: holds {len(found)} DICOM slides (series); give one file of the slide that is meant"
        )
    (files,) = found.values()
    return max(files, key=lambda item: item[0])[1]


def _volume(file: Path) -> tuple[str, int]:
    """Series and width in pixels; an empty series for what is no level of a slide."""
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as raw:
        dicom = DicomFile(file.name, raw)
        if dicom.text(SOP_CLASS) != WHOLE_SLIDE or "VOLUME" not in dicom.text(IMAGE_TYPE).split("\\"):
            return "", 0
        return dicom.text(SERIES), dicom.number(TOTAL_COLUMNS) or 0
