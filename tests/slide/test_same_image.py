"""Pixels and their scale come from the same image: sets of OME files, labels first, planes, padded levels."""

import shutil

import numpy as np
import pytest
import tifffile

from ihcscore.errors import SlideError
from ihcscore.slide import open_slide
from ihcscore.slide.base import Level
from ihcscore.slide.pyramid import StoredLevel, levels_to_use
from writers.odd_tiff import JPEG, TILE, ome_image, ome_xml, padded, per_cm, write_pages
from writers.pyramid import halved, levels_of

MARKS = [f"urn:uuid:00000000-0000-0000-0000-00000000000{k}" for k in (1, 2)]


@pytest.fixture(scope="module")
def fine():
    """Blobs right of the middle of glass: what is placed wrongly shows."""
    rng = np.random.default_rng(2)
    rgb = np.full((640, 768, 3), (243, 244, 240), np.uint8)
    for x, y in zip(rng.integers(500, 740, 60), rng.integers(100, 560, 60), strict=True):
        rgb[y : y + 24, x : x + 20] = (140, 110, 150)
    return rgb


def size(rgb):
    return rgb.shape[1], rgb.shape[0]


def write_set(folder, fine):
    """Two files of a set, each with the metadata of both: 1 µm, and 0.5 µm in two levels."""
    coarse = halved(fine)
    images = [
        ome_image(size(rgb), mpp, number=k, file=f"s_{k}.ome.tif", mark=MARKS[k])
        for k, (rgb, mpp) in enumerate([(coarse, "1.0"), (fine, "0.5")])
    ]
    for k, rgb in enumerate([coarse, fine]):
        write_pages(folder / f"s_{k}.ome.tif", [(rgb, ome_xml(*images, mark=MARKS[k]))], levels=1 + k)
    return folder


@pytest.mark.parametrize("place", ["beside its sibling", "alone", "renamed"])
def test_a_file_of_a_set_is_read_with_its_own_scale(tmp_path, fine, place):
    file = write_set(tmp_path, fine) / "s_1.ome.tif"
    if place == "alone":
        (tmp_path / "s_0.ome.tif").unlink()
    if place == "renamed":
        file = file.rename(tmp_path / "case 7.ome.tif")
    with open_slide(file) as slide:
        assert (slide.mpp_um, slide.size_xy_px) == (0.5, size(fine))
        assert [level.downsample for level in slide.levels] == [1, 2]
        assert np.abs(slide.read(0, (0, 0), size(fine)).astype(int) - fine).mean() < 2
    if place != "alone":
        with open_slide(tmp_path / "s_0.ome.tif") as slide:
            assert (slide.mpp_um, slide.size_xy_px) == (1.0, (384, 320))


def test_metadata_in_a_companion(tmp_path, fine):
    image = ome_image(size(fine), "0.25", file="a.ome.tif", mark=MARKS[0])
    (tmp_path / "a.companion.ome").write_text(ome_xml(image), "utf-8")
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" '
        f'UUID="{MARKS[0]}"><BinaryOnly MetadataFile="a.companion.ome" UUID="{MARKS[1]}"/></OME>'
    )
    path = write_pages(tmp_path / "a.ome.tif", [(fine, text)])
    with open_slide(path) as slide:
        assert slide.mpp_um == 0.25
    (tmp_path / "a.companion.ome").unlink()
    with (
        open_slide(path) as slide,
        pytest.raises(SlideError, match="no microns per pixel are known; give mpp_um"),
    ):
        _ = slide.mpp_um


@pytest.mark.parametrize("named", [True, False])
def test_a_label_or_overview_before_the_scan(tmp_path, fine, named):
    label = np.full((300, 400, 3), 200, np.uint8)
    images = (
        ome_image(size(label), "30", name="Label image" if named else "", number=0, ifd=0),
        ome_image(size(fine), "0.5", number=1, ifd=1),
    )
    path = write_pages(tmp_path / "a.ome.tif", [(label, ome_xml(*images)), (fine, None)])
    with open_slide(path) as slide:
        assert (slide.mpp_um, slide.size_xy_px) == (0.5, size(fine))
        assert [note.kind for note in slide.notes] == ["slide"]
        assert "the file holds 2 images" in slide.notes[0].text


def test_two_scans_in_one_file_cannot_be_told(tmp_path, fine):
    images = [ome_image(size(fine), "0.5", number=k, ifd=k) for k in range(2)]
    path = write_pages(tmp_path / "a.ome.tif", [(fine, ome_xml(*images)), (fine[::-1], None)])
    with pytest.raises(SlideError, match="holds 2 pictures that could be meant"):
        open_slide(path)


def test_one_page_that_two_images_claim_with_their_own_scales(tmp_path, fine):
    images = [ome_image(size(fine), mpp, number=k) for k, mpp in enumerate(["0.25", "0.5"])]
    path = write_pages(tmp_path / "a.ome.tif", [(fine, ome_xml(*images))])
    with open_slide(path) as slide, pytest.raises(SlideError, match="several images that could be this one"):
        _ = slide.mpp_um
    with open_slide(path, mpp_um=0.5) as slide:
        assert slide.mpp_um == 0.5


def test_metadata_of_another_picture_give_no_scale(tmp_path, fine):
    path = write_pages(tmp_path / "a.ome.tif", [(fine, ome_xml(ome_image((9000, 8000), "0.25")))])
    with open_slide(path) as slide, pytest.raises(SlideError, match="describe no image of this size"):
        _ = slide.mpp_um
    svs = (
        "Aperio Image Library v1\r\n1536x1280 [0,0 1536x1280] (128x128) JPEG/RGB Q=95|AppMag = 40|MPP = 0.25"
    )
    path = write_pages(tmp_path / "a.svs", [(fine, svs)])
    with open_slide(path) as slide, pytest.raises(SlideError, match="1536 × 1280 px, it has 768 × 640"):
        _ = slide.mpp_um
    with open_slide(path, mpp_um=0.5) as slide:
        assert slide.mpp_um == 0.5


@pytest.mark.parametrize("stated", [True, False])
def test_focal_planes_of_an_ome_tiff(tmp_path, fine, stated):
    image = ome_image(size(fine), "0.5", z=3 if stated else 1)
    path = write_pages(tmp_path / "a.ome.tif", [(fine, ome_xml(image)), (fine, None), (fine, None)])
    with pytest.raises(SlideError, match="3 focal planes" if stated else "holds 3 pictures"):
        open_slide(path)


@pytest.mark.parametrize("order", ["by level", "by plane"])
def test_focal_planes_of_an_svs(tmp_path, fine, order):
    levels = levels_of(fine, 2)
    text = "Aperio Image Library v1\r\n{}x{} (128x128) JPEG/RGB Q=95|AppMag = 20|MPP = 0.5|OffsetZ = {}"
    planes = [(k, z) for k in range(2) for z in range(3)]
    if order == "by plane":
        planes.sort(key=lambda one: one[1])
    path = tmp_path / "a.svs"
    with tifffile.TiffWriter(path, byteorder="<") as tiff:
        for n, (k, z) in enumerate(planes):
            described = text.format(*size(levels[k]), z).encode()
            tiff.write(levels[k], subfiletype=1 if n else 0, description=described, metadata=None, **JPEG)
    with pytest.raises(SlideError, match="holds 3 pictures of 768 × 640 px, such as focal planes"):
        open_slide(path)


def test_pages_of_a_plain_tiled_tiff(tmp_path, fine):
    for name, pages, refused in (
        ("two.tif", [fine, fine[::-1]], "holds 2 pictures of 768 × 640 px"),
        ("label.tif", [fine[:200, :300], fine], "is not its largest"),
    ):
        path = write_pages(tmp_path / name, [(rgb, None) for rgb in pages], **per_cm(0.5))
        with pytest.raises(SlideError, match=refused):
            open_slide(path)


@pytest.mark.parametrize("name", ["a.tif", "a.ome.tif"])
def test_levels_that_are_padded_to_whole_tiles(tmp_path, fine, name):
    levels = levels_of(fine, 4)  # 768 × 640, 384 × 320, 192 × 160, 96 × 80
    stuffed = [fine, *(padded(level) for level in levels[1:])]
    ome = name == "a.ome.tif"
    path = tmp_path / name
    with tifffile.TiffWriter(path) as tiff:
        for k, level in enumerate(stuffed):
            text = ome_xml(ome_image(size(fine), "0.5")).encode() if ome and k == 0 else None
            tags = {} if ome else per_cm(0.5 * 2**k)
            subifds = 3 if ome and k == 0 else 0
            tiff.write(
                level,
                subfiletype=1 if k else 0,
                subifds=subifds,
                description=text,
                metadata=None,
                **JPEG,
                **tags,
            )
    with open_slide(path) as slide:
        assert [level.downsample for level in slide.levels] == [1, 2, 4, 8]
        assert [level.size_xy_px for level in slide.levels] == [size(level) for level in levels]
        for k, level in enumerate(levels):
            read = slide.read(k, (0, 0), size(level))
            assert np.abs(read.astype(int) - level).mean() < 3
        thumbnail = slide.thumbnail(4.0)
        dark = np.argwhere(thumbnail.rgb.mean(axis=2) < 200)[:, 1] * thumbnail.downsample
        assert 490 <= dark.min() <= 540
        assert dark.max() < 780


def stored(*sizes, tile=(TILE, TILE)):
    return [
        StoredLevel(index=i, size_xy_px=one, downsample=sizes[0][0] / one[0], tile_xy_px=tile)
        for i, one in enumerate(sizes)
    ]


def never(level, xy_px, size_xy_px):
    raise AssertionError("read")


def test_levels_whose_sizes_leave_no_doubt_are_not_read():
    sizes = [(99_999, 80_001), (49_999, 40_000), (24_999, 20_000), (6249, 5000)]
    used = levels_to_use(stored(*sizes), never)
    assert [one.index for one in used] == [0, 1, 2, 3]
    assert [one.level.size_xy_px for one in used] == sizes


def test_a_level_that_fits_neither_way_is_left_out():
    used = levels_to_use(stored((9000, 7000), (4500, 3500), (2250, 1500)), never)
    assert [one.index for one in used] == [0, 1]
    assert used[0].level == Level(size_xy_px=(9000, 7000), downsample=1.0)


def test_a_square_level_padded_alike_both_ways_is_found_out(fine):
    """1024 px: a quarter is 256, three tiles of 128 would be 384; both edges say 2.67."""
    rng = np.random.default_rng(0)
    whole = np.full((1024, 1024, 3), 240, np.uint8)
    for x, y in rng.integers(0, 990, (90, 2)):
        whole[y : y + 30, x : x + 30] = 120
    quarter = halved(halved(whole))
    grown = np.full((384, 384, 3), 244, np.uint8)
    grown[:256, :256] = quarter
    pictures = [whole, grown]

    def read(level, xy_px, size_xy_px):
        (x, y), (w, h) = xy_px, size_xy_px
        return pictures[level][y : y + h, x : x + w]

    levels = [(1024, 1024), (384, 384)]
    assert [one.level.downsample for one in levels_to_use(stored(*levels, tile=(384, 384)), read)] == [1, 4]
    # of bare glass nothing can be told, and the level is not used
    pictures = [np.full_like(whole, 244), np.full_like(grown, 244)]
    assert len(levels_to_use(stored(*levels, tile=(384, 384)), read)) == 1


def test_the_set_is_still_whole_when_copied(tmp_path, fine):
    """The identity is the file's own, not its siblings'."""
    (tmp_path / "set").mkdir()
    file = write_set(tmp_path / "set", fine) / "s_1.ome.tif"
    copy = tmp_path / "s_1.ome.tif"
    shutil.copy(file, copy)
    with open_slide(file) as one, open_slide(copy) as other:
        assert one.identity == other.identity
        np.testing.assert_array_equal(one.read(1, (200, 0), (99, 99)), other.read(1, (200, 0), (99, 99)))
