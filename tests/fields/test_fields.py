import numpy as np
import pandas as pd
import pytest
import shapely

from ihcscore import fields as field_step
from ihcscore.fields import SamplingFrame, candidate_positions, tissue_fraction
from ihcscore.geometry.field import Field
from ihcscore.geometry.square import Square
from ihcscore.schema import FieldSettings, RegionName, Sampling

CENTRE, FRONT = RegionName.TUMOUR_CENTRE, RegionName.INVASIVE_FRONT


def frame(tissue=None, *, side_px=100.0, downsample=10.0, shape=(100, 120), chromogen=None):
    tissue = np.ones(shape, bool) if tissue is None else tissue
    height, width = tissue.shape
    size = (int(width * downsample), int(height * downsample))
    return SamplingFrame(
        tissue=tissue, downsample=downsample, size_xy_px=size, side_px=side_px, chromogen=chromogen
    )


def draw_fields(area, **options):
    """The drawn fields as a table."""
    columns = ["region", "field_id", "x_px", "y_px", "side_px", "angle_deg", "tissue_fraction"]
    drawn = field_step.draw_fields(area, **options)
    return pd.DataFrame([one.as_row() for one in drawn], columns=columns)


def boxes(fields):
    return [shapely.box(r.x_px, r.y_px, r.x_px + r.side_px, r.y_px + r.side_px) for r in fields.itertuples()]


def test_fields_lie_inside_and_do_not_overlap():
    area = shapely.Point(600, 500).buffer(400)
    fields = draw_fields(area, region=CENTRE, frame=frame(), settings=FieldSettings(n_per_region=8))
    squares = boxes(fields)
    assert len(squares) == 8
    assert all(area.contains(square) for square in squares)
    assert shapely.union_all(squares).area == pytest.approx(8 * 100**2)
    assert list(fields.field_id) == [f"centre-{i}" for i in range(1, 9)]


def test_same_seed_same_fields_other_seed_others():
    area = shapely.box(0, 0, 1200, 1000)
    a, b, c = (
        draw_fields(area, region=CENTRE, frame=frame(), settings=FieldSettings(seed=s)) for s in (7, 7, 8)
    )
    pd.testing.assert_frame_equal(a, b)
    assert not a[["x_px", "y_px"]].equals(c[["x_px", "y_px"]])


def test_width_and_height_are_not_swapped():
    # a wide, low region: only a reader that keeps x and y apart finds room for a row of fields
    area = shapely.box(50, 300, 1150, 420)
    fields = draw_fields(area, region=FRONT, frame=frame(), settings=FieldSettings(n_per_region=3))
    assert len(fields) == 3
    assert fields.y_px.between(300, 320).all()
    assert np.ptp(fields.x_px) >= 200


def test_tissue_fraction_is_held():
    tissue = np.zeros((100, 120), bool)
    tissue[:, :60] = True
    fields = draw_fields(
        shapely.box(0, 0, 1200, 1000),
        region=CENTRE,
        frame=frame(tissue),
        settings=FieldSettings(n_per_region=20),
    )
    assert (fields.tissue_fraction >= 0.7).all()
    # a square with 70 % on the left half starts at most 30 px before its edge
    assert fields.x_px.max() <= 530


def test_as_many_as_fit():
    # two squares of 100 fit into 210 × 110 and no third; random placement alone would often wedge
    area = shapely.box(100, 100, 310, 210)
    fields = draw_fields(area, region=CENTRE, frame=frame(), settings=FieldSettings(n_per_region=5))
    assert len(fields) == 2


def test_the_last_room_is_found():
    # six squares of 100 px fit into 200 × 300 in one way only
    area = shapely.box(100, 100, 301, 401)
    fields = draw_fields(area, region=CENTRE, frame=frame(), settings=FieldSettings(n_per_region=6))
    assert len(fields) == 6


def test_tissue_of_a_turned_field():
    tissue = np.zeros((100, 120), bool)
    tissue[:, :60] = True
    squares = [
        Square(x_px=x, y_px=400, side_px=200, angle_deg=angle)
        for x, angle in ((500, 0.0), (500, 30.0), (300, 45.0), (459, 45.0))
    ]
    found = [tissue_fraction(square, frame(tissue)) for square in squares]
    # centred on the tissue's edge: half, turned or not; the last has a tip of 100 √2 - 41 px beyond it,
    # a triangle of (141.4 - 41)² = 10 078 of 40 000 px²
    np.testing.assert_allclose(found, [0.5, 0.5, 1.0, 1 - 10_078 / 40_000], atol=0.02)


def test_no_room_gives_an_empty_table():
    small = shapely.box(0, 0, 90, 90)
    assert draw_fields(small, region=CENTRE, frame=frame(), settings=FieldSettings()).empty
    assert draw_fields(shapely.MultiPolygon(), region=CENTRE, frame=frame(), settings=FieldSettings()).empty


def test_taken_fields_are_not_overlapped():
    area = shapely.box(0, 0, 320, 110)
    taken = Field(
        field_id="centre-1",
        region=CENTRE,
        square=Square(x_px=100.0, y_px=0.0, side_px=100.0),
        area_mm2=0.13,
        tissue_fraction=1.0,
    )
    fields = draw_fields(
        area, region=FRONT, frame=frame(), settings=FieldSettings(n_per_region=9), taken=[taken]
    )
    assert 1 <= len(fields) <= 2
    assert not any(square.overlaps(shapely.box(100, 0, 200, 100)) for square in boxes(fields))


def test_holes_are_outside():
    hole = shapely.box(0, 0, 1200, 1000).difference(shapely.box(200, 0, 1200, 1000))
    fields = draw_fields(hole, region=CENTRE, frame=frame(), settings=FieldSettings(n_per_region=4))
    assert (fields.x_px + fields.side_px <= 200).all()


def test_every_position_is_equally_likely():
    # a strip with room for 21 positions across: over many seeds each is drawn about as often
    area = shapely.box(0, 0, 300, 100)
    positions, _ = candidate_positions(area, frame=frame(), min_tissue_fraction=0.7)
    inside = positions[(positions[:, 0] <= 200) & (positions[:, 1] == 0)]
    assert len(inside) == 21
    drawn = [
        draw_fields(area, region=CENTRE, frame=frame(), settings=FieldSettings(n_per_region=1, seed=s)).x_px[
            0
        ]
        for s in range(840)
    ]
    counts = pd.Series(drawn).value_counts().reindex(inside[:, 0], fill_value=0)
    # chi-square with 20 degrees of freedom: 45.3 is its 99.9 % point (scipy.stats.chi2.ppf(0.999, 20))
    assert ((counts - 40) ** 2 / 40).sum() < 45.3


@pytest.mark.parametrize("sampling", [one for one in Sampling if one != Sampling.GIVEN])
def test_every_design_lies_inside_without_overlap_and_repeats(sampling):
    area = shapely.Point(600, 500).buffer(420).difference(shapely.Point(500, 450).buffer(60))
    slide = frame(chromogen=np.random.default_rng(0).random((100, 120)).astype(np.float32))
    settings = FieldSettings(n_per_region=6, sampling=sampling, seed=3)
    fields = draw_fields(area, region=CENTRE, frame=slide, settings=settings)
    squares = boxes(fields)
    assert len(squares) >= 3
    assert all(area.contains(square) for square in squares)
    assert shapely.union_all(squares).area == pytest.approx(len(squares) * 100**2)
    pd.testing.assert_frame_equal(fields, draw_fields(area, region=CENTRE, frame=slide, settings=settings))


def test_systematic_fields_lie_on_a_lattice_and_are_as_many_as_asked_on_average():
    area = shapely.box(0, 0, 1200, 1000)
    numbers = []
    for seed in range(40):
        settings = FieldSettings(n_per_region=9, sampling=Sampling.SYSTEMATIC, seed=seed)
        fields = draw_fields(area, region=CENTRE, frame=frame(), settings=settings)
        numbers.append(len(fields))
        steps = np.diff(np.unique(fields.x_px))
        assert len(steps) == 0 or np.ptp(steps) <= 10
    assert np.mean(numbers) == pytest.approx(9, rel=0.1)


def test_all_fields_tile_the_region():
    settings = FieldSettings(sampling=Sampling.ALL)
    fields = draw_fields(shapely.box(100, 100, 700, 500), region=CENTRE, frame=frame(), settings=settings)
    assert len(fields) == 24


def test_hotspots_are_where_the_chromogen_is():
    chromogen = np.zeros((100, 120), np.float32)
    chromogen[30:40, 70:80] = 1
    chromogen[70:80, 20:30] = 0.5
    settings = FieldSettings(n_per_region=2, sampling=Sampling.HOTSPOT)
    fields = draw_fields(
        shapely.box(0, 0, 1200, 1000), region=CENTRE, frame=frame(chromogen=chromogen), settings=settings
    )
    assert list(zip(fields.x_px, fields.y_px, strict=True)) == [(700, 300), (200, 700)]
