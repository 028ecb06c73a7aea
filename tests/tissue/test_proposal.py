from __future__ import annotations

import functools

import numpy as np
import pytest

from ihcscore.stain import estimate_stains
from ihcscore.synthetic import Optics, SectionSettings, draw_section, outline_mask
from ihcscore.tissue.tumour import (
    NuclearFeatures,
    ProposalSettings,
    block_side_px,
    nuclear_features,
    propose_tumour,
)

COMMON = {
    "size_um": (1800.0, 1700.0),
    "tissue_um": 1450.0,
    "tumour_um": 850.0,
    "mpp_um": 1.0,
    "front_um": 200.0,
}
# Nuclei per mm² of tumour and stroma, and what else makes the two alike.
CONTRAST_LEVELS = {
    "default: 5000 tumour, 2400 stromal nuclei per mm²": {},
    "equal: 3200 and 3200": {"tumour_per_mm2": 3200.0, "stroma_per_mm2": 3200.0},
    "inverse: 1800 and 3600": {"tumour_per_mm2": 1800.0, "stroma_per_mm2": 3600.0},
    "front of 4000 brown lymphocytes per mm²": {"front_per_mm2": 4000.0},
    "2500 blue and up to 2500 brown lymphocytes per mm²": {
        "lymphocytes_per_mm2": 2500.0,
        "front_per_mm2": 2500.0,
        "stroma_per_mm2": 2800.0,
        "tumour_per_mm2": 3500.0,
    },
    "40 % of the tumour cells pigmented": {"pigmented_fraction": 0.4},
    "soft scanner: blur of 0.8 µm": {"optics": Optics(psf_um=0.8)},
    "small tumour": {"tumour_um": 680.0},
    "tumour nearly everywhere": {"tumour_um": 1200.0},
}
NO_TUMOUR = {
    "stroma": {},
    "stroma full of lymphocytes": {"lymphocytes_per_mm2": 2500.0, "elsewhere_per_mm2": 1500.0},
    "cellular stroma": {"stroma_per_mm2": 4000.0},
}


def features_of(rgb, *, block_px=512):
    """Features of a picture at 1 µm/px, block by block."""
    middle = rgb[rgb.shape[0] // 2 - 300 :, rgb.shape[1] // 2 - 300 :][:600, :600]
    stains = estimate_stains(np.ascontiguousarray(middle), white_rgb=(243.0, 243.0, 240.0), mpp_um=1.0)
    side = block_side_px(1.0)
    features = NuclearFeatures.empty((rgb.shape[0] // side, rgb.shape[1] // side), mpp_um=float(side))
    for row in range(0, rgb.shape[0], block_px):
        for column in range(0, rgb.shape[1], block_px):
            block = rgb[row : row + block_px, column : column + block_px]
            part = nuclear_features(block, stains=stains, mpp_um=1.0)
            features.put(part, row=row // side, column=column // side)
    return features


def masks_of(section):
    """Tissue and tumour at 8 µm/px."""
    shape = (section.rgb.shape[0] // 8, section.rgb.shape[1] // 8)
    return tuple(outline_mask(ring, shape, step=8) for ring in (section.tissue_px, section.tumour_px))


def dice(one, other):
    return 2 * (one & other).sum() / (one.sum() + other.sum())


@functools.cache
def drawn(**changes):
    return draw_section(SectionSettings(**{**COMMON, **changes}), seed=3)


@functools.cache
def lymphoid(*, brown):
    crowd = {"lymphocytes_per_mm2": 1000.0, "elsewhere_per_mm2": 6000.0}
    if not brown:
        crowd = {"lymphocytes_per_mm2": 7000.0, "elsewhere_per_mm2": 10.0}
    return draw_section(
        SectionSettings(**{**COMMON, "tumour_um": 0.0, "stroma_per_mm2": 500.0, **crowd}), seed=11
    )


def with_follicles(section, *, brown):
    """A section with three lymphoid follicles of 260 µm."""
    rgb = section.rgb.copy()
    yy, xx = np.indices(rgb.shape[:2])
    for x, y in ((330, 850), (900, 1400), (1460, 800)):
        disc = (xx - x) ** 2 + (yy - y) ** 2 < 130**2
        rgb[disc] = lymphoid(brown=brown).rgb[disc]
    return rgb


@pytest.mark.parametrize("level", CONTRAST_LEVELS)
def test_tumour_of_known_outline_is_proposed(level):
    section = drawn(**CONTRAST_LEVELS[level])
    tissue, tumour = masks_of(section)
    proposal = propose_tumour(features_of(section.rgb), tissue=tissue, mpp_um=8.0)
    assert proposal.warning == ""
    assert proposal.confidence >= 0.6
    assert dice(proposal.mask, tumour) >= 0.9
    assert not proposal.mask[~tissue].any()


@pytest.mark.parametrize("kind", NO_TUMOUR)
def test_without_tumour_the_tissue_is_proposed_and_said_so(kind):
    section = drawn(tumour_um=0.0, **NO_TUMOUR[kind])
    tissue, _ = masks_of(section)
    proposal = propose_tumour(features_of(section.rgb), tissue=tissue, mpp_um=8.0)
    assert proposal.confidence < 0.3
    assert np.array_equal(proposal.mask, tissue)
    assert "no part of the tissue stands out" in proposal.warning


@pytest.mark.parametrize("brown", [False, True], ids=["blue", "brown"])
@pytest.mark.parametrize("tumour_um", [0.0, 850.0])
def test_lymphoid_follicles_are_no_tumour(brown, tumour_um):
    section = drawn(**({} if tumour_um else {"tumour_um": 0.0}))
    tissue, tumour = masks_of(section)
    features = features_of(with_follicles(section, brown=brown))
    proposal = propose_tumour(features, tissue=tissue, mpp_um=8.0)
    if tumour_um:
        assert dice(proposal.mask, tumour) >= 0.85
    else:
        assert proposal.confidence < 0.3
        assert proposal.warning


@pytest.fixture(scope="module")
def default():
    return drawn()


def test_blocks_give_what_the_whole_gives(default):
    whole, blocks = features_of(default.rgb, block_px=4096), features_of(default.rgb, block_px=256)
    for name in ("weight", "nuclei_od", "large_nuclei_od"):
        one, other = getattr(whole, name), getattr(blocks, name)
        assert one.dtype == np.float32
        assert np.abs(one - other).mean() < 0.03 * one.mean() + 1e-4, name
    tissue, _ = masks_of(default)
    masks = [propose_tumour(f, tissue=tissue, mpp_um=8.0).mask for f in (whole, blocks)]
    assert dice(*masks) > 0.99


def test_every_other_block_is_enough(default):
    features = features_of(default.rgb)
    tissue, tumour = masks_of(default)
    tile = np.indices(features.weight.shape) // 8  # blocks of 128 µm
    unread = (tile.sum(axis=0) % 2).astype(bool)
    for plane in (features.weight, features.nuclei_od, features.large_nuclei_od):
        plane[unread] = 0
    proposal = propose_tumour(features, tissue=tissue, mpp_um=8.0)
    assert proposal.warning == ""
    assert dice(proposal.mask, tumour) >= 0.9


def test_tissue_may_have_another_scale(default):
    features = features_of(default.rgb)
    found = []
    for step in (4, 10, 16):
        shape = (default.rgb.shape[0] // step, default.rgb.shape[1] // step)
        tissue, tumour = (outline_mask(r, shape, step=step) for r in (default.tissue_px, default.tumour_px))
        proposal = propose_tumour(features, tissue=tissue, mpp_um=float(step))
        assert proposal.mask.shape == shape
        found.append(dice(proposal.mask, tumour))
    assert min(found) >= 0.9


def test_nothing_read_and_no_tissue_fall_back():
    tissue = np.ones((40, 50), bool)
    nothing = NuclearFeatures.empty((20, 25), mpp_um=16.0)
    for mask in (tissue, ~tissue):
        proposal = propose_tumour(nothing, tissue=mask, mpp_um=8.0)
        assert proposal.confidence == 0
        assert proposal.warning
        assert np.array_equal(proposal.mask, mask)


def test_one_small_nucleus_is_not_large_and_one_large_is():
    yy, xx = np.indices((64, 64))
    stains = estimate_stains(np.full((64, 64, 3), 243, np.uint8), white_rgb=(243.0, 243.0, 243.0))
    purple = (243 * 10.0 ** (-0.6 * np.array([0.650, 0.704, 0.286]))).round().astype(np.uint8)
    sums = []
    for diameter_um in (6.0, 13.0):
        rgb = np.full((64, 64, 3), 243, np.uint8)
        rgb[np.hypot(xx - 32, yy - 32) <= diameter_um / 2] = purple
        found = nuclear_features(rgb, stains=stains, mpp_um=1.0)
        assert found.weight.shape == (4, 4)
        assert found.weight.min() == 1
        sums.append(found.large_nuclei_od.sum() / found.nuclei_od.sum())
    assert sums[0] < 0.05
    assert sums[1] > 0.8


def test_wrong_scale_is_refused_and_slivers_are_empty():
    stains = estimate_stains(np.full((64, 64, 3), 243, np.uint8))
    rgb = np.full((64, 10, 3), 243, np.uint8)
    with pytest.raises(ValueError, match="mpp_um"):
        nuclear_features(rgb, stains=stains, mpp_um=8.0)
    assert nuclear_features(rgb, stains=stains, mpp_um=1.0).weight.shape == (4, 0)
    assert block_side_px(0.5) == 32
    assert block_side_px(1.0, ProposalSettings(step_um=20.0)) == 20
