"""Train the network that finds cells: without each fourth of the slides, without each two, and on all.

What is chosen (how long to train, where to cut, rules) is chosen for a fourth of the slides by networks that
saw neither it nor the slides they are asked about: judge_network.py does that, and writes the last network.
"""

from __future__ import annotations

import argparse
import os
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import combinations, product
from pathlib import Path

import cv2
import numpy as np
import torch
from fit import PLANS, train
from tiles import Tile, all_tiles, cached

from ihcscore.synthetic import PigmentManner

FOLDS = 4
# Drawn tiles: to train with, to choose by, to judge by; those of other hundreds have cells of other shapes.
TRAINED, CHOSEN, JUDGED = range(600), range(600, 700), range(700, 800)


def fold_of(tiles: list[Tile]) -> dict[str, int]:
    """A fold for each slide of real tiles: counted ones and marked ones are each dealt out by themselves."""
    folds: dict[str, int] = {}
    for seed, some in enumerate(
        ([t for t in tiles if t.count is not None], [t for t in tiles if t.count is None])
    ):
        slides = np.random.default_rng(seed).permutation(sorted({t.slide for t in some if t.drawn is None}))
        folds |= {str(slide): k % FOLDS for k, slide in enumerate(slides)}
    return folds


def unseen_manners(fold: int) -> set[PigmentManner]:
    """Manners of drawing pigment that networks without a fold's slides don't see, either."""
    manners = list(PigmentManner)
    return set(manners[fold::FOLDS])


def trainings() -> list[tuple[int, ...]]:
    """Folds that each training leaves out."""
    return [(), *((k,) for k in range(FOLDS)), *combinations(range(FOLDS), 2)]


def named(plan: str, left_out: tuple[int, ...]) -> str:
    """File of the weights of a training."""
    return f"{plan}_without_{'_'.join(map(str, left_out)) or 'none'}.pt"


def train_without(job: tuple[str, tuple[int, ...]], work: Path, data: Path) -> str:
    """One training, unless its weights are there already."""
    plan, left_out = job
    file = work / named(plan, left_out)
    if file.exists():
        return f"{file.name} is there"
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    tiles = cached(work / "tiles.pkl", all_tiles(data, range(JUDGED.stop)))
    folds = fold_of(tiles)
    unseen = set().union(*(unseen_manners(fold) for fold in left_out))
    seen = [t for t in tiles if t.drawn is None and folds[t.slide] not in left_out]
    drawn = [t for t in tiles if t.drawn is not None and int(t.name.split()[1]) in TRAINED]
    seen += [t for t in drawn if not t.manners & unseen]
    with file.with_suffix(".log").open("w", buffering=1) as log:
        network = train(seen, PLANS[plan], say=lambda line: print(line, file=log))
    torch.save(network.state_dict(), file)
    return f"{file.name} trained on {len(seen)} tiles"


def main() -> None:
    """Train all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("data", type=Path, help="../shared/data")
    parser.add_argument(
        "work", type=Path, help="folder for tiles and weights; what is there is not made again"
    )
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, help="trainings at once, one core each"
    )
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    cached(args.work / "tiles.pkl", all_tiles(args.data, range(JUDGED.stop)))
    with ProcessPoolExecutor(args.jobs) as pool:
        for line in pool.map(
            partial(train_without, work=args.work, data=args.data), product(PLANS, trainings())
        ):
            print(line, flush=True)


if __name__ == "__main__":
    main()
