"""Which reader opens which file."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ihcscore.errors import SlideError
from ihcscore.slide.base import Slide

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
    from ihcscore.slide.readers.isyntax import ISyntaxReader, is_isyntax
    from ihcscore.slide.readers.ome_tiff import OmeTiffReader, is_ome_tiff
    from ihcscore.slide.readers.openslide import OpenSlideReader, detect_format

    path = Path(path)
    if not path.exists():
        raise SlideError(f"{path}: no such file")
    check_headers(path)
    if path.is_dir():
        file, name = find_dicom(path), path.resolve().name  # of "." too
        return OpenSlideReader(file, identity=file_identity(file), name=name, mpp_um=mpp_um, icc=icc)
    if is_isyntax(path):
        return ISyntaxReader(path, identity=file_identity(path), mpp_um=mpp_um, icc=icc)
    if is_ome_tiff(path):
        return OmeTiffReader(path, identity=file_identity(path), mpp_um=mpp_um, icc=icc)
    if detect_format(path) is not None:
        return OpenSlideReader(path, identity=file_identity(path), mpp_um=mpp_um, icc=icc)
    if path.suffix.lower() in IMAGE_SUFFIXES:
        raise SlideError(f"{path.name}: a plain image, not a slide; score it with 'ihcscore count'")
    raise SlideError(
        f"{path.name}: not a slide that OpenSlide or tifffile can read (damaged, or another format)"
    )


def file_identity(path: Path) -> str:
    """Hash of the first 64 KiB and the size of a file: cheap, and enough to tell slides apart."""
    with path.open("rb") as head:
        digest = hashlib.sha256(head.read(1 << 16))
    digest.update(str(path.stat().st_size).encode())
    return f"sha256-head:{digest.hexdigest()}"
