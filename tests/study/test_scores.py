"""A cohort's scores, read back: columns that are asked for, intervals, and what is told."""

from pathlib import Path

import pandas as pd
import pytest

from ihcscore.errors import TableError
from ihcscore.schema import NoteKind, texts
from ihcscore.study.scores import read_scores
from study_data import cohort_scores


def read(folder: Path, scores: pd.DataFrame, *columns: str):
    scores.to_csv(folder / "scores.csv", index=False)
    return read_scores(folder / "scores.csv", columns=columns or ["mean_per_mm2"])


def test_a_column_for_each_that_is_asked_for(tmp_path):
    table = read(tmp_path, cohort_scores(3), "sd_per_mm2", "mean_per_mm2")
    assert table.rows["density"].equals(table.rows["sd_per_mm2"].rename("density"))
    assert table.rows["sd_per_mm2"].to_numpy() == pytest.approx(0.3 * table.rows["mean_per_mm2"])
    assert table.rows[["density_low", "density_high"]].isna().all(axis=None)
    with pytest.raises(TableError, match="no column median_per_mm2"):
        read(tmp_path, cohort_scores(3), "mean_per_mm2", "median_per_mm2")


def test_an_interval_is_that_of_its_own_column(tmp_path):
    scores = cohort_scores(3).assign(poisson_low_per_mm2=1.0, poisson_high_per_mm2=2.0)
    for name in ("mean_per_mm2", "positive_per_mm2"):  # never the Poisson interval, which is too narrow
        rows = read(tmp_path, scores, name).rows
        assert rows["density_low"].to_numpy() == pytest.approx(scores["ci95_low_per_mm2"])
        assert rows["density_high"].to_numpy() == pytest.approx(scores["ci95_high_per_mm2"])


def test_fields_that_were_scored_by_their_new_name_and_their_old(tmp_path):
    scores = cohort_scores(3)
    assert set(read(tmp_path, scores).rows["n_scored"]) == {3}
    # n_fields is what was asked for where n_scored is beside it.
    asked = read(tmp_path, scores.assign(n_scored=2))
    assert set(asked.rows["n_scored"]) == {2}
    assert not any("not used" in text for text in texts(asked.warnings))


def test_a_warning_is_told_as_it_stands_with_its_samples(tmp_path):
    scores = cohort_scores(3)
    scores.loc[scores["sample_id"] != "S002", "warnings"] = "too thin here; see the outline"
    scores.loc[scores["sample_id"] == "S002", "region_source"] = "proposed, not confirmed"
    table = read(tmp_path, scores)
    assert texts(table.warnings) == [
        "the regions of 1 of 3 samples were proposed by the program and not confirmed by a pathologist",
        "sample S001, S003: too thin here; see the outline",
    ]
    assert [note.kind for note in table.warnings] == [NoteKind.PROPOSED, NoteKind.TABLE]


def test_more_warnings_than_anyone_reads_are_counted(tmp_path):
    scores = cohort_scores(10)
    scores["warnings"] = [f"warning {sample}" for sample in scores["sample_id"]]
    told = texts(read(tmp_path, scores).warnings)
    assert len(told) == 9
    assert told[-1] == "2 more warnings stand in the scores"


def test_a_column_nobody_reads_is_told(tmp_path):
    table = read(tmp_path, cohort_scores(3).assign(biopsy_dat="2020-01-01", seed=1))
    assert "scores.csv: columns that are not used: biopsy_dat (meant for biopsy_date?)" in texts(
        table.warnings
    )


def test_an_empty_region_needs_a_reason(tmp_path):
    scores = cohort_scores(2)
    scores.loc[0, ["region", "mean_per_mm2"]] = ["", None]
    with pytest.raises(TableError, match=r"scores.csv, row 2: region is empty"):
        read(tmp_path, scores)
    scores.loc[0, "missing"] = "no slide"
    assert read(tmp_path, scores).rows["missing"][0] == "no slide"
