"""What people call scans, tissues, regions and ids: matched, pointed at, or told."""

import pandas as pd
import pytest

from ihcscore.errors import TableError
from ihcscore.pet.names import names_lesion
from ihcscore.pet.table import read_uptake
from ihcscore.schema import CorrelationSettings, texts
from ihcscore.study.scores import read_scores
from ihcscore.study.tables import study_tables

PATIENTS = [f"P{number}" for number in range(1, 7)]


def scores_of(**columns):
    rows = {"patient_id": PATIENTS, "sample_id": PATIENTS, "marker": "CD8", "region": "Tumour centre"}
    return pd.DataFrame(rows | {"positive_per_mm2": [3, 1, 4, 15, 9, 26]} | columns)


def uptake_of(**columns):
    rows = [
        {"patient_id": patient, "lesion_id": lesion, "timepoint": scan, "tissue": "lesion", "suv_max": 1 + at}
        for at, patient in enumerate(PATIENTS)
        for scan in ("baseline", "on_treatment")
        for lesion in ("L1", "L2")
    ]
    return pd.DataFrame(rows).assign(**columns)


def study(folder, scores, suv, **asked):
    scores.to_csv(folder / "scores.csv", index=False)
    suv.to_csv(folder / "suv.csv", index=False)
    chosen = CorrelationSettings(n_resamples=100, n_bootstrap=100, n_simulated=100, **asked)
    table = read_uptake(folder / "suv.csv")
    return study_tables(read_scores(folder / "scores.csv", columns=chosen.columns), table, chosen)


@pytest.fixture
def plain(tmp_path):
    return study(tmp_path, scores_of(), uptake_of())


def test_scans_in_near_spellings_are_those_that_are_asked_for(tmp_path, plain):
    suv = uptake_of()
    suv.loc[::7, "timepoint"] = suv.loc[::7, "timepoint"].str.capitalize()
    suv["timepoint"] = suv["timepoint"].str.replace("on_", "On ")
    found = study(tmp_path, scores_of(), suv)
    pd.testing.assert_frame_equal(found.correlations, plain.correlations)
    pd.testing.assert_frame_equal(found.serial, plain.serial)
    told = " | ".join(found.warnings)
    assert "'Baseline' (2 rows) as 'baseline'" in told
    assert "was taken for 'on_treatment'" in told


@pytest.mark.parametrize(("name", "hint"), [("week 6", ""), ("on treatmnt", "; meant for on_treatment?")])
def test_a_scan_of_another_name_is_told_with_its_lesions(tmp_path, name, hint):
    suv = uptake_of()
    suv["timepoint"] = suv["timepoint"].replace("on_treatment", name)
    found = study(tmp_path, scores_of(), suv)
    (told,) = [line for line in found.warnings if "take no part" in line]
    assert (
        f"no scan is called on_treatment, these scans take no part: '{name}' (12 lesions of 6 patients{hint})"
        in told
    )
    reasons = found.unmatched["reason"].value_counts()
    assert reasons[f"scan '{name}' takes no part"] == 12


def test_words_of_lesions_and_of_healthy_tissue_are_told(tmp_path, plain):
    suv = uptake_of()
    suv.loc[0, "tissue"], suv.loc[1, "tissue"], suv.loc[2:5, "tissue"] = (
        "liver metastasis",
        "primary tumor",
        "Lesions",
    )
    liver = uptake_of(tissue="liver", lesion_id="ref").drop_duplicates(["patient_id", "timepoint"])
    found = study(tmp_path, scores_of(), pd.concat([suv, liver]))
    pd.testing.assert_frame_equal(found.correlations, plain.correlations)
    told = " | ".join(found.warnings)
    assert "taken for lesions by the column tissue:" in told
    assert "liver metastasis (1 row), primary tumor (1 row), Lesions (4 rows)" in told
    assert "taken for healthy tissue by the column tissue: liver (12 rows)" in told


def test_a_table_without_a_lesion_names_the_column(tmp_path):
    with pytest.raises(
        TableError, match=r"no row is a lesion by the column tissue, which says node \(24 rows\)"
    ):
        study(tmp_path, scores_of(), uptake_of(tissue="node"))


@pytest.mark.parametrize(
    ("words", "lesion"),
    [
        ("lesion", True), ("Lesions", True), ("target lesion", True), ("liver metastases", True),
        ("Tumour", True),
        ("LN met", True), ("primary", True), ("Lebermetastase", True), ("cutaneous melanoma", True),
        ("liver", False), ("spleen", False), ("blood pool", False), ("metal", False),
        ("tumour-free liver", None), ("peritumoral tissue", None), ("no lesion", None),
        ("normal tissue near tumor", None),
    ],
)  # fmt: skip
def test_words_of_lesions(words, lesion):
    assert names_lesion(words) is lesion


def test_words_that_say_both_are_refused_with_their_row(tmp_path):
    suv = uptake_of()
    suv.loc[3, "tissue"] = "tumour-free liver"
    with pytest.raises(TableError, match="row 5: tissue 'tumour-free liver' may be a lesion or healthy"):
        study(tmp_path, scores_of(), suv)


def test_ids_in_near_spellings_are_pointed_at(tmp_path):
    patients = ["P-01", "p2", *PATIENTS[2:]]
    found = study(tmp_path, scores_of(patient_id=patients), uptake_of())
    assert found.joined["patient_id"].nunique() == 4
    (told,) = [line for line in found.warnings if "as they stand" in line]
    assert told == (
        "2 patients of scores.csv are not in suv.csv as they stand: 'P-01', which has 'P1': ids must be the "
        "same text; 'p2', which has 'P2': ids must be the same text"
    )


def test_a_region_is_asked_for_in_any_spelling(tmp_path):
    found = study(tmp_path, scores_of(), uptake_of(), regions=("tumor center",))
    assert set(found.joined["variable"]) == {"CD8 · Tumour centre"}


def test_both_regions_in_small_letters_are_not_a_third(tmp_path):
    both = scores_of(region="both regions")
    found = study(tmp_path, pd.concat([scores_of(), both]), uptake_of())
    assert set(found.joined["variable"]) == {"CD8 · Tumour centre"}


def test_a_column_of_another_name_is_told(tmp_path):
    suv = uptake_of().rename(columns={"tissue": "Organ"})
    suv.to_csv(tmp_path / "suv.csv", index=False)
    assert texts(read_uptake(tmp_path / "suv.csv").warnings) == [
        "suv.csv: columns that are not used: Organ (meant for tissue?)"
    ]
