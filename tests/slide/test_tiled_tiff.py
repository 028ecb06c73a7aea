"""Tiles that are decoded directly are OpenSlide's pixels, and where they might not be, OpenSlide reads."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import openslide
import pytest
import tifffile

from ihcscore.errors import ReadError
from ihcscore.slide import open_slide
from ihcscore.slide.readers.openslide import OpenSlideReader
from ihcscore.slide.tiles import SharedFile, TiledImage, TileLayout
from ihcscore.synthetic import MiraxSettings, write_mirax
from writers import damage
from writers.formats import WRITERS
from writers.jpeg_tiles import JpegSettings, write_jpeg_tiles
from writers.philips import write_philips
from writers.svs import SvsSettings, write_svs
from writers.tiff import write_tiff

DIRECT = ["svs jpeg", "svs jpeg 4:2:2", "svs jpeg 4:2:0", "svs jpeg 2000", "philips", "tiff"]


@pytest.fixture(scope="module")
def detailed(picture):
    """The picture with grain, so that every tile differs from every other and chroma is not smooth."""
    grain = np.random.default_rng(5).integers(-25, 26, picture.shape)
    return np.clip(picture + grain, 0, 255).astype(np.uint8)


def rectangles(size_xy_px, n=12):
    """The whole, single pixels at the corners, and random ones."""
    width, height = size_xy_px
    yield from [(0, 0, width, height), (0, 0, 1, 1), (width - 1, height - 1, 1, 1)]
    rng = np.random.default_rng(2)
    for _ in range(n):
        x, y = int(rng.integers(0, width)), int(rng.integers(0, height))
        yield x, y, int(rng.integers(1, width - x + 1)), int(rng.integers(1, height - y + 1))


def assert_as_openslide(slide, path, level):
    """Same pixels and masks as OpenSlide's, wherever it can place the rectangle on whole pixels."""
    file = path if path.is_file() else path / "level0.dcm"
    with OpenSlideReader(file, identity="", icc=False, direct=False) as other:
        assert other.levels == slide.levels
        assert other.identity == slide.identity
        for x, y, w, h in rectangles(slide.levels[level].size_xy_px):
            rgb, scanned = slide.read_scanned(level, (x, y), (w, h))
            there, seen = other.read_scanned(level, (x, y), (w, h))
            np.testing.assert_array_equal(rgb, there)
            np.testing.assert_array_equal(scanned, seen)


@pytest.mark.parametrize("kind", DIRECT)
def test_pixels_are_openslides(kind, tmp_path, detailed):
    path = WRITERS[kind](tmp_path, detailed)
    with open_slide(path) as slide:
        for level in range(3):
            assert slide.is_direct(level)
            assert_as_openslide(slide, path, level)


def test_ome_tiff_is_openslides_where_it_sees_it_and_tifffiles_elsewhere(tmp_path, detailed):
    path = WRITERS["ome pyramid"](tmp_path, detailed)
    with (
        open_slide(path) as slide,
        OpenSlideReader(path, identity="", icc=False, direct=False) as other,
        tifffile.TiffFile(path) as tiff,
    ):
        assert len(slide.levels) == 3
        assert len(other.levels) == 1
        for level, stored in enumerate(tiff.series[0].levels):
            whole = stored.asarray()
            for x, y, w, h in rectangles(slide.levels[level].size_xy_px):
                read = slide.read(level, (x, y), (w, h))
                np.testing.assert_array_equal(read, whole[y : y + h, x : x + w])
                if level == 0:
                    np.testing.assert_array_equal(read, other.read(0, (x, y), (w, h)))


@pytest.mark.parametrize("claims_rgb", [False, True])
def test_ome_tiff_whose_jpegs_say_their_colours_themselves(tmp_path, detailed, claims_rgb):
    path = tmp_path / "a.ome.tif"
    write_jpeg_tiles(path, detailed, JpegSettings(claims_rgb=claims_rgb, ome=True))
    with open_slide(path) as slide:
        assert slide.format == "ome-tiff"
        read = slide.read(0, (0, 0), slide.size_xy_px)
    np.testing.assert_array_equal(read, tifffile.imread(path))
    assert np.abs(read.astype(int) - detailed).mean() < 12


def test_jpeg_2000_of_ycbcr_is_left_to_openslide(tmp_path, detailed):
    path = write_svs(tmp_path / "a.svs", detailed, SvsSettings(compression="jpeg 2000 ycbcr"))
    with open_slide(path) as slide:
        assert not any(slide.is_direct(level) for level in range(3))
        read = slide.read(0, (130, 70), (100, 90)).astype(int)
        assert np.abs(read - detailed[70:160, 130:230]).mean() < 2


@pytest.mark.parametrize("kind", ["mirax", "ndpi", "scn", "bif", "dicom"])
def test_formats_that_openslide_composes_are_left_to_it(kind, tmp_path, detailed):
    path = WRITERS[kind](tmp_path, detailed)
    with open_slide(path) as slide:
        assert not any(slide.is_direct(level) for level in range(len(slide.levels)))
        if kind != "dicom":
            assert_as_openslide(slide, path, 0)


@pytest.mark.parametrize("shared_tables", [False, True])
@pytest.mark.parametrize(
    ("subsampling", "is_rgb"), [((1, 1), False), ((2, 1), False), ((2, 2), False), ((1, 1), True)]
)
def test_ways_of_coding_a_jpeg(tmp_path, detailed, subsampling, is_rgb, shared_tables):
    settings = JpegSettings(subsampling=subsampling, is_rgb=is_rgb, shared_tables=shared_tables)
    path = write_jpeg_tiles(tmp_path / "a.tif", detailed, settings)
    with tifffile.TiffFile(path) as tiff:
        assert (tiff.pages[0].jpegtables is not None) == shared_tables
    with open_slide(path) as slide:
        assert slide.format == "generic-tiff"
        assert slide.is_direct(0)
        assert_as_openslide(slide, path, 0)
        assert np.abs(slide.read(0, (0, 0), slide.size_xy_px).astype(int) - detailed).mean() < 12


def test_a_level_that_is_no_whole_factor_coarser(tmp_path, detailed):
    """OpenSlide interpolates between the pixels of such levels; decoded directly they come back as stored."""
    path = write_svs(tmp_path / "a.svs", detailed[:519, :899])
    with open_slide(path) as slide, tifffile.TiffFile(path) as tiff:
        assert slide.levels[1].downsample != 2
        assert slide.is_direct(1)
        whole = tiff.pages[2].asarray()  # page 1 is the thumbnail
        for x, y, w, h in rectangles(slide.levels[1].size_xy_px):
            np.testing.assert_array_equal(slide.read(1, (x, y), (w, h)), whole[y : y + h, x : x + w])


def set_lengths(path: Path, page: int, lengths: dict[int, int]) -> None:
    """Change entries of a page's TileByteCounts."""
    with tifffile.TiffFile(path, mode="r+") as tiff:
        tag = tiff.pages[page].tags["TileByteCounts"]
        values = list(tag.value)
        for index, length in lengths.items():
            values[index] = length
        tag.overwrite(values)


@pytest.mark.parametrize("write", [write_svs, write_philips, write_tiff])
def test_missing_tiles_are_what_openslide_says(write, tmp_path, detailed):
    path = write(tmp_path / "a.svs", detailed)
    set_lengths(path, 0, {0: 0, 5: 0})
    with open_slide(path) as slide:
        assert slide.is_direct(0)
        rgb, scanned = slide.read_scanned(0, (0, 0), (300, 300))
        assert not scanned[:240, :240].any()
        assert (rgb[:240, :240] == 255).all()
        assert scanned[:240, 260:].all()
        for level in range(3):
            assert_as_openslide(slide, path, level)
        # what lies over a missing tile OpenSlide draws anew from the finer level, in Aperio's alone
        assert slide.is_direct(1) == (write is not write_svs)


def test_missing_tiles_of_a_coarser_level(tmp_path, detailed):
    path = write_svs(tmp_path / "a.svs", detailed)
    set_lengths(path, 2, {1: 0})  # page 1 is the thumbnail
    with open_slide(path) as slide:
        assert [slide.is_direct(level) for level in range(3)] == [True, False, False]
        for level in range(3):
            assert_as_openslide(slide, path, level)
        assert slide.read_scanned(1, (0, 0), (450, 260))[1].all()


@pytest.mark.parametrize(
    "options",
    [
        {"compression": "lzw"},
        {"compression": None},
        {"compression": "jpeg", "planarconfig": "separate"},
    ],
)
def test_layouts_that_are_not_known_are_left_to_openslide(tmp_path, detailed, options):
    pixels = np.moveaxis(detailed, -1, 0) if "planarconfig" in options else detailed
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, pixels, tile=(128, 128), photometric="rgb", metadata=None, **options)
    with open_slide(path) as slide:
        assert not slide.is_direct(0)
        assert_as_openslide(slide, path, 0)


def test_a_decoder_that_differs_is_found_out(tmp_path, detailed, monkeypatch):
    path = write_tiff(tmp_path / "a.tif", detailed)
    read_tile = TiledImage.tile
    monkeypatch.setattr(TiledImage, "tile", lambda self, index: read_tile(self, index)[..., ::-1])
    with open_slide(path) as slide:
        assert not slide.is_direct(0)
        assert_as_openslide(slide, path, 0)


def test_a_broken_tile_does_not_hide_that_the_rest_is_safe(tmp_path, detailed):
    path = write_svs(tmp_path / "a.svs", detailed)
    with tifffile.TiffFile(path) as tiff:
        fullest = int(np.argmax(tiff.pages[0].databytecounts))
    damage.break_svs_tile(path, fullest)
    with open_slide(path) as slide:
        assert slide.is_direct(0)


@pytest.mark.parametrize("kind", ["svs jpeg", "svs jpeg 2000", "ome"])
@pytest.mark.parametrize("keep", [0.0, 0.5])
def test_a_broken_tile_is_an_error_and_the_slide_stays_usable(kind, keep, tmp_path, detailed):
    path = WRITERS[kind](tmp_path, detailed)
    with open_slide(path) as slide:
        before = slide.read(0, (500, 300), (100, 100))
    with tifffile.TiffFile(path) as tiff:
        offset, length = tiff.pages[0].dataoffsets[0], tiff.pages[0].databytecounts[0]
    raw = bytearray(path.read_bytes())
    kept = int(length * keep)
    raw[offset + kept : offset + length] = bytes(length - kept)  # as a copy that broke off leaves it
    path.write_bytes(raw)
    with open_slide(path) as slide:
        for _ in range(2):
            with pytest.raises(ReadError, match=f"{path.name}: cannot decode tile 0"):
                slide.read(0, (10, 10), (50, 50))
            np.testing.assert_array_equal(slide.read(0, (500, 300), (100, 100)), before)


def test_most_damage_inside_a_jpeg_is_noticed(tmp_path, detailed):
    """Most flipped bytes leave a stream that libjpeg only warns of, and whose rest is noise."""
    path = write_tiff(tmp_path / "a.tif", detailed, n_levels=1)
    with tifffile.TiffFile(path) as tiff:
        offset, length = tiff.pages[0].dataoffsets[5], tiff.pages[0].databytecounts[5]
    good = path.read_bytes()
    rng = np.random.default_rng(6)
    noticed = 0
    for _ in range(40):
        raw = bytearray(good)
        raw[offset + 700 + int(rng.integers(0, length - 702))] ^= int(rng.integers(1, 256))
        path.write_bytes(raw)
        with open_slide(path) as slide:
            try:
                slide.read(0, (300, 300), (50, 50))
            except ReadError:
                noticed += 1
    assert noticed >= 20


@pytest.mark.parametrize(
    ("offsets", "lengths"), [([10], [1 << 30]), ([1 << 40], [100]), ([-5], [100]), ([990], [100]), ([], [])]
)
def test_entries_that_cannot_be_are_errors_before_anything_is_read(tmp_path, offsets, lengths):
    path = tmp_path / "a"
    path.write_bytes(bytes(1000))
    layout = TileLayout(
        size_xy_px=(64, 64),
        tile_xy_px=(64, 64),
        offsets=np.array(offsets, np.int64),
        lengths=np.array(lengths, np.int64),
    )
    file = SharedFile(path)
    image = TiledImage(file, "a", layout, lambda encoded, index: pytest.fail("decoded"))
    with pytest.raises(ReadError, match="a: cannot decode tile 0"):
        image.read_into((0, 0), np.empty((9, 9, 3), np.uint8))
    file.close()


def read_all(slide, places):
    """Pixels of each place; None where they cannot be read."""

    def read(place):
        try:
            return slide.read(0, place, (90, 70))
        except ReadError:
            return None

    return read, [read(place) for place in places]


@pytest.mark.parametrize("kind", ["svs jpeg", "svs jpeg 2000", "mirax", "ome"])
def test_threads_read_what_one_reads_though_tiles_are_broken(kind, tmp_path, detailed):
    path = WRITERS[kind](tmp_path, detailed)
    if kind == "mirax":
        damage.break_mirax_tile(path, 3 + 2, 2 + 1)
    else:
        damage.break_svs_tile(path, 2)
    rng = np.random.default_rng(4)
    places = [
        (int(x), int(y)) for x, y in zip(rng.integers(0, 800, 24), rng.integers(0, 430, 24), strict=True)
    ]
    with open_slide(path) as slide:
        read, alone = read_all(slide, places)
        with ThreadPoolExecutor(4) as pool:
            together = list(pool.map(read, places))
    broken = [pixels is None for pixels in alone]
    assert any(broken)
    assert not all(broken)
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)


def sum_of(path: Path) -> int:
    with open_slide(path) as slide:
        return int(slide.read(0, (0, 0), slide.size_xy_px).sum())


def test_other_processes_open_the_slide_by_its_path(tmp_path, detailed):
    paths = [WRITERS["tiff"](tmp_path, detailed), WRITERS["mirax"](tmp_path, detailed)]
    here = [sum_of(path) for path in paths]
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as pool:
        assert list(pool.map(sum_of, paths)) == here


def test_files_are_only_read(tmp_path, detailed):
    for kind in ("svs jpeg", "ome", "mirax"):
        path = WRITERS[kind](tmp_path, detailed)
        path.chmod(0o444)
        before = path.read_bytes(), path.stat().st_mtime_ns
        sum_of(path)
        assert (path.read_bytes(), path.stat().st_mtime_ns) == before


def test_label_and_overview_are_never_opened(tmp_path, detailed, monkeypatch):
    label = np.full((60, 50, 3), 7, np.uint8)
    path = write_svs(tmp_path / "a.svs", detailed, SvsSettings(label=label, macro=label))
    with tifffile.TiffFile(path) as tiff:
        secret = [
            range(offset, offset + length)
            for page in tiff.pages[-2:]
            for offset, length in zip(page.dataoffsets, page.databytecounts, strict=True)
        ]
    assert len(secret) >= 2

    def refuse(*_):
        raise AssertionError("an associated image was read")

    reads = []
    read_at = SharedFile.read_at

    def noted(self, offset, length):
        reads.append(range(offset, offset + length))
        return read_at(self, offset, length)

    monkeypatch.setattr(openslide.lowlevel, "read_associated_image", refuse)
    monkeypatch.setattr(openslide.OpenSlide, "associated_images", property(refuse))
    monkeypatch.setattr(SharedFile, "read_at", noted)
    with open_slide(path) as slide:
        slide.thumbnail(4.0)
        for level in range(3):
            slide.read(level, (0, 0), slide.levels[level].size_xy_px)
    assert reads
    assert not any(max(a.start, b.start) < min(a.stop, b.stop) for a in reads for b in secret)


def test_a_closed_slide_says_so(tmp_path, detailed):
    slide = open_slide(write_mirax(tmp_path / "a.mrxs", detailed, mpp_um=0.5, settings=MiraxSettings()))
    slide.close()
    with pytest.raises(ValueError, match="closed"):
        slide.read(0, (0, 0), (9, 9))


def test_real_slides_are_read_directly(shared_data):
    for name in ("CMU-1-Small-Region.svs", "tcga-cr-7395-01a-01-ts1.svs"):
        path = shared_data / "slides" / name
        with (
            OpenSlideReader(path, identity="", icc=False) as slide,
            OpenSlideReader(path, identity="", icc=False, direct=False) as other,
        ):
            assert all(slide.is_direct(level) for level in range(len(slide.levels)))
            for x, y, w, h in [(0, 0, 300, 200), (700, 900, 800, 700), (1900, 2700, 320, 267)]:
                here, there = slide.read(0, (x, y), (w, h)), other.read(0, (x, y), (w, h))
                np.testing.assert_array_equal(here, there)


def test_a_real_ome_tiff_is_as_tifffile_reads_it(shared_data):
    path = shared_data / "slides" / "OS-2-ndpi.ome.tif"
    with open_slide(path) as slide:
        read = slide.read(0, (0, 0), slide.size_xy_px)
    np.testing.assert_array_equal(read, tifffile.imread(path, level=0))
