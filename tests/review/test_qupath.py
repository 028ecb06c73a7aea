"""A QuPath file brings a run to the truth, and what isn't this run's is refused."""

import json

import numpy as np
import pytest

from ihcscore import output
from ihcscore.errors import IhcscoreError
from ihcscore.geometry.field import square_of
from ihcscore.review.apply import REVIEWED, apply_review
from ihcscore.review.commands import import_review, verify_review
from ihcscore.review.store import STORE
from ihcscore.schema import SCORES


@pytest.fixture
def folder(reviewed_run):
    """The run's folder; whatever a test reviews there is taken out again."""
    out, _ = reviewed_run
    yield out
    for name in (STORE, f"{STORE}-wal", f"{STORE}-shm"):
        (out / name).unlink(missing_ok=True)
    output.remove_run(out / REVIEWED)


def exported(folder):
    return json.loads((folder / "cells.geojson").read_text())


def point(x, y, name):
    return {"type": "Feature", "geometry": {"type": "Point", "coordinates": [x + 0.5, y + 0.5]},
            "properties": {"objectType": "annotation", "classification": {"name": name}}}  # fmt: skip


def imported(folder, tmp_path, content, reviewer="A. B."):
    file = tmp_path / "exported.geojson"
    file.write_text(json.dumps(content))
    return import_review(folder, file, reviewer=reviewer)


def corrected(run, section, content):
    """The export with every positive cell where the truth has one, and none elsewhere; the truth's counts."""
    true = section.cells[section.cells["class"] == "Positive"][["x_px", "y_px"]].to_numpy(float)
    counts, keep, more = {}, set(), []
    for row in run.fields.to_dict("records"):
        square = square_of(row)
        own = true[[
            square.x_px <= x + 0.5 < square.x_px + square.side_px
            and square.y_px <= y + 0.5 < square.y_px + square.side_px for x, y in true
        ]]  # fmt: skip
        counts[row["field_id"]] = len(own)
        cells = run.cells[(run.cells.field_id == row["field_id"]) & (run.cells["class"] == "Positive")]
        free = list(range(len(cells)))
        at = cells[["x_px", "y_px"]].to_numpy(float)
        for one in own:
            near = min(free, key=lambda i: np.hypot(*(at[i] - one)), default=None)
            if near is not None and np.hypot(*(at[near] - one)) < 8:
                keep.add(cells.cell_id.iloc[near])
                free.remove(near)
            else:
                more.append(point(*one, "Positive"))
    wrong = set(run.cells[run.cells["class"] == "Positive"].cell_id) - keep
    features = []
    for number, one in enumerate(f for f in content["features"]):
        if one["id"] in wrong and number % 2:
            continue  # one error is deleted, the next is given its class
        if one["id"] in wrong:
            one["properties"]["classification"] = {"name": "Negative"}
        features.append(one)
    return {**content, "features": [*features, *more]}, counts


def test_the_counters_errors_corrected_give_the_truths_counts(folder, reviewed_run, run, tmp_path):
    content, true = corrected(run, reviewed_run[1], exported(folder))
    before = {f: (folder / f).read_bytes() for f in run.record["files"]}
    found = imported(folder, tmp_path, content)
    assert not found.refused
    assert found.acts
    assert imported(folder, tmp_path, content).acts == ()  # the same file once more does nothing
    apply_review(folder)
    scores = output.read_table(folder / REVIEWED / "scores.csv", SCORES)
    assert scores.n_positive.iloc[-1] == sum(true.values())
    for region in set(run.fields.region):
        names = run.fields[run.fields.region == region].field_id
        assert scores.set_index("region").n_positive[region] == sum(true[name] for name in names)
    both = scores.iloc[-1]
    assert both.n_added + both.n_removed + both.n_changed == len(found.acts)
    page = (folder / REVIEWED / "report.html").read_text()
    assert "Reviewed by A. B.:" in page
    assert {f: (folder / f).read_bytes() for f in before} == before
    assert "The trail is whole" in verify_review(folder)
    assert (folder / REVIEWED / "corrections.csv").read_text().count("\n") == len(found.acts) + 1
    apply_review(folder)  # once more: an earlier result is replaced


def test_with_nothing_corrected_every_file_is_the_tools(folder, run, tmp_path):
    assert imported(folder, tmp_path, exported(folder)).acts == ()
    apply_review(folder, out=tmp_path / "out")
    for name in run.record["files"]:
        assert (tmp_path / "out" / name).read_bytes() == (folder / name).read_bytes(), name
    assert (tmp_path / "out" / "corrections.csv").exists()


def test_lost_ids_are_found_by_place_and_fields_are_accepted(folder, run, tmp_path):
    content = exported(folder)
    for one in content["features"]:
        one["id"] = ""
    name = run.fields.field_id[0]
    fields = json.loads((folder / "fields.geojson").read_text())["features"]
    square = next(one for one in fields if one["properties"]["name"] == name)
    square["properties"]["classification"] = {"name": "Accept"}
    found = imported(folder, tmp_path, {**content, "features": [*content["features"], square]})
    assert [(act.act, act.field_id) for act in found.acts] == [("accepted", name)]


def test_what_is_not_this_runs_is_listed_and_refused(folder, run, tmp_path):
    content = exported(folder)
    strange = json.loads(json.dumps(content["features"][0]))
    strange["id"] = "other"
    strange["properties"]["metadata"]["run"] = "another"
    outside = point(-500, -500, "Positive")
    found = imported(folder, tmp_path, {**content, "features": [*content["features"], strange, outside]})
    assert found.acts == ()
    assert ["another run" in found.refused[0], "outside" in found.refused[1]] == [True, True]
    with pytest.raises(IhcscoreError, match="no cell of this run"):
        imported(folder, tmp_path, {**content, "features": [strange]})


def test_the_command_says_what_to_give(ihcscore_command, folder):
    assert "nothing to do" in ihcscore_command("review", folder).err
    assert "go together" in ihcscore_command("review", folder, "--import", folder / "cells.geojson").err
    assert "nobody has reviewed" in ihcscore_command("review", folder, "--verify").err
    shown = ihcscore_command(
        "review", folder, "--import", folder / "cells.geojson", "--reviewer", "A", "--verify", "--apply"
    )
    assert shown.status == 0, shown.err
    assert "The trail is whole: 0 acts" in shown.out
