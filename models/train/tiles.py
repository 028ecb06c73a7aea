"""Tiles to train on and to be judged by: real ones of ``../shared/data``, and drawn ones."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from ihcscore import synthetic
from ihcscore.cells.network import stain_planes
from ihcscore.profiles import load_profile
from ihcscore.stain import Rgb, StainMaps, Stains, estimate_stains, separate

Floats = NDArray[np.float64]

# Heads of the network.
MEMBRANE, NUCLEUS, NEGATIVE, PIGMENT = range(4)
# Folders with µm per pixel, and what their positive cells are.
COUNTED = {"lysto_cd3cd8": 0.24, "lysto_dense": 0.25, "lysto_tdc": 0.25}
MARKED = {"bcdata_ki67": 0.25, "shidc_ki67": 0.16}
# A pixel of the answer is pigment where so much of its neighbourhood (Gaussian, 1 µm) was drawn with it:
# between the granules of a clump there is some, beside the clump there isn't.
PIGMENT_SIGMA_PX, PIGMENT_SHARE = 1.0, 0.2


@dataclass(kw_only=True)
class Tile:
    """A tile as the network sees it, and what is known of it.

    Attributes
    ----------
    name, folder, slide : str
    planes : ndarray of float16, shape (4, h, w)
        At 0.5 µm per pixel.
    maps : StainMaps
    stains : Stains
    points : dict of int to ndarray, shape (n, 2)
        Centres x, y of cells in pixels of the network's answer (1 µm; centres at whole numbers), by the head
        that should find them. Heads that are missing are unknown.
    count : int, optional
        Positive cells, where people counted them.
    pigment : ndarray of bool, shape (h / 2, w / 2), optional
        Where melanin was drawn; missing on real tiles.
    drawn : synthetic.Tile, optional
        A drawn tile with its truth.
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
    drawn: synthetic.Tile | None = field(default=None, repr=False)

    @property
    def head(self) -> int:
        """The head of its positive cells."""
        is_nuclear = self.folder in MARKED or (
            self.drawn is not None and self.drawn.settings.staining.nuclear
        )
        return NUCLEUS if is_nuclear else MEMBRANE

    @property
    def marker(self) -> str:
        """A marker whose profile has that head."""
        return "KI67" if self.head == NUCLEUS else "CD3"

    @property
    def n_true(self) -> int:
        """Positive cells, counted or marked."""
        return self.count if self.count is not None else len(self.points[self.head])

    @property
    def manners(self) -> set[synthetic.PigmentManner]:
        """How its pigment was drawn."""
        return set() if self.drawn is None else {one.manner for one in self.drawn.settings.pigment}


def on_answer(maps: StainMaps, xy_px: Floats) -> Floats:
    """Points of the image in pixels of the network's answer, which are twice the maps'."""
    start, step = np.array(maps.grid.start_xy_px), maps.grid.step_px
    return np.asarray((np.asarray(xy_px, float).reshape(-1, 2) + 0.5 - start) / (2 * step) - 0.5)


def all_tiles(data: Path, drawn_seeds: Iterable[int]) -> Iterator[Tile]:
    """Real tiles with a truth, then drawn ones."""
    yield from _counted(data)
    yield from _marked(data)
    for seed in drawn_seeds:
        yield _drawn(seed)


def _counted(data: Path) -> Iterator[Tile]:
    for folder, mpp_um in COUNTED.items():
        for row in pd.read_csv(data / folder / "counts.csv").to_dict("records"):
            seen = _seen(_read(data / folder / "images" / str(row["image"])), mpp_um, "CD3")
            yield Tile(
                name=str(row["image"]), folder=folder, slide=str(row["slide"]), points={},
                count=int(row["count"]), **seen,
            )  # fmt: skip


def _marked(data: Path) -> Iterator[Tile]:
    for folder, mpp_um in MARKED.items():
        for image, here in pd.read_csv(data / folder / "points.csv").groupby("image"):
            seen = _seen(_read(data / folder / "images" / str(image)), mpp_um, "KI67")
            is_positive = (here["class"] == "positive").to_numpy()
            xy = on_answer(seen["maps"], here[["x", "y"]].to_numpy(float))
            points = {NUCLEUS: xy[is_positive]}
            if folder == "bcdata_ki67":  # elsewhere many brown cells are unlabelled
                points[NEGATIVE] = xy[~is_positive]
            yield Tile(name=str(image), folder=folder, slide=str(image), points=points, **seen)


def _drawn(seed: int) -> Tile:
    drawn = synthetic.varied_tile(seed)
    nuclear = drawn.settings.staining.nuclear
    # As on a slide, where the glass is seen.
    seen = _seen(drawn.rgb, drawn.mpp_um, "KI67" if nuclear else "CD3", drawn.settings.optics.white_rgb)
    maps: StainMaps = seen["maps"]
    is_positive = (drawn.cells["class"] == "Positive").to_numpy()
    xy = on_answer(maps, drawn.cells[["x_px", "y_px"]].to_numpy(float))
    rows, columns = (size // 2 for size in maps.grid.shape_yx)
    size_px = (round(columns * 2 * maps.grid.step_px), round(rows * 2 * maps.grid.step_px))
    assert size_px == drawn.settings.size_xy_px, "drawn tiles fill whole pixels of the answer"
    share = cv2.resize(drawn.pigment_mask.astype(np.float32), (columns, rows), interpolation=cv2.INTER_AREA)
    return Tile(
        name=f"drawn {seed}", folder="drawn", slide=f"drawn {seed // 100}",
        points={NUCLEUS if nuclear else MEMBRANE: xy[is_positive], NEGATIVE: xy[~is_positive]},
        pigment=cv2.GaussianBlur(share, (0, 0), PIGMENT_SIGMA_PX) > PIGMENT_SHARE, drawn=drawn, **seen,
    )  # fmt: skip


def _seen(rgb: NDArray[np.uint8], mpp_um: float, marker: str, white: Rgb | None = None) -> dict[str, object]:
    stains = estimate_stains(rgb, mpp_um=mpp_um, white_rgb=white)
    maps = separate(rgb, mpp_um=mpp_um, stains=stains)
    level_od = load_profile(marker).held_level_od(stains.chromogen_level.od)
    return {"maps": maps, "stains": stains, "planes": stain_planes(maps, level_od).astype(np.float16)}


def _read(path: Path) -> NDArray[np.uint8]:
    return np.asarray(Image.open(path).convert("RGB"))


def cached(path: Path, tiles: Iterator[Tile]) -> list[Tile]:
    """Tiles from a file, or written to it."""
    if path.exists():
        return list(pickle.loads(path.read_bytes()))
    made = list(tiles)
    path.write_bytes(pickle.dumps(made))
    return made
