"""The tissue under the cells: where it is, tumour or stroma, holes, and its faint stain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ihcscore.planes import Border, Plane, sampled, values_at
from ihcscore.synthetic.draw.layout import Extent, Points, crowd
from ihcscore.synthetic.draw.texture import Fibres, draw_cloud, draw_fibres, wrapped

_HOLE_ABOVE = 2.15
"""Standard deviations of the hole map from which there is a hole: about 1.6 % of the tissue."""

_SEPTUM_BELOW = 0.13
"""Nearness to zero of the nest map that makes a septum of stroma between nests of tumour cells."""

_DENSE_STAIN = 0.5
"""Relative rise of the faint stain where the tissue is densest; as much less where it is loosest."""


@dataclass(frozen=True, kw_only=True)
class TissueMap:
    """What is where, on a coarse grid that reaches beyond the picture.

    Attributes
    ----------
    step_um : float
        µm from one grid point to the next.
    origin_um : float
        Position of the first grid point, the same in x and y; negative, as the grid starts outside.
    tissue_um, tumour_um : ndarray of float32, shape (h, w)
        Signed distance to the edge of tissue and tumour, positive inside.
    hole, nest, mottle : ndarray of float32, shape (h, w)
        Noise of mean 0 and standard deviation 1: holes, nests of tumour cells, uneven staining.
    cellularity : ndarray of float32, shape (h, w), optional
        How dense the tissue is, -1 to 1. Without it, it is even.
    """

    step_um: float
    origin_um: float
    tissue_um: Plane
    tumour_um: Plane
    hole: Plane
    nest: Plane
    mottle: Plane
    cellularity: Plane | None = None

    def sample(self, plane: Plane, points_um: Points) -> NDArray[np.float64]:
        """Values of one of the maps at points in µm, linear between grid points."""
        grid = ((np.asarray(points_um) - self.origin_um) / self.step_um).astype(np.float32)
        if len(grid) == 0:
            return np.empty(0)
        # fewer rows than OpenCV takes at once
        parts = [
            values_at(plane, part[:, :1], part[:, 1:], border=Border.REPEATED)
            for part in np.array_split(grid, len(grid) // 30000 + 1)
        ]
        return np.concatenate(parts)[:, 0].astype(np.float64)

    def is_tissue(self, points_um: Points) -> NDArray[np.bool_]:
        """Which points lie on tissue, off its edge and holes by a cell's half width."""
        on = self.sample(self.tissue_um, points_um) > 6.0
        return np.asarray(on & (self.sample(self.hole, points_um) < _HOLE_ABOVE - 0.3))

    def is_tumour(self, points_um: Points) -> NDArray[np.bool_]:
        """Which points lie among tumour cells, not in stroma or a septum between nests."""
        within = self.sample(self.tumour_um, points_um) > 0
        return np.asarray(within & (np.abs(self.sample(self.nest, points_um)) > _SEPTUM_BELOW))

    def nuclei(
        self, extent: Extent, per_mm2: tuple[float, float], rng: np.random.Generator
    ) -> tuple[Points, Points]:
        """Crowded nuclei of tumour and of stroma, as many per mm² of either as `per_mm2` says; µm."""
        tumour, stroma = (crowd(density, extent, rng) for density in per_mm2)
        return self.sorted_nuclei(tumour, stroma)

    def sorted_nuclei(self, tumour: Points, stroma: Points) -> tuple[Points, Points]:
        """Those of both that lie where their kind belongs; µm."""
        tumour = tumour[self.is_tissue(tumour) & self.is_tumour(tumour)]
        return tumour, stroma[self.is_tissue(stroma) & ~self.is_tumour(stroma)]

    def block(
        self, name: str, left_um: float, top_um: float, mpp_um: float, shape_yx: tuple[int, int]
    ) -> Plane:
        """One of the maps, enlarged to the pixels of a block."""
        x = (np.arange(shape_yx[1]) * mpp_um + left_um - self.origin_um) / self.step_um
        y = (np.arange(shape_yx[0]) * mpp_um + top_um - self.origin_um) / self.step_um
        x0, y0 = int(np.floor(x[0])), int(np.floor(y[0]))
        part = getattr(self, name)[y0 : int(y[-1]) + 3, x0 : int(x[-1]) + 3]
        to_part = np.array([[mpp_um / self.step_um, 0, x[0] - x0], [0, mpp_um / self.step_um, y[0] - y0]])
        return sampled(part, to_part, shape_yx, border=Border.REPEATED)


@dataclass(frozen=True, kw_only=True)
class Backdrop:
    """Faint stain of the tissue between the cells.

    Attributes
    ----------
    tissue : TissueMap
        What is where.
    mpp_um : float
        µm per pixel.
    haze_od : float
        DAB of the tissue itself, along its unit vector.
    fibres : Fibres
        Collagen of the stroma; repeats.
    cloud : ndarray of float32, shape (n, n)
        Cytoplasm; mean 0, standard deviation 1; repeats.
    """

    tissue: TissueMap
    mpp_um: float
    haze_od: float
    fibres: Fibres
    cloud: Plane

    @classmethod
    def make(
        cls, tissue: TissueMap, mpp_um: float, haze_od: float, side_px: int, rng: np.random.Generator
    ) -> Backdrop:
        """Backdrop whose textures repeat every `side_px` pixels."""
        cloud = draw_cloud(side_px, mpp_um, rng)
        fibres = draw_fibres(side_px, mpp_um, rng)
        return cls(tissue=tissue, mpp_um=mpp_um, haze_od=haze_od, fibres=fibres, cloud=cloud)

    def fibre_angles(self, points_um: Points) -> NDArray[np.float64]:
        """Direction of the fibres at points in µm; radians."""
        side = self.fibres.angle.shape[0]
        x, y = (np.floor(np.asarray(points_um) / self.mpp_um).astype(np.int64) % side).T
        return np.asarray(self.fibres.angle[y, x], dtype=np.float64)

    def planes(self, left: int, top: int, shape_yx: tuple[int, int]) -> Plane | None:
        """Stain of a block at pixel (left, top); shape (h, w, 3); None where there is no tissue."""
        where = (left * self.mpp_um, top * self.mpp_um, self.mpp_um, shape_yx)
        tissue_um = self.tissue.block("tissue_um", *where)
        if float(tissue_um.max()) < -12:
            return None
        cloud = wrapped(self.cloud, left, top, shape_yx)
        fibre = wrapped(self.fibres.density, left, top, shape_yx)
        septum = np.abs(self.tissue.block("nest", *where)) - np.float32(_SEPTUM_BELOW)
        # the tumour's edge follows its cells, a few µm in and out
        in_tumour = self.tissue.block("tumour_um", *where) + 3 * cloud
        tumour = _step(np.minimum(in_tumour / np.float32(6), septum * np.float32(8)))
        solid = _step((tissue_um + 4 * cloud) / np.float32(3))
        solid *= _step(
            (np.float32(_HOLE_ABOVE) - self.tissue.block("hole", *where)) * np.float32(9) + 0.5 * cloud
        )
        solid *= 1 - (1 - tumour) * _step((fibre - np.float32(1.9)) * np.float32(2.2))
        mottle = 1 + np.float32(0.12) * self.tissue.block("mottle", *where)
        if self.tissue.cellularity is not None:
            mottle += np.float32(_DENSE_STAIN) * self.tissue.block("cellularity", *where)
        planes = np.zeros((*shape_yx, 3), dtype=np.float32)
        cytoplasm = tumour * (np.float32(0.085) + np.float32(0.022) * cloud)
        collagen = (1 - tumour) * (np.float32(0.058) + np.float32(0.024) * fibre + np.float32(0.008) * cloud)
        planes[..., 0] = solid * mottle * np.maximum(cytoplasm + collagen, 0)
        uneven = 1 + np.float32(0.25) * cloud + (1 - tumour) * (np.float32(0.3) + np.float32(0.2) * fibre)
        planes[..., 1] = np.float32(self.haze_od) * solid * mottle * np.maximum(uneven, 0)
        return planes


def _step(value: Plane) -> Plane:
    """0 below -0.5, 1 above 0.5, linear between."""
    return np.asarray(np.clip(value + np.float32(0.5), 0, 1), dtype=np.float32)
