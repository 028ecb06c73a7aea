"""OpenCV on one thread."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import cv2


@contextmanager
def one_thread() -> Iterator[None]:
    """Inside the ``with`` block OpenCV works on one thread.

    Dense flow hands its patches on along stripes of the picture, one a thread, so that its result would
    depend on the machine's number of cores.
    """
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)
