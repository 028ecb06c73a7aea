"""Headers of TIFF slides: what cannot be true is refused in one line, before a decoder trusts it."""

import shutil
import struct
import time
from pathlib import Path

import numpy as np
import pytest

from ihcscore.errors import SlideError
from ihcscore.slide.checks import check_headers
from writers import damage
from writers.formats import WRITERS

WIDTH, HEIGHT, COMPRESSION, TILE_WIDTH, TILE_HEIGHT = 256, 257, 259, 322, 323
STRIP_OFFSETS, TILE_OFFSETS, TILE_BYTES = 273, 324, 325
TILED = ["svs jpeg", "svs jpeg 2000", "philips", "scn", "bif", "tiff", "ome", "ome pyramid"]


def refused(path) -> str:
    with pytest.raises(SlideError) as caught:
        check_headers(path)
    says = str(caught.value)
    assert says.startswith(f"{path.name}: ")
    assert "\n" not in says
    return says


@pytest.fixture(scope="module", params=TILED)
def good(request, picture, tmp_path_factory):
    return WRITERS[request.param](tmp_path_factory.mktemp("good"), picture)


@pytest.fixture
def slide(good, tmp_path):
    """A copy to be damaged."""
    return Path(shutil.copy(good, tmp_path))


@pytest.mark.parametrize("keep", [0.001, 0.3, 0.9, 0.99])
def test_a_slide_that_was_cut_short(slide, keep):
    damage.cut(slide, keep)
    assert "cut short" in refused(slide)


def test_a_list_of_images_that_runs_in_a_circle(slide):
    damage.set_next_page(slide, None, page=0)
    assert "circle" in refused(slide)


def test_a_next_image_beyond_the_end(slide):
    damage.set_next_page(slide, 1 << 30)
    assert "cut short" in refused(slide)


@pytest.mark.parametrize("tag", [WIDTH, HEIGHT, TILE_WIDTH, TILE_HEIGHT])
@pytest.mark.parametrize("value", [0, 1 << 30, (1 << 32) - 1])
def test_absurd_sizes(slide, tag, value):
    damage.set_tag(slide, tag, value)
    assert "damaged" in refused(slide)


def test_more_pixels_than_tiles(slide):
    damage.set_tag(slide, WIDTH, 9000)
    assert "where its size needs" in refused(slide)


@pytest.mark.parametrize("tag", [TILE_OFFSETS, TILE_BYTES])
def test_too_few_entries_in_a_table(slide, tag):
    damage.set_tag(slide, tag, 0, count=2)
    assert "lists 2 tiles where its size needs" in refused(slide)


def test_a_table_longer_than_the_file(slide):
    damage.set_tag(slide, TILE_OFFSETS, 0, count=1 << 28)
    refused(slide)


def test_a_tile_that_ends_beyond_the_file(slide):
    damage.set_value(slide, TILE_OFFSETS, slide.stat().st_size - 2)
    assert "cut short" in refused(slide)


@pytest.mark.parametrize("value", [2, 4, 65000])
def test_a_compression_that_nothing_reads(slide, value):
    damage.set_tag(slide, COMPRESSION, value)
    assert f"compression {value}" in refused(slide)


@pytest.mark.parametrize("value", [1, 5, 32773])
def test_jpeg_under_the_number_of_a_method_that_takes_any_bytes(slide, value):
    damage.set_tag(slide, COMPRESSION, value)
    assert "holds JPEG" in refused(slide)


@pytest.mark.parametrize("tag", [TILE_OFFSETS, TILE_BYTES])
def test_a_tile_that_was_never_stored_is_no_damage(slide, tag):
    damage.set_value(slide, TILE_BYTES, 0)
    damage.set_value(slide, tag, 0)
    check_headers(slide)


def test_what_is_cut_off_the_label_alone_is_no_loss(tmp_path, picture):
    path = WRITERS["svs jpeg"](tmp_path, picture)
    damage.set_tag(path, STRIP_OFFSETS, path.stat().st_size - 1, page=1)
    check_headers(path)


def test_a_level_in_sub_ifds_is_checked(tmp_path, picture):
    path = WRITERS["ome pyramid"](tmp_path, picture)
    raw = bytearray(path.read_bytes())
    with damage.tifffile.TiffFile(path) as tiff:
        tag = tiff.pages[0].pages[1].tags[TILE_WIDTH]
    struct.pack_into("<HII", raw, tag.offset + 2, 4, 1, 1 << 30)
    path.write_bytes(raw)
    assert "image 1.2" in refused(path)


def test_ndpi_without_its_directories_or_its_stream(tmp_path, picture):
    path = WRITERS["ndpi"](tmp_path, picture)
    whole = path.read_bytes()
    damage.cut(path, 0.5)
    assert "cut short" in refused(path)
    path.write_bytes(whole)
    damage.set_tag(path, STRIP_OFFSETS, len(whole) - 1)
    assert "cut short" in refused(path)


def _directory(entries: list[tuple[int, int, int, int]], *, following: int) -> bytes:
    """An NDPI directory: the pointer behind it has 64 bits, and high halves stand behind that."""
    body = b"".join(struct.pack("<HHII", *entry[:3], entry[3] & 0xFFFFFFFF) for entry in entries)
    high = b"".join(struct.pack("<I", entry[3] >> 32) for entry in entries)
    return struct.pack("<H", len(entries)) + body + struct.pack("<Q", following) + high


def _write_large_ndpi(path, *, restart: bool) -> None:
    """The skeleton of an NDPI of 5 GB, sparse on disk: one level of 100 000 × 80 000 px."""
    stream, place = 4 * (1 << 30) + 4096, 5 * (1 << 30)
    head = b"\xff\xd8" + (b"\xff\xdd\x00\x04\x01\x00" if restart else b"") + b"\xff\xda\x00\x08"
    entries = [
        (WIDTH, 4, 1, 100_000), (HEIGHT, 4, 1, 80_000), (STRIP_OFFSETS, 4, 1, stream), (279, 4, 1, 1000),
        (65420, 4, 1, 1), (65421, 11, 1, struct.unpack("<I", struct.pack("<f", 20.0))[0]),
    ]  # fmt: skip
    with path.open("wb") as file:
        file.write(b"II*\0" + struct.pack("<Q", place))
        file.seek(stream)
        file.write(head)
        file.seek(place)
        file.write(_directory(entries, following=0))


def test_ndpi_of_more_than_4_gb_has_wrapped_offsets(tmp_path):
    path = tmp_path / "a.ndpi"
    _write_large_ndpi(path, restart=True)
    check_headers(path)
    _write_large_ndpi(path, restart=False)
    assert "cannot be divided" in refused(path)


def test_a_large_slide_is_checked_in_a_moment(tmp_path):
    """100 000 × 80 000 px in 122 383 tiles: read in bulk (measured at 3 ms; the bound only catches loops)."""
    path = tmp_path / "a.tif"
    n_tiles = -(-100_000 // 256) * -(-80_000 // 256)
    offsets = np.full(n_tiles, 8, "<u8").tobytes()
    lengths = np.full(n_tiles, 4, "<u4").tobytes()
    at = 16 + len(offsets) + len(lengths)
    entries = [
        (WIDTH, 4, 1, 100_000), (HEIGHT, 4, 1, 80_000), (COMPRESSION, 3, 1, 7), (277, 3, 1, 3),
        (TILE_WIDTH, 4, 1, 256), (TILE_HEIGHT, 4, 1, 256),
        (TILE_OFFSETS, 16, n_tiles, 16), (TILE_BYTES, 4, n_tiles, 16 + len(offsets)),
    ]  # fmt: skip
    body = b"".join(struct.pack("<HHQQ", *entry) for entry in entries)
    path.write_bytes(
        b"II+\0" + struct.pack("<HHQ", 8, 0, at) + offsets + lengths
        + struct.pack("<Q", len(entries)) + body + struct.pack("<Q", 0)
    )  # fmt: skip
    start = time.process_time()
    check_headers(path)
    assert time.process_time() - start < 2


def test_big_endian_files_are_read_as_well(tmp_path, picture):
    path = tmp_path / "a.tif"
    damage.tifffile.imwrite(path, picture, byteorder=">", tile=(256, 256), photometric="rgb")
    check_headers(path)
    damage.cut(path, 0.5)
    assert "cut short" in refused(path)


@pytest.mark.parametrize("raw", [b"II*\0", b"II*\0\0\0\0\0", b"II+\0\x08\0\0\0", b"MM\0*\0\0\0\x08", b""])
def test_a_file_that_is_next_to_nothing(tmp_path, raw):
    path = tmp_path / "a.svs"
    path.write_bytes(raw)
    refused(path)
