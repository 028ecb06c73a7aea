"""The infiltration profile: density of positive cells by their distance to the tumour's outline."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from ihcscore.geometry.square import corners_of_centres
from ihcscore.score.blocks import band, block_draws, block_interval, block_sums
from ihcscore.score.maps import Points, TissueGrid

# The outline as points: a distance is too long by at most step² / (8 × distance), below 0.1 µm from 5 µm on.
_STEP_UM = 2.0
# An outline that is shorter than so many blocks has shorter ones.
_FEWEST_ALONG = 10

Numbers = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Outline:
    """A tumour's outline where tissue lies beyond it, as points that follow one another.

    Attributes
    ----------
    tumour : shapely geometry
        Level-0 pixels.
    points_um : ndarray of float, shape (n, 2)
        Along the outline, µm from the slide's corner.
    along_um : ndarray of float, shape (n,)
        How far along the outline each lies; pieces follow one another.
    mpp_um : float
        µm per level-0 pixel.
    """

    tumour: BaseGeometry = field(repr=False)
    points_um: Points = field(repr=False)
    along_um: Numbers = field(repr=False)
    mpp_um: float

    @classmethod
    def of(cls, tumour: BaseGeometry, line: BaseGeometry, *, mpp_um: float) -> Outline | None:
        """The outline of a tumour; None where no tissue lies beyond it.

        Parameters
        ----------
        tumour, line : shapely geometry
            The tumour and the parts of its outline from which distances are measured, level-0 pixels.
        mpp_um : float
        """
        merged = shapely.line_merge(line) if line.geom_type == "MultiLineString" else line
        points, along, start = [], [], 0.0
        for piece in shapely.get_parts(merged):
            if piece.geom_type not in ("LineString", "LinearRing") or piece.length == 0:
                continue
            length_um = piece.length * mpp_um
            at = np.linspace(0, piece.length, max(2, math.ceil(length_um / _STEP_UM) + 1))
            points.append(shapely.get_coordinates(shapely.line_interpolate_point(piece, at)) * mpp_um)
            along.append(start + at * mpp_um)
            start += length_um
        if not points:
            return None
        return cls(
            tumour=tumour, points_um=np.concatenate(points), along_um=np.concatenate(along), mpp_um=mpp_um
        )

    @property
    def length_um(self) -> float:
        """Length of all pieces."""
        return float(self.along_um[-1])

    def measured(self, xy_um: Points, *, reach_um: float = math.inf) -> tuple[Numbers, Numbers]:
        """Signed distance of points, and how far along the outline their nearest place on it lies.

        Parameters
        ----------
        xy_um : ndarray of float, shape (n, 2)
            µm from the slide's corner.
        reach_um : float
            What lies farther away is of no interest, and infinitely far.

        Returns
        -------
        distance_um : ndarray of float, shape (n,)
            Negative inside the tumour, as QuPath's signed distances are.
        along_um : ndarray of float, shape (n,)
        """
        from scipy.spatial import cKDTree

        distance, nearest = cKDTree(self.points_um).query(xy_um, distance_upper_bound=reach_um)
        distance, nearest = np.asarray(distance, float), np.asarray(nearest)
        shapely.prepare(self.tumour)
        inside = shapely.contains_xy(self.tumour, *(np.asarray(xy_um, float) / self.mpp_um).T)
        along = np.append(self.along_um, np.nan)[nearest]
        return np.where(inside, -distance, distance), along


@dataclass(frozen=True, kw_only=True)
class Rings:
    """Rings at distances from the outline.

    Attributes
    ----------
    ring_um : float
        Width of a ring.
    reach_um : float
        To which distance they go on both sides; a whole number of rings.
    block_um : float
        Length of the blocks along the outline.
    seed : int
        Of the draws.
    """

    ring_um: float = 50.0
    reach_um: float = 1000.0
    block_um: float = 500.0
    seed: int = 0

    @property
    def edges_um(self) -> Numbers:
        """Ends of the rings, from inside the tumour outwards; the outline lies between two rings."""
        n = max(1, math.ceil(self.reach_um / self.ring_um - 1e-9))
        return np.asarray(np.arange(-n, n + 1) * self.ring_um, float)


def infiltration_profile(
    positive_xy_px: Points, tissue: TissueGrid, outline: Outline, *, rings: Rings
) -> pd.DataFrame:
    """Positive cells per mm² of tissue in rings of signed distance to the tumour's outline.

    Cells are counted by their own distance, the tissue by that of its pixels' centres. Intervals come from
    blocks along the outline that are drawn again: cells of one block, which may lie in one cluster, come and
    go together.

    Parameters
    ----------
    positive_xy_px : ndarray of float, shape (n, 2)
        Positive cells on the tissue, level-0 pixels.
    tissue : TissueGrid
    outline : Outline
    rings : Rings

    Returns
    -------
    DataFrame
        from_um, to_um, tissue_mm2, n_positive, positive_per_mm2_tissue, ci95_low_per_mm2, ci95_high_per_mm2,
        band95_low_per_mm2, band95_high_per_mm2, n_blocks; a row a ring. A ring without tissue has no density.
    """
    edges = rings.edges_um
    n_blocks = max(_FEWEST_ALONG, round(outline.length_um / rings.block_um))
    reach = float(edges[-1]) + rings.ring_um
    cells = corners_of_centres(positive_xy_px) * outline.mpp_um
    pixels = tissue.centres_um(np.nonzero(tissue.mask))

    def sums(xy_um: Points, each: float, half_um: float) -> Numbers:
        distance, along = outline.measured(xy_um, reach_um=reach)
        held = np.isfinite(distance)
        near, far = (
            np.searchsorted(edges, distance[held] + shift, side="right") - 1 for shift in (-half_um, half_um)
        )
        # A pixel that an edge cuts is shared out between the two rings.
        beyond = np.zeros(len(near))
        cut = near < far
        beyond[cut] = (distance[held][cut] + half_um - edges[far[cut]]) / (2 * half_um)
        block = np.minimum(along[held] / outline.length_um * n_blocks, n_blocks - 1).astype(np.intp)
        total = np.zeros((len(edges) - 1) * n_blocks)
        for ring, share in ((near, 1 - beyond), (far, beyond)):
            inside = (ring >= 0) & (ring < len(edges) - 1)
            at = ring[inside] * n_blocks + block[inside]
            total += block_sums(each * share[inside], at, len(total))
        return total.reshape(-1, n_blocks)

    counts, areas = sums(cells, 1.0, 0.0), sums(pixels, tissue.pixel_mm2, tissue.mpp_um / 2)
    return _table(edges, counts, areas, seed=rings.seed)


def _table(edges: Numbers, counts: Numbers, areas: Numbers, *, seed: int) -> pd.DataFrame:
    """The profile from cells and mm² by ring and block."""
    n_positive, area = counts.sum(axis=1), areas.sum(axis=1)
    held = (areas > 0).sum(axis=1)
    draws = block_draws(counts, areas, seed=seed)
    with np.errstate(invalid="ignore", divide="ignore"):
        density = np.where(area > 0, n_positive / area, np.nan)
    ends = np.array(
        [
            block_interval(draws[:, at], count=int(n_positive[at]), area_mm2=area[at], n_blocks=int(held[at]))
            for at in range(len(area))
        ]
    )
    low, high = band(draws, density, ends[:, 0], ends[:, 1])
    return pd.DataFrame(
        {
            "from_um": edges[:-1],
            "to_um": edges[1:],
            "tissue_mm2": area,
            "n_positive": n_positive.astype(int),
            "positive_per_mm2_tissue": density,
            "ci95_low_per_mm2": ends[:, 0],
            "ci95_high_per_mm2": ends[:, 1],
            "band95_low_per_mm2": low,
            "band95_high_per_mm2": high,
            "n_blocks": held,
        }
    )
