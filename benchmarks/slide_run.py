"""Where the time of one run goes: a 40 000 × 40 000 px MIRAX slide at 0.25 µm/px.

usage: python benchmarks/slide_run.py [--size-px 40000 40000] [--repeats 3]

The slide is a disc of tissue with a disc of tumour in it, made of two drawn blocks that repeat. Prints the
median of the repeats, in seconds, and the peak memory.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ihcscore import synthetic
from ihcscore.run.slide import score_slide

MPP_UM = 0.25
BLOCK_PX = 1024


@dataclass(frozen=True, kw_only=True)
class DiscOfTissue:
    """Tiles of an elliptic section: tumour inside, stroma round it, glass beyond."""

    tumour: NDArray[np.uint8]
    stroma: NDArray[np.uint8]
    size_xy_px: tuple[int, int]

    def tile(self, left_px: int, top_px: int, side_px: int) -> NDArray[np.uint8] | None:
        """One tile; the corners of the slide were not scanned."""
        width, height = self.size_xy_px
        away = np.hypot((left_px + side_px / 2) / width - 0.5, (top_px + side_px / 2) / height - 0.5)
        if away > 0.55:
            return None
        if away > 0.42:
            return np.full((side_px, side_px, 3), (243, 243, 240), np.uint8)
        block = self.tumour if away < 0.22 else self.stroma
        y, x = top_px % BLOCK_PX, left_px % BLOCK_PX
        return block[y : y + side_px, x : x + side_px]


def write_slide(folder: Path, size_xy_px: tuple[int, int]) -> Path:
    """Write the slide and give its path."""
    tumour, stroma = (
        synthetic.draw_tile(
            synthetic.TileSettings(
                size_xy_px=(BLOCK_PX, BLOCK_PX), mpp_um=MPP_UM, tumour_fraction=fraction, n_positive=60
            ),
            seed,
        ).rgb
        for seed, fraction in ((1, 1.0), (2, 0.0))
    )
    source = DiscOfTissue(tumour=tumour, stroma=stroma, size_xy_px=size_xy_px)
    settings = synthetic.MiraxSettings(share_repeats=True, objective_power=40)
    return synthetic.write_mirax(folder / "large.mrxs", source, mpp_um=MPP_UM, settings=settings)


def import_seconds() -> float:
    """Wall-clock seconds to import everything that a run needs, in a fresh interpreter."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import ihcscore.run.slide"], check=True)
    whole = time.perf_counter() - start
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    return whole - (time.perf_counter() - start)


def main() -> None:
    """Write the slide, score it a few times, print the medians."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size-px", type=int, nargs=2, default=(40_000, 40_000))
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    width, height = args.size_px
    with tempfile.TemporaryDirectory() as folder:
        slide = write_slide(Path(folder), (width, height))
        parts: dict[str, list[float]] = {"import": [import_seconds() for _ in range(args.repeats)]}
        for repeat in range(args.repeats):
            start = time.perf_counter()
            result = score_slide(slide, profile="CD8", out=Path(folder) / f"out{repeat}")
            parts.setdefault("whole run, import apart", []).append(time.perf_counter() - start)
            for part, seconds in result.seconds.items():
                parts.setdefault(part, []).append(seconds)
    print(f"{width} × {height} px at {MPP_UM} µm/px, {len(result.fields)} fields of 0.13 mm²")
    for part, seconds in parts.items():
        print(f"{part:<32}{statistics.median(seconds):8.2f} s")
    print(f"{'peak memory':<32}{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:8.2f} GiB")


if __name__ == "__main__":
    main()
