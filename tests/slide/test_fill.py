"""Borders that a converter filled are not scanned; a dark picture is what it shows."""

import numpy as np
import pytest

from ihcscore.slide import open_slide
from ihcscore.slide.fill import filled_border
from writers.odd_tiff import per_cm, write_pages


@pytest.fixture
def glass():
    """A thumbnail of glass with tissue in the middle, 200 × 150."""
    rng = np.random.default_rng(3)
    rgb = rng.integers(241, 246, (150, 200, 3)).astype(np.uint8)
    rgb[50:100, 60:140] = rng.integers(140, 210, (50, 80, 3))
    return rgb


@pytest.mark.parametrize("colour", [(0, 0, 0), (3, 2, 4), (128, 128, 128), (255, 0, 255)])
def test_a_filled_border_is_not_scanned(glass, colour):
    rgb = glass.copy()
    rgb[:20], rgb[:, 180:] = colour, colour
    filled = filled_border(rgb, np.ones(rgb.shape[:2], bool))
    assert filled[:20].all()
    assert filled[:, 180:].all()
    assert filled.sum() <= 20 * 200 + 130 * 20 + 2 * (200 + 150)
    assert not filled[30:, :170].any()


@pytest.mark.parametrize(
    "paint",
    [
        {},
        {"black square that is no border": np.s_[60:80, 80:100]},
        {"a line of ink at the edge": np.s_[:1, 20:40]},
    ],
)
def test_what_is_no_border_stays(glass, paint):
    for here in paint.values():
        glass[here] = 0
    assert not filled_border(glass, np.ones(glass.shape[:2], bool)).any()


def test_tissue_at_the_edge_and_a_dark_ground_stay(glass):
    rng = np.random.default_rng(1)
    glass[:40] = rng.integers(60, 160, (40, 200, 3))  # tissue varies
    assert not filled_border(glass, np.ones(glass.shape[:2], bool)).any()
    fluorescence = np.full((150, 200, 3), 3, np.uint8)
    fluorescence[60:90, 60:90] = (3, 20, 180)
    assert not filled_border(fluorescence, np.ones((150, 200), bool)).any()


def test_a_thumbnail_knows(tmp_path):
    rng = np.random.default_rng(0)
    rgb = rng.integers(238, 247, (512, 640, 3)).astype(np.uint8)
    whole = np.pad(rgb, ((100, 156), (64, 64), (0, 0)))
    with open_slide(write_pages(tmp_path / "a.tif", [(whole, None)], **per_cm(0.5))) as slide:
        thumbnail = slide.thumbnail(4.0)
    assert not thumbnail.scanned[:11].any()
    assert not thumbnail.scanned[78:].any()
    assert thumbnail.scanned[14:75, 10:86].all()
