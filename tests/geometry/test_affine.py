"""Affine maps against hand-computed values."""

import numpy as np
import pytest

from ihcscore.geometry.affine import Affine

QUARTER = [[0.0, -1.0], [1.0, 0.0]]  # clockwise as seen: x to the right becomes y down


def test_maps_points_one_or_many():
    there = Affine.of(QUARTER, (10, 20))
    assert there([3, 4]).tolist() == [6, 23]
    assert there([[3, 4], [0, 0]]).tolist() == [[6, 23], [10, 20]]


def test_composition_applies_the_right_one_first():
    both = Affine.shifting((1, 2)) @ Affine.scaling(3)
    assert both([5, 7]).tolist() == [16, 23]


def test_inverse_leads_back():
    there = Affine.of([[1.1, 0.2], [-0.1, 0.9]], (5, -3))
    assert there.inverse()(there([12, 34])) == pytest.approx([12, 34])


@pytest.mark.parametrize("degrees", [-170, -90, 0, 30, 137, 180])
def test_angle(degrees):
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turn = np.array([[cos, -sin], [sin, cos]])
    mirrored = turn @ np.diag([-1.0, 1.0])
    assert Affine.of(turn * 1.2).angle_deg == pytest.approx(degrees)
    assert Affine.of(mirrored * 0.9).angle_deg == pytest.approx(degrees)
    assert not Affine.of(turn).mirrored
    assert Affine.of(mirrored).mirrored


def test_stretches_are_singular_values():
    largest, smallest = Affine.of(np.array(QUARTER) @ np.diag([0.5, 2.0])).stretches
    assert (largest, smallest) == pytest.approx((2.0, 0.5))


def test_opencv_counts_from_pixel_centres():
    # Twice the size: the first pixel's centre (0, 0) lies between the new pixels 0 and 1.
    assert Affine.scaling(2).cv().tolist() == [[2, 0, 0.5], [0, 2, 0.5]]
    # A half turn of a picture of 4 by 3 pixels: its first pixel becomes its last.
    half = Affine.of([[-1, 0], [0, -1]], (4, 3))
    assert half.cv().tolist() == [[-1, 0, 3], [0, -1, 2]]
    assert Affine.from_cv(half.cv()).matrix == pytest.approx(half.matrix)


def test_refuses_other_shapes():
    with pytest.raises(ValueError, match="expected \\(3, 3\\)"):
        Affine(matrix=np.eye(2))
