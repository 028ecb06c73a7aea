"""Table 1: every cell of thirteen patients, missing values, groups, what is refused."""

import pandas as pd
import pytest

from ihcscore.errors import TableError
from ihcscore.schema import PatientsSettings
from ihcscore.study.patients import patients_table

# Ten of thirteen could be evaluated: CR 1, PR 1, SD 2, PD 6; an empty response is no level.
RESPONSES = ["CR", "PR", "SD", "SD", *["PD"] * 6, "", "", "NA"]
AGES = [31, 40, 45, 50, 52, 55, 58, 60, 63, 66, 70, 74, 81]


def table(tmp_path, rows, **asked):
    rows.to_csv(tmp_path / "patients.csv", index=False)
    return patients_table(tmp_path / "patients.csv", PatientsSettings(**asked))


def thirteen():
    return pd.DataFrame(
        {
            "patient_id": [f"P{k}" for k in range(13)],
            "age": AGES,
            "ldh": ["", *[f"{200.5 + k}" for k in range(12)]],
            "sex": ["male"] * 7 + ["female"] * 6,
            "lines": [0, 1, 1, 2, 10, 10, 3, 1, 0, 0, 2, 2, 4],
            "response": RESPONSES,
        }
    )


def cells(found, variable, group="all"):
    own = found.table[(found.table["variable"] == variable) & (found.table["group"] == group)]
    return dict(zip(own["level"], own["text"], strict=True))


def test_every_cell(tmp_path):
    found = table(tmp_path, thirteen(), categories=("lines",))
    assert cells(found, "age") == {"": "58 (50 to 66, range 31 to 81)"}
    assert cells(found, "ldh") == {"": "206 (203.25 to 208.75, range 200.5 to 211.5)", "Missing": "1"}
    assert cells(found, "sex") == {"male": "7 (54 %)", "female": "6 (46 %)"}
    assert cells(found, "response") == {
        "CR": "1 (10 %)", "PR": "1 (10 %)", "SD": "2 (20 %)", "PD": "6 (60 %)", "Missing": "3",
    }  # fmt: skip
    assert list(cells(found, "lines")) == ["0", "1", "2", "3", "4", "10"]
    response = found.table[found.table["level"] == "CR"].iloc[0]
    assert (response["n"], response["of"], response["percent"]) == (1, 10, 10.0)


def test_mean_and_groups(tmp_path):
    found = table(tmp_path, thirteen(), mean=True, by="sex")
    assert cells(found, "age")[""] == "57.3 ± 14.0"
    assert cells(found, "age", "male")[""] == "47.3 ± 9.4"
    assert cells(found, "response", "female")["CR"] == "0 (0 %)"
    assert set(found.table["group"]) == {"all", "male", "female"}
    assert "female (n = 6)" in found.markdown
    assert "sex" not in set(found.table["variable"])


def test_codes_are_told_and_doubles_refused(tmp_path):
    rows = thirteen().assign(ecog=[0, 1] * 6 + [2])
    assert any("--categories ecog" in text for text in table(tmp_path, rows).warnings)
    with pytest.raises(TableError, match="is there 2 times"):
        table(tmp_path, pd.concat([rows, rows.head(1).assign(age=1)]))
    with pytest.raises(TableError, match="no column arm"):
        table(tmp_path, rows, by="arm")


def test_command(ihcscore_command, tmp_path):
    thirteen().to_csv(tmp_path / "patients.csv", index=False)
    shown = ihcscore_command("table1", tmp_path / "patients.csv", "--by", "sex", "--out", tmp_path / "out")
    assert shown.status == 0, shown.err
    assert "58 (50 to 66, range 31 to 81)" in shown.out
    assert "No P" in (tmp_path / "out" / "results.md").read_text("utf-8")
    assert "1 (10 %)" in (tmp_path / "out" / "report.html").read_text("utf-8")
