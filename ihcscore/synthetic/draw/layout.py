"""Where things lie: random points that keep a soft distance, planted clusters, crowded nuclei."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
Inside = Callable[[Points], NDArray[np.bool_]]

_TRIES = 400
_MOVES = 8


@dataclass(frozen=True, kw_only=True)
class Extent:
    """A rectangle in µm."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def area_mm2(self) -> float:
        """Area in mm²."""
        return (self.right - self.left) * (self.bottom - self.top) / 1e6

    def grown(self, by_um: float) -> Extent:
        """The rectangle, larger by `by_um` on all sides."""
        return Extent(
            left=self.left - by_um, top=self.top - by_um, right=self.right + by_um, bottom=self.bottom + by_um
        )

    def holds(self, points: Points) -> NDArray[np.bool_]:
        """Which points lie inside, off the edges."""
        low, high = (self.left, self.top), (self.right, self.bottom)
        return np.asarray(((points > low) & (points < high)).all(axis=1))

    def uniform(self, n: int, rng: np.random.Generator) -> Points:
        """`n` points, uniform; shape (n, 2), x and y in µm."""
        return rng.uniform((self.left, self.top), (self.right, self.bottom), (n, 2))


@dataclass(frozen=True, kw_only=True)
class Clustering:
    """How positive cells gather.

    Attributes
    ----------
    fraction : float
        Share of the cells that lie in clusters, 0 to 1.
    cells : tuple of int
        Fewest and most cells of a cluster.
    apart_um : float
        Distance of touching neighbours in µm; less than a cell's diameter makes them overlap.
    """

    fraction: float = 0.3
    cells: tuple[int, int] = (3, 14)
    apart_um: float = 8.0

    def __post_init__(self) -> None:
        if not 0 <= self.fraction <= 1:
            raise ValueError(f"fraction is {self.fraction}, expected 0 to 1")
        if not 2 <= self.cells[0] <= self.cells[1]:
            raise ValueError(f"cells is {self.cells}, expected two numbers from 2 up, in order")
        if self.apart_um <= 0:
            raise ValueError(f"apart_um is {self.apart_um}, expected above 0")


def scatter(n: int, extent: Extent, inside: Inside, rng: np.random.Generator) -> Points:
    """`n` uniform random points for which `inside` holds; shape (n, 2), µm.

    Raises
    ------
    ValueError
        If almost no point of the extent is inside.
    """
    found = [np.empty((0, 2))]
    missing = n
    for _ in range(_TRIES):
        if missing <= 0:
            break
        points = extent.uniform(4 * missing + 16, rng)
        points = points[inside(points)][:missing]
        found.append(points)
        missing -= len(points)
    if missing > 0:
        raise ValueError(f"only {n - missing} of {n} points fit inside the area; make it larger")
    return np.concatenate(found)


def spread(points: Points, fixed: Points, apart_um: float, again: Callable[[int], Points]) -> Points:
    """The points, with those nearer than `apart_um` to another or to a fixed one drawn again.

    A few rounds only: where the area is crowded, some stay close. `again` draws new points.
    """
    from scipy.spatial import cKDTree

    points = points.copy()
    for _ in range(_MOVES):
        tree = cKDTree(np.concatenate([points, fixed]))
        pairs = tree.query_pairs(apart_um, output_type="ndarray")
        movable = np.unique(pairs[:, 0][pairs[:, 0] < len(points)])
        if movable.size == 0:
            break
        points[movable] = again(int(movable.size))
    return points


def gather(
    n: int, clustering: Clustering, extent: Extent, inside: Inside, rng: np.random.Generator
) -> Points:
    """`n` points, some in clusters of touching neighbours, the others apart; shape (n, 2), µm."""
    n_clustered = round(n * clustering.fraction)
    clusters: list[Points] = []
    left = n_clustered if n_clustered >= clustering.cells[0] else 0
    while left > 0:
        size = min(int(rng.integers(clustering.cells[0], clustering.cells[1] + 1)), left)
        clusters.append(_grow(scatter(1, extent, inside, rng), size, clustering.apart_um, inside, rng))
        left -= len(clusters[-1])
    clustered = np.concatenate([np.empty((0, 2)), *clusters])

    def again(count: int) -> Points:
        return scatter(count, extent, inside, rng)

    singles = spread(again(n - len(clustered)), clustered, 1.6 * clustering.apart_um, again)
    return np.concatenate([clustered, singles])


def _grow(seed: Points, size: int, apart_um: float, inside: Inside, rng: np.random.Generator) -> Points:
    """A cluster from one point: each new cell touches a random older one."""
    points = seed
    for _ in range(12 * size):
        if len(points) == size:
            break
        angle = rng.uniform(0, 2 * np.pi)
        reach = apart_um * rng.uniform(0.95, 1.15)
        new = points[rng.integers(len(points))] + reach * np.array([np.cos(angle), np.sin(angle)])
        nearest = np.hypot(*(points - new).T).min()
        if nearest >= 0.85 * apart_um and inside(new[None])[0]:
            points = np.concatenate([points, new[None]])
    return points


def crowd(per_mm2: float, extent: Extent, rng: np.random.Generator) -> Points:
    """Points as evenly packed as nuclei in solid tissue: a hexagonal lattice, strongly shaken; µm."""
    if per_mm2 <= 0:
        return np.empty((0, 2))
    step = 1000 * (2 / (3**0.5 * per_mm2)) ** 0.5
    rows = np.arange(extent.top, extent.bottom, step * 3**0.5 / 2)
    columns = np.arange(extent.left, extent.right, step)
    x, y = np.meshgrid(columns, rows)
    x[1::2] += step / 2
    points = np.stack([x.ravel(), y.ravel()], axis=1)
    return points + rng.normal(0, 0.19 * step, points.shape)


def clear_of(points: Points, others: Points, apart_um: float) -> NDArray[np.bool_]:
    """Which points are at least `apart_um` from every one of the others."""
    from scipy.spatial import cKDTree

    if len(others) == 0 or len(points) == 0:
        return np.ones(len(points), dtype=bool)
    distance, _ = cKDTree(others).query(points, distance_upper_bound=apart_um)
    return np.asarray(~np.isfinite(distance))
