import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ihcscore import stain
from ihcscore.cells.pigment import pigment_mask
from ihcscore.output import as_plain
from ihcscore.planes import check_rgb
from ihcscore.stain import (
    chromogen_above_background,
    estimate_stains,
    mean_od_of,
    melanin_vector,
    od_to_rgb,
    rgb_to_od,
    separate,
    unmix,
    working_step_px,
)

WHITE = (240.0, 238.0, 236.0)
DATA = Path(__file__).parent.parent.parent / "shared" / "data"


def plain(rgb, side=40):
    return np.full((side, side, 3), rgb, np.uint8)


def stains(**changes):
    return replace(estimate_stains(plain(240), white_rgb=WHITE), **changes)


def painted(amounts, side=40):
    """A patch of so much haematoxylin, DAB and melanin."""
    used = stains()
    vectors = np.stack([used.hematoxylin.rgb, used.chromogen.rgb, used.pigment.rgb])
    colour = od_to_rgb(np.array(amounts) @ vectors, WHITE)
    return plain(np.rint(colour).astype(np.uint8), side)


def test_od_is_base_ten():
    od = rgb_to_od(np.array([240.0, 23.8, 2.36]), WHITE)
    assert od == pytest.approx([0.0, 1.0, 2.0])


@given(hnp.arrays(np.uint8, (5, 4, 3), elements=st.integers(1, 255)))
def test_od_round_trip(rgb):
    assert np.array_equal(np.rint(od_to_rgb(rgb_to_od(rgb, WHITE), WHITE)), rgb)


@given(st.floats(0, 2), st.floats(0, 2))
def test_unmix_undoes_mixing(hematoxylin, dab):
    used = stains()
    od = hematoxylin * np.array(used.hematoxylin.rgb) + dab * np.array(used.chromogen.rgb)
    assert unmix(od, used) == pytest.approx([hematoxylin, dab, 0], abs=1e-9)


def test_melanin_is_brown_with_a_residual():
    # 610, 540, 465 nm to the power of -3.3, of unit length, by hand
    assert melanin_vector() == pytest.approx((0.329, 0.492, 0.806), abs=1e-3)
    hematoxylin, dab, residual = unmix(np.array(melanin_vector()), stains())
    assert abs(hematoxylin) < 0.02
    assert dab == pytest.approx(1.0, abs=0.01)
    assert residual == pytest.approx(0.103, abs=0.002)


@pytest.mark.parametrize(("mpp_um", "step"), [(0.1, 5), (0.25, 2), (0.2, 2.5), (0.4, 1.25), (1.0, 0.5)])
def test_working_step(mpp_um, step):
    assert working_step_px(mpp_um) == pytest.approx(step)


@pytest.mark.parametrize("mpp_um", [0, -0.25, 0.01, 2.0, float("nan")])
def test_an_impossible_pixel_size_is_refused(mpp_um):
    with pytest.raises(ValueError, match=r"expected 0\.05 to 1 "):
        working_step_px(mpp_um)


@pytest.mark.parametrize(
    "rgb",
    [
        np.zeros((4, 4, 3), np.uint16),
        np.zeros((4, 4, 3), float),
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
        [[0, 0, 0]],
    ],
)
def test_only_8_bit_rgb_is_taken(rgb):
    with pytest.raises(ValueError, match="expected"):
        check_rgb(rgb)


def test_separate_averages_blocks():
    rgb = plain(240, side=8)
    rgb[:2, :2] = [[[100, 120, 140], [102, 122, 142]], [[104, 124, 144], [106, 126, 146]]]
    maps = separate(rgb, mpp_um=0.25, stains=stains())
    by_hand = unmix(rgb_to_od(np.array([103.0, 123.0, 143.0]), WHITE), stains())
    assert maps.mpp_um == 0.5
    assert maps.chromogen_od.shape == (4, 4)
    assert [
        maps.hematoxylin_od[0, 0],
        maps.chromogen_od[0, 0],
        maps.residual_od[0, 0],
    ] == pytest.approx(by_hand, abs=1e-5)


def test_mean_od_is_the_mean_of_the_channels():
    rgb = plain((100, 120, 140), side=4)
    maps = separate(rgb, mpp_um=0.5, stains=stains())
    mean = rgb_to_od(rgb[0, 0], WHITE).mean()
    assert maps.mean_od[1, 1] == pytest.approx(mean, abs=1e-5)
    assert mean_od_of(rgb, WHITE)[1, 1] == pytest.approx(mean, abs=1e-5)


def test_a_table_says_what_the_formula_says():
    rgb = np.random.default_rng(0).integers(0, 256, (30, 20, 3), np.uint8)
    rgb[0, 0] = 0  # intensities below 1 are taken as 1
    assert stain.od_of(rgb, WHITE) == pytest.approx(rgb_to_od(rgb, WHITE), abs=1e-6)
    assert stain.od_of(rgb, WHITE)[0, 0] == pytest.approx(np.log10(WHITE), abs=1e-6)


def test_a_part_of_the_maps():
    maps = separate(plain((100, 120, 140), side=40), mpp_um=0.25, stains=stains())
    part = maps.part((slice(2, 7), slice(10, 20)))
    assert part.mean_od.shape == (5, 10)
    assert part.grid.shape_yx == (5, 10)
    assert part.grid.start_xy_px == (20, 4)


def test_background_is_what_lies_between_cells():
    rgb = painted((0.0, 0.2, 0.0), side=120)
    rgb[50:70, 50:70] = painted((0.0, 1.0, 0.0), side=20)
    above = chromogen_above_background(separate(rgb, mpp_um=0.5, stains=stains()))
    assert above[10, 10] == pytest.approx(0, abs=0.01)
    assert above[60, 60] == pytest.approx(0.8, abs=0.02)


def test_white_is_estimated_from_glass():
    rgb = painted((0.3, 0.0, 0.0), side=100)
    rgb[:20] = np.array(WHITE, np.uint8)
    white = estimate_stains(rgb).white
    assert white.rgb == pytest.approx(WHITE, abs=1)
    assert white.source == "estimated"


def test_white_is_not_estimated_from_haze():
    white = estimate_stains(plain((170, 165, 190))).white
    assert (white.source, white.rgb) == ("assumed", (245.0, 245.0, 245.0))
    assert "too dark" in white.reason


def test_level_follows_the_stain_and_needs_some():
    rgb = np.full((200, 200, 3), WHITE, np.uint8)
    assert estimate_stains(rgb).chromogen_level.source == "assumed"
    for dab in (0.4, 0.8):
        rgb[80:110, 80:110] = painted((0.0, dab, 0.0), side=30)
        level = estimate_stains(rgb).chromogen_level
        assert level.source == "estimated"
        assert level.od == pytest.approx(dab, rel=0.1)


def test_pigment_is_melanin_and_not_dab():
    for amounts, share in (((0, 0, 0.8), 1.0), ((0, 0.8, 0), 0.0), ((0.4, 0.4, 0), 0.0), ((0.5, 0, 0), 0.0)):
        maps = separate(painted(amounts), mpp_um=0.5, stains=stains())
        assert pigment_mask(maps, stains(), threshold=0.53).mean() == share


@pytest.mark.parametrize("mpp_um", [0.2271, 0.24, 0.346, 0.7])
def test_maps_have_the_same_scale_whatever_the_image_s(mpp_um):
    side_um = 40.0
    n = round(side_um / mpp_um)
    middle = (np.arange(n) + 0.5) * mpp_um - n * mpp_um / 2
    disc = np.hypot(middle, middle[:, None]) < 10
    rgb = np.where(disc[..., None], painted((0.0, 0.5, 0.0), side=n), np.array(WHITE, np.uint8)).astype(
        np.uint8
    )
    maps = separate(rgb, mpp_um=mpp_um, stains=stains())
    assert maps.mpp_um == 0.5
    assert [size % 4 for size in maps.chromogen_od.shape] == [0, 0]
    assert maps.chromogen_od.sum() * 0.25 == pytest.approx(0.5 * np.pi * 10**2, rel=0.03)
    rows, columns = np.nonzero(maps.chromogen_od > 0.25)
    at = maps.grid.centres_in_image(columns.mean(), rows.mean())
    assert at == pytest.approx(((n - 1) / 2, (n - 1) / 2), abs=0.1)


@pytest.mark.parametrize("chromogen", ["AEC", "FastRed"])
def test_other_chromogens_have_their_own_vector(chromogen):
    used = estimate_stains(plain(240), chromogen=chromogen)
    assert used.chromogen.name == chromogen
    assert np.linalg.norm(used.chromogen.rgb) == pytest.approx(1)


def test_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match="expected DAB, AEC or FastRed"):
        estimate_stains(plain(240), chromogen="Hematoxylin")
    with pytest.raises(ValueError, match="three intensities"):
        estimate_stains(plain(240), white_rgb=(0.0, 240.0, 240.0))


def test_stains_go_into_json():
    told = json.loads(json.dumps(as_plain(stains())))
    assert told["chromogen"]["name"] == "DAB"
    assert told["white"]["source"] == "given"
    assert told["chromogen_level"]["od"] > 0
    assert "White given" in stains().source


@pytest.mark.skipif(not DATA.is_dir(), reason="the measured tiles are not here")
def test_no_tile_gets_an_impossible_white():
    from PIL import Image

    for path in sorted((DATA / "lysto_cd3cd8" / "images").iterdir())[:40]:
        used = estimate_stains(np.asarray(Image.open(path).convert("RGB")), mpp_um=0.24)
        assert min(used.white_rgb) >= 185
        assert 0.25 <= used.chromogen_level.od <= 1.0


def test_pigment_s_colour_is_learnt_from_marked_pixels():
    known = stain.estimate_stains(np.full((64, 64, 3), 240, np.uint8))
    direction = np.array([0.5, 0.6, 0.62]) / np.linalg.norm([0.5, 0.6, 0.62])
    amounts = np.random.default_rng(0).uniform(0.4, 1.2, (500, 1))
    pixels = stain.od_to_rgb(amounts * direction, known.white_rgb).round().astype(np.uint8)
    learnt = stain.estimate_pigment(known, pixels)
    assert learnt.pigment.source == "estimated"
    assert np.dot(learnt.pigment.rgb, direction) > 0.9995
    few = stain.estimate_pigment(known, pixels[:50])
    assert few.pigment.rgb == known.pigment.rgb
    assert "too few" in few.pigment.reason


@pytest.mark.parametrize("chromogen", ["DAB", "AEC", "FastRed"])
def test_each_chromogen_is_separated_by_its_own_vector(chromogen):
    white = (245.0, 245.0, 245.0)
    od = 0.6 * np.array(stain.CHROMOGEN_VECTORS[chromogen])
    rgb = np.broadcast_to(stain.od_to_rgb(od, white).round().astype(np.uint8), (40, 40, 3)).copy()
    used = stain.estimate_stains(rgb, chromogen=chromogen, white_rgb=white)
    maps = stain.separate(rgb, mpp_um=0.5, stains=used)
    length = float(np.linalg.norm(stain.CHROMOGEN_VECTORS[chromogen]))
    assert np.abs(maps.chromogen_od - 0.6 * length).max() < 0.02
    assert np.abs(maps.hematoxylin_od).max() < 0.02
