"""Many tasks on one machine's processes or on a Dask cluster, each after what it depends on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    wait,
)
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any

import cv2

from ihcscore import workers
from ihcscore.cohort.work import Outcome, Task, perform
from ihcscore.errors import IhcscoreError, parameter

_DIED = "its worker died, perhaps for want of memory"

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
    opened: Workers, tasks: Sequence[Task], after: Mapping[int, int], done: Done, *, n_workers: int
) -> None:
    """Perform tasks on an executor; a worker that dies costs its own task, not the others.

    Parameters
    ----------
    opened : callable
        Opens an executor.
    tasks : sequence of Task
    after : mapping of int to int
        Task that must be done before, by task.
    done : callable
        Called with a task's number and its outcome, in the order in which they end.
    n_workers : int
        Tasks under way at once.

    Raises
    ------
    IhcscoreError
        If the cluster is lost.
    """
    ended: dict[int, Outcome] = {}

    def end(number: int, outcome: Outcome) -> None:
        ended[number] = outcome
        done(number, outcome)

    suspects: list[int] = []
    while len(ended) < len(tasks):
        # Of the tasks that were under way when a worker died, each is tried again by itself: the one that
        # kills its worker again is to blame, not its neighbours.
        alone = suspects[:1]
        left = alone[:] or [number for number in _in_order(tasks, after) if number not in ended]
        with opened() as executor:
            died = _work_off(executor, tasks, after, ended, end, left, 1 if alone else n_workers)
        if alone:
            suspects = suspects[1:]
            for number in died:
                end(number, Outcome(error=f"{tasks[number].entry.slide.name}: {_DIED}"))
        else:
            suspects = sorted(died)


def _work_off(
    executor: Executor,
    tasks: Sequence[Task],
    after: Mapping[int, int],
    ended: Mapping[int, Outcome],
    end: Done,
    left: list[int],
    n_workers: int,
) -> list[int]:
    """Work off what is left; give the tasks that were under way when a worker of this machine died."""
    under_way: dict[Future[Outcome], int] = {}
    died: list[int] = []
    while (left or under_way) and not died:
        for number in list(left):
            blocked = _blocked(tasks, after, ended, number)
            if blocked is not None:
                left.remove(number)
                end(number, blocked)
            elif len(under_way) < n_workers and (number not in after or after[number] in ended):
                left.remove(number)
                try:
                    under_way[executor.submit(_perform_as_worker, tasks[number])] = number
                except BrokenExecutor:
                    died.append(number)
                    break
        # Where a worker has died, its pool gives up the other tasks by itself.
        finished, _ = wait(under_way, return_when=FIRST_COMPLETED)
        for future in sorted(finished, key=lambda one: under_way[one]):
            number = under_way.pop(future)
            try:
                outcome = future.result()
            except BrokenExecutor:
                died.append(number)
            except CancelledError as error:
                raise IhcscoreError(
                    f"the Dask scheduler was lost; go on with {parameter('resume')}"
                ) from error
            except Exception as error:
                outcome = Outcome(error=f"{tasks[number].entry.slide.name}: {_lost(error)}")
                end(number, outcome)
            else:
                end(number, outcome)
    for future, number in under_way.items():
        try:
            end(number, future.result())
        except BrokenExecutor:
            died.append(number)
    return died


def _perform_as_worker(task: Task) -> Outcome:
    """Perform a task in a process that does nothing else."""
    # Workers share the cores. Several threads of one process, as on a Dask worker, may not set this
    # for a while and back either: one's end would fall into another's dense flow, whose result depends on it.
    cv2.setNumThreads(1)
    return perform(task)


def _lost(error: Exception) -> str:
    """Why a cluster could not perform a task; no addresses, so that tables can be compared."""
    kind = type(error).__name__
    return _DIED if kind == "KilledWorker" else f"the cluster could not perform it ({kind})"


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
    return partial(workers.processes, n)


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
            f"{parameter('dask_scheduler')} needs dask.distributed; "
            "install it with: pip install 'ihcscore[dask]'"
        ) from error
    connect: Callable[[], Any] = partial(Client, address, timeout="10s", set_as_default=False)
    try:
        with connect() as client:
            n = sum(client.nthreads().values())
    except (OSError, TimeoutError, ValueError) as error:
        raise IhcscoreError(f"{parameter('dask_scheduler')} {address}: no scheduler answers there") from error
    if n == 0:
        raise IhcscoreError(
            f"{parameter('dask_scheduler')} {address}: the cluster has no workers; start some"
        )

    @contextmanager
    def opened() -> Iterator[Executor]:
        with connect() as client:
            executor = client.get_executor(pure=False, retries=1)
            try:
                yield executor
            except BaseException:
                executor.shutdown(wait=False)  # else it would wait for the slides that are under way
                raise

    return opened, n
