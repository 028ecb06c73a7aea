"""How far a run is, and where its time went."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# Called with what is being done and the share of the whole that is done, 0 to 1.
Progress = Callable[[str, float], None]


def silent(stage: str, share: float) -> None:
    """Report nothing."""


class Stopwatch:
    """Seconds spent in each part of a run.

    Attributes
    ----------
    seconds : dict of str to float
        Wall-clock seconds by part, in the order in which the parts first ran.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def timing(self, part: str) -> Iterator[None]:
        """Add the time spent inside the ``with`` block to a part."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[part] = self.seconds.get(part, 0.0) + time.perf_counter() - start
