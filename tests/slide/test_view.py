"""A slide at one scale: which level is read, what a rectangle of it is, averaging to an exact scale."""

import cv2
import numpy as np
import pytest

from ihcscore.errors import ReadError
from ihcscore.slide import open_slide
from writers import damage
from writers.svs import write_svs
from writers.tiff import write_tiff

TILE_BYTES = 325


@pytest.fixture(scope="module")
def slide(tmp_path_factory, picture):
    """Levels of 0.5, 1 and 2 µm per pixel."""
    with open_slide(write_tiff(tmp_path_factory.mktemp("view") / "a.tif", picture), mpp_um=0.5) as opened:
        assert [level.downsample for level in opened.levels] == [1, 2, 4]
        yield opened


@pytest.mark.parametrize(
    ("asked_um", "level", "mpp_um"),
    [(0.3, 0, 0.5), (0.5, 0, 0.5), (0.991, 1, 1.0), (0.98, 0, 0.5), (1.9, 1, 1.0), (8.0, 2, 2.0)],
)
def test_the_coarsest_level_that_is_fine_enough(slide, asked_um, level, mpp_um):
    """1 % too coarse passes; where all are too coarse the finest is read."""
    view = slide.at(asked_um)
    assert (view.level, view.mpp_um, view.downsample) == (level, mpp_um, mpp_um / 0.5)


def test_what_is_read_are_the_levels_own_pixels(slide):
    read = slide.at(1.5).read((30, -5), (50, 40))
    np.testing.assert_array_equal(read, slide.read(1, (30, -5), (50, 40)))


def test_an_exact_view_has_the_scale_that_was_asked_for(slide):
    view = slide.at(1.6, exact=True)
    assert (view.level, view.mpp_um) == (1, 1.6)
    assert view.downsample == pytest.approx(3.2)
    assert (view.stored.mpp_um, view.stored.downsample) == (1.0, 2.0)
    stored = slide.read(1, (48, 16), (160, 80))
    expected = cv2.resize(stored, (100, 50), interpolation=cv2.INTER_AREA)
    np.testing.assert_array_equal(view.read((30, 10), (100, 50)), expected)
    np.testing.assert_array_equal(view.averaged(stored), expected)


def test_an_exact_view_of_two_pixels_is_their_mean(slide):
    read = slide.at(4.0, exact=True).read((10, 20), (40, 30)).astype(float)
    stored = slide.read(2, (20, 40), (80, 60)).astype(float)
    mean = stored.reshape(30, 2, 40, 2, 3).mean((1, 3))
    assert np.abs(read - mean).max() <= 0.5


@pytest.mark.parametrize("asked_um", [0.3, 0.5, 1.0, 1.995])
def test_nothing_is_averaged_or_made_up_where_the_level_is_no_finer(slide, asked_um):
    view = slide.at(asked_um, exact=True)
    assert view == view.stored
    rgb = slide.read(0, (0, 0), (9, 9))
    assert view.averaged(rgb) is rgb


def test_whole_pixels_cover_a_rectangle_of_the_slide(slide):
    view = slide.at(1.0)  # two level-0 pixels each
    assert view.covering((10.0, 21.0), (30.0, 40.5)) == ((5, 10), (10, 11))
    assert view.covering((10.0, 21.0), (30.0, 40.5), margin_px=1) == ((4, 9), (12, 13))
    assert view.covering((-3.0, 21.0), (30.0, 40.5), step_px=8) == ((-8, 8), (24, 16))


def test_a_checked_rectangle_is_held_against_the_next_level(tmp_path, picture):
    large = np.kron(picture, np.ones((2, 2, 1), np.uint8))
    path = write_tiff(tmp_path / "a.tif", large)
    damage.set_value(path, TILE_BYTES, 0, at=9 / 39)  # 256 px tiles, 8 across and 5 down: column 1, row 1
    with open_slide(path) as slide:
        view = slide.at(slide.mpp_um)
        view.read((200, 200), (400, 400))
        with pytest.raises(ReadError, match="levels 0 and 1 show different pixels"):
            view.read((200, 200), (400, 400), checked=True)
        view.read((600, 520), (400, 400), checked=True)


def test_every_level_of_a_pyramid_of_odd_size(tmp_path, picture):
    """Coarser levels of such slides aren't whole factors coarser."""
    with open_slide(write_svs(tmp_path / "a.svs", picture[:519, :899])) as slide:
        view = slide.at(2 * slide.mpp_um * 1.01)
        assert view.level == 1
        assert view.mpp_um == slide.mpp_um * slide.levels[1].downsample
