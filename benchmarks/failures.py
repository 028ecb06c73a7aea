"""Where the counter still fails: cells it misses and rings it draws for nothing, on drawn tiles.

usage: python benchmarks/failures.py PICTURE.jpg

Prints precision and recall over the tiles, and writes a sheet: above, true cells without a ring near them;
below, rings without a true cell near them. Each crop is 40 µm wide, the place in question at its middle.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from ihcscore import count_cells
from ihcscore.pictures import draw_rings, encode_jpeg
from ihcscore.synthetic import Clustering, Staining, TileSettings, draw_tile

MPP_UM = 0.25
MATCH_UM = 4.0
CROP_UM = 40.0
MAGNIFY = 1.25
PER_ROW = 6
N_TILES = 12

Points = NDArray[np.float64]


def matched(found: Points, true: Points) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which found and which true points have a partner within the radius, one to one."""
    hit_found, hit_true = np.zeros(len(found), bool), np.zeros(len(true), bool)
    if len(found) and len(true):
        cost = cdist(found, true) * MPP_UM
        rows, columns = linear_sum_assignment(np.where(cost > MATCH_UM, 1e6, cost))
        near = cost[rows, columns] <= MATCH_UM
        hit_found[rows[near]], hit_true[columns[near]] = True, True
    return hit_found, hit_true


def crop(picture: NDArray[np.uint8], point: Points) -> NDArray[np.uint8]:
    """The surroundings of a point, magnified."""
    half = round(CROP_UM / MPP_UM / 2)
    padded = np.pad(picture, ((half, half), (half, half), (0, 0)), constant_values=255)
    x, y = np.rint(point).astype(int)
    small = padded[y : y + 2 * half, x : x + 2 * half]
    large = cv2.resize(small, None, fx=MAGNIFY, fy=MAGNIFY, interpolation=cv2.INTER_CUBIC)
    return np.pad(np.asarray(large, np.uint8), ((3, 3), (3, 3), (0, 0)), constant_values=255)


def main() -> None:
    """Draw, count, compare, write the sheet."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("picture", type=Path)
    missed, invented, hits, n_found, n_true = [], [], 0, 0, 0
    path = parser.parse_args().picture
    for seed in range(N_TILES):
        staining = Staining(clustering=Clustering(fraction=0.5))
        settings = TileSettings(size_xy_px=(512, 512), mpp_um=MPP_UM, n_positive=40, staining=staining)
        tile = draw_tile(settings, seed=seed)
        cells = count_cells(tile.rgb, mpp_um=MPP_UM, profile="CD8")
        positive = cells[cells["class"] == "Positive"]
        found = positive[["x_px", "y_px"]].to_numpy(float)
        true = tile.cells.loc[tile.cells["class"] == "Positive", ["x_px", "y_px"]].to_numpy(float)
        hit_found, hit_true = matched(found, true)
        hits, n_found, n_true = hits + int(hit_true.sum()), n_found + len(found), n_true + len(true)
        picture = tile.rgb.copy()
        draw_rings(picture, positive, mpp_um=MPP_UM)
        missed += [crop(picture, point) for point in true[~hit_true]]
        invented += [crop(picture, point) for point in found[~hit_found]]
    print(f"{n_true} true, {n_found} found, precision {hits / n_found:.3f}, recall {hits / n_true:.3f}")
    rows = [np.hstack(crops[:: max(1, len(crops) // PER_ROW)][:PER_ROW]) for crops in (missed, invented)]
    path.write_bytes(encode_jpeg(np.vstack(rows), quality=88))


if __name__ == "__main__":
    main()
