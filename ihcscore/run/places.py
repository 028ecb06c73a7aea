"""Where the pictures of fields lie on their slide, for those who draw on them later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ihcscore import output, pictures
from ihcscore.slide import Thumbnail

PLACES = "places.json"
"""In the folder of overlays."""
OVERVIEW = "slide.jpg"
"""The slide seen whole, without any mark, beside it."""

_OVERVIEW_PX = 900


@dataclass(frozen=True, kw_only=True)
class PicturePlace:
    """Where the picture of a field without rings (``-plain.jpg``) lies.

    Attributes
    ----------
    corner_xy_px : tuple of float
        Its left and top edge, level-0 pixels; pixel corners at whole numbers.
    downsample : float
        Level-0 pixels per pixel of the picture.
    mpp_um : float
        µm per pixel of the picture.
    size_xy_px : tuple of int
    mirrored : bool
        Whether the field is shown from the other side.
    spoilt : tuple of str
        What is tinted on ``-spoilt.png``, such as Fold; empty where there is no such picture.
    """

    corner_xy_px: tuple[float, float]
    downsample: float
    mpp_um: float
    size_xy_px: tuple[int, int]
    mirrored: bool
    spoilt: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Places:
    """Places of a slide's pictures.

    Attributes
    ----------
    fields : mapping of str to PicturePlace
        By field_id.
    overview_downsample : float
        Level-0 pixels per pixel of the slide's overview.
    """

    fields: Mapping[str, PicturePlace]
    overview_downsample: float


def write_places(
    folder: output.OutputFolder, fields: Mapping[str, PicturePlace], thumbnail: Thumbnail
) -> None:
    """Write the places and a picture of the whole slide, which is none of its label."""
    small = pictures.shrunk_to_fit(thumbnail.rgb, (_OVERVIEW_PX, _OVERVIEW_PX))
    shrink = thumbnail.rgb.shape[1] / small.shape[1]
    pictures.write_jpeg(folder.new_file(output.OVERLAYS, OVERVIEW), small, quality=85)
    content: dict[str, Any] = {
        "overview_downsample": thumbnail.downsample * shrink,
        "fields": output.as_plain(dict(fields)),
    }
    output.write_json(folder.new_file(output.OVERLAYS, PLACES), content)


def read_places(folder: Path) -> Places:
    """Read what :func:`write_places` wrote into a run's folder.

    Raises
    ------
    OSError
        If it cannot be read, or there is none.
    ValueError
        If it is not what a run writes.
    """
    content = output.read_json(folder / output.OVERLAYS / PLACES)
    try:
        return Places(
            fields={name: _place(one) for name, one in content["fields"].items()},
            overview_downsample=float(content["overview_downsample"]),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"{PLACES}: not the places of a run's pictures") from error


def _place(said: Mapping[str, Any]) -> PicturePlace:
    return PicturePlace(
        corner_xy_px=(float(said["corner_xy_px"][0]), float(said["corner_xy_px"][1])),
        downsample=float(said["downsample"]),
        mpp_um=float(said["mpp_um"]),
        size_xy_px=(int(said["size_xy_px"][0]), int(said["size_xy_px"][1])),
        mirrored=bool(said["mirrored"]),
        spoilt=tuple(map(str, said["spoilt"])),
    )
