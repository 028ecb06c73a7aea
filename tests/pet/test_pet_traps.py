"""Headers that mislead: each is refused or read right, never silently wrong."""

import numpy as np
import pytest
from pydicom import Dataset

from drawn_pet import SMALL, change, set_raw, tracer, write_flat
from ihcscore.errors import PetError
from ihcscore.pet import Overrides, read_pet
from ihcscore.pet.clock import parse_given
from ihcscore.synthetic.disk.pet_series import Dialect


def tagged(keyword, value, slices=None):
    def edit(dataset: Dataset, at: int) -> None:
        if slices is None or at in slices:
            target = tracer(dataset) if keyword.startswith("Radio") and "Sequence" not in keyword else dataset
            if value is None:
                if keyword in target:
                    delattr(target, keyword)
            elif isinstance(value, str):
                set_raw(target, keyword, value)
            else:
                setattr(target, keyword, value)

    return edit


def both(*edits):
    def edit(dataset: Dataset, at: int) -> None:
        for one in edits:
            one(dataset, at)

    return edit


def injected(date_time=None, time=None):
    return both(
        tagged("RadiopharmaceuticalStartDateTime", date_time), tagged("RadiopharmaceuticalStartTime", time)
    )


def half_life_of_zirconium(dataset: Dataset, at: int) -> None:
    tracer(dataset).RadionuclideHalfLife = 282_280.0
    tracer(dataset).RadionuclideCodeSequence[0].CodeMeaning = "^89^Zirconium"


REFUSED = {
    "weight missing": (tagged("PatientWeight", None), "weight_kg"),
    "weight 0": (tagged("PatientWeight", 0), "weight_kg"),
    "weight no number": (tagged("PatientWeight", "heavy"), "PatientWeight"),
    "weight negative": (tagged("PatientWeight", -70), "weight_kg"),
    "dose missing": (tagged("RadionuclideTotalDose", None), "injected_mbq"),
    "dose 0": (tagged("RadionuclideTotalDose", 0), "injected_mbq"),
    "dose in kBq": (tagged("RadionuclideTotalDose", 200_000), "injected_mbq"),
    "half-life missing": (tagged("RadionuclideHalfLife", None), "half_life_s"),
    "half-life in minutes": (tagged("RadionuclideHalfLife", 109.77), "half_life_s"),
    "no tracer at all": (tagged("RadiopharmaceuticalInformationSequence", []), "injected_mbq|half_life_s"),
    "two weights": (tagged("PatientWeight", 81, {1}), "not one series"),
    "two doses": (tagged("RadionuclideTotalDose", 2.1e8, {1}), "not one series"),
    "two half-lives": (tagged("RadionuclideHalfLife", 6588.0, {1}), "not one series"),
    "two units": (tagged("Units", "GML", {1}), "not one series"),
    "two decay corrections": (tagged("DecayCorrection", "ADMIN", {1}), "not one series"),
    "date-time and time of injection differ": (injected("20200302091000", "090000"), "injected_at"),
    "no time of injection": (injected(), "injected_at"),
    "injection after the scan": (injected("20200302110000", "110000"), "after the scan"),
    "only a time, an hour after the scan": (injected(None, "110000"), "after the scan"),
    "only a time for 89Zr": (both(injected(None, "090000"), half_life_of_zirconium), "injected_at"),
    "dates far apart for 89Zr": (
        both(injected("20190302090000", "090000"), half_life_of_zirconium),
        "injected_at",
    ),
    "acquisition time -5": (tagged("AcquisitionTime", "-5", {2}), "AcquisitionTime"),
    "acquisition time 25:61": (tagged("AcquisitionTime", "256100", {2}), "AcquisitionTime"),
    "acquisition time empty in one": (tagged("AcquisitionTime", "", {2}), "AcquisitionTime"),
    "injection time 2561": (injected(None, "2561"), "RadiopharmaceuticalStartTime"),
    "series time no time": (tagged("SeriesTime", "noon"), "SeriesTime"),
    "frame reference time negative": (tagged("FrameReferenceTime", -5.0, {0}), "FrameReferenceTime"),
    "frame reference time missing in one": (tagged("FrameReferenceTime", None, {0}), "FrameReferenceTime"),
    "series an hour before the frames": (
        both(tagged("SeriesTime", "090100"), tagged("DecayFactor", None)),
        "reference_time",
    ),
    "no attenuation correction": (tagged("CorrectedImage", ["DECY", "SCAT"]), "ATTN"),
    "nothing corrected": (tagged("CorrectedImage", None), "ATTN"),
    "START without DECY": (tagged("CorrectedImage", ["ATTN", "SCAT"]), "DECY"),
    "NONE with DECY": (tagged("DecayCorrection", "NONE"), "DECY"),
    "decay correction missing": (tagged("DecayCorrection", None), "DecayCorrection"),
    "decay correction unknown": (tagged("DecayCorrection", "END"), "DecayCorrection"),
    "units missing": (tagged("Units", None), "Units"),
    "units CPS": (tagged("Units", "CPS"), "Units"),
    "units PROPCNTS": (tagged("Units", "PROPCNTS"), "Units"),
    "units PROPCPS": (tagged("Units", "PROPCPS"), "Units"),
    "units 1CM": (tagged("Units", "1CM"), "Units"),
    "counts without factors": (tagged("Units", "CNTS"), "CNTS"),
    "intercept": (tagged("RescaleIntercept", -1024), "RescaleIntercept"),
    "slope missing": (tagged("RescaleSlope", None), "RescaleSlope"),
    "slope 0": (tagged("RescaleSlope", 0, {1}), "RescaleSlope"),
    "slope not finite": (tagged("RescaleSlope", "nan"), "RescaleSlope"),
    "two slices at one place": (tagged("ImagePositionPatient", [-21.0, -21.0, -3.0], {2}), "one place"),
    "gated": (tagged("SeriesType", ["GATED", "IMAGE"]), "GATED"),
    "dynamic": (tagged("SeriesType", ["DYNAMIC", "IMAGE"]), "DYNAMIC"),
    "several frames": (tagged("NumberOfFrames", 3), "frames"),
    "several time slices": (tagged("NumberOfTimeSlices", 2), "frames"),
    "more slices announced": (tagged("NumberOfSlices", 7), "missing"),
    "enhanced": (tagged("SOPClassUID", "1.2.840.10008.5.1.4.1.1.130"), "enhanced"),
    "legacy enhanced": (tagged("SOPClassUID", "1.2.840.10008.5.1.4.1.1.128.1"), "enhanced"),
    "no PET": (tagged("Modality", "CT"), "no PET"),
    "writing in the pixels": (tagged("BurnedInAnnotation", "YES"), "BurnedInAnnotation"),
    "lossy": (tagged("LossyImageCompression", "01"), "loss"),
    "orientation differs": (tagged("ImageOrientationPatient", [0.0, 1, 0, 1, 0, 0], {1}), "Orientation"),
    "orientation is askew": (tagged("ImageOrientationPatient", [1.0, 0, 0, 0.7, 0.7, 0]), "Orientation"),
    "lean mass without height": (
        both(tagged("Units", "GML"), tagged("SUVType", "LBM"), tagged("PatientSize", None)),
        "height_m",
    ),
    "surface type with grams": (both(tagged("Units", "GML"), tagged("SUVType", "BSA")), "SUVType"),
}  # fmt: skip


@pytest.mark.parametrize("trap", REFUSED)
def test_refused(tmp_path, trap):
    edit, said = REFUSED[trap]
    with pytest.raises(PetError, match=said) as refused:
        read_pet(change(write_flat(tmp_path / "scan"), edit))
    text = str(refused.value)
    assert text.startswith("scan: ")
    assert "\n" not in text
    assert "Nobody" not in text
    assert "2020" not in text
    assert "1.2.826" not in text


RIGHT = {
    "as written": (tagged("SeriesNumber", 1), 0),
    "weight in grams": (tagged("PatientWeight", 80_000.0), 1),
    "dose in MBq": (tagged("RadionuclideTotalDose", 200.0), 1),
    "offset on the date-time, digits local": (injected("20200302090000+0000", "090000"), 0),
    "offset on the date-time alone": (injected("20200302090000.000000+0200"), 0),
    "UTC in the date-time, local time counts": (injected("20200302080000+0000", "090000"), 1),
    "another zone, half an hour": (injected("20200302123000+0530", "090000"), 1),
    "only a time": (injected(None, "090000"), 0),
    "dates unequally de-identified": (injected("20120611090000", "090000"), 1),
    "series of another day": (tagged("SeriesDate", "20210415"), 1),
    "series half a minute early": (tagged("SeriesTime", "095930"), 0),
    "frame reference times only": (tagged("DecayFactor", None), 0),
    "series and decay factor only": (tagged("FrameReferenceTime", None), 0),
    "scout beside it": (tagged("PatientComments", "x"), 0),
}  # fmt: skip
EXPECTED = {"series half a minute early": 4.0 * np.exp(-np.log(2) / 6586.2 * 30)}


@pytest.mark.parametrize("trap", RIGHT)
def test_right(tmp_path, trap):
    edit, n_notes = RIGHT[trap]
    found = read_pet(change(write_flat(tmp_path / "scan"), edit))
    assert found.suv == pytest.approx(EXPECTED.get(trap, 4.0), rel=2e-4)
    assert len([note for note in found.how.notes if "first Acq" not in note]) == n_notes, found.how.notes


def test_late_series_time_is_not_believed(tmp_path):
    found = read_pet(change(write_flat(tmp_path / "scan"), tagged("SeriesTime", "113000")))
    assert found.suv == pytest.approx(4.0, rel=2e-4)
    assert any("SeriesTime" in note for note in found.how.notes)


def test_across_midnight_with_a_time_alone(tmp_path):
    def edit(dataset: Dataset, at: int) -> None:
        bed = at * 2 // SMALL.shape_zyx[0]
        dataset.SeriesDate = dataset.AcquisitionDate = "20200303"
        dataset.SeriesTime = "003000"
        dataset.AcquisitionTime = "003000" if bed == 0 else "003305"
        injected(None, "233000")(dataset, at)

    found = read_pet(change(write_flat(tmp_path / "scan"), edit))
    assert found.suv == pytest.approx(4.0, rel=2e-4)
    assert found.how.uptake_min == pytest.approx(60)
    assert any("day before" in note for note in found.how.notes)


def test_admin_is_not_corrected_again(tmp_path):
    found = read_pet(change(write_flat(tmp_path / "scan"), tagged("DecayCorrection", "ADMIN")))
    assert found.how.factor == pytest.approx(1000 * 80.0 / 200e6)


def test_a_slice_that_is_missing_is_noticed(tmp_path):
    folder = change(write_flat(tmp_path / "scan"), tagged("NumberOfSlices", None))
    change(folder, lambda dataset, at: setattr(dataset, "Modality", "CT") if at == 1 else None)
    with pytest.raises(PetError, match="missing"):
        read_pet(folder)


def test_beds_may_join_within_a_tenth(tmp_path):
    def edit(dataset: Dataset, at: int) -> None:
        dataset.ImagePositionPatient = [-21.0, -21.0, -9.0 + 6 * at - 0.15 * (at >= 2)]

    assert read_pet(change(write_flat(tmp_path / "scan"), edit)).grid.spacing_z_mm == pytest.approx(6)


def test_two_series_are_listed_and_one_is_chosen(tmp_path):
    write_flat(tmp_path / "scan" / "a")
    write_flat(tmp_path / "scan" / "b", Dialect.GE)
    change(tmp_path / "scan" / "b", both(tagged("SeriesNumber", 7), tagged("SeriesDescription", "PET NAC")))
    with pytest.raises(PetError, match=r"1 'PET drawn AC' \(4 images\); 7 'PET NAC'"):
        read_pet(tmp_path / "scan")
    assert read_pet(tmp_path / "scan", series="7").header.is_ge
    assert not read_pet(tmp_path / "scan", series="drawn").header.is_ge
    with pytest.raises(PetError, match="no PET series is number '3'"):
        read_pet(tmp_path / "scan", series="3")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"weight_kg": 70.0}, "weight_kg"),
        ({"injected_mbq": 190.0}, "injected_mbq"),
        ({"residual_mbq": 3.0}, "residual_mbq"),
        ({"reference_time": parse_given("10:00", "reference_time")}, "reference_time"),
    ],
)
def test_what_philips_factor_holds_cannot_be_changed(tmp_path, given, said):
    with pytest.raises(PetError, match=said):
        read_pet(write_flat(tmp_path / "scan", Dialect.PHILIPS), overrides=Overrides(**given))


def test_philips_factors_bear_witness(tmp_path):
    folder = write_flat(tmp_path / "scan", Dialect.PHILIPS)
    assert not read_pet(folder).how.notes
    noted = read_pet(change(folder, tagged("PatientWeight", 90.0))).how.notes
    assert any("Philips" in note for note in noted)


def test_activity_factor_alone(tmp_path):
    def edit(dataset: Dataset, at: int) -> None:
        dataset.private_block(0x7053, "Philips PET Private Group")[0x00].value = "0"

    found = read_pet(change(write_flat(tmp_path / "scan", Dialect.PHILIPS), edit))
    assert found.how.by_activity
    assert found.suv == pytest.approx(4.0, rel=2e-4)


def test_private_factors_without_their_creator(tmp_path):
    def edit(dataset: Dataset, at: int) -> None:
        del dataset[0x7053, 0x0010]

    found = read_pet(change(write_flat(tmp_path / "scan", Dialect.PHILIPS), edit))
    assert found.suv == pytest.approx(4.0, rel=2e-4)


def test_residual_is_taken_off_at_the_injection(tmp_path):
    # 10 MBq left, measured one half-life after the injection: 20 MBq of 200.
    given = Overrides(residual_mbq=10.0, residual_at=parse_given("10:49:46.2", "residual_at"))
    found = read_pet(write_flat(tmp_path / "scan"), overrides=given)
    assert found.how.dose_mbq.value == pytest.approx(180)
    assert found.suv == pytest.approx(4 / 0.9, rel=2e-4)
    assert found.how.overrides == ("residual_mbq", "residual_at")


def test_overrides_stand_in_place_of_the_header(tmp_path):
    folder = change(write_flat(tmp_path / "scan"), both(tagged("PatientWeight", None), injected()))
    given = Overrides(weight_kg=40.0, injected_at=parse_given("2020-03-02 09:00", "injected_at"))
    found = read_pet(folder, overrides=given)
    assert found.suv == pytest.approx(2.0, rel=2e-4)
    assert found.how.weight_kg.source == "weight_kg"


def test_reference_time_mends_a_contradiction(tmp_path):
    folder = change(write_flat(tmp_path / "scan"), tagged("SeriesTime", "090100"))
    found = read_pet(folder, overrides=Overrides(reference_time=parse_given("10:00", "reference_time")))
    assert found.suv == pytest.approx(4.0, rel=2e-4)


def test_no_decay_correction_by_frame(tmp_path):
    decay, frame = np.log(2) / 6586.2, 180.0

    def edit(dataset: Dataset, at: int) -> None:
        dataset.DecayCorrection, dataset.CorrectedImage = "NONE", ["ATTN", "SCAT"]
        start = 3600.0 + 185.0 * (at * 2 // 4)
        # The mean over the frame of an activity that was 4 w/D-1 at the injection.
        mean = np.exp(-decay * start) * (1 - np.exp(-decay * frame)) / (decay * frame)
        dataset.RescaleSlope = f"{4 * mean * 200e6 / 80_000 / 32_000:.12g}"

    found = read_pet(change(write_flat(tmp_path / "scan"), edit))
    assert found.suv == pytest.approx(4.0, rel=1e-5)


def test_slices_are_ordered_by_place_and_not_by_name(tmp_path):
    folder = write_flat(tmp_path / "scan")
    change(folder, lambda dataset, at: setattr(dataset, "RescaleSlope", dataset.RescaleSlope * (at + 1)))
    before = read_pet(folder)
    assert before.suv[:, 0, 0] == pytest.approx([4, 8, 12, 16], rel=2e-4)
    for number, file in enumerate(sorted(folder.glob("*.dcm"), reverse=True)):
        file.rename(folder / f"{number}.ima")
    after = read_pet(folder)
    assert (after.suv == before.suv).all()
    assert after.identity == before.identity


def test_files_of_other_kinds_are_passed_over(tmp_path):
    folder = write_flat(tmp_path / "scan")
    (folder / "notes.txt").write_text("not a slice")
    write_flat(tmp_path / "scan" / "ct")
    change(tmp_path / "scan" / "ct", tagged("Modality", "CT"))
    assert read_pet(folder).suv.shape == SMALL.shape_zyx


def test_a_file_cut_short_is_named(tmp_path):
    folder = write_flat(tmp_path / "scan")
    file = next(folder.glob("*.dcm"))
    file.write_bytes(file.read_bytes()[:-40])
    with pytest.raises(PetError, match="damaged"):
        read_pet(folder)


def test_an_empty_folder_and_none(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(PetError, match="no PET images"):
        read_pet(tmp_path / "empty")
    with pytest.raises(PetError, match="no such folder"):
        read_pet(tmp_path / "nothing")


def test_zirconium_needs_dates_and_then_is_right(tmp_path):
    # Injected three days before: the activity in the files is that of 18F an hour after.
    def edit(dataset: Dataset, at: int) -> None:
        half_life_of_zirconium(dataset, at)
        injected("20200228090000", "090000")(dataset, at)

    found = read_pet(change(write_flat(tmp_path / "scan"), edit))
    hours = 3 * 24 + 1
    expected = 4 * 2 ** (hours * 3600 / 282_280.0) / 2 ** (3600 / 6586.2)
    assert found.suv == pytest.approx(expected, rel=2e-4)
    assert found.how.uptake_min == pytest.approx(hours * 60)
    assert not [note for note in found.how.notes if "DecayFactor" not in note]


def test_a_half_life_that_is_not_the_nuclides_is_noted(tmp_path):
    notes = read_pet(change(write_flat(tmp_path / "scan"), tagged("RadionuclideHalfLife", 6700.0))).how.notes
    assert any("coded nuclide" in note for note in notes)


def test_messages_hold_no_person_even_where_a_header_is_broken(tmp_path):
    write_flat(tmp_path / "scan" / "a")
    write_flat(tmp_path / "scan" / "b", Dialect.GE)

    def say(dataset: Dataset, at: int) -> None:
        dataset.SeriesDescription = "PET phantom 2020-03-02 of NOBODY 1.2.840.113619.2.55.3.1"

    change(tmp_path / "scan" / "a", say)
    with pytest.raises(PetError, match=r"1 'PET … … of … …' \(4 images\)"):
        read_pet(tmp_path / "scan")
    change(tmp_path / "scan" / "a", tagged("SeriesDescription", "PET " + "x" * 70))
    with pytest.raises(PetError, match=r"1 '\(unreadable\)'"):
        read_pet(tmp_path / "scan")
