"""What a picture is: haematoxylin and the chromogen, or something else."""

import numpy as np
import pytest
from PIL import Image

from ihcscore.schema import Chromogen, StainVerdict
from ihcscore.stain import CHROMOGEN_VECTORS, HEMATOXYLIN_VECTOR, estimate_stains
from ihcscore.synthetic import TileSettings, draw_tile
from ihcscore.tissue.stain_check import check_stain

OK, DOUBTFUL, REFUSED = StainVerdict.OK, StainVerdict.DOUBTFUL, StainVerdict.REFUSED
# Ruifrok and Johnston 2001, table of vectors.
EOSIN = (0.07, 0.99, 0.11)
HEMATOXYLIN, DAB = HEMATOXYLIN_VECTOR, CHROMOGEN_VECTORS[Chromogen.DAB]
FAST_RED = CHROMOGEN_VECTORS[Chromogen.FAST_RED]


def stained(*layers, size=200, white=240.0):
    """Half glass, and on the other half disks of stains: (vector, OD, share of the half that has it)."""
    generator = np.random.default_rng(3)
    od = np.zeros((size, size, 3))
    for vector, depth, share in layers:
        unit = np.asarray(vector) / np.linalg.norm(vector)
        blocks = generator.random((size // 10, size // 10)) < share
        od += np.kron(blocks, np.ones((10, 10)))[..., None] * unit * depth
    od[:, : size // 2] = 0
    noise = generator.normal(0, 2, od.shape)
    return np.clip(white * 10**-od + noise, 0, 255).astype(np.uint8)


def checked(rgb, chromogen=Chromogen.DAB):
    white = estimate_stains(rgb, chromogen=chromogen, mpp_um=0.25).white_rgb
    return check_stain(rgb, chromogen=chromogen, white_rgb=white, mpp_um=0.25)


H_DAB = stained((HEMATOXYLIN, 0.6, 0.4), (DAB, 0.8, 0.2))
H_AND_E = stained((HEMATOXYLIN, 0.6, 0.4), (EOSIN, 0.5, 0.8))


@pytest.mark.parametrize(
    ("rgb", "verdict"),
    [
        (H_DAB, OK),
        (stained((HEMATOXYLIN, 0.6, 0.4)), OK),  # negative: no brown at all
        (stained((HEMATOXYLIN, 0.25, 0.3)), OK),  # and pale
        (stained((HEMATOXYLIN, 0.6, 0.1), (DAB, 1.0, 0.9)), OK),
        (H_AND_E, REFUSED),
        (stained((HEMATOXYLIN, 0.5, 0.3), (EOSIN, 0.2, 0.5)), REFUSED),
        (np.concatenate([H_DAB, stained((FAST_RED, 0.5, 0.9))]), DOUBTFUL),  # a second, red chromogen
        (255 - H_DAB, DOUBTFUL),  # inverted, with brown cells of its own
        (stained(), DOUBTFUL),
        (stained((DAB, 0.8, 0.5)), DOUBTFUL),  # no counterstain
    ],
)
def test_what_is_stained_decides(rgb, verdict):
    assert checked(rgb).verdict == verdict, checked(rgb)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda rgb: np.repeat(rgb[..., :1], 3, axis=2), "grey"),
        (lambda rgb: np.asarray(Image.fromarray(rgb).convert("YCbCr")), "YCbCr"),
        (lambda rgb: (255 - rgb) * np.uint8([0, 0, 1]), "dark"),  # one channel of fluorescence
    ],
)
def test_what_is_no_brightfield_rgb_is_refused_with_what_was_seen(spoil, says):
    seen = checked(np.ascontiguousarray(spoil(H_DAB)))
    assert seen.verdict == REFUSED
    assert says in seen.reason


def test_h_and_e_is_told_from_a_red_chromogen_too():
    assert checked(H_AND_E, Chromogen.AEC).verdict == REFUSED
    aec = stained((HEMATOXYLIN, 0.6, 0.4), (CHROMOGEN_VECTORS[Chromogen.AEC], 0.8, 0.2))
    assert checked(aec, Chromogen.AEC).verdict == OK


@pytest.mark.parametrize("n_positive", [0, 40, 150])
def test_drawn_tiles_pass(n_positive):
    assert checked(draw_tile(TileSettings(n_positive=n_positive), 1).rgb).verdict == OK


def test_nothing_but_8_bit_rgb_is_asked():
    with pytest.raises(ValueError, match="uint8"):
        check_stain(np.zeros((9, 9, 3)), chromogen=Chromogen.DAB, white_rgb=(240.0,) * 3, mpp_um=0.25)


def test_real_pictures(shared_data):
    folder = shared_data / "stain_check"
    for kind, verdicts in (
        ("h_and_e", {REFUSED, DOUBTFUL}),
        ("hdab_pale", {OK, DOUBTFUL}),
        ("hdab_odd", {OK}),
        ("double", {DOUBTFUL}),
    ):
        files = sorted((folder / kind).iterdir())[::4]
        pictures = [np.asarray(Image.open(file).convert("RGB")) for file in files]
        assert {checked(rgb).verdict for rgb in pictures} <= verdicts, kind
