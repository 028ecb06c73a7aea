"""Two raters: published examples, exact lines, hand-made classes, and the folder."""

import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ihcscore.errors import TableError
from ihcscore.schema import AGREEMENT, AgreementSettings
from ihcscore.statistics.agreement import (
    agree,
    intraclass,
    kappa_of,
    log_differences,
    passing_bablok,
    weighted_kappa,
)
from ihcscore.study.agree import agree_tables, measures_table

# Shrout and Fleiss 1979, doi 10.1037/0033-2909.86.2.420, table 2: six targets, four judges.
SHROUT_FLEISS = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float
)


def test_shrout_and_fleiss_example():
    found = intraclass(SHROUT_FLEISS)
    # R's irr::icc and psych::ICC print .29 (.019 to .761) and .715 (.342 to .946).
    one = found["ICC(A,1)"]
    assert (one.value, one.low, one.high) == pytest.approx((0.290, 0.019, 0.761), abs=5e-4)
    one = found["ICC(C,1)"]
    assert (one.value, one.low, one.high) == pytest.approx((0.715, 0.342, 0.946), abs=5e-4)


def test_a_constant_difference_is_consistent_and_not_agreement():
    a = np.array([1.0, 4, 6, 9, 11])
    found = intraclass(np.column_stack([a, a + 5]))
    assert found["ICC(C,1)"].value == pytest.approx(1)
    assert found["ICC(A,1)"].value < 0.7


def test_without_spread_there_is_no_icc():
    assert math.isnan(intraclass(np.ones((5, 2)))["ICC(A,1)"].value)
    assert math.isnan(intraclass(np.array([[1.0, 2], [3, 4]]))["ICC(C,1)"].value)


def test_limits_of_agreement_by_hand():
    # log2 ratios -1, 0, 1: mean 0, SD 1 (times ln 2)
    limits = log_differences(np.array([1.0, 2, 4]), np.array([2.0, 2, 2]))
    assert limits.offset == 0
    assert limits.ratio.value == pytest.approx(1)
    assert limits.upper.value == pytest.approx(2**1.959964)
    assert limits.lower.value == pytest.approx(2**-1.959964)
    # t(2, .975) = 4.302653; interval of the mean 4.302653 / sqrt(3) = 2.484138
    assert limits.ratio.high == pytest.approx(2**2.484138, rel=1e-6)
    # of a limit: 4.302653 · sqrt(1/3 + 1.959964² / 4)
    assert limits.upper.high == pytest.approx(2 ** (1.959964 + 4.302653 * math.sqrt(1 / 3 + 1.959964**2 / 4)))


def test_zeros_get_the_offset():
    limits = log_differences(np.array([0.0, 3, 7]), np.array([1.0, 3, 7]), offset=1)
    assert limits.offset == 1
    assert limits.ratio.value == pytest.approx(2 ** (-1 / 3))


def test_exchanging_raters_turns_the_ratio():
    a, b = np.random.default_rng(0).poisson(9, (2, 40)).astype(float)
    one, other = log_differences(a, b), log_differences(b, a)
    assert one.ratio.value == pytest.approx(1 / other.ratio.value)
    assert one.lower.value == pytest.approx(1 / other.upper.value)


def test_kappa_by_hand():
    # Three classes; quadratic weights 1 - (i - j)² / 4.
    a, b = np.array([0.0, 0, 3, 3, 9, 9]), np.array([0.0, 3, 3, 3, 9, 0])
    kappa, table = weighted_kappa(a, b, (1.0, 6.0))
    assert table.tolist() == [[1, 1, 0], [0, 2, 0], [1, 0, 1]]
    disagreement = (1 / 4 + 1) / 6
    rows, columns = np.array([2, 2, 2]) / 6, np.array([2, 3, 1]) / 6
    chance = sum(rows[i] * columns[j] * (i - j) ** 2 / 4 for i in range(3) for j in range(3))
    assert kappa.value == pytest.approx(1 - disagreement / chance)
    assert kappa.low < kappa.value < kappa.high


# Hout et al.; Agresti 1990, p. 367: 91 married couples on one question, husbands by wives. The example of
# R's vcd::Kappa, which prints 0.1293 (ASE 0.06860) unweighted, 0.2374 (0.07832) with equal spacing and
# -0.005120 to 0.26378, 0.083883 to 0.390878 by confint; with weights = "Fleiss-Cohen" 0.3320 (0.09730).
COUPLES = np.array([[7, 7, 2, 3], [2, 8, 3, 7], [1, 5, 4, 9], [2, 8, 9, 14]])


@pytest.mark.parametrize(
    ("power", "kappa", "low", "high"),
    [(0, 0.129330, -0.005120399, 0.2637809), (1, 0.237381, 0.083883432, 0.3908778),
     (2, 0.332046, 0.141345947, 0.5227452)],
)  # fmt: skip
def test_kappa_is_vcds(power, kappa, low, high):
    apart = np.abs(np.subtract.outer(np.arange(4), np.arange(4))) / 3
    weights = 1.0 - (apart**power if power else (apart > 0))
    found = kappa_of(COUPLES, weights)
    assert found.value == pytest.approx(kappa, abs=1e-6)
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-7)


def test_classes_that_nobody_used_change_no_kappa():
    wider = np.zeros((6, 6), np.int64)
    wider[1:5, 1:5] = COUPLES
    found = [
        kappa_of(table, 1.0 - (np.subtract.outer(np.arange(k), np.arange(k)) / (k - 1)) ** 2)
        for table, k in ((COUPLES, 4), (wider, 6))
    ]
    assert found[0].value == pytest.approx(found[1].value)
    assert found[0].low == pytest.approx(found[1].low)


@pytest.mark.parametrize(
    ("table", "value"),
    [
        ([[0, 1], [0, 5]], math.nan),
        ([[3, 2], [0, 0]], math.nan),
        ([[3, 0], [0, 4]], 1.0),
        ([[0, 0], [0, 4]], math.nan),
    ],
)
def test_a_degenerate_kappa_has_no_interval(table, value):
    found = kappa_of(np.array(table), np.eye(2))
    assert found.value == pytest.approx(value, nan_ok=True)
    assert math.isnan(found.low)
    assert math.isnan(found.high)


def test_kappa_of_one_class_is_not_estimable():
    assert math.isnan(weighted_kappa(np.zeros(4), np.zeros(4), (1.0,))[0].value)


def test_passing_bablok_finds_an_exact_line():
    a = np.array([1.0, 2, 5, 9, 14, 20])
    slope, intercept = passing_bablok(a, 3 + 2 * a)
    assert (slope.value, slope.low, slope.high) == pytest.approx((2, 2, 2))
    assert intercept.value == pytest.approx(3)


@given(st.integers(0, 10_000), st.integers(8, 40))
@settings(max_examples=40, deadline=None)
def test_exchanging_raters_inverts_the_line(seed, n):
    generator = np.random.default_rng(seed)
    a = generator.normal(50, 15, n)
    b = 1.2 * a + generator.normal(0, 5, n)
    slope, _ = passing_bablok(a, b)
    back, _ = passing_bablok(b, a)
    # Exact for an odd number of slopes; with an even one the two middle slopes are averaged.
    assert slope.value * back.value == pytest.approx(1, rel=0.02)


def test_a_line_is_not_pulled_by_an_outlier():
    a = np.arange(1.0, 16)
    b = a.copy()
    b[-1] = 500
    assert passing_bablok(a, b)[0].value == pytest.approx(1)


@pytest.mark.parametrize(
    ("a", "b"), [([1.0, 1, 1, 1], [1.0, 2, 3, 4]), ([1.0, 2, 3, 4], [4.0, 3, 2, 1]), ([2.0] * 4, [2.0] * 4)]
)
def test_no_line_where_there_is_none(a, b):
    assert math.isnan(passing_bablok(np.array(a), np.array(b))[0].value)


def test_the_interval_of_the_slope_covers():
    generator = np.random.default_rng(1)
    inside = 0
    for _ in range(200):
        true = generator.uniform(10, 100, 30)
        a, b = true + generator.normal(0, 5, 30), 1.1 * true + generator.normal(0, 5.5, 30)
        slope = passing_bablok(a, b)[0]
        inside += slope.low <= 1.1 <= slope.high
    assert inside >= 180  # 190 expected


def test_the_table_names_every_measure():
    a, b = np.random.default_rng(0).poisson(9, (2, 40)).astype(float)
    table = measures_table(agree(a, b, AgreementSettings()), AgreementSettings())
    assert list(table.columns) == AGREEMENT.names
    assert table["measure"].tolist() == [
        "ICC(A,1)", "ICC(C,1)", "ratio A/B", "lower limit of A/B", "upper limit of A/B", "weighted kappa",
        "slope", "intercept",
    ]  # fmt: skip


@pytest.mark.parametrize("wrong", [{"offset": 0.0}, {"bins": (3.0, 1.0)}, {"bins": (0.0, 1.0)}])
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        AgreementSettings(**wrong)


def tables(folder, a, b):
    a.to_csv(folder / "a.csv", index=False)
    b.to_csv(folder / "b.csv", index=False)
    return folder / "a.csv", folder / "b.csv"


def rated(values, **columns):
    return pd.DataFrame({"image": [f"t{i}.png" for i in range(len(values))], "n_positive": values, **columns})


class TestFolder:
    def test_tables_figure_page_and_record(self, tmp_path):
        a = rated([0, 3, 5, 9, 14, 30, 2])
        paths = tables(tmp_path, a, rated([1, 3, 6, 8, 15, 28, 2]).iloc[[6, 4, 2, 0, 1, 3]])
        result = agree_tables(*paths, out=tmp_path / "out")
        assert result.pairs["key"].tolist() == ["t0.png", "t1.png", "t2.png", "t3.png", "t4.png", "t6.png"]
        assert result.unmatched[["table", "item", "reason"]].to_numpy().tolist() == [
            ["a.csv", "t5.png", "not in b.csv"]
        ]
        assert any("1 was added to all values" in line for line in result.warnings)
        names = {f.relative_to(tmp_path / "out").as_posix() for f in (tmp_path / "out").rglob("*.*")}
        assert names == {"agreement.csv", "pairs.csv", "unmatched.csv", "report.html", "run.json",
                         "figures/agreement.png", "figures/agreement.svg"}  # fmt: skip
        record = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))
        assert record["keys"] == ["image"]
        assert record["value_column"] == "n_positive"
        assert record["n_pairs"] == 6
        page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
        assert "ICC(A,1)" in page
        assert "11 to &lt;21" in page
        first = {f.name: f.read_bytes() for f in (tmp_path / "out").rglob("*.*")}
        agree_tables(*paths, out=tmp_path / "out", overwrite=True)
        assert first == {f.name: f.read_bytes() for f in (tmp_path / "out").rglob("*.*")}

    def test_columns_by_other_names(self, tmp_path):
        a, b = (
            rated([1, 2, 3, 4]),
            rated([1, 2, 3, 5]).rename(columns={"n_positive": "count", "image": "tile"}),
        )
        paths = tables(tmp_path, a, b)
        rename = {"image": "tile", "n_positive": "count"}
        assert len(agree_tables(*paths, out=tmp_path / "out", rename=rename).pairs) == 4
        with pytest.raises(TableError, match="no column nothing in either"):
            agree_tables(*paths, out=tmp_path / "other", rename={"image": "nothing"})

    @pytest.mark.parametrize(
        ("a", "b", "message"),
        [
            (rated([1, 2, 3]), rated([1, 2, 3]).assign(image=["x", "y", "z"]), "0 things are in both tables"),
            (rated([1, 2, 3]), rated([1, 2, -3]), "n_positive is -3, expected 0 or more"),
            (rated([1, 2, 3]), rated([1, 2, 3]).assign(image="t0.png"), "'t0.png' occurs more than once"),
            (rated([1, 2, 3]), rated([1, 2, 3]).drop(columns="image"), "share no column that names a thing"),
            (
                rated([1, 2, 3], more=1),
                rated([1, 2, 3], more=1),
                "both tables have: n_positive, more; give value",
            ),
            (rated([1, 2, 3]), rated(["a", "b", "c"]), "n_positive is 'a', expected a number"),
        ],
    )
    def test_what_cannot_be_compared(self, tmp_path, a, b, message):
        with pytest.raises(TableError, match=message):
            agree_tables(*tables(tmp_path, a, b), out=tmp_path / "out")
        assert not (tmp_path / "out").exists()

    def test_things_without_a_partner_are_told_and_regions_matched(self, tmp_path):
        a = pd.DataFrame({"slide": "S1", "region": ["Tumor center"] * 3 + ["front"] * 3,
                          "field_id": [*"123456"], "n_positive": range(6)})  # fmt: skip
        b = a.assign(region=["Tumour Centre"] * 3 + ["front"] * 3, slide=["S1"] * 5 + ["s 1"])
        paths = tables(tmp_path, a, b)
        result = agree_tables(*paths, out=tmp_path / "out")
        assert len(result.pairs) == 5
        assert "region: 'Tumour Centre' of b.csv (3 things) was matched with 'Tumor center' of a.csv" in (
            result.warnings
        )
        alone = (
            "1 of 6 things of a.csv have no partner: 'S1 · front · 6' "
            "not in b.csv, which has 's 1 · front · 6'"
        )
        assert any(line.startswith(alone) for line in result.warnings)
        assert any(line.startswith("1 of 6 things of b.csv") for line in result.warnings)

    @pytest.mark.parametrize(
        ("a", "b", "column", "bins", "says"),
        [
            ([30, 33, 38, 45, 2], [31, 35, 36, 47, 28], "n_positive", (), "says nothing: one of the raters"),
            (
                [0, 3, 8, 15, 30],
                [0, 4, 9, 12, 31],
                "n_positive",
                (),
                "no interval: its variance is not above 0, as",
            ),
            ([30, 33, 38, 45, 2], [31, 35, 36, 47, 28], "positive_per_mm2", (), "needs classes"),
            ([1.5, 2, 3, 4, 5], [1, 2, 3, 4, 5], "n_positive", (), "needs classes"),
            ([30, 33, 38, 45, 2], [31, 35, 36, 47, 28], "positive_per_mm2", (32.0, 37.0), ""),
        ],
    )
    def test_what_is_said_of_kappa(self, tmp_path, a, b, column, bins, says):
        paths = tables(tmp_path, *(rated(v).rename(columns={"n_positive": column}) for v in (a, b)))
        result = agree_tables(*paths, out=tmp_path / "out", settings=AgreementSettings(bins=bins))
        said = [line for line in result.warnings if "kappa" in line]
        assert (says in said[0]) if says else said == []
        row = result.measures.set_index("measure").loc["weighted kappa"]
        assert math.isnan(row["low"]) == bool(says)

    def test_key_and_value_may_be_said(self, tmp_path):
        a = rated([1, 2, 3, 4], more=[4, 3, 2, 1], tile=list("wxyz"))
        paths = tables(tmp_path, a, a)
        chosen = AgreementSettings(keys=("tile",), value="more")
        assert agree_tables(*paths, out=tmp_path / "out", settings=chosen).pairs["a"].tolist() == [4, 3, 2, 1]
