"""Processes on this machine that end with the run that started them, however it ends."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager


@contextmanager
def processes(n: int) -> Iterator[ProcessPoolExecutor]:
    """A pool of processes; on an error, and on Ctrl-C, they end at once, with what they are at.

    Parameters
    ----------
    n : int
        All of them are started.
    """
    others = set(multiprocessing.active_children())
    # Fresh interpreters: a forked one would inherit the locks of this one's threads, and OpenCV's do not
    # survive it.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(n, mp_context=context, initializer=_begin)
    try:
        with _interrupts_held():
            pool.submit(_nothing)  # the first task starts all processes
        yield pool
    except BaseException:
        for child in set(multiprocessing.active_children()) - others:
            child.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C back; a process that is started meanwhile never sees one.

    A terminal sends it to all processes of a command, and each would show a traceback of its own. The one
    that started the others ends them.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows: see _begin
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _nothing() -> None:
    """What starts the processes."""


def _begin() -> None:
    """Let a worker leave Ctrl-C to the run that it works for, and die with it.

    Else a killed run would go on writing.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
