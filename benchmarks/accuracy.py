"""Accuracy on real tiles, and how far the count moves when scanner, laboratory or the frame change.

usage: python benchmarks/accuracy.py DATA_DIR [--finder classical] [--only tiles|scanners|frame|turns|stress]

DATA_DIR holds the tile sets (images/ and counts.csv or points.csv) and slides/OS-2-ndpi.ome.tif. The figures
of the tile sets are those of the judge beside it, DATA_DIR/../tools/accuracy.py. The weights were trained on
these tiles: how the network does on slides that it hasn't seen says models/train/judge_network.py.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

from ihcscore import count_cells, synthetic
from ihcscore.profiles import MarkerProfile, load_profile
from ihcscore.run.images import count_images
from ihcscore.schema.names import FinderName
from ihcscore.stain import Stains, estimate_stains

SETS = (
    ("lysto_cd3cd8", "CD3", 0.24),
    ("lysto_tdc", "CD3", 0.25),
    ("lysto_dense", "CD3", 0.25),
    ("bcdata_ki67", "KI67", 0.25),
    ("shidc_ki67", "KI67", 0.16),
)
SCANNED = "slides/OS-2-ndpi.ome.tif"
SCANNED_MPP_UM = 0.2271
CUT_PX = 256

Rgb = NDArray[np.uint8]


def judged(data: Path, name: str, profile: MarkerProfile, mpp_um: float) -> dict[str, float]:
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
        "0.346 µm/px": resampled(0.346),
        "0.35 µm/px": resampled(0.35),
        "0.5 µm/px": resampled(0.5),
        "white (235, 230, 215)": (clipped(rgb * (np.array([235.0, 230.0, 215.0]) / 255)), mpp_um),
        "contrast +15 %": (clipped((rgb - rgb.mean()) * 1.15 + rgb.mean()), mpp_um),
        "contrast -15 %": (clipped((rgb - rgb.mean()) * 0.85 + rgb.mean()), mpp_um),
        "JPEG quality 60": (np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), np.uint8), mpp_um),
        "blur of 0.5 µm": (np.asarray(cv2.GaussianBlur(rgb, (0, 0), 0.5 / mpp_um), np.uint8), mpp_um),
    }


def n_positive(rgb: Rgb, mpp_um: float, profile: MarkerProfile, stains: Stains | None = None) -> int:
    """Positive cells of a picture."""
    cells = count_cells(np.ascontiguousarray(rgb), mpp_um=mpp_um, profile=profile, stains=stains)
    return int((cells["class"] == "Positive").sum())


def frames(data: Path) -> Iterator[tuple[str, Rgb, float, str]]:
    """Pictures to cut into tiles: name, pixels, µm per pixel, marker."""
    for folder in ("rois", "stress"):
        for path in sorted((data / folder).rglob("*.[jp][pn]g")):
            rgb = np.asarray(Image.open(path).convert("RGB"))
            if min(rgb.shape[:2]) >= 2 * CUT_PX:
                yield f"{folder}/{path.stem}", rgb, 0.24, "CD3"
    scanned = tifffile.imread(data / SCANNED)
    yield SCANNED, np.ascontiguousarray(scanned), SCANNED_MPP_UM, "KI67"
    for seed in range(4):
        settings = synthetic.TileSettings(size_xy_px=(1024, 1024), n_positive=150)
        yield f"drawn {seed}", synthetic.draw_tile(settings, seed=seed).rgb, 0.25, "CD3"


def whole_and_cut(rgb: Rgb, mpp_um: float, profile: MarkerProfile) -> tuple[int, int]:
    """Positive cells of a picture, whole and cut into tiles, by the stains of the whole."""
    rows, columns = (size // CUT_PX * CUT_PX for size in rgb.shape[:2])
    rgb = rgb[:rows, :columns]
    stains = estimate_stains(rgb, mpp_um=mpp_um)
    cut = sum(
        n_positive(rgb[y : y + CUT_PX, x : x + CUT_PX], mpp_um, profile, stains)
        for y in range(0, rows, CUT_PX)
        for x in range(0, columns, CUT_PX)
    )
    return n_positive(rgb, mpp_um, profile, stains), cut


def print_tiles(data: Path, finder: str | None) -> None:
    """The judge's figures of each tile set."""
    for name, marker, mpp_um in SETS:
        print(name, json.dumps(judged(data, name, chosen(marker, finder), mpp_um)))


def print_scanners(data: Path, finder: str | None) -> None:
    """One glass as other scanners and laboratories would show it."""
    rgb, first = np.ascontiguousarray(tifffile.imread(data / SCANNED)), None
    for name, (pixels, mpp_um) in changed(rgb).items():
        positive = n_positive(pixels, mpp_um, chosen("KI67", finder))
        first = first or positive
        print(f"{name:24}{positive:5d} positive  {100 * (positive / first - 1):+5.1f} %")


def print_frame(data: Path, finder: str | None) -> None:
    """Pictures whole and cut into tiles."""
    total = np.zeros(2)
    for name, rgb, mpp_um, marker in frames(data):
        both = whole_and_cut(rgb, mpp_um, chosen(marker, finder))
        total += both
        print(f"{name:32}{both[0]:5d} whole {both[1]:5d} cut")
    print(f"{'all':32}{total[0]:5.0f} whole {total[1]:5.0f} cut  {100 * (total[1] / total[0] - 1):+5.1f} %")


def print_turns(data: Path, finder: str | None) -> None:
    """Pictures turned by quarters and mirrored."""
    for name, rgb, mpp_um, marker in frames(data):
        stains = estimate_stains(rgb, mpp_um=mpp_um)
        seen = [np.rot90(rgb, k) for k in range(4)] + [rgb[::-1], rgb[:, ::-1]]
        counts = [n_positive(one, mpp_um, chosen(marker, finder), stains) for one in seen]
        print(f"{name:32}" + " ".join(f"{count:5d}" for count in counts))


def print_stress(data: Path, finder: str | None) -> None:
    """Cells on tiles with folds, ink, haze, smears and debris."""
    for path in sorted((data / "stress").rglob("*.[jp][pn]g")):
        rgb = np.asarray(Image.open(path).convert("RGB"))
        print(f"{path.stem:32}{n_positive(rgb, 0.24, chosen('CD3', finder)):5d}")


def chosen(marker: str, finder: str | None) -> MarkerProfile:
    """A marker's profile with the finder that was asked for."""
    profile = load_profile(marker)
    return profile if finder is None else replace(profile, finder=FinderName(finder))


PARTS = {
    "tiles": print_tiles, "scanners": print_scanners, "frame": print_frame, "turns": print_turns,
    "stress": print_stress,
}  # fmt: skip


def main() -> None:
    """Print all tables, or one."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--finder", choices=list(FinderName))
    parser.add_argument("--only", choices=list(PARTS))
    args = parser.parse_args()
    for name, part in PARTS.items():
        if args.only in (None, name):
            print(f"# {name}")
            part(args.data.resolve(), args.finder)


if __name__ == "__main__":
    main()
