import math

import numpy as np
import pytest

from ihcscore.geometry.square import Square, is_upright, pixels_inside, turned


def square_corners(x_px, y_px, side_px, angle_deg=0.0):
    return Square(x_px=x_px, y_px=y_px, side_px=side_px, angle_deg=angle_deg).corners_xy_px


def test_a_turn_is_clockwise_as_seen():
    # y runs down: from right to down is clockwise
    np.testing.assert_array_equal(turned(np.array([[1.0, 0.0]]), 90), [[0, 1]])
    np.testing.assert_allclose(
        turned(np.array([[1.0, 0.0]]), 30), [[math.sqrt(3) / 2, 0.5]], rtol=0, atol=1e-15
    )


def test_corners_by_hand():
    np.testing.assert_array_equal(square_corners(10, 20, 4), [(10, 20), (14, 20), (14, 24), (10, 24)])
    # turned by 45° about (12, 22): what was top left is on top, half a diagonal above the centre
    half = 2 * math.sqrt(2)
    np.testing.assert_allclose(
        square_corners(10, 20, 4, 45), [(12, 22 - half), (12 + half, 22), (12, 22 + half), (12 - half, 22)]
    )
    np.testing.assert_array_equal(square_corners(10, 20, 4, 90), [(14, 20), (14, 24), (10, 24), (10, 20)])
    around = Square(x_px=10, y_px=20, side_px=4, angle_deg=45).bounds()
    np.testing.assert_allclose((around.x_px, around.y_px, around.side_px), (12 - half, 22 - half, 2 * half))
    upright = Square(x_px=0.1, y_px=0.2, side_px=0.3)
    assert upright.bounds() == upright


@pytest.mark.parametrize(("angle", "upright"), [(0, True), (90, True), (-180, True), (1e-6, False)])
def test_quarter_turns_are_upright(angle, upright):
    assert is_upright(square_corners(0.1, 0.7, 33.3, angle)) == upright


def test_an_angle_must_be_a_number():
    with pytest.raises(ValueError, match="angle_deg"):
        square_corners(0, 0, 1, math.nan)


def test_pixels_of_a_diamond():
    # half diagonal 2.5 about the middle of the pixel (3, 3): |dx| + |dy| <= 2.5 holds 1 + 4 + 8 centres
    side = 2.5 * math.sqrt(2)
    window, inside = pixels_inside(square_corners(3.5 - side / 2, 3.5 - side / 2, side, 45), (7, 7))
    image = np.zeros((7, 7), bool)
    image[window] = inside
    y, x = np.mgrid[:7, :7]
    np.testing.assert_array_equal(image, abs(x - 3) + abs(y - 3) <= 2)


def test_pixels_of_an_upright_square_are_its_rounded_edges():
    window, inside = pixels_inside(square_corners(1.4, 2.6, 3.0), (8, 9))
    assert window == (slice(3, 6), slice(1, 4))
    assert inside.all()


def test_pixels_beyond_the_image_are_cut_off_and_a_speck_has_one():
    window, inside = pixels_inside(square_corners(-5, -5, 10, 30), (8, 8))
    assert (window[0].start, window[1].start) == (0, 0)
    assert 0.9 * 25 <= inside.sum() <= 1.1 * 25
    assert pixels_inside(square_corners(2.1, 2.1, 0.2, 30), (8, 8))[1].sum() == 1
    assert pixels_inside(square_corners(20, 20, 2), (8, 8))[1].size == 0


@pytest.mark.parametrize("angle", [7, 30, 45, 61, -20])
def test_the_number_of_pixels_is_the_area(angle):
    _, inside = pixels_inside(square_corners(50.3, 40.7, 120, angle), (300, 300))
    assert inside.sum() == pytest.approx(120**2, rel=0.003)
