"""Public reference objects: what others measured, to the last digit. Skipped where they are absent."""

import csv

import nibabel
import numpy as np
import pytest

from drawn_pet import write_json_header, write_segmentation
from ihcscore import measure_volumes, read_pet
from ihcscore.pet import Grid, Label, PetSeries, Volume, VolumeSource, measure, read_volumes
from ihcscore.pet.fill import Filling
from ihcscore.schema import PeakKind, SuvSettings, Threshold

DROS = ("0_0", "1_0", "2_0", "2_2", "2_4", "3_0", "3_1", "3_4", "4_2")


def rows(path):
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def nifti(path):
    image = nibabel.load(path)
    return np.asanyarray(image.dataobj).transpose(2, 1, 0), image.header.get_zooms()


@pytest.mark.parametrize("dro", DROS)
def test_ibsi_reference_objects(shared_data, dro):
    """github.com/oncoray/suv_computation: 0.20, 1.00 and 4.00 in the mask."""
    folder = shared_data / "pet" / "dro" / f"DRO_{dro}"
    series = read_pet(folder / "PT")
    mask, _ = nifti(folder / "mask" / "DRO_mask.nii.gz")
    inside = series.suv[mask > 0]
    assert inside.min() == pytest.approx(0.20, abs=0.005)
    assert np.median(inside) == pytest.approx(1.00, abs=0.005)
    assert inside.max() == pytest.approx(4.00, abs=0.005)


@pytest.mark.parametrize(
    "case", ["PHILIPS_CNTS_AND_SUV", "SIEMENS", "GE_MEDICAL_AND_BQML", "RADIOPHARM_DATETIME_UNDEFINED"]
)
def test_vendor_headers(shared_data, tmp_path, case):
    """github.com/cornerstonejs/calculate-suv: SUV of a voxel of 1."""
    folder = shared_data / "pet" / "headers"
    expected = {row["case"]: float(row["suvbw"]) for row in rows(folder / "expected.csv")}
    series = read_pet(write_json_header(tmp_path / "scan", folder / f"{case}.json"))
    assert series.how.factor == pytest.approx(expected[case], rel=1e-6)


def test_sts_001_from_dicom(shared_data, tmp_path):
    """github.com/theibsi/data_sets: DICOM, contours and the same as NIfTI."""
    folder = shared_data / "pet" / "sts001"
    series = read_pet(folder / "dicom" / "image")
    (volume,) = read_volumes(folder / "dicom" / "mask" / "RS.dcm", series)
    mask, _ = nifti(folder / "nifti" / "PET_mask.nii.gz")
    whole = np.zeros(series.suv.shape, bool)
    whole[volume.filling.box] = volume.filling.inside
    assert int(whole.sum()) == 5095
    assert (whole == (mask > 0)).all()
    row = measure_volumes(series, [volume]).iloc[0]
    (expected,) = rows(folder / "expected.csv")
    for ours, theirs in (
        ("suv_max", "suv_max"), ("suv_mean", "suv_mean"), ("volume_ml", "volume_ml"),
        ("suv_peak", "suv_peak_ibsi_global"), ("suv_peak_at_max", "suv_peak_ibsi_local"),
        ("mtv_ml", "mtv41_ml"), ("suv_mean_mtv", "suv_mean41"), ("tlg", "tlg41"),
    ):  # fmt: skip
        assert row[ours] == pytest.approx(float(expected[theirs]), rel=5e-7, abs=6e-6), ours
    again = measure_volumes(series, folder / "nifti" / "PET_mask.nii.gz").iloc[0]
    assert again["suv_peak"] == row["suv_peak"]
    assert again["n_voxels"] == 5095


@pytest.mark.filterwarnings("ignore")
def test_sts_001_as_a_segmentation(shared_data, tmp_path):
    """The same volume written by highdicom as DICOM SEG and read back: no voxel differs."""
    images = shared_data / "pet" / "sts001" / "dicom" / "image"
    series = read_pet(images)
    (drawn,) = read_volumes(shared_data / "pet" / "sts001" / "dicom" / "mask" / "RS.dcm", series)
    mask = np.zeros(series.suv.shape, bool)
    mask[drawn.filling.box] = drawn.filling.inside
    write_segmentation(tmp_path / "seg.dcm", images, mask)
    (volume,) = read_volumes(tmp_path / "seg.dcm", series)
    again = np.zeros(series.suv.shape, bool)
    again[volume.filling.box] = volume.filling.inside
    assert mask.sum() > 5000
    assert (again == mask).all()


def test_51_patients(shared_data):
    """The 25 that are here; volume, SUVmax and SUVmean follow from the files, the rest is a trial's own."""
    folder = shared_data / "pet" / "sts"
    for expected in rows(folder / "sts.csv"):
        patient = folder / expected["patient"]
        suv, spacing = nifti(patient / "image.nii.gz")
        mask, _ = nifti(patient / "mask.nii.gz")
        series, volume = laid(suv.astype(np.float32), mask > 0, [float(mm) for mm in spacing])
        uptake = measure(series, volume)
        fractional = measure(series, volume, SuvSettings(peak=PeakKind.FRACTIONAL))
        fixed = measure(series, volume, SuvSettings(threshold=Threshold(value=2.5, relative=False)))
        got = {
            "n_voxels": uptake.n_voxels, "volume_ml": uptake.volume_ml, "suv_max": uptake.suv_max,
            "suv_mean": uptake.suv_mean, "suv_peak_ibsi_global": uptake.suv_peak,
            "suv_peak_ibsi_local": uptake.suv_peak_at_max, "suv_peak_fractional": fractional.suv_peak,
            "mtv41_ml": uptake.mtv_ml, "suv_mean41": uptake.suv_mean_mtv, "tlg41": uptake.tlg,
            "mtv2.5_ml": fixed.mtv_ml,
        }  # fmt: skip
        for name, value in got.items():
            assert value == pytest.approx(float(expected[name]), rel=1e-7, abs=6e-6), (
                expected["patient"],
                name,
            )


def laid(suv, inside, spacing):
    """Arrays as a series and a volume."""
    grid = Grid(
        shape_zyx=suv.shape, origin_mm=np.zeros(3), column_step_mm=np.array([spacing[0], 0, 0]),
        row_step_mm=np.array([0, spacing[1], 0]), normal=np.array([0, 0, 1.0]),
        offsets_mm=np.arange(len(suv)) * spacing[2], spacing_z_mm=spacing[2],
    )  # fmt: skip
    filling = Filling(box=tuple(slice(0, n) for n in suv.shape), inside=inside)
    label = Label(tissue="lesion", lesion_id="L")
    volume = Volume(name="L", label=label, source=VolumeSource.NIFTI, filling=filling)
    return PetSeries(suv=suv, grid=grid, how=None, header=None), volume


def test_ibsi_digital_phantom():
    """IBSI reference manual: 5 × 4 × 4 voxels of 2 mm; local peak 2.60, global 3.10."""
    suv = np.array(
        [
            [[1, 4, 4, 1, 1], [1, 4, 6, 1, 1], [4, 1, 6, 4, 1], [4, 4, 6, 4, 1]],
            [[1, 4, 4, 1, 1], [1, 1, 6, 1, 1], [1, 1, 3, 1, 1], [4, 4, 6, 1, 1]],
            [[1, 4, 4, 1, 1], [1, 1, 1, 1, 1], [1, 1, 9, 1, 1], [1, 1, 6, 1, 1]],
            [[1, 4, 4, 1, 1], [1, 1, 1, 1, 1], [1, 1, 1, 1, 1], [1, 1, 6, 1, 1]],
        ],
        np.float32,
    )
    inside = np.ones(suv.shape, bool)
    inside[1, 2, 0] = inside[2, 2, 2] = False
    inside[2:, 0, 3:] = False
    series, volume = laid(suv, inside, [2.0, 2.0, 2.0])
    uptake = measure(series, volume)
    assert uptake.suv_peak_at_max == pytest.approx(2.600, abs=5e-4)
    assert uptake.suv_peak == pytest.approx(3.103, abs=5e-4)
