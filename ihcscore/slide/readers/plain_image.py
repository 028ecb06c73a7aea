"""Plain RGB images: tiles and regions exported from a viewer."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ihcscore.errors import SlideError, check_name
from ihcscore.slide.names import missing

if TYPE_CHECKING:
    from PIL import Image

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff")
# A larger image belongs on the slide path, which reads it field by field.
MAX_PIXELS = 400_000_000
# NewSubfileType: a coarser copy of another page, a transparency mask (TIFF 6.0 p. 36).
_REDUCED, _MASK = 1, 4
# Width by height of a coarser copy is that of the whole within this share.
_SAME_SHAPE = 0.02
# First bytes of the sidecars that macOS leaves on other systems' disks (AppleDouble).
_SIDECAR = b"\x00\x05\x16\x07"


def find_images(paths: Iterable[str | Path]) -> list[Path]:
    """Image files that are named or lie directly in the named folders, in order of their names.

    Files in a folder whose names begin with a dot are hidden, such as the ``._`` sidecars of macOS, and are
    passed over.

    Raises
    ------
    SlideError
        If a path does not exist, if a folder holds no image, if a name is no UTF-8, or if two images have the
        same name.
    """
    found: list[Path] = []
    for given in map(Path, paths):
        if given.is_dir():
            inside = sorted(
                file
                for file in given.iterdir()
                if file.suffix.lower() in SUFFIXES and not file.name.startswith(".") and file.is_file()
            )
            if not inside:
                raise SlideError(f"{given}: no images in this folder (looked for {', '.join(SUFFIXES)})")
            found += inside
        elif given.is_file():
            found.append(given)
        else:
            raise missing(given)
    for file in found:
        check_name(file)
    names = [file.name for file in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SlideError(
            f"{twice[0]}: two images have this name; tables name images by it, so count them in two calls"
        )
    return found


def read_image(path: Path) -> NDArray[np.uint8]:
    """Pixels of an 8-bit RGB image, shape (height, width, 3); transparency is laid on white.

    A picture that is stored turned comes back as it is shown.

    Raises
    ------
    SlideError
        If the file is no image, not 8-bit RGB, or holds several that could be meant.
    """
    with path.open("rb") as file:
        head = file.read(4)
    if head == _SIDECAR:
        raise SlideError(f"{path.name}: is a sidecar of macOS (AppleDouble); give the file without '._'")
    try:
        # By the content: a suffix may be another format's.
        image = _read_tiff(path) if head[:2] in (b"II", b"MM") else _read_pillow(path)
    except SlideError:
        raise
    except Exception as error:
        text = " ".join(str(error).split()).replace(str(path), path.name)
        raise SlideError(f"{path.name}: cannot be read as an image ({text})") from error
    return np.ascontiguousarray(image, np.uint8)


def _read_tiff(path: Path) -> NDArray[np.uint8]:
    import tifffile

    with tifffile.TiffFile(path) as tiff:
        page = _one_page(path, list(tiff.pages))
        _check_size(path, page.imagewidth, page.imagelength)
        return _upright(_rgb_of(path, page, tiff.filehandle), page)


def _one_page(path: Path, pages: list[Any]) -> Any:
    """The page that is the picture: the only one, or the finest of copies of it."""
    whole = [page for page in pages if not int(page.subfiletype) & (_REDUCED | _MASK)] or pages
    largest = max(whole, key=lambda page: int(page.imagewidth) * int(page.imagelength))
    shape = largest.imagewidth / largest.imagelength
    others = [
        page
        for page in whole
        if page is not largest
        and not (
            page.imagewidth < largest.imagewidth
            and abs(page.imagewidth / page.imagelength / shape - 1) <= _SAME_SHAPE
        )
    ]
    if others:
        raise SlideError(
            f"{path.name}: holds {len(others) + 1} pages, each a picture of its own; "
            "save each as a file and count those"
        )
    return largest


def _rgb_of(path: Path, page: Any, file: Any) -> NDArray[np.uint8]:
    """RGB of a page, whatever it is stored as."""
    from ihcscore.slide.samples import HEAD_BYTES, after_tifffile, colours_of, colours_seen, to_rgb, what_else

    other = what_else(page)
    if other:
        raise _not_rgb(path, f"TIFF of {other}")
    samples = np.asarray(page.asarray())
    if page.planarconfig == 2:  # planes come first
        samples = np.moveaxis(samples, 0, -1)
    samples = samples.reshape(page.imagelength, page.imagewidth, -1)
    stored = [(at, n) for at, n in zip(page.dataoffsets, page.databytecounts, strict=True) if n]
    head = b""
    if stored:
        file.seek(stored[0][0])
        head = file.read(min(stored[0][1], HEAD_BYTES))
    held = colours_of(page, head) or colours_seen(samples)
    if held is None:
        raise _not_rgb(path, "its page and its JPEG contradict each other on the colours")
    return to_rgb(page, after_tifffile(page, held))(samples)


def _upright(rgb: NDArray[np.uint8], page: Any) -> NDArray[np.uint8]:
    """A picture as it is shown (TIFF 6.0 p. 36: where the first row and column lie)."""
    from ihcscore.slide.samples import turned

    orientation = turned(page)
    if orientation >= 5:
        rgb = rgb.swapaxes(0, 1)
    # Rows from the bottom: 3, 4, 7, 8; columns from the right: 2, 3, 6, 7, as they are shown.
    if orientation in (3, 4, 7, 8):
        rgb = rgb[::-1]
    return rgb[:, ::-1] if orientation in (2, 3, 6, 7) else rgb


def _read_pillow(path: Path) -> NDArray[np.uint8]:
    from PIL import Image, ImageOps

    from ihcscore.slide.samples import on_white

    with Image.open(path) as opened:
        _check_size(path, *opened.size)
        _check_single(path, opened)
        image = ImageOps.exif_transpose(opened)
        if "transparency" in image.info and image.mode in ("P", "RGB"):
            image = image.convert("RGBA")
        elif image.mode == "P":
            image = image.convert("RGB")
        if image.mode not in ("RGB", "RGBA"):
            raise _not_rgb(path, f"mode {image.mode}")
        pixels = np.asarray(image)
    return on_white(pixels[..., :3], pixels[..., 3:]) if pixels.shape[2] == 4 else pixels


def _check_single(path: Path, image: Image.Image) -> None:
    """Refuse several frames, and 16 bits a sample, of which Pillow would give the upper 8."""
    frames = getattr(image, "n_frames", 1)
    if frames > 1 and image.format != "MPO":  # a camera's further pictures are previews
        raise SlideError(
            f"{path.name}: holds {frames} frames; save the one that is meant as a file and count that"
        )
    raw = [str(part) for tile in getattr(image, "tile", []) for part in np.atleast_1d(tile[3])[:1]]
    if any(";16" in mode for mode in raw):
        raise _not_rgb(path, "16 bits a sample")


def _not_rgb(path: Path, got: str) -> SlideError:
    return SlideError(f"{path.name}: not an 8-bit RGB image ({got}); export it as RGB")


def _check_size(path: Path, width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise SlideError(
            f"{path.name}: {width} × {height} px is too large for a tile; score it with 'ihcscore run'"
        )
