from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from ihcscore.synthetic.disk.sample_tiles import SAMPLES, SampleTables, tables
from ihcscore.synthetic.tile import Tile

FOLDER = Path(__file__).parents[2] / "sample_tiles"


@pytest.fixture(scope="module")
def tiles() -> list[Tile]:
    return [sample.draw() for sample in SAMPLES]


@pytest.fixture(scope="module")
def drawn(tiles: list[Tile]) -> SampleTables:
    return tables(tiles)


def test_committed_tiles_are_the_drawn_ones(tiles: list[Tile]) -> None:
    for sample, tile in zip(SAMPLES, tiles, strict=True):
        with Image.open(FOLDER / f"{sample.name}.png") as image:
            committed = np.asarray(image)
        # other processors round the last bit of a float differently
        assert np.abs(committed.astype(int) - tile.rgb.astype(int)).max() <= 1, sample.name


def test_committed_truth_is_the_drawn_one(drawn: SampleTables) -> None:
    truth = pd.read_csv(FOLDER / "truth.csv", keep_default_na=False)
    pd.testing.assert_frame_equal(truth, drawn.truth, check_dtype=False, atol=0.02)
    counts = pd.read_csv(FOLDER / "counts.csv")
    pd.testing.assert_frame_equal(counts, drawn.counts, check_dtype=False)


def test_counts_agree_with_truth() -> None:
    truth, counts = pd.read_csv(FOLDER / "truth.csv"), pd.read_csv(FOLDER / "counts.csv")
    per_image = pd.crosstab(truth["image"], truth["class"]).loc[counts["image"]]
    assert per_image["Positive"].tolist() == counts["n_positive"].tolist()
    assert per_image["Negative"].tolist() == counts["n_negative"].tolist()
    assert per_image["Pigment suspect"].tolist() == counts["n_pigment_suspect"].tolist()


def test_folder_is_small_and_complete() -> None:
    images = sorted(path.name for path in FOLDER.glob("*.png"))
    assert images == sorted(pd.read_csv(FOLDER / "counts.csv")["image"])
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 2_000_000
