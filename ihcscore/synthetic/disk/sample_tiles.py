"""Draw the committed sample tiles and their truth: ``python -m ihcscore.synthetic.sample_tiles FOLDER``."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import imagecodecs
import numpy as np

from ihcscore.schema import CellClass
from ihcscore.synthetic.draw.layout import Clustering
from ihcscore.synthetic.draw.optics import Optics
from ihcscore.synthetic.draw.scene import Staining
from ihcscore.synthetic.tile import Tile, TileSettings, draw_tile

if TYPE_CHECKING:
    import pandas as pd

_SIZE_XY_PX = (400, 400)
_QUIET = Optics(noise_grey=0.8)  # little noise keeps the PNG files small


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One of the sample tiles.

    Attributes
    ----------
    name : str
        Stem of the file name.
    marker : str
        Marker that the tile stands for.
    seed : int
        Seed of the drawing.
    settings : TileSettings
        What is on it.
    shows : str
        What it is for, in a few words.
    """

    name: str
    marker: str
    seed: int
    settings: TileSettings
    shows: str

    def draw(self) -> Tile:
        """The tile."""
        return draw_tile(self.settings, self.seed)


def _settings(
    n_positive: int,
    *,
    staining: Staining | None = None,
    optics: Optics = _QUIET,
    n_melanophages: int = 0,
    pigmented_fraction: float = 0.0,
    tumour_fraction: float = 0.6,
) -> TileSettings:
    return TileSettings(
        size_xy_px=_SIZE_XY_PX,
        n_positive=n_positive,
        n_melanophages=n_melanophages,
        pigmented_fraction=pigmented_fraction,
        tumour_fraction=tumour_fraction,
        staining=staining or Staining(),
        optics=optics,
    )


_WEAK = Staining(strength_mix=(0.8, 0.2, 0.0), ring_fraction=0.8, clustering=Clustering(fraction=0.0))
_RINGS = Staining(ring_fraction=1.0, clustering=Clustering(fraction=0.0))
_DENSE = Staining(clustering=Clustering(fraction=0.9, cells=(9, 18)))
_HAZY = Staining(strength_mix=(0.3, 0.5, 0.2), haze_od=0.13)
_NUCLEAR = Staining(nuclear=True, clustering=Clustering(fraction=0.0))

SAMPLES = (
    Sample(name="cd8_sparse_rings", marker="CD8", seed=11, settings=_settings(8, staining=_RINGS),
           shows="few cells, all of them rings"),
    Sample(name="cd25_weak", marker="CD25", seed=12, settings=_settings(5, staining=_WEAK),
           shows="sparse, mostly weak cells"),
    Sample(name="cd3_dense_cluster", marker="CD3", seed=13, settings=_settings(42, staining=_DENSE),
           shows="aggregates of touching cells"),
    Sample(name="cd4_haze", marker="CD4", seed=14, settings=_settings(11, staining=_HAZY),
           shows="brown haze over all of the tissue"),
    Sample(name="cd3_blurred", marker="CD3", seed=15,
           settings=_settings(14, optics=Optics(noise_grey=0.8, psf_um=0.7)),
           shows="out of focus"),
    Sample(name="cd8_empty", marker="CD8", seed=16, settings=_settings(0, tumour_fraction=0.3),
           shows="no positive cell"),
    Sample(name="cd8_pigment_only", marker="CD8", seed=17,
           settings=_settings(0, n_melanophages=6, pigmented_fraction=0.25),
           shows="melanin, no positive cell"),
    Sample(name="cd8_pigment_and_cells", marker="CD8", seed=18,
           settings=_settings(12, n_melanophages=4, pigmented_fraction=0.1),
           shows="melanin among positive cells"),
    Sample(name="ki67_nuclear", marker="KI67", seed=19,
           settings=_settings(16, staining=_NUCLEAR, tumour_fraction=1.0),
           shows="brown nuclei of tumour cells"),
)  # fmt: skip


@dataclass(kw_only=True)
class SampleTables:
    """Truth of all sample tiles.

    Attributes
    ----------
    truth : DataFrame
        ``image, x_px, y_px, class, kind, strength, diameter_um``, a row a cell or clump of pigment.
    counts : DataFrame
        ``image, marker, mpp_um, n_positive, n_negative, n_pigment_suspect, seed, shows``, a row a tile.
    """

    truth: pd.DataFrame = field()
    counts: pd.DataFrame = field()


def tables(tiles: list[Tile]) -> SampleTables:
    """Truth of the drawn tiles, in the order of `SAMPLES`."""
    import pandas as pd

    truth, counts = [], []
    for sample, tile in zip(SAMPLES, tiles, strict=True):
        image = f"{sample.name}.png"
        things = pd.concat([tile.cells, tile.pigment.assign(strength="")], ignore_index=True)
        things.insert(0, "image", image)
        truth.append(things)
        per_class = tile.cells["class"].value_counts()
        counts.append(
            {
                "image": image,
                "marker": sample.marker,
                "mpp_um": tile.mpp_um,
                "n_positive": int(per_class.get(str(CellClass.POSITIVE), 0)),
                "n_negative": int(per_class.get(str(CellClass.NEGATIVE), 0)),
                "n_pigment_suspect": len(tile.pigment),
                "seed": sample.seed,
                "shows": sample.shows,
            }
        )
    return SampleTables(truth=pd.concat(truth, ignore_index=True), counts=pd.DataFrame(counts))


def write(folder: Path) -> None:
    """Write all sample tiles (PNG) and ``truth.csv`` and ``counts.csv`` into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    tiles = [sample.draw() for sample in SAMPLES]
    for sample, tile in zip(SAMPLES, tiles, strict=True):
        png = imagecodecs.png_encode(np.ascontiguousarray(tile.rgb), level=9)
        (folder / f"{sample.name}.png").write_bytes(png)
    drawn = tables(tiles)
    drawn.truth.to_csv(folder / "truth.csv", index=False, lineterminator="\n")
    drawn.counts.to_csv(folder / "counts.csv", index=False, lineterminator="\n")


if __name__ == "__main__":
    write(Path(sys.argv[1] if len(sys.argv) > 1 else "sample_tiles"))
