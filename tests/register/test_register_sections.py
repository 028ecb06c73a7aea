"""Whole sections found on each other, nothing known."""

import numpy as np
import pytest

from drawn_sections import MPP_UM, SHAPE_YX, about_centre, drawn_section, laid, restained, turn, view
from ihcscore.register import register_sections, structure


@pytest.fixture(scope="module")
def section():
    return drawn_section(1)


def tissue_points(plane):
    rows, columns = np.nonzero(plane > 0.1)
    return np.column_stack([columns, rows])[::97] + 0.5


def errors_um(found, truth, points):
    """Distance between the map found and the true one."""
    got = np.array([found.transform_at(point)(point) for point in points])
    return np.hypot(*(got - truth(points)).T) * MPP_UM


@pytest.mark.parametrize(
    "truth",
    [
        about_centre(turn(0), (14, -9)),
        about_centre(turn(90), (12, -20)),
        about_centre(turn(137), (9, 4)),
        about_centre(turn(180)),
        about_centre(turn(30) @ np.diag([-1.0, 1.0]), (5, 5)),
        about_centre(turn(-60) @ np.array([[1.03, 0.04], [0.0, 1.03]])),
    ],
    ids=["0", "90", "137", "180", "mirrored", "scaled and sheared"],
)
def test_any_placing(section, truth):
    found = register_sections(view(section), view(restained(laid(section, truth), 7)))
    assert found.confirmed
    assert found.transform.mirrored == truth.mirrored
    assert not found.pieces
    errors = errors_um(found, truth, tissue_points(section))
    assert np.median(errors) < MPP_UM
    assert errors.max() < 2 * MPP_UM
    assert 0 < found.error_um < 60


def test_torn(section):
    truth = about_centre(turn(-75), (4, 8))
    torn = section.copy()
    rows, columns = np.indices(SHAPE_YX)
    torn[columns - 240 + 0.5 * (rows - 190) > 25] = 0
    found = register_sections(view(section), view(restained(laid(torn, truth), 7)))
    assert found.confirmed
    # The edge of the tear pulls the map; the refinement of each place is for that.
    assert np.median(errors_um(found, truth, tissue_points(torn))) < min(4 * MPP_UM, found.error_um)


def test_two_pieces_that_moved_apart(section):
    columns = np.indices(SHAPE_YX)[1]
    left, right = section * (columns < 212), section * (columns > 264)
    of_left, of_right = about_centre(turn(8), (-22, 10)), about_centre(turn(-14), (28, -18))
    moving = np.maximum(laid(left, of_left), laid(right, of_right))
    found = register_sections(view(np.maximum(left, right)), view(restained(moving, 7)))
    assert found.confirmed
    assert found.pieces
    for plane, truth in ((left, of_left), (right, of_right)):
        assert np.median(errors_um(found, truth, tissue_points(plane))) < 2 * MPP_UM


def test_pixel_sizes_that_differ(section):
    # The moving slide has level-0 pixels of 2 µm and was seen at 4: twice the reference's resolution.
    twice = np.kron(section, np.ones((2, 2), np.float32))
    found = register_sections(
        view(section, downsample=16), view(twice, mpp_um=MPP_UM / 2, downsample=2)
    )  # fmt: skip
    # 16 level-0 pixels a pixel on the reference, 2 × 2 on the moving slide.
    assert found.transform.matrix[:2, :2] == pytest.approx(np.eye(2) / 4, abs=2e-3)
    centre = np.array([240, 190])
    assert found.transform(centre * 16) == pytest.approx(centre * 4, abs=3)


def test_identical_sections_have_no_error_and_noisy_ones_more(section):
    found = register_sections(view(section), view(section))
    noisy = register_sections(view(section), view(restained(section, 7, noise=0.06)))
    assert found.error_um < 0.5
    assert noisy.error_um > 10
    assert found.correlation == pytest.approx(1)
    assert found.transform.matrix == pytest.approx(np.eye(3), abs=1e-3)


def test_other_tissue_is_not_confirmed(section):
    # Of this one three places look distinct by chance, two of them near the map.
    found = register_sections(view(section), view(restained(drawn_section(15), 3)))
    assert not found.confirmed
    assert np.isnan(found.error_um)


def test_a_blank_section_is_not_confirmed(section):
    blank = np.zeros(SHAPE_YX, np.float32)
    found = register_sections(view(section), view(blank))
    assert not found.confirmed
    assert np.isfinite(found.transform.matrix).all()


def test_structure_is_summed_density():
    # One decade of density per channel is 3 in all; the 95th percentile of the tissue becomes 1.
    rgb = np.full((10, 10, 3), 250, np.uint8)
    rgb[:, 5:] = 25
    plane = structure(rgb, white_rgb=(250.0, 250.0, 250.0))
    assert plane[:, :5].tolist() == [[0] * 5] * 10
    assert plane[:, 5:] == pytest.approx(1)
    rgb[:, 5:8] = 79  # half a decade
    assert structure(rgb, white_rgb=(250.0, 250.0, 250.0))[0, 5] == pytest.approx(0.5, abs=0.001)
    assert not structure(np.full((4, 4, 3), 255, np.uint8)).any()
    with pytest.raises(ValueError, match="expected a uint8"):
        structure(np.zeros((4, 4, 3)))
