import numpy as np
import pandas as pd
import pytest
import shapely

from ihcscore.geometry.square import square_corners
from ihcscore.pictures.field import (
    FieldPicture,
    Overview,
    draw_field,
    draw_overview,
    draw_rings,
    encode_jpeg,
    write_png,
)
from ihcscore.schema import CLASS_COLOURS, CellClass


def cells(*rows):
    return pd.DataFrame(rows, columns=["x_px", "y_px", "class", "diameter_um"])


def test_a_ring_of_the_cell_s_size_lies_round_its_centre():
    canvas = np.full((100, 120, 3), 255, np.uint8)
    draw_rings(canvas, cells((60.0, 40.0, CellClass.POSITIVE, 10.0)), mpp_um=0.5)
    green = (np.abs(canvas.astype(int) - CLASS_COLOURS[CellClass.POSITIVE]).sum(axis=2) < 60).nonzero()
    # 10 µm and a µm of air on each side, at 0.5 µm/px: a radius of 12 px
    distance = np.hypot(green[1] - 60, green[0] - 40)
    assert distance.mean() == pytest.approx(12, abs=0.7)
    assert (canvas[36:45, 56:65] == 255).all()


@pytest.mark.parametrize("kind", list(CellClass))
def test_every_class_has_its_own_colour(kind):
    canvas = np.full((60, 60, 3), 255, np.uint8)
    draw_rings(canvas, cells((30.0, 30.0, kind, 8.0)), mpp_um=0.5)
    drawn = canvas[(canvas != 255).any(axis=2)]
    nearest = min(
        CLASS_COLOURS, key=lambda name: np.abs(drawn.min(axis=0).astype(int) - CLASS_COLOURS[name]).sum()
    )
    assert nearest == kind


def test_field_picture_keeps_the_field_and_pales_its_surroundings():
    rgb = np.full((220, 260, 3), 100, np.uint8)
    picture = FieldPicture(
        rgb=rgb, cells=cells(), corners_xy_px=square_corners(30, 10, 200), mpp_um=0.5, title="S07 · é ² µ"
    )
    drawn = draw_field(picture)
    strip = (drawn.shape[0] - 220) // 2
    assert drawn.shape[1] == 260
    assert (drawn[strip + 100, 100] == 100).all()
    assert (drawn[strip + 100, 5] > 180).all()
    assert (rgb == 100).all()


def test_a_turned_field_is_paled_beyond_its_own_edges():
    rgb = np.full((220, 260, 3), 100, np.uint8)
    corners = square_corners(80, 60, 100, 45)
    drawn = draw_field(FieldPicture(rgb=rgb, cells=cells(), corners_xy_px=corners, mpp_um=0.5, title="S07"))
    strip = (drawn.shape[0] - 220) // 2
    picture = drawn[strip : strip + 220]
    # about (130, 110), half diagonal 70.7: its upper corner is inside, the unturned square's is not
    assert (picture[50, 130] == 100).all()
    assert (picture[110, 70] == 100).all()
    assert (picture[63, 83] > 180).all()
    assert (picture[75, 165] < 60).all()  # the outline half-way between two corners


def test_overview_shows_regions_and_fields():
    tumour = shapely.Point(4000, 3000).buffer(1500)
    overview = Overview(
        rgb=np.full((600, 800, 3), 230, np.uint8),
        downsample=10.0,
        mpp_um=5.0,
        tumour=tumour,
        tissue=shapely.box(500, 500, 7500, 5500),
        excluded=shapely.box(3000, 3000, 3300, 3300),
        regions=[("Tumour centre", tumour.buffer(-500)), ("Invasive front", tumour.boundary.buffer(500))],
        fields=pd.DataFrame(
            [
                ("centre-1", "Tumour centre", 3900, 2900, 300, 0.0, "scored"),
                ("front-1", "Invasive front", 2300, 2900, 300, 45.0, "failed"),
            ],
            columns=["field_id", "region", "x_px", "y_px", "side_px", "angle_deg", "status"],
        ),
        title="S07.mrxs",
    )  # fmt: skip
    drawn = draw_overview(overview)
    strip = (drawn.shape[0] - 600) // 2
    assert (drawn[strip + 20, 20] == 230).all()
    centre, front = drawn[strip + 350, 420].astype(int), drawn[strip + 300, 540].astype(int)
    assert centre[1] > centre[0]  # greenish
    assert front[0] > front[2]  # orange
    # edges at 10 px by pixel: upright 390 to 420; turned about (245, 305), half diagonal 21.2
    assert (drawn[strip + 305, 391] < 60).all()
    assert (drawn[strip + 305, 266] < 60).all()
    assert (drawn[strip + 318, 231] > 100).all()


def test_pictures_are_written_in_rgb(tmp_path):
    from PIL import Image

    rgb = np.zeros((40, 60, 3), np.uint8)
    rgb[..., 0] = 200
    write_png(tmp_path / "a.png", rgb)
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "a.png")), rgb)
    (tmp_path / "a.jpg").write_bytes(encode_jpeg(rgb, longest_px=30))
    small = np.asarray(Image.open(tmp_path / "a.jpg"))
    assert small.shape == (20, 30, 3)
    assert np.abs(small[10, 15].astype(int) - (200, 0, 0)).max() < 6
