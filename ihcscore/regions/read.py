"""Annotation files: which program wrote them, and how much of them is read."""

from __future__ import annotations

from pathlib import Path

from ihcscore.errors import AnnotationError
from ihcscore.geometry.mark import DrawnMark
from ihcscore.regions.annotations import Annotations, Drawn
from ihcscore.regions.qupath import parse_areas, parse_mark, parse_qupath
from ihcscore.regions.xml import parse_xml
from ihcscore.sheet.content import read_content

# Outlines drawn by hand take kilobytes; a file of this size holds detections, which are not needed.
MAX_BYTES = 64 * 2**20


def parse_annotations(raw: bytes, *, name: str, origin_xy_px: tuple[int, int] = (0, 0)) -> Annotations:
    """Read annotations of QuPath (GeoJSON), Aperio ImageScope or ASAP (XML).

    Parameters
    ----------
    raw : bytes
        The file's content.
    name : str
        The file's name, for messages.
    origin_xy_px : tuple of int
        Corner of the scanned area on the slide's canvas, level-0 pixels (OpenSlide's ``bounds``).

    Raises
    ------
    AnnotationError
        If the file is too large, is not of these programs, or cannot be used.
    """
    text = decoded(raw, name=name)
    if text.lstrip().startswith("<"):
        return parse_xml(text, name=name, origin_xy_px=origin_xy_px)
    return parse_qupath(text, name=name)


def read_annotations(path: Path, *, origin_xy_px: tuple[int, int] = (0, 0)) -> Annotations:
    """Read an annotation file; as :func:`parse_annotations`."""
    return parse_annotations(_content(path), name=path.name, origin_xy_px=origin_xy_px)


def read_areas(path: Path) -> tuple[list[Drawn], DrawnMark | None]:
    """Read every area of a QuPath GeoJSON file, whatever its class, and how they were drawn if it says so.

    Raises
    ------
    AnnotationError
        If the file cannot be read, is not GeoJSON, or holds what is no area.
    """
    text = decoded(_content(path), name=path.name)
    return parse_areas(text, name=path.name), parse_mark(text)


def _content(path: Path) -> bytes:
    """The file's content, as far as the parser would look at it."""
    try:
        return read_content(path, most_bytes=MAX_BYTES + 1)
    except FileNotFoundError:
        raise AnnotationError(f"{path}: no such file") from None
    except OSError as error:
        raise AnnotationError(f"{path.name}: cannot be read ({error.strerror})") from error


def decoded(raw: bytes, *, name: str) -> str:
    """The text of an annotation file.

    Raises
    ------
    AnnotationError
        If it is too large, empty or no text.
    """
    if len(raw) > MAX_BYTES:
        raise AnnotationError(
            f"{name}: {len(raw) / 2**20:.0f} MB, expected at most {MAX_BYTES >> 20}; export the annotations "
            "without detections"
        )
    try:
        text = raw.decode("utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise AnnotationError(f"{name}: not a text file ({error.reason}); export it again") from error
    if not text.strip():
        raise AnnotationError(f"{name}: empty file; export the annotations from QuPath as GeoJSON")
    return text
