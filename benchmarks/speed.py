"""Speed and memory of the counter, relative to one call of skimage's rgb2hed.

usage: python benchmarks/speed.py [--repeats 7]

Both on one thread, in one process, on the same 1444 × 1444 px (one field of 0.13 mm² at 0.25 µm/px): CPU
time, medians. Machines are noisy: quote the ratio, not the seconds.
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

import cv2
from skimage.color import rgb2hed

from ihcscore import count_cells
from ihcscore.stain import estimate_stains
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
    calls = {
        "count_cells, stains estimated": lambda: count_cells(rgb, mpp_um=MPP_UM, profile="CD3"),
        "count_cells, stains of the slide": lambda: count_cells(
            rgb, mpp_um=MPP_UM, profile="CD3", stains=stains
        ),
    }
    print(f"{'rgb2hed':34}{unit * 1e3:8.1f} ms   1.00")
    for name, call in calls.items():
        seconds = cpu_seconds(call, args.repeats)
        print(f"{name:34}{seconds * 1e3:8.1f} ms  {seconds / unit:5.2f}   peak {peak_mib(call):.0f} MiB")


if __name__ == "__main__":
    main()
