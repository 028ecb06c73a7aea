"""Tiles to train on and to be judged by: real ones of ``../shared/data``, and drawn ones."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from ihcscore.cells.network import stain_planes
from ihcscore.profiles import load_profile
from ihcscore.stain import StainMaps, Stains, estimate_stains, separate

Floats = NDArray[np.float64]

# Heads of the network.
MEMBRANE, NUCLEUS, NEGATIVE, PIGMENT = range(4)
# Folders with µm per pixel, and what their positive cells are.
COUNTED = {"lysto_cd3cd8": 0.24, "lysto_dense": 0.25, "lysto_tdc": 0.25}
MARKED = {"bcdata_ki67": 0.25, "shidc_ki67": 0.16}


@dataclass(kw_only=True)
class Tile:
    """A tile as the network sees it, and what is known of it.

    Attributes
    ----------
    name, folder, slide : str
    planes : ndarray of float16, shape (4, h, w)
        At 0.5 µm per pixel.
    points : dict of int to ndarray, shape (n, 2)
        Centres x, y of cells in pixels of the network's answer (1 µm; centres at whole numbers), by the head
        that should find them. Heads that are missing are unknown.
    count : int, optional
        Positive cells, where people counted them.
    pigment : ndarray of bool, shape (h / 2, w / 2), optional
        Where melanin was drawn.
    manner : str
        How it was drawn.
    """

    name: str
    folder: str
    slide: str
    planes: NDArray[np.float16] = field(repr=False)
    maps: StainMaps = field(repr=False)
    stains: Stains = field(repr=False)
    points: dict[int, Floats]
    count: int | None = None
    pigment: NDArray[np.bool_] | None = None
    manner: str = ""

    @property
    def head(self) -> int:
        """The head of its positive cells."""
        return NUCLEUS if self.folder in MARKED or self.manner == "nuclear" else MEMBRANE

    @property
    def n_true(self) -> int:
        """Positive cells, counted or marked."""
        return self.count if self.count is not None else len(self.points[self.head])


def on_answer(maps: StainMaps, xy_px: Floats) -> Floats:
    """Points of the image in pixels of the network's answer, which are twice the maps'."""
    start, step = np.array(maps.grid.start_xy_px), maps.grid.step_px
    return np.asarray((np.asarray(xy_px, float).reshape(-1, 2) + 0.5 - start) / (2 * step) - 0.5)


def _seen(
    rgb: NDArray[np.uint8], mpp_um: float, marker: str, white=None
) -> tuple[StainMaps, Stains, NDArray[np.float16]]:
    profile = load_profile(marker)
    stains = estimate_stains(rgb, mpp_um=mpp_um, white_rgb=white)
    maps = separate(rgb, mpp_um=mpp_um, stains=stains)
    level_od = min(max(stains.chromogen_level.od, profile.level_low_od), profile.level_high_od)
    return maps, stains, stain_planes(maps, level_od).astype(np.float16)


def real_tiles(data: Path) -> Iterator[Tile]:
    """All tiles with a truth."""
    for folder, mpp_um in COUNTED.items():
        for row in pd.read_csv(data / folder / "counts.csv").itertuples():
            rgb = _read(data / folder / "images" / str(row.image))
            maps, stains, planes = _seen(rgb, mpp_um, "CD3")
            yield Tile(
                name=str(row.image), folder=folder, slide=str(row.slide), planes=planes, maps=maps,
                stains=stains, points={}, count=int(row[2]),
            )  # fmt: skip
    for folder, mpp_um in MARKED.items():
        marks = pd.read_csv(data / folder / "points.csv")
        for image, here in marks.groupby("image"):
            rgb = _read(data / folder / "images" / str(image))
            maps, stains, planes = _seen(rgb, mpp_um, "KI67")
            is_positive = (here["class"] == "positive").to_numpy()
            xy = here[["x", "y"]].to_numpy(float)
            points = {NUCLEUS: on_answer(maps, xy[is_positive])}
            if folder == "bcdata_ki67":
                points[NEGATIVE] = on_answer(maps, xy[~is_positive])
            yield Tile(
                name=str(image), folder=folder, slide=str(image), planes=planes, maps=maps, stains=stains,
                points=points,
            )  # fmt: skip


def _read(path: Path) -> NDArray[np.uint8]:
    return np.asarray(Image.open(path).convert("RGB"))


def cached(path: Path, tiles: Iterator[Tile]) -> list[Tile]:
    """Tiles from a file, or written to it."""
    if path.exists():
        with path.open("rb") as file:
            return pickle.load(file)
    made = list(tiles)
    with path.open("wb") as file:
        pickle.dump(made, file)
    return made
