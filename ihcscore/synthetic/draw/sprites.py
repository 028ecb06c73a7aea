"""Single cells and clumps of pigment as small additive pictures of optical density.

A sprite has the shape (side, side, 3): haematoxylin, DAB and melanin, its centre on the middle pixel.
Sizes and looks follow what pathology texts give for lymphocytes (nucleus 5-8 µm, cell 7-12 µm), tumour
cells of melanoma (large, pale, vesicular nuclei with nucleoli) and fibroblasts (spindle-shaped), drawn by
eye beside real sections.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from ihcscore.synthetic.draw.texture import smooth_noise, wrapped

_N_ANGLES = 16
_GRAIN_SIDE_PX = 256

Plane = NDArray[np.float32]


class CellKind(StrEnum):
    """What a drawn thing is."""

    LYMPHOCYTE = "lymphocyte"
    TUMOUR_CELL = "tumour cell"
    STROMAL_CELL = "stromal cell"
    MELANOPHAGE = "melanophage"
    DEBRIS = "debris"


class Strength(StrEnum):
    """How much DAB a positive cell holds; ``NONE`` for a negative cell."""

    NONE = ""
    WEAK = "weak"
    MIDDLE = "middle"
    STRONG = "strong"


_DAB_OD = {Strength.WEAK: (0.16, 0.36), Strength.MIDDLE: (0.45, 0.9), Strength.STRONG: (1.0, 1.9)}
"""DAB along its unit vector in a membrane, lowest and highest."""


@dataclass(frozen=True, kw_only=True)
class Sprite:
    """One drawn cell or clump.

    Attributes
    ----------
    od : ndarray of float32, shape (side, side, 3)
        Haematoxylin, DAB, melanin; side is odd. Negative where the cell stands in a cleft of the tissue.
    diameter_um : float
        Diameter of the circle of the cell's area (the nucleus's, where DAB would lie in the nucleus).
    """

    od: Plane
    diameter_um: float


@dataclass(frozen=True, kw_only=True)
class Look:
    """Which bank of sprites a cell is taken from."""

    kind: CellKind
    strength: Strength = Strength.NONE
    nuclear: bool = False
    ring: bool = False
    pigmented: bool = False
    dark: bool = False


class _Pen:
    """A small square drawing area in µm about its centre, with grain of the stain at hand."""

    def __init__(self, reach_um: float, mpp_um: float, grain: Plane, rng: np.random.Generator) -> None:
        self.mpp_um = mpp_um
        half = int(np.ceil(reach_um / mpp_um))
        axis = np.arange(-half, half + 1, dtype=np.float32) * np.float32(mpp_um)
        self.x, self.y = axis[None, :], axis[:, None]
        self.od = np.zeros((axis.size, axis.size, 3), dtype=np.float32)
        self.rng = rng
        left, top = rng.integers(0, grain.shape[0], 2)
        self.grain = wrapped(grain, int(left), int(top), (axis.size, axis.size))

    def outline(self, diameters_um: tuple[float, float], angle: float, rough: float) -> _Outline:
        """A closed, roughly elliptical outline about the centre.

        `rough` is the relative waviness; the waves get smaller as they get shorter.
        """
        order = np.arange(2, 9)
        waves = self.rng.standard_normal(order.size) * rough * (2 / order) ** 1.4
        phase = self.rng.uniform(0, 2 * np.pi, order.size)
        theta = np.linspace(-np.pi, np.pi, 181)
        radius = 1 + (waves[:, None] * np.cos(order[:, None] * theta + phase[:, None])).sum(axis=0)
        radius = np.clip(radius, 0.6, 1.5)
        return _Outline(
            half_um=(diameters_um[0] / 2, diameters_um[1] / 2), angle=angle, theta=theta, radius=radius
        )

    def depth(self, outline: _Outline, shift_um: tuple[float, float] = (0.0, 0.0)) -> tuple[Plane, Plane]:
        """About how far inside the outline each pixel lies (µm, negative outside), and its polar angle."""
        x, y = self.x - np.float32(shift_um[0]), self.y - np.float32(shift_um[1])
        cos, sin = np.float32(np.cos(outline.angle)), np.float32(np.sin(outline.angle))
        half_u, half_v = (np.float32(half) for half in outline.half_um)
        u, v = (x * cos + y * sin) / half_u, (y * cos - x * sin) / half_v
        theta = np.arctan2(v, u)
        radius = np.interp(theta, outline.theta, outline.radius).astype(np.float32)
        # to first order the distance to a curve f = 0 is f / |grad f|; the 0.001 keeps the centre finite
        away = np.hypot(u, v) + np.float32(1e-3)
        slope = (np.hypot(u / half_u, v / half_v) + np.float32(1e-3) / min(half_u, half_v)) / away
        return (radius - away) / slope, theta

    def spots(
        self,
        plane: int,
        centres_um: NDArray[np.float64],
        radii_um: NDArray[np.float64],
        od: NDArray[np.float64],
    ) -> None:
        """Add small soft discs to one plane."""
        for (cx, cy), radius, depth_od in zip(centres_um, radii_um, od, strict=True):
            # beyond 3.3 radii the disc is 0 in single precision
            columns = _near(self.x[0], cx, 3.3 * radius)
            rows = _near(self.y[:, 0], cy, 3.3 * radius)
            x, y = self.x[:, columns] - np.float32(cx), self.y[rows] - np.float32(cy)
            r2 = (x**2 + y**2) / np.float32(radius) ** 2
            self.od[rows, columns, plane] += np.float32(depth_od) * np.exp(-r2 * r2)

    def sprite(self, outline: _Outline) -> Sprite:
        return Sprite(od=self.od, diameter_um=outline.diameter_um)


def _near(axis: Plane, middle: float, reach: float) -> slice:
    """The part of a rising axis that lies within `reach` of `middle`."""
    first, last = np.searchsorted(axis, (middle - reach, middle + reach))
    return slice(int(first), int(last))


@dataclass(frozen=True, kw_only=True)
class _Outline:
    half_um: tuple[float, float]
    angle: float
    theta: NDArray[np.float64]
    radius: NDArray[np.float64]

    @property
    def diameter_um(self) -> float:
        mean_square = float(np.mean(self.radius[:-1] ** 2))
        return 2 * float(np.sqrt(self.half_um[0] * self.half_um[1] * mean_square))


def _inside(depth_um: Plane, edge_um: float) -> Plane:
    """1 inside, 0 outside, over an edge of the given width."""
    return np.asarray(0.5 + 0.5 * np.tanh(depth_um / np.float32(edge_um)), dtype=np.float32)


def _draw_nucleus(pen: _Pen, depth: Plane, level: float, rim: float, clumps: float) -> Plane:
    """Stain of a nucleus: chromatin of the given clumpiness and a darker membrane.

    A section is thicker than the depth of focus, and cuts some nuclei: edges are more or less soft,
    and one side is thinner than the other.
    """
    soft = float(pen.rng.choice([0.25, 0.45, 1.0], p=[0.5, 0.3, 0.2]))
    sharp = 0.25 / soft
    body = _inside(depth, soft) * (1 + np.float32(clumps * (0.4 + 0.6 * sharp)) * pen.grain)
    membrane = np.exp(-(((depth - 0.35) / np.float32(0.3 + soft * 0.6)) ** 2))
    slope = pen.rng.normal(0, 0.035, 2)
    thickness = 1 + np.float32(slope[0]) * pen.x + np.float32(slope[1]) * pen.y
    plane = np.float32(level) * thickness * (body + np.float32(rim * sharp) * membrane)
    return np.asarray(np.maximum(plane, 0), dtype=np.float32)


def _draw_lymphocyte(pen: _Pen, look: Look, angle: float) -> Sprite:
    rng = pen.rng
    nucleus_um = float(np.clip(rng.normal(6.3, 0.7), 5.0, 8.0))
    stretch = float(1 + rng.gamma(1.6, 0.14))
    nucleus = pen.outline((nucleus_um * stretch**0.5, nucleus_um / stretch**0.5), angle, 0.045)
    cell_um = float(np.clip(nucleus_um + rng.uniform(1.6, 4.0), 7.0, 12.0))
    cell = pen.outline((cell_um * stretch**0.5, cell_um / stretch**0.5), angle, 0.06)
    off = rng.normal(0, 0.14 * (cell_um - nucleus_um), 2)
    nucleus_depth, _ = pen.depth(nucleus, (float(off[0]), float(off[1])))
    level = float(rng.uniform(0.4, 0.85))
    if look.dark:  # shrunken chromatin, smooth and nearly black
        pen.od[..., 0] += _draw_nucleus(pen, nucleus_depth, float(rng.uniform(0.95, 1.9)), 0.05, 0.08)
    else:
        pen.od[..., 0] += _draw_nucleus(pen, nucleus_depth, level, 0.25, 0.24)
    depth, theta = pen.depth(cell)
    pen.od[..., 0] += np.float32(0.05) * _inside(depth, 0.5)
    _draw_cleft(pen, depth, theta)
    if look.strength is not Strength.NONE:
        _draw_membrane_dab(pen, look, depth, theta, _inside(nucleus_depth, 0.5))
    return pen.sprite(cell)


def _draw_cleft(pen: _Pen, depth: Plane, theta: Plane) -> None:
    """Tissue that shrank away from one side of the cell: less stain there than around."""
    rng = pen.rng
    if rng.random() < 0.45:
        side = np.clip(np.cos(theta - np.float32(rng.uniform(-np.pi, np.pi))) * 1.6 - 0.3, 0, 1)
        gap = np.exp(-(((depth + 0.9) / np.float32(rng.uniform(0.5, 1.0))) ** 2))
        pen.od[..., :2] -= (np.float32(0.12) * side * gap)[..., None]


def _draw_membrane_dab(pen: _Pen, look: Look, depth: Plane, theta: Plane, nucleus: Plane) -> None:
    """DAB on the membrane and in the cytoplasm, patchy, with a little of it smeared around."""
    rng = pen.rng
    level = rng.uniform(*_DAB_OD[look.strength])
    phase = rng.uniform(0, 2 * np.pi, 4)
    patches = sum(np.cos(k * theta + p) / k**0.5 for k, p in zip((1, 2, 3, 5), phase, strict=True))
    ring = np.exp(-(((depth - 0.4) / np.float32(rng.uniform(0.5, 0.95))) ** 2))
    ring = ring * np.maximum(1 + np.float32(rng.uniform(0.15, 0.4)) * patches, 0.15)
    cytoplasm = rng.uniform(0.2, 0.4) if look.ring else rng.uniform(0.55, 0.95)
    through = rng.uniform(0.5, 0.95)  # membrane over and under the nucleus is seen through it
    body = _inside(depth, 0.6) * np.float32(cytoplasm) * (1 - np.float32(1 - through) * nucleus)
    haze = np.exp(np.minimum(depth, 0) / np.float32(1.2)) * np.float32(rng.uniform(0.03, 0.16))
    grain = np.maximum(1 + np.float32(0.32) * pen.grain, 0.1)
    pen.od[..., 1] += np.float32(level) * grain * (np.maximum(ring + body, 0) + haze)
    n = int(rng.integers(3, 8)) if rng.random() < 0.25 else 0
    if n:  # torn membrane, to one side
        away = np.abs(rng.normal(0, 0.9, n)) + float(depth.max()) * 1.0
        around = rng.uniform(0, 2 * np.pi) + rng.normal(0, 0.5, n)
        centres = np.stack([away * np.cos(around), away * np.sin(around)], axis=1)
        pen.spots(1, centres, rng.uniform(0.3, 0.8, n), level * rng.uniform(0.1, 0.5, n))


def _draw_tumour_cell(pen: _Pen, look: Look, angle: float) -> Sprite:
    rng = pen.rng
    size_um = float(np.clip(rng.normal(11.0, 1.3), 9.0, 14.0))
    stretch = float(1 + rng.gamma(2.0, 0.16))
    nucleus = pen.outline((size_um * stretch**0.5, size_um / stretch**0.5), angle, 0.055)
    depth, _ = pen.depth(nucleus)
    level = float(np.clip(rng.normal(0.36, 0.11), 0.12, 0.65))
    stained = look.nuclear and look.strength is not Strength.NONE
    pen.od[..., 0] += _draw_nucleus(pen, depth, level * (0.5 if stained else 1.0), 0.45, 0.24)
    pen.od[..., 0] += np.float32(0.03) * _inside(depth + 2.0, 1.5)
    if stained:
        dab = rng.uniform(*_DAB_OD[look.strength])
        pen.od[..., 1] += _draw_nucleus(pen, depth, 0.75 * dab, 0.1, 0.18)
    n = int(rng.integers(0, 3))
    if n:
        centres = rng.normal(0, size_um * 0.13, (n, 2))
        pen.spots(1 if stained else 0, centres, rng.uniform(0.7, 1.2, n), rng.uniform(0.2, 0.45, n))
    if look.pigmented:
        n = int(rng.integers(20, 60))
        around = rng.uniform(0, 2 * np.pi, n)
        away = np.abs(rng.normal(0, 2.0, n)) + size_um * 0.42
        lean = rng.normal(0, 1.5, 2)  # the granules lie more to one side of the nucleus
        centres = np.stack([away * np.cos(around), away * np.sin(around)], axis=1) + lean
        radii = np.clip(rng.lognormal(-1.0, 0.4, n), 0.2, 0.9)
        pen.spots(2, centres, radii, radii * rng.uniform(0.6, 1.8, n))
    return pen.sprite(nucleus)


def _draw_stromal_cell(pen: _Pen, look: Look, angle: float) -> Sprite:
    rng = pen.rng
    length_um, width_um = float(rng.uniform(8, 18)), float(rng.uniform(2.6, 5.0))
    nucleus = pen.outline((length_um, width_um), angle, 0.06)
    depth, _ = pen.depth(nucleus)
    pen.od[..., 0] += _draw_nucleus(pen, depth, float(rng.uniform(0.25, 0.6)), 0.2, 0.22)
    return pen.sprite(nucleus)


def _draw_melanophage(pen: _Pen, look: Look, angle: float) -> Sprite:
    """A cell stuffed with granules of all sizes, in heaps, in a cytoplasm that is brown itself."""
    rng = pen.rng
    length_um, stretch = float(rng.uniform(10, 19)), float(rng.uniform(1.1, 2.2))
    body = pen.outline((length_um, length_um / stretch), angle, 0.13)
    depth, _ = pen.depth(body)
    smear = np.maximum(1 + np.float32(0.6) * pen.grain, 0)
    pen.od[..., 2] += np.float32(rng.uniform(0.12, 0.4)) * _inside(depth, 0.7) * smear
    n = int(length_um * length_um / stretch * rng.uniform(0.5, 1.1))
    heaps = rng.uniform(-0.7, 0.7, (4, 2))
    along = heaps[rng.integers(0, 4, n)] + rng.normal(0, 0.3, (n, 2))
    along /= np.maximum(np.hypot(along[:, 0], along[:, 1]), 1.0)[:, None]
    u, v = along[:, 0] * body.half_um[0], along[:, 1] * body.half_um[1]
    cos, sin = np.cos(angle), np.sin(angle)
    centres = np.stack([u * cos - v * sin, u * sin + v * cos], axis=1)
    radii = np.clip(rng.lognormal(-0.85, 0.45, n), 0.2, 1.2)
    pen.spots(2, centres, radii, radii * rng.uniform(0.4, 1.7, n))
    return pen.sprite(body)


def _draw_debris(pen: _Pen, look: Look, angle: float) -> Sprite:
    """Specks of DAB that are no cell."""
    rng = pen.rng
    n = int(rng.integers(1, 6))
    pen.spots(1, rng.normal(0, 1.4, (n, 2)), rng.uniform(0.35, 1.0, n), rng.uniform(0.2, 0.9, n))
    return pen.sprite(pen.outline((2.0, 2.0), angle, 0.0))


_DRAW: dict[CellKind, tuple[Callable[[_Pen, Look, float], Sprite], float]] = {
    CellKind.LYMPHOCYTE: (_draw_lymphocyte, 10.5),
    CellKind.TUMOUR_CELL: (_draw_tumour_cell, 14.0),
    CellKind.STROMAL_CELL: (_draw_stromal_cell, 14.0),
    CellKind.MELANOPHAGE: (_draw_melanophage, 15.0),
    CellKind.DEBRIS: (_draw_debris, 6.0),
}
"""How each kind is drawn, and how far from its centre it can reach in µm."""

REACH_UM = max(reach for _, reach in _DRAW.values())


@dataclass
class SpriteBank:
    """Sprites drawn when they are first asked for; the same seed and number give the same sprite.

    Attributes
    ----------
    mpp_um : float
        µm per pixel.
    seed : int
        Seed of all sprites.
    variants : int
        Shapes of each look and direction.
    """

    mpp_um: float
    seed: int
    variants: int
    _drawn: dict[tuple[Look, int], Sprite] = field(default_factory=dict, repr=False)
    _grain: dict[float, Plane] = field(default_factory=dict, repr=False)

    @property
    def size(self) -> int:
        """Sprites of each look; number n is drawn along direction ``n % 16``."""
        return self.variants * _N_ANGLES

    def numbers(self, angles: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int64]:
        """Numbers of random sprites that lie along the given angles (radians)."""
        direction = np.rint(np.asarray(angles) / np.pi * _N_ANGLES).astype(np.int64) % _N_ANGLES
        return rng.integers(0, self.variants, direction.size) * _N_ANGLES + direction

    def get(self, look: Look, number: int) -> Sprite:
        """Sprite `number` (0 to `size` - 1) of a look."""
        key = (look, number)
        if key not in self._drawn:
            self._drawn[key] = self._draw(look, number)
        return self._drawn[key]

    def _draw(self, look: Look, number: int) -> Sprite:
        kinds, strengths = list(CellKind), list(Strength)
        flags = look.nuclear + 2 * look.ring + 4 * look.pigmented + 8 * look.dark
        seed = [self.seed, kinds.index(look.kind), strengths.index(look.strength), flags, number]
        draw, reach_um = _DRAW[look.kind]
        pen = _Pen(reach_um, self.mpp_um, self._grain_of(0.45), np.random.default_rng(seed))
        return draw(pen, look, number % _N_ANGLES * np.pi / _N_ANGLES)

    def _grain_of(self, sigma_um: float) -> Plane:
        if sigma_um not in self._grain:
            rng = np.random.default_rng([self.seed, 0xC0])
            side = (_GRAIN_SIDE_PX, _GRAIN_SIDE_PX)
            self._grain[sigma_um] = smooth_noise(side, sigma_um / self.mpp_um, rng)
        return self._grain[sigma_um]
