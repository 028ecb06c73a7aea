"""Annotation files as bytes to text: unpacked, no larger than outlines need, in the encoding they declare."""

from __future__ import annotations

import codecs
import gzip
import io
import json
import re
import zipfile
import zlib
from pathlib import PurePosixPath

from ihcscore.errors import AnnotationError

# Outlines drawn by hand take kilobytes; a file of this size holds detections, which are not needed.
MAX_BYTES = 64 * 2**20

# Files in an archive that may be annotations, the likeliest first.
_INSIDE = ((".geojson",), (".json",), (".xml", ".annotations", ".ndpa"))
# First bytes of what is not read, and what it is.
_OTHERS = {
    b"7z\xbc\xaf": "packed with 7-Zip; unpack it",
    b"Rar!": "packed with RAR; unpack it",
    b"BZh": "packed with bzip2; unpack it",
    b"\xfd7zXZ": "packed with xz; unpack it",
    b"\x28\xb5\x2f\xfd": "packed with zstd; unpack it",
    b"\xac\xed\x00\x05": "QuPath's own data; open it in QuPath and export the annotations as GeoJSON",
}
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z][A-Za-z0-9._:-]*)["']""")


def decoded(raw: bytes, *, name: str) -> str:
    """The text of an annotation file, plain or packed by zip or gzip.

    Parameters
    ----------
    raw : bytes
        The file's content.
    name : str
        The file's name, for messages.

    Raises
    ------
    AnnotationError
        If it is too large, empty, no text, or an archive without one annotation file.
    """
    raw = _unpacked(raw, name)
    if len(raw) > MAX_BYTES:
        raise AnnotationError(
            f"{name}: {_size(len(raw))}; export the annotations without detections, or simplify the outlines"
        )
    encoding = _encoding(raw)
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        other = next((what for first, what in _OTHERS.items() if raw.startswith(first)), "")
        why = other or f"not a text file in {encoding.removesuffix('-sig')} ({error.reason}); export it again"
        raise AnnotationError(f"{name}: {why}") from error
    text = text.lstrip("\ufeff")
    if not text.strip():
        raise AnnotationError(f"{name}: empty file; export the annotations from QuPath as GeoJSON")
    return text


def _encoding(raw: bytes) -> str:
    """The encoding that a mark at the start, or an XML's declaration, says; else what JSON allows."""
    declared = _DECLARED.match(raw[:400])
    if declared is None:
        return json.detect_encoding(raw)
    try:
        named = codecs.lookup(declared[1].decode("ascii")).name
    except LookupError:
        return "utf-8"
    # A declaration that can be read byte by byte is not in UTF-16, whatever it says.
    return "utf-8" if named.startswith(("utf-16", "utf-32")) else named


def _unpacked(raw: bytes, name: str) -> bytes:
    try:
        if raw.startswith(b"\x1f\x8b"):
            with gzip.GzipFile(fileobj=io.BytesIO(raw)) as file:
                return file.read(MAX_BYTES + 1)
        if raw.startswith(b"PK\x03\x04"):
            with zipfile.ZipFile(io.BytesIO(raw)) as archive:
                return _only_annotations(archive, name)
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile) as error:
        why = " ".join(str(error).split())
        raise AnnotationError(f"{name}: cannot be unpacked ({why}); export it again") from error
    except (RuntimeError, NotImplementedError) as error:  # a password, or a method that zipfile lacks
        raise AnnotationError(f"{name}: cannot be unpacked here ({error}); unpack it") from error
    return raw


def _only_annotations(archive: zipfile.ZipFile, name: str) -> bytes:
    """Content of the one annotation file of an archive."""
    inside = [info for info in archive.infolist() if not (info.is_dir() or _is_hidden(info.filename))]
    for endings in _INSIDE:
        fitting = [info for info in inside if info.filename.lower().endswith(endings)]
        if len(fitting) > 1:
            names = ", ".join(PurePosixPath(info.filename).name for info in fitting[:5])
            raise AnnotationError(
                f"{name}: holds {len(fitting)} annotation files ({names}); unpack it and give the slide's own"
            )
        if fitting:
            (info,) = fitting
            if info.file_size > MAX_BYTES:
                raise AnnotationError(
                    f"{name}: {_size(info.file_size)} unpacked; export the annotations without detections, "
                    "or simplify the outlines"
                )
            return archive.read(info)
    raise AnnotationError(f"{name}: holds no .geojson, .json or .xml; export the annotations from QuPath")


def _is_hidden(filename: str) -> bool:
    """Whether a file of an archive is what a system adds: Finder's copies, dot files."""
    return any(part.startswith((".", "__MACOSX")) for part in PurePosixPath(filename).parts)


def _size(n_bytes: int) -> str:
    return f"{n_bytes / 2**20:.0f} MB, expected at most {MAX_BYTES >> 20}"
