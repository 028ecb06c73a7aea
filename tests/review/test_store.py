"""The trail of a review only grows, and shows whether anyone has touched it."""

import sqlite3
import subprocess
import sys
import threading
from dataclasses import replace

import pytest

from ihcscore.errors import IhcscoreError, OutputError
from ihcscore.review.acts import Act, standing
from ihcscore.review.store import STORE, Store, broken_at, corrections
from ihcscore.schema import CORRECTIONS, ReviewAct


def act(act_id: str, **given) -> Act:
    return Act(**{
        "act_id": act_id, "at": "2026-01-02T03:04:05+00:00", "reader": "A. B.", "origin": "page",
        "slide_identity": "s", "run_key": "k", "field_id": "centre-1", "act": ReviewAct.REMOVED,
        "cell_id": "c1", "x_px": 1.5, "y_px": 2.25, "class_old": "Positive", **given,
    })  # fmt: skip


def test_rows_follow_one_another_and_none_is_doubled(tmp_path):
    with Store(tmp_path, create=True) as store:
        first = store.append(act("1"))
        second = store.append(act("2", act=ReviewAct.COMMENTED, reason="naïve <b>"))
        assert store.append(act("1")) == first
        assert second.previous == first.hash
        with pytest.raises(ValueError, match="another act's"):
            store.append(act("1", reader="C. D."))
        with pytest.raises(ValueError, match="which is no act of"):
            store.append(act("3", act=ReviewAct.UNDONE, undoes="1", reader="C. D."))
        assert broken_at(store.rows()) == ""
        assert list(corrections(store.rows()).columns) == CORRECTIONS.names
    with Store(tmp_path) as again:
        assert [row.act for row in again.rows()] == [first.act, second.act]


def test_the_file_itself_refuses_other_hands_and_verify_finds_what_they_did(tmp_path):
    with Store(tmp_path, create=True) as store:
        for number in "123":
            store.append(act(number))
    db = sqlite3.connect(tmp_path / STORE)
    columns = ", ".join(f'"{name}"' for name in CORRECTIONS.names)
    for words in (
        "DELETE FROM acts",
        "UPDATE acts SET reader = 'X'",
        f"INSERT OR REPLACE INTO acts SELECT {columns} FROM acts WHERE row = 2",
    ):
        with pytest.raises(sqlite3.IntegrityError, match="only grows"):
            db.execute(words)
    db.rollback()
    db.execute("DROP TRIGGER acts_are_as_they_were")
    db.execute("UPDATE acts SET reader = 'X' WHERE row = 2")
    db.commit()
    with Store(tmp_path) as store:
        assert broken_at(store.rows()) == "row 2 was altered after it was written"
    db.execute("DROP TRIGGER acts_stay")
    db.execute("DELETE FROM acts WHERE row = 2")
    db.commit()
    db.close()
    with Store(tmp_path) as store:
        assert broken_at(store.rows()) == "row 2 is missing"


def test_an_undo_is_a_further_row_and_can_be_undone():
    undo = {"act": ReviewAct.UNDONE, "cell_id": "", "x_px": None, "y_px": None, "class_old": ""}
    acts = [act("1"), act("2"), act("u", undoes="1", **undo)]
    assert [one.act_id for one in standing(acts)] == ["2"]
    assert [one.act_id for one in standing([*acts, act("r", undoes="u", **undo)])] == ["1", "2"]
    with pytest.raises(ValueError, match="undo"):
        replace(acts[0], undoes="2")


def test_two_writers_lose_and_double_nothing(tmp_path):
    def write(reader: str) -> None:
        with Store(tmp_path, create=True) as store:
            for number in range(20):
                store.append(act(f"{reader}{number}", reader=reader))

    writers = [threading.Thread(target=write, args=(name,)) for name in "ab"]
    for one in writers:
        one.start()
    for one in writers:
        one.join()
    with Store(tmp_path) as store:
        rows = store.rows()
    assert len(rows) == 40
    assert broken_at(rows) == ""


def test_every_acknowledged_act_outlives_a_kill(tmp_path):
    code = (
        "import os, pathlib, signal\n"
        "from ihcscore.review.acts import Act\nfrom ihcscore.review.store import Store\n"
        "from ihcscore.schema import ReviewAct\n"
        f"store = Store(pathlib.Path({str(tmp_path)!r}), create=True)\n"
        "for n in range(100):\n"
        "    store.append(Act(act_id=str(n), at='t', reader='r', origin='o', slide_identity='s',\n"
        "        run_key='k', field_id='f', act=ReviewAct.ACCEPTED))\n"
        "    print(n, flush=True)\n"
        "    if n == 50: os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    with Store(tmp_path) as store:
        rows = store.rows()
    assert [row.act.act_id for row in rows] == shown.stdout.split() == [str(n) for n in range(51)]
    assert broken_at(rows) == ""


def test_a_trail_that_is_none_is_one_line(tmp_path):
    with pytest.raises(IhcscoreError, match="nobody has reviewed"):
        Store(tmp_path)
    (tmp_path / STORE).write_text("no database, but long enough to be taken for one " * 30)
    with pytest.raises(OutputError, match="cannot be used as the trail"):
        Store(tmp_path)
