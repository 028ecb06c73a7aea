"""Many tasks on one machine's processes or on a Dask cluster, each after what it depends on."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any

from ihcscore.cohort.work import Outcome, Task, perform
from ihcscore.errors import IhcscoreError

# A task that was under way when a worker died is tried once more, alone with its like.
_ATTEMPTS = 2
_DIED = "the worker process died, perhaps for want of memory; try fewer --workers"

Workers = Callable[[], AbstractContextManager[Executor]]
Done = Callable[[int, Outcome], None]


def perform_here(tasks: Sequence[Task], after: Mapping[int, int], done: Done) -> None:
    """Perform tasks one after the other in this process."""
    failed: dict[int, Outcome] = {}
    for number in _in_order(tasks, after):
        outcome = _blocked(tasks, after, failed, number) or perform(tasks[number])
        if outcome.error:
            failed[number] = outcome
        done(number, outcome)


def perform_on(
    workers: Workers, tasks: Sequence[Task], after: Mapping[int, int], done: Done, *, n_workers: int
) -> None:
    """Perform tasks on an executor; a worker that dies costs its tasks, not the others.

    Parameters
    ----------
    workers : callable
        Opens an executor.
    tasks : sequence of Task
    after : mapping of int to int
        Task that must be done before, by task.
    done : callable
        Called with a task's number and its outcome, in the order in which they end.
    n_workers : int
        Tasks under way at once.
    """
    attempts = dict.fromkeys(range(len(tasks)), 0)
    ended: dict[int, Outcome] = {}

    def end(number: int, outcome: Outcome) -> None:
        ended[number] = outcome
        done(number, outcome)

    while len(ended) < len(tasks):
        with workers() as executor:
            under_way = _work_off(executor, tasks, after, ended, end, n_workers)
        for number in under_way:
            attempts[number] += 1
            if attempts[number] == _ATTEMPTS:
                end(number, Outcome(error=f"{tasks[number].entry.slide.name}: {_DIED}"))


def _work_off(
    executor: Executor,
    tasks: Sequence[Task],
    after: Mapping[int, int],
    ended: Mapping[int, Outcome],
    end: Done,
    n_workers: int,
) -> list[int]:
    """Work off what is left; tasks that were under way when a worker died, else none."""
    under_way: dict[Future[Outcome], int] = {}
    left = [number for number in _in_order(tasks, after) if number not in ended]
    try:
        while left or under_way:
            for number in list(left):
                blocked = _blocked(tasks, after, ended, number)
                if blocked is not None:
                    left.remove(number)
                    end(number, blocked)
                elif len(under_way) < n_workers and after.get(number, number) in (number, *ended):
                    left.remove(number)
                    under_way[executor.submit(perform, tasks[number])] = number
            finished, _ = wait(under_way, return_when=FIRST_COMPLETED)
            for future in sorted(finished, key=lambda one: under_way[one]):
                outcome = future.result()
                end(under_way.pop(future), outcome)
    except BrokenProcessPool:
        return list(under_way.values())
    return []


def _in_order(tasks: Sequence[Task], after: Mapping[int, int]) -> list[int]:
    """Tasks that nothing else waits for come last, so that no worker is idle at the end."""
    return sorted(range(len(tasks)), key=lambda number: number in after)


def _blocked(
    tasks: Sequence[Task], after: Mapping[int, int], ended: Mapping[int, Outcome], number: int
) -> Outcome | None:
    """The outcome of a task whose reference failed."""
    before = after.get(number)
    if before is None or before not in ended or not ended[before].error:
        return None
    name, reference = tasks[number].entry.slide.name, tasks[before].entry.slide.name
    return Outcome(error=f"{name}: no fields to carry over, because its reference {reference} failed")


def processes(n: int) -> Workers:
    """Workers on this machine."""

    @contextmanager
    def opened() -> Iterator[Executor]:
        # Fresh interpreters: a forked one would inherit the locks of this one's threads.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(n, mp_context=context, initializer=_end_with_parent) as pool:
            yield pool

    return opened


def _end_with_parent() -> None:
    """Let a worker die with the run that it works for: else a killed run would go on writing."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def cluster(address: str) -> tuple[Workers, int]:
    """Workers of a Dask cluster and the number of their threads.

    Raises
    ------
    IhcscoreError
        If dask.distributed is not installed or no scheduler answers.
    """
    try:
        from distributed import Client
    except ModuleNotFoundError as error:
        raise IhcscoreError(
            "--dask-scheduler needs dask.distributed; install it with: pip install 'ihcscore[dask]'"
        ) from error
    connect: Callable[[], Any] = partial(Client, address, timeout="10s", set_as_default=False)
    try:
        with connect() as client:
            n = sum(client.nthreads().values())
    except (OSError, TimeoutError, ValueError) as error:
        raise IhcscoreError(f"--dask-scheduler {address}: no scheduler answers there") from error
    if n == 0:
        raise IhcscoreError(f"--dask-scheduler {address}: the cluster has no workers; start some")

    @contextmanager
    def opened() -> Iterator[Executor]:
        with connect() as client:
            yield client.get_executor(pure=False, retries=1)

    return opened, n
