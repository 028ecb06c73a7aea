"""A single place, found again around where it is expected."""

import numpy as np
import pytest

from drawn_sections import drawn_section, restained, turn
from ihcscore.geometry.affine import Affine
from ihcscore.register import REACH_UM, patch, place

MPP_UM, SIDE_UM = 4.0, 361.0
UPRIGHT = np.eye(2)
SIZE = round((SIDE_UM + 2 * REACH_UM) / MPP_UM)


@pytest.fixture(scope="module")
def plane():
    return drawn_section(1, shape_yx=(700, 900))


def around(plane, centre, linear=UPRIGHT):
    """Patch about a centre; `linear` turns what is seen."""
    return patch(plane, Affine.of(linear, np.asarray(centre) - linear @ np.full(2, SIZE / 2)), SIZE)


@pytest.mark.parametrize("shift_um", [(0, 0), (24, -16), (-120, 80), (200, 180)])
def test_shift(plane, shift_um):
    shift = np.array(shift_um) / MPP_UM
    reference, moving = around(plane, (450, 350)), around(plane, np.array([450, 350]) - shift)
    placed = place(reference, moving, side_um=SIDE_UM, mpp_um=MPP_UM)
    assert placed.distinct
    assert placed.shift_px == pytest.approx(shift, abs=1)
    assert placed.error_um < 15


def test_small_turn(plane):
    # The moving patch's pixel p shows what lies at turn(-4) p, so the structure at q shows at turn(4) q.
    moving = around(plane, (450, 350), turn(-4))
    placed = place(around(plane, (450, 350)), moving, side_um=SIDE_UM, mpp_um=MPP_UM)
    assert placed.correction.angle_deg == pytest.approx(4, abs=0.7)
    assert placed.shift_px == pytest.approx([0, 0], abs=1)


def test_identical_patches(plane):
    placed = place(around(plane, (450, 350)), around(plane, (450, 350)), side_um=SIDE_UM, mpp_um=MPP_UM)
    assert placed.correction.matrix == pytest.approx(np.eye(3), abs=1e-3)
    assert placed.error_um < 1


def test_error_grows_with_noise(plane):
    errors = []
    for noise in (0.0, 0.1, 0.3):
        noisy = restained(plane, 5, noise=noise)
        placed = place(around(plane, (450, 350)), around(noisy, (450, 350)), side_um=SIDE_UM, mpp_um=MPP_UM)
        errors.append(placed.error_um)
    assert errors == sorted(errors)
    assert errors[2] > 2 * errors[0]


def test_glass_is_never_distinct(plane):
    glass = np.zeros((SIZE, SIZE), np.float32)
    for pair in ((around(plane, (450, 350)), glass), (glass, around(plane, (450, 350))), (glass, glass)):
        placed = place(*pair, side_um=SIDE_UM, mpp_um=MPP_UM)
        assert not placed.distinct
        assert np.isfinite(placed.error_um)


def test_refuses_patches_of_different_shapes():
    with pytest.raises(ValueError, match="expected one square"):
        place(np.zeros((9, 9), np.float32), np.zeros((9, 8), np.float32), side_um=20, mpp_um=4)
