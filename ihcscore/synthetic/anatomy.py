"""The block of tissue that sections are cut from: outlines of tissue and tumour, holes and nests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from ihcscore.synthetic.layout import Points
from ihcscore.synthetic.texture import smooth_noise
from ihcscore.synthetic.tissue import TissueMap

if TYPE_CHECKING:
    import shapely

_STEP_UM = 4.0
_MARGIN_UM = 60.0
_N_VERTICES = 360


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
    placing : ndarray of float64, shape (2, 3)
        Turn and shift from the block of tissue to the glass, µm.
    """

    tissue: shapely.Polygon
    tumour: shapely.Polygon | None
    size_um: tuple[float, float]
    seed: int
    placing: NDArray[np.float64]

    @classmethod
    def make(
        cls,
        *,
        size_um: tuple[float, float],
        across_um: tuple[float, float],
        seed: int,
        rotation_deg: float,
        shift_um: tuple[float, float],
    ) -> Anatomy:
        """Anatomy of a seed, turned about the picture's centre and then shifted.

        `across_um` is about the diameter of tissue and of tumour; a tumour of 0 is none.
        """
        rng = np.random.default_rng([seed, 2])
        centre = np.array(size_um) / 2
        angle = np.deg2rad(rotation_deg)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        shift = centre - turn @ centre + np.array(shift_um)
        placing = np.column_stack([turn, shift])
        tissue = _blob(centre, across_um[0] / 2, 0.03, rng)
        tumour = _blob(centre + rng.normal(0, 0.02, 2) * across_um[0], across_um[1] / 2, 0.07, rng)
        return cls(
            tissue=_polygon(tissue, placing),
            tumour=_polygon(tumour, placing) if across_um[1] > 0 else None,
            size_um=size_um,
            seed=seed,
            placing=placing,
        )

    def tissue_map(self) -> TissueMap:
        """Maps of the whole picture at 4 µm."""
        columns, rows = (int(np.ceil((side + 2 * _MARGIN_UM) / _STEP_UM)) + 4 for side in self.size_um)
        rng = np.random.default_rng([self.seed, 3])
        ragged = 5 * smooth_noise((rows, columns), 12 / _STEP_UM, rng)
        tumour = np.full((rows, columns), -1e4, dtype=np.float32)
        if self.tumour is not None:
            tumour = _signed_distance(self.tumour, (rows, columns))
        return TissueMap(
            step_um=_STEP_UM,
            origin_um=-_MARGIN_UM,
            tissue_um=_signed_distance(self.tissue, (rows, columns)) + self._placed(ragged),
            tumour_um=tumour,
            hole=self._placed(_holes((rows, columns), rng)),
            nest=self._placed(smooth_noise((rows, columns), 42 / _STEP_UM, rng)),
            mottle=self._placed(smooth_noise((rows, columns), 160 / _STEP_UM, rng)),
        )

    def _placed(self, plane: NDArray[np.float32]) -> NDArray[np.float32]:
        """A periodic map, turned and shifted as the outlines are."""
        turn, shift = self.placing[:, :2], self.placing[:, 2]
        origin = np.full(2, -_MARGIN_UM)
        on_grid = np.column_stack([turn, (turn @ origin + shift - origin) / _STEP_UM])
        flags = cv2.INTER_LINEAR
        placed = cv2.warpAffine(plane, on_grid, plane.shape[::-1], flags=flags, borderMode=cv2.BORDER_WRAP)
        return np.asarray(placed, dtype=np.float32)

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


def _polygon(points: Points, placing: NDArray[np.float64]) -> shapely.Polygon:
    import shapely

    return shapely.Polygon(points @ placing[:, :2].T + placing[:, 2])


def _signed_distance(polygon: shapely.Polygon, shape_yx: tuple[int, int]) -> NDArray[np.float32]:
    """Distance to a polygon's outline at the map's grid points, positive inside, µm."""
    vertices = np.asarray(polygon.exterior.coords)
    grid = np.rint((vertices + _MARGIN_UM) / _STEP_UM * 256).astype(np.int32)
    mask = np.zeros(shape_yx, dtype=np.uint8)
    cv2.fillPoly(mask, [grid], 1, shift=8)
    inside = cv2.distanceTransform(mask, cv2.DIST_L2, cv2.DIST_MASK_5)
    outside = cv2.distanceTransform(1 - mask, cv2.DIST_L2, cv2.DIST_MASK_5)
    return np.asarray((inside - outside) * np.float32(_STEP_UM), dtype=np.float32)
