"""Which reader opens which file."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ihcscore.errors import SlideError, check_name
from ihcscore.slide.base import Slide

# Formats of OpenSlide that are TIFFs whose pages it makes RGBA of.
TIFF_FORMATS = {"aperio", "generic-tiff", "leica", "philips", "trestle", "ventana"}
IMAGE_SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp"}


def open_slide(path: str | Path, *, mpp_um: float | None = None, icc: bool = True) -> Slide:
    """Open a slide for reading.

    OME-TIFF is read by tifffile, because OpenSlide sees neither its pixel size nor a pyramid in
    sub-IFDs, and iSyntax by pyisyntax; everything else by OpenSlide, with the tiles of plain tiled TIFFs
    decoded directly. Label and overview images are never opened.

    Parameters
    ----------
    path : str or Path
        The slide's file; for MIRAX the ``.mrxs`` beside its folder; for DICOM a file of it, or the folder
        that holds it and no other.
    mpp_um : float, optional
        µm per level-0 pixel, overriding the file's.
    icc : bool
        Convert colours to sRGB where the file has an ICC profile.

    Returns
    -------
    Slide
        To be closed by the caller, or used in a ``with`` statement.

    Raises
    ------
    SlideError
        If there is no such file, if it is no slide, or if it is damaged.
    """
    from ihcscore.slide.checks import check_headers
    from ihcscore.slide.checks.dicom_folder import find_dicom
    from ihcscore.slide.checks.foreign import what_to_do
    from ihcscore.slide.checks.pages import check_pages
    from ihcscore.slide.names import as_openslide_wants, is_alone, missing
    from ihcscore.slide.readers.isyntax import ISyntaxReader, is_isyntax
    from ihcscore.slide.readers.ome_tiff import OmeTiffReader, is_ome_tiff
    from ihcscore.slide.readers.openslide import OpenSlideReader, detect_format

    path = Path(path)
    check_name(path)
    if not path.exists():
        raise missing(path)
    name = path.name
    if is_alone(path):
        path = path.resolve()  # what belongs to the slide lies beside the file itself, not beside the link
    check_headers(path)
    if path.is_dir():
        file, name = find_dicom(path), path.resolve().name  # of "." too
        return OpenSlideReader(file, identity=file_identity(file), name=name, mpp_um=mpp_um, icc=icc)
    identity = file_identity(path)
    if is_isyntax(path):
        return ISyntaxReader(path, identity=identity, mpp_um=mpp_um, icc=icc)
    if is_ome_tiff(path):
        return OmeTiffReader(path, identity=identity, name=name, mpp_um=mpp_um, icc=icc)
    file = as_openslide_wants(path)
    vendor = detect_format(file)
    if vendor is not None:
        if vendor in TIFF_FORMATS:
            check_pages(path, vendor=vendor)
        return OpenSlideReader(file, identity=identity, name=name, mpp_um=mpp_um, icc=icc)
    if path.suffix.lower() in IMAGE_SUFFIXES:
        raise SlideError(f"{name}: a plain image, not a slide; score it with 'ihcscore count'")
    raise SlideError(f"{name}: {what_to_do(path)}")


def file_identity(path: Path) -> str:
    """Hash of the first 64 KiB and the size of a file: cheap, and enough to tell slides apart."""
    with path.open("rb") as head:
        digest = hashlib.sha256(head.read(1 << 16))
    digest.update(str(path.stat().st_size).encode())
    return f"sha256-head:{digest.hexdigest()}"
