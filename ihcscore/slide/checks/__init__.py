"""What the headers of a slide must be before anything else opens it.

Decoders trust headers: a tile length of 2^30 aborts the process, an image count of 99999999 takes all
memory, and a file that was cut short opens without a word. So the headers are read here first, in pure
Python and within bounds, and what cannot be true is refused in one line. One file a family of formats;
a format of none of them passes, for its reader to judge.
"""

from __future__ import annotations

from pathlib import Path

from ihcscore.errors import SlideError
from ihcscore.slide.checks.dicom import PREFIX, PREFIX_AT, check_dicom
from ihcscore.slide.checks.foreign import check_kind
from ihcscore.slide.checks.mirax import SUFFIX, check_mirax
from ihcscore.slide.checks.tiff import MAGIC, check_tiff

__all__ = ["check_headers"]


def check_headers(path: Path) -> None:
    """Refuse a slide whose headers cannot be true or that is cut short.

    Parameters
    ----------
    path : Path
        The slide's file, or a folder of DICOM files.

    Raises
    ------
    SlideError
        Saying what is wrong and what to do; nothing of the file's text is repeated.
    """
    try:
        if path.is_dir():
            check_dicom(path)
            return
        with path.open("rb") as file:
            head = file.read(PREFIX_AT + len(PREFIX))
        check_kind(path, head)
        if path.suffix.lower() == SUFFIX:
            check_mirax(path)
        elif not head:
            raise SlideError(f"{path.name}: is empty; copy the slide again")
        elif head.startswith(MAGIC):
            check_tiff(path)
        elif head[PREFIX_AT:] == PREFIX:
            check_dicom(path)
    except OSError as error:
        raise SlideError(f"{path.name}: cannot be read ({error.strerror or 'input/output error'})") from error
