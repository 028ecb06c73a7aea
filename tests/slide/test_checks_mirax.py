"""The check of a MIRAX folder reads anything without crashing, and passes what is whole."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ihcscore.errors import SlideError
from ihcscore.slide.checks.mirax import check_mirax
from ihcscore.slide.checks.mirax_index import MiraxIndex
from ihcscore.synthetic import MiraxSettings, write_mirax
from writers import damage


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


@pytest.fixture
def slide(tmp_path):
    """A slide with several data files."""
    rgb = np.random.default_rng(0).integers(0, 255, (600, 900, 3), dtype=np.uint8)
    settings = MiraxSettings(tile_px=64, border_tiles_xy=(2, 1), file_bytes=200_000)
    return write_mirax(tmp_path / "a.mrxs", rgb, mpp_um=0.5, settings=settings)


def refused(path) -> str:
    with pytest.raises(SlideError) as caught:
        check_mirax(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


NUMBERS = [
    ("DIGITIZER_HEIGHT", "100000000"), ("DIGITIZER_WIDTH", "0"), ("IMAGENUMBER_X", "99999999"),
    ("IMAGENUMBER_Y", "-1"), ("IMAGENUMBER_X", "x"), ("IMAGENUMBER_X", "2"), ("OVERLAP_X", "nan"),
    ("OVERLAP_X", "64"), ("IMAGE_CONCAT_FACTOR", "31"), ("MICROMETER_PER_PIXEL_X", "inf"),
    ("MICROMETER_PER_PIXEL_Y", "0"), ("HIER_0_COUNT", "99999999"), ("HIER_COUNT", "0"),
    ("NONHIER_COUNT", "-1"), ("FILE_COUNT", "1"), ("IMAGE_FILL_COLOR_BGR", "99999999999"),
    ("CameraImageDivisionsPerSide", "0"),
]  # fmt: skip


@pytest.mark.parametrize(("key", "value"), NUMBERS)
def test_numbers_that_cannot_be(slide, key, value):
    check_mirax(slide)
    damage.set_ini(slide, key, value)
    assert "damaged" in refused(slide)


def test_a_value_that_is_no_number_is_not_repeated(slide):
    damage.set_ini(slide, "IMAGENUMBER_X", "SURNAME")
    assert "IMAGENUMBER_X is no number" in refused(slide)


def test_photographs_divided_otherwise_than_the_images_lie(slide):
    damage.set_ini(slide, "CameraImageDivisionsPerSide", "17")
    assert "a tile outside the slide" in refused(slide)


def test_data_files_that_were_swapped_or_belong_to_another_slide(slide, tmp_path):
    folder = slide.with_suffix("")
    first = (folder / "Data0000.dat").read_bytes()
    damage.swap_data(slide)
    assert "is data file 1, expected 0" in refused(slide)
    damage.swap_data(slide)
    other = write_mirax(tmp_path / "b.mrxs", np.full((600, 900, 3), 9, np.uint8), mpp_um=0.5)
    (folder / "Data0000.dat").write_bytes((other.with_suffix("") / "Data0000.dat").read_bytes() + first)
    assert "belongs to another slide" in refused(slide)


@pytest.mark.parametrize("name", ["Index.dat", "Data0000.dat", "Data0001.dat", "Slidedat.ini"])
def test_a_file_that_is_missing_or_cut_short(slide, name):
    file = slide.with_suffix("") / name
    damage.cut(file, 0.6)
    refused(slide)
    file.unlink()
    assert f"'a/{name}' is missing" in refused(slide)


def test_two_tiles_in_one_place(slide):
    index = slide.with_suffix("") / "Index.dat"
    raw = bytearray(index.read_bytes())
    first = damage.find_mirax_tile(slide, 2, 1)
    at = raw.index(first.offset.to_bytes(4, "little") + first.length.to_bytes(4, "little")) - 4
    raw[at : at + 4] = raw[at + 16 : at + 20]
    index.write_bytes(raw)
    assert "on another's place" in refused(slide)


def test_a_large_index_is_read_in_bulk(tmp_path):
    """122 000 tiles in one level, in pages of 1000 as a scanner writes them."""
    n_tiles, step = 122_000, 1000
    out = bytearray(b"01.02" + b"0" * 32)
    root = len(out) + 8
    out += np.array([root, 0, root + 4, 0, root + 12], "<i4").tobytes()
    for start in range(0, n_tiles, step):
        following = len(out) + 8 + 16 * step if start + step < n_tiles else 0
        body = np.zeros((step, 4), "<i4")
        body[:, 0] = np.arange(start, start + step)
        body[:, 1:3] = 1000, 10
        out += np.array([step, following], "<i4").tobytes() + body.tobytes()
    (tmp_path / "Index.dat").write_bytes(out)
    index = MiraxIndex(
        tmp_path / "a.mrxs", tmp_path / "Index.dat",
        n_levels=1, images_across=400, usable_xy=(400, 305), n_files=1,
    )  # fmt: skip
    assert index.needed_bytes([]) == [1010]
