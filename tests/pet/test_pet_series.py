"""What is read from drawn series: dialects, directions, encodings, fuzzed headers."""

import contextlib
import random
import shutil
from dataclasses import replace

import imagecodecs
import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.encaps import encapsulate
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_data_element, write_file_meta_info
from pydicom.tag import Tag
from pydicom.uid import UID

from drawn_pet import SCAN, SMALL, SPHERES, change, set_raw, tracer, write_drawn, write_flat
from ihcscore.errors import PetError
from ihcscore.pet import Overrides, measure_volumes, read_pet
from ihcscore.pet.reference import Candidate
from ihcscore.schema import SuvKind
from ihcscore.synthetic.disk.pet_series import Dialect, draw_uptake, write_pet_series
from ihcscore.synthetic.disk.pet_volumes import write_contours, write_spheres

PIXEL_DATA = Tag("PixelData")


@pytest.mark.parametrize(
    ("dialect", "source"),
    [
        (Dialect.SIEMENS, Candidate.SERIES),
        (Dialect.GE, Candidate.SERIES),
        (Dialect.GE_PRIVATE, Candidate.GE),
        (Dialect.PHILIPS, None),
        (Dialect.LATE, Candidate.DECAY_FACTOR),
    ],
)
def test_every_dialect_gives_the_drawn_uptake(tmp_path, dialect, source):
    series = read_pet(write_drawn(tmp_path / "scan", dialect))
    drawn = draw_uptake(SCAN, SPHERES, background=1.0)
    assert series.suv == pytest.approx(drawn, abs=2e-4)
    assert (series.how.reference and series.how.reference.source) == source
    assert series.how.uptake_min == pytest.approx(60)
    assert series.suv.dtype == np.float32


def measured(folder, scan):
    write_pet_series(folder, draw_uptake(scan, SPHERES, background=1.0), scan, Dialect.SIEMENS)
    write_spheres(folder / "spheres.csv", SPHERES)
    write_contours(folder / "rs.dcm", SPHERES, scan)
    series = read_pet(folder)
    tables = [measure_volumes(series, folder / name) for name in ("spheres.csv", "rs.dcm")]
    return [table.drop(columns=["note"]) for table in tables]


def turned(angle_deg):
    c, s = np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))
    return (float(c), float(s), 0.0, float(-s), float(c), 0.0)


@pytest.mark.parametrize(
    "change_of",
    [
        # Rows run up, so that slices rise towards the feet; the same voxels otherwise.
        {"orientation": (1.0, 0, 0, 0, -1.0, 0), "origin_mm": (-93.0, 93.0, 33.0)},
        # The patient on the face: columns run to the right.
        {"orientation": (-1.0, 0, 0, 0, -1.0, 0), "origin_mm": (93.0, 93.0, -33.0)},
        # Feet first: columns to the right, slices towards the feet.
        {"orientation": (-1.0, 0, 0, 0, 1.0, 0), "origin_mm": (93.0, -93.0, 33.0)},
    ],
    ids=["reversed normal", "prone", "feet first"],
)
def test_measures_do_not_depend_on_how_voxels_are_stored(tmp_path, change_of):
    plain = measured(tmp_path / "plain", SCAN)
    other = measured(tmp_path / "other", replace(SCAN, **change_of))
    for ours, theirs in zip(plain, other, strict=True):
        for column in ours.columns:
            if ours[column].dtype.kind == "f":
                assert theirs[column].to_numpy() == pytest.approx(ours[column].to_numpy(), rel=2e-4), column


def test_coronal_slices_measure_the_same(tmp_path):
    # Slices from front to back, rows towards the feet, on a cube of voxels.
    cube = replace(SCAN, shape_zyx=(32, 32, 32), origin_mm=(-93.0, -93.0, -93.0))
    coronal = replace(cube, orientation=(1.0, 0, 0, 0, 0, -1.0), origin_mm=(-93.0, -93.0, 93.0))
    plain, other = measured(tmp_path / "a", cube), measured(tmp_path / "b", coronal)
    for column in ("suv_max", "suv_mean", "suv_peak", "volume_ml", "n_voxels"):
        assert other[0][column].to_numpy() == pytest.approx(plain[0][column].to_numpy(), rel=2e-4), column


def test_oblique_unequal_spacing_and_oblong_slices(tmp_path):
    # A table turned by 20°: the same spheres, measured where they are.
    row, column = np.array(turned(20)[:3]), np.array(turned(20)[3:])
    origin = -row * 45 * 4.0 / 2 - column * 37 * 5.0 / 2 + np.array([0, 0, -33.0])
    scan = replace(
        SCAN, shape_zyx=(23, 38, 46), spacing_xyz_mm=(4.0, 5.0, 3.0), orientation=turned(20),
        origin_mm=tuple(float(one) for one in origin),
    )  # fmt: skip
    spheres, contours = measured(tmp_path / "scan", scan)
    true_ml = np.array([np.pi / 6 * (one.diameter_mm / 10) ** 3 for one in SPHERES])
    assert spheres["volume_ml"].to_numpy() == pytest.approx(true_ml, rel=0.005)
    assert contours["volume_ml"].to_numpy() == pytest.approx(true_ml, rel=0.06)
    assert spheres["suv_max"].to_numpy() == pytest.approx([4.0, 2.0], rel=2e-4)


@pytest.mark.parametrize(
    ("syntax", "encode"),
    [
        ("1.2.840.10008.1.2.4.70", lambda values: imagecodecs.ljpeg_encode(values, bitspersample=16)),
        ("1.2.840.10008.1.2.4.80", imagecodecs.jpegls_encode),
        (
            "1.2.840.10008.1.2.4.90",
            lambda values: imagecodecs.jpeg2k_encode(values, reversible=True, level=0),
        ),
    ],
    ids=["lossless JPEG", "JPEG-LS", "JPEG 2000"],
)
def test_compressed_pixels(tmp_path, syntax, encode):
    folder = write_drawn(tmp_path / "scan")
    before = read_pet(folder).suv

    def compress(dataset, at):
        values = np.frombuffer(dataset.PixelData, "<u2").reshape(dataset.Rows, dataset.Columns)
        dataset.PixelData = encapsulate([encode(np.ascontiguousarray(values))])
        dataset["PixelData"].is_undefined_length = True
        dataset.file_meta.TransferSyntaxUID = UID(syntax)

    assert (read_pet(change(folder, compress)).suv == before).all()


def test_compression_that_cannot_be_decoded_is_a_sentence(tmp_path):
    def claim(dataset, at):
        dataset.PixelData = encapsulate([b"\0" * 64])
        dataset["PixelData"].is_undefined_length = True
        dataset.file_meta.TransferSyntaxUID = UID("1.2.840.10008.1.2.4.100")

    with pytest.raises(PetError, match="export it uncompressed"):
        read_pet(change(write_flat(tmp_path / "scan"), claim))


def test_lean_mass_and_surface(tmp_path):
    folder = write_flat(tmp_path / "scan")
    # F, 80 kg, 1.78 m: 9270 · 80 / (8780 + 244 · 25.2493) = 49.6358 kg; 1.98032 m² (by hand).
    assert read_pet(folder, suv=SuvKind.SUL).suv.mean() == pytest.approx(4 * 49.6358 / 80, rel=3e-4)
    assert read_pet(folder, suv=SuvKind.BSA).suv.mean() == pytest.approx(4 * 1.98032e4 / 80_000, rel=3e-4)


def test_grams_per_ml_by_lean_mass_become_body_weight(tmp_path):
    def edit(dataset, at):
        dataset.Units, dataset.SUVType = "GML", "LBMJANMA"

    before = read_pet(write_flat(tmp_path / "scan"))
    after = read_pet(change(tmp_path / "scan", edit))
    assert after.how.factor == pytest.approx(80 / 49.6358, rel=1e-5)
    assert after.how.factor[0] != before.how.factor[0]


def test_height_in_centimetres(tmp_path):
    folder = change(write_flat(tmp_path / "scan"), lambda dataset, at: setattr(dataset, "PatientSize", 178))
    assert read_pet(folder, suv=SuvKind.BSA).suv.mean() == pytest.approx(4 * 1.98032e4 / 80_000, rel=3e-4)


def test_affine_is_the_files_own(tmp_path):
    series = read_pet(write_drawn(tmp_path / "scan"))
    file = next(one for one in (tmp_path / "scan").glob("*.dcm"))
    dataset = pydicom.dcmread(file)
    at = round((float(dataset.ImagePositionPatient[2]) - SCAN.origin_mm[2]) / SCAN.spacing_xyz_mm[2])
    place = series.affine @ [3, 5, at, 1]
    assert place[:3] == pytest.approx([-93 + 18, -93 + 30, float(dataset.ImagePositionPatient[2])])


# What a header could hold instead; the drawn SUV is 4.
NUMBERS = st.sampled_from(
    ["", "0", "-1", "80", "80000", "1e400", "nan", "inf", "4O", "80\\81", "200", "2e8", "1e-300"]
)
TIMES = st.sampled_from(
    ["", "-5", "256100", "10", "1000", "100000", "095959.999999", "240000", "10:00:00", "noon", "0"]
)
DATES = st.sampled_from(
    ["", "20200302", "20200303", "20200301", "19700101", "2020.03.02", "20201301", "today"]
)
STAMPS = st.sampled_from(
    [
        "",
        "20200302090000",
        "20200302090000+0100",
        "20200302080000+0000",
        "20200302",
        "90000",
        "20200302250000",
    ]
)
WORDS = st.sampled_from(
    ["", "BQML", "GML", "CNTS", "CM2ML", "START", "ADMIN", "NONE", "BW", "LBM", "IBW", "F", "X"]
)
FUZZED = {
    "PatientWeight": NUMBERS, "PatientSize": NUMBERS, "RadionuclideTotalDose": NUMBERS,
    "RadionuclideHalfLife": NUMBERS, "RescaleSlope": NUMBERS, "RescaleIntercept": NUMBERS,
    "FrameReferenceTime": NUMBERS, "ActualFrameDuration": NUMBERS, "DecayFactor": NUMBERS,
    "AcquisitionTime": TIMES, "SeriesTime": TIMES, "RadiopharmaceuticalStartTime": TIMES,
    "AcquisitionDate": DATES, "SeriesDate": DATES, "RadiopharmaceuticalStartDateTime": STAMPS,
    "Units": WORDS, "DecayCorrection": WORDS, "SUVType": WORDS, "PatientSex": WORDS,
    "ImagePositionPatient": NUMBERS, "PixelSpacing": NUMBERS, "NumberOfSlices": NUMBERS,
}  # fmt: skip
# These change what the voxels mean, not how they are read: what comes out is right by the new header.
MEANING = {
    "PatientWeight", "RadionuclideTotalDose", "RadionuclideHalfLife", "RescaleSlope", "Units", "SUVType",
    "DecayCorrection", "RadiopharmaceuticalStartTime", "RadiopharmaceuticalStartDateTime", "AcquisitionTime",
    "SeriesTime", "AcquisitionDate", "SeriesDate", "ActualFrameDuration", "FrameReferenceTime", "DecayFactor",
}  # fmt: skip


@pytest.fixture(scope="module")
def flat(tmp_path_factory):
    return write_flat(tmp_path_factory.mktemp("fuzz") / "scan", scan=replace(SMALL, shape_zyx=(3, 4, 4)))


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_fuzzed_headers_are_refused_or_right(flat, tmp_path_factory, data):
    keywords = data.draw(st.lists(st.sampled_from(sorted(FUZZED)), min_size=1, max_size=3, unique=True))
    texts = {keyword: data.draw(FUZZED[keyword]) for keyword in keywords}
    slices = data.draw(st.sampled_from([{0, 1, 2}, {1}]))
    folder = tmp_path_factory.mktemp("fuzzed") / "scan"
    shutil.copytree(flat, folder)

    def edit(dataset, at):
        for keyword, text in texts.items():
            if at in slices:
                inside = keyword.startswith("Radio")
                set_raw(tracer(dataset) if inside else dataset, keyword, text)

    change(folder, edit)
    with contextlib.suppress(PetError):
        series = read_pet(folder)
        assert np.isfinite(series.suv).all()
        assert (series.suv >= 0).all()
        if not set(keywords) & MEANING:
            assert series.suv == pytest.approx(4.0, rel=2e-4)
        elif set(keywords) <= {
            "SeriesTime",
            "AcquisitionDate",
            "SeriesDate",
            "FrameReferenceTime",
            "DecayFactor",
        }:
            # Times that evidence can mend: right to the minute that candidates may be apart, or it is said.
            near = series.suv == pytest.approx(4.0, rel=0.0064)
            assert near or series.how.notes
    shutil.rmtree(folder.parent)


def with_shuffled_tags(source, target, rng):
    """The same file with the elements of its header in another order, the pixels last as ever."""
    dataset = pydicom.dcmread(source)
    header = [element for element in dataset if element.tag != PIXEL_DATA]
    rng.shuffle(header)
    raw = DicomBytesIO()
    raw.is_little_endian, raw.is_implicit_VR = True, dataset.file_meta.TransferSyntaxUID.is_implicit_VR
    for element in (*header, dataset[PIXEL_DATA]):
        write_data_element(raw, element)
    with target.open("wb") as file:
        file.write(bytes(128) + b"DICM")
        write_file_meta_info(file, dataset.file_meta)
        file.write(raw.getvalue())


@settings(max_examples=10, deadline=None)
@given(order=st.permutations(range(3)), seed=st.integers(0, 2**32 - 1))
def test_shuffled_files_and_tags_give_the_same_bytes(flat, tmp_path_factory, order, seed):
    folder = tmp_path_factory.mktemp("shuffled") / "scan"
    folder.mkdir()
    rng = random.Random(seed)
    for number, file in zip(order, sorted(flat.glob("*.dcm")), strict=True):
        with_shuffled_tags(file, folder / f"{number}.dcm", rng)
    before, after = read_pet(flat), read_pet(folder)
    assert before.suv.tobytes() == after.suv.tobytes()
    assert before.identity == after.identity


def test_overrides_are_named():
    assert Overrides(weight_kg=70.0, half_life_s=6586.0).names == ("weight_kg", "half_life_s")
