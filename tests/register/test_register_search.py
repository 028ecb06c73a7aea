"""The search over all turns and shifts."""

import cv2
import numpy as np
import pytest
from skimage.registration._masked_phase_cross_correlation import cross_correlate_masked

from drawn_sections import about_centre, drawn_section, laid, turn
from ihcscore.register.search import _Matcher, search


def texture(height, width, seed=0):
    rough = np.random.default_rng(seed).random((height, width), dtype=np.float32)
    smooth = cv2.GaussianBlur(rough, (0, 0), 3.0)
    return (smooth - smooth.min()) / np.ptp(smooth)


@pytest.mark.parametrize("corner", [(10, 10), (100, 100), (180, 30), (30, 180), (195, 195)])
def test_finds_a_small_part_anywhere(corner):
    x, y = corner
    whole = texture(224, 224)
    part = np.ascontiguousarray(whole[y : y + 24, x : x + 24])
    best = search(part, whole, n=1)[0]
    assert best.score == pytest.approx(1, abs=0.01)
    assert best.transform([0, 0]) == pytest.approx([x, y], abs=0.1)


@pytest.mark.parametrize(("degrees", "side"), [(0, 1.0), (90, 1.0), (137, 1.0), (180, -1.0)])
def test_first_candidate_of_a_turned_or_mirrored_section(degrees, side):
    plane = drawn_section(1)
    truth = about_centre(turn(degrees) @ np.diag([side, 1.0]), (8, -6))
    best = search(plane, laid(plane, truth), n=3)[0]
    assert best.mirrored == (side < 0)
    assert abs((best.angle_deg - degrees + 180) % 360 - 180) <= 5
    assert best.transform([[240, 190], [260, 190]]) == pytest.approx(truth([[240, 190], [260, 190]]), abs=10)


def test_candidates_differ_and_are_ranked():
    found = search(drawn_section(1), drawn_section(2), n=6)
    scores = [one.score for one in found]
    assert scores == sorted(scores, reverse=True)
    assert max(scores) <= 1
    for i, one in enumerate(found):
        for other in found[:i]:
            gap = abs(one.angle_deg - other.angle_deg) % 360
            assert one.mirrored != other.mirrored or min(gap, 360 - gap) > 12


def test_correlation_of_masked_pictures_is_scikit_image_s():
    # Padfield 2012; scikit-image's own transcription of it is the reference.
    whole, part = texture(60, 70, seed=1), texture(24, 20, seed=2)
    mask = np.ones(part.shape, np.float32)
    mask[:5, :7] = 0
    part = (part - part.mean()) * mask
    whole = whole - whole.mean()
    matcher = _Matcher.make(whole, max(part.shape))
    scores = matcher.scores(part, mask)
    everywhere = np.ones(whole.shape, bool)
    reference = cross_correlate_masked(
        whole, part, everywhere, mask > 0, mode="full", axes=(0, 1), overlap_ratio=0
    )
    compared = 0
    for down in range(-10, 47):
        for right in range(-8, 59):
            score = scores[down % matcher.size, right % matcher.size]
            if score > -1:  # enough of it overlaps
                assert score == pytest.approx(reference[down + 23, right + 19], abs=1e-4)
                compared += 1
    assert compared > 3000


def test_even_glass_is_no_match():
    whole = np.zeros((200, 200), np.float32)
    part = texture(60, 60)
    whole[120:180, 20:80] = part
    best = search(part, whole, n=1)[0]
    assert 0.9 < best.score <= 1.001
    assert best.transform([0, 0]) == pytest.approx([20, 120], abs=1)


def test_a_needle_core_keeps_its_proportions():
    core = np.pad(texture(16, 600), ((40, 40), (40, 40)))[40:56, 40:640]
    stood = np.ascontiguousarray(core.T[:, ::-1])
    best = search(np.ascontiguousarray(core), stood, n=1)[0]
    assert (best.angle_deg, best.mirrored) == (90, False)
