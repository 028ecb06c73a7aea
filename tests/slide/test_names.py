"""Names, links and files of other kinds: opened, or told what they are in one line."""

import os
import sys

import numpy as np
import pytest
import tifffile

from ihcscore.errors import IhcscoreError, SlideError
from ihcscore.slide import find_images, open_slide, read_image
from ihcscore.synthetic import MiraxSettings, write_mirax
from writers.dicom import write_dicom
from writers.odd_tiff import per_cm, write_pages
from writers.svs import write_svs

APPLE_DOUBLE = b"\0\5\x16\7\0\2\0\0Mac OS X        " + bytes(200)


@pytest.fixture
def mirax(tmp_path, picture):
    return write_mirax(tmp_path / "S07.mrxs", picture, mpp_um=0.5, settings=MiraxSettings(tile_px=128))


def test_mirax_in_capitals(mirax, picture):
    capital = mirax.rename(mirax.with_suffix(".MRXS"))
    for _ in range(2):  # the link is there by then
        with open_slide(capital) as slide:
            assert (slide.name, slide.format, slide.mpp_um) == ("S07.MRXS", "mirax", 0.5)
            assert np.abs(slide.read(0, (9, 9), (90, 90)).astype(int) - picture[9:99, 9:99]).max() <= 8


@pytest.mark.parametrize("suffix", [".SVS", ".Svs"])
def test_other_suffixes_in_capitals(tmp_path, picture, suffix):
    with open_slide(write_svs(tmp_path / f"a{suffix}", picture)) as slide:
        assert slide.format == "aperio"


def test_links(mirax, tmp_path, picture):
    elsewhere = tmp_path / "links"
    elsewhere.mkdir()
    link = elsewhere / "case 3.mrxs"
    link.symlink_to(mirax)
    with open_slide(link) as slide:
        assert (slide.name, slide.format) == ("case 3.mrxs", "mirax")
    (elsewhere / "case 3").symlink_to(mirax.with_suffix(""))  # with its folder, as work flows stage files
    with open_slide(link) as slide:
        assert slide.name == "case 3.mrxs"
    dicom = write_dicom(tmp_path / "S08", picture)
    (elsewhere / "a.dcm").symlink_to(dicom / "level1.dcm")
    with open_slide(elsewhere / "a.dcm") as slide:
        assert (slide.name, len(slide.levels)) == ("a.dcm", 3)
    (elsewhere / "gone.svs").symlink_to(tmp_path / "nowhere.svs")
    with pytest.raises(SlideError, match=r"gone\.svs: is a link to a file that is not there"):
        open_slide(elsewhere / "gone.svs")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems take no such names")
@pytest.mark.parametrize("reader", ["slide", "images", "several", "fields"])
def test_a_name_that_is_no_utf_8_is_refused_at_once(tmp_path, picture, ihcscore_command, reader):
    path = write_pages(tmp_path / "a.tif", [(picture[:200, :200], None)], **per_cm(0.5))
    odd = tmp_path / os.fsdecode(b"Pr\xe4parat.tif")
    path.rename(odd)
    out = tmp_path / "out"
    if reader == "slide":
        with pytest.raises(IhcscoreError, match=r"Pr�parat\.tif: the file's name is not UTF-8; rename"):
            open_slide(odd)
    elif reader == "images":
        with pytest.raises(IhcscoreError, match="rename the file"):
            find_images([odd])
    else:
        good = write_pages(tmp_path / "b.tif", [(picture[:200, :200], None)], **per_cm(0.5))
        fields = odd.with_suffix(".geojson")
        fields.write_text("{}")
        words = (odd, good) if reader == "several" else (good, "--fields-from", fields)
        shown = ihcscore_command("run", *words, "--marker", "CD8", "--out", out)
        assert shown.status == 2
        assert "is not UTF-8; rename the file" in shown.err
        assert not out.exists()


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("._S07.svs", APPLE_DOUBLE, "sidecar of macOS"),
        ("a.czi", b"ZISRAWFILE" + bytes(90), "Zeiss CZI"),
        ("a.zip", b"PK\3\4" + bytes(90), "ZIP archive; unpack it"),
        ("a.svs", b"PK\3\4" + bytes(90), "ZIP archive; unpack it"),
        ("a.svs.gz", b"\x1f\x8b" + bytes(90), "gzip; unpack it"),
        ("a.vsi", b"II*\0" + bytes(90), r"\.ets files"),
        ("a.kfb", b"KFB" + bytes(90), "KFBIO"),
        ("Data0001.dat", bytes(90), r"give the \.mrxs"),
        ("a.geojson", b"{}", "annotation"),
        ("a.png", b"\x89PNG\r\n\x1a\n", "plain image"),
        ("a.xyz", b"what is this", "not a slide that OpenSlide or tifffile can read"),
    ],
)
def test_files_of_other_kinds_are_told(tmp_path, name, content, told):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(SlideError, match=told):
        open_slide(path)


def test_an_ordinary_tiff_is_told_from_a_slide(tmp_path, picture):
    path = tmp_path / "strips.tif"
    tifffile.imwrite(path, picture, photometric="rgb", compression="deflate", metadata=None, **per_cm(0.5))
    with pytest.raises(SlideError, match="a TIFF without tiles, not a slide; score it with 'ihcscore count'"):
        open_slide(path)
    np.testing.assert_array_equal(read_image(path), picture)
