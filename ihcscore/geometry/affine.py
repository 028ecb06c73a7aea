"""Affine maps between slides, in level-0 pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

Points = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Affine:
    """An affine map of the plane: from one slide's pixels to another's.

    Coordinates have pixel corners at whole numbers: the corner of the first pixel is at (0, 0).

    Attributes
    ----------
    matrix : ndarray of float64, shape (3, 3)
        Acts on columns (x, y, 1).
    """

    matrix: NDArray[np.float64]

    def __post_init__(self) -> None:
        if self.matrix.shape != (3, 3):
            raise ValueError(f"matrix has shape {self.matrix.shape}, expected (3, 3)")

    @classmethod
    def of(cls, linear: ArrayLike, shift: ArrayLike = (0.0, 0.0)) -> Self:
        """Map from its linear part, shape (2, 2), and its shift, shape (2,)."""
        matrix = np.eye(3)
        matrix[:2, :2] = linear
        matrix[:2, 2] = shift
        return cls(matrix=matrix)

    @classmethod
    def scaling(cls, factor: float) -> Self:
        """Map that multiplies all coordinates."""
        return cls.of(np.eye(2) * factor)

    @classmethod
    def shifting(cls, shift_xy: ArrayLike) -> Self:
        """Map that adds to all coordinates."""
        return cls.of(np.eye(2), shift_xy)

    def __matmul__(self, first: Affine) -> Affine:
        """The map that applies `first`, then this one."""
        return Affine(matrix=self.matrix @ first.matrix)

    def __call__(self, points_xy: ArrayLike) -> Points:
        """Points, shape (n, 2) or (2,), mapped."""
        points = np.asarray(points_xy, float)
        mapped: Points = points @ self.matrix[:2, :2].T + self.matrix[:2, 2]
        return mapped

    def inverse(self) -> Affine:
        """The map back."""
        return Affine(matrix=np.asarray(np.linalg.inv(self.matrix), float))

    @property
    def mirrored(self) -> bool:
        """Whether one of the sections lies upside down."""
        return bool(np.linalg.det(self.matrix[:2, :2]) < 0)

    @property
    def angle_deg(self) -> float:
        """Turn of the nearest rotation (or mirrored rotation), clockwise as seen, -180 to 180.

        Of a mirrored map: the turn that follows after x was mirrored. The nearest rotation is the
        orthogonal factor of the polar decomposition.
        """
        u, _, vt = np.linalg.svd(self.matrix[:2, :2])
        rotation = u @ vt
        if self.mirrored:
            rotation = rotation @ np.diag([-1.0, 1.0])
        return math.degrees(math.atan2(rotation[1, 0], rotation[0, 0]))

    @property
    def stretches(self) -> tuple[float, float]:
        """Largest and smallest factor by which lengths change (singular values)."""
        largest, smallest = np.linalg.svd(self.matrix[:2, :2], compute_uv=False)
        return float(largest), float(smallest)

    def cv(self) -> NDArray[np.float32]:
        """The map between pixel centres at whole numbers, as OpenCV counts them; shape (2, 3)."""
        return np.asarray((_TO_CENTRES @ self.matrix @ _TO_CORNERS)[:2], np.float32)

    @classmethod
    def from_cv(cls, matrix: ArrayLike) -> Self:
        """Map from OpenCV's matrix, shape (2, 3), between pixel centres at whole numbers."""
        full = np.vstack([np.asarray(matrix, float), [0.0, 0.0, 1.0]])
        return cls(matrix=_TO_CORNERS @ full @ _TO_CENTRES)


_TO_CORNERS = np.array([[1.0, 0.0, 0.5], [0.0, 1.0, 0.5], [0.0, 0.0, 1.0]])
_TO_CENTRES = np.linalg.inv(_TO_CORNERS)
