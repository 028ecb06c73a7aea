"""Volumes of interest on the grid, and what is measured in them."""

import math
from dataclasses import replace

import nibabel
import numpy as np
import pydicom
import pytest

from drawn_pet import SCAN, SPHERES, write_drawn, write_segmentation
from ihcscore.errors import PetError, TableError
from ihcscore.pet import (
    Grid,
    Label,
    PetSeries,
    label_of,
    measure,
    measure_volumes,
    read_names,
    read_pet,
    read_volumes,
)
from ihcscore.pet.contours import rasterise
from ihcscore.pet.measure import PEAK_RADIUS_MM, peak_kernel
from ihcscore.pet.spheres import Sphere, fill_sphere
from ihcscore.pet.volumes import Volume, VolumeSource
from ihcscore.schema import PeakKind, SuvSettings, Threshold
from ihcscore.synthetic.disk import pet_series
from ihcscore.synthetic.disk.pet_volumes import write_contours, write_spheres


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    folder = write_drawn(tmp_path_factory.mktemp("pet") / "scan")
    return folder, read_pet(folder)


def grid_of(shape_zyx, spacing_xyz):
    x, y, z = spacing_xyz
    return Grid(
        shape_zyx=shape_zyx, origin_mm=np.zeros(3), column_step_mm=np.array([x, 0, 0]),
        row_step_mm=np.array([0, y, 0]), normal=np.array([0, 0, 1.0]),
        offsets_mm=np.arange(shape_zyx[0]) * z, spacing_z_mm=z,
    )  # fmt: skip


def whole(series, volume):
    mask = np.zeros(series.suv.shape, bool)
    mask[volume.filling.box] = volume.filling.inside
    return mask


def test_raster_of_a_square_with_a_hole():
    square = np.array([[0.5, 0.5], [4.5, 0.5], [4.5, 4.5], [0.5, 4.5]])
    hole = np.array([[1.5, 1.5], [3.5, 1.5], [3.5, 3.5], [1.5, 3.5]])
    expected = np.zeros((6, 6), bool)
    expected[1:5, 1:5] = True
    assert (rasterise([square], (6, 6)) == expected).all()
    expected[2:4, 2:4] = False
    assert (rasterise([square, hole[::-1]], (6, 6)) == expected).all()
    # A keyhole: outer and inner outline in one polygon, joined by a cut.
    keyhole = np.vstack([square, square[:1], hole[:1], hole[::-1]])
    assert (rasterise([keyhole], (6, 6)) == expected).all()


def test_raster_is_cut_at_the_picture():
    large = np.array([[-5.0, -5.0], [9.0, -5.0], [9.0, 9.0], [-5.0, 9.0]])
    assert rasterise([large], (4, 3)).all()


@pytest.mark.parametrize("diameter", [10.0, 12.0, 20.0, 40.0])
def test_spheres_have_their_volume_at_any_place(diameter):
    grid = grid_of((40, 40, 40), (4.07, 4.07, 3.0))
    random = np.random.default_rng(1)
    true = math.pi / 6 * (diameter / 10) ** 3
    for _ in range(12):
        centre = tuple(float(one) for one in np.array([80.0, 80, 60]) + random.uniform(-3, 3, 3))
        filling = fill_sphere(Sphere(name="L", centre_mm=centre, diameter_mm=diameter), grid)
        assert float(filling.shares.sum()) * grid.voxel_ml == pytest.approx(true, rel=0.005)


def test_mean_of_a_blurred_sphere_hardly_depends_on_its_place():
    # Uptake 10 in a ball of 20 mm that falls off over 4 mm, sampled at voxel centres.
    grid = grid_of((30, 30, 30), (4.07, 4.07, 3.0))
    zyx = np.stack(np.meshgrid(*(np.arange(30.0),) * 3, indexing="ij"), axis=-1)
    places = grid.to_mm(zyx[..., ::-1])
    means = []
    for shift in np.random.default_rng(2).uniform(-3, 3, (15, 3)):
        centre = np.array([60.0, 60.0, 45.0]) + shift
        away = np.linalg.norm(places - centre, axis=-1)
        suv = (1 + 9 / (1 + np.exp((away - 10) / 1.7))).astype(np.float32)
        series = PetSeries(suv=suv, grid=grid, how=None, header=None)
        sphere = Sphere(name="L", centre_mm=tuple(map(float, centre)), diameter_mm=20)
        volume = Volume(
            name="L", label=Label(tissue="lesion", lesion_id="L"), source=VolumeSource.SPHERE,
            filling=fill_sphere(sphere, grid),
        )  # fmt: skip
        means.append(measure(series, volume).suv_mean)
    assert np.std(means) / np.mean(means) <= 0.005


def test_spheres_and_contours_of_a_drawn_scan(drawn, tmp_path):
    _, series = drawn
    write_spheres(tmp_path / "s.csv", SPHERES)
    write_contours(tmp_path / "rs.dcm", SPHERES, SCAN)
    for name in ("s.csv", "rs.dcm"):
        table = measure_volumes(series, tmp_path / name)
        assert table["name"].tolist() == ["L1", "L2"]
        assert table["suv_max"].to_numpy() == pytest.approx([4.0, 2.0], rel=2e-4)
        assert table["tissue"].tolist() == ["lesion", "lesion"]
        assert (table["suv_mean"] <= table["suv_max"]).all()
        assert table["suv_peak"].to_numpy() == pytest.approx([4.0, 2.0], rel=5e-3)
    # Every voxel whose centre is in the sphere, and no other.
    (one, _) = read_volumes(tmp_path / "rs.dcm", series)
    zyx = np.stack(np.meshgrid(*(np.arange(n, dtype=float) for n in SCAN.shape_zyx), indexing="ij"), axis=-1)
    away = np.linalg.norm(SCAN.places_mm(zyx) - SPHERES[0].centre_mm, axis=-1)
    assert (whole(series, one) == (away < 18 * math.cos(math.pi / 180))).all()


def test_organs_by_contours_take_shares(drawn, tmp_path):
    _, series = drawn
    liver = replace(SPHERES[0], name="Liver")
    write_contours(tmp_path / "rs.dcm", [liver], SCAN)
    (volume,) = read_volumes(tmp_path / "rs.dcm", series)
    assert volume.filling.shares is not None
    uptake = measure(series, volume)
    assert math.isnan(uptake.mtv_ml)
    assert uptake.volume_ml == pytest.approx(math.pi / 6 * 3.6**3, rel=0.03)


def test_contours_of_another_position_are_refused(drawn, tmp_path):
    _, series = drawn
    write_contours(tmp_path / "rs.dcm", SPHERES, SCAN, key="another")
    with pytest.raises(PetError, match="frame of reference") as refused:
        read_volumes(tmp_path / "rs.dcm", series)
    assert series.frame_of_reference not in str(refused.value)


def edited(path, edit):
    dataset = pydicom.dcmread(path)
    edit(dataset)
    dataset.save_as(path)
    return path


def test_points_and_open_lines_are_noted(drawn, tmp_path):
    _, series = drawn
    write_contours(tmp_path / "rs.dcm", SPHERES, SCAN)

    def open_one(dataset):
        dataset.ROIContourSequence[0].ContourSequence[0].ContourGeometricType = "OPEN_PLANAR"

    (volume, _) = read_volumes(edited(tmp_path / "rs.dcm", open_one), series)
    assert "1 points or open contours are ignored" in volume.notes


def test_tilted_contours_are_refused(drawn, tmp_path):
    _, series = drawn
    write_contours(tmp_path / "rs.dcm", SPHERES, SCAN)

    def tilt(dataset):
        data = dataset.ROIContourSequence[0].ContourSequence[0].ContourData
        data[2] = float(data[2]) + 4

    with pytest.raises(PetError, match="not parallel"):
        read_volumes(edited(tmp_path / "rs.dcm", tilt), series)


def test_regions_without_contours_are_passed_over(drawn, tmp_path):
    _, series = drawn
    write_contours(tmp_path / "rs.dcm", SPHERES, SCAN)

    def empty(dataset):
        del dataset.ROIContourSequence[0]

    volumes = read_volumes(edited(tmp_path / "rs.dcm", empty), series)
    assert [one.name for one in volumes] == ["L2"]


def test_nifti_labels_and_fractions(drawn, tmp_path):
    _, series = drawn
    to_ras = np.diag([-1.0, -1, 1, 1]) @ series.affine
    labels = np.zeros(series.suv.shape[::-1], np.uint8)
    labels[5:10, 6:12, 3:6], labels[20:24, 20:24, 5:9] = 1, 2
    path = tmp_path / "lesions.nii.gz"
    nibabel.save(nibabel.Nifti1Image(labels, to_ras), path)
    one, two = read_volumes(path, series)
    assert (one.name, two.name) == ("lesions-1", "lesions-2")
    assert (whole(series, one) == (labels == 1).transpose(2, 1, 0)).all()
    assert (whole(series, two) == (labels == 2).transpose(2, 1, 0)).all()
    # The same mask on a grid turned about and twice as fine.
    fine = (
        np.repeat(np.repeat(np.repeat(labels == 1, 2, 0), 2, 1), 2, 2)[::-1, :, ::-1].astype(np.float32) * 0.7
    )
    n = np.array(fine.shape)
    flip = np.array(
        [
            [-0.5, 0, 0, (n[0] - 1) / 2 - 0.25],
            [0, 0.5, 0, -0.25],
            [0, 0, -0.5, (n[2] - 1) / 2 - 0.25],
            [0, 0, 0, 1],
        ]
    )
    nibabel.save(nibabel.Nifti1Image(fine, to_ras @ flip), tmp_path / "fine.nii")
    (again,) = read_volumes(tmp_path / "fine.nii", series)
    assert (whole(series, again) == whole(series, one)).all()
    assert any("half" in note for note in again.notes)


def test_nifti_without_a_place_or_outside_is_refused(drawn, tmp_path):
    _, series = drawn
    image = nibabel.Nifti1Image(np.ones((4, 4, 4), np.uint8), None)
    nibabel.save(image, tmp_path / "a.nii")
    with pytest.raises(PetError, match="sform"):
        read_volumes(tmp_path / "a.nii", series)
    away = np.diag([1.0, 1, 1, 1])
    away[:3, 3] = 5000
    nibabel.save(nibabel.Nifti1Image(np.ones((4, 4, 4), np.uint8), away), tmp_path / "b.nii")
    with pytest.raises(PetError, match="outside"):
        read_volumes(tmp_path / "b.nii", series)
    (tmp_path / "c.nii.gz").write_bytes(b"no mask")
    with pytest.raises(PetError, match="NIfTI"):
        read_volumes(tmp_path / "c.nii.gz", series)


@pytest.mark.filterwarnings("ignore")
def test_segmentation_is_read_as_it_was_written(drawn, tmp_path):
    folder, series = drawn
    mask = np.zeros(series.suv.shape, bool)
    mask[3:7, 8:15, 10:18] = True
    mask[4, 9, 11] = False
    write_segmentation(tmp_path / "seg.dcm", folder, mask)
    (volume,) = read_volumes(tmp_path / "seg.dcm", series)
    assert volume.name == "L1"
    assert volume.source is VolumeSource.SEGMENTATION
    assert (whole(series, volume) == mask).all()


def test_files_that_are_no_volumes_are_refused(drawn, tmp_path):
    folder, series = drawn
    (tmp_path / "x.dcm").write_bytes(b"nothing")
    for path, said in (
        (tmp_path / "x.dcm", "RTSTRUCT"),
        (tmp_path / "none.csv", "no such file"),
        (next(folder.glob("*.dcm")), "Modality"),
    ):
        with pytest.raises(PetError, match=said):
            read_volumes(path, series)
    (tmp_path / "s.csv").write_text("name,x_mm,y_mm\nL1,1,2\n")
    with pytest.raises(TableError, match="z_mm"):
        read_volumes(tmp_path / "s.csv", series)
    (tmp_path / "s.csv").write_text("name,x_mm,y_mm,z_mm,diameter_mm\nL1,1,2,3,0\n")
    with pytest.raises(TableError, match="row 2"):
        read_volumes(tmp_path / "s.csv", series)


@pytest.mark.parametrize(
    ("name", "tissue", "lesion"),
    [
        ("Liver", "liver", ""), ("left ventricle", "left ventricle", ""), ("Lung_L", "lung", "left"),
        ("kidney cortex right", "kidney cortex", "right"), ("Right parotid", "parotid", "right"),
        ("Lung met 3", "lesion", "Lung met 3"), ("left", "lesion", "left"), ("GTV", "lesion", "GTV"),
    ],
)  # fmt: skip
def test_names(name, tissue, lesion):
    assert label_of(name) == Label(tissue=tissue, lesion_id=lesion)


def test_a_table_of_names(drawn, tmp_path):
    _, series = drawn
    write_spheres(tmp_path / "s.csv", SPHERES)
    (tmp_path / "names.csv").write_text("name,tissue,lesion_id\nL1,muscle,\nL2,Lesion,axilla\n")
    table = measure_volumes(series, tmp_path / "s.csv", names=read_names(tmp_path / "names.csv"))
    assert table["tissue"].tolist() == ["muscle", "lesion"]
    assert table["lesion_id"].tolist() == ["", "axilla"]
    (tmp_path / "names.csv").write_text("name,tissue,lesion_id\nL1,lesion,a\nL2,Lesion,a\n")
    with pytest.raises(PetError, match="both lesion a"):
        measure_volumes(series, tmp_path / "s.csv", names=read_names(tmp_path / "names.csv"))


@pytest.mark.parametrize(
    ("spacing_zyx", "voxels", "ml"),
    [
        ((3.27, 5.46875, 5.46875), 7, 0.685),
        ((3.0, 4.07283, 4.07283), 21, 1.045),
        ((4.0, 4.0, 4.0), 19, 1.216),
    ],
)
def test_peak_of_whole_voxels(spacing_zyx, voxels, ml):
    _, weights = peak_kernel(spacing_zyx, PeakKind.IBSI)
    assert len(weights) == voxels
    assert voxels * math.prod(spacing_zyx) / 1000 == pytest.approx(ml, abs=6e-4)
    _, shares = peak_kernel(spacing_zyx, PeakKind.FRACTIONAL)
    assert shares.sum() * math.prod(spacing_zyx) / 1000 == pytest.approx(1, abs=0.01)
    assert pytest.approx(6.2035, abs=5e-5) == PEAK_RADIUS_MM


def test_thresholds():
    assert Threshold.parse("41%") == Threshold(value=41, relative=True)
    assert Threshold.parse("2.5") == Threshold(value=2.5, relative=False)
    for text in ("half", "0", "120%", "nan"):
        with pytest.raises(ValueError, match="threshold"):
            Threshold.parse(text)


def test_small_and_cut_volumes_are_noted(drawn, tmp_path):
    _, series = drawn
    small = pet_series.Sphere(name="S", centre_mm=(-20, 10, 0), diameter_mm=8, suv=1)
    edge = pet_series.Sphere(name="E", centre_mm=(-95, 10, 0), diameter_mm=40, suv=1)
    write_spheres(tmp_path / "s.csv", [small, edge])
    table = measure_volumes(series, tmp_path / "s.csv", settings=SuvSettings(threshold=Threshold.parse("9")))
    assert "partial volume" in table["note"][0]
    assert "beyond the scan" in table["note"][1]
    assert "edge of the scan" in table["note"][1]
    assert table["mtv_ml"].tolist() == [0, 0]
    assert table["tlg"].tolist() == [0, 0]


def test_a_sphere_between_voxel_centres(drawn, tmp_path):
    _, series = drawn
    write_spheres(
        tmp_path / "s.csv", [pet_series.Sphere(name="S", centre_mm=(-18, 12, 0), diameter_mm=4, suv=1)]
    )
    row = measure_volumes(series, tmp_path / "s.csv").iloc[0]
    assert row["n_voxels"] == 0
    assert row["volume_ml"] == pytest.approx(math.pi / 6 * 0.4**3, rel=0.25)
    assert row["suv_max"] == pytest.approx(4, rel=2e-4)


def test_masks_and_several_files_are_measured_too(drawn, tmp_path):
    _, series = drawn
    write_spheres(tmp_path / "a.csv", SPHERES[:1])
    write_spheres(tmp_path / "b.csv", SPHERES[1:])
    table = measure_volumes(series, [tmp_path / "a.csv", tmp_path / "b.csv"])
    assert table["name"].tolist() == ["L1", "L2"]
    mask = np.zeros(series.suv.shape, bool)
    mask[3:6, 4:9, 5:10] = True
    row = measure_volumes(series, {"L": mask}).iloc[0]
    assert row["n_voxels"] == 75
    assert row["suv_max"] == series.suv[mask].max()
    with pytest.raises(ValueError, match="expected"):
        measure_volumes(series, {"L": mask[1:]})
    with pytest.raises(PetError, match="no voxel"):
        measure_volumes(series, {"L": np.zeros_like(mask)})
