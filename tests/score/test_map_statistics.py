"""Density maps, profiles, what fields tell, phenotypes and spatial statistics on points of known truth."""

import numpy as np
import pytest
import shapely

from ihcscore.fields.often import Places, draw_often
from ihcscore.schema import Phenotype
from ihcscore.score.fields_tell import densities_at, fields_needed, fields_tell
from ihcscore.score.maps import TissueGrid, density_map, disc_sum, part_density
from ihcscore.score.phenotype import Estimate, immune_phenotype, percentile_score
from ihcscore.score.profile import Outline, Rings, infiltration_profile
from ihcscore.score.spatial import SpatialSettings, Window, envelope, nearest_g, ripley_l, spatial_statistics

MPP_UM = 0.5
PIXEL_UM = 8.0


def ragged(size_um: float = 4000.0) -> TissueGrid:
    """A blob with an uneven edge and three holes."""
    n = int(size_um / PIXEL_UM)
    y, x = (np.mgrid[:n, :n] + 0.5) * PIXEL_UM - size_um / 2
    angle = np.arctan2(y, x)
    mask = np.hypot(x, y) < size_um * (0.42 + 0.04 * np.sin(5 * angle) + 0.02 * np.cos(11 * angle))
    for at_x, at_y, radius in ((600, 300, 260), (-700, -500, 200), (100, -900, 120)):
        mask &= np.hypot(x - at_x, y - at_y) > radius
    return TissueGrid(mask=mask, downsample=PIXEL_UM / MPP_UM, mpp_um=PIXEL_UM)


def even_points(tissue: TissueGrid, spacing_um: float) -> np.ndarray:
    """Points of a jittered lattice on the tissue, level-0 pixels: uniform, with next to no noise."""
    size = tissue.mask.shape[0] * PIXEL_UM
    along = np.arange(0, size, spacing_um)
    rng = np.random.default_rng(0)
    points = np.stack(np.meshgrid(along, along), axis=-1).reshape(-1, 2)
    points = (points + rng.random(points.shape) * spacing_um) / MPP_UM - 0.5
    return points[tissue.mask[tissue.pixels_of(points)]]


def tumour(radius_um: float = 900.0, size_um: float = 4000.0) -> Outline:
    circle = shapely.Point(size_um / 2 / MPP_UM, size_um / 2 / MPP_UM).buffer(
        radius_um / MPP_UM, quad_segs=64
    )
    outline = Outline.of(circle, circle.boundary, mpp_um=MPP_UM)
    assert outline is not None
    return outline


def test_a_disc_sums_what_lies_in_it():
    values = np.random.default_rng(1).integers(0, 5, (23, 31))
    y, x = np.mgrid[:23, :31]
    for radius in (0.5, 1.0, 4.3, 60.0):
        expected = [
            [values[np.hypot(y - row, x - column) <= radius].sum() for column in range(31)]
            for row in range(23)
        ]
        assert np.array_equal(disc_sum(values.astype(np.int64), radius), expected)


def test_density_is_flat_up_to_edges_and_holes():
    tissue = ragged()
    density = density_map(even_points(tissue, 20.0), tissue, radius_um=250)
    assert np.isnan(density[~tissue.mask]).all()
    seen = density[np.isfinite(density)]
    assert len(seen) > 0.99 * tissue.mask.sum()
    assert seen.mean() == pytest.approx(2500, rel=0.01)
    assert np.quantile(np.abs(seen / 2500 - 1), 0.99) < 0.05


def test_profile_of_uniform_points_is_flat():
    tissue = ragged()
    table = infiltration_profile(
        even_points(tissue, 10.0), tissue, tumour(), rings=Rings(reach_um=600, ring_um=50)
    )
    assert list(table["from_um"]) == list(np.arange(-600, 600, 50))
    assert (table["positive_per_mm2_tissue"] / 10_000 - 1).abs().max() < 0.02


def test_profile_finds_a_planted_density_at_every_ring():
    tissue, outline, rng = ragged(), tumour(), np.random.default_rng(3)
    planted = lambda distance: 300 + 1200 * np.exp(-((distance / 200) ** 2))  # noqa: E731
    points = even_points(tissue, 20.0)
    distance, _ = outline.measured((points + 0.5) * MPP_UM)
    kept = points[rng.random(len(points)) < planted(distance) / 2500]
    table = infiltration_profile(kept, tissue, outline, rings=Rings(reach_um=600))
    middle = (table["from_um"] + table["to_um"]) / 2
    true = planted(middle)
    assert ((table["band95_low_per_mm2"] <= true) & (true <= table["band95_high_per_mm2"])).all()
    inside = (table["ci95_low_per_mm2"] <= true) & (true <= table["ci95_high_per_mm2"])
    assert inside.mean() >= 0.85


def test_signed_distance_is_negative_inside():
    distance, _ = tumour().measured(np.array([[2000.0, 2000.0], [2000.0, 500.0], [2890.0, 2000.0]]))
    assert distance == pytest.approx([-900, 600, -10], abs=0.5)


def test_part_density_has_an_interval_that_knows_clusters():
    tissue, rng = ragged(), np.random.default_rng(5)
    even = even_points(tissue, 40.0)
    clustered = np.repeat(even[rng.choice(len(even), 60)], 80, axis=0) + rng.normal(0, 20, (4800, 2))
    clustered = clustered[tissue.mask[tissue.pixels_of(clustered)]]
    wide = part_density(clustered, tissue.mask, tissue, block_um=500, seed=0)
    flat = part_density(even, tissue.mask, tissue, block_um=500, seed=0)
    assert wide.per_mm2 == pytest.approx(len(clustered) / tissue.area_mm2)
    assert (wide.high - wide.low) / wide.per_mm2 > 2 * (flat.high - flat.low) / flat.per_mm2


def test_fields_drawn_often_do_not_overlap_and_the_first_are_fewer():
    corners = np.stack(np.meshgrid(np.arange(0, 1000, 10.0), np.arange(0, 800, 10.0)), axis=-1).reshape(-1, 2)
    places = [
        Places(corners_xy_px=corners, side_px=200.0),
        Places(corners_xy_px=corners + 500, side_px=200.0),
    ]
    chosen = draw_often(places, n_fields=3, n_draws=300, seed=1)
    assert np.array_equal(chosen[..., :2], draw_often(places, n_fields=2, n_draws=300, seed=1))
    for draw in chosen:
        at = np.concatenate([one.corners_xy_px[own[own >= 0]] for one, own in zip(places, draw, strict=True)])
        apart = np.abs(at[:, None] - at).max(axis=2) + 1e9 * np.eye(len(at))
        assert apart.min() >= 200


def test_what_fields_tell_of_independent_densities():
    densities = np.random.default_rng(0).gamma(4, 100, (4000, 2, 40))  # mean 400, sd 200
    table = fields_tell(densities, [3, 10, 40])
    assert table["mean_per_mm2"].to_numpy() == pytest.approx([400] * 3, rel=0.02)
    assert table["sd_per_mm2"].to_numpy() == pytest.approx(200 / np.sqrt([6, 20, 80]), rel=0.05)
    assert fields_needed(table, 0.3) == 20
    assert fields_needed(table, 0.1) is None


def test_squares_hold_their_cells():
    cells = np.random.default_rng(0).random((500, 2)) * 100
    centre = np.array([[40.0, 60.0]])
    inside = (np.abs(cells - centre) <= 15).all(axis=1).sum()
    assert densities_at(centre, cells, side_px=30, area_mm2=0.5) == [inside / 0.5]


@pytest.mark.parametrize(
    ("centre", "front", "phenotype"),
    [
        ((900, 700, 1200), (900, 700, 1200), Phenotype.INFLAMED),
        ((20, 5, 60), (900, 700, 1200), Phenotype.EXCLUDED),
        ((20, 5, 60), (30, 10, 80), Phenotype.DESERT),
        ((190, 90, 400), (210, 90, 450), Phenotype.NOT_DECIDABLE),
        ((0, 0, 20), (0, 0, 20), Phenotype.DESERT),
        ((np.nan, np.nan, np.nan), (900, 700, 1200), Phenotype.NOT_DECIDABLE),
    ],
)
def test_phenotype_by_the_published_rule(centre, front, phenotype):
    ends = ("value", "low", "high")
    first, second = (Estimate(**dict(zip(ends, one, strict=True))) for one in (centre, front))
    found = immune_phenotype(first, second, cut_per_mm2=200)
    assert found.phenotype is phenotype
    if np.isfinite(centre[0]):
        assert found.p_inflamed + found.p_excluded + found.p_desert == pytest.approx(1)


def test_an_estimate_lies_above_its_own_ends_by_its_interval():
    one = Estimate(value=400, low=200, high=900)
    assert one.above(900) == pytest.approx(0.025)
    assert one.above(200) == pytest.approx(0.975)
    assert one.above(400) == pytest.approx(0.5)


def test_percentile_score_is_the_mean_percentile():
    reference = np.column_stack([np.arange(1, 5), np.arange(10, 50, 10)]).astype(float)
    assert percentile_score(reference, reference) == pytest.approx([12.5, 37.5, 62.5, 87.5])
    assert percentile_score([[2.5, 100]], reference) == pytest.approx([75])
    assert np.isnan(percentile_score([[np.nan, 1]], reference)).all()


def test_percentile_score_on_a_real_table(shared_data):
    import pandas as pd

    files = sorted((shared_data / "hancock").glob("*.csv"))
    table = pd.concat([pd.read_csv(file) for file in files[:1]])
    columns = [name for name in table if "CD3" in str(name).upper() or "CD8" in str(name).upper()]
    if len(columns) < 4:
        pytest.skip("no table of four densities")
    scores = percentile_score(table[columns], table[columns])
    assert np.nanmean(scores) == pytest.approx(50, abs=2)


SPATIAL = SpatialSettings(reach_um=100, step_um=10, n_simulations=99, seed=0)


def test_random_points_lie_in_their_envelope_and_others_do_not():
    tissue = ragged(2000.0)
    window, rng = Window.of(tissue, reach_um=100), np.random.default_rng(2)
    radii = SPATIAL.radii_um
    for curve in (ripley_l, nearest_g):
        simulated = np.array([curve(window.scattered(150, rng), window, radii) for _ in range(99)])
        ps = [envelope(curve(window.scattered(150, rng), window, radii), simulated).p for _ in range(60)]
        assert 0.85 <= (np.array(ps) > 0.05).mean() <= 1.0
        if curve is ripley_l:
            assert np.abs(simulated.mean(axis=0)).max() < 2.5  # unbiased: near 0, up to the root's curvature
    parents = window.scattered(15, rng)
    near = np.repeat(parents, 10, axis=0) + rng.normal(0, 15, (150, 2))
    clustered = spatial_statistics(near / MPP_UM - 0.5, tissue, settings=SPATIAL)
    assert (clustered.groupby("statistic")["p"].first() <= 0.01).all()
    along = np.arange(40, 2000, 80.0)
    regular = np.stack(np.meshgrid(along, along), axis=-1).reshape(-1, 2) / MPP_UM - 0.5
    apart = spatial_statistics(regular, tissue, settings=SPATIAL)
    assert (apart.groupby("statistic")["p"].first() <= 0.01).all()


def test_set_covariance_is_what_tissue_shares_with_itself_moved():
    tissue = ragged(1000.0)
    window = Window.of(tissue, reach_um=100)
    mask = tissue.mask
    shared = (mask[2:, 3:] & mask[:-2, :-3]).sum() * PIXEL_UM**2
    assert window.shared_um2(np.array([[3 * PIXEL_UM, 2 * PIXEL_UM]])) == pytest.approx([shared])
    assert window.shared_um2(np.zeros((1, 2))) == pytest.approx([window.area_um2])
