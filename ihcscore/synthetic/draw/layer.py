"""What lies on a picture beside stained cells, as optical density in R, G and B: granules, blobs, arcs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ihcscore.planes import Plane, blurred
from ihcscore.synthetic.draw.layout import Points
from ihcscore.synthetic.draw.texture import wrapped

Rgb = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Granules:
    """Small hard-edged ellipses.

    Attributes
    ----------
    centres_um : ndarray, shape (n, 2)
    half_um : ndarray, shape (n, 2)
        Half axes, along and across.
    angles : ndarray, shape (n,)
        Direction of the long axis, radians.
    levels_od : ndarray, shape (n,)
        Optical density in the middle, along the unit vector of their colour.
    """

    centres_um: Points
    half_um: NDArray[np.float64]
    angles: NDArray[np.float64]
    levels_od: NDArray[np.float64]

    @classmethod
    def discs(cls, centres_um: Points, radii_um: NDArray[np.float64], levels_od: ArrayLike) -> Granules:
        """Round ones."""
        n = len(centres_um)
        return cls(
            centres_um=centres_um,
            half_um=np.column_stack([radii_um, radii_um]),
            angles=np.zeros(n),
            levels_od=np.broadcast_to(np.asarray(levels_od, np.float64), (n,)),
        )


@dataclass(frozen=True, kw_only=True)
class Blob:
    """A soft roundish body.

    Attributes
    ----------
    centre_um, half_um : tuple of float
        Middle and half axes.
    angle : float
        Direction of the first axis, radians.
    edge_um : float
        Width of the edge.
    rough_um : float
        How far the outline wavers.
    mottle : float
        Relative unevenness of the inside.
    hollow : float
        How much paler the middle is, 0 to 1.
    grain_um : float
        Coarseness of outline and mottle: standard deviation of a blur of the layer's texture; 0 for none.
    """

    centre_um: tuple[float, float]
    half_um: tuple[float, float]
    angle: float = 0.0
    edge_um: float = 0.7
    rough_um: float = 0.8
    mottle: float = 0.4
    hollow: float = 0.0
    grain_um: float = 0.0


class Layer:
    """Optical density on top of the stains.

    Parameters
    ----------
    size_xy_px : tuple of int
        Width and height of the picture.
    halo_px : int
        Pixels beyond the picture's edges that are drawn too.
    mpp_um : float
    texture : ndarray of float32, shape (n, n)
        Noise of mean 0 and standard deviation 1 that makes bodies uneven; repeats.
    """

    def __init__(self, size_xy_px: tuple[int, int], halo_px: int, mpp_um: float, texture: Plane) -> None:
        width, height = size_xy_px
        self.od = np.zeros((height + 2 * halo_px, width + 2 * halo_px, 3), np.float32)
        self.halo_px, self.mpp_um, self.texture = halo_px, mpp_um, texture

    def block(self, left: int, top: int, shape_yx: tuple[int, int]) -> Plane:
        """The part from pixel (left, top) of the picture on, with the halo; shape (h, w, 3)."""
        return self.od[top : top + shape_yx[0], left : left + shape_yx[1]]

    def granules(self, granules: Granules, od_rgb: Rgb) -> None:
        """Add granules of one colour (unit vector of R, G, B); where they overlap they add up."""
        at = granules.centres_um / self.mpp_um + self.halo_px
        half = np.maximum(granules.half_um, 1e-3)
        reach = int(np.ceil(half.max(initial=0) / self.mpp_um)) + 1
        whole = np.rint(at).astype(np.int64)
        steps = np.arange(-reach, reach + 1)
        columns, rows = whole[:, :1] + steps, whole[:, 1:] + steps
        x = ((columns - at[:, :1]) * self.mpp_um)[:, None, :]
        y = ((rows - at[:, 1:]) * self.mpp_um)[:, :, None]
        cos, sin = (f(granules.angles)[:, None, None] for f in (np.cos, np.sin))
        long, short = half[:, 0, None, None], half[:, 1, None, None]
        away = np.hypot((x * cos + y * sin) / long, (y * cos - x * sin) / short)
        # a pixel on the edge is covered in part
        cover = np.clip((1 - away) * short / self.mpp_um + 0.5, 0, 1)
        height, width = self.od.shape[:2]
        on = ((rows >= 0) & (rows < height))[:, :, None] & ((columns >= 0) & (columns < width))[:, None, :]
        on &= cover > 0
        index = np.broadcast_to(rows[:, :, None] * width + columns[:, None, :], on.shape)[on]
        level = (cover * granules.levels_od[:, None, None])[on]
        sum_od = np.bincount(index, weights=level, minlength=height * width).reshape(height, width)
        self.od += (sum_od[..., None] * od_rgb).astype(np.float32)

    def blob(self, blob: Blob, od_rgb: Rgb, rng: np.random.Generator) -> None:
        """Add a body; `od_rgb` is its optical density inside."""
        reach_um = max(blob.half_um) + 3 * blob.edge_um + 3 * blob.rough_um
        x, y, window = self._window(blob.centre_um, reach_um)
        if window is None:
            return
        cos, sin = np.cos(blob.angle), np.sin(blob.angle)
        u, v = (x * cos + y * sin) / blob.half_um[0], (y * cos - x * sin) / blob.half_um[1]
        top, left = (int(n) for n in rng.integers(0, self.texture.shape[0], 2))
        grain = wrapped(self.texture, left, top, (y.shape[0], x.shape[1]))
        if blob.grain_um > 0:
            grain = blurred(grain, blob.grain_um / self.mpp_um)
            grain /= max(float(grain.std()), 1e-3)
        depth = (1 - np.hypot(u, v)) * min(blob.half_um)
        inside = 0.5 + 0.5 * np.tanh((depth + blob.rough_um * grain) / blob.edge_um)
        middle = 1 - blob.hollow * np.exp(-((np.hypot(u, v) / 0.5) ** 2))
        cover = inside * middle * np.maximum(1 + blob.mottle * grain, 0.05)
        self.od[window] += (cover[..., None] * od_rgb).astype(np.float32)

    def arc(
        self, centre_um: tuple[float, float], radius_um: float, width_um: float, share: float, od_rgb: Rgb,
        rng: np.random.Generator,
    ) -> None:  # fmt: skip
        """Add part of a wavy ring: `share` of its round, fading at the ends."""
        x, y, window = self._window(centre_um, 1.3 * radius_um + 3 * width_um)
        if window is None:
            return
        theta = np.arctan2(y, x) - rng.uniform(-np.pi, np.pi)
        phase = rng.uniform(0, 2 * np.pi, 3)
        wave = sum(np.cos(k * theta + p) for k, p in zip((2, 3, 5), phase, strict=True))
        off = np.hypot(x, y) - radius_um * (1 + 0.06 * wave)
        turned = np.abs(np.angle(np.exp(1j * theta))) / np.pi
        ends = np.clip((share - turned) * 6, 0, 1)
        top, left = (int(n) for n in rng.integers(0, self.texture.shape[0], 2))
        grain = wrapped(self.texture, left, top, off.shape)
        cover = np.exp(-((off / width_um) ** 2)) * ends * np.maximum(1 + 0.35 * grain, 0)
        self.od[window] += (cover[..., None] * od_rgb).astype(np.float32)

    def _window(
        self, centre_um: tuple[float, float], reach_um: float
    ) -> tuple[Plane, Plane, tuple[slice, slice] | None]:
        """X (1, w) and y (h, 1) in µm from a centre, and where that lies; None where it is off the layer."""
        at = np.asarray(centre_um) / self.mpp_um + self.halo_px
        low = np.maximum(np.floor(at - reach_um / self.mpp_um), 0).astype(int)
        size = np.array(self.od.shape[1::-1])
        high = np.minimum(np.ceil(at + reach_um / self.mpp_um) + 1, size).astype(int)
        x = ((np.arange(low[0], high[0]) - at[0]) * self.mpp_um).astype(np.float32)[None, :]
        y = ((np.arange(low[1], high[1]) - at[1]) * self.mpp_um).astype(np.float32)[:, None]
        if x.size == 0 or y.size == 0:
            return x, y, None
        return x, y, (slice(low[1], high[1]), slice(low[0], high[0]))
