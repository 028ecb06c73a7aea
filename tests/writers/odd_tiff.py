"""TIFFs that contradict themselves: tags of one kind over pixels of another, sets of OME files, odd pages."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

from writers.pyramid import levels_of

Rgb = NDArray[np.uint8]
TILE = 128
JPEG = {"tile": (TILE, TILE), "photometric": "rgb", "compression": "jpeg", "compressionargs": {"level": 95}}


def per_cm(mpp_um: float) -> dict[str, object]:
    """Resolution tags of square pixels, in cm."""
    return {"resolution": (1e4 / mpp_um, 1e4 / mpp_um), "resolutionunit": "CENTIMETER"}


def ome_image(size_xy: tuple[int, int], mpp_um: str | None, *, number: int = 0, **more: object) -> str:
    """One image of OME-XML; `more`: name, ifd, z, c, unit, objective, and file and mark of what holds it."""
    width, height = size_xy
    unit = more.get("unit", "µm")
    size = "" if mpp_um is None else "".join(
        f' PhysicalSize{a}="{mpp_um}" PhysicalSize{a}Unit="{unit}"' for a in "XY"
    )  # fmt: skip
    uuid = f'<UUID FileName="{more["file"]}">{more.get("mark", "")}</UUID>' if "file" in more else ""
    lens = '<ObjectiveSettings ID="Objective:0"/>' if "objective" in more else ""
    return (
        f'<Image ID="Image:{number}" Name="{more.get("name", "")}">{lens}<Pixels ID="Pixels:{number}" '
        f'DimensionOrder="XYCZT" Type="uint8" SizeX="{width}" SizeY="{height}" SizeC="{more.get("c", 3)}" '
        f'SizeZ="{more.get("z", 1)}" SizeT="1"{size}><Channel ID="Channel:{number}:0" SamplesPerPixel="3"/>'
        f'<TiffData IFD="{more.get("ifd", 0)}" PlaneCount="1">{uuid}</TiffData></Pixels></Image>'
    )


def ome_xml(*images: str, mark: str = "", objective: float | None = None) -> str:
    """OME-XML of some images; `mark` is the UUID of the file that holds it."""
    own = f' UUID="{mark}"' if mark else ""
    lens = "" if objective is None else (
        f'<Instrument ID="Instrument:0"><Objective ID="Objective:0" NominalMagnification="{objective}"/>'
        "</Instrument>"
    )  # fmt: skip
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"{own}>{lens}{"".join(images)}</OME>'
    )


def write_pages(
    path: Path, pages: Sequence[tuple[Rgb, str | None]], *, levels: int = 1, **options: object
) -> Path:
    """Pages of a picture and its description each, coarser levels in SubIFDs."""
    options = {**JPEG, **options}
    with tifffile.TiffWriter(path) as tiff:
        for rgb, text in pages:
            first, *rest = levels_of(rgb, levels)
            described = None if text is None else text.encode()
            tiff.write(first, subifds=len(rest), description=described, metadata=None, **options)
            for level in rest:
                tiff.write(level, subfiletype=1, metadata=None, **options)
    return path


def padded(rgb: Rgb, tile: int = TILE) -> Rgb:
    """A picture filled up to whole tiles with glass."""
    down, right = (-n % tile for n in rgb.shape[:2])
    return np.pad(rgb, ((0, down), (0, right), (0, 0)), constant_values=244)


def write_jfif_under_rgb(path: Path, rgb: Rgb, *, description: str | None = None, jfif: bool = True) -> Path:
    """Write a pyramid whose pages say RGB and whose tiles are YCbCr, with JFIF's marker or with none."""
    described = None if description is None else description.encode()
    with tifffile.TiffWriter(path) as tiff:
        for k, level in enumerate(levels_of(rgb, 2)):
            tiff.write(
                iter(_jpegs(level, jfif=jfif)), shape=level.shape, dtype="uint8", tile=(TILE, TILE),
                photometric="rgb", compression="jpeg", subfiletype=1 if k else 0, metadata=None,
                description=described, **per_cm(0.5 * 2**k),
            )  # fmt: skip
    with tifffile.TiffFile(path, mode="r+b") as tiff:
        for page in tiff.pages:
            page.tags["PhotometricInterpretation"].overwrite(2)  # tifffile put YCbCr
    return path


def _jpegs(rgb: Rgb, *, jfif: bool) -> list[bytes]:
    whole, found = padded(rgb), []
    for y in range(0, whole.shape[0], TILE):
        for x in range(0, whole.shape[1], TILE):
            made = io.BytesIO()
            tile = np.ascontiguousarray(whole[y : y + TILE, x : x + TILE])
            Image.fromarray(tile).save(made, "JPEG", quality=95, subsampling=0)
            encoded = made.getvalue()
            # APP0 is the first segment, of 18 bytes with its marker.
            found.append(encoded if jfif else encoded[:2] + encoded[20:])
    return found
