"""What spoils a slide, drawn onto a picture of known truth: ink, folds, edges, dirt, blur and necrosis."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from ihcscore.geometry.polygons import filled
from ihcscore.geometry.square import centres_of_corners, corners_of_centres
from ihcscore.planes import Mask, Plane, blurred_coarsely, depth_px
from ihcscore.synthetic.draw.texture import smooth_noise


class ArtefactKind(StrEnum):
    """What can be drawn."""

    PEN_BLACK = "black pen"
    PEN_BLUE = "blue pen"
    PEN_GREEN = "green pen"
    PEN_RED = "red pen"
    FOLD = "fold"
    BUBBLE = "air bubble"
    COVERSLIP_EDGE = "coverslip edge"
    DUST = "dust"
    LABEL_SHADOW = "label shadow"
    OUT_OF_FOCUS = "out of focus"
    PALE = "pale area"


PENS = (ArtefactKind.PEN_BLACK, ArtefactKind.PEN_BLUE, ArtefactKind.PEN_GREEN, ArtefactKind.PEN_RED)
"""The four kinds of marker."""

_INK_OD = {
    ArtefactKind.PEN_BLACK: (1.05, 1.05, 1.0),
    ArtefactKind.PEN_BLUE: (0.85, 0.58, 0.16),
    ArtefactKind.PEN_GREEN: (0.92, 0.34, 0.62),
    ArtefactKind.PEN_RED: (0.09, 0.90, 0.68),
}
"""Optical density of marker ink, R G B, by eye from photographs of marked slides."""

_GREY_OD = np.array([1.0, 0.96, 0.92], dtype=np.float32)
"""Refraction and shade dim all colours about alike, red a little more; relative OD, R G B."""


@dataclass(frozen=True, kw_only=True)
class Spoilt:
    """A picture with an artefact on it.

    Attributes
    ----------
    rgb : ndarray of uint8, shape (h, w, 3)
    mask : ndarray of bool, shape (h, w)
        Where the artefact is.
    """

    rgb: NDArray[np.uint8] = field(repr=False)
    mask: Mask = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class _Canvas:
    """A picture as optical densities, its tissue, its scale and the chance at hand."""

    od: Plane
    tissue: Mask
    mpp_um: float
    rng: np.random.Generator

    @property
    def shape_yx(self) -> tuple[int, int]:
        return self.od.shape[0], self.od.shape[1]

    def soften(self, plane: Plane, sigma_um: float) -> Plane:
        return blurred_coarsely(plane, max(sigma_um / self.mpp_um, 0.3))

    def cloud(self, sigma_um: float) -> Plane:
        return smooth_noise(self.shape_yx, max(sigma_um / self.mpp_um, 0.3), self.rng)

    def spot(self, where: Mask, depth: float) -> NDArray[np.float64]:
        """A random point (x, y) in px at least so deep inside a mask, as a share of its greatest depth."""
        inside = depth_px(where)
        if not inside.any():
            raise ValueError("there is no room for the artefact: its part of the picture is empty")
        rows, columns = np.nonzero(inside >= depth * inside.max())
        at = int(self.rng.integers(len(rows)))
        return np.array([columns[at], rows[at]], dtype=np.float64)

    def stroke(
        self, middle_px: NDArray[np.float64], angle: float, length_um: float, width_um: float
    ) -> tuple[Plane, Plane]:
        """A wavy stroke through a point: cover 0 to 1, hard-edged, and the same half as wide."""
        along = np.linspace(-0.5, 0.5, 60) * length_um
        waves = self.rng.normal(0, 0.03 * length_um, 2)
        across = waves[0] * np.sin(2 * np.pi * along / length_um) + waves[1] * np.cos(
            3 * np.pi * along / length_um
        )
        across -= np.interp(0, along, across)
        x = middle_px[0] + (along * np.cos(angle) - across * np.sin(angle)) / self.mpp_um
        y = middle_px[1] + (along * np.sin(angle) + across * np.cos(angle)) / self.mpp_um
        points = np.rint(np.column_stack([x, y]) * 16).astype(np.int32)
        covers = []
        for width in (width_um, width_um / 2):
            cover = np.zeros(self.shape_yx, np.float32)
            thick = max(1, round(width / self.mpp_um))
            cv2.polylines(cover, [points], False, 1.0, thick, cv2.LINE_8, 4)
            covers.append(cover)
        return covers[0], covers[1]


Drawing = tuple[Plane, Mask]


def add_artefact(
    rgb: NDArray[np.uint8],
    kind: ArtefactKind,
    *,
    tissue: Mask,
    mpp_um: float,
    white_rgb: tuple[float, float, float] = (243.0, 243.0, 240.0),
    seed: int = 0,
) -> Spoilt:
    """Draw one artefact; the same picture and seed give the same bytes.

    Parameters
    ----------
    rgb : ndarray of uint8, shape (h, w, 3)
        A section or its thumbnail, of any scale.
    kind : ArtefactKind
        Ink, fold, blur and pale areas lie on or across the tissue, the others on the glass.
    tissue : ndarray of bool, shape (h, w)
        Where the tissue is, as :func:`outline_mask` draws it.
    mpp_um : float
        µm per pixel.
    white_rgb : tuple of float
        Grey levels of empty glass.
    seed : int

    Raises
    ------
    ValueError
        If the picture leaves no room for the artefact.
    """
    if tissue.shape != rgb.shape[:2]:
        raise ValueError(f"tissue has shape {tissue.shape}, expected {rgb.shape[:2]}")
    white = np.asarray(white_rgb, np.float32)
    od = -np.log10(np.maximum(rgb, 1).astype(np.float32) / white)
    rng = np.random.default_rng([seed, list(ArtefactKind).index(kind)])
    canvas = _Canvas(od=od.astype(np.float32), tissue=tissue, mpp_um=mpp_um, rng=rng)
    spoilt, mask = _draw_pen(canvas, kind) if kind in PENS else _DRAWERS[kind](canvas)
    grey = white * np.float32(10) ** -spoilt
    # What was not touched keeps its bytes.
    touched = np.abs(spoilt - od).max(axis=2) > 1e-4
    drawn = np.where(touched[..., None], np.clip(np.rint(grey), 0, 255), rgb)
    return Spoilt(rgb=drawn.astype(np.uint8), mask=mask)


def outline_mask(
    outline_px: list[tuple[float, float]], shape_yx: tuple[int, int], *, step: float = 1.0
) -> Mask:
    """Inside of an outline, such as ``Section.tissue_px``, on a picture that many times smaller.

    Parameters
    ----------
    outline_px : list of tuple of float
        (x, y) in px of the section; empty gives an empty mask.
    shape_yx : tuple of int
        Rows and columns of the mask.
    step : float
        Pixels of the section per pixel of the mask.
    """
    if not outline_px:
        return np.zeros(shape_yx, np.bool_)
    corners = corners_of_centres(np.array(outline_px)) / step
    return filled([centres_of_corners(corners)], shape_yx)


def _draw_pen(canvas: _Canvas, kind: ArtefactKind) -> Drawing:
    """A marker's stroke across the edge of the tissue: dense, smooth, with streaks along and a dark rim."""
    rng = canvas.rng
    margin = canvas.tissue & (canvas.soften(canvas.tissue.astype(np.float32), 60) < 0.9)
    middle = canvas.spot(margin, 0.3)
    length = float(rng.uniform(0.5, 0.7)) * min(canvas.shape_yx) * canvas.mpp_um
    cover, core = canvas.stroke(middle, float(rng.uniform(0, np.pi)), length, float(rng.uniform(250, 450)))
    mask = cover > 0.5
    cover, core = canvas.soften(cover, 12), canvas.soften(core, 30)
    ink = cover * (1 - np.float32(0.15) * core + np.float32(0.06) * canvas.cloud(60))
    return canvas.od + ink[..., None] * np.asarray(_INK_OD[kind], np.float32), mask


def _draw_fold(canvas: _Canvas) -> Drawing:
    """A Z-fold: three layers of tissue instead of one, the upper two taken from nearby, out of focus."""
    rng = canvas.rng
    middle = canvas.spot(canvas.tissue, 0.45)
    angle = float(rng.uniform(0, np.pi))
    cover, _ = canvas.stroke(middle, angle, float(rng.uniform(700, 1100)), float(rng.uniform(60, 110)))
    mask = (cover > 0.5) & canvas.tissue
    cover = canvas.soften(cover, 4) * canvas.tissue
    layers = np.zeros_like(canvas.od)
    for side in (-1, 1):
        shift = np.rint(side * 130 / canvas.mpp_um * np.array([np.cos(angle), np.sin(angle)])).astype(int)
        layers += np.roll(canvas.od, (shift[1], shift[0]), axis=(0, 1))
    return canvas.od + cover[..., None] * canvas.soften(np.maximum(layers, 0), 2), mask


def _draw_bubble(canvas: _Canvas) -> Drawing:
    """The rim of an air bubble on the glass: a thin dark ring, brighter just inside."""
    rng = canvas.rng
    middle = canvas.spot(~canvas.tissue, 0.6)
    room = depth_px(~canvas.tissue)
    x, y = middle.astype(int)
    radius_um = min(float(rng.uniform(250, 500)), 0.8 * float(room[y, x]) * canvas.mpp_um)
    yy, xx = np.indices(canvas.shape_yx, dtype=np.float32)
    away = np.hypot(xx - middle[0], yy - middle[1]) * canvas.mpp_um - radius_um
    width_um = max(float(rng.uniform(12, 20)), canvas.mpp_um)
    rim = np.exp(-((away / width_um) ** 2)) - np.float32(0.1) * np.exp(-((away / width_um + 2) ** 2))
    rim = rim.astype(np.float32)
    return canvas.od + np.float32(rng.uniform(0.35, 0.6)) * rim[..., None] * _GREY_OD, np.asarray(
        np.abs(away) < width_um
    )


def _draw_coverslip_edge(canvas: _Canvas) -> Drawing:
    """A straight line beside the tissue from one side of the picture to the other, with a faint double."""
    rng = canvas.rng
    height, width = canvas.shape_yx
    columns = np.flatnonzero(canvas.tissue.any(axis=0))
    room = int(columns[0]) if len(columns) else width
    if room < 4:
        raise ValueError("there is no room for the coverslip's edge left of the tissue")
    x = float(rng.uniform(0.3, 0.6)) * room
    lean = float(rng.uniform(-0.15, 0.15)) * room
    line, double = np.zeros((2, height, width), np.float32)
    thick = max(1, round(float(rng.uniform(18, 30)) / canvas.mpp_um))
    for plane, dx, t in ((line, 0.0, thick), (double, 60 / canvas.mpp_um, max(1, thick // 2))):
        ends = [(round((x + dx - lean) * 16), 0), (round((x + dx + lean) * 16), height * 16)]
        cv2.line(plane, ends[0], ends[1], 1.0, t, cv2.LINE_8, 4)
    strength = np.float32(0.4) * (1 + np.float32(0.2) * canvas.cloud(300))
    both = canvas.soften(line, 4) * strength + canvas.soften(double, 4) * strength * np.float32(0.4)
    return canvas.od + both[..., None] * _GREY_OD, line > 0.5


def _draw_dust(canvas: _Canvas) -> Drawing:
    """Grey specks and a few fibres on the glass."""
    rng = canvas.rng
    plane = np.zeros(canvas.shape_yx, np.float32)
    for _ in range(25):
        x, y = canvas.spot(~canvas.tissue, 0.15)
        axes = np.maximum(np.rint(rng.uniform(6, 35, 2) / canvas.mpp_um), 1).astype(int)
        at = (int(x), int(y))
        od = float(rng.uniform(0.3, 1.0))
        cv2.ellipse(plane, at, (int(axes[0]), int(axes[1])), float(rng.uniform(0, 180)), 0, 360, od, -1)
    for _ in range(3):
        fibre, _ = canvas.stroke(canvas.spot(~canvas.tissue, 0.5), float(rng.uniform(0, np.pi)), 300, 12)
        plane = np.maximum(plane, np.float32(0.5) * fibre)
    plane[canvas.tissue] = 0
    return canvas.od + canvas.soften(plane, 3)[..., None] * _GREY_OD, plane > 0


def _draw_label_shadow(canvas: _Canvas) -> Drawing:
    """The label's shadow along one side of the picture: grey, smooth, fading inwards."""
    rng = canvas.rng
    height, width = canvas.shape_yx
    columns = np.flatnonzero(canvas.tissue.any(axis=0))
    room = width - 1 - int(columns[-1]) if len(columns) else width
    if room < 4:
        raise ValueError("there is no room for the label's shadow right of the tissue")
    reach = float(rng.uniform(0.6, 0.9)) * room
    inward = (width - 1 - np.arange(width, dtype=np.float32)) / np.float32(reach)
    profile = np.clip(1.15 - inward, 0, 1) * np.float32(rng.uniform(0.12, 0.2))
    shadow = np.broadcast_to(profile, (height, width)).astype(np.float32)
    return canvas.od + shadow[..., None] * _GREY_OD, shadow > 0.05


def _draw_out_of_focus(canvas: _Canvas) -> Drawing:
    """A patch where the tissue does not lie in the plane of focus: light blurred by 4 µm."""
    mask, cover = _patch(canvas, (350.0, 550.0))
    light = canvas.soften(np.float32(10) ** -canvas.od, 4.0)
    blurred = -np.log10(np.maximum(light, 1e-3))
    return np.asarray(canvas.od + cover[..., None] * (blurred - canvas.od), np.float32), mask


def _draw_pale(canvas: _Canvas) -> Drawing:
    """Dead tissue: its nuclei faded to ghosts, what remains pale and even."""
    mask, cover = _patch(canvas, (250.0, 450.0))
    ghost = np.float32(0.45) * canvas.soften(canvas.od, 12) + np.float32(0.06) * canvas.od
    return np.asarray(canvas.od + cover[..., None] * (ghost - canvas.od), np.float32), mask


def _patch(canvas: _Canvas, radius_um: tuple[float, float]) -> tuple[Mask, Plane]:
    """A rounded patch well inside the tissue: its mask and a soft cover."""
    rng = canvas.rng
    middle = canvas.spot(canvas.tissue, 0.5)
    yy, xx = np.indices(canvas.shape_yx, dtype=np.float32)
    radii = rng.uniform(*radius_um, 2) / canvas.mpp_um
    inside = 1 - np.hypot((xx - middle[0]) / radii[0], (yy - middle[1]) / radii[1])
    mask = (inside + np.float32(0.12) * canvas.cloud(100) > 0) & canvas.tissue
    return mask, canvas.soften(mask.astype(np.float32), 12)


_DRAWERS: dict[ArtefactKind, Callable[[_Canvas], Drawing]] = {
    ArtefactKind.FOLD: _draw_fold,
    ArtefactKind.BUBBLE: _draw_bubble,
    ArtefactKind.COVERSLIP_EDGE: _draw_coverslip_edge,
    ArtefactKind.DUST: _draw_dust,
    ArtefactKind.LABEL_SHADOW: _draw_label_shadow,
    ArtefactKind.OUT_OF_FOCUS: _draw_out_of_focus,
    ArtefactKind.PALE: _draw_pale,
}
