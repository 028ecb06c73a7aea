from __future__ import annotations

import cv2
import numpy as np
import pytest

from ihcscore.synthetic import PENS, ArtefactKind, SectionSettings, add_artefact, draw_section, outline_mask

MPP_UM = 8.0
ON_GLASS = (
    ArtefactKind.BUBBLE,
    ArtefactKind.COVERSLIP_EDGE,
    ArtefactKind.DUST,
    ArtefactKind.LABEL_SHADOW,
)
IN_TISSUE = (ArtefactKind.FOLD, ArtefactKind.OUT_OF_FOCUS, ArtefactKind.PALE)


@pytest.fixture(scope="module")
def section():
    settings = SectionSettings(
        size_um=(3000.0, 2800.0), tissue_um=2100.0, tumour_um=1200.0, mpp_um=2.0, front_um=300.0
    )
    return draw_section(settings, seed=4)


@pytest.fixture(scope="module")
def thumbnail(section):
    """RGB and tissue at 8 µm/px."""
    rgb = cv2.resize(section.rgb, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    return rgb, outline_mask(section.tissue_px, rgb.shape[:2], step=4)


def draw(thumbnail, kind, seed=1):
    rgb, tissue = thumbnail
    return add_artefact(rgb, kind, tissue=tissue, mpp_um=MPP_UM, seed=seed)


@pytest.mark.parametrize("kind", list(ArtefactKind))
def test_same_seed_same_bytes_and_nothing_touched_far_from_the_mask(thumbnail, kind):
    rgb, _ = thumbnail
    drawn, again = draw(thumbnail, kind), draw(thumbnail, kind)
    assert np.array_equal(drawn.rgb, again.rgb)
    assert np.array_equal(drawn.mask, again.mask)
    assert not np.array_equal(drawn.mask, draw(thumbnail, kind, seed=2).mask)
    assert drawn.mask.any()
    changed = np.abs(drawn.rgb.astype(int) - rgb).max(axis=2) > 12
    assert changed[drawn.mask].mean() > (0.1 if kind is ArtefactKind.OUT_OF_FOCUS else 0.6)
    near = cv2.dilate(drawn.mask.astype(np.uint8), np.ones((27, 27), np.uint8)) > 0
    assert not changed[~near].any()


@pytest.mark.parametrize("kind", ON_GLASS)
def test_glass_kinds_lie_on_glass(thumbnail, kind):
    assert draw(thumbnail, kind).mask[thumbnail[1]].mean() < 0.002


@pytest.mark.parametrize("kind", IN_TISSUE)
def test_tissue_kinds_lie_in_tissue(thumbnail, kind):
    assert not draw(thumbnail, kind).mask[~thumbnail[1]].any()


@pytest.mark.parametrize(("kind", "darkest"), list(zip(PENS, (None, 0, 0, 1), strict=True)))
def test_pens_cross_the_tissue_s_edge_in_their_colour(thumbnail, kind, darkest):
    drawn = draw(thumbnail, kind)
    on_tissue = drawn.mask[thumbnail[1]].sum() / drawn.mask.sum()
    assert 0.1 < on_tissue < 0.95
    on_glass = drawn.rgb[drawn.mask & ~thumbnail[1]].mean(axis=0)
    if darkest is None:
        assert np.ptp(on_glass) < 15
        assert on_glass.max() < 60
    else:
        assert int(on_glass.argmin()) == darkest
        assert np.ptp(on_glass) > 60


def test_fold_is_about_three_layers(thumbnail):
    rgb, _ = thumbnail
    drawn = draw(thumbnail, ArtefactKind.FOLD)
    inner = cv2.erode(drawn.mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    before, after = (-np.log10(picture[inner] / 243.0).mean() for picture in (rgb, drawn.rgb))
    assert 2.0 < after / before < 4.0


def test_out_of_focus_loses_detail_and_keeps_brightness(section):
    tissue = outline_mask(section.tissue_px, section.rgb.shape[:2])
    drawn = add_artefact(section.rgb, ArtefactKind.OUT_OF_FOCUS, tissue=tissue, mpp_um=2.0, seed=1)
    inner = cv2.erode(drawn.mask.astype(np.uint8), np.ones((31, 31), np.uint8)) > 0
    before, after = section.rgb[inner].astype(float), drawn.rgb[inner].astype(float)
    assert after.std() < 0.7 * before.std()
    assert after.mean() == pytest.approx(before.mean(), rel=0.03)


def test_outline_mask_has_the_outline_s_area_and_place():
    square = [(9.5, 19.5), (49.5, 19.5), (49.5, 59.5), (9.5, 59.5)]
    mask = outline_mask(square, (100, 80))
    assert mask.sum() == pytest.approx(1600, rel=0.06)
    assert mask[20:60, 10:50].all()
    small = outline_mask(square, (25, 20), step=4)
    assert small.sum() == pytest.approx(100, rel=0.25)
    assert not outline_mask([], (5, 5)).any()


def test_no_room_and_wrong_shapes_are_refused():
    rgb = np.full((40, 40, 3), 243, np.uint8)
    with pytest.raises(ValueError, match="no room"):
        add_artefact(rgb, ArtefactKind.FOLD, tissue=np.zeros((40, 40), bool), mpp_um=8.0)
    with pytest.raises(ValueError, match="no room"):
        add_artefact(rgb, ArtefactKind.COVERSLIP_EDGE, tissue=np.ones((40, 40), bool), mpp_um=8.0)
    with pytest.raises(ValueError, match="shape"):
        add_artefact(rgb, ArtefactKind.FOLD, tissue=np.zeros((4, 4), bool), mpp_um=8.0)
