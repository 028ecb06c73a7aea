"""Typed words over OpenCV, held against plain numpy, scipy and values by hand."""

import numpy as np
import pytest
from scipy import ndimage

from ihcscore import planes
from ihcscore.planes import Border


def test_gaussian_has_the_reach_and_the_border_that_were_asked_for():
    plane = np.random.default_rng(0).random((40, 50), np.float32)
    expected = ndimage.gaussian_filter(plane, 2.0, mode="mirror", radius=6)
    assert planes.blurred(plane, 2.0, reach_sigmas=3.0) == pytest.approx(expected, abs=1e-5)
    for border, mode in (
        (Border.REPEATED, "nearest"),
        (Border.ZERO, "constant"),
        (Border.MIRRORED, "mirror"),
    ):
        expected = ndimage.gaussian_filter(plane, 2.0, mode=mode, truncate=4.0)
        assert planes.blurred(plane, 2.0, border=border) == pytest.approx(expected, abs=1e-4)
    assert planes.blurred(plane, 0.0) is plane


def test_wide_gaussians_are_as_good_on_a_coarser_grid():
    plane = np.random.default_rng(0).random((200, 250), np.float32)
    exact, coarse = planes.blurred(plane, 16.0), planes.blurred_coarsely(plane, 16.0)
    assert np.abs(exact - coarse).max() < 0.01
    assert np.array_equal(planes.blurred_coarsely(plane, 8.0), planes.blurred(plane, 8.0))


def test_pictures_are_averaged_to_fewer_pixels():
    image = np.arange(24, dtype=np.float32).reshape(4, 6)
    assert planes.shrunk_to(image, (3, 2)).tolist() == [[3.5, 5.5, 7.5], [15.5, 17.5, 19.5]]
    assert np.array_equal(planes.shrunk_by(image, 0.5), planes.shrunk_to(image, (3, 2)))
    assert np.array_equal(planes.shrunk_in_blocks(image, 2), planes.shrunk_to(image, (3, 2)))
    assert planes.shrunk_in_blocks(image[:3], 2).shape == (2, 3)
    mask = np.zeros((4, 6), bool)
    mask[0] = True
    assert planes.share_of(mask, (3, 2)).tolist() == [[0.5, 0.5, 0.5], [0, 0, 0]]
    assert np.array_equal(planes.enlarged(mask, (12, 8)), np.repeat(np.repeat(mask, 2, 0), 2, 1))


def test_masks_stay_masks():
    mask = np.zeros((9, 9), bool)
    mask[4, 4] = True
    grown = planes.dilated(mask, planes.disc(2))
    assert grown.dtype == np.bool_
    assert grown.sum() == planes.disc(2).sum()
    assert np.array_equal(planes.eroded(grown, planes.disc(2)), mask)
    assert not planes.opened(mask, planes.square(3)).any()
    assert planes.closed(~mask, planes.square(3)).all()


def test_parts_touch_at_corners_and_leave_out_the_rest():
    mask = np.zeros((6, 8), bool)
    mask[0, 0] = mask[1, 1] = True  # one part
    mask[4, 2:6] = True
    parts = planes.parts_of(mask)
    assert parts.area_px.tolist() == [42, 2, 4]
    assert parts.diagonal_px[1:] == pytest.approx([np.hypot(2, 2), np.hypot(4, 1)])
    assert parts.sums(np.ones((6, 8))).tolist() == parts.area_px.tolist()
    assert parts.touched_by(mask & (np.arange(6) > 2)[:, None]).tolist() == [False, False, True]
    assert np.array_equal(parts.mask(np.array([True, True, False])), mask & (np.arange(6) < 2)[:, None])


def test_depth_ends_at_the_picture():
    depth = planes.depth_px(np.ones((5, 5), bool))
    assert depth[0, 0] == pytest.approx(1, abs=0.01)
    assert depth[2, 2] == pytest.approx(3, abs=0.01)


def test_the_two_ways_onto_a_grid_are_inverse():
    plane = np.random.default_rng(0).random((8, 9), np.float32)
    right = np.array([[1.0, 0.0, 2.0], [0.0, 1.0, 0.0]])
    seen = planes.sampled(plane, right, (8, 9), border=Border.ZERO)
    laid = planes.laid_on(plane, right, (8, 9), border=Border.ZERO)
    assert np.array_equal(seen[:, :-2], plane[:, 2:])
    assert np.array_equal(laid[:, 2:], plane[:, :-2])
    x, y = np.array([[0.5]], np.float32), np.array([[1.0]], np.float32)
    assert planes.values_at(plane, x, y, border=Border.ZERO)[0, 0] == pytest.approx(plane[1, :2].mean())
