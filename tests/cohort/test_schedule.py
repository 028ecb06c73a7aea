"""Order of tasks, and what a worker that dies costs: on stand-ins for workers, and on real ones."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path

import pytest

from ihcscore.cohort import schedule
from ihcscore.cohort.manifest import SlideEntry
from ihcscore.cohort.schedule import perform_here, perform_on, processes
from ihcscore.cohort.work import Outcome, Task
from ihcscore.errors import IhcscoreError
from ihcscore.schema import RunSettings

DIED = "its worker died, perhaps for want of memory"


def task(number: int) -> Task:
    name = f"slide{number}.svs"
    entry = SlideEntry(
        patient_id="p", sample_id="s", marker=f"M{number}", slide=Path(name), written=name, profile="CD3"
    )
    return Task(entry=entry, out=Path("out"), settings=RunSettings())


def number_of(one: Task) -> int:
    return int(one.entry.marker[1:])


class Tale:
    """What was done, in order."""

    def __init__(self) -> None:
        self.performed: list[int] = []
        self.ended: dict[int, Outcome] = {}

    def done(self, number: int, outcome: Outcome) -> None:
        assert number not in self.ended
        self.ended[number] = outcome


class DyingPool(Executor):
    """Stands in for a pool of processes: a deadly task breaks it and all that is under way in it."""

    def __init__(self, deadly: set[int], tale: Tale) -> None:
        self._deadly, self._tale = deadly, tale
        self._futures: list[Future[Outcome]] = []
        self._broken = False
        self._lock = threading.Lock()

    def submit(self, fn, /, *args, **kwargs):  # type: ignore[no-untyped-def]
        number = number_of(args[0])
        future: Future[Outcome] = Future()
        with self._lock:
            if self._broken:
                raise BrokenProcessPool
            self._tale.performed.append(number)
            self._futures.append(future)
            if number in self._deadly:
                self._broken = True
                for other in self._futures:
                    if not other.done():
                        other.set_exception(BrokenProcessPool())
            else:
                # so long that a deadly neighbour finds it under way
                threading.Timer(0.03, self._end, (future, number)).start()
        return future

    def _end(self, future: Future[Outcome], number: int) -> None:
        with self._lock:
            if not future.done():
                future.set_result(Outcome(n_failed=number))


def dying(deadly: set[int], tale: Tale) -> schedule.Workers:
    @contextmanager
    def opened() -> Iterator[Executor]:
        yield DyingPool(deadly, tale)

    return opened


def threads(n: int) -> schedule.Workers:
    @contextmanager
    def opened() -> Iterator[Executor]:
        with ThreadPoolExecutor(n) as pool:
            yield pool

    return opened


def outcome_by(perform: Callable[[Task], Outcome], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "perform", perform)


@pytest.mark.parametrize("n_workers", [0, 1, 3])
def test_references_come_first_and_block_their_others(
    n_workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 0 and 3 are references, 0 fails
    after = {1: 0, 2: 0, 4: 3}
    tale = Tale()
    lock = threading.Lock()

    def perform(one: Task) -> Outcome:
        with lock:
            tale.performed.append(number_of(one))
        return Outcome(error="slide0.svs: damaged" if number_of(one) == 0 else "")

    outcome_by(perform, monkeypatch)
    tasks = [task(number) for number in range(5)]
    if n_workers:
        perform_on(threads(n_workers), tasks, after, tale.done, n_workers=n_workers)
    else:
        perform_here(tasks, after, tale.done)
    assert sorted(tale.performed) == [0, 3, 4]
    assert tale.performed.index(3) < tale.performed.index(4)
    blocked = "no fields to carry over, because its reference slide0.svs failed"
    assert {number: outcome.error for number, outcome in tale.ended.items()} == {
        0: "slide0.svs: damaged", 1: f"slide1.svs: {blocked}", 2: f"slide2.svs: {blocked}", 3: "", 4: ""
    }  # fmt: skip


def test_no_more_tasks_are_under_way_than_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    lock, both = threading.Lock(), threading.Barrier(2, timeout=30)
    under_way, most = 0, 0

    def perform(one: Task) -> Outcome:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        both.wait()  # passes only when two are at work at once
        with lock:
            under_way -= 1
        return Outcome()

    outcome_by(perform, monkeypatch)
    tale = Tale()
    perform_on(threads(4), [task(n) for n in range(6)], {}, tale.done, n_workers=2)
    assert (most, len(tale.ended)) == (2, 6)


@pytest.mark.parametrize("deadly", [{0}, {1}, {5}, {0, 1}, {2, 3}, {0, 1, 2, 3, 4, 5}])
def test_a_worker_that_dies_costs_its_own_slide_only(deadly: set[int]) -> None:
    tale = Tale()
    perform_on(dying(deadly, tale), [task(n) for n in range(6)], {}, tale.done, n_workers=2)
    assert {n for n, outcome in tale.ended.items() if outcome.error} == deadly
    assert {n for n, outcome in tale.ended.items() if outcome == Outcome(n_failed=n)} == set(
        range(6)
    ) - deadly
    for number in deadly:
        assert tale.ended[number].error == f"slide{number}.svs: {DIED}"
        assert tale.performed.count(number) <= 2  # and is not tried for ever


def test_others_of_a_reference_whose_worker_died() -> None:
    tale = Tale()
    perform_on(dying({0}, tale), [task(n) for n in range(4)], {1: 0, 3: 2}, tale.done, n_workers=2)
    assert [tale.ended[n].error != "" for n in range(4)] == [True, True, False, False]
    assert 1 not in tale.performed


def die_or_do(one: Task) -> Outcome:
    """What stands for work in a real process: one slide takes its worker with it."""
    if number_of(one) == 1:
        os._exit(9)
    return Outcome(n_failed=os.getpid())


def test_a_real_process_that_dies(monkeypatch: pytest.MonkeyPatch) -> None:
    # Another process would not know of a changed `perform`.
    monkeypatch.setattr(schedule, "_perform_as_worker", die_or_do)
    tale = Tale()
    perform_on(processes(2), [task(n) for n in range(4)], {}, tale.done, n_workers=2)
    assert tale.ended[1].error == f"slide1.svs: {DIED}"
    others = [tale.ended[n] for n in (0, 2, 3)]
    assert all(outcome.error == "" and outcome.n_failed != os.getpid() for outcome in others)


class KilledWorker(Exception):  # noqa: N818
    """Named as Dask's."""


def failing(error: Exception) -> schedule.Workers:
    class Pool(Executor):
        def submit(self, fn, /, *args, **kwargs):  # type: ignore[no-untyped-def]
            future: Future[Outcome] = Future()
            if number_of(args[0]) == 0:
                future.set_exception(error)
            else:
                future.set_result(Outcome())
            return future

    @contextmanager
    def opened() -> Iterator[Executor]:
        yield Pool()

    return opened


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (KilledWorker("tcp://10.0.0.7:3412"), DIED),
        (
            ModuleNotFoundError("No module named 'ihcscore'"),
            "the cluster could not perform it (ModuleNotFoundError)",
        ),
    ],
)
def test_what_a_cluster_cannot_do_costs_one_slide(error: Exception, said: str) -> None:
    tale = Tale()
    perform_on(failing(error), [task(0), task(1)], {}, tale.done, n_workers=2)
    assert tale.ended == {0: Outcome(error=f"slide0.svs: {said}"), 1: Outcome()}


def test_a_cluster_that_is_lost_ends_the_run() -> None:
    from concurrent.futures import CancelledError

    with pytest.raises(IhcscoreError, match="the Dask scheduler was lost; go on with resume"):
        perform_on(failing(CancelledError()), [task(0)], {}, Tale().done, n_workers=1)
