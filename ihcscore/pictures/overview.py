"""A slide seen whole: tissue, tumour, regions, fields."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from shapely.geometry.base import BaseGeometry

from ihcscore.geometry.square import Square, is_upright
from ihcscore.pictures.frame import INK, Key, Mark, framed, hatch, label, outline, round_bar_um
from ihcscore.schema import REGION_COLOURS, FieldStatus, RegionName, Rgb

_TISSUE: Rgb = (150, 150, 150)
_EXCLUDED: Rgb = (90, 90, 90)


@dataclass(frozen=True, kw_only=True)
class PlacedField:
    """A field on the overview.

    Attributes
    ----------
    field_id : str
    region : RegionName
    square : Square
        Level-0 pixels.
    status : FieldStatus
        Stands beside the name of a field that was not scored.
    """

    field_id: str
    region: RegionName
    square: Square
    status: FieldStatus = FieldStatus.SCORED


@dataclass(frozen=True, kw_only=True)
class Overview:
    """A slide seen whole.

    Attributes
    ----------
    rgb : ndarray of uint8, shape (height, width, 3)
    downsample : float
        Level-0 pixels per pixel of `rgb`.
    mpp_um : float
        µm per pixel of `rgb`.
    tumour, tissue, excluded : shapely geometry
        Outlines, level-0 pixels.
    marks : sequence of (name, shapely geometry, colour)
        What was marked on the tissue, such as ink and folds.
    regions : sequence of (name, shapely geometry)
    fields : sequence of PlacedField
    title : str
    """

    rgb: NDArray[np.uint8] = field(repr=False)
    downsample: float
    mpp_um: float
    tumour: BaseGeometry = field(repr=False)
    tissue: BaseGeometry = field(repr=False)
    excluded: BaseGeometry = field(repr=False)
    marks: Sequence[tuple[str, BaseGeometry, Rgb]] = field(default=(), repr=False)
    regions: Sequence[tuple[RegionName, BaseGeometry]] = field(repr=False)
    fields: Sequence[PlacedField] = field(repr=False)
    title: str


def draw_overview(overview: Overview) -> NDArray[np.uint8]:
    """The slide in its own colours with outlines of tissue, tumour, regions and fields, legend, scale bar.

    Nothing is tinted: the invasive front and what is left out are hatched, and between the lines the stain
    is seen as it is.
    """
    canvas, scale = overview.rgb.copy(), overview.downsample
    legend = []
    for name, area in overview.regions:
        clipped, colour = area.intersection(overview.tissue), REGION_COLOURS[name]
        mark = Mark.HATCH_UP if name == RegionName.INVASIVE_FRONT else Mark.LINE
        if mark is Mark.HATCH_UP:
            hatch(canvas, clipped, colour, scale, mark=mark, gap_px=22)
        outline(canvas, clipped, colour, scale, width=1)
        legend.append(Key(text=str(name), colour=colour, mark=mark))
    if not overview.tumour.is_empty:
        legend.append(Key(text="Tumour outline", colour=INK, mark=Mark.LINE))
    legend.append(Key(text="Tissue", colour=_TISSUE, mark=Mark.LINE))
    marks = list(overview.marks)
    if not overview.excluded.is_empty:
        marks.append(("Excluded", overview.excluded, _EXCLUDED))
    for text, area, colour in marks:
        hatch(canvas, area, colour, scale, mark=Mark.HATCH_DOWN, gap_px=9)
        outline(canvas, area, colour, scale, width=1)
        legend.append(Key(text=text, colour=colour, mark=Mark.HATCH_DOWN))
    outline(canvas, overview.tissue, _TISSUE, scale, width=1)
    outline(canvas, overview.tumour, INK, scale, width=2)
    canvas = _with_fields(canvas, overview.fields, scale)
    return framed(
        canvas, title=overview.title, legend=legend, mpp_um=overview.mpp_um,
        bar_um=round_bar_um(canvas.shape[1] * overview.mpp_um / 5),
    )  # fmt: skip


def _with_fields(
    canvas: NDArray[np.uint8], fields: Sequence[PlacedField], downsample: float
) -> NDArray[np.uint8]:
    """A picture with the fields' outlines and names; a turned field's name stands on its highest corner."""
    squares = [one.square.reduced(downsample) for one in fields]
    for square in squares:
        if not is_upright(square.corners_xy_px):
            outline(canvas, square.polygon, INK, 1.0, width=2)
    image = Image.fromarray(canvas)
    pen = ImageDraw.Draw(image)
    size = int(np.clip(canvas.shape[1] // 75, 12, 18))
    for one, square in zip(fields, squares, strict=True):
        corners = square.corners_xy_px
        at = corners[corners[:, 1].argmin()]
        if is_upright(corners):
            at = corners.min(axis=0)
            pen.rectangle((*at, *corners.max(axis=0)), outline=INK, width=3)
        note = "" if one.status == FieldStatus.SCORED else f" ({one.status})"
        label(pen, (at[0], at[1]), one.field_id + note, REGION_COLOURS[one.region], size)
    return np.asarray(image)
