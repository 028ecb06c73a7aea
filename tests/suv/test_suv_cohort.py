"""A drawn table of uptake, its scans, and the table that is measured in them again."""

import pytest

from ihcscore import synthetic
from ihcscore.pet import read_uptake
from ihcscore.suv import measure_scans
from ihcscore.synthetic.disk.pet_cohort import write_pet_cohort


def test_what_was_drawn_is_measured_and_correlates(tmp_path):
    patients = ["P1", "P2", "P3", "P4"]
    drawn = synthetic.draw_suv_table(patients, density=[100, 200, 300, 400], rho=1.0, seed=5)
    files = write_pet_cohort(tmp_path / "scans", drawn)
    result = measure_scans(files.manifest, out=tmp_path / "suv", names=files.names)
    keys = ["patient_id", "timepoint", "tissue", "lesion_id"]
    both = result.lesions.merge(drawn, on=keys, suffixes=("", "_drawn"))
    assert len(both) == len(drawn) == len(result.lesions)
    lesions = both[both["tissue"] == "lesion"]
    assert lesions["suv_max"].to_numpy() == pytest.approx(lesions["suv_max_drawn"].to_numpy(), rel=2e-4)
    assert set(result.scans["manufacturer"]) == {"SIEMENS", "GE MEDICAL SYSTEMS", "Philips Medical Systems"}
    table = read_uptake(tmp_path / "suv" / "lesions.csv")
    assert table.warnings == []
    means = table.rows[table.rows["is_lesion"] & (table.rows["timepoint"] == "baseline")].groupby(
        "patient_id"
    )
    assert means["suv"].mean().is_monotonic_increasing
