"""What a file says of its µm per pixel: held against what else it says, said or refused."""

import json

import numpy as np
import pytest

from ihcscore.errors import SlideError
from ihcscore.slide import open_slide
from ihcscore.slide.scale import Scale, number, tags_mpp_um, weighed
from writers.odd_tiff import ome_image, ome_xml, per_cm, write_pages

SVS = "Aperio Image Library v1\r\n384x256 [0,0 384x256] (128x128) JPEG/RGB Q=95|AppMag = {}|MPP = {}"


@pytest.fixture(scope="module")
def rgb(picture):
    return picture[:256, :384]


def notes(path, **options):
    with open_slide(path, **options) as slide:
        return [note.text for note in slide.notes]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.5", 0.5), ("0,5", 0.5), (" 2,5E-1 ", 0.25), ("1,234.5", None), ("", None), (None, None),
        ("half", None),
        ("nan", None), ("inf", None), ("-0.5", None), ("0", None),
    ],
)  # fmt: skip
def test_numbers_with_either_decimal_sign(text, value):
    assert number(text) == value


def test_resolution_tags_need_a_unit_of_length():
    assert tags_mpp_um((20_000, 20_000), 3) == (0.5, 0.5)
    assert tags_mpp_um((50_800, 101_600), 2) == (0.5, 0.25)
    assert tags_mpp_um((20_000, 20_000), 1) is None
    assert tags_mpp_um((0, 20_000), 3) is None


@pytest.mark.parametrize(
    ("mpp", "unit", "expected"),
    [
        ("0,5", "µm", 0.5),
        ("500", "nm", 0.5),
        ("0.0005", "mm", 0.5),
        ("5000", "Å", 0.5),
        ("0.5", "\u03bcm", 0.5),
    ],
)
def test_units_and_commas_of_ome(tmp_path, rgb, mpp, unit, expected):
    path = write_pages(tmp_path / "a.ome.tif", [(rgb, ome_xml(ome_image((384, 256), mpp, unit=unit)))])
    with open_slide(path) as slide:
        assert slide.mpp_um == pytest.approx(expected)


@pytest.mark.parametrize(("mpp", "unit"), [("half", "µm"), ("0.5", "pixel"), ("-1", "µm"), ("nan", "µm")])
def test_a_size_that_cannot_be_read_is_asked_for_and_may_be_given(tmp_path, rgb, mpp, unit):
    path = write_pages(tmp_path / "a.ome.tif", [(rgb, ome_xml(ome_image((384, 256), mpp, unit=unit)))])
    with (
        open_slide(path) as slide,
        pytest.raises(SlideError, match="no microns per pixel that can be read; give mpp"),
    ):
        _ = slide.mpp_um
    with open_slide(path, mpp_um=0.5) as slide:
        assert slide.mpp_um == 0.5


@pytest.mark.parametrize(
    ("objective", "mpp", "said"),
    [
        (20, 0.25, True), (40, 0.5, True), (40, 1.0, True), (20, 0.499, False), (40, 0.2208, False),
        (40, 0.2633, False), (20, 0.4661, False), (10, 1.0, False),
    ],
)  # fmt: skip
def test_an_objective_that_does_not_fit_is_said(tmp_path, rgb, objective, mpp, said):
    path = write_pages(tmp_path / "a.svs", [(rgb, SVS.format(objective, mpp))])
    found = notes(path)
    assert bool(found) == said
    assert all(f"{objective}x" in text and f"{mpp:g}" in text for text in found)
    assert notes(path, mpp_um=0.5) == []  # a person decided
    ome = ome_xml(ome_image((384, 256), str(mpp), objective=True), objective=objective)
    assert bool(notes(write_pages(tmp_path / "a.ome.tif", [(rgb, ome)]))) == said


def test_two_statements_that_differ_are_refused(tmp_path, rgb):
    ome = write_pages(tmp_path / "a.ome.tif", [(rgb, ome_xml(ome_image((384, 256), "1.0")))], **per_cm(0.5))
    svs = write_pages(tmp_path / "a.svs", [(rgb, SVS.format(20, 0.5))], **per_cm(0.25))
    for path in (ome, svs):
        with (
            open_slide(path) as slide,
            pytest.raises(SlideError, match="in its resolution tags; give the right mpp"),
        ):
            _ = slide.mpp_um
        with open_slide(path, mpp_um=0.5) as slide:
            assert slide.mpp_um == 0.5
    agree = write_pages(tmp_path / "b.ome.tif", [(rgb, ome_xml(ome_image((384, 256), "0.5")))], **per_cm(0.5))
    assert notes(agree) == []


def test_inch_for_cm_beside_a_statement_in_um_is_settled_and_said(tmp_path, rgb):
    path = write_pages(
        tmp_path / "a.ome.tif", [(rgb, ome_xml(ome_image((384, 256), "0.5")))], **per_cm(0.5 / 2.54)
    )
    with open_slide(path) as slide:
        assert slide.mpp_um == 0.5
        assert "the same counted per inch" in slide.notes[0].text


def test_default_resolutions_are_no_statement(tmp_path, rgb):
    options = {"resolution": (72, 72), "resolutionunit": "INCH"}
    path = write_pages(tmp_path / "a.ome.tif", [(rgb, ome_xml(ome_image((384, 256), "0.5")))], **options)
    with open_slide(path) as slide:
        assert (slide.mpp_um, slide.notes) == (0.5, ())


@pytest.mark.parametrize(
    ("um", "other"),
    [
        (0.5 / 2.54, "0.5"),
        (0.25 / 2.54, "0.25"),
        (0.2528 / 2.54, "0.2528"),
        (0.5 * 2.54, "0.5"),
        (0.25 * 2.54, "0.25"),
    ],
)
def test_a_resolution_counted_by_another_unit_is_said(tmp_path, rgb, um, other):
    found = notes(write_pages(tmp_path / "a.tif", [(rgb, None)], **per_cm(um)))
    assert len(found) == 1
    assert f"it is {other}" in found[0]


@pytest.mark.parametrize("um", [0.2208, 0.2528, 0.3466, 0.4415, 0.5, 0.1725, 0.1213, 0.325])
def test_scales_of_scanners_are_taken_without_a_word(um):
    assert weighed(Scale(mpp_um=(um, um)), from_tags=True).notes == ()


def test_one_micrometre_is_a_default():
    for from_tags in (True, False):
        assert "1 µm per pixel" in weighed(Scale(mpp_um=(1.0, 1.0)), from_tags=from_tags).notes[0].text
    assert weighed(Scale(mpp_um=(1.0, 1.0)), objective=10).notes == ()


def test_a_run_says_what_speaks_against_its_scale(tmp_path, ihcscore_command):
    """In `info`, on stderr and in the record."""
    rng = np.random.default_rng(0)
    section = np.full((1024, 1024, 3), (243, 244, 240), np.uint8)
    section[60:950, 60:950] = (205, 195, 220)
    for x, y in rng.integers(70, 930, (500, 2)):
        section[y : y + 12, x : x + 12] = (120, 110, 175)
    text = SVS.replace("384x256", "1024x1024").format(20, 0.25)
    path = write_pages(tmp_path / "a.svs", [(section, text)])
    shown = ihcscore_command("info", path)
    assert shown.status == 0
    assert "0.25 µm per pixel beside an objective of 20x" in shown.out
    out = tmp_path / "out"
    shown = ihcscore_command("fields", path, "--fields", 1, "--field-area-mm2", 0.001, "--out", out)
    assert shown.status == 0, shown.err
    kinds = [note["kind"] for note in json.loads((out / "run.json").read_text())["notes"]]
    assert kinds[0] == "slide"
