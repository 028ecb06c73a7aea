"""Philips iSyntax through the package ``pyisyntax`` (libisyntax), which is optional."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ihcscore.errors import ReadError, SlideError
from ihcscore.slide.base import Level, Slide, closed_on_error

SUFFIXES = {".isyntax", ".i2syntax"}
# An iSyntax file begins with Philips' XML, whose root says so (as in Philips TIFF).
HEAD_BYTES = 4096
ROOT = b"DPUfsImport"


def is_isyntax(path: Path) -> bool:
    """Whether a file's name says iSyntax."""
    return path.suffix.lower() in SUFFIXES


class ISyntaxReader(Slide):
    """An iSyntax slide.

    Its label, overview and barcode are never asked for. libisyntax keeps its state in the handle, so
    threads take turns.

    Parameters
    ----------
    path : Path
    identity : str
    mpp_um : float, optional
        µm per level-0 pixel, overriding the file's.
    icc : bool
        Convert colours to sRGB where the file has an ICC profile.

    Raises
    ------
    SlideError
        If ``pyisyntax`` is not installed or refuses the file.
    """

    format = "isyntax"
    background_rgb = (255, 255, 255)

    def __init__(self, path: Path, *, identity: str, mpp_um: float | None = None, icc: bool = True) -> None:
        super().__init__(name=path.name, identity=identity, mpp_um=mpp_um)
        self._turn = threading.Lock()
        self._handle = self._open(path)
        sizes, downsamples = self._handle.level_dimensions, self._handle.level_downsamples
        self.levels = tuple(
            Level(size_xy_px=(int(w), int(h)), downsample=float(d / downsamples[0]))
            for (w, h), d in zip(sizes, downsamples, strict=True)
        )
        mpp = float(self._handle.mpp_x), float(self._handle.mpp_y)
        self.file_mpp_um = mpp if min(mpp) > 0 else None
        if icc:
            with closed_on_error(self):
                self._use_icc(self._icc_profile())

    def _open(self, path: Path) -> Any:
        try:
            from isyntax import ISyntax
        except ImportError as error:
            raise SlideError(
                f"{self.name}: iSyntax needs the package pyisyntax; install it by "
                "pip install 'ihcscore[isyntax]', or export the slide as TIFF or DICOM"
            ) from error
        with path.open("rb") as file:
            if ROOT not in file.read(HEAD_BYTES):
                raise SlideError(f"{self.name}: does not begin as an iSyntax file does; copy the slide again")
        try:
            return ISyntax.open(path)
        except Exception as error:
            raise SlideError(
                f"{self.name}: cannot be opened as iSyntax ({_one_line(error)}); copy the slide again"
            ) from error

    def _icc_profile(self) -> bytes | None:
        with self._turn:
            profile = self._handle.read_icc_profile()
        return bytes(profile) if profile else None

    def _read_into(
        self, level: int, xy_px: tuple[int, int], rgb: NDArray[np.uint8], scanned: NDArray[np.bool_]
    ) -> None:
        height, width = scanned.shape
        try:
            with self._turn:
                rgba = self._handle.read_region(*xy_px, width, height, level=level)
        except Exception as error:
            raise ReadError(
                f"{self.name}: cannot decode {width} × {height} px at level {level}, "
                f"({xy_px[0]}, {xy_px[1]}): {_one_line(error)}"
            ) from error
        self._lay(np.asarray(rgba, np.uint8), rgb, scanned)

    def close(self) -> None:
        """Close the file."""
        with self._turn:
            self._handle.close()


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
