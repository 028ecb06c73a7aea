"""Plain RGB images: tiles and regions exported from a viewer."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ihcscore.errors import SlideError

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff")
# A larger image belongs on the slide path, which reads it field by field.
MAX_PIXELS = 400_000_000


def find_images(paths: Iterable[str | Path]) -> list[Path]:
    """Image files that are named or lie directly in the named folders, in order of their names.

    Raises
    ------
    SlideError
        If a path does not exist, if a folder holds no image, or if two images have the same name.
    """
    found: list[Path] = []
    for given in map(Path, paths):
        if given.is_dir():
            inside = sorted(
                file for file in given.iterdir() if file.suffix.lower() in SUFFIXES and file.is_file()
            )
            if not inside:
                raise SlideError(f"{given}: no images in this folder (looked for {', '.join(SUFFIXES)})")
            found += inside
        elif given.is_file():
            found.append(given)
        else:
            raise SlideError(f"{given}: no such file")
    names = [file.name for file in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SlideError(
            f"{twice[0]}: two images have this name; tables name images by it, so count them in two calls"
        )
    return found


def read_image(path: Path) -> NDArray[np.uint8]:
    """Pixels of an 8-bit RGB image, shape (height, width, 3); transparency is laid on white.

    Raises
    ------
    SlideError
        If the file is no image, or not 8-bit RGB.
    """
    try:
        image = _read_tiff(path) if path.suffix.lower() in (".tif", ".tiff") else _read_pillow(path)
    except SlideError:
        raise
    except Exception as error:
        raise SlideError(
            f"{path.name}: cannot be read as an image ({' '.join(str(error).split())})"
        ) from error
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] not in (3, 4):
        raise _not_rgb(path, f"{image.dtype}, shape {image.shape}")
    if image.shape[2] == 4:
        weight = image[..., 3:].astype(np.float32) / 255
        image = np.rint(image[..., :3].astype(np.float32) * weight + 255 * (1 - weight))
    return np.ascontiguousarray(image, np.uint8)


def _read_tiff(path: Path) -> NDArray[np.generic]:
    import tifffile

    with tifffile.TiffFile(path) as tiff:
        page = tiff.pages.first
        _check_size(path, page.imagewidth, page.imagelength)
        if page.photometric not in (tifffile.PHOTOMETRIC.RGB, tifffile.PHOTOMETRIC.YCBCR):
            raise _not_rgb(path, f"TIFF in {tifffile.PHOTOMETRIC(page.photometric).name.lower()}")
        image: NDArray[np.generic] = page.asarray()
    # Planar RGB has its channels first.
    return (
        np.moveaxis(image, 0, -1)
        if image.ndim == 3 and image.shape[0] in (3, 4) and image.shape[2] > 4
        else image
    )


def _read_pillow(path: Path) -> NDArray[np.generic]:
    from PIL import Image

    with Image.open(path) as image:
        _check_size(path, *image.size)
        if image.mode == "P":
            return np.asarray(image.convert("RGBA"))
        if image.mode not in ("RGB", "RGBA"):
            raise _not_rgb(path, f"mode {image.mode}")
        return np.asarray(image)


def _not_rgb(path: Path, got: str) -> SlideError:
    return SlideError(f"{path.name}: not an 8-bit RGB image ({got}); export it as RGB")


def _check_size(path: Path, width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise SlideError(
            f"{path.name}: {width} × {height} px is too large for a tile; score it with 'ihcscore run'"
        )
