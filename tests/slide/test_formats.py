"""What formats have of their own: pixel size of each axis, folders, MIRAX and SCN offsets."""

import shutil

import numpy as np
import pytest

from ihcscore.errors import SlideError
from ihcscore.slide import open_slide
from writers.dicom import DicomSettings, write_dicom
from writers.ndpi import write_ndpi
from writers.ome_tiff import write_ome_tiff
from writers.philips import write_philips
from writers.scn import OFFSET_XY_PX, write_scn
from writers.tiff import write_tiff

MPP_XY_UM = (0.5, 0.4)
# SVS, SCN and BIF state one size for both axes, MIRAX too in practice.
BY_AXIS = {
    "ndpi": lambda folder, rgb: write_ndpi(folder / "a.ndpi", rgb, mpp_xy_um=MPP_XY_UM),
    "philips": lambda folder, rgb: write_philips(folder / "a.tiff", rgb, mpp_xy_um=MPP_XY_UM),
    "tiff": lambda folder, rgb: write_tiff(folder / "a.tif", rgb, mpp_xy_um=MPP_XY_UM),
    "dicom": lambda folder, rgb: write_dicom(folder / "a", rgb, DicomSettings(mpp_xy_um=MPP_XY_UM)),
    "ome": lambda folder, rgb: write_ome_tiff(folder / "a.ome.tif", rgb, mpp_xy_um=MPP_XY_UM),
}


@pytest.mark.parametrize("kind", BY_AXIS)
def test_each_axis_has_its_own_pixel_size(kind, tmp_path, picture):
    path = BY_AXIS[kind](tmp_path, picture)
    with open_slide(path) as slide:
        assert slide.file_mpp_um == pytest.approx(MPP_XY_UM, rel=1e-4)
        with pytest.raises(SlideError, match="not square"):
            _ = slide.mpp_um
    with open_slide(path, mpp_um=0.45) as slide:
        assert (slide.mpp_um, slide.mpp_source) == (0.45, "given")


def test_a_leica_area_starts_where_it_was_scanned(tmp_path, picture):
    with open_slide(write_scn(tmp_path / "a.scn", picture)) as slide:
        assert slide.origin_xy_px == OFFSET_XY_PX
        assert np.abs(slide.read(0, (0, 0), (90, 80)).astype(int) - picture[:80, :90]).max() <= 10


def test_a_dicom_folder_or_any_of_its_files_is_the_same_slide(tmp_path, picture):
    folder = write_dicom(tmp_path / "S07", picture)
    with open_slide(folder) as whole:
        assert whole.name == "S07"
        expected = whole.identity, whole.levels, whole.read(1, (30, 20), (50, 40))
    for file in sorted(folder.iterdir()):
        with open_slide(file) as slide:
            assert slide.name == file.name
            assert (slide.identity, slide.levels) == expected[:2]
            np.testing.assert_array_equal(slide.read(1, (30, 20), (50, 40)), expected[2])


def test_a_dicom_folder_may_hold_other_files(tmp_path, picture):
    folder = write_dicom(tmp_path / "S07", picture)
    (folder / "notes.txt").write_text("nothing")
    (folder / "DICOMDIR").mkdir()
    with open_slide(folder) as slide:
        assert slide.size_xy_px == (900, 520)


def test_two_slides_in_a_folder_are_not_guessed_between(tmp_path, picture):
    folder = write_dicom(tmp_path / "a", picture)
    other = write_dicom(tmp_path / "b", picture[:300], DicomSettings(slide="b"))
    for file in other.iterdir():
        shutil.copy(file, folder / f"b-{file.name}")
    with pytest.raises(SlideError, match="holds 2 DICOM slides"):
        open_slide(folder)
    with open_slide(folder / "b-level0.dcm") as slide:
        assert slide.size_xy_px == (900, 300)


def test_a_folder_without_dicom(tmp_path):
    (tmp_path / "a.txt").write_text("nothing")
    with pytest.raises(SlideError, match="without DICOM slides"):
        open_slide(tmp_path)


def test_real_dicom_folder(shared_data, tmp_path):
    shutil.copy(shared_data / "slides" / "boxes_0.dcm", tmp_path / "one.dcm")
    with open_slide(tmp_path) as slide:
        assert slide.size_xy_px == (16, 16)
