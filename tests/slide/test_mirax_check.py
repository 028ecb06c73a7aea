"""The check of a MIRAX folder reads anything without crashing, and passes what is whole."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ihcscore.errors import SlideError
from ihcscore.slide.mirax import check_mirax
from ihcscore.synthetic import MiraxSettings, write_mirax


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    rgb = np.full((300, 500, 3), 200, np.uint8)
    return write_mirax(
        tmp_path_factory.mktemp("m") / "a.mrxs", rgb, mpp_um=0.5, settings=MiraxSettings(tile_px=64)
    )


def test_whole_slide_passes(whole):
    check_mirax(whole)


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1), value=st.binary(min_size=1, max_size=8))
def test_a_flipped_index_passes_or_is_refused_in_one_line(whole, place, value):
    index = whole.with_suffix("") / "Index.dat"
    good = index.read_bytes()
    at = int(place * (len(good) - len(value)))
    index.write_bytes(good[:at] + value + good[at + len(value) :])
    try:
        check_mirax(whole)
    except SlideError as error:
        says = str(error)
    else:
        says = ""
    finally:
        index.write_bytes(good)
    assert "\n" not in says


INDEX = "[HIERARCHICAL]\nINDEXFILE = Index.dat\n"
OUTSIDE = "[HIERARCHICAL]\nINDEXFILE = ../../Index.dat\n[DATAFILE]\nFILE_COUNT = 1\nFILE_0 = Data0000.dat"


@pytest.mark.parametrize(
    "text",
    ["", "no sections", INDEX, INDEX + "[DATAFILE]\nFILE_COUNT = 99999999", OUTSIDE, "\x00\xff\xfe"],
)
def test_a_broken_slidedat_is_refused(whole, text):
    ini = whole.with_suffix("") / "Slidedat.ini"
    good = ini.read_bytes()
    ini.write_text(text, encoding="utf-8")
    try:
        with pytest.raises(SlideError, match="Slidedat"):
            check_mirax(whole)
    finally:
        ini.write_bytes(good)
