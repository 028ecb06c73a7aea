"""Landmark errors of the registration on real consecutive sections, every pair in both directions.

usage: python benchmarks/registration.py [DATA]

DATA (../shared/data by default) holds registration/*.jpg and *.csv: sections of one block with landmarks that
a person set, paired by row. Each pair is registered as it is, with the moving section turned by 90, 137 and
180 degrees and with it mirrored. Errors are medians over a pair's landmarks, in pixels of 3.5 µm.
"""

from __future__ import annotations

import argparse
import itertools
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ihcscore.geometry.affine import Affine
from ihcscore.schema import FieldSettings
from ihcscore.serial.pair import RegisteredSlide, SlidePair
from ihcscore.slide.readers.plain_image import read_image
from ihcscore.slide.section import Picture

MPP_UM = 3.5
# Bars for the worst pair and for the median over the pairs, in pixels.
WORST_PX, OVERALL_PX = 12.0, 8.0

Rgb = NDArray[np.uint8]
Points = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Section:
    """A section and its landmarks, shape (n, 2), in pixels."""

    name: str
    path: Path
    rgb: Rgb
    landmarks: Points

    @classmethod
    def read(cls, path: Path) -> Section:
        """A section of the data set; its stain is its name."""
        landmarks = pd.read_csv(path.with_suffix(".csv"))[["X", "Y"]].to_numpy(float)
        return cls(name=path.stem.split("-")[4], path=path, rgb=read_image(path), landmarks=landmarks)

    def moved(self, linear: Points) -> Section:
        """The section turned or mirrored, on a canvas that holds all of it, filled with glass."""
        height, width = self.rgb.shape[:2]
        corners = Affine.of(linear)([[0, 0], [width, 0], [width, height], [0, height]])
        shift = -corners.min(axis=0)
        across, down = (math.ceil(length - 1e-6) for length in np.ptp(corners, axis=0))
        there = Affine.of(linear, shift)
        glass = [float(level) for level in np.percentile(self.rgb.reshape(-1, 3), 95, axis=0)]
        rgb = cv2.warpAffine(
            self.rgb, there.cv(), (across, down), flags=cv2.INTER_CUBIC, borderValue=glass
        )  # fmt: skip
        return Section(
            name=self.name,
            path=self.path,
            rgb=np.asarray(rgb, np.uint8),
            landmarks=there(self.landmarks),
        )

    def slide(self) -> RegisteredSlide:
        """The section as the pipeline sees a slide."""
        return RegisteredSlide.of(Picture(self.path, self.rgb, mpp_um=MPP_UM))


def variants() -> Iterator[tuple[str, Points]]:
    """How the moving section is laid, with the linear part of the map."""
    for degrees in (0, 90, 137, 180):
        cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        yield f"turned by {degrees}°" if degrees else "as it is", np.array([[cos, -sin], [sin, cos]])
    yield "mirrored", np.diag([-1.0, 1.0])


def registered(reference: Section, moving: Section) -> dict[str, object]:
    """Median landmark errors of one pair, with the error that was estimated and the time."""
    started = time.perf_counter()
    pair = SlidePair(reference=reference.slide(), moving=moving.slide())
    registration = pair.registration
    seconds = time.perf_counter() - started
    side_um = FieldSettings().side_um
    carried = [pair.carry(point, side_um=side_um) for point in reference.landmarks]
    points_seconds = time.perf_counter() - started - seconds
    whole = np.array([registration.transform_at(point)(point) for point in reference.landmarks])
    with_one = np.column_stack([reference.landmarks, np.ones(len(reference.landmarks))])
    fitted = with_one @ np.linalg.lstsq(with_one, moving.landmarks, rcond=None)[0]

    def error_px(points: Points) -> float:
        return float(np.median(np.hypot(*(points - moving.landmarks).T)))

    return {
        "pair": f"{reference.name} - {moving.name}",
        "whole": error_px(whole),
        "local": error_px(np.array([place.xy_px for place in carried])),
        "affine fit": error_px(fitted),
        "estimated": registration.error_um / MPP_UM,
        "estimated local": float(np.median([place.error_um for place in carried])) / MPP_UM,
        "pieces": len(registration.pieces),
        "seconds": seconds,
        "points s": points_seconds,
    }


def main() -> None:
    """Print a table for each variant, and the worst and the median of each beside the bars."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, nargs="?", default=Path("../shared/data"))
    parser.add_argument("--pairs", type=int, help="only so many of the pairs")
    options = parser.parse_args()
    sections = [Section.read(path) for path in sorted((options.data / "registration").glob("*.jpg"))]
    pairs = list(itertools.permutations(sections, 2))[: options.pairs]
    summary = []
    for name, linear in variants():
        table = pd.DataFrame([registered(one, other.moved(linear)) for one, other in pairs])
        print(f"\nmoving section {name}; errors in px\n{table.round(1).to_string(index=False)}", flush=True)
        figures = table.drop(columns="pair")
        summary += [
            {"moving section": name, "of 20 pairs": "worst", **figures.max()},
            {"moving section": "", "of 20 pairs": "median", **figures.median()},
        ]
    print(f"\nbars: worst {WORST_PX:g} px, median {OVERALL_PX:g} px")
    print(pd.DataFrame(summary).round(1).to_string(index=False))


if __name__ == "__main__":
    main()
