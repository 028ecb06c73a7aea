from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import shapely

from ihcscore.geometry.square import Square, centres_of_corners, is_upright
from ihcscore.pictures import (
    FieldPicture,
    Overview,
    PlacedField,
    draw_field,
    draw_overview,
    draw_rings,
    encode_jpeg,
    upright_field,
    with_marks,
    write_png,
)
from ihcscore.pictures.frame import WARNING
from ihcscore.schema import CLASS_COLOURS, FOLD_COLOUR, CellClass, FieldStatus, RegionName


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


@pytest.mark.parametrize("kind", list(CLASS_COLOURS))
def test_every_class_has_its_own_colour(kind):
    canvas = np.full((60, 60, 3), 255, np.uint8)
    draw_rings(canvas, cells((30.0, 30.0, kind, 8.0)), mpp_um=0.5)
    drawn = canvas[(canvas != 255).any(axis=2)]
    nearest = min(
        CLASS_COLOURS, key=lambda name: np.abs(drawn.min(axis=0).astype(int) - CLASS_COLOURS[name]).sum()
    )
    assert nearest == kind


def head(width):
    """Height of the strip with a title of one line."""
    return round(int(np.clip(width / 55, 13, 26)) * 1.9)


def test_field_picture_keeps_the_field_and_pales_its_surroundings():
    rgb = np.full((220, 720, 3), 100, np.uint8)
    picture = FieldPicture(
        rgb=rgb, cells=cells(), square=Square(x_px=30, y_px=10, side_px=200), mpp_um=0.5, title="S07 · é ² µ"
    )
    drawn = draw_field(picture)
    assert drawn.shape[1] == 720
    assert (drawn[head(720) + 100, 100] == 100).all()
    assert (drawn[head(720) + 100, 5] > 180).all()
    assert (rgb == 100).all()


def test_a_turned_field_is_paled_beyond_its_own_edges():
    rgb = np.full((220, 720, 3), 100, np.uint8)
    square = Square(x_px=80, y_px=60, side_px=100, angle_deg=45)
    drawn = draw_field(FieldPicture(rgb=rgb, cells=cells(), square=square, mpp_um=0.5, title="S07"))
    picture = drawn[head(720) : head(720) + 220]
    # about (130, 110), half diagonal 70.7: its upper corner is inside, the unturned square's is not
    assert (picture[50, 130] == 100).all()
    assert (picture[110, 70] == 100).all()
    assert (picture[63, 83] > 180).all()
    assert (picture[75, 165] < 60).all()  # the outline half-way between two corners


@pytest.mark.parametrize(("longest", "zoom"), [(700, 1), (3000, 1), (699, 2), (256, 3), (200, 4), (64, 4)])
def test_small_pictures_are_enlarged_two_to_four_times(longest, zoom):
    rgb = np.full((50, longest, 3), 255, np.uint8)
    picture = FieldPicture(
        rgb=rgb, cells=cells((20.0, 25.0, CellClass.POSITIVE, 10.0)), square=None, mpp_um=0.5, title="tile"
    )
    canvas = with_marks(picture)
    assert canvas.shape == (50 * zoom, longest * zoom, 3)
    ring = (canvas != 255).any(axis=2).nonzero()
    # The middle of pixel 20 lies 20.5 pixels from the corner, here as there.
    assert ring[1].mean() == pytest.approx(20.5 * zoom - 0.5, abs=0.6)
    assert ring[0].mean() == pytest.approx(25.5 * zoom - 0.5, abs=0.6)


def test_a_legend_is_never_cut_however_narrow_the_picture():
    rgb = np.full((40, 40, 3), 100, np.uint8)
    title = "a-very-long-name-of-a-tile-without-any-blank-that-goes-on-and-on.png"
    drawn = draw_field(FieldPicture(rgb=rgb, cells=cells(), square=None, mpp_um=0.25, title=title))
    assert 160 < drawn.shape[1] < 320  # 4 times 40, on wider paper
    edges = np.concatenate([drawn[:, -2:].ravel(), drawn[:2].ravel(), drawn[-2:].ravel()])
    assert (edges == 255).all()


def test_negatives_are_dots_and_off_unless_asked():
    some = cells((30.0, 30.0, CellClass.POSITIVE, 8.0), (80.0, 30.0, CellClass.NEGATIVE, 8.0))
    rgb = np.full((60, 720, 3), 255, np.uint8)
    picture = FieldPicture(rgb=rgb, cells=some, square=None, mpp_um=0.5, title="x")
    assert (with_marks(picture)[:, 60:] == 255).all()
    dotted = (with_marks(replace(picture, negatives=True)) != 255).any(axis=2)[:, 60:]
    assert 5 < dotted.sum() < 40  # 2 µm across: 4 px


def test_a_nucleus_has_one_mark():
    canvas = np.full((60, 60, 3), 255, np.uint8)
    both = cells((30.0, 30.0, CellClass.POSITIVE, 8.0), (31.0, 30.0, CellClass.NEGATIVE, 8.0))
    draw_rings(canvas, both, mpp_um=0.5)
    assert (canvas[27:34, 27:34] == 255).all()


def test_a_rejected_field_shows_what_spoils_it():
    rgb = np.full((200, 720, 3), 200, np.uint8)
    fold = np.zeros((200, 720), bool)
    fold[50:100, 100:200] = True
    drawn = draw_field(
        FieldPicture(
            rgb=rgb, cells=None, square=None, mpp_um=0.5, title="x", tinted=[("Fold", fold, FOLD_COLOUR)],
            note="Not scored: 12 % of it is folded",
        )
    )  # fmt: skip
    picture = drawn[2 * head(720) : 2 * head(720) + 200].astype(int)
    assert picture[75, 150, 0] > picture[75, 150, 1] + 30
    assert (picture[150, 400] == 200).all()
    red = np.abs(drawn[head(720) : 2 * head(720)].astype(int) - WARNING).sum(axis=2)
    assert red.min() < 40


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_turned_field_is_shown_upright_with_its_cells(mirrored):
    square = Square(x_px=60, y_px=60, side_px=80, angle_deg=30)
    top_left = centres_of_corners(square.corners_xy_px)[0]
    rgb = np.full((200, 200, 3), 255, np.uint8)
    at = square.centre_xy_px + 0.8 * (top_left - square.centre_xy_px)
    picture = FieldPicture(
        rgb=rgb, cells=cells((*at, CellClass.POSITIVE, 8.0)), square=square, mpp_um=0.5, title="x"
    )
    upright = upright_field(picture, mirrored=mirrored)
    assert is_upright(upright.square.corners_xy_px)
    cell = upright.cells.iloc[0]
    left, top = cell["x_px"] - upright.square.x_px, cell["y_px"] - upright.square.y_px
    assert left == pytest.approx(72 if mirrored else 8, abs=1)
    assert top == pytest.approx(8, abs=1)


def test_overview_shows_regions_and_fields():
    tumour = shapely.Point(4000, 3000).buffer(1500)
    overview = Overview(
        rgb=np.full((600, 800, 3), 230, np.uint8),
        downsample=10.0,
        mpp_um=5.0,
        tumour=tumour,
        tissue=shapely.box(500, 500, 7500, 5500),
        excluded=shapely.box(3000, 3000, 3300, 3300),
        regions=[
            (RegionName.TUMOUR_CENTRE, tumour.buffer(-500)),
            (RegionName.INVASIVE_FRONT, tumour.boundary.buffer(500)),
        ],
        fields=[
            PlacedField(
                field_id="centre-1",
                region=RegionName.TUMOUR_CENTRE,
                square=Square(x_px=3900, y_px=2900, side_px=300),
            ),
            PlacedField(
                field_id="front-1",
                region=RegionName.INVASIVE_FRONT,
                square=Square(x_px=2300, y_px=2900, side_px=300, angle_deg=45),
                status=FieldStatus.FAILED,
            ),
        ],
        title="S07.mrxs",
    )  # fmt: skip
    drawn = draw_overview(overview)
    strip = head(800)
    assert (drawn[strip + 20, 20] == 230).all()
    assert (drawn[strip + 350, 420] == 230).all()  # no tint
    front = drawn[strip + 280 : strip + 320, 510:540].astype(int)
    hatched = front[..., 0] > front[..., 2] + 40  # orange lines
    assert 0 < hatched.mean() < 0.15
    assert (front[~hatched] == 230).mean() > 0.9
    # edges at 10 px by pixel: upright 390 to 420; turned about (245, 305), half diagonal 21.2
    assert (drawn[strip + 305, 391] < 60).all()
    assert (drawn[strip + 305, 266] < 60).all()
    assert (drawn[strip + 318, 231] > 100).all()


def test_pictures_are_written_in_rgb(tmp_path):
    from PIL import Image

    rgb = np.zeros((40, 60, 3), np.uint8)
    rgb[..., 0] = 200
    write_png(tmp_path / "a.png", rgb)
    with Image.open(tmp_path / "a.png") as picture:
        again = np.asarray(picture.convert("RGB"))
    np.testing.assert_allclose(again.astype(int), rgb.astype(int), atol=4)
    (tmp_path / "a.jpg").write_bytes(encode_jpeg(rgb, longest_px=30))
    small = np.asarray(Image.open(tmp_path / "a.jpg"))
    assert small.shape == (20, 30, 3)
    assert np.abs(small[10, 15].astype(int) - (200, 0, 0)).max() < 6


def test_numbers_are_written_beside_rings_and_the_scale_bar_is_still_drawn():
    rgb = np.full((220, 720, 3), 200, np.uint8)
    marked = cells((300.0, 100.0, CellClass.POSITIVE, 8.0), (500.0, 100.0, CellClass.NEGATIVE, 8.0))
    pictures = [
        draw_field(
            FieldPicture(
                rgb=rgb, cells=marked.assign(number=[12, 13]), title="S07", mpp_um=0.5, numbers=numbers,
                square=Square(x_px=30, y_px=10, side_px=200),
            )
        )
        for numbers in (False, True)
    ]  # fmt: skip
    rows, columns = np.nonzero((pictures[0] != pictures[1]).any(axis=2))
    assert len(rows) > 20
    # above the ring of the positive cell, to its right; nothing beside the negative one
    assert 300 < columns.min() < columns.max() < 340
    assert rows.max() - head(720) < 100
