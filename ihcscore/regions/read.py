"""Annotation files: which program wrote them, and how much of them is read."""

from __future__ import annotations

from pathlib import Path

from ihcscore.errors import AnnotationError
from ihcscore.regions.annotations import Annotations
from ihcscore.regions.packed import MAX_BYTES, decoded
from ihcscore.regions.qupath import Areas, parse_areas, parse_qupath
from ihcscore.regions.xml import parse_xml
from ihcscore.sheet.content import read_content


def parse_annotations(
    raw: bytes, *, name: str, origin_xy_px: tuple[int, int] = (0, 0), mpp_um: float = 1.0
) -> Annotations:
    """Read annotations of QuPath (GeoJSON), Aperio ImageScope, ASAP or HALO (XML), plain or packed.

    Parameters
    ----------
    raw : bytes
        The file's content.
    name : str
        The file's name, for messages.
    origin_xy_px : tuple of int
        Corner of the scanned area on the slide's canvas, level-0 pixels (OpenSlide's ``bounds``).
    mpp_um : float
        µm per level-0 pixel: says what is too small to matter.

    Raises
    ------
    AnnotationError
        If the file is too large, is not of these programs, or cannot be used.
    """
    text = decoded(raw, name=name)
    if text.lstrip().startswith("<"):
        return parse_xml(text, name=name, origin_xy_px=origin_xy_px, mpp_um=mpp_um)
    return parse_qupath(text, name=name, mpp_um=mpp_um)


def read_annotations(
    path: Path, *, origin_xy_px: tuple[int, int] = (0, 0), mpp_um: float = 1.0
) -> Annotations:
    """Read an annotation file; as :func:`parse_annotations`."""
    return parse_annotations(_content(path), name=path.name, origin_xy_px=origin_xy_px, mpp_um=mpp_um)


def read_areas(path: Path) -> Areas:
    """Read every area of a QuPath GeoJSON file, whatever its class, and how they were drawn if it says so.

    Raises
    ------
    AnnotationError
        If the file cannot be read, is not GeoJSON, or holds what is no area.
    """
    return parse_areas(decoded(_content(path), name=path.name), name=path.name)


def _content(path: Path) -> bytes:
    """The file's content, as far as the parser would look at it."""
    try:
        return read_content(path, most_bytes=MAX_BYTES + 1)
    except FileNotFoundError:
        raise AnnotationError(f"{path}: no such file") from None
    except OSError as error:
        raise AnnotationError(f"{path.name}: cannot be read ({error.strerror})") from error
