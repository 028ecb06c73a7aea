"""OME-TIFF through tifffile: single level or pyramid in sub-IFDs, tiles or strips, chunky or planar."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import defusedxml.ElementTree
import numpy as np
import tifffile
from defusedxml import DefusedXmlException
from numpy.typing import NDArray

from ihcscore.errors import SlideError
from ihcscore.slide.base import Level, Slide, closed_on_error
from ihcscore.slide.tiles import SharedFile, TiledImage, direct_image, is_direct, layout_of, tifffile_decoder

ICC_PROFILE_TAG = 34675
# Units of OME's PhysicalSize in µm (OME data model, 2016-06).
_UNIT_UM = {"µm": 1.0, "um": 1.0, "nm": 1e-3, "mm": 1e3, "cm": 1e4, "m": 1e6, "pm": 1e-6}


def is_ome_tiff(path: Path) -> bool:
    """Whether the file is a TIFF with OME-XML in it."""
    with path.open("rb") as file:
        if file.read(2) not in (b"II", b"MM"):
            return False
    try:
        with tifffile.TiffFile(path) as tiff:
            return bool(tiff.is_ome)
    except Exception:
        return False  # a damaged TIFF: OpenSlide says what is wrong with it


class OmeTiffReader(Slide):
    """An RGB OME-TIFF.

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
        If the file is damaged or holds no 8-bit RGB image.
    """

    format = "ome-tiff"
    background_rgb = (255, 255, 255)

    def __init__(self, path: Path, *, identity: str, mpp_um: float | None = None, icc: bool = True) -> None:
        super().__init__(name=path.name, identity=identity, mpp_um=mpp_um)
        try:
            self._tiff = tifffile.TiffFile(path)
            series = self._tiff.series[0]
            self._pages = [level.keyframe for level in series.levels]
        except Exception as error:
            raise SlideError(
                f"{self.name}: cannot be opened as OME-TIFF ({' '.join(str(error).split())})"
            ) from error
        self._file = SharedFile(path)
        with closed_on_error(self):
            self._read_structure(series)
            if icc:
                self._use_icc(self._icc_profile())

    def _read_structure(self, series: Any) -> None:
        """Levels, pixel size and tiles."""
        try:
            self._check_rgb(series)
            self._read_levels()
            self.file_mpp_um = _physical_size_um(self._tiff.ome_metadata or "")
            self._images = [self._image(page) for page in self._pages]
        except SlideError:
            raise
        except Exception as error:
            raise SlideError(
                f"{self.name}: its tiles are not listed as they should be ({' '.join(str(error).split())})"
            ) from error

    def _image(self, page: Any) -> TiledImage:
        if is_direct(page):
            return direct_image(self._file, self.name, page, trust_jfif=True)
        return TiledImage(self._file, self.name, layout_of(page), tifffile_decoder(page))

    def _check_rgb(self, series: Any) -> None:
        page = self._pages[0]
        if page.dtype != np.uint8 or page.samplesperpixel != 3 or len(series.pages) != 1:
            channels = page.samplesperpixel * len(series.pages)
            raise SlideError(
                f"{self.name}: not an 8-bit RGB image ({channels} planes of {page.dtype}); export it as RGB"
            )

    def _read_levels(self) -> None:
        width = self._pages[0].imagewidth
        self.levels = tuple(
            Level(
                size_xy_px=(page.imagewidth, page.imagelength),
                downsample=1.0 if i == 0 else width / page.imagewidth,
            )
            for i, page in enumerate(self._pages)
        )

    def _icc_profile(self) -> bytes | None:
        tag = self._pages[0].tags.get(ICC_PROFILE_TAG)
        return None if tag is None else bytes(tag.value)

    def _read_into(
        self, level: int, xy_px: tuple[int, int], rgb: NDArray[np.uint8], scanned: NDArray[np.bool_]
    ) -> None:
        scanned[:] = True
        missing = self._images[level].read_into(xy_px, rgb)
        if self._to_srgb is not None:
            rgb[:] = self._in_srgb(rgb)
        for x, y, w, h in missing:
            here = np.s_[y : y + h, x : x + w]
            rgb[here], scanned[here] = self.background_rgb, False

    def close(self) -> None:
        """Close the file."""
        self._tiff.close()
        self._file.close()


def _physical_size_um(ome_xml: str) -> tuple[float, float] | None:
    """PhysicalSizeX and PhysicalSizeY of the first image, in µm."""
    try:
        root = defusedxml.ElementTree.fromstring(ome_xml, forbid_dtd=True)
    except (ParseError, DefusedXmlException):
        return None
    pixels = root.find(".//{*}Pixels")
    if pixels is None:
        return None
    sizes = []
    for axis in "XY":
        value, unit = pixels.get(f"PhysicalSize{axis}"), pixels.get(f"PhysicalSize{axis}Unit", "µm")
        if value is None or unit not in _UNIT_UM:
            return None
        sizes.append(float(value) * _UNIT_UM[unit])
    return sizes[0], sizes[1]
