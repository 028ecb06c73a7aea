"""Two slides to the map between them: registration.json, a checkerboard, points carried over."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

import ihcscore
from ihcscore import output, pictures, planes
from ihcscore.errors import TableError
from ihcscore.geometry.affine import Affine
from ihcscore.geometry.polygons import raster
from ihcscore.output.progress import Progress, silent
from ihcscore.register import Registration
from ihcscore.schema import CARRIED_POINTS, POINTS, FieldSettings
from ihcscore.serial.pair import RegisteredSlide, SlidePair
from ihcscore.sheet import check_table, read_sheet
from ihcscore.slide import Slide
from ihcscore.slide.section import open_section

_CHECKERBOARD_PX = 1400
_SQUARES = 8


@dataclass(frozen=True, kw_only=True)
class RegistrationResult:
    """What registering two slides gives.

    Attributes
    ----------
    registration : Registration
    points : DataFrame or None
        As in ``points.csv``.
    n_off : int
        Points that come to lie off the moving slide.
    record : dict
        As in ``registration.json``.
    """

    registration: Registration
    points: pd.DataFrame | None = field(repr=False)
    n_off: int
    record: dict[str, Any] = field(repr=False)


def register_slides(
    reference: str | Path,
    moving: str | Path,
    *,
    points: str | Path | None = None,
    out: str | Path,
    mpp_um: float | None = None,
    overwrite: bool = False,
    progress: Progress = silent,
) -> RegistrationResult:
    """Find how a slide lies on another and write it down.

    Parameters
    ----------
    reference, moving : str or Path
        Slides or plain images, brightfield, of any stain.
    points : str or Path, optional
        CSV or XLSX with columns X and Y, level-0 pixels of the reference, to be carried to the moving
        slide.
    out : str or Path
        Folder for ``registration.json``, ``checkerboard.png`` and ``points.csv``.
    mpp_um : float, optional
        µm per level-0 pixel of both, overriding the files'.
    overwrite : bool
        Replace a run that the folder already holds.

    Raises
    ------
    IhcscoreError
        If a slide, the points or the folder cannot be used, or a point lies off the reference. Two slides
        that show nothing in common are no error: the registration is not confirmed then.
    """
    given = None if points is None else read_points(Path(points))
    with (
        output.OutputFolder(out, overwrite=overwrite) as folder,
        open_section(reference, mpp_um=mpp_um) as fixed,
        open_section(moving, mpp_um=mpp_um) as other,
    ):
        if given is not None:
            _check_points(given, fixed, Path(str(points)).name)
        progress("reading the slides", 0.1)
        pair = SlidePair(reference=RegisteredSlide.of(fixed), moving=RegisteredSlide.of(other))
        progress("registration", 0.4)
        registration = pair.registration
        progress("points", 0.7)
        carried = None if given is None else carry_points(pair, given)
        if carried is not None:
            output.write_table(folder.new_file("points.csv"), carried, CARRIED_POINTS)
        progress("checkerboard", 0.9)
        pictures.write_png(folder.new_file("checkerboard.png"), checkerboard(pair))
        record = {
            "ihcscore": ihcscore.__version__,
            "reference": _about(fixed),
            "moving": _about(other),
            **describe_registration(registration),
        }
        output.write_json(folder.new_file("registration.json"), record)
        about = output.make_record("register", {"parameters": {"mpp_um": mpp_um}})
        output.write_record(folder, about)
        n_off = 0 if carried is None else int(_is_off(carried[["X", "Y"]].to_numpy(float), other).sum())
    return RegistrationResult(registration=registration, points=carried, n_off=n_off, record=record)


def describe_registration(registration: Registration) -> dict[str, Any]:
    """A registration as JSON holds it."""
    transform = registration.transform
    largest, smallest = transform.stretches
    return {
        "type": "affine for each piece of tissue" if registration.pieces else "affine",
        "coordinates": "level-0 pixels, x right, y down, the corner of the first pixel at (0, 0)",
        "reference_to_moving": transform.matrix.tolist(),
        "pieces": [
            {
                "reference_bounds_px": list(piece.area.bounds),
                "reference_outline_px": shapely.get_coordinates(piece.area.exterior).tolist(),
                "reference_to_moving": piece.transform.matrix.tolist(),
            }
            for piece in registration.pieces
        ],
        "doubtful_outlines_px": [
            np.asarray(part.exterior.coords)[:-1].tolist()
            for part in shapely.get_parts(registration.doubtful)
        ],
        "rotation_deg": transform.angle_deg,
        "mirrored": transform.mirrored,
        "stretch": [largest, smallest],
        "confirmed": registration.confirmed,
        "error_um": registration.error_um if registration.confirmed else None,
        "correlation": registration.correlation,
        "n_places": registration.n_places,
        "n_distinct": registration.n_distinct,
    }


def carry_points(pair: SlidePair, points_xy: NDArray[np.float64]) -> pd.DataFrame:
    """Points of the reference on the moving slide, each looked for in a field's worth of tissue."""
    side_um = FieldSettings().side_um
    places = [pair.carry(point, side_um=side_um) for point in points_xy]
    rows = [
        (*place.xy_px, *point, place.error_um, place.distinct)
        for point, place in zip(points_xy, places, strict=True)
    ]
    return pd.DataFrame(rows, columns=CARRIED_POINTS.names)


def _is_off(points_xy: NDArray[np.float64], slide: Slide) -> NDArray[np.bool_]:
    """Which points, shape (n, 2) in level-0 px, lie outside a slide, whose last edge belongs to it."""
    return np.asarray(((points_xy < 0) | (points_xy > slide.size_xy_px)).any(axis=1), np.bool_)


def _check_points(points_xy: NDArray[np.float64], reference: Slide, name: str) -> None:
    """Refuse points that are not on the reference: they are of another slide, or in another unit."""
    off = points_xy[_is_off(points_xy, reference)]
    if len(off) > 0:
        x, y = off[0]
        width, height = reference.size_xy_px
        more = f" and {len(off) - 1} more" if len(off) > 1 else ""
        raise TableError(
            f"{name}: the point ({x:g}, {y:g}){more} is off {reference.name}, which has {width} × {height} "
            "px; give points of the reference in its level-0 pixels"
        )


def read_points(path: Path) -> NDArray[np.float64]:
    """Points of a table with columns X and Y, CSV or XLSX: shape (n, 2), in its order.

    Raises
    ------
    TableError
        If the file cannot be read or holds no such points.
    """
    table = check_table(read_sheet(path), POINTS)
    return table.rows[["X", "Y"]].to_numpy(float)


def checkerboard(pair: SlidePair) -> NDArray[np.uint8]:
    """Reference and moving slide in turns, square by square, on the reference's frame."""
    reference, moving = pair.reference.slide, pair.moving.slide
    step_um = max(reference.size_xy_px) * reference.mpp_um / _CHECKERBOARD_PX
    step_um = max(step_um, reference.mpp_um)
    fixed, other = reference.thumbnail(step_um), moving.thumbnail(step_um)
    scale = fixed.mpp_um / step_um
    size = (round(fixed.rgb.shape[1] * scale), round(fixed.rgb.shape[0] * scale))
    board = planes.shrunk_to(fixed.rgb, size)
    to_reference = Affine.scaling(step_um / reference.mpp_um)
    rows, columns = np.indices(board.shape[:2])
    square = math.ceil(max(size) / _SQUARES)  # no sliver of a ninth at the end
    turn = ((rows // square + columns // square) % 2).astype(bool)
    for transform, area in _maps(pair.registration, board.shape[:2], to_reference):
        onto = Affine.scaling(1 / other.downsample) @ transform @ to_reference
        warped = cv2.warpAffine(
            other.rgb, onto.cv(), size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderValue=moving.background_rgb,
        )  # fmt: skip
        board[turn & area] = warped[turn & area]
    return pictures.draw_checkerboard(
        board, title=f"{reference.name}  ·  {moving.name}", square_px=square, mpp_um=step_um
    )


def _maps(
    registration: Registration, shape_yx: tuple[int, ...], to_reference: Affine
) -> list[tuple[Affine, NDArray[np.bool_]]]:
    """Each map with the part of the picture in which it holds, the pieces' last."""
    maps = [(registration.transform, np.ones(shape_yx, np.bool_))]
    for piece in registration.pieces:
        here = shapely.transform(piece.area, to_reference.inverse())
        maps.append((piece.transform, raster(here, shape_yx, bits=0)))
    return maps


def _about(slide: Slide) -> dict[str, object]:
    mpp = {"mpp_um": slide.mpp_um, "mpp_source": slide.mpp_source}
    return {"name": slide.name, "size_xy_px": list(slide.size_xy_px), **mpp, "identity": slide.identity}
