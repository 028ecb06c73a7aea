import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ihcscore import score
from ihcscore.geometry.square import Square, turned
from ihcscore.schema import FIELDS, SCORES, Note, NoteKind, RegionName


def cells_in_square(found, **square):
    """The cells that a square holds."""
    return found[Square(**square).holds(found["x_px"], found["y_px"])]


def cells(points, kind="Positive"):
    return pd.DataFrame(points, columns=["x_px", "y_px"], dtype=float).assign(**{"class": kind})


def test_a_cell_belongs_to_exactly_one_of_two_touching_squares():
    # the border at pixel corner 100 runs half a pixel before the centre of pixel 100
    found = cells([(99.4, 10), (99.5, 10), (99.6, 10), (0, 0), (-0.6, 5)])
    left = cells_in_square(found, x_px=0, y_px=0, side_px=100)
    right = cells_in_square(found, x_px=100, y_px=0, side_px=100)
    assert list(left.x_px) == [99.4, 0]
    assert list(right.x_px) == [99.5, 99.6]


@given(st.lists(st.tuples(st.floats(-5, 305), st.floats(-5, 305)), max_size=40), st.floats(100, 150))
def test_touching_squares_hold_every_cell_once(points, side):
    found = cells(points)
    tiles = [(i * side, j * side) for i in range(-1, 4) for j in range(-1, 4)]
    held = [cells_in_square(found, x_px=x, y_px=y, side_px=side) for x, y in tiles]
    assert sum(map(len, held)) == len(found)


def test_a_square_turned_by_45_degrees_by_hand():
    # side 10√2 about (10.5, 10.5): a diamond of half diagonal 10 about the centre of pixel (10, 10);
    # its upper right edge was the top one, its upper left edge the left one
    side = 10 * math.sqrt(2)
    found = cells([(10, 10), (15, 5), (5, 5), (15, 15), (5, 15), (10, 0), (10, 20), (15.1, 5), (17, 17)])
    square = {"x_px": 10.5 - side / 2, "y_px": 10.5 - side / 2, "side_px": side}
    held = cells_in_square(found, **square, angle_deg=45)
    assert list(zip(held.x_px, held.y_px, strict=True)) == [(10, 10), (15, 5), (5, 5), (10, 0)]
    # the neighbour beyond the lower right edge holds what lies on it
    square = {"x_px": 20.5 - side / 2, "y_px": 20.5 - side / 2, "side_px": side}
    held = cells_in_square(found, **square, angle_deg=45)
    assert list(zip(held.x_px, held.y_px, strict=True)) == [(15, 15), (17, 17)]


coordinates = st.integers(-2000, 2000).map(lambda n: n / 10)


@given(
    st.lists(st.tuples(coordinates, coordinates), max_size=30),
    coordinates,
    coordinates,
    st.integers(200, 2000).map(lambda n: n / 10),
    st.floats(-180, 180),
)
def test_points_and_square_turned_together_give_the_same_members(points, x, y, side, angle):
    found = cells(points)
    held = cells_in_square(found.assign(number=range(len(points))), x_px=x, y_px=y, side_px=side)
    moved = turned(found[["x_px", "y_px"]].to_numpy() + 0.5, angle) - 0.5
    centre = turned(np.array([[x + side / 2, y + side / 2]]), angle)[0]
    again = cells_in_square(
        found.assign(x_px=moved[:, 0], y_px=moved[:, 1], number=range(len(points))),
        x_px=centre[0] - side / 2,
        y_px=centre[1] - side / 2,
        side_px=side,
        angle_deg=angle,
    )
    assert list(again.number) == list(held.number)


@given(
    st.lists(st.tuples(coordinates, coordinates), max_size=30),
    st.integers(1000, 1500).map(lambda n: n / 10),
    st.sampled_from([10.0, 30.0, 45.0, -12.5, 90.0]),
)
def test_touching_turned_squares_hold_every_cell_once(points, side, angle):
    found = cells(points)
    steps = [(i * side, j * side) for i in range(-3, 4) for j in range(-3, 4)]
    centres = turned(np.array(steps), angle) + 7.3
    held = [
        cells_in_square(found, x_px=x - side / 2, y_px=y - side / 2, side_px=side, angle_deg=angle)
        for x, y in centres
    ]
    assert sum(map(len, held)) == len(found)


def test_field_by_hand():
    found = pd.concat(
        [cells([(1, 1)] * 13), cells([(2, 2)] * 26, "Negative"), cells([(3, 3)] * 2, "Pigment suspect")]
    )
    row = score.score_field(found, area_mm2=0.13, tissue_fraction=0.8, pigment_fraction=0.05)
    assert row["positive_per_mm2"] == pytest.approx(100)
    assert row["positive_per_mm2_tissue"] == pytest.approx(125)
    assert row["positive_or_suspect_per_mm2"] == pytest.approx(15 / 0.13)
    assert row["percent_positive"] == pytest.approx(100 / 3)


def test_field_without_cells_or_tissue_has_no_nonsense():
    row = score.score_field(cells([]), area_mm2=0.13, tissue_fraction=0.0, pigment_fraction=0.0)
    assert row["positive_per_mm2"] == 0
    assert math.isnan(row["positive_per_mm2_tissue"])
    assert math.isnan(row["percent_positive"])


def field_rows(counts, region="Tumour centre", failed=0):
    rows = []
    for number, n in enumerate(counts):
        found = cells([(1, 1)] * n)
        rows.append(
            {
                "region": region,
                "field_id": f"f{number}",
                "area_mm2": 0.13,
                "tissue_fraction": 1.0,
                "status": "scored",
            }
            | score.score_field(found, area_mm2=0.13, tissue_fraction=1.0, pigment_fraction=0.0)
        )
    rows += [{"region": region, "field_id": "x", "area_mm2": 0.13, "status": "failed"}] * failed
    return rows


ABOUT = {"slide": "s", "marker": "CD3", "region_source": "annotated", "sampling": "random", "seed": 0,
         "margin_um": 1000.0, "front": "both", "field_area_mm2": 0.13}  # fmt: skip

CENTRE, FRONT = RegionName.TUMOUR_CENTRE, RegionName.INVASIVE_FRONT


def scores_of(fields, *, n_fields=None, notes=()):
    return score.score_regions(fields, about_slide=ABOUT, n_fields=n_fields or {CENTRE: 3}, notes=notes)


def test_region_by_hand():
    # 13, 26 and 39 cells: 100, 200, 300 per mm²; mean 200, SD 100;
    # 4.302653 × 0.5 / √3 = 1.242069 (t table, 2 degrees of freedom): below 0, and 200 × exp(1.242069)
    fields = score.field_table(field_rows([13, 26, 39]))
    scores = scores_of(fields, n_fields={CENTRE: 3, FRONT: 3})
    centre = scores.iloc[0]
    assert list(scores.columns) == SCORES.names
    assert centre.positive_per_mm2 == pytest.approx(200)
    assert (centre.mean_per_mm2, centre.sd_per_mm2) == (pytest.approx(200), pytest.approx(100))
    assert centre.ci95_low_per_mm2 == 0
    assert centre.ci95_high_per_mm2 == pytest.approx(692.554, abs=1e-3)
    assert centre.cv == pytest.approx(0.5)
    # t(0.975, 4) / √5 = 1.2417 is the first below half of t(0.975, 2) / √3 = 2.4841
    assert centre.n_fields_to_halve == 5
    front = scores.iloc[1]
    assert (front.n_fields, front.n_scored) == (3, 0)
    assert np.isnan(front.positive_per_mm2)


def test_failed_fields_stay_out_of_the_densities_and_in_the_table():
    fields = score.field_table(field_rows([13, 26], failed=1))
    assert list(fields.columns) == FIELDS.names
    assert fields.n_positive.isna().sum() == 1
    notes = [
        Note(kind=NoteKind.THIN, text="w", region=CENTRE),
        Note(kind=NoteKind.PROPOSED, text="regions proposed, not confirmed"),
        Note(kind=NoteKind.THIN, text="f", region=FRONT),
    ]
    centre = scores_of(fields, notes=notes).iloc[0]
    assert (centre.n_scored, centre.n_failed, centre.n_positive) == (2, 1, 39)
    assert centre.positive_per_mm2 == pytest.approx(39 / 0.26)
    assert centre.warnings == "w"


def test_one_field_has_no_spread():
    centre = scores_of(score.field_table(field_rows([13]))).iloc[0]
    assert centre.mean_per_mm2 == pytest.approx(100)
    assert math.isnan(centre.sd_per_mm2)
    assert math.isnan(centre.ci95_high_per_mm2)


def test_no_cell_found_leaves_a_poisson_limit():
    # 3.6889 cells are the exact two-sided 95 % limit of a Poisson count of 0 (Garwood 1936)
    centre = scores_of(score.field_table(field_rows([0, 0, 0]))).iloc[0]
    assert centre.ci95_low_per_mm2 == 0
    assert centre.ci95_high_per_mm2 == pytest.approx(3.6889 / 0.39, rel=1e-4)


def test_quartiles_and_poisson_limits_by_hand():
    # 13, 26, 39 cells on 0.39 mm²: 78 cells, whose exact limits are 61.657 and 97.347 (R's poisson.test)
    centre = scores_of(score.field_table(field_rows([13, 26, 39]))).iloc[0]
    assert (centre.q1_per_mm2, centre.median_per_mm2, centre.q3_per_mm2) == pytest.approx((150, 200, 250))
    assert centre.poisson_low_per_mm2 * 0.39 == pytest.approx(stats.chi2.ppf(0.025, 156) / 2)
    assert centre.poisson_high_per_mm2 * 0.39 == pytest.approx(stats.chi2.ppf(0.975, 158) / 2)


def test_both_regions_are_all_fields_with_the_spread_within_each():
    fields = score.field_table(field_rows([13, 26, 39]) + field_rows([130, 143, 156], region=str(FRONT)))
    scores = scores_of(fields, n_fields={CENTRE: 3, FRONT: 3}).set_index("region")
    both = scores.loc["Both regions"]
    assert (both.n_fields, both.n_scored, both.n_positive) == (6, 6, 507)
    density = np.array([100, 200, 300, 1000, 1100, 1200.0])
    assert both.mean_per_mm2 == pytest.approx(density.mean())
    assert both.sd_per_mm2 == pytest.approx(density.std(ddof=1))
    # each region's own interval, by hand: 4.302653 × CV / √3 of 0.5 and of 1/11
    reach = np.array([4.302653 * 0.5, 4.302653 / 11]) / np.sqrt(3)
    mean = np.array([200.0, 1100.0])
    down = mean - np.maximum(mean * (1 - reach), 0)
    up = mean * np.exp(reach) - mean
    assert both.ci95_low_per_mm2 == pytest.approx(650 - np.hypot(*down) / 2, rel=1e-6)
    assert both.ci95_high_per_mm2 == pytest.approx(650 + np.hypot(*up) / 2, rel=1e-6)


def test_a_region_with_one_field_beside_others_has_no_common_interval():
    fields = score.field_table(field_rows([13, 26, 39]) + field_rows([130], region=str(FRONT)))
    both = scores_of(fields, n_fields={CENTRE: 3, FRONT: 3}).iloc[-1]
    assert both.n_scored == 4
    assert math.isnan(both.ci95_low_per_mm2)
    assert not math.isnan(both.poisson_low_per_mm2)


def test_one_region_alone_is_both_to_the_last_bit():
    fields = score.field_table(field_rows([13, 26, 39]))
    alone, both = (scores_of(fields).iloc[at] for at in (0, 1))
    for column in ("mean_per_mm2", "ci95_low_per_mm2", "ci95_high_per_mm2", "poisson_high_per_mm2"):
        assert alone[column] == both[column]
