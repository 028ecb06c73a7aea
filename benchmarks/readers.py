"""Throughput of the readers against OpenSlide's, on fields of 1444 × 1444 px (0.13 mm² at 0.25 µm/px).

    python benchmarks/readers.py [--fields 12] [--side 12000]

Each format is written once, large enough that no field is in a cache: fields lie apart from one another and
both ways read the same ones in the same order, each round from a freshly opened slide. Times are CPU seconds
of this process (all threads), the best of three rounds; "wall" is the ratio by the clock, where threads show.
The file itself is in the system's memory.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import openslide
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from ihcscore.slide import Slide, open_slide
from ihcscore.slide.readers.openslide import OpenSlideReader
from writers.formats import WRITERS

FIELD_PX = 1444
ROUNDS = 3
Rgb = NDArray[np.uint8]


def picture(side_px: int) -> Rgb:
    """Draw blobs the size of nuclei on smooth tissue, with faint grain.

    At quality 95 this takes about 0.25 bytes a pixel as JPEG; scanned tissue takes 0.15 to 0.3.
    """
    import cv2

    rng = np.random.default_rng(7)
    rough = rng.integers(0, 256, (side_px // 24, side_px // 24, 3), dtype=np.uint8)
    blobs = cv2.resize(rough, (side_px, side_px), interpolation=cv2.INTER_CUBIC)
    grain = rng.integers(-1, 2, (side_px, side_px, 1), dtype=np.int8)
    return np.clip(blobs // 3 + 140 + grain.astype(np.int16), 0, 255).astype(np.uint8)


def places(size_xy_px: tuple[int, int], n_fields: int) -> list[tuple[int, int]]:
    """Corners of fields that do not touch, in random order."""
    step = FIELD_PX + 300
    width, height = size_xy_px
    grid = [(x, y) for y in range(37, height - FIELD_PX, step) for x in range(53, width - FIELD_PX, step)]
    order = np.random.default_rng(1).permutation(len(grid))
    return [grid[i] for i in order[:n_fields]]


@dataclass(frozen=True, kw_only=True)
class Spent:
    """Seconds: of the processor to open a slide and to read its fields, and by the clock to read them."""

    opening: float
    reading: float
    waiting: float


def by_ihcscore(path: Path, corners: list[tuple[int, int]]) -> Spent:
    """Open a slide and read its fields, as the pipeline does."""
    start = time.process_time()
    with open_slide(path, mpp_um=0.25, icc=False) as slide:
        way(slide)  # compares a tile with OpenSlide's
        opened, clock = time.process_time(), time.perf_counter()
        for corner in corners:
            slide.read(0, corner, (FIELD_PX, FIELD_PX))
        return Spent(
            opening=opened - start, reading=time.process_time() - opened, waiting=time.perf_counter() - clock
        )


def by_openslide(path: Path, corners: list[tuple[int, int]]) -> Spent:
    """Open a slide and read its fields, as one would with openslide-python."""
    file = path if path.is_file() else min(path.iterdir())
    start = time.process_time()
    with openslide.OpenSlide(file) as slide:
        opened, clock = time.process_time(), time.perf_counter()
        for corner in corners:
            np.asarray(slide.read_region(corner, 0, (FIELD_PX, FIELD_PX)).convert("RGB"))
        return Spent(
            opening=opened - start, reading=time.process_time() - opened, waiting=time.perf_counter() - clock
        )


def best(read: Callable[[Path, list[tuple[int, int]]], Spent], path: Path, n: int) -> tuple[Spent, float]:
    """Least of the rounds, and how many megapixels were read; nothing where the way cannot read the file."""
    with open_slide(path, mpp_um=0.25) as slide:
        corners = places(slide.size_xy_px, n)
    try:
        rounds = [read(path, corners) for _ in range(ROUNDS)]
    except openslide.OpenSlideError:
        rounds = [Spent(opening=math.nan, reading=math.nan, waiting=math.nan)]
    least = Spent(
        opening=min(spent.opening for spent in rounds),
        reading=min(spent.reading for spent in rounds),
        waiting=min(spent.waiting for spent in rounds),
    )
    return least, len(corners) * FIELD_PX**2 / 1e6


def way(slide: Slide) -> str:
    """Name the reader, and whether it decodes level 0 directly."""
    if isinstance(slide, OpenSlideReader):
        return "OpenSlide, direct tiles" if slide.is_direct(0) else "OpenSlide"
    return type(slide).__name__


def main() -> None:
    """Measure each format and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fields", type=int, default=12)
    parser.add_argument("--side", type=int, default=12_000, help="width and height of the slides, px")
    # The NDPI writer makes one tile of a whole level, which is no picture of how scanners do it.
    formats = sorted(set(WRITERS) - {"ndpi"})
    parser.add_argument("--formats", nargs="*", default=formats)
    parser.add_argument("--file", type=Path, nargs="*", default=[], help="slides of your own")
    given = parser.parse_args()
    print(
        f"{'format':18} {'read by':28} {'Mpx/s':>7} {'OpenSlide':>10} {'ratio':>6} {'wall':>6} "
        f"{'open ms':>8} {'OpenSlide ms':>13}"
    )
    with tempfile.TemporaryDirectory() as folder:
        rgb = picture(given.side) if given.formats else None
        for name in given.formats:
            inside = Path(folder) / name
            inside.mkdir()
            report(name, WRITERS[name](inside, rgb), given.fields)
        for path in given.file:
            report(path.name[:18], path, given.fields)


def report(name: str, path: Path, n_fields: int) -> None:
    """Measure one slide and print its line."""
    with open_slide(path, mpp_um=0.25) as slide:
        reader = way(slide)
    (ours, mpx), (theirs, _) = best(by_ihcscore, path, n_fields), best(by_openslide, path, n_fields)
    print(
        f"{name:18} {reader:28} {mpx / ours.reading:7.1f} {mpx / theirs.reading:10.1f} "
        f"{theirs.reading / ours.reading:6.2f} {theirs.waiting / ours.waiting:6.2f} "
        f"{ours.opening * 1e3:8.0f} {theirs.opening * 1e3:13.0f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
