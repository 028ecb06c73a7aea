"""A slide seen whole: tissue, tumour, regions, fields."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from shapely.geometry.base import BaseGeometry

from ihcscore.geometry.square import Square, is_upright
from ihcscore.pictures.frame import INK, fill, framed, label, outline, round_bar_um
from ihcscore.schema import REGION_COLOURS, FieldStatus, RegionName, Rgb


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
    """The slide with tissue, tumour, regions and fields, a legend and a scale bar."""
    canvas = overview.rgb.copy()
    for name, area in overview.regions:
        clipped = area.intersection(overview.tissue)
        fill(canvas, clipped, REGION_COLOURS[name], overview.downsample, opacity=0.15)
        outline(canvas, clipped, REGION_COLOURS[name], overview.downsample, width=1)
    fill(canvas, overview.excluded, (120, 120, 120), overview.downsample, opacity=0.5)
    for _, area, colour in overview.marks:
        fill(canvas, area, colour, overview.downsample, opacity=0.35)
        outline(canvas, area, colour, overview.downsample, width=1)
    outline(canvas, overview.tissue, (150, 150, 150), overview.downsample, width=1)
    outline(canvas, overview.tumour, INK, overview.downsample, width=2)
    canvas = _with_fields(canvas, overview.fields, overview.downsample)
    legend = [(str(name), REGION_COLOURS[name]) for name, _ in overview.regions]
    legend += [("Tumour outline", INK), ("Tissue", (150, 150, 150))]
    legend += [(name, colour) for name, _, colour in overview.marks]
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
    size = max(12, canvas.shape[1] // 75)
    for one, square in zip(fields, squares, strict=True):
        corners = square.corners_xy_px
        at = corners[corners[:, 1].argmin()]
        if is_upright(corners):
            at = corners.min(axis=0)
            pen.rectangle((*at, *corners.max(axis=0)), outline=INK, width=3)
        note = "" if one.status == FieldStatus.SCORED else f" ({one.status})"
        label(pen, (at[0], at[1]), one.field_id + note, REGION_COLOURS[one.region], size)
    return np.asarray(image)
