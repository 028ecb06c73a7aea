"""Organs before and during treatment: the paper's P values, adjustment, sides and scans."""

import numpy as np
import pandas as pd
import pytest

from ihcscore.errors import TableError
from ihcscore.pet.names import ORGANS
from ihcscore.pet.table import read_uptake
from ihcscore.report.biodistribution import could_be_found, what_was_found
from ihcscore.schema import BiodistributionSettings
from ihcscore.study.organs import organ_tables

# Pairs and rank sum of each organ that changed, which give the P values of van de Donk et al. 2021 by SPSS
# (doi 10.1007/s00259-021-05407-y), with SPSS's and the exact P. All others change little, up and down.
CHANGED = {
    "liver": (11, 6, 0.016, 0.0137), "spleen": (11, 7, 0.021, 0.0186), "brain": (11, 7, 0.021, 0.0186),
    "tonsil": (10, 6, 0.028, 0.0273),
}  # fmt: skip


def differences(n, rank_sum):
    values = -np.arange(1.0, n + 1)
    for rank in range(n, 0, -1):
        if rank <= rank_sum:
            values[rank - 1], rank_sum = rank, rank_sum - rank
    return values / 100


def study(**more):
    """Fifteen organs of thirteen patients, eleven of them with a second scan."""
    rows = []
    for at, organ in enumerate(ORGANS):
        n, rank_sum, *_ = CHANGED.get(organ, (11, 33))
        change = differences(n, rank_sum)
        for k in range(13):
            side = {"patient_id": f"P{k}", "lesion_id": "", "tissue": organ, "suv_mean": 1 + at}
            rows.append(side | {"timepoint": "baseline"})
            if k < n:
                scan = "week 2" if k else "week 6"
                rows.append(side | {"timepoint": scan, "suv_mean": 1 + at + change[k]})
    return pd.DataFrame(rows).assign(**more)


def tables(tmp_path, rows, **asked):
    rows.to_csv(tmp_path / "lesions.csv", index=False)
    settings = BiodistributionSettings(**({"after": ("week 2", "week 6")} | asked))
    return organ_tables(read_uptake(tmp_path / "lesions.csv", suv="suv_mean"), settings), settings


def test_the_papers_p_values_come_out_and_nothing_remains_after_holm(tmp_path):
    found, settings = tables(tmp_path, study())
    rows = found.organs.set_index("organ")
    assert len(rows) == 15
    for organ, (n, _, printed, exact) in CHANGED.items():
        row = rows.loc[organ]
        assert row["n_pairs"] == n
        assert round(row["p_asymptotic"], 3) == printed
        assert row["p"] == pytest.approx(exact, abs=5e-5)
    assert rows["p_adjusted"].min() > 0.2
    assert (rows["n_before"] == 13).all()
    said = what_was_found(found.organs, settings)
    assert "4 of 15 changed with P < 0.05" in said
    assert "none remains" in said


def test_both_sides_are_averaged_and_the_two_changes_differ(tmp_path):
    rows = pd.DataFrame(
        [
            {
                "patient_id": p,
                "lesion_id": side,
                "tissue": "kidney cortex",
                "timepoint": scan,
                "suv_mean": value,
            }
            for p, before, after in (("A", 2.0, 1.0), ("B", 4.0, 4.0), ("C", 10.0, 9.0))
            for scan, value in (("baseline", before), ("week 2", after))
            for side, value in (("left", value - 0.5), ("right", value + 0.5))
        ]
    )
    found, settings = tables(tmp_path, rows, after=("week 2",))
    (row,) = found.organs.to_dict("records")
    assert (row["n_pairs"], row["n_zero"], row["median_before"]) == (3, 1, 4.0)
    assert row["change_of_medians_pct"] == pytest.approx(0)
    assert row["median_change_pct"] == pytest.approx(-10)
    assert could_be_found(found.organs, settings)[0] == "red"


def test_a_scan_that_is_not_there_is_an_error_and_one_left_out_is_told(tmp_path):
    with pytest.raises(TableError, match="no organ has a scan 'week 9'"):
        tables(tmp_path, study(), after=("week 9",))
    found, _ = tables(tmp_path, study(), after=("week 2",))
    assert any("take no part: week 6" in text for text in found.warnings)
    with pytest.raises(TableError, match="of healthy tissue"):
        tables(tmp_path, study(tissue="lesion", lesion_id=[f"L{k}" for k in range(len(study()))]))


def test_command(ihcscore_command, tmp_path):
    rows = study()
    rows[rows["tissue"].isin(["liver", "brain"])].to_csv(tmp_path / "lesions.csv", index=False)
    asked = ("--after", "week 2", "--after", "week 6", "--quartiles", "spss", "--out", tmp_path / "out")
    shown = ihcscore_command("biodistribution", tmp_path / "lesions.csv", *asked)
    assert shown.status == 0
    assert "2 organs with 11 to 11 pairs" in shown.out
    assert set(pd.read_csv(tmp_path / "out" / "organs.csv")["quartiles"]) == {"spss"}
    assert "the asymptotic one, as SPSS prints it" in (tmp_path / "out" / "results.md").read_text("utf-8")
