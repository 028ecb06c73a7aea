"""Headers of DICOM slides: truncated, without pixels, absurd sizes, a level of the series that is cut."""

import mmap
import struct

import pytest

from ihcscore.errors import SlideError
from ihcscore.slide.checks import check_headers
from ihcscore.slide.checks.dicom_elements import DicomFile
from writers import damage
from writers.formats import WRITERS

ROWS, COLUMNS, FRAMES, TOTAL_COLUMNS, TOTAL_ROWS = 0x00280010, 0x00280011, 0x00280008, 0x00480006, 0x00480007


@pytest.fixture
def series(tmp_path, picture):
    """The folder of three levels."""
    return WRITERS["dicom"](tmp_path, picture)


@pytest.fixture
def finest(series):
    return series / "level0.dcm"


def refused(path) -> str:
    with pytest.raises(SlideError) as caught:
        check_headers(path)
    says = str(caught.value)
    assert "\n" not in says
    return says


@pytest.mark.parametrize("keep", [0.02, 0.3, 0.9, 0.999])
def test_a_file_that_was_cut_short(finest, keep):
    damage.cut(finest, keep)
    assert "cut short" in refused(finest)


def test_a_header_without_pixels(finest):
    damage.cut_pixels(finest)
    assert "no pixels" in refused(finest)


@pytest.mark.parametrize("keep", [0.01, 0.5])
def test_a_level_beside_it_that_was_cut_short(series, finest, keep):
    damage.cut(series / "level1.dcm", keep)
    assert refused(finest).startswith("level1.dcm: ")
    assert refused(series).startswith("level1.dcm: ")


def test_another_series_in_the_folder_is_of_no_concern(series, finest, tmp_path, picture):
    from writers.dicom import DicomSettings, write_dicom

    other = write_dicom(tmp_path / "b", picture, DicomSettings(slide="b", n_levels=1)) / "level0.dcm"
    damage.cut(other, 0.5)
    other.rename(series / "other.dcm")
    check_headers(finest)


@pytest.mark.parametrize("tag", [ROWS, COLUMNS])
@pytest.mark.parametrize("value", [0, 1])
def test_frames_of_no_size_or_too_few_for_the_picture(finest, tag, value):
    damage.set_dicom(finest, tag, value)
    refused(finest)


def test_frames_too_large_for_memory(finest):
    damage.set_dicom(finest, ROWS, 65535)
    damage.set_dicom(finest, COLUMNS, 65535)
    assert "tiles of 65535" in refused(finest)


@pytest.mark.parametrize("tag", [TOTAL_COLUMNS, TOTAL_ROWS])
@pytest.mark.parametrize("value", [0, 1, 100_000, (1 << 32) - 1])
def test_absurd_dimensions(finest, tag, value):
    damage.set_dicom(finest, tag, value)
    refused(finest)


@pytest.mark.parametrize("text", ["0", "1", "-5", "99999999", "many"])
def test_absurd_numbers_of_frames(finest, text):
    damage.set_dicom(finest, FRAMES, text)
    refused(finest)


def element(group: int, number: int, kind: bytes, value: bytes, length: int | None = None) -> bytes:
    """An element with explicit VR whose length has 4 bytes."""
    size = len(value) if length is None else length
    return struct.pack("<HH", group, number) + kind + struct.pack("<HI", 0, size) + value


def walked(tmp_path, dataset: bytes) -> DicomFile:
    syntax = b"1.2.840.10008.1.2.1\0"
    meta = struct.pack("<HH2sH", 2, 0x10, b"UI", len(syntax)) + syntax
    path = tmp_path / "a.dcm"
    path.write_bytes(bytes(128) + b"DICM" + meta + dataset)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as raw:
        return DicomFile(path.name, raw)


ITEM, ITEM_END, SEQUENCE_END = (struct.pack("<HHI", 0xFFFE, n, length) for n, length in
                                ((0xE000, 0xFFFFFFFF), (0xE00D, 0), (0xE0DD, 0)))  # fmt: skip


def test_sequences_of_undefined_length_are_stepped_over(tmp_path):
    inner = element(0x0040, 0x0560, b"SQ", ITEM + element(8, 0x100, b"UN", b"ab") + ITEM_END + SEQUENCE_END,
                    0xFFFFFFFF)  # fmt: skip
    outer = element(0x0040, 0x0555, b"SQ", ITEM + inner + ITEM_END + SEQUENCE_END, 0xFFFFFFFF)
    dicom = walked(tmp_path, outer + element(0x7FE0, 0x10, b"OB", b"pixels"))
    assert set(dicom.elements) == {0x00020010, 0x00400555, 0x7FE00010}


def test_sequences_that_lie_in_each_other_without_end_are_refused(tmp_path):
    deep = element(0x0040, 0x0560, b"SQ", b"", 0xFFFFFFFF) + ITEM
    with pytest.raises(SlideError, match="too deep"):
        walked(tmp_path, deep * 1000)


def test_the_pixels_behind_a_long_list_of_frames_are_found(tmp_path):
    frames = element(0x5200, 0x9230, b"SQ", ITEM + ITEM_END + SEQUENCE_END, 0xFFFFFFFF)
    dicom = walked(tmp_path, frames + element(0x7FE0, 0x10, b"OB", b"pixels"))
    assert dicom.elements[0x7FE00010].length == 6
