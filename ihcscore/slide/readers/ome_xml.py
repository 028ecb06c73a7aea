"""OME-XML: which images a TIFF holds, where their pixels lie, and their scale.

OME data model, 2016-06. Converters write one file a series, each with the metadata of all of them, so that
what is said of an image counts only with the file that the image's pixels are said to lie in.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, ParseError

import defusedxml.ElementTree
from defusedxml import DefusedXmlException

from ihcscore.errors import parameter
from ihcscore.slide.scale import Scale, number

# Units of OME's PhysicalSize in µm, the micro sign and the Greek letter.
_UNIT_UM = {
    "µm": 1.0, "\u03bcm": 1.0, "um": 1.0, "micron": 1.0, "nm": 1e-3, "mm": 1e3, "cm": 1e4, "dm": 1e5,
    "m": 1e6, "pm": 1e-6, "Å": 1e-4, "\u212b": 1e-4, "in": 25_400.0,
}  # fmt: skip
# Names of pictures that are no scan of the tissue, as Bio-Formats and scanners give them.
_NO_SCAN = re.compile(r"\b(label|macro|overview|thumb(nail)?|barcode|slide preview|preview)\b", re.IGNORECASE)
_MAX_COMPANION_BYTES = 1 << 26


@dataclass(frozen=True, kw_only=True)
class OmeImage:
    """One image of OME-XML whose pixels lie in the file.

    Attributes
    ----------
    size_xy_px : tuple of int
    n_planes : int
        Focal planes.
    n_times : int
    n_channels : int
        SizeC: samples of all channels.
    ifd : int or None
        The page that holds its first plane; None where the XML doesn't say.
    scale : Scale
    objective : float or None
        Nominal magnification.
    is_scan : bool
        Whether its name isn't that of a label or an overview.
    """

    size_xy_px: tuple[int, int]
    n_planes: int
    n_times: int
    n_channels: int
    ifd: int | None
    scale: Scale
    objective: float | None
    is_scan: bool


def images_of(xml: str, path: Path) -> list[OmeImage]:
    """The images of OME-XML whose pixels lie in a file.

    Parameters
    ----------
    xml : str
        The first page's description.
    path : Path
        The file; its name tells which images of a set are its own.

    Returns
    -------
    list of OmeImage
        Empty where the XML can't be read or names none of this file's.
    """
    root = _parsed(xml)
    if root is None:
        return []
    own = root.get("UUID", "")
    binary_only = root.find("{*}BinaryOnly")
    if binary_only is not None:
        root = _companion(path, binary_only.get("MetadataFile", ""))
        if root is None:
            return []
    objectives = {
        one.get("ID", ""): number(one.get("NominalMagnification")) for one in root.iterfind(".//{*}Objective")
    }
    found = []
    images = [
        (image, pixels) for image in root.iterfind("{*}Image") for pixels in image.iterfind("{*}Pixels")
    ]
    for image, pixels in images:
        blocks = list(pixels.iterfind("{*}TiffData"))
        # The only image is this file's, whatever the file is called by now.
        here = blocks if len(images) == 1 else [one for one in blocks if _is_here(one, own, path.name)]
        if blocks and not here:
            continue
        settings = image.find("{*}ObjectiveSettings")
        objective = None if settings is None else objectives.get(settings.get("ID", ""))
        found.append(_image(image, pixels, here, objective))
    return found


def _parsed(xml: str | bytes) -> Element | None:
    try:
        root: Element = defusedxml.ElementTree.fromstring(xml, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError):
        return None
    return root


def _companion(path: Path, name: str) -> Element | None:
    """The XML of a set whose files hold pixels only, beside them."""
    file = path.parent / Path(name).name
    if not name or not file.is_file() or file.stat().st_size > _MAX_COMPANION_BYTES:
        return None
    return _parsed(file.read_bytes())


def _is_here(block: Element, own: str, file_name: str) -> bool:
    """Whether a block of pixels lies in this file: by the file's own mark, else by its name."""
    uuid = block.find("{*}UUID")
    if uuid is None:
        return True
    mark, name = (uuid.text or "").strip(), uuid.get("FileName", "")
    if own and mark:
        return mark == own
    return not name or Path(name).name == file_name


def _image(image: Element, pixels: Element, here: list[Element], objective: float | None) -> OmeImage:
    x, y, z, t, c = (_whole(pixels.get(f"Size{axis}")) for axis in "XYZTC")
    ifd = _whole(here[0].get("IFD")) if here and here[0].get("IFD") is not None else None
    return OmeImage(
        size_xy_px=(x, y),
        n_planes=max(z, 1),
        n_times=max(t, 1),
        n_channels=max(c, 1),
        ifd=ifd,
        scale=_scale(pixels),
        objective=objective,
        is_scan=_NO_SCAN.search(image.get("Name", "").replace("_", " ")) is None,
    )


def _whole(text: str | None) -> int:
    return int(text) if text is not None and text.strip().isdecimal() else 0


def _scale(pixels: Any) -> Scale:
    """PhysicalSizeX and PhysicalSizeY in µm."""
    sizes = []
    for axis in "XY":
        text, unit = pixels.get(f"PhysicalSize{axis}"), pixels.get(f"PhysicalSize{axis}Unit", "µm")
        if text is None:
            return Scale(mpp_um=None)
        value = number(text)
        if value is None or unit not in _UNIT_UM:
            return Scale(
                mpp_um=None, problem=f"no microns per pixel that can be read; give {parameter('mpp_um')}"
            )
        sizes.append(value * _UNIT_UM[unit])
    return Scale(mpp_um=(sizes[0], sizes[1]))
