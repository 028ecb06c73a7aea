"""The block of tissue that sections are cut from: outlines of tissue and tumour, holes and nests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from ihcscore.geometry.polygons import filled
from ihcscore.planes import Border, Plane, laid_on, values_at
from ihcscore.synthetic.draw.ground import TissueMap
from ihcscore.synthetic.draw.layout import Extent, Points, clear_of, crowd
from ihcscore.synthetic.draw.texture import smooth_noise
from ihcscore.synthetic.mounting import Mounting

if TYPE_CHECKING:
    import shapely

_STEP_UM = 4.0
_MARGIN_UM = 60.0
_N_VERTICES = 360
_MAP_TOLERANCE_UM = 0.01  # of a grid of 4 µm

_SHARED_NUCLEI = 0.55
"""Share of nuclei that the next section shows too: a nucleus is 8 to 14 µm high, a section 3 to 5."""
_SHARED_JITTER_UM = 1.0
_CLEAR_STEPS = 0.65
_MEAN_SHARE, _DENSE_SHARE = 0.6, 0.4
"""Share of the nuclei that tissue of middle density has, and how many more or fewer the extremes have."""
_CELLULARITY_UM = (15.0, 32.0)
"""Smoothing of the maps of dense and loose tissue: patches of 40 to 150 µm, in equal parts."""


@dataclass(frozen=True, kw_only=True)
class Anatomy:
    """A piece of tissue as it lies on the glass.

    Attributes
    ----------
    tissue : Polygon
        Outline of the tissue, µm from the centre of the picture's first pixel.
    tumour : Polygon or None
        Outline of the tumour, inside the tissue; None where there is none.
    size_um : tuple of float
        Width and height of the picture.
    seed : int
        Seed of all maps.
    mounting : Mounting
        From the block of tissue to the glass.
    serial : bool
        Whether dense and loose patches and part of the nuclei are the block's, shared by its sections.
    """

    tissue: shapely.Polygon
    tumour: shapely.Polygon | None
    size_um: tuple[float, float]
    seed: int
    mounting: Mounting
    serial: bool = False

    @classmethod
    def make(
        cls,
        *,
        size_um: tuple[float, float],
        across_um: tuple[float, float],
        seed: int,
        mounting: Mounting,
        serial: bool = False,
    ) -> Anatomy:
        """Anatomy of a seed, as it is mounted.

        `across_um` is about the diameter of tissue and of tumour; a tumour of 0 is none.
        """
        rng = np.random.default_rng([seed, 2])
        centre = np.array(size_um) / 2
        tissue = _blob(centre, across_um[0] / 2, 0.03, rng)
        tumour = _blob(centre + rng.normal(0, 0.02, 2) * across_um[0], across_um[1] / 2, 0.07, rng)
        return cls(
            tissue=_polygon(mounting.to_glass(tissue)),
            tumour=_polygon(mounting.to_glass(tumour)) if across_um[1] > 0 else None,
            size_um=size_um,
            seed=seed,
            mounting=mounting,
            serial=serial,
        )

    def torn(self, fraction: float, seed: int) -> Anatomy:
        """The anatomy without about that share of its tissue, torn off along a ragged line at one side.

        The tumour's outline stays whole, across what is missing. The seed is that of the side.
        """
        import shapely

        rng = np.random.default_rng([seed, 5])
        angle = rng.uniform(0, 2 * np.pi)
        away = np.array([np.cos(angle), np.sin(angle)])
        reach = float(np.hypot(*self.size_um))
        along = np.linspace(-reach, reach, 801)
        ragged = smooth_noise((1, along.size), (0.0, 12.0), rng)[0] * 0.012 * reach
        ragged += smooth_noise((1, along.size), (0.0, 2.0), rng)[0] * 0.003 * reach
        centre = np.array(self.tissue.centroid.coords[0])
        edge = centre + along[:, None] * np.array([-away[1], away[0]]) + ragged[:, None] * away
        near, far = -reach, reach
        for _ in range(30):
            middle = (near + far) / 2
            lost = shapely.Polygon(np.concatenate([edge, edge[::-1] + 2 * reach * away]) + middle * away)
            near, far = (
                (near, middle)
                if self.tissue.intersection(lost).area < fraction * self.tissue.area
                else (middle, far)
            )
        left = self.tissue.difference(lost)
        parts = left.geoms if hasattr(left, "geoms") else [left]
        return replace(self, tissue=max(parts, key=lambda part: part.area))

    def nuclei(
        self, tissue: TissueMap, per_mm2: tuple[float, float], rng: np.random.Generator
    ) -> tuple[Points, Points]:
        """Crowded nuclei of tumour and of stroma, some of them the block's; loose patches have fewer; µm."""
        block_rng = np.random.default_rng([self.seed, 6])
        tumour, stroma = (self._crowd(tissue, density, block_rng, rng) for density in per_mm2)
        return tissue.sorted_nuclei(tumour, stroma)

    def _crowd(
        self, tissue: TissueMap, per_mm2: float, block_rng: np.random.Generator, rng: np.random.Generator
    ) -> Points:
        """Points of the block, a little moved, and between them points of the section's own."""
        whole = Extent(left=0.0, top=0.0, right=self.size_um[0], bottom=self.size_um[1])
        block = crowd(per_mm2, whole, block_rng)
        block = block[block_rng.random(len(block)) < _SHARED_NUCLEI]
        block = self.mounting.to_glass(block)
        # A nucleus that is in the block is there in each section, so its chance is drawn with it.
        block = block[block_rng.random(len(block)) < _density_share(tissue, block)]
        block = block + rng.normal(0, _SHARED_JITTER_UM, block.shape)
        # The own crowds of two sections must not lie on one lattice.
        left, top, right, bottom = self.tissue.bounds
        begin_x, begin_y = rng.uniform(0, 40, 2)
        own = crowd(per_mm2, Extent(left=left - begin_x, top=top - begin_y, right=right, bottom=bottom), rng)
        own = own[rng.random(len(own)) < _density_share(tissue, own)]
        apart_um = _CLEAR_STEPS * 1000 * (2 / (3**0.5 * max(per_mm2, 1e-9))) ** 0.5
        return np.concatenate([block, own[clear_of(own, block, apart_um)]])

    def tissue_map(self) -> TissueMap:
        """Maps of the whole picture at 4 µm."""
        columns, rows = (int(np.ceil((side + 2 * _MARGIN_UM) / _STEP_UM)) + 4 for side in self.size_um)
        rng = np.random.default_rng([self.seed, 3])
        ragged = 5 * smooth_noise((rows, columns), 12 / _STEP_UM, rng)
        tumour = np.full((rows, columns), -1e4, dtype=np.float32)
        if self.tumour is not None:
            tumour = _signed_distance(self.tumour, (rows, columns))
        from_block = self._from_block((rows, columns))
        return TissueMap(
            step_um=_STEP_UM,
            origin_um=-_MARGIN_UM,
            tissue_um=_signed_distance(self.tissue, (rows, columns)) + from_block(ragged),
            tumour_um=tumour,
            hole=from_block(_holes((rows, columns), rng)),
            nest=from_block(smooth_noise((rows, columns), 42 / _STEP_UM, rng)),
            mottle=from_block(smooth_noise((rows, columns), 160 / _STEP_UM, rng)),
            cellularity=from_block(_cellularity((rows, columns), self.seed)) if self.serial else None,
        )

    def _from_block(self, shape_yx: tuple[int, int]) -> Callable[[Plane], Plane]:
        """What lays a periodic map of the block on the glass, as the outlines are."""
        mounting = self.mounting
        if mounting.bend is None:
            linear, origin = mounting.linear, np.full(2, -_MARGIN_UM)
            shift = (linear @ origin + mounting.offset_um - origin) / _STEP_UM
            on_grid = np.column_stack([linear, shift])

            def straight(plane: Plane) -> Plane:
                return laid_on(plane, on_grid, plane.shape, border=Border.WRAPPED)

            return straight
        y, x = np.indices(shape_yx).reshape(2, -1)
        glass = np.column_stack([x, y]) * _STEP_UM - _MARGIN_UM
        block = mounting.to_block(glass, tolerance_um=_MAP_TOLERANCE_UM)
        columns, rows = ((block + _MARGIN_UM) / _STEP_UM).astype(np.float32).T.reshape(2, *shape_yx)

        def bent(plane: Plane) -> Plane:
            return values_at(plane, columns, rows, border=Border.WRAPPED)

        return bent

    def tumour_distance_um(self, points_um: Points) -> NDArray[np.float64]:
        """Signed distance of points to the tumour's outline, positive inside; -inf without a tumour."""
        import shapely

        if self.tumour is None:
            return np.full(len(points_um), -np.inf)
        points = shapely.points(points_um)
        shapely.prepare(self.tumour)
        outline = self.tumour.exterior
        shapely.prepare(outline)
        distance = shapely.distance(outline, points)
        signed = np.where(shapely.contains(self.tumour, points), distance, -distance)
        return np.asarray(signed, dtype=np.float64)


def _holes(shape_yx: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float32]:
    """Clefts and lumens of 10 to 60 µm."""
    fine = smooth_noise(shape_yx, 7 / _STEP_UM, rng)
    wide = smooth_noise(shape_yx, 80 / _STEP_UM, rng)
    return fine * np.float32(0.85) + wide * np.float32(0.5)


def _blob(centre: NDArray[np.float64], radius: float, rough: float, rng: np.random.Generator) -> Points:
    """A closed wavy outline."""
    theta = np.linspace(0, 2 * np.pi, _N_VERTICES, endpoint=False)
    order = np.arange(2, 12)
    waves = rng.standard_normal(order.size) * rough / (order / 2) ** 0.9
    phase = rng.uniform(0, 2 * np.pi, order.size)
    wavy = 1 + (waves[:, None] * np.cos(order[:, None] * theta + phase[:, None])).sum(axis=0)
    radii = radius * np.clip(wavy, 0.75, 1.12)
    points = centre + radii[:, None] * np.stack([np.cos(theta), np.sin(theta)], axis=1)
    return np.asarray(points, dtype=np.float64)


def _cellularity(shape_yx: tuple[int, int], seed: int) -> Plane:
    """Dense and loose patches of tissue, 1 to -1; few are in between."""
    rng = np.random.default_rng([seed, 7])
    parts = [smooth_noise(shape_yx, sigma_um / _STEP_UM, rng) for sigma_um in _CELLULARITY_UM]
    return np.asarray(np.tanh(1.4 * sum(parts) / len(parts) ** 0.5), dtype=np.float32)


def _density_share(tissue: TissueMap, points_um: Points) -> NDArray[np.float64]:
    """Share of nuclei, 0 to 1, that tissue so dense as at the points has."""
    assert tissue.cellularity is not None
    dense = tissue.sample(tissue.cellularity, points_um)
    return np.asarray(_MEAN_SHARE + _DENSE_SHARE * dense)


def _polygon(points: Points) -> shapely.Polygon:
    import shapely

    return shapely.Polygon(points)


def _signed_distance(polygon: shapely.Polygon, shape_yx: tuple[int, int]) -> NDArray[np.float32]:
    """Distance to a polygon's outline at the map's grid points, positive inside, µm."""
    vertices = np.asarray(polygon.exterior.coords)
    mask = filled([(vertices + _MARGIN_UM) / _STEP_UM], shape_yx, bits=8).astype(np.uint8)
    inside = cv2.distanceTransform(mask, cv2.DIST_L2, cv2.DIST_MASK_5)
    outside = cv2.distanceTransform(1 - mask, cv2.DIST_L2, cv2.DIST_MASK_5)
    return np.asarray((inside - outside) * np.float32(_STEP_UM), dtype=np.float32)
