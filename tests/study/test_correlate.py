"""From two tables to the numbers of a study, and to a folder."""

import json
import math
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ihcscore import schema, synthetic
from ihcscore.errors import IhcscoreError, OutputError, TableError
from ihcscore.pet.table import read_uptake
from ihcscore.schema import (
    BOTH_REGIONS,
    CORRELATIONS,
    JOINED,
    Adjustment,
    CorrelationSettings,
    Unit,
    Variable,
)
from ihcscore.schema.variables import parse_variable
from ihcscore.study.correlate import correlate_tables
from ihcscore.study.densities import patient_densities
from ihcscore.study.join import join_patients, patient_uptake
from ihcscore.study.scores import read_scores
from ihcscore.study.tables import study_tables
from study_data import MARKERS, cohort_scores, paper_study, score_rows

QUICK = {"n_resamples": 2000, "n_bootstrap": 300, "n_simulated": 300}
PLANTED = "CD8 · Tumour centre"


def study(folder, scores, suv, **asked):
    """The study of two tables, without figures."""
    scores.to_csv(folder / "scores.csv", index=False)
    chosen = CorrelationSettings(**(QUICK | asked))
    table = None
    if suv is not None:
        suv.to_csv(folder / "suv.csv", index=False)
        table = read_uptake(folder / "suv.csv", suv=chosen.suv)
    return study_tables(read_scores(folder / "scores.csv", columns=chosen.columns), table, chosen)


def planted_suv(scores, rho=0.7, seed=3):
    rows = scores[(scores["marker"] == "CD8") & (scores["region"] == "Tumour centre")]
    return synthetic.draw_suv_table(
        rows["patient_id"].tolist(), density=rows["mean_per_mm2"].tolist(), rho=rho, seed=seed
    )


@pytest.fixture(scope="module")
def cohort():
    scores = cohort_scores()
    return scores, planted_suv(scores)


@pytest.fixture(scope="module")
def found(cohort, tmp_path_factory):
    return study(tmp_path_factory.mktemp("cohort"), *cohort)


@pytest.fixture(scope="module")
def small():
    scores = cohort_scores(11)
    return scores, planted_suv(scores)


@pytest.fixture(scope="module")
def paper(tmp_path_factory):
    return study(tmp_path_factory.mktemp("paper"), *paper_study())


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """The same study written twice, in folders of different names."""
    base = tmp_path_factory.mktemp("folders")
    scores = cohort_scores(8)
    scores = scores[scores["marker"].isin(["CD8", "CD3"])]
    scores.to_csv(base / "scores.csv", index=False)
    planted_suv(scores).to_csv(base / "suv.csv", index=False)
    chosen = CorrelationSettings(**QUICK, kendall=True, adjust=Adjustment.BENJAMINI_HOCHBERG)
    for name in ("one", "other"):
        correlate_tables(base / "scores.csv", base / "suv.csv", out=base / name, settings=chosen)
    return base / "one", base / "other"


def row_of(table, **wanted):
    for column, value in wanted.items():
        table = table[table[column] == value]
    assert len(table) == 1
    return table.iloc[0]


class TestPlantedCohort:
    def test_the_planted_correlation_comes_out(self, found):
        row = row_of(found.correlations, x=PLANTED, role="primary")
        assert row["rho"] == pytest.approx(0.7, abs=0.02)
        assert row["p"] < 0.05
        assert row["rho_low"] < 0.7 < row["rho_high"]

    def test_each_density_and_ratio_has_its_tests(self, found):
        # 4 markers and 2 ratios, 2 regions, mean and maximum.
        assert found.correlations["role"].value_counts().to_dict() == {"primary": 12, "sensitivity": 12}
        assert "CD25/CD3 · Invasive front" in set(found.correlations["x"])
        assert (found.correlations["n_tests"] == 12).all()
        assert list(found.correlations.columns) == CORRELATIONS.names

    def test_numbers_of_patients_lesions_and_samples(self, found, cohort):
        suv = cohort[1]
        n = ((suv["timepoint"] == "baseline") & (suv["tissue"] == "lesion")).sum()
        row = found.correlations.iloc[0]
        assert (row["n"], row["n_patients"], row["n_samples"], row["n_lesions"]) == (15, 15, 15, n)
        assert dict(found.flow)["Both"] == [
            ("patients in the analysis", 15), ("their samples", 15), ("their lesions", n),
        ]  # fmt: skip

    def test_healthy_tissue_is_summarised_apart(self, found):
        healthy = found.summary[found.summary["what"] == "healthy tissue"]
        assert set(healthy["variable"]) == {"liver, suv_mean", "spleen, suv_mean", "blood pool, suv_mean"}
        lesions = row_of(found.summary, what="uptake of lesions", timepoint="baseline")
        assert lesions["n"] == found.correlations["n_lesions"].iloc[0]

    def test_two_scans_and_response(self, found):
        assert found.serial["unit"].tolist()[0] == "lesion"
        assert row_of(found.serial, unit="patient, mean of lesions")["n"] == 15
        assert (found.serial["shift"] < 0).all()
        assert len(found.response) == 16
        assert found.response["p_trend"].notna().all()

    def test_mean_and_highest_lesion_are_what_they_say(self, found, cohort):
        suv = cohort[1]
        at = suv[(suv["timepoint"] == "baseline") & (suv["tissue"] == "lesion")]
        mean, highest = at.groupby("patient_id")["suv_max"].agg(["mean", "max"]).to_numpy().T
        joined = found.joined[found.joined["variable"] == PLANTED]
        assert list(found.joined.columns) == JOINED.names
        assert joined["lesions_mean"].to_numpy() == pytest.approx(mean)
        assert joined["lesions_max"].to_numpy() == pytest.approx(highest)

    def test_warnings_say_that_tissue_is_not_of_an_imaged_lesion(self, found):
        told = " | ".join(found.warnings)
        assert re.search(r"for \d+ of 15 patients the tissue is not known to come from a lesion", told)
        assert "time between biopsy and scan is not known" in told


class TestNothingElseMatters:
    @pytest.mark.parametrize("seed", [1, 2])
    def test_row_order(self, small, tmp_path, seed):
        first = study(tmp_path, *small)
        other = study(tmp_path, *(table.sample(frac=1, random_state=seed) for table in small))
        for name in ("joined", "correlations", "summary", "serial", "response", "unmatched"):
            pd.testing.assert_frame_equal(getattr(first, name), getattr(other, name), check_exact=True)

    def test_duplicated_rows_and_columns(self, small, tmp_path):
        scores, suv = small
        first = study(tmp_path, scores, suv)
        twice = pd.concat([suv, suv[["suv_max", "patient_id"]]], axis=1)
        other = study(tmp_path, pd.concat([scores, scores.iloc[:3]]), twice)
        pd.testing.assert_frame_equal(first.correlations, other.correlations, check_exact=True)
        assert any("3 rows repeat another" in line for line in other.warnings)

    def test_other_tests_of_the_study(self, small, tmp_path):
        scores, suv = small
        alone = study(tmp_path, scores, suv, x="CD8:Tumour centre").correlations.iloc[0]
        among = row_of(study(tmp_path, scores, suv).correlations, x=PLANTED, role="primary")
        for name in ("rho", "p", "rho_low_bca", "rho_high_bca", "p_smallest"):
            assert alone[name] == among[name]

    @given(st.lists(st.sampled_from(["A", "B", "C", "D", "E"]), min_size=1, max_size=12))
    @settings(max_examples=30, deadline=None)
    def test_a_join_never_adds_rows(self, patients):
        lesions = pd.DataFrame({"patient_id": patients, "suv": np.arange(len(patients), dtype=float)})
        rows = [row for p in "ABC" for row in score_rows(p, f"S{p}", {("CD8", "Tumour centre"): 5.0})]
        scores = (
            pd.DataFrame(rows)
            .rename(
                columns={
                    "mean_per_mm2": "density",
                    "n_fields": "n_scored",
                    "ci95_low_per_mm2": "density_low",
                    "ci95_high_per_mm2": "density_high",
                }
            )
            .assign(matched_density=np.nan, n_matched=np.nan)
        )
        densities = patient_densities(scores)
        joined = join_patients(densities, patient_uptake(lesions))
        assert len(joined) == len(set(patients) & set("ABC"))
        assert not joined.duplicated(["patient_id", "variable"]).any()


class TestThePaper:
    def test_nothing_could_have_been_significant(self, paper):
        assert (paper.correlations["n"] == 4).all()
        assert paper.correlations["p_smallest"].to_numpy() == pytest.approx(2 / 24)
        assert (paper.correlations["could_be_significant"] == "no").all()
        assert (paper.correlations["power_rho_07"] == 0).all()
        assert paper.correlations["rho_needed"].isna().all()
        assert paper.correlations["note"].str.contains("interval not estimable: 4 patients").all()

    def test_the_summary_is_the_papers(self, paper):
        lesions = row_of(paper.summary, what="uptake of lesions", timepoint="baseline")
        assert lesions["n"] == 41
        assert [lesions[name] for name in ("q1", "median", "q3")] == pytest.approx([1.7, 1.9, 2.3])
        for marker, mean, low, high in (("CD3", 598, 46, 957), ("CD8", 498, 37, 820), ("CD25", 55, 1, 169)):
            row = row_of(paper.summary, variable=f"{marker} · Tumour centre")
            assert (row["mean"], row["min"], row["max"]) == pytest.approx((mean, low, high))

    def test_serial_scans_have_the_papers_numbers(self, paper):
        row = row_of(paper.serial, unit="lesion")
        assert (row["n"], row["n_patients"]) == (30, 11)

    def test_nine_patients_without_tissue_are_listed(self, paper):
        reasons = paper.unmatched[paper.unmatched["table"] == "lesions"]["reason"]
        assert reasons.str.startswith("not in scores.csv").sum() == 9

    def test_the_page_says_so_before_any_p(self, tmp_path):
        scores, suv = paper_study()
        scores.to_csv(tmp_path / "scores.csv", index=False)
        suv.to_excel(tmp_path / "suv.xlsx", index=False)
        correlate_tables(
            tmp_path / "scores.csv",
            tmp_path / "suv.xlsx",
            out=tmp_path / "out",
            settings=CorrelationSettings(**QUICK),
        )
        page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
        said = page.index("with n = 4 patients, no result could have been significant")
        assert said < page.index("What was found") < page.index("Smallest P")
        assert "smallest two-sided P that any of 4 tests could have given is 0.083" in page
        assert "lesion that was imaged" in page


class TestLesions:
    def linked(self, n_patients=6):
        """Patients with one, two or three sampled lesions."""
        generator = np.random.default_rng(4)
        scores, suv = [], []
        for p in range(n_patients):
            for lesion in range(1 + p % 3):
                level = float(generator.normal(100 + 30 * p, 20))
                scores += score_rows(f"P{p}", f"P{p}-{lesion}", {("CD8", "Tumour centre"): round(level, 1)})
                suv.append(
                    {"patient_id": f"P{p}", "lesion_id": f"L{lesion}", "timepoint": "baseline",
                     "suv_max": round(1 + level / 100, 2), "sample_id": f"P{p}-{lesion}"}
                )  # fmt: skip
        suv.append(
            {"patient_id": "P0", "lesion_id": "L9", "timepoint": "baseline", "suv_max": 2.0, "sample_id": ""}
        )
        return pd.DataFrame(scores), pd.DataFrame(suv)

    def test_patients_stay_together(self, tmp_path):
        found = study(tmp_path, *self.linked(), point=Unit.LESION)
        row = found.correlations.iloc[0]
        # Two patients each with 1, 2 and 3 lesions: 2! · (2! 2!²) · (2! 3!²) = 2 · 8 · 72.
        assert str(row["p_method"]) == "all permutations: 1152"
        assert (row["n"], row["n_patients"], row["n_lesions"], row["n_samples"]) == (12, 6, 12, 12)
        assert row["p_smallest"] >= 1 / 1152
        assert math.isnan(row["p_t"])
        assert math.isnan(row["rho_low"])
        assert math.isnan(row["power_rho_05"])
        assert "whole patients exchanged" in row["note"]
        assert found.unmatched["reason"].tolist() == ["no tissue of this lesion was scored"]
        assert found.serial.empty

    def test_a_biopsied_lesion_has_the_patients_sample(self, tmp_path):
        scores, suv = self.linked()
        one_each = scores[scores["sample_id"].str.endswith("-0")]
        suv = suv.drop(columns="sample_id").assign(biopsied=np.where(suv["lesion_id"] == "L0", "yes", "no"))
        found = study(tmp_path, one_each, suv, point=Unit.LESION)
        assert found.correlations["n"][0] == 6
        with pytest.raises(
            TableError, match="lesion L0 of patient P1 is biopsied, but the patient has 2 samples"
        ):
            study(tmp_path, scores, suv, point=Unit.LESION)

    def test_a_sample_comes_from_one_lesion(self, tmp_path):
        scores, suv = self.linked()
        with pytest.raises(TableError, match="sample P0-0 of patient P0 is linked to lesions L0, L9"):
            study(tmp_path, scores, suv.replace({"sample_id": {"": "P0-0"}}), point=Unit.LESION)

    def test_no_link_no_lesions(self, tmp_path):
        scores, suv = self.linked()
        with pytest.raises(TableError, match="no lesion is linked to a sample"):
            study(tmp_path, scores, suv.drop(columns="sample_id"), point=Unit.LESION)


class TestTables:
    def test_who_takes_no_part_is_listed_on_both_sides(self, tmp_path):
        scores = cohort_scores(5)
        suv = planted_suv(scores)
        missing = {"patient_id": "099", "sample_id": "S099", "marker": "CD8", "region": "Tumour centre",
                   "missing": "slide could not be opened"}  # fmt: skip
        scores = pd.concat([scores, pd.DataFrame([missing])])
        suv.loc[suv["patient_id"] == "001", "patient_id"] = "1"
        found = study(tmp_path, scores, suv)
        listed = {tuple(row) for row in found.unmatched[["table", "patient_id", "reason"]].to_numpy()}
        assert ("scores", "001", "not in suv.csv, which has '1': ids must be the same text") in listed
        assert ("lesions", "1", "not in scores.csv, which has '001': ids must be the same text") in listed
        assert ("scores", "099", "slide could not be opened") in listed
        assert ("scores", "099", "not in suv.csv") in listed

    def test_an_empty_join_shows_both_sides(self, tmp_path):
        scores = cohort_scores(5)
        suv = planted_suv(scores)
        suv["patient_id"] = "X" + suv["patient_id"]
        with pytest.raises(TableError, match=r"no patient is in both tables: .*'001'.*'X001'"):
            study(tmp_path, scores, suv)

    def test_a_scan_that_is_not_there(self, tmp_path):
        scores = cohort_scores(5)
        with pytest.raises(TableError, match=r"at timepoint 'week 3' \(it has baseline, on_treatment\)"):
            study(tmp_path, scores, planted_suv(scores), timepoint="week 3")

    def test_samples_of_a_patient_are_averaged_and_it_is_told(self, tmp_path):
        scores = cohort_scores(6)
        again = scores[scores["patient_id"] == "002"].assign(sample_id="S002b")
        again["positive_per_mm2"] = again["positive_per_mm2"] * 3
        found = study(tmp_path, pd.concat([scores, again]), planted_suv(scores))
        row = row_of(found.joined, patient_id="002", variable=PLANTED)
        alone = row_of(scores, patient_id="002", marker="CD8", region="Tumour centre")["positive_per_mm2"]
        assert row["density"] == pytest.approx(2 * alone)
        assert (row["density_low"], row["density_high"]) == pytest.approx((alone, 3 * alone))
        assert (row["n_samples"], row["sample_id"]) == (2, "S002; S002b")
        assert any("1 patients have several samples" in line for line in found.warnings)

    def test_a_ratio_over_zero_is_listed_and_never_infinite(self, tmp_path):
        scores = cohort_scores(6)
        scores.loc[(scores["marker"] == "CD3") & (scores["patient_id"] == "002"), "positive_per_mm2"] = 0.0
        found = study(tmp_path, scores, planted_suv(scores))
        ratio = found.joined[found.joined["variable"].str.startswith("CD25/CD3")]
        assert np.isfinite(ratio["density"]).all()
        assert "002" not in set(ratio["patient_id"])
        undefined = found.unmatched[found.unmatched["table"] == "joined"]
        assert undefined["item"].tolist() == ["CD25/CD3 · Invasive front", "CD25/CD3 · Tumour centre"]
        assert set(undefined["reason"]) == {"ratio not estimable: divided by 0"}

    def test_a_ratio_of_different_samples_is_listed(self, tmp_path):
        scores = cohort_scores(6)
        again = scores[(scores["patient_id"] == "002") & (scores["marker"] == "CD8")].assign(
            sample_id="S002b"
        )
        found = study(tmp_path, pd.concat([scores, again]), planted_suv(scores))
        undefined = found.unmatched[found.unmatched["table"] == "joined"]
        assert set(undefined["patient_id"]) == {"002"}
        assert undefined["item"].tolist() == ["CD8/CD4 · Invasive front", "CD8/CD4 · Tumour centre"]
        assert set(undefined["reason"]) == {"ratio not estimable: not both markers on the same samples"}

    def test_quality_is_told(self, tmp_path):
        scores = cohort_scores(6)
        scores.loc[scores["patient_id"] == "001", "region_source"] = "proposed, not confirmed"
        scores.loc[scores["patient_id"] == "002", "positive_or_suspect_per_mm2"] *= 2
        scores.loc[scores["patient_id"] == "003", "warnings"] = "2 of 3 fields in focus"
        told = " | ".join(study(tmp_path, scores, planted_suv(scores)).warnings)
        assert "regions of 1 of 6 samples were proposed" in told
        assert "pigment: in 8 of 48 densities" in told
        assert "sample S003: 2 of 3 fields in focus" in told

    def test_days_between_biopsy_and_scan(self, tmp_path):
        scores = cohort_scores(6).assign(biopsy_date="2020-01-02")
        told = " | ".join(study(tmp_path, scores, planted_suv(scores)).warnings)
        assert (
            "between biopsy and scan lie 60 days in the median (60 to 60; known for 6 of 6 patients)" in told
        )

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"positive_per_mm2": -1.0}, "positive_per_mm2 is -1, expected 0 or more"),
            ({"patient_id": ""}, "patient_id is empty"),
            ({"sample_id": "S", "patient_id": "P"}, "occurs 6 times; keep one"),
        ],
    )
    def test_scores_that_cannot_be_right(self, tmp_path, change, message):
        scores = cohort_scores(6)
        with pytest.raises(TableError, match=message):
            study(tmp_path, scores.assign(**change), planted_suv(scores))

    def test_a_density_column_of_ones_choice(self, tmp_path):
        scores = cohort_scores(6)
        assert (
            study(tmp_path, scores, planted_suv(scores), density="positive_or_suspect_per_mm2")
            .joined["density_low"]
            .isna()
            .all()
        )
        with pytest.raises(TableError, match="no column nothing"):
            study(tmp_path, scores, planted_suv(scores), density="nothing")


class TestColumns:
    """Any column of numbers can be asked after."""

    def scores(self, n=8):
        scores = cohort_scores(n)
        scores["median_per_mm2"] = scores["positive_per_mm2"] ** 2 + 1
        return scores

    def test_a_named_column_is_correlated_and_named(self, tmp_path):
        scores = self.scores()
        found = study(tmp_path, scores, planted_suv(scores), x="CD8.median_per_mm2:Tumour centre")
        assert set(found.correlations["x"]) == {"CD8 · Tumour centre · median_per_mm2"}
        expected = scores[(scores["marker"] == "CD8") & (scores["region"] == "Tumour centre")]
        assert found.joined["density"].tolist() == expected["median_per_mm2"].tolist()
        # A monotone function has the same ranks.
        plain = study(tmp_path, scores, planted_suv(scores), x="CD8:Tumour centre")
        assert found.correlations["rho"].tolist() == plain.correlations["rho"].tolist()

    def test_two_columns_of_one_density(self, tmp_path):
        asked = {"x": "CD8:Tumour centre", "y": "CD8.median_per_mm2:Tumour centre"}
        row = study(tmp_path, self.scores(), None, **asked).correlations.iloc[0]
        assert (row["x"], row["y"]) == (PLANTED, f"{PLANTED} · median_per_mm2")
        assert row["rho"] == pytest.approx(1)

    def test_the_studys_own_column_may_be_named(self, tmp_path):
        asked = {"x": "CD8.positive_per_mm2:Tumour centre", "y": "CD8/CD4:Invasive front"}
        row = study(tmp_path, self.scores(), None, **asked).correlations.iloc[0]
        assert (row["x"], row["y"]) == (PLANTED, "CD8/CD4 · Invasive front")

    def test_responses_are_those_of_one_column(self, tmp_path):
        scores = self.scores()
        found = study(tmp_path, scores, planted_suv(scores), x="CD8:Tumour centre",
                      y="CD3.median_per_mm2:Tumour centre")  # fmt: skip
        named = [name for name in found.response["variable"] if "median" in name]
        assert named == ["CD3 · Tumour centre · median_per_mm2"]

    def test_a_table_without_the_column_says_which_setting(self, tmp_path):
        scores = self.scores().drop(columns="positive_per_mm2")
        with pytest.raises(TableError, match=r"no column positive_per_mm2 .*mean_per_mm2.*density"):
            study(tmp_path, scores, planted_suv(scores))

    @pytest.mark.parametrize("text", ["CD8", "CD8:", ":Tumour centre", "CD8.cv"])
    def test_what_is_no_variable_is_refused(self, text):
        with pytest.raises(ValueError, match=r"x is '.*expected MARKER:REGION or MARKER.COLUMN:REGION"):
            CorrelationSettings(x=text)

    @given(
        st.builds(
            Variable,
            marker=st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,6}", fullmatch=True),
            over=st.none() | st.from_regex(r"[A-Za-z0-9-]{1,6}", fullmatch=True),
            column=st.none() | st.from_regex(r"[a-z][a-z_0-9]{0,9}", fullmatch=True),
            region=st.from_regex(r"[A-Za-z](:? ?[a-z.]){0,6}", fullmatch=True),
        )
    )
    def test_what_is_asked_for_comes_back(self, variable):
        assert parse_variable(variable.asked) == variable

    def test_a_marker_may_have_a_point_and_slashes(self):
        assert parse_variable("p16.1:Front") == Variable(marker="p16.1", region="Front")
        assert parse_variable("HLA-A/B/C:Front").markers == "HLA-A/B/C"


class TestBothRegions:
    """The joined row of a slide: the same cells again."""

    def scores(self, n=6):
        scores = cohort_scores(n)
        scores.loc[scores["patient_id"] == "002", "positive_or_suspect_per_mm2"] *= 2
        scores.loc[scores["patient_id"] == "003", "region_source"] = "proposed, not confirmed"
        keys = ["patient_id", "sample_id", "slide", "marker"]
        numbers = [column for column in scores if column.endswith("_per_mm2")]
        both = scores.groupby(keys, sort=False, as_index=False)[numbers].mean()
        both = both.assign(
            region=BOTH_REGIONS, region_source="annotated", n_fields=6, warnings="", missing=""
        )
        return pd.concat([scores, both[scores.columns]], ignore_index=True)

    def test_it_takes_part_in_no_test_unasked(self, tmp_path):
        scores = self.scores()
        suv = planted_suv(scores)
        found = study(tmp_path, scores, suv)
        plain = study(tmp_path, scores[scores["region"] != BOTH_REGIONS], suv)
        for name in ("joined", "correlations", "serial", "response", "unmatched"):
            pd.testing.assert_frame_equal(getattr(found, name), getattr(plain, name), check_exact=True)
        assert (found.flow, found.notes) == (plain.flow, plain.notes)
        assert (found.regions_left_out, plain.regions_left_out) == ([BOTH_REGIONS], [])
        more = set(found.summary["variable"]) - set(plain.summary["variable"])
        assert more == {f"{what} · Both regions" for what in (*MARKERS, "CD25/CD3", "CD8/CD4")}

    def test_it_is_one_region_where_asked(self, tmp_path):
        scores = self.scores()
        found = study(tmp_path, scores, planted_suv(scores), regions=(BOTH_REGIONS,))
        assert found.correlations["role"].value_counts().to_dict() == {"primary": 6, "sensitivity": 6}
        assert all(name.endswith(" · Both regions") for name in found.joined["variable"])
        assert found.regions_left_out == []
        row = study(tmp_path, scores, planted_suv(scores), x="CD8:Both regions").correlations.iloc[0]
        assert row["x"] == "CD8 · Both regions"
        assert row["rho"] == row_of(found.correlations, x=row["x"], role="primary")["rho"]

    def test_a_table_that_has_nothing_else(self, tmp_path):
        scores = self.scores()
        alone = scores[scores["region"] == BOTH_REGIONS]
        found = study(tmp_path, alone, planted_suv(scores))
        assert found.correlations["n_tests"].tolist() == [6] * 12

    def test_a_region_that_is_not_there(self, tmp_path):
        scores = self.scores()
        with pytest.raises(IhcscoreError, match=r"no region 'Stroma' in scores\.csv; there are Both regions"):
            study(tmp_path, scores, planted_suv(scores), regions=("Stroma",))

    def test_the_page_says_so(self, tmp_path):
        scores = self.scores()
        scores.to_csv(tmp_path / "scores.csv", index=False)
        planted_suv(scores).to_csv(tmp_path / "suv.csv", index=False)
        chosen = CorrelationSettings(**QUICK)
        out = tmp_path / "out"
        correlate_tables(tmp_path / "scores.csv", tmp_path / "suv.csv", out=out, settings=chosen)
        page = (out / "report.html").read_text(encoding="utf-8")
        assert '<code>--region "Both regions"</code>' in page


class TestTwoDensities:
    def test_marker_against_marker(self, tmp_path):
        found = study(tmp_path, cohort_scores(), None, x="CD8:Tumour centre", y="CD3:Invasive front")
        row = found.correlations.iloc[0]
        assert len(found.correlations) == 1
        assert (row["x"], row["y"]) == (PLANTED, "CD3 · Invasive front")
        assert row["rho"] > 0.5
        assert row["p"] == row["p_adjusted"]

    def test_what_cannot_be_asked(self, tmp_path):
        scores = cohort_scores(5)
        with pytest.raises(
            IhcscoreError, match="no density 'CD9:Tumour centre'; there are CD25/CD3:Invasive front"
        ):
            study(tmp_path, scores, None, x="CD9:Tumour centre", y="CD3:Tumour centre")
        with pytest.raises(IhcscoreError, match="are both CD8:Tumour centre"):
            study(tmp_path, scores, None, x="CD8:Tumour centre", y="CD8:Tumour centre")
        with pytest.raises(IhcscoreError, match="no table of lesions"):
            study(tmp_path, scores, None)
        with pytest.raises(IhcscoreError, match="two densities are correlated by patient"):
            study(tmp_path, scores, None, x="CD8:Tumour centre", y="CD3:Tumour centre", point=Unit.LESION)


def test_settings_out_of_range_are_refused():
    for wrong in ({"suv": "suv"}, {"alpha": 1.0}, {"n_resamples": 5}, {"seed": -1}, {"y": "CD8:a"},
                  {"on_treatment": "baseline"}):  # fmt: skip
        with pytest.raises(ValueError, match=next(iter(wrong)) if "y" not in wrong else "x is None"):
            CorrelationSettings(**wrong)


class TestFolder:
    def test_same_input_same_bytes(self, folders):
        names = [
            sorted(
                f.relative_to(folder).as_posix()
                for folder_file in [folder]
                for f in folder_file.rglob("*")
                if f.is_file()
            )
            for folder in folders
        ]
        assert names[0] == names[1]
        for name in names[0]:
            assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes(), name

    def test_all_that_was_promised_is_there(self, folders):
        names = {f.relative_to(folders[0]).as_posix() for f in folders[0].rglob("*") if f.is_file()}
        promised = {"joined.csv", "correlations.csv", "summary.csv", "unmatched.csv", "serial.csv",
                    "response.csv", "report.html", "run.json"}  # fmt: skip
        assert promised <= names
        for kind in ("png", "svg"):
            assert {f"figures/{name}.{kind}" for name in
                    ("forest", "scans", "response", "scatter-cd8-tumour-centre")} <= names  # fmt: skip

    def test_the_record_can_do_it_again_and_names_no_folder(self, folders):
        text = (folders[0] / "run.json").read_text(encoding="utf-8")
        record = json.loads(text)
        assert record["command"] == "correlate"
        assert record["inputs"]["suv"]["name"] == "suv.csv"
        assert len(record["inputs"]["suv"]["sha256"]) == 64
        assert record["parameters"]["adjust"] == "bh"
        assert record["parameters"]["seed"] == 0
        assert "scipy" in record["packages"]
        assert str(folders[0].parent) not in text

    def test_the_page_is_one_file_with_all_its_parts(self, folders):
        page = (folders[0] / "report.html").read_text(encoding="utf-8")
        for part in ("What could have been found", "Who is in it", "Before and during treatment", "Response",
                     "For the methods section", "Wilcoxon signed-rank", "Jonckheere-Terpstra", "Kendall",
                     "Benjamini", "@media print"):  # fmt: skip
            assert part in page, part
        assert not re.search(r'(src|href)="https?:', page)
        assert not re.search(r'src="(?!data:)', page)
        assert "nan" not in re.sub(r"base64,[^\"]+", "", page).lower().replace("finance", "")

    def test_results_appear_whole_or_not_at_all(self, tmp_path):
        cohort_scores(5).to_csv(tmp_path / "scores.csv", index=False)
        (tmp_path / "suv.csv").write_text("patient_id,lesion_id,timepoint,suv_max\nP1,L1,baseline,x\n")
        with pytest.raises(TableError):
            correlate_tables(tmp_path / "scores.csv", tmp_path / "suv.csv", out=tmp_path / "out")
        assert sorted(f.name for f in tmp_path.iterdir()) == ["scores.csv", "suv.csv"]

    def test_a_folder_with_a_run_is_kept(self, folders, tmp_path):
        base = folders[0].parent
        with pytest.raises(OutputError, match="already holds a run"):
            correlate_tables(base / "scores.csv", base / "suv.csv", out=folders[0])


def test_documentation_names_every_column():
    text = (Path(__file__).parents[2] / "docs" / "correlate.md").read_text(encoding="utf-8")
    tables = (schema.JOINED, schema.CORRELATIONS, schema.SUMMARY, schema.SERIAL, schema.RESPONSE,
              schema.UNMATCHED, schema.AGREEMENT, schema.AGREEMENT_PAIRS)  # fmt: skip
    for table in tables:
        assert len(set(table.names)) == len(table.names)
        for column in table.columns:
            assert column.dtype in ("str", "int", "float", "bool")
            assert f"| `{column.name}` | {column.dtype} | {column.meaning} |" in text, (
                table.name,
                column.name,
            )
