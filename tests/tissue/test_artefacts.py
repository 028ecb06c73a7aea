from __future__ import annotations

import cv2
import numpy as np
import pytest

from ihcscore.fields.quality import QualitySettings, judge_field
from ihcscore.geometry.field import FieldQuality
from ihcscore.geometry.square import Square, pixels_inside
from ihcscore.slide import open_slide
from ihcscore.synthetic import (
    PENS,
    ArtefactKind,
    SectionSettings,
    Staining,
    TileSettings,
    add_artefact,
    draw_section,
    draw_tile,
    outline_mask,
)
from ihcscore.tissue.artefacts import ArtefactSettings, find_artefacts
from ihcscore.tissue.focus import field_quality, find_blur
from ihcscore.tissue.mask import find_tissue

WHITE = (243.0, 243.0, 240.0)
SECTION = SectionSettings(
    size_um=(3600.0, 3200.0), tissue_um=2600.0, tumour_um=1400.0, mpp_um=2.0, front_um=300.0
)
KINDS = ("pen", "fold", "edge", "pale")


def square_corners(x_px, y_px, side_px, angle_deg=0.0):
    return Square(x_px=x_px, y_px=y_px, side_px=side_px, angle_deg=angle_deg).corners_xy_px


def shrunk(rgb, step):
    return cv2.resize(rgb, None, fx=1 / step, fy=1 / step, interpolation=cv2.INTER_AREA)


def grown(mask, px):
    return cv2.dilate(mask.astype(np.uint8), np.ones((2 * px + 1,) * 2, np.uint8)) > 0


@pytest.fixture(scope="module")
def section():
    return draw_section(SECTION, seed=3)


@pytest.fixture(scope="module", params=[4, 8])
def thumbnail(section, request):
    """RGB, tissue and µm per pixel."""
    rgb = shrunk(section.rgb, request.param // 2)
    return rgb, outline_mask(section.tissue_px, rgb.shape[:2], step=request.param / 2), float(request.param)


def find(rgb, mpp_um, tissue=None):
    scanned = np.ones(rgb.shape[:2], bool)
    found = find_tissue(rgb, scanned=scanned, downsample=1.0, mpp_um=mpp_um)
    return find_artefacts(
        rgb,
        scanned=scanned,
        tissue=found.mask if tissue is None else tissue,
        white_rgb=found.white_rgb,
        mpp_um=mpp_um,
    )


def spoil(thumbnail, kind, seed):
    rgb, tissue, mpp_um = thumbnail
    return add_artefact(rgb, kind, tissue=tissue, mpp_um=mpp_um, seed=seed)


def test_clean_slide_has_no_artefacts(thumbnail):
    rgb, tissue, mpp_um = thumbnail
    found = find(rgb, mpp_um)
    for kind in KINDS:
        assert getattr(found, kind)[tissue].mean() < 0.003, kind
    assert found.usable_tissue[tissue].mean() > 0.96


@pytest.mark.parametrize("kind", PENS)
def test_ink_of_four_colours_is_found_on_glass_and_tissue(thumbnail, kind):
    _, tissue, mpp_um = thumbnail
    spoilt = spoil(thumbnail, kind, seed=round(mpp_um))
    found = find(spoilt.rgb, mpp_um)
    assert found.pen[spoilt.mask & tissue].mean() > 0.9
    assert found.pen[spoilt.mask & ~tissue].mean() > 0.9
    # The soft rim is 24 µm wide and belongs to nobody.
    clean = tissue & ~grown(spoilt.mask, round(32 / mpp_um))
    assert found.pen[clean].mean() < 0.01
    assert found.usable_tissue[spoilt.mask].mean() < 0.02


@pytest.mark.parametrize("seed", [1, 2])
def test_folds_are_found(thumbnail, seed):
    _, tissue, mpp_um = thumbnail
    spoilt = spoil(thumbnail, ArtefactKind.FOLD, seed)
    found = find(spoilt.rgb, mpp_um)
    assert found.fold[spoilt.mask].mean() > 0.7
    assert found.fold[tissue & ~spoilt.mask].mean() < 0.01
    assert not found.usable_tissue[found.fold].any()


@pytest.mark.parametrize("kind", [ArtefactKind.BUBBLE, ArtefactKind.COVERSLIP_EDGE])
def test_lines_on_the_glass_are_edges(thumbnail, kind):
    _, tissue, mpp_um = thumbnail
    spoilt = spoil(thumbnail, kind, 1)
    found = find(spoilt.rgb, mpp_um)
    assert found.edge[spoilt.mask].mean() > 0.9
    assert found.edge[tissue].mean() < 0.005
    assert found.usable_tissue[~tissue].mean() < 0.005


@pytest.mark.parametrize("kind", [ArtefactKind.DUST, ArtefactKind.LABEL_SHADOW])
def test_dust_and_shadow_are_no_tissue(thumbnail, kind):
    _, tissue, mpp_um = thumbnail
    spoilt = spoil(thumbnail, kind, 1)
    found = find(spoilt.rgb, mpp_um)
    assert found.usable_tissue[spoilt.mask].mean() < 0.05
    assert found.edge[tissue].mean() < 0.005


@pytest.mark.parametrize("seed", [1, 2])
def test_dead_tissue_is_marked_and_stays_tissue(thumbnail, seed):
    _, tissue, mpp_um = thumbnail
    spoilt = spoil(thumbnail, ArtefactKind.PALE, seed)
    found = find(spoilt.rgb, mpp_um, tissue)
    assert found.pale[spoilt.mask].mean() > 0.6
    assert found.pale[tissue & ~spoilt.mask].mean() < 0.01
    assert found.usable_tissue[found.pale & spoilt.mask].mean() > 0.95


def with_follicles(section, other):
    """A section with five round patches of another, from 60 to 280 µm in radius."""
    rgb = section.rgb.copy()
    yy, xx = np.indices(rgb.shape[:2]) * section.mpp_um
    for x, y, radius in (
        (900, 1500, 280),
        (1900, 2500, 250),
        (2800, 1300, 120),
        (1000, 2200, 60),
        (2800, 1900, 200),
    ):
        disc = (xx - x) ** 2 + (yy - y) ** 2 < radius**2
        rgb[disc] = other.rgb[disc]
    return rgb


@pytest.mark.parametrize(
    "follicle",
    [
        {"lymphocytes_per_mm2": 7000.0, "elsewhere_per_mm2": 10.0},
        {"lymphocytes_per_mm2": 1000.0, "elsewhere_per_mm2": 6000.0},
    ],
    ids=["blue", "brown"],
)
def test_crowded_lymphocytes_are_neither_folds_nor_ink(section, follicle):
    crowd = SectionSettings(
        size_um=SECTION.size_um, tissue_um=2600.0, tumour_um=0.0, mpp_um=2.0, stroma_per_mm2=500.0, **follicle
    )
    rgb = shrunk(with_follicles(section, draw_section(crowd, seed=11)), 4)
    found = find(rgb, 8.0)
    tissue = outline_mask(section.tissue_px, rgb.shape[:2], step=4)
    for kind in KINDS:
        assert getattr(found, kind)[tissue].mean() < 0.003, kind


def test_melanin_and_pale_haematoxylin_are_no_artefacts():
    melanotic = SectionSettings(
        size_um=(1900.0, 1900.0), tissue_um=1600.0, tumour_um=900.0, mpp_um=2.0, front_um=200.0,
        melanophages_per_mm2=3000.0, pigmented_fraction=0.9,
    )  # fmt: skip
    pale = SectionSettings(
        size_um=(1900.0, 1900.0), tissue_um=1600.0, tumour_um=900.0, mpp_um=2.0, front_um=200.0,
        centre_per_mm2=2.0, front_per_mm2=5.0, elsewhere_per_mm2=1.0, staining=Staining(haze_od=0.0),
    )  # fmt: skip
    for settings in (melanotic, pale):
        drawn = draw_section(settings, seed=5)
        rgb = shrunk(drawn.rgb, 4)
        tissue = outline_mask(drawn.tissue_px, rgb.shape[:2], step=4)
        found = find(rgb, 8.0)
        for kind in KINDS:
            assert getattr(found, kind)[tissue].mean() < 0.005, kind


def test_real_thumbnails_have_little_ink_and_edge(shared_data):
    """None of these has ink; the dark seams of the first, in H&E, are folded keratin."""
    cases = (("CMU-1-Small-Region.svs", None, 0.1), ("tcga-cr-7395-01a-01-ts1.svs", 0.5, 0.01))
    for name, mpp_um, most_fold in cases:
        with open_slide(shared_data / "slides" / name, mpp_um=mpp_um) as slide:
            thumbnail = slide.thumbnail(8.0)
        found = find(thumbnail.rgb, thumbnail.mpp_um)
        assert found.pen.mean() == 0
        assert found.edge.mean() < 0.01
        assert found.fold.mean() < most_fold
    for path in sorted((shared_data / "registration").glob("*.jpg")):
        found = find(np.ascontiguousarray(cv2.imread(str(path))[..., ::-1]), 3.5)
        assert found.pen.mean() == 0, path.name
        assert found.edge.mean() < 0.02, path.name
        assert found.fold.mean() < 0.02, path.name


def test_empty_and_unscanned_pictures_have_no_artefacts():
    rgb = np.full((60, 80, 3), 243, np.uint8)
    none = np.zeros((60, 80), bool)
    for scanned in (none, ~none):
        found = find_artefacts(rgb, scanned=scanned, tissue=none, white_rgb=WHITE, mpp_um=8.0)
        assert not any(getattr(found, kind).any() for kind in (*KINDS, "usable_tissue"))


def test_wrong_shapes_and_scales_are_refused():
    rgb, mask = np.full((6, 8, 3), 243, np.uint8), np.zeros((6, 8), bool)
    with pytest.raises(ValueError, match="masks"):
        find_artefacts(rgb, scanned=mask, tissue=mask.T, white_rgb=WHITE, mpp_um=8.0)
    with pytest.raises(ValueError, match="mpp_um"):
        find_artefacts(rgb, scanned=mask, tissue=mask, white_rgb=WHITE, mpp_um=0.5)
    with pytest.raises(ValueError, match="tissue"):
        find_blur(rgb, tissue=mask.T, mpp_um=1.0)
    with pytest.raises(ValueError, match="mpp_um"):
        find_blur(rgb, tissue=mask, mpp_um=8.0)
    with pytest.raises(ValueError, match="mpp_um"):
        field_quality(rgb, mpp_um=8.0, white_rgb=WHITE)


@pytest.mark.parametrize("step", [1, 2])
def test_out_of_focus_areas_are_found_in_blocks(step):
    settings = SectionSettings(
        size_um=(1600.0, 1600.0), tissue_um=1400.0, tumour_um=700.0, mpp_um=1.0, front_um=200.0
    )
    drawn = draw_section(settings, seed=3)
    rgb = shrunk(drawn.rgb, step) if step > 1 else drawn.rgb
    tissue = outline_mask(drawn.tissue_px, rgb.shape[:2], step=step)
    assert find_blur(rgb, tissue=tissue, mpp_um=float(step))[tissue].mean() < 0.01
    spoilt = add_artefact(rgb, ArtefactKind.OUT_OF_FOCUS, tissue=tissue, mpp_um=float(step), seed=1)
    found = find_blur(spoilt.rgb, tissue=tissue, mpp_um=float(step))
    assert found[spoilt.mask].mean() > 0.55
    assert found[tissue & ~grown(spoilt.mask, 130 // step)].mean() < 0.01
    assert not find_blur(np.full_like(rgb, 243), tissue=tissue, mpp_um=float(step)).any()


@pytest.fixture(scope="module")
def field():
    return draw_tile(TileSettings(), seed=2).rgb


def focus(rgb, mpp_um=0.25):
    return field_quality(np.ascontiguousarray(rgb), mpp_um=mpp_um, white_rgb=WHITE).focus


def test_focus_falls_with_blur_and_not_with_stain_or_scale(field):
    blurred = [cv2.GaussianBlur(field, (0, 0), sigma_um / 0.25) for sigma_um in (0.5, 1.0, 1.5, 2.0)]
    series = [focus(rgb) for rgb in (field, *blurred)]
    assert series == sorted(series, reverse=True)
    assert series[0] > 0.25
    assert 0.13 < series[2] < 0.20
    assert series[4] < 0.13
    half_stain = np.rint(243 * (field / 243.0) ** 0.5).clip(0, 255).astype(np.uint8)
    assert focus(half_stain) == pytest.approx(series[0], rel=0.06)
    assert focus(shrunk(field, 2), 0.5) == pytest.approx(series[0], rel=0.05)
    assert focus(np.full_like(field, 243)) == 0


def test_focus_of_real_tiles(shared_data):
    with open_slide(shared_data / "slides" / "OS-2-ndpi.ome.tif") as slide:
        sharp = [(slide.read(0, (300, 300), (1440, 1440)), slide.mpp_um)]
    sharp.append((cv2.imread(str(shared_data / "rois" / "ROI_127.png"))[..., ::-1], 0.24))
    limits = QualitySettings()
    for rgb, mpp_um in sharp:
        assert focus(rgb, mpp_um) > 1.15 * limits.warn_focus
        assert focus(cv2.GaussianBlur(rgb, (0, 0), 2.0 / mpp_um), mpp_um) < 0.9 * limits.fail_focus
    lysto = [cv2.imread(str(path))[..., ::-1] for path in (shared_data / "lysto_cd3cd8/images").glob("*")]
    found = np.array([focus(rgb, 0.24) for rgb in lysto])
    # Three tiles are so blurred that no nucleus shows; the others pass.
    assert 2 <= (found < limits.warn_focus).sum() <= 6
    assert np.median(found) > 0.35


def test_field_s_fold_and_ink_are_measured(field):
    clean = field_quality(field, mpp_um=0.25, white_rgb=WHITE)
    assert clean.fold_fraction < 0.01
    assert clean.pen_fraction == 0
    settings = SectionSettings(
        size_um=(800.0, 800.0), tissue_um=700.0, tumour_um=400.0, mpp_um=0.5, front_um=100.0
    )
    drawn = draw_section(settings, seed=1)
    inner = np.s_[440:1160, 440:1160]
    for kind in (ArtefactKind.FOLD, ArtefactKind.PEN_BLACK, ArtefactKind.PEN_RED):
        tissue = outline_mask(drawn.tissue_px, drawn.rgb.shape[:2])
        spoilt = add_artefact(drawn.rgb, kind, tissue=tissue, mpp_um=0.5, seed=3)
        quality = field_quality(np.ascontiguousarray(spoilt.rgb[inner]), mpp_um=0.5, white_rgb=WHITE)
        share = quality.fold_fraction if kind is ArtefactKind.FOLD else quality.pen_fraction
        assert share == pytest.approx(spoilt.mask[inner].mean(), abs=0.10), kind


def test_a_turned_field_is_measured_on_its_own_pixels(field):
    def measured(rgb, mask):
        return field_quality(rgb, mpp_um=0.25, white_rgb=WHITE, inside=mask)

    field = np.tile(field, (3, 3, 1))
    height, width = field.shape[:2]
    side = 0.6 * min(height, width)
    corners = square_corners((width - side) / 2, (height - side) / 2, side, 30)
    window, inside = pixels_inside(corners, (height, width))
    part = np.ascontiguousarray(field[window])
    clean = measured(part, inside)
    assert clean.focus == pytest.approx(focus(field), rel=0.1)
    # what lies beyond its edges alters nothing but what the filters reach
    outside = cv2.erode((~inside).astype(np.uint8), np.ones((17, 17), np.uint8)) > 0
    spoilt = part.copy()
    spoilt[outside] = cv2.GaussianBlur(part, (0, 0), 8)[outside]
    assert measured(spoilt, inside).focus == pytest.approx(clean.focus, rel=0.02)
    # a stroke down the left, found to its last column or a little beyond: what of it lies in the square
    inked = part.copy()
    inked[:, :360] = (20, 20, 20)
    found = measured(inked, np.ones_like(inside)).pen_fraction * part.shape[1]
    assert 360 < found < 460
    expected = inside[:, : round(found)].sum() / inside.sum()
    assert measured(inked, inside).pen_fraction == pytest.approx(expected, rel=0.05)
    # an upright field is the whole picture, with a mask or without
    assert measured(part, np.ones_like(inside)) == field_quality(part, mpp_um=0.25, white_rgb=WHITE)
    with pytest.raises(ValueError, match="inside has shape"):
        measured(part, inside[1:])


def judged(**changes):
    given = {"focus": 0.35, "fold_fraction": 0.0, "pen_fraction": 0.0}
    shares = {"tissue_fraction": 0.9, "pigment_fraction": 0.0}
    quality = FieldQuality(**{k: changes.get(k, v) for k, v in given.items()})
    return judge_field(quality, **{k: changes.get(k, v) for k, v in shares.items()})


def test_field_is_judged_with_its_reasons():
    assert judged() == ("pass", "")
    assert judged(focus=0.18) == ("warn", "The field is out of focus (focus 0.18).")
    assert judged(focus=0.10)[0] == "fail"
    assert judged(fold_fraction=0.05, pigment_fraction=0.1) == (
        "warn",
        "The field is 5% folded and 10% pigment.",
    )
    assert judged(fold_fraction=0.2, pigment_fraction=0.1) == ("fail", "The field is 20% folded.")
    assert judged(pen_fraction=0.06, tissue_fraction=0.3) == (
        "fail",
        "The field is 6.0% under pen and only 30% tissue.",
    )
    assert judged(tissue_fraction=0.6)[0] == "warn"


def test_settings_order_their_limits():
    settings = QualitySettings()
    assert settings.warn_focus > settings.fail_focus
    assert settings.warn_fold_fraction < settings.fail_fold_fraction
    assert ArtefactSettings().fold_width_um[0] < ArtefactSettings().fold_width_um[1]
