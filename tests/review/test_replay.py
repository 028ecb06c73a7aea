"""Scores follow the acts of readers, and nothing else of a run moves."""

import uuid
from dataclasses import replace

import pandas as pd
import pytest

from ihcscore.errors import IhcscoreError
from ihcscore.review.acts import Act
from ihcscore.review.replay import replay
from ihcscore.schema import REMOVED, ReviewAct, ReviewRule


def made(run, reader, act, field_id, cell=None, **given):
    """An act; on a cell (a row of its table), if one is given."""
    at = {} if cell is None else {"cell_id": cell.cell_id, "x_px": cell.x_px, "y_px": cell.y_px}
    return Act(
        act_id=str(uuid.uuid4()), at="t", reader=reader, origin="test", slide_identity=run.identity,
        run_key=run.run_key, field_id=field_id, act=ReviewAct(act), **{**at, **given},
    )  # fmt: skip


def of_field(run, field_id, kind="Positive"):
    cells = run.cells[(run.cells.field_id == field_id) & (run.cells["class"] == kind)]
    return list(cells.itertuples())


def row(after, field_id):
    return after.fields.set_index("field_id").loc[field_id]


def test_without_acts_the_tables_are_the_tools(run):
    after = replay(run, [])
    for mine, tools in ((after.scores, run.scores), (after.fields, run.fields), (after.cells, run.cells)):
        assert mine.to_csv(index=False) == tools.to_csv(index=False)


def test_counts_follow_added_removed_and_changed_cells(run):
    name = run.fields.field_id[0]
    first, second, third, *_ = of_field(run, name)
    place = {"cell_id": "new", "x_px": first.x_px + 1, "y_px": first.y_px, "class_new": "Positive"}
    acts = [
        made(run, "A. B.", "removed", name, first),
        made(run, "A. B.", "changed", name, second, class_new="Negative"),
        made(run, "A. B.", "added", name, **place),
        made(run, "A. B.", "changed", name, third, class_new="Negative"),
    ]
    acts.append(made(run, "A. B.", "undone", name, undoes=acts[-1].act_id))
    after = replay(run, acts)
    old, new = run.fields.iloc[0], row(after, name)
    assert (new.n_positive_tool, new.n_added, new.n_removed, new.n_changed) == (old.n_positive, 1, 1, 1)
    assert (new.n_positive, new.n_negative) == (old.n_positive - 1, old.n_negative + 1)
    assert new.positive_per_mm2 == pytest.approx(new.n_positive / new.area_mm2)
    assert (new.review_status, new.reviewers) == ("corrected", "A. B.")
    cells = after.cells.set_index("cell_id")
    assert cells.loc[first.cell_id, "class"] == REMOVED
    assert cells.loc[first.cell_id, "class_tool"] == "Positive"
    assert cells.loc["new", "class_tool"] == ""
    both = after.scores.iloc[-1]
    assert both.n_positive == run.scores.iloc[-1].n_positive - 1
    assert (both.review_status, both.n_reviewed) == ("partly reviewed", 1)
    others = after.fields.field_id != name
    pd.testing.assert_frame_equal(after.fields[others], run.fields[others], check_dtype=False)


def test_an_accepted_field_moves_no_count_and_a_rejected_one_leaves_the_score(run):
    one, two = run.fields.field_id[:2]
    acts = [made(run, "A", "accepted", one), made(run, "A", "rejected", two, reason="folded")]
    after = replay(run, acts)
    assert row(after, one).n_positive == run.fields.n_positive[0]
    assert row(after, one).review_status == "accepted"
    assert (row(after, two).status, row(after, two).review_status) == ("rejected", "rejected")
    assert "folded" in row(after, two).error
    assert after.scores.iloc[-1].n_scored == run.scores.iloc[-1].n_scored - 1
    assert set(after.rejected_cells.field_id) == {two}
    assert "rejected in review by A: folded" in after.scores.warnings.iloc[-1]
    again = replay(run, [*acts, made(run, "A", "restored", two)])
    assert row(again, two).n_positive == run.fields.n_positive[1]


def test_rules_for_several_readers(run):
    name = run.fields.field_id[0]
    n = run.fields.n_positive[0]
    first, second, *_ = of_field(run, name)

    def add(reader, shift):
        at = {"cell_id": f"new-{reader}", "x_px": first.x_px + shift, "y_px": first.y_px}
        return made(run, reader, "added", name, class_new="Positive", **at)

    acts = [
        made(run, "A", "removed", name, first), add("A", 20), made(run, "A", "removed", name, second),
        made(run, "B", "removed", name, first), add("B", 22),
    ]  # fmt: skip
    counts = {rule: row(replay(run, acts, rule), name) for rule in ReviewRule}
    assert counts[ReviewRule.FIRST].n_positive == n - 1
    assert counts[ReviewRule.CONSENSUS].n_positive == n  # one gone, one added by both; not the second
    assert counts[ReviewRule.MEAN].n_positive == n - 0.5
    assert counts[ReviewRule.MEAN].n_removed == 1.5
    assert {one.reviewers for one in counts.values()} == {"A; B"}
    mean = replay(run, acts, ReviewRule.MEAN)
    assert mean.scores.iloc[-1].n_positive == run.scores.iloc[-1].n_positive - 0.5


def test_a_run_that_has_changed_refuses_old_corrections(run):
    old = replace(made(run, "A", "accepted", run.fields.field_id[0]), run_key="other")
    with pytest.raises(IhcscoreError, match="has changed since A reviewed it"):
        replay(run, [old])
