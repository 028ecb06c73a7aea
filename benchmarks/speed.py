"""Speed and memory of the counter, relative to one call of skimage's rgb2hed.

usage: python benchmarks/speed.py [--repeats 7]

Both on one thread, in one process, on the same 1444 × 1444 px (one field of 0.13 mm² at 0.25 µm/px): CPU
time, medians. Then pixels per second of wall time, with the slide's stains, in one process and in two side by
side. Machines are noisy: quote the ratio, not the seconds.
"""

from __future__ import annotations

import os

# Before numpy loads its libraries.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import argparse
import statistics
import time
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.color import rgb2hed

from ihcscore import count_cells
from ihcscore.profiles import load_profile
from ihcscore.schema.names import FinderName
from ihcscore.stain import Stains, estimate_stains
from ihcscore.synthetic import TileSettings, draw_tile

SIDE_PX = 1444
MPP_UM = 0.25


def cpu_seconds(call: Callable[[], object], repeats: int) -> float:
    """Median CPU time of a call, after one to warm up."""
    call()
    seconds = []
    for _ in range(repeats):
        start = time.process_time()
        call()
        seconds.append(time.process_time() - start)
    return statistics.median(seconds)


def peak_mib(call: Callable[[], object]) -> float:
    """Peak of what a call allocates."""
    tracemalloc.start()
    call()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / 2**20


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=7)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    settings = TileSettings(size_xy_px=(SIDE_PX, SIDE_PX), mpp_um=MPP_UM, n_positive=200, n_lymphocytes=100)
    rgb = draw_tile(settings, seed=1).rgb
    stains = estimate_stains(rgb, mpp_um=MPP_UM)
    unit = cpu_seconds(lambda: rgb2hed(rgb), args.repeats)
    print(f"{'rgb2hed':44}{unit * 1e3:8.1f} ms   1.00")
    for finder in FinderName:
        profile = replace(load_profile("CD3"), finder=finder)
        for said, given in (("stains estimated", None), ("stains of the slide", stains)):

            def call(profile=profile, given=given):  # type: ignore[no-untyped-def]
                return count_cells(rgb, mpp_um=MPP_UM, profile=profile, stains=given)

            seconds = cpu_seconds(call, args.repeats)
            name = f"count_cells, {finder}, {said}"
            print(f"{name:44}{seconds * 1e3:8.1f} ms  {seconds / unit:5.2f}   peak {peak_mib(call):.0f} MiB")
        for n in (1, 2):
            print(
                f"  {megapixels_per_second(rgb, stains, finder, n):6.1f} Mpx/s in {n} process{'es' * (n > 1)}"
            )


def megapixels_per_second(
    rgb: NDArray[np.uint8], stains: Stains, finder: FinderName, processes: int
) -> float:
    """Of the whole counter, with the slide's stains, all processes together."""
    n = 6
    with ProcessPoolExecutor(processes) as pool:
        jobs = [(rgb, stains, finder)] * processes * n
        list(pool.map(_count, jobs[:processes]))  # to load everything
        start = time.perf_counter()
        list(pool.map(_count, jobs))
        return processes * n * rgb.shape[0] * rgb.shape[1] / 1e6 / (time.perf_counter() - start)


def _count(job: tuple[NDArray[np.uint8], Stains, FinderName]) -> int:
    rgb, stains, finder = job
    cv2.setNumThreads(1)
    profile = replace(load_profile("CD3"), finder=finder)
    return len(count_cells(rgb, mpp_um=MPP_UM, profile=profile, stains=stains))


if __name__ == "__main__":
    main()
