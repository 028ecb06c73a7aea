"""How positive cells lie to each other, in the tissue as it is: nearest neighbours and Ripley's L.

Edges and holes of the tissue are corrected, and what chance alone would give is simulated in the same tissue.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.fft import irfft2, next_fast_len, rfft2
from scipy.ndimage import distance_transform_edt
from scipy.spatial import cKDTree

from ihcscore.geometry.square import corners_of_centres
from ihcscore.score.maps import Points, TissueGrid

NEAREST, RIPLEY, CROSS = "G", "L - r", "cross L - r"

Curve = NDArray[np.float64]
# Below so many cells a curve is a few steps.
_FEWEST = 20


@dataclass(frozen=True, kw_only=True)
class SpatialSettings:
    """How far and how well it is looked.

    Attributes
    ----------
    reach_um : float
        Largest distance: a dozen lymphocytes.
    step_um : float
    n_simulations : int
        The 95 % envelope needs 19 at least; 199 give its end to about 1 %.
    most_cells : int
        Of more cells a random part is taken, which alters neither K nor L (independent thinning); G is then
        that of the part, as its simulations are.
    seed : int
    """

    reach_um: float = 100.0
    step_um: float = 5.0
    n_simulations: int = 199
    most_cells: int = 2000
    seed: int = 0

    @property
    def radii_um(self) -> Curve:
        """The distances."""
        return np.asarray(np.arange(1, round(self.reach_um / self.step_um) + 1) * self.step_um, float)


@dataclass(frozen=True, kw_only=True)
class Window:
    """The tissue as spatial statistics need it.

    Attributes
    ----------
    tissue : TissueGrid
    pixels_yx : ndarray of int, shape (n, 2)
        Rows and columns of the tissue's pixels.
    overlap_um2 : ndarray of float, shape (2 k + 1, 2 k + 1)
        Area that the tissue shares with itself moved by so many pixels down and right: its set covariance.
    to_edge_um : ndarray of float, shape (height, width)
        How far each pixel's centre lies from where the tissue ends.
    """

    tissue: TissueGrid
    pixels_yx: NDArray[np.intp] = field(repr=False)
    overlap_um2: Curve = field(repr=False)
    to_edge_um: Curve = field(repr=False)

    @classmethod
    def of(cls, tissue: TissueGrid, *, reach_um: float) -> Window:
        """The window of a tissue, for distances up to `reach_um`."""
        mask, k = tissue.mask, math.ceil(reach_um / tissue.mpp_um) + 1
        shape = [next_fast_len(size + k, real=True) for size in mask.shape]
        spectrum = rfft2(mask.astype(float), shape)
        whole = irfft2(np.abs(spectrum) ** 2, shape)
        at = np.arange(-k, k + 1)
        overlap = np.rint(whole[np.ix_(at, at)]) * tissue.mpp_um**2
        edge = distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
        return cls(
            tissue=tissue,
            pixels_yx=np.argwhere(mask),
            overlap_um2=overlap,
            to_edge_um=np.maximum(np.asarray(edge, float) - 0.5, 0) * tissue.mpp_um,
        )

    @property
    def area_um2(self) -> float:
        """Area of the tissue."""
        return len(self.pixels_yx) * self.tissue.mpp_um**2

    def points_um(self, xy_px: Points) -> Points:
        """Cells in µm from the slide's corner; those off the tissue are left out."""
        on = self.tissue.mask[self.tissue.pixels_of(xy_px)]
        return np.asarray(corners_of_centres(xy_px[on]) * (self.tissue.mpp_um / self.tissue.downsample))

    def scattered(self, n: int, rng: np.random.Generator) -> Points:
        """Points that lie anywhere on the tissue, independently of each other, µm."""
        at = self.pixels_yx[rng.integers(0, len(self.pixels_yx), n)][:, ::-1]
        return np.asarray((at + rng.random((n, 2))) * self.tissue.mpp_um)

    def shared_um2(self, shift_um: Points) -> Curve:
        """Area that the tissue shares with itself, moved; exact, for a mask's set covariance is bilinear."""
        k = self.overlap_um2.shape[0] // 2
        x, y = (shift_um / self.tissue.mpp_um + k).T
        column, row = x.astype(np.intp), y.astype(np.intp)
        right, down = x - column, y - row
        table = self.overlap_um2
        upper = table[row, column] * (1 - right) + table[row, column + 1] * right
        lower = table[row + 1, column] * (1 - right) + table[row + 1, column + 1] * right
        return np.asarray(upper * (1 - down) + lower * down)

    def edge_um(self, points_um: Points) -> Curve:
        """How far points lie from where the tissue ends."""
        columns, rows = (points_um / self.tissue.mpp_um).astype(np.intp).T
        height, width = self.to_edge_um.shape
        return np.asarray(self.to_edge_um[np.minimum(rows, height - 1), np.minimum(columns, width - 1)])


def ripley_l(points_um: Points, window: Window, radii_um: Curve) -> Curve:
    """Ripley's L(r) - r in µm, 0 for complete spatial randomness.

    Each pair is weighted by the area that the tissue shares with itself moved by the pair's own distance
    vector: translation correction (Ohser 1983), which holds for tissue of any shape with any holes.

    Parameters
    ----------
    points_um : ndarray of float, shape (n, 2)
    window : Window
    radii_um : ndarray of float, shape (k,)
    """
    n = len(points_um)
    pairs = cKDTree(points_um).query_pairs(float(radii_um[-1]), output_type="ndarray")
    weight = 2 * window.area_um2**2 / (n * (n - 1))
    return _l_of(points_um[pairs[:, 1]] - points_um[pairs[:, 0]], weight, window, radii_um)


def cross_l(points_um: Points, others_um: Points, window: Window, radii_um: Curve) -> Curve:
    """Cross-type L(r) - r in µm: others about points; 0 where they lie independently of each other."""
    near = cKDTree(points_um).sparse_distance_matrix(
        cKDTree(others_um), float(radii_um[-1]), output_type="coo_matrix"
    )
    weight = window.area_um2**2 / (len(points_um) * len(others_um))
    return _l_of(others_um[near.col] - points_um[near.row], weight, window, radii_um)


def _l_of(shifts_um: Points, weight: float, window: Window, radii_um: Curve) -> Curve:
    distance = np.hypot(*shifts_um.T)
    shared = window.shared_um2(shifts_um)
    known = shared > 0
    at = np.searchsorted(radii_um, distance[known], side="left")
    each = np.bincount(at, weights=weight / shared[known], minlength=len(radii_um))[: len(radii_um)]
    return np.asarray(np.sqrt(np.cumsum(each) / np.pi) - radii_um)


def nearest_g(points_um: Points, window: Window, radii_um: Curve) -> Curve:
    """Share of cells whose nearest neighbour lies within r, 0 to 1.

    A cell nearer to the tissue's edge than to its neighbour is censored at the edge: Kaplan and Meier's
    estimator (Baddeley and Gill 1997, doi 10.1214/aos/1034276629).
    """
    nearest = np.asarray(cKDTree(points_um).query(points_um, k=2)[0])[:, 1]
    edge = window.edge_um(points_um)
    seen, died = np.minimum(nearest, edge), nearest <= edge
    order = np.argsort(seen, kind="stable")
    at_risk = len(points_um) - np.searchsorted(seen[order], seen[order], side="left")
    left = np.cumprod(np.where(died[order], 1 - 1 / np.maximum(at_risk, 1), 1.0))
    steps = np.searchsorted(seen[order], radii_um, side="right")
    return np.asarray(1 - np.concatenate([[1.0], left])[steps])


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """A curve among those of simulations.

    Attributes
    ----------
    expected, low, high : ndarray of float, shape (k,)
        Mean of the simulations, and the envelope that holds a whole curve in 95 %.
    p : float
    """

    expected: Curve
    low: Curve
    high: Curve
    p: float


def envelope(observed: Curve, simulated: Curve) -> Envelope:
    """The 95 % envelope of whole curves, and the P value of the one that was seen.

    The largest deviation from the mean in standard deviations, over all distances, is compared between the
    curve and its simulations, all of which enter mean and standard deviation: an exact Monte Carlo test
    (Myllymäki et al. 2017, doi 10.1111/rssb.12172, section 4, studentised).

    Parameters
    ----------
    observed : ndarray of float, shape (k,)
    simulated : ndarray of float, shape (n, k)
    """
    every = np.vstack([observed, simulated])
    middle, sd = every.mean(axis=0), every.std(axis=0, ddof=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        away = np.where(sd > 0, np.abs(every - middle) / sd, 0.0).max(axis=1)
    beyond = math.floor(0.05 * len(every) + 1e-9)
    reach = float(np.sort(away)[::-1][beyond])
    return Envelope(
        expected=middle, low=middle - reach * sd, high=middle + reach * sd,
        p=float((away >= away[0]).mean()),
    )  # fmt: skip


def spatial_statistics(
    positive_xy_px: Points, tissue: TissueGrid, *, settings: SpatialSettings
) -> pd.DataFrame:
    """Nearest neighbours and Ripley's L of positive cells, with envelopes by simulation in the same tissue.

    Parameters
    ----------
    positive_xy_px : ndarray of float, shape (n, 2)
        Level-0 pixels.
    tissue : TissueGrid
    settings : SpatialSettings

    Returns
    -------
    DataFrame
        statistic, r_um, value, expected, low95, high95, n_cells, n_simulations, p; empty below twenty cells.
    """
    window = Window.of(tissue, reach_um=settings.reach_um) if tissue.mask.any() else None
    rng = np.random.default_rng([settings.seed, 0x5BA7])
    points = (
        np.empty((0, 2))
        if window is None
        else _some(window.points_um(positive_xy_px), settings.most_cells, rng)
    )
    if window is None or len(points) < _FEWEST:
        return _rows("", np.empty(0), np.empty(0), np.empty((0, 0)), 0)
    simulated = [window.scattered(len(points), rng) for _ in range(settings.n_simulations)]
    tables = []
    kinds: tuple[tuple[str, Callable[[Points, Window, Curve], Curve]], ...] = (
        (NEAREST, nearest_g),
        (RIPLEY, ripley_l),
    )
    for name, curve in kinds:
        radii = settings.radii_um
        curves = np.array([curve(one, window, radii) for one in simulated])
        tables.append(_rows(name, radii, curve(points, window, radii), curves, len(points)))
    return pd.concat(tables, ignore_index=True)


def cross_statistics(
    positive_xy_px: Points, others_um: Points, tissue: TissueGrid, *, settings: SpatialSettings
) -> pd.DataFrame:
    """Cross-type L of another marker's cells about this one's, as :func:`spatial_statistics` gives it.

    The others are scattered anew on the tissue that both sections share, this slide's cells stay.

    Parameters
    ----------
    positive_xy_px : ndarray of float, shape (n, 2)
        Level-0 pixels.
    others_um : ndarray of float, shape (m, 2)
        The other marker's positive cells, carried to this slide, µm from its corner.
    tissue : TissueGrid
        What counts on both.
    settings : SpatialSettings
        `reach_um` far above the registration's error.
    """
    window = Window.of(tissue, reach_um=settings.reach_um)
    rng = np.random.default_rng([settings.seed, 0xC505])
    points = _some(window.points_um(positive_xy_px), settings.most_cells, rng)
    others = _some(
        window.points_um(others_um / tissue.mpp_um * tissue.downsample - 0.5), settings.most_cells, rng
    )
    if min(len(points), len(others)) < _FEWEST:
        return _rows("", np.empty(0), np.empty(0), np.empty((0, 0)), 0)
    radii = settings.radii_um
    curves = np.array(
        [
            cross_l(points, window.scattered(len(others), rng), window, radii)
            for _ in range(settings.n_simulations)
        ]
    )
    return _rows(CROSS, radii, cross_l(points, others, window, radii), curves, len(points))


def _some(points: Points, most: int, rng: np.random.Generator) -> Points:
    if len(points) <= most:
        return points
    return points[np.sort(rng.choice(len(points), most, replace=False))]


def _rows(name: str, radii: Curve, seen: Curve, curves: Curve, n_cells: int) -> pd.DataFrame:
    around = envelope(seen, curves) if len(radii) else Envelope(expected=radii, low=radii, high=radii, p=1.0)
    return pd.DataFrame(
        {
            "statistic": np.full(len(radii), name, object),
            "r_um": radii,
            "value": seen,
            "expected": around.expected,
            "low95": around.low,
            "high95": around.high,
            "n_cells": np.full(len(radii), n_cells, int),
            "n_simulations": np.full(len(radii), len(curves), int),
            "p": np.full(len(radii), around.p),
        }
    )
