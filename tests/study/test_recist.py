"""RECIST 1.1: worked cases, the paper's nineteen targets, and what is refused."""

import numpy as np
import pandas as pd
import pytest

from ihcscore.errors import TableError
from ihcscore.schema import LesionState, RecistCode, RecistSettings
from ihcscore.study.recist.read import read_diameters
from ihcscore.study.recist.rules import Patient, Seen, Visit, assess, best_response, combine
from ihcscore.study.recist.tables import best_responses, recist_tables, share

CR, PR, SD, PD, NE = (RecistCode(name) for name in ("CR", "PR", "SD", "PD", "NE"))
NON = RecistCode.NON_CR_NON_PD


def seen(value):
    return Seen(state=LesionState(value)) if isinstance(value, str) else Seen(diameter_mm=value)


def patient(targets, others=(), new=(), step=42, nodes=()):
    """A patient by the values of each lesion, baseline first; lesions that are nodes by number."""
    names = [f"T{k}" for k in range(len(targets))], [f"N{k}" for k in range(len(others))]
    values = dict(zip(names[0] + names[1], [*targets, *others], strict=True))
    n = max(map(len, values.values()))
    visits = [
        Visit(
            day=step * at,
            seen={k: seen(v[at]) for k, v in values.items() if at < len(v) and v[at] is not None},
            new=at in new,
        )
        for at in range(n)
    ]
    return Patient(
        targets={name: k in nodes for k, name in enumerate(names[0])},
        non_targets=dict.fromkeys(names[1], False),
        baseline=visits[0],
        visits=visits[1:],
    )


def overall(*given, **more):
    return [visit.overall for visit in assess(patient(*given, **more))]


def best(*given, step=42, confirm=False, **more):
    found = best_response(assess(patient(*given, step=step, **more)), 0, RecistSettings(confirm=confirm))
    return found.response


@pytest.mark.parametrize(
    ("sums", "expected"),
    [
        ([100, 80, 65, 60, 72, 80], [SD, PR, PR, PD, PD]),
        ([20, 14, 10, 13, 16], [PR, PR, PR, PD]),
        ([22, 26.3, 27.1], [SD, PD]),
        ([50, 60], [PD]),
        ([10, 7.0], [PR]),
        ([0.3, 0.21], [PR]),  # 0.7 of 0.3 is 0.21 but for floating point
    ],
)
def test_worked_cases(sums, expected):
    assert overall([sums]) == expected


def test_nodes_below_ten_mm_are_a_complete_response_though_the_sum_is_not_0():
    assert overall([[20, 0], [18, 9.9]], nodes=(1,)) == [CR]
    assert overall([[20, 0], [18, 10]], nodes=(1,)) == [PR]


def test_any_disease_after_a_complete_response_is_progression():
    assert overall([[20, "absent", 4]]) == [CR, PD]


def test_too_small_counts_five_mm_and_what_was_not_measured_nothing():
    (visit,) = assess(patient([[20, "too small"], [10, 10]]))
    assert (visit.sum_mm, visit.overall) == (15, PR)
    assert overall([[20, 10], [10, None]]) == [NE]
    assert overall([[20, 40], [10, "not evaluated"]]) == [PD]  # certain without the other


@pytest.mark.parametrize(
    ("target", "other", "new", "expected"),
    [(CR, CR, False, CR), (CR, None, False, CR), (CR, NON, False, PR), (CR, NE, False, PR),
     (PR, NON, False, PR), (PR, NE, False, PR), (SD, NE, False, SD), (NE, NON, False, NE),
     (PD, CR, False, PD), (CR, PD, False, PD),
     (CR, CR, True, PD), (NE, NE, True, PD), (None, CR, False, CR), (None, NON, False, NON),
     (None, NE, False, NE)],
)  # fmt: skip
def test_tables_one_and_two(target, other, new, expected):
    assert combine(target, other, new=new) is expected


def test_best_response_ends_with_progression_and_needs_days_to_be_stable():
    assert best([[100, 60, 80]]) is PR
    assert best([[100, 130, 60]]) is PD
    assert best([[100, 100]], step=41) is NE
    assert best([[100, 100, 130]], step=30) is PD
    assert best([[100, 100]], step=42) is SD
    assert best([[100, 95]], new=(1,)) is PD
    assert best([[100]]) is NE


def test_confirmation_only_where_asked():
    assert best([[100, 60, 75]]) is PR
    assert best([[100, 60, 75]], confirm=True) is SD
    assert best([[100, 60, 60]], confirm=True) is PR
    assert best([[100, 60, 60, 100]], step=20, confirm=True) is PD
    assert best([[100, 60, None, 60]], step=20, confirm=True) is PR


@pytest.fixture(scope="module")
def thirteen():
    """Thirteen patients with the responses of van de Donk et al. 2021, doi 10.1007/s00259-021-05407-y."""
    sums = {
        "P01": ([20, 10, 0], [20, 10, 0]), "P02": ([30, 18],), "P03": ([25, 24], [25, 24]),
        "P04": ([22, 23], [22, 23]), "P05": ([15, 22], [15, 23]), "P06": ([25, 33],), "P07": ([22, 21],),
        "P08": ([19, 35], [19, 35]), "P09": ([30, 65], [30, 65]), "P10": ([18, 24],), "P11": ([28],),
        "P12": ([25, None],), "P13": ([33],),
    }  # fmt: skip
    rows = [
        (name, f"T{number}", 42 * at, "Target", value if value is not None else "",
         "" if value is not None else "Not evaluated")
        for name, lesions in sums.items()
        for number, values in enumerate(lesions)
        for at, value in enumerate(values)
    ]  # fmt: skip
    rows.append(("P07", "X", 42, "new", "", "present"))
    return pd.DataFrame(rows, columns=["patient_id", "lesion_id", "day", "role", "diameter_mm", "state"])


def read(tmp_path, rows):
    rows.to_csv(tmp_path / "diameters.csv", index=False)
    return read_diameters(tmp_path / "diameters.csv")


def test_the_papers_nineteen_targets_and_ten_evaluable_patients(tmp_path, thirteen):
    found = recist_tables(read(tmp_path, thirteen), RecistSettings())
    assert found.response["n_targets"].sum() == 19
    rows = found.best.set_index("response")
    assert rows["n"].to_dict() == {
        "CR": 1,
        "PR": 1,
        "SD": 2,
        "PD": 6,
        "CR or PR": 2,
        "CR, PR or SD": 4,
        "NE": 3,
    }
    assert rows.loc[["CR", "PR", "SD", "PD"], "percent_of_evaluable"].tolist() == [10, 10, 20, 60]
    assert set(found.response.loc[found.response["evaluable"] == "no", "patient_id"]) == {"P11", "P12", "P13"}
    assert found.visits.query("patient_id == 'P09'")["change_from_baseline_pct"].iloc[1] == pytest.approx(
        350 / 3
    )


def test_shares_have_the_interval_of_clopper_and_pearson():
    # R: binom.test(2, 10)
    assert share(2, 10) == pytest.approx((20, 2.521073, 55.60955), abs=1e-4)
    assert np.isnan(best_responses([NE])["percent_of_evaluable"]).all()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"role": "main"}, "role is 'main', expected one of target, non-target, new"),
        ({"day": -3}, "is there 2 times"),
        ({"diameter_mm": 0, "day": 0}, "has no diameter above 0 at baseline"),
        ({"lesion_id": "T9"}, "not there at baseline; is its role new"),
        ({"state": "absent"}, "state is absent and diameter_mm is"),
        ({"state": "progressed", "diameter_mm": ""}, "targets are measured: give diameter_mm"),
        ({"state": "gone"}, "state is 'gone', expected one of absent, present"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path, thirteen, change, says):
    rows = thirteen[thirteen["patient_id"] == "P02"].astype(object).reset_index(drop=True)
    if "day" in change and change["day"] == -3:
        rows = pd.concat([rows, rows.iloc[1:].assign(diameter_mm=17)])
    else:
        at = 0 if change.get("day") == 0 else 1
        for column, value in change.items():
            rows.loc[at, column] = value
    with pytest.raises(TableError, match=says):
        read(tmp_path, rows)


def test_irecist_is_read_and_listed(tmp_path, thirteen):
    rows = thirteen.assign(irecist="")
    rows.loc[(rows["patient_id"] == "P05") & (rows["day"] == 42), "irecist"] = "iUPD"
    found = recist_tables(read(tmp_path, rows), RecistSettings())
    assert found.response.set_index("patient_id").loc["P05", "irecist"] == "iUPD (day 42)"
    assert any("iRECIST is listed as given (iUPD" in text for text in found.warnings)


def test_targets_that_recist_does_not_allow_are_told(tmp_path):
    rows = pd.DataFrame(
        [("A", f"T{k}", 0, "target", "lung", "no", 12) for k in range(5)]
        + [("A", "T5", 0, "target", "node", "yes", 14), ("A", "T6", 0, "target", "liver", "no", 9)],
        columns=["patient_id", "lesion_id", "day", "role", "organ", "node", "diameter_mm"],
    )
    told = " | ".join(recist_tables(read(tmp_path, rows), RecistSettings()).warnings)
    for says in ("7 targets", "5 targets in lung", "T5 has 14 mm", "T6 has 9 mm"):
        assert says in told


def test_command_writes_tables_page_and_results(ihcscore_command, tmp_path, thirteen):
    thirteen.to_csv(tmp_path / "diameters.csv", index=False)
    shown = ihcscore_command(
        "recist", tmp_path / "diameters.csv", "--min-sd-days", 35, "--out", tmp_path / "out"
    )
    assert shown.status == 0
    assert "10 of 13 patients with 19 target lesions" in shown.out
    for name in (
        "visits.csv",
        "response.csv",
        "best_responses.csv",
        "report.html",
        "journal/waterfall-85mm.png",
    ):
        assert (tmp_path / "out" / name).is_file()
    assert "CR in 1 (10 %), PR in 1 (10 %)" in (tmp_path / "out" / "results.md").read_text(encoding="utf-8")
