"""OME-TIFF through tifffile: single level or pyramid in sub-IFDs, tiles or strips, chunky or planar.

Pixels and their scale come from the same image: of the images that the metadata names only those count that
lie in the file itself, and each is taken with the page that has its size. tifffile's own series are not used:
of a set of files they follow the siblings, whose offsets mean nothing here, and drop what is missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from ihcscore.errors import SlideError, parameter
from ihcscore.slide.base import Slide, closed_on_error
from ihcscore.slide.pyramid import StoredLevel, levels_to_use
from ihcscore.slide.readers.ome_xml import OmeImage, images_of
from ihcscore.slide.samples import YCBCR, turned, what_else
from ihcscore.slide.scale import Scale, tags_mpp_um, weighed
from ihcscore.slide.tiles import (
    SharedFile,
    TiledImage,
    colours_by_stream,
    direct_image,
    is_direct,
    layout_of,
    tifffile_decoder,
)

ICC_PROFILE_TAG = 34675
# A picture of less than this share of the largest one's pixels is a thumbnail of it, or its coarser level.
_LESSER = 0.5


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
        If the file is damaged, holds no 8-bit RGB image, or several that could be meant.
    """

    format = "ome-tiff"
    background_rgb = (255, 255, 255)

    def __init__(
        self,
        path: Path,
        *,
        identity: str,
        name: str | None = None,
        mpp_um: float | None = None,
        icc: bool = True,
    ) -> None:
        super().__init__(name=name or path.name, identity=identity, mpp_um=mpp_um)
        try:
            self._tiff = tifffile.TiffFile(path)
            pages = list(self._tiff.pages)
        except Exception as error:
            raise SlideError(
                f"{self.name}: cannot be opened as OME-TIFF ({' '.join(str(error).split())})"
            ) from error
        self._file = SharedFile(path)
        with closed_on_error(self):
            self._read_structure(path, pages)
            if icc:
                self._use_icc(self._icc_profile())

    def _read_structure(self, path: Path, pages: Sequence[Any]) -> None:
        """Levels, pixel size and tiles."""
        try:
            page, image = self._chosen(path, pages)
            self._pages = [page, *(page.pages or ())]
            self._pages = [one for one in self._pages if not what_else(one) and one.imagewidth > 0]
            self._set_scale(page, image)
            stored = [self._image(one) for one in self._pages]
            self._use_levels(stored)
        except SlideError:
            raise
        except Exception as error:
            raise SlideError(
                f"{self.name}: its tiles are not listed as they should be ({' '.join(str(error).split())})"
            ) from error

    def _chosen(self, path: Path, pages: Sequence[Any]) -> tuple[Any, OmeImage | None]:
        """The page of the scan, and what the metadata says of it."""
        images = images_of(self._tiff.ome_metadata or "", path)
        pairs = _paired(images, pages)
        whole = [page for page in pages if not page.subfiletype & 1]
        if not pairs:  # pixels that the metadata says nothing of
            pairs = [(page, None) for page in whole or pages]
        if len(pairs) > 1:
            pairs = [pair for pair in pairs if pair[1] is None or pair[1].is_scan] or pairs
        if len(pairs) > 1:
            pairs = [pair for pair in pairs if not what_else(pair[0])] or pairs
        largest = max(_area_px(page) for page, _ in pairs)
        large = [pair for pair in pairs if _area_px(pair[0]) >= _LESSER * largest]
        taken = large[0][0]
        paired = [page for page, _ in _paired(images, pages)]
        like_it = [
            page for page in whole if page not in paired and page.shape == taken.shape and page is not taken
        ]
        if len(large) == 1:
            self._check_picture(*large[0])
        if len(large) > 1 or like_it:
            n = max(len(large), 1 + len(like_it))
            raise SlideError(
                f"{self.name}: holds {n} pictures that could be meant (such as scanned areas or focal "
                "planes); export the one that is meant as a file of its own"
            )
        if len(images) > 1 or len(pairs) > 1:
            n = max(len(images), len(pairs))
            width, height = taken.imagewidth, taken.imagelength
            self._add_note(f"the file holds {n} images; the scan of {width} × {height} px is read")
        return large[0]

    def _check_picture(self, page: Any, image: OmeImage | None) -> None:
        """Refuse what is no single 8-bit RGB picture."""
        other = what_else(page)
        if image is not None:
            if image.n_planes > 1 or image.n_times > 1:
                what = "focal planes" if image.n_planes > 1 else "points in time"
                n = max(image.n_planes, image.n_times)
                raise SlideError(
                    f"{self.name}: holds {n} {what}; export the one that is sharp as a file of its own"
                )
            if not other and image.n_channels not in (1, page.samplesperpixel, 3):
                other = f"{image.n_channels} channels"
        if not other and page.planarconfig == 2 and (page.photometric == YCBCR or page.samplesperpixel > 3):
            other = "YCbCr or transparency in planes of their own"
        if other:
            raise SlideError(f"{self.name}: not an 8-bit RGB image ({other}); export it as RGB")
        if turned(page) != 1:
            raise SlideError(
                f"{self.name}: is stored turned or mirrored (orientation {turned(page)}), which programs "
                "show differently; export it upright"
            )

    def _set_scale(self, page: Any, image: OmeImage | None) -> None:
        tags = page.tags
        tags_um = None
        if "XResolution" in tags and "YResolution" in tags:
            (xn, xd), (yn, yd) = tags["XResolution"].value, tags["YResolution"].value
            unit = tags["ResolutionUnit"].value if "ResolutionUnit" in tags else 2
            if xd and yd:
                tags_um = tags_mpp_um((xn / xd, yn / yd), int(unit))
        if image is None:
            said = Scale(
                mpp_um=None,
                problem="its metadata describe no image of this size in this file, so that no microns per "
                f"pixel are known; give {parameter('mpp_um')}",
            )
        else:
            said = image.scale
        objective = None if image is None else image.objective
        self._use_scale(weighed(said, tags_um=tags_um, objective=objective))

    def _image(self, page: Any) -> TiledImage:
        colours = colours_by_stream(self._file, page)
        if colours is None:
            raise SlideError(
                f"{self.name}: its pages and its tiles contradict each other on the colours (RGB or YCbCr); "
                "export it again"
            )
        if is_direct(page):
            return direct_image(self._file, self.name, page, colours)
        return TiledImage(self._file, self.name, layout_of(page), tifffile_decoder(page, colours))

    def _use_levels(self, stored: Sequence[TiledImage]) -> None:
        width = self._pages[0].imagewidth
        used = levels_to_use(
            [
                StoredLevel(
                    index=i,
                    size_xy_px=(page.imagewidth, page.imagelength),
                    downsample=1.0 if i == 0 else width / page.imagewidth,
                    tile_xy_px=(page.tilewidth, page.tilelength) if page.is_tiled else None,
                )
                for i, page in enumerate(self._pages)
            ],
            lambda level, xy_px, size_xy_px: _read(stored[level], xy_px, size_xy_px),
        )
        self.levels = tuple(one.level for one in used)
        self._images = [stored[one.index] for one in used]

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


def _paired(images: Sequence[OmeImage], pages: Sequence[Any]) -> list[tuple[Any, OmeImage | None]]:
    """Images with the pages that hold them: the page they name, if it has their size, else the only one."""
    pairs: dict[int, tuple[Any, OmeImage | None]] = {}
    for image in images:
        fits = [page for page in pages if (page.imagewidth, page.imagelength) == image.size_xy_px]
        at = image.ifd if image.ifd is not None else (0 if len(images) == 1 else None)
        if at is not None and at < len(pages) and pages[at] in fits:
            page = pages[at]
        elif len(fits) == 1:
            (page,) = fits
        else:
            continue
        _, other = pairs.get(page.index, (page, image))
        pairs[page.index] = page, image if other is None else _of_one_page(image, other)
    return list(pairs.values())


def _of_one_page(image: OmeImage, other: OmeImage) -> OmeImage:
    """One of two images that claim the same page; without a scale where theirs differ."""
    if image.scale == other.scale:
        return image
    problem = (
        "its metadata describe several images that could be this one, each with its own microns per pixel; "
        f"give {parameter('mpp_um')}"
    )
    return replace(image, scale=Scale(mpp_um=None, problem=problem))


def _area_px(page: Any) -> int:
    return int(page.imagewidth * page.imagelength)


def _read(image: TiledImage, xy_px: tuple[int, int], size_xy_px: tuple[int, int]) -> NDArray[np.uint8]:
    """RGB of a rectangle of a level, white where no tile is stored."""
    width, height = (
        min(n, whole - at) for n, whole, at in zip(size_xy_px, image.layout.size_xy_px, xy_px, strict=True)
    )
    rgb = np.full((height, width, 3), 255, np.uint8)
    image.read_into(xy_px, rgb)
    return rgb
