import numpy as np
import pytest

from ihcscore.cells.nuclear_size import MIN_NUCLEI, lone_nuclei_um, scale_doubt
from ihcscore.profiles import load_profile
from ihcscore.run.array import count_array
from ihcscore.run.sheets import quality_of
from ihcscore.schema import Quality
from ihcscore.stain import estimate_stains, separate

NUCLEUS_RGB, GLASS_RGB = (120, 110, 175), (245, 245, 245)


def section(diameter_px: float, *, across: int = 7, touching: bool = False) -> np.ndarray:
    """Round nuclei in rows, apart by three diameters, or each with two that touch it."""
    step = round(3 * diameter_px)
    yy, xx = np.mgrid[: across * step, : across * step]
    y, x = (np.mod(one, step) - step / 2 for one in (yy, xx))
    away = np.hypot(y, x)
    if touching:
        for neighbour in (np.hypot(y, x - diameter_px), np.hypot(y - diameter_px, x)):
            away = np.minimum(away, neighbour)
    rgb = np.empty((*yy.shape, 3), np.uint8)
    rgb[:] = GLASS_RGB
    rgb[away <= diameter_px / 2] = NUCLEUS_RGB
    return rgb


def diameters(rgb: np.ndarray, mpp_um: float) -> np.ndarray:
    return lone_nuclei_um(separate(rgb, mpp_um=mpp_um, stains=estimate_stains(rgb, mpp_um=mpp_um)))


@pytest.mark.parametrize("mpp_um", [0.25, 0.5])
def test_lone_nuclei_are_as_large_as_they_were_drawn(mpp_um):
    found = diameters(section(7.0 / mpp_um), mpp_um)
    assert len(found) == 49
    np.testing.assert_allclose(found, 7.0, atol=0.6)


def test_touching_nuclei_and_those_on_the_edge_say_nothing():
    assert len(diameters(section(14, touching=True), 0.5)) == 0
    assert len(diameters(section(14)[21:, 21:], 0.5)) == 36
    assert len(diameters(np.full((64, 64, 3), 245, np.uint8), 0.5)) == 0


@pytest.mark.parametrize(
    ("diameter_um", "says"), [(3.0, "too small"), (4.5, ""), (11.0, ""), (16.0, "too large")]
)
def test_sizes_that_nuclei_do_not_have_are_said(diameter_um, says):
    doubt = scale_doubt(np.full(MIN_NUCLEI, diameter_um))
    assert (says in doubt) if says else not doubt


def test_few_nuclei_and_grain_decide_nothing():
    assert not scale_doubt(np.full(MIN_NUCLEI - 1, 3.0))
    assert not scale_doubt(np.r_[np.full(100, 1.6), np.full(MIN_NUCLEI, 7.0)])


def test_a_tile_told_half_its_scale_is_warned_of():
    rgb, profile = section(14), load_profile("CD3")
    right, half = (quality_of(count_array(rgb, mpp_um=mpp, profile=profile)) for mpp in (0.5, 0.25))
    assert "stand alone" not in right[1]
    assert half[0] == Quality.WARN
    assert "too small for 3.9 to 12: check the µm per pixel" in half[1]
