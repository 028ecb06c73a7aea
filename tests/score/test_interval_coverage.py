"""How much do three fields tell? The interval of random fields against the true mean of a count map."""

import numpy as np
import pytest
import shapely

from ihcscore.fields import SamplingFrame, candidate_positions, draw_fields
from ihcscore.schema import FieldSettings, RegionName, Sampling
from ihcscore.score import mean_interval

# 4 × 4 mm with fields of 0.13 mm² on a grid of 36 µm; the density rises tenfold from left to right.
SIDE_PX, DOWNSAMPLE = 361.0, 36.1
AREA = shapely.box(0, 0, 4000, 4000)
CENTRE = RegionName.TUMOUR_CENTRE


def density(x_px):
    return 150 * np.exp(np.log(10) * (np.asarray(x_px) + SIDE_PX / 2) / 4000)


@pytest.fixture(scope="module")
def frame():
    tissue = np.ones((111, 111), bool)
    return SamplingFrame(tissue=tissue, downsample=DOWNSAMPLE, size_xy_px=(4000, 4000), side_px=SIDE_PX)


@pytest.fixture(scope="module")
def true_mean(frame):
    """What all fields of the region show."""
    fields = draw_fields(AREA, region=CENTRE, frame=frame, settings=FieldSettings(sampling=Sampling.ALL))
    return density([one.square.x_px for one in fields]).mean()


def test_all_fields_show_the_true_mean_of_a_strong_gradient(true_mean):
    # the mean over the area of 150 · 10^(x / 4000) is 150 · 9 / ln 10
    assert true_mean == pytest.approx(150 * 9 / np.log(10), rel=0.03)


@pytest.mark.parametrize("n", [3, 6])
def test_the_interval_covers_the_true_mean_in_95_of_100_draws(frame, true_mean, n):
    rng = np.random.default_rng(11)
    covered = 0
    for seed in range(500):
        settings = FieldSettings(n_per_region=n, seed=seed)
        fields = draw_fields(AREA, region=CENTRE, frame=frame, settings=settings)
        found = rng.poisson(density([one.square.x_px for one in fields]) * 0.13) / 0.13
        low, high = mean_interval([found], area_mm2=n * 0.13)
        covered += low <= true_mean <= high
    assert 0.93 <= covered / 500 <= 0.97


@pytest.mark.parametrize("ratio", [0.3, 3.0, 10.0])
def test_the_interval_of_both_regions_covers_their_mean(frame, true_mean, ratio):
    """Two strata of three fields each, the second so many times as dense as the first."""
    rng = np.random.default_rng(12)
    covered = 0
    for seed in range(500):
        strata = []
        for region, times in ((CENTRE, 1.0), (RegionName.INVASIVE_FRONT, ratio)):
            fields = draw_fields(AREA, region=region, frame=frame, settings=FieldSettings(seed=seed))
            expected = times * density([one.square.x_px for one in fields])
            strata.append(rng.poisson(expected * 0.13) / 0.13)
        low, high = mean_interval(strata, area_mm2=6 * 0.13)
        covered += low <= true_mean * (1 + ratio) / 2 <= high
    assert 0.93 <= covered / 500 <= 0.995


@pytest.mark.parametrize("sampling", [Sampling.RANDOM, Sampling.SYSTEMATIC])
def test_fields_are_spread_evenly_over_their_positions(frame, sampling):
    positions, _ = candidate_positions(AREA, frame=frame, min_tissue_fraction=0.7)
    drawn = []
    for seed in range(200):
        settings = FieldSettings(n_per_region=4, sampling=sampling, seed=seed)
        fields = draw_fields(AREA, region=CENTRE, frame=frame, settings=settings)
        drawn.append(np.array([(one.square.x_px, one.square.y_px) for one in fields]))
    # fields of one draw are not independent: the error of the mean comes from the draws' sums
    n = np.array([len(fields) for fields in drawn])
    excess = np.array([(fields - positions.mean(axis=0)).sum(axis=0) for fields in drawn])
    error = excess.std(axis=0, ddof=1) / np.sqrt(len(drawn))
    assert n.mean() == pytest.approx(4, rel=0.1)
    assert (np.abs(excess.mean(axis=0)) < 3.5 * error).all()
