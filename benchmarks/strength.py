"""Precision and recall by staining strength, on drawn tiles of markers that no real tiles exist of.

usage: python benchmarks/strength.py [--finder classical] [--tiles 12]

CD4: weak haze in the wide cytoplasm of macrophages beside the lymphocytes. CD25: few cells, most of them weak
thin rings. Seeds lie beyond those that the network was trained with.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import pandas as pd
from failures import matched

from ihcscore import count_cells, synthetic
from ihcscore.profiles import MarkerProfile, load_profile
from ihcscore.schema.names import FinderName

FIRST_SEED = 5000

MARKERS = {
    "CD4": synthetic.TileSettings(
        size_xy_px=(640, 640), n_positive=30, n_lymphocytes=20,
        confusers=synthetic.Confusers(macrophages=synthetic.Macrophages(n=14)),
    ),
    "CD25": synthetic.TileSettings(
        size_xy_px=(640, 640), n_positive=6, n_lymphocytes=30,
        staining=synthetic.Staining(strength_mix=(0.6, 0.3, 0.1), ring_fraction=0.9),
        confusers=synthetic.Confusers(pale_rings=synthetic.PaleRings(n=6)),
    ),
}  # fmt: skip


def judged(profile: MarkerProfile, settings: synthetic.TileSettings, tiles: int) -> pd.DataFrame:
    """True cells by strength: how many there are and how many were found; found ones that are none."""
    rows = []
    for seed in range(FIRST_SEED, FIRST_SEED + tiles):
        tile = synthetic.draw_tile(settings, seed=seed)
        cells = count_cells(tile.rgb, mpp_um=tile.mpp_um, profile=profile)
        found = cells.loc[cells["class"] == "Positive", ["x_px", "y_px"]].to_numpy(float)
        true = tile.cells[tile.cells["class"] == "Positive"]
        mine, hit = matched(found, true[["x_px", "y_px"]].to_numpy(float))
        rows += [(strength, 1, int(one), 0) for strength, one in zip(true["strength"], hit, strict=True)]
        rows += [("none", 0, 0, int((~mine).sum()))]
    table = pd.DataFrame(rows, columns=["strength", "true", "found", "wrong"])
    return table.groupby("strength").sum()


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--finder", choices=list(FinderName), default=FinderName.NETWORK)
    parser.add_argument("--tiles", type=int, default=12)
    args = parser.parse_args()
    for marker, settings in MARKERS.items():
        profile = replace(load_profile(marker), finder=FinderName(args.finder))
        table = judged(profile, settings, args.tiles)
        total = table.sum()
        precision = total["found"] / max(total["found"] + total["wrong"], 1)
        print(f"{marker}: precision {precision:.3f}, recall {total['found'] / total['true']:.3f}")
        for strength, row in table[table["true"] > 0].iterrows():
            print(f"  {strength!s:8} {row['true']:4d} true, recall {row['found'] / row['true']:.3f}")


if __name__ == "__main__":
    main()
