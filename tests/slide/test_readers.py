"""The same picture comes back from every format: place, orientation, colours, pixel size."""

import shutil

import cv2
import numpy as np
import pytest

from ihcscore.errors import ReadError, SlideError
from ihcscore.slide import open_slide
from ihcscore.synthetic import ArraySource, MiraxSettings, write_mirax
from writers import damage
from writers.formats import WRITERS
from writers.ome_tiff import write_ome_tiff
from writers.svs import SvsSettings, write_svs

HEIGHT, WIDTH = 520, 900


# Formats that store whole tiles, whose scanned area may reach beyond the picture.
PADDED = {"mirax", "bif"}
OPENSLIDE_NAMES = {
    "mirax": "mirax", "ndpi": "hamamatsu", "philips": "philips", "scn": "leica", "bif": "ventana",
    "tiff": "generic-tiff", "dicom": "dicom", "ome": "ome-tiff", "ome pyramid": "ome-tiff",
}  # fmt: skip


@pytest.fixture(scope="module", params=sorted(WRITERS))
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def slide(kind, picture, tmp_path_factory):
    with open_slide(WRITERS[kind](tmp_path_factory.mktemp("slide"), picture)) as opened:
        yield opened


def test_size_and_pixel_size(slide, kind):
    width, height = slide.size_xy_px
    if kind in PADDED:
        assert WIDTH <= width < WIDTH + 256
        assert HEIGHT <= height < HEIGHT + 256
    else:
        assert (width, height) == (WIDTH, HEIGHT)
    assert slide.format == OPENSLIDE_NAMES.get(kind, "aperio")
    assert slide.file_mpp_um == pytest.approx((0.5, 0.5), rel=1e-3)
    assert slide.mpp_um == pytest.approx(0.5, rel=1e-3)
    assert slide.mpp_source == "file"
    assert [level.downsample for level in slide.levels[:3]] == [1, 2, 4][: len(slide.levels)]
    assert len(slide.levels) >= (1 if kind == "ome" else 3)
    assert (slide.icc_applied, slide.icc_name) == (False, None)


def test_pixels_of_a_rectangle(slide, picture):
    read = slide.read(0, (130, 70), (333, 111))
    assert read.shape == (111, 333, 3)
    assert read.dtype == np.uint8
    # JPEG at quality 95 keeps this smooth picture within a few counts
    difference = np.abs(read.astype(int) - picture[70:181, 130:463])
    assert difference.mean() < 1
    assert difference.max() <= 10


def test_beyond_the_edges_is_background(slide, picture):
    read = slide.read(0, (-20, -10), (50, 40))
    assert (read[:10] == slide.background_rgb).all()
    assert (read[:, :20] == slide.background_rgb).all()
    assert np.abs(read[10:, 20:].astype(int) - picture[:30, :30]).max() <= 6
    width, height = slide.size_xy_px
    assert (slide.read(0, (width + 5, height + 5), (9, 7)) == slide.background_rgb).all()


def test_coarser_levels_show_the_same_place(slide, picture):
    for index, level in enumerate(slide.levels[:3]):
        factor = round(level.downsample)
        x, y = 256 // factor, 128 // factor
        read = slide.read(index, (x, y), (64, 48))
        there = picture[y * factor : (y + 48) * factor, x * factor : (x + 64) * factor]
        small = cv2.resize(there, (64, 48), interpolation=cv2.INTER_AREA)
        assert np.abs(read.astype(int) - small).mean() < 3


def test_level_choice_is_the_coarsest_that_is_fine_enough(slide):
    assert slide.at(0.5).level == 0
    assert slide.at(0.3).level == 0
    if len(slide.levels) > 2:
        assert slide.at(1.9).level == 1
        assert slide.at(2.0).level == 2


@pytest.mark.parametrize("mpp_um", [0.5, 2.0, 3.7, 8.0])
def test_thumbnail_is_the_averaged_picture(slide, picture, mpp_um):
    thumbnail = slide.thumbnail(mpp_um)
    assert thumbnail.mpp_um <= mpp_um * 1.01
    assert thumbnail.mpp_um == pytest.approx(thumbnail.downsample * 0.5, rel=1e-3)
    factor = round(thumbnail.downsample)
    height, width = HEIGHT // factor, WIDTH // factor
    whole = picture[: height * factor, : width * factor].astype(float)
    mean = whole.reshape(height, factor, width, factor, 3).mean((1, 3))
    inner = np.s_[: height - 1, : width - 1]
    assert np.abs(thumbnail.rgb[inner] - mean[inner]).mean() < 3
    assert not thumbnail.unreadable.any()
    assert thumbnail.scanned[inner].all()


def test_unscanned_tiles_are_background_not_black(tmp_path, picture):
    scanned = np.ones((5, 8), bool)
    scanned[0, :3] = False
    scanned[4, 7] = False
    settings = MiraxSettings(tile_px=128, image_format="PNG", background_rgb=(250, 240, 230))
    path = write_mirax(
        tmp_path / "a.mrxs", ArraySource(rgb=picture, scanned=scanned), mpp_um=0.25, settings=settings
    )
    with open_slide(path) as slide:
        assert slide.background_rgb == (250, 240, 230)
        rgb, seen = slide.read_scanned(0, (0, 0), (600, 200))
        assert not seen[:128, :384].any()
        assert (rgb[:128, :384] == (250, 240, 230)).all()
        assert seen[128:].all()
        assert (rgb[128:, :384] == picture[128:200, :384]).all()
        # coarse levels mix the fill into tiles that were scanned in part: there it is opaque
        thumbnail = slide.thumbnail(8.0)
        assert np.abs(thumbnail.rgb[:3, :11].astype(int) - (250, 240, 230)).max() <= 1


def test_bounds_are_the_origin(tmp_path, picture):
    plain = write_mirax(tmp_path / "a.mrxs", picture, mpp_um=0.5, settings=MiraxSettings(tile_px=128))
    bordered = write_mirax(
        tmp_path / "b.mrxs", picture, mpp_um=0.5, settings=MiraxSettings(tile_px=128, border_tiles_xy=(4, 1))
    )
    with open_slide(plain) as a, open_slide(bordered) as b:
        assert a.size_xy_px == b.size_xy_px
        for level in range(3):
            np.testing.assert_array_equal(
                a.read(level, (10, 20), (90, 60)), b.read(level, (10, 20), (90, 60))
            )


@pytest.mark.parametrize("kind", ["mirax", "svs"])
def test_a_broken_tile_spoils_only_its_own_area(kind, tmp_path, picture):
    if kind == "mirax":
        settings = MiraxSettings(tile_px=128, image_format="PNG", border_tiles_xy=(3, 2))
        path = write_mirax(tmp_path / "a.mrxs", picture, mpp_um=0.5, settings=settings)
        damage.break_mirax_tile(path, 3 + 2, 2 + 1)
        broken, fine = (2 * 128, 128), (0, 0)
    else:
        path = write_svs(tmp_path / "a.svs", picture)
        damage.break_svs_tile(path, 5)  # tiles of 240 px, 4 across: column 1, row 1
        broken, fine = (240, 240), (0, 0)
    with open_slide(path) as slide:
        for _ in range(2):
            with pytest.raises(ReadError, match=f"{path.name}: cannot decode"):
                slide.read(0, broken, (50, 50))
            assert np.abs(slide.read(0, fine, (100, 100)).astype(int) - picture[:100, :100]).max() <= 6


def test_a_broken_tile_is_marked_on_a_thumbnail(tmp_path, picture):
    path = write_svs(tmp_path / "a.svs", np.tile(picture, (3, 3, 1)), SvsSettings(n_levels=1))
    damage.break_svs_tile(path, 0)  # 240 × 240 px
    with open_slide(path) as slide:
        thumbnail = slide.thumbnail(2.0)
        assert thumbnail.unreadable[:60, :60].all()
        assert thumbnail.unreadable.sum() <= 2 * 60**2
        assert (thumbnail.rgb[:60, :60] == slide.background_rgb).all()


def test_a_slide_of_which_nothing_can_be_decoded_is_refused(tmp_path, picture):
    path = write_svs(tmp_path / "a.svs", picture[:200, :200], SvsSettings(n_levels=1))
    damage.break_svs_tile(path, 0)
    with open_slide(path) as slide, pytest.raises(SlideError, match="nothing in it can be decoded"):
        slide.thumbnail(2.0)


def test_given_pixel_size_overrides_and_is_recorded(tmp_path, picture):
    path = write_svs(tmp_path / "a.svs", picture, SvsSettings(mpp_um=None))
    with open_slide(path) as slide, pytest.raises(SlideError, match="give mpp_um"):
        _ = slide.mpp_um
    with open_slide(path, mpp_um=0.25) as slide:
        assert (slide.mpp_um, slide.mpp_source) == (0.25, "given")


def test_identity_follows_the_content(tmp_path, picture):
    first = write_ome_tiff(tmp_path / "a.ome.tif", picture)
    second = tmp_path / "b.ome.tif"
    shutil.copy(first, second)
    third = write_ome_tiff(tmp_path / "c.ome.tif", picture[::-1].copy())
    identities = []
    for path in (first, second, third):
        with open_slide(path) as slide:
            identities.append(slide.identity)
    assert identities[0] == identities[1] != identities[2]


def test_ome_tiff_in_strips_and_planes(tmp_path, picture):
    import tifffile

    tifffile.imwrite(
        tmp_path / "strips.ome.tif", picture, photometric="rgb", rowsperstrip=64, ome=True,
        metadata={"axes": "YXS"} | {f"PhysicalSize{a}": 500 for a in "XY"}
        | {f"PhysicalSize{a}Unit": "nm" for a in "XY"},
    )  # fmt: skip
    tifffile.imwrite(
        tmp_path / "planes.ome.tif", np.moveaxis(picture, -1, 0), photometric="rgb", planarconfig="separate",
        tile=(128, 128), ome=True,
        metadata={"axes": "SYX", "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5},
    )  # fmt: skip
    for name in ("strips", "planes"):
        with open_slide(tmp_path / f"{name}.ome.tif") as slide:
            assert slide.mpp_um == pytest.approx(0.5)
            np.testing.assert_array_equal(slide.read(0, (100, 50), (300, 200)), picture[50:250, 100:400])


def test_real_slides(shared_data):
    sizes = {
        "CMU-1-Small-Region.svs": (2220, 2967),
        "OS-2-ndpi.ome.tif": (2202, 2202),
        "boxes_0.dcm": (16, 16),
    }
    for name, size in sizes.items():
        with open_slide(shared_data / "slides" / name) as slide:
            assert slide.size_xy_px == size
            assert slide.thumbnail(8.0).rgb.shape[2] == 3
    with open_slide(shared_data / "slides" / "tcga-cr-7395-01a-01-ts1.svs") as slide:
        assert slide.file_mpp_um is None
    with pytest.raises(SlideError, match="cannot be opened"):
        open_slide(shared_data / "slides" / "unopenable.tiff")
