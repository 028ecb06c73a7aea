"""Commands that join tables, as a user calls them."""

import pandas as pd
import pytest

from ihcscore import synthetic

PATIENTS = [f"P{number}" for number in range(1, 9)]
DENSITY = [12.0, 40.0, 55.0, 120.0, 180.0, 260.0, 400.0, 700.0]


@pytest.fixture
def tables(tmp_path):
    scores, suv = tmp_path / "scores.csv", tmp_path / "suv.csv"
    columns = {"patient_id": PATIENTS, "sample_id": PATIENTS, "region": "Tumour centre"}
    pd.concat(
        [
            pd.DataFrame(columns | {"marker": "CD3", "positive_per_mm2": DENSITY}),
            pd.DataFrame(columns | {"marker": "CD8", "positive_per_mm2": [x / 2 + 3 for x in DENSITY]}),
        ]
    ).to_csv(scores, index=False)
    synthetic.draw_suv_table(PATIENTS, density=DENSITY, rho=0.7, seed=3).to_csv(suv, index=False)
    return scores, suv


def test_correlate_says_what_could_have_been_found_before_any_p(ihcscore_command, tables, tmp_path):
    shown = ihcscore_command("correlate", *tables, "--adjust", "bh", "--out", tmp_path / "out")
    assert shown.status == 0
    assert shown.out.index("n = 8 patients") < shown.out.index("adjusted P")
    assert (tmp_path / "out" / "report.html").is_file()
    correlations = pd.read_csv(tmp_path / "out" / "correlations.csv")
    assert set(correlations.adjustment) == {"bh"}
    assert set(correlations.n) == {8}


def test_correlate_two_densities_without_a_scan(ihcscore_command, tables, tmp_path):
    asked = ("--x", "CD3:Tumour centre", "--y", "CD8:Tumour centre", "--out", tmp_path / "out")
    shown = ihcscore_command("correlate", tables[0], *asked)
    assert shown.status == 0
    (row,) = pd.read_csv(tmp_path / "out" / "correlations.csv").to_dict("records")
    # Of 8! orders two have |rho| = 1.
    assert (row["rho"], row["p"]) == (pytest.approx(1), pytest.approx(2 / 40320))


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (("--suv", "suv_peak"), "no column suv_peak"),
        (("--suv", "height"), "suv is height"),
        (("--map", "suv_max"), "--map suv_max"),
        (("--ratio", "CD8"), "--ratio CD8"),
        (("--y", "CD8:Tumour centre"), "where y is given"),
    ],
)
def test_correlate_refuses_in_one_line(ihcscore_command, tables, tmp_path, asked, says):
    shown = ihcscore_command("correlate", *tables, *asked, "--out", tmp_path / "out")
    assert shown.status == 2
    assert len(shown.err.strip().splitlines()) == 1
    assert says in shown.err
    assert not (tmp_path / "out").exists()


def test_agree(ihcscore_command, tmp_path):
    a, b = tmp_path / "a.csv", tmp_path / "b.csv"
    counts = [0, 2, 5, 9, 14, 30, 41]
    images = [f"tile-{number}" for number in range(7)]
    pd.DataFrame({"image": images, "count": counts}).to_csv(a, index=False)
    pd.DataFrame({"image": images, "count": [1, 2, 6, 8, 15, 28, 44]}).to_csv(b, index=False)
    shown = ihcscore_command("agree", a, b, "--bins", "3,10", "--offset", 0.5, "--out", tmp_path / "out")
    assert shown.status == 0
    assert "ICC(A,1)" in shown.out
    assert (tmp_path / "out" / "report.html").is_file()
    refused = ihcscore_command("agree", a, b, "--bins", "few", "--out", tmp_path / "no")
    assert (refused.status, refused.err.count("\n")) == (2, 1)
