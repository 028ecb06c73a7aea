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
from ihcscore.statistics.agreement import agree, intraclass, log_differences, passing_bablok, weighted_kappa
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


@pytest.mark.parametrize("wrong", [{"offset": 0.0}, {"bins": ()}, {"bins": (3.0, 1.0)}, {"bins": (0.0, 1.0)}])
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

    def test_key_and_value_may_be_said(self, tmp_path):
        a = rated([1, 2, 3, 4], more=[4, 3, 2, 1], tile=list("wxyz"))
        paths = tables(tmp_path, a, a)
        chosen = AgreementSettings(keys=("tile",), value="more")
        assert agree_tables(*paths, out=tmp_path / "out", settings=chosen).pairs["a"].tolist() == [4, 3, 2, 1]
