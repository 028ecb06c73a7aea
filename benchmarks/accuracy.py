"""Accuracy on real tiles, and how far the count moves when scanner and laboratory change.

usage: python benchmarks/accuracy.py DATA_DIR

DATA_DIR holds the tile sets (images/ and counts.csv or points.csv) and slides/OS-2-ndpi.ome.tif. The figures
of the tile sets are those of the judge beside it, DATA_DIR/../tools/accuracy.py.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray

from ihcscore import count_cells
from ihcscore.run.images import count_images

SETS = (
    ("lysto_cd3cd8", "CD3", 0.24),
    ("lysto_dense", "CD3", 0.25),
    ("bcdata_ki67", "KI67", 0.25),
    ("shidc_ki67", "KI67", 0.25),
)
SCANNED = "slides/OS-2-ndpi.ome.tif"
SCANNED_MPP_UM = 0.2271

Rgb = NDArray[np.uint8]


def judged(data: Path, name: str, profile: str, mpp_um: float) -> dict[str, float]:
    """The judge's figures of one tile set."""
    with tempfile.TemporaryDirectory() as folder:
        count_images([data / name / "images"], profile=profile, mpp_um=mpp_um, out=Path(folder) / "out")
        judge = [sys.executable, data.parent / "tools" / "accuracy.py", Path(folder) / "out" / "cells.csv"]
        command = [*map(str, judge), str(data / name), "--mpp-um", str(mpp_um)]
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    figures: dict[str, float] = json.loads(printed.splitlines()[-1])
    return figures


def changed(rgb: Rgb) -> dict[str, tuple[Rgb, float]]:
    """The same glass as other scanners and laboratories would show it, and its µm per pixel."""
    mpp_um = SCANNED_MPP_UM

    def clipped(values: NDArray[np.float64]) -> Rgb:
        return np.clip(values, 0, 255).round().astype(np.uint8)

    def resampled(to_um: float) -> tuple[Rgb, float]:
        scale = mpp_um / to_um
        small = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        return np.asarray(small, np.uint8), to_um

    _, jpeg = cv2.imencode(".jpg", rgb, [cv2.IMWRITE_JPEG_QUALITY, 60])
    return {
        "as scanned": (rgb, mpp_um),
        "0.35 µm/px": resampled(0.35),
        "0.5 µm/px": resampled(0.5),
        "white (235, 230, 215)": (clipped(rgb * (np.array([235.0, 230.0, 215.0]) / 255)), mpp_um),
        "contrast +15 %": (clipped((rgb - rgb.mean()) * 1.15 + rgb.mean()), mpp_um),
        "contrast -15 %": (clipped((rgb - rgb.mean()) * 0.85 + rgb.mean()), mpp_um),
        "JPEG quality 60": (np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), np.uint8), mpp_um),
        "blur of 0.5 µm": (np.asarray(cv2.GaussianBlur(rgb, (0, 0), 0.5 / mpp_um), np.uint8), mpp_um),
    }


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    data = parser.parse_args().data.resolve()
    for name, profile, mpp_um in SETS:
        print(name, json.dumps(judged(data, name, profile, mpp_um)))
    rgb = np.ascontiguousarray(tifffile.imread(data / SCANNED))
    first = None
    for name, (pixels, mpp_um) in changed(rgb).items():
        cells = count_cells(pixels, mpp_um=mpp_um, profile="KI67")
        positive = int((cells["class"] == "Positive").sum())
        first = first or positive
        print(f"{name:24}{positive:5d} positive  {100 * (positive / first - 1):+5.1f} %")


if __name__ == "__main__":
    main()
