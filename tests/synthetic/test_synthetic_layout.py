from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from ihcscore.synthetic.draw.layout import Clustering, Extent, clear_of, crowd, gather, scatter, spread

SQUARE = Extent(left=0, top=0, right=1000, bottom=1000)


def everywhere(points: np.ndarray) -> np.ndarray:
    return SQUARE.holds(points)


def left_half(points: np.ndarray) -> np.ndarray:
    return SQUARE.holds(points) & (points[:, 0] < 500)


def test_extent() -> None:
    assert SQUARE.area_mm2 == 1
    assert SQUARE.grown(10).area_mm2 == pytest.approx(1.0404)
    assert SQUARE.holds(np.array([[0.0, 5.0], [1.0, 5.0]])).tolist() == [False, True]


def test_scatter_is_inside_and_even() -> None:
    points = scatter(2000, SQUARE, left_half, np.random.default_rng(0))
    assert points.shape == (2000, 2)
    assert left_half(points).all()
    # 1000 ± 3 standard deviations of a binomial of 2000 halves
    assert 933 <= (points[:, 1] < 500).sum() <= 1067


def test_scatter_says_when_there_is_no_room() -> None:
    with pytest.raises(ValueError, match="only 0 of 5"):
        scatter(5, SQUARE, lambda points: np.zeros(len(points), dtype=bool), np.random.default_rng(0))


def test_spread_keeps_apart_where_there_is_room() -> None:
    rng = np.random.default_rng(0)
    fixed = scatter(50, SQUARE, everywhere, rng)
    points = spread(
        scatter(100, SQUARE, everywhere, rng), fixed, 20, lambda n: scatter(n, SQUARE, everywhere, rng)
    )
    whole = cKDTree(np.concatenate([points, fixed]))
    assert all(i >= 100 and j >= 100 for i, j in whole.query_pairs(20))  # fixed points stay as they are


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 200), st.floats(0, 1), st.integers(0, 1000))
def test_gather_gives_as_many_as_asked_inside(n: int, fraction: float, seed: int) -> None:
    points = gather(n, Clustering(fraction=fraction), SQUARE, left_half, np.random.default_rng(seed))
    assert points.shape == (n, 2)
    assert left_half(points).all()


def test_clusters_touch_and_singles_do_not() -> None:
    rng = np.random.default_rng(1)
    clustered = gather(120, Clustering(fraction=1.0, cells=(5, 9)), SQUARE, everywhere, rng)
    nearest = cKDTree(clustered).query(clustered, k=2)[0][:, 1]
    assert (nearest < 8 * 1.2).mean() > 0.9
    singles = gather(120, Clustering(fraction=0.0), SQUARE, everywhere, rng)
    assert cKDTree(singles).query(singles, k=2)[0][:, 1].min() > 12


def test_crowd_has_its_density() -> None:
    points = crowd(4000, SQUARE, np.random.default_rng(0))
    assert len(points) == pytest.approx(4000, rel=0.05)
    assert crowd(0, SQUARE, np.random.default_rng(0)).shape == (0, 2)


def test_clear_of_by_hand() -> None:
    points = np.array([[0.0, 0.0], [10.0, 0.0]])
    assert clear_of(points, np.array([[3.0, 4.0]]), 5.1).tolist() == [False, True]
    assert clear_of(points, np.empty((0, 2)), 5.1).all()


@pytest.mark.parametrize("wrong", [{"fraction": 1.1}, {"cells": (1, 3)}, {"cells": (5, 3)}, {"apart_um": 0}])
def test_refusals(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Clustering(**wrong)  # type: ignore[arg-type]
