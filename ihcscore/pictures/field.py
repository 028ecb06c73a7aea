"""Pictures that a pathologist reviews: what was counted in a field, and where the fields lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from textwrap import wrap

import cv2
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from shapely.geometry.base import BaseGeometry

from ihcscore.geometry.square import is_upright, pixels_inside, square_corners
from ihcscore.schema import CLASS_COLOURS, REGION_COLOURS, CellClass, FieldStatus

# Side of a field's picture on a contact sheet.
CONTACT_PX = 300
_INK = (30, 30, 34)
_PAPER = (255, 255, 255)
_SUBPIXEL_BITS = 4


@dataclass(frozen=True, kw_only=True)
class FieldPicture:
    """One field with its surroundings.

    Attributes
    ----------
    rgb : ndarray of uint8, shape (height, width, 3)
    cells : DataFrame
        Columns x_px, y_px (pixels of `rgb`, centres at whole numbers), class, diameter_um.
    corners_xy_px : ndarray of float64, shape (4, 2)
        Corners of the field, a rectangle that may be turned, in order: x and y in pixels of `rgb`, pixel
        corners at whole numbers.
    mpp_um : float
        µm per pixel of `rgb`.
    title : str
    """

    rgb: NDArray[np.uint8] = field(repr=False)
    cells: pd.DataFrame = field(repr=False)
    corners_xy_px: NDArray[np.float64] = field(repr=False)
    mpp_um: float
    title: str


def draw_field(picture: FieldPicture) -> NDArray[np.uint8]:
    """The field with a ring round every cell, its border, a title, a legend and a scale bar.

    Returns
    -------
    ndarray of uint8, shape (height + strips, width, 3)
    """
    canvas = picture.rgb.copy()
    _fade_outside(canvas, picture.corners_xy_px)
    draw_rings(canvas, picture.cells, mpp_um=picture.mpp_um)
    _border(canvas, picture.corners_xy_px)
    counts = picture.cells["class"].value_counts()
    legend = [(f"{kind} {counts.get(kind, 0)}", colour) for kind, colour in CLASS_COLOURS.items()]
    return _framed(canvas, title=picture.title, legend=legend, mpp_um=picture.mpp_um, bar_um=50)


def draw_rings(canvas: NDArray[np.uint8], cells: pd.DataFrame, *, mpp_um: float) -> None:
    """Draw a ring round every cell, in place; negative cells thin, so that they don't crowd the rest."""
    unit = 1 << _SUBPIXEL_BITS
    for kind, colour in reversed(CLASS_COLOURS.items()):
        width = 1 if kind == CellClass.NEGATIVE else 2
        for cell in cells[cells["class"] == kind].to_dict("records"):
            centre = round(cell["x_px"] * unit), round(cell["y_px"] * unit)
            radius = round((cell["diameter_um"] / 2 + 1) / mpp_um * unit)
            cv2.circle(canvas, centre, radius, colour, width, cv2.LINE_AA, _SUBPIXEL_BITS)


def _fade_outside(canvas: NDArray[np.uint8], corners: NDArray[np.float64]) -> None:
    """Pale the surroundings, which are read but not counted."""
    faded = (canvas.astype(np.uint16) + 2 * 255) // 3
    window, inside = pixels_inside(corners, canvas.shape[:2])
    faded[window][inside] = canvas[window][inside]
    canvas[:] = faded


def _border(canvas: NDArray[np.uint8], corners: NDArray[np.float64]) -> None:
    """Draw the outline of a rectangle; an upright one sharp, on whole pixels."""
    if is_upright(corners):
        left, top = (round(edge) for edge in corners.min(axis=0).tolist())
        right, bottom = (round(edge) for edge in corners.max(axis=0).tolist())
        cv2.rectangle(canvas, (left, top), (right - 1, bottom - 1), _INK, 2)
    else:
        _outline(canvas, shapely.Polygon(corners), _INK, 1.0, width=2)


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
    marks : sequence of (label, shapely geometry, colour)
        What was marked on the tissue, such as ink and folds.
    regions : sequence of (name, shapely geometry)
    fields : DataFrame
        Columns field_id, region, x_px, y_px, side_px (level-0 pixels), angle_deg, and status where scored.
    title : str
    """

    rgb: NDArray[np.uint8] = field(repr=False)
    downsample: float
    mpp_um: float
    tumour: BaseGeometry = field(repr=False)
    tissue: BaseGeometry = field(repr=False)
    excluded: BaseGeometry = field(repr=False)
    marks: Sequence[tuple[str, BaseGeometry, tuple[int, int, int]]] = field(default=(), repr=False)
    regions: Sequence[tuple[str, BaseGeometry]] = field(repr=False)
    fields: pd.DataFrame = field(repr=False)
    title: str


def draw_overview(overview: Overview) -> NDArray[np.uint8]:
    """The slide with tissue, tumour, regions and fields, a legend and a scale bar."""
    canvas = overview.rgb.copy()
    for name, area in overview.regions:
        clipped = area.intersection(overview.tissue)
        _fill(canvas, clipped, REGION_COLOURS[name], overview.downsample, opacity=0.15)
        _outline(canvas, clipped, REGION_COLOURS[name], overview.downsample, width=1)
    _fill(canvas, overview.excluded, (120, 120, 120), overview.downsample, opacity=0.5)
    for _, area, colour in overview.marks:
        _fill(canvas, area, colour, overview.downsample, opacity=0.35)
        _outline(canvas, area, colour, overview.downsample, width=1)
    _outline(canvas, overview.tissue, (150, 150, 150), overview.downsample, width=1)
    _outline(canvas, overview.tumour, _INK, overview.downsample, width=2)
    canvas = _with_fields(canvas, overview.fields, overview.downsample)
    legend = [(str(name), REGION_COLOURS[name]) for name, _ in overview.regions]
    legend += [("Tumour outline", _INK), ("Tissue", (150, 150, 150))]
    legend += [(label, colour) for label, _, colour in overview.marks]
    return _framed(
        canvas, title=overview.title, legend=legend, mpp_um=overview.mpp_um,
        bar_um=_round_bar_um(canvas.shape[1] * overview.mpp_um / 5),
    )  # fmt: skip


def _with_fields(canvas: NDArray[np.uint8], fields: pd.DataFrame, downsample: float) -> NDArray[np.uint8]:
    """A picture with the fields' outlines and names; a turned field's name stands on its highest corner."""
    rows = fields.to_dict("records")
    squares = []
    for row in rows:
        left, top, side = (row[name] / downsample for name in ("x_px", "y_px", "side_px"))
        squares.append(square_corners(left, top, side, row["angle_deg"]))
        if not is_upright(squares[-1]):
            _outline(canvas, shapely.Polygon(squares[-1]), _INK, 1.0, width=2)
    image = Image.fromarray(canvas)
    pen = ImageDraw.Draw(image)
    size = max(12, canvas.shape[1] // 75)
    for row, corners in zip(rows, squares, strict=True):
        at = corners[corners[:, 1].argmin()]
        if is_upright(corners):
            at = corners.min(axis=0)
            pen.rectangle((*at, *corners.max(axis=0)), outline=_INK, width=3)
        status = row.get("status", FieldStatus.SCORED)
        note = "" if status == FieldStatus.SCORED else f" ({status})"
        _label(pen, (at[0], at[1]), row["field_id"] + note, REGION_COLOURS[row["region"]], size)
    return np.asarray(image)


@dataclass(frozen=True, kw_only=True)
class ContactCell:
    """A picture of a contact sheet.

    Attributes
    ----------
    rgb : ndarray of uint8, shape (n, n, 3), or None
        None where there is nothing to show.
    caption : str
        Below the picture, or in its place.
    """

    rgb: NDArray[np.uint8] | None = field(repr=False)
    caption: str


def draw_contact_sheet(
    rows: Sequence[Sequence[ContactCell]],
    *,
    row_names: Sequence[str],
    column_names: Sequence[str],
    title: str,
) -> NDArray[np.uint8]:
    """Pictures in rows and columns with their names, shape (height, width, 3)."""
    side, gap, size = CONTACT_PX, 8, 16
    head, caption, left = 72, 26, 120
    width = left + len(column_names) * (side + gap)
    image = Image.new("RGB", (width, head + len(rows) * (side + caption + gap)), _PAPER)
    pen = ImageDraw.Draw(image)
    pen.text((gap, 22), title, _INK, _font(20), anchor="lm")
    for column, name in enumerate(column_names):
        pen.text((left + column * (side + gap) + side / 2, 54), name, _INK, _font(18), anchor="mm")
    for row, (cells, name) in enumerate(zip(rows, row_names, strict=True)):
        top = head + row * (side + caption + gap)
        pen.text((left / 2, top + side / 2), name, _INK, _font(18), anchor="mm")
        for column, cell in enumerate(cells):
            x = left + column * (side + gap)
            if cell.rgb is None:
                pen.rectangle((x, top, x + side - 1, top + side - 1), fill=(240, 240, 243))
                text = "\n".join(wrap(cell.caption, 30))
                middle = (x + side / 2, top + side / 2)
                pen.multiline_text(middle, text, _INK, _font(size - 2), anchor="mm", align="center")
                continue
            image.paste(Image.fromarray(cell.rgb), (x, top))
            pen.text(
                (x + side / 2, top + side + caption / 2), cell.caption, _INK, _font(size - 2), anchor="mm"
            )
    return np.asarray(image)


def upright_square(
    rgb: NDArray[np.uint8], corners_xy_px: NDArray[np.float64], *, mirrored: bool
) -> NDArray[np.uint8]:
    """A turned field as a small upright picture, shape (300, 300, 3).

    Parameters
    ----------
    rgb : ndarray of uint8, shape (height, width, 3)
    corners_xy_px : ndarray of float64, shape (4, 2)
        Corners of the field, from what is top left before the turn on, clockwise.
    mirrored : bool
        Show it from the other side.
    """
    top_left, top_right, _, bottom_left = corners_xy_px - 0.5
    if mirrored:
        across = top_right - top_left
        top_left, top_right, bottom_left = top_right, top_left, bottom_left + across
    last = CONTACT_PX - 0.5
    there = np.array([(-0.5, -0.5), (last, -0.5), (-0.5, last)], np.float32)
    here = np.array([top_left, top_right, bottom_left], np.float32)
    # Averaged before it is shrunk, so that the cells stay as they look.
    shrink = float(np.linalg.norm(top_right - top_left)) / CONTACT_PX
    smooth = cv2.GaussianBlur(rgb, (0, 0), max(shrink / 2.5, 0.1)) if shrink > 1 else rgb
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = (CONTACT_PX, CONTACT_PX)
    upright = cv2.warpAffine(smooth, cv2.getAffineTransform(there, here), size, flags=flags)
    return np.asarray(upright, np.uint8)


def draw_checkerboard(
    board: NDArray[np.uint8], *, title: str, square_px: int, mpp_um: float
) -> NDArray[np.uint8]:
    """Two registered sections in turns: where their edges meet, the registration holds.

    Parameters
    ----------
    board : ndarray of uint8, shape (height, width, 3)
    title : str
    square_px : int
        Side of a square of the board.
    mpp_um : float
        µm per pixel.
    """
    canvas = board.copy()
    for edge in range(square_px, max(board.shape[:2]), square_px):
        cv2.line(canvas, (edge, 0), (edge, board.shape[0]), (150, 150, 150), 1)
        cv2.line(canvas, (0, edge), (board.shape[1], edge), (150, 150, 150), 1)
    bar_um = _round_bar_um(board.shape[1] * mpp_um / 6)
    return _framed(canvas, title=title, legend=[], mpp_um=mpp_um, bar_um=bar_um)


def _round_bar_um(about_um: float) -> float:
    """The largest of 1, 2, 5 times a power of ten below a length."""
    power = 10 ** np.floor(np.log10(about_um))
    return float(max(step * power for step in (1, 2, 5) if step * power <= about_um))


def _rings(area: BaseGeometry, downsample: float) -> list[list[NDArray[np.int32]]]:
    """Each polygon's rings, in sixteenths of the picture's pixels."""
    polygons = [part for part in shapely.get_parts(area) if part.geom_type == "Polygon"]
    unit = 1 << _SUBPIXEL_BITS
    return [
        [
            np.rint((shapely.get_coordinates(ring) / downsample - 0.5) * unit).astype(np.int32)
            for ring in (polygon.exterior, *polygon.interiors)
        ]
        for polygon in polygons
    ]


def _fill(
    canvas: NDArray[np.uint8],
    area: BaseGeometry,
    colour: tuple[int, int, int],
    downsample: float,
    *,
    opacity: float,
) -> None:
    mask = np.zeros(canvas.shape[:2], np.uint8)
    for rings in _rings(area, downsample):
        cv2.fillPoly(mask, rings, 1, shift=_SUBPIXEL_BITS)
    here = mask.astype(bool)
    canvas[here] = np.rint(canvas[here] * (1 - opacity) + np.asarray(colour) * opacity)


def _outline(
    canvas: NDArray[np.uint8],
    area: BaseGeometry,
    colour: tuple[int, int, int],
    downsample: float,
    *,
    width: int,
) -> None:
    for rings in _rings(area, downsample):
        cv2.polylines(canvas, rings, True, colour, width, cv2.LINE_AA, _SUBPIXEL_BITS)


def _framed(
    canvas: NDArray[np.uint8],
    *,
    title: str,
    legend: Sequence[tuple[str, tuple[int, int, int]]],
    mpp_um: float,
    bar_um: float,
) -> NDArray[np.uint8]:
    """A picture between a strip with its title and one with its legend and scale bar."""
    height, width = canvas.shape[:2]
    bar_text = f"{bar_um / 1000:g} mm" if bar_um >= 1000 else f"{bar_um:g} µm"
    bar_px = bar_um / mpp_um
    size = int(np.clip(width / 55, 12, 26))
    while size > 6 and _legend_width([*(text for text, _ in legend), bar_text], size) + bar_px > width:
        size -= 1
    strip = round(max(size, 10) * 1.9)
    image = Image.new("RGB", (width, height + 2 * strip), _PAPER)
    image.paste(Image.fromarray(canvas), (0, strip))
    pen = ImageDraw.Draw(image)
    font = _font(size)
    middle = height + strip + strip / 2
    pen.text((size * 0.6, strip / 2), title, _INK, font, anchor="lm")
    x = size * 0.6
    for text, colour in legend:
        ring = (x, middle - size * 0.4, x + size * 0.8, middle + size * 0.4)
        pen.ellipse(ring, outline=colour, width=max(2, size // 6))
        pen.text((x + size * 1.1, middle), text, _INK, font, anchor="lm")
        x += size * 2.0 + pen.textlength(text, font)
    right = width - size * 0.6
    pen.line((right - bar_px, middle, right, middle), _INK, max(3, size // 5))
    pen.text((right - bar_px - size * 0.5, middle), bar_text, _INK, font, anchor="rm")
    return np.asarray(image)


def _legend_width(texts: Sequence[str], size: int) -> float:
    """Pixels that texts take in a row, each with its ring and a gap."""
    return float(sum(_font(size).getlength(text) + 2.0 * size for text in texts)) + size


def _label(
    pen: ImageDraw.ImageDraw, xy: tuple[float, float], text: str, colour: tuple[int, int, int], size: int
) -> None:
    """A small tag whose lower left corner is at a point."""
    font = _font(size)
    x, y = xy
    width = pen.textlength(text, font) + size * 0.6
    y = max(y, size * 1.4)
    pen.rectangle((x, y - size * 1.4, x + width, y), fill=colour)
    pen.text((x + size * 0.3, y - size * 0.7), text, _PAPER, font, anchor="lm")


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    """DejaVu Sans from matplotlib's data: Pillow's own font has no ², no µ and no accents."""
    spec = find_spec("matplotlib")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("matplotlib is not installed; install ihcscore again")
    folder = Path(spec.submodule_search_locations[0])
    return ImageFont.truetype(str(folder / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf"), size)


def read_rgb(path: Path) -> NDArray[np.uint8]:
    """A picture that was written here, shape (height, width, 3)."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def write_png(path: Path, rgb: NDArray[np.uint8]) -> None:
    """Write a picture as PNG; light compression, because fields are large and many."""
    path.write_bytes(_encoded(rgb, ".png", [cv2.IMWRITE_PNG_COMPRESSION, 4]))


def encode_jpeg(rgb: NDArray[np.uint8], *, longest_px: int | None = None, quality: int = 85) -> bytes:
    """A picture as JPEG, shrunk until its longer side is at most `longest_px`."""
    scale = min(1.0, longest_px / max(rgb.shape[:2])) if longest_px else 1.0
    if scale < 1:
        rgb = np.asarray(cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    return _encoded(rgb, ".jpg", [cv2.IMWRITE_JPEG_QUALITY, quality])


def _encoded(rgb: NDArray[np.uint8], suffix: str, options: list[int]) -> bytes:
    done, data = cv2.imencode(suffix, cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), options)
    if not done:
        raise ValueError(f"cannot encode an image of shape {rgb.shape} as {suffix}")
    return data.tobytes()
