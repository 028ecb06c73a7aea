"""Train the weights of ``models/counters/cells_*.toml``, cross-validated by slide.

usage: python models/train/train_cells.py DATA_DIR [--write]

DATA_DIR holds ``lysto_cd3cd8`` and ``lysto_dense`` (images/ and counts.csv with image, count, slide) and
``bcdata_ki67`` (images/ and points.csv with image, x, y, class).

membrane    people counted the cells of each tile but did not mark them, so the sum of the candidates'
            probabilities is fitted to the count (a pseudo-Huber loss, errors in units of √(count + 2));
            drawn tiles, whose cells are known one by one, say which candidate of a cell is the cell:
            counts alone would trade two candidates in one cell against a cell missed elsewhere
nucleus     people marked the nuclei: plain logistic regression on candidates matched within 6 µm
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image
from scipy.optimize import linear_sum_assignment, minimize
from scipy.spatial.distance import cdist

from ihcscore.cells.classical import detect_cells
from ihcscore.cells.classify import is_artefact, is_pigment, is_smear
from ihcscore.profiles import MarkerProfile, load_profile
from ihcscore.stain import estimate_stains
from ihcscore.synthetic import Clustering, Optics, Staining, TileSettings, draw_tile

MEMBRANE_FEATURES = [
    "covered_quarter",
    "covered_half",
    "covered_full",
    "contrast",
    "chromogen_contrast",
    "nucleus",
    "nucleus_contrast",
    "spacing_um",
]
NUCLEUS_FEATURES = ["covered_half", "nucleus"]
# F1 is largest where the probability is cut at half of the F1 that is reached (Lipton et al. 2014,
# doi 10.1007/978-3-662-44851-9_15): at 0.85 / 2.
NUCLEUS_CUT = 0.425
MATCH_UM = 6.0
# Penalty on the weights, steepness of the probabilities that are summed, weight of large counts: chosen on
# slides left out, where all lie on a plateau.
RIDGE = 1.0
STEEPNESS = 3.0
COUNT_POWER = 0.5
FOLDS = 11
# Drawn tiles: how many, within how far a candidate is the cell, and how much one candidate weighs.
N_DRAWN = 36
DRAWN_MATCH_UM = 4.0
DRAWN_WEIGHT = 0.1

Floats = NDArray[np.float64]
Fit = Callable[[Floats, NDArray[np.intp]], Floats]


@dataclass(frozen=True, kw_only=True)
class Tiles:
    """Candidates of many tiles; `tile` is the row of `truth` that a candidate lies on."""

    features: Floats
    tile: NDArray[np.intp]
    truth: pd.DataFrame
    is_cell: Floats


def read_tiles(folder: Path, profile: MarkerProfile, mpp_um: float, features: list[str]) -> Tiles:
    """Candidates of every image of a folder, without artefacts and pigment."""
    by_count = (folder / "counts.csv").exists()
    truth = pd.read_csv(folder / "counts.csv") if by_count else _images_of(folder)
    points = None if by_count else pd.read_csv(folder / "points.csv").query("`class` == 'positive'")
    found = []
    for row, image in enumerate(truth["image"]):
        rgb = np.asarray(Image.open(folder / "images" / image).convert("RGB"))
        stains = estimate_stains(rgb, mpp_um=mpp_um)
        candidates = detect_cells(rgb, mpp_um=mpp_um, profile=profile, stains=stains)
        candidates = candidates[~_left_out(candidates, profile)].assign(tile=row, is_cell=0.0)
        if points is not None:
            marked = points.loc[points["image"] == image, ["x", "y"]].to_numpy(float)
            candidates["is_cell"] = _matched(candidates, marked, MATCH_UM / mpp_um)
        found.append(candidates)
    table = pd.concat(found, ignore_index=True)
    return Tiles(
        features=table[features].to_numpy(float),
        tile=table["tile"].to_numpy(np.intp),
        truth=truth.assign(folder=folder.name),
        is_cell=table["is_cell"].to_numpy(float),
    )


def drawn_tiles(profile: MarkerProfile, features: list[str]) -> Tiles:
    """Drawn tiles of 128 µm with 0 to 60 positive cells, in stainings from pale to dark."""
    rng = np.random.default_rng(0)
    found, rows = [], []
    for row in range(N_DRAWN):
        staining = Staining(
            strength_mix=tuple(rng.dirichlet([2, 4, 3])),
            ring_fraction=float(rng.uniform(0.3, 0.8)),
            clustering=Clustering(fraction=float(rng.uniform(0.1, 0.6))),
            haze_od=float(rng.uniform(0.01, 0.06)),
        )
        settings = TileSettings(
            size_xy_px=(512, 512),
            n_positive=int(rng.choice([0, 3, 10, 25, 60])),
            n_lymphocytes=int(rng.integers(0, 25)),
            tumour_fraction=float(rng.choice([0.0, 0.5, 1.0])),
            staining=staining,
            optics=Optics(psf_um=float(rng.uniform(0.2, 0.5))),
        )
        drawn = draw_tile(settings, seed=1000 + row)
        # As on a slide, where the glass is seen.
        stains = estimate_stains(drawn.rgb, mpp_um=drawn.mpp_um, white_rgb=settings.optics.white_rgb)
        candidates = detect_cells(drawn.rgb, mpp_um=drawn.mpp_um, profile=profile, stains=stains)
        candidates = candidates[~_left_out(candidates, profile)].assign(tile=row)
        cells = drawn.cells.loc[drawn.cells["class"] == "Positive", ["x_px", "y_px"]].to_numpy(float)
        candidates["is_cell"] = _matched(candidates, cells, DRAWN_MATCH_UM / drawn.mpp_um)
        found.append(candidates)
        rows.append({"image": f"drawn {row}", "count": drawn.n_positive, "slide": f"drawn {row}"})
    table = pd.concat(found, ignore_index=True)
    return Tiles(
        features=table[features].to_numpy(float),
        tile=table["tile"].to_numpy(np.intp),
        truth=pd.DataFrame(rows).assign(folder="drawn"),
        is_cell=table["is_cell"].to_numpy(float),
    )


def _left_out(candidates: pd.DataFrame, profile: MarkerProfile) -> NDArray[np.bool_]:
    """Artefacts, pigment and what is not brown, which no weights can make positive."""
    return (
        is_artefact(candidates, profile)
        | is_pigment(candidates, profile)
        | is_smear(candidates, profile)
        | (candidates["chromogen_od"].to_numpy() < profile.chromogen_threshold_od)
    )


def _images_of(folder: Path) -> pd.DataFrame:
    """Images of a folder of points; each is its own slide."""
    names = sorted(path.name for path in (folder / "images").iterdir())
    points = pd.read_csv(folder / "points.csv").query("`class` == 'positive'")
    counts = points.groupby("image").size().reindex(names, fill_value=0)
    return pd.DataFrame({"image": names, "count": counts.to_numpy(), "slide": names})


def _matched(candidates: pd.DataFrame, marked: Floats, radius_px: float) -> Floats:
    """1 for candidates with a mark of their own within the radius."""
    hit = np.zeros(len(candidates))
    if len(candidates) and len(marked):
        cost = cdist(candidates[["x_px", "y_px"]].to_numpy(float), marked)
        cost[cost > radius_px] = 1e6
        rows, columns = linear_sum_assignment(cost)
        hit[rows[cost[rows, columns] < 1e6]] = 1.0
    return hit


def joined(first: Tiles, second: Tiles) -> Tiles:
    """Tiles of two folders."""
    return Tiles(
        features=np.concatenate([first.features, second.features]),
        tile=np.concatenate([first.tile, second.tile + len(first.truth)]),
        truth=pd.concat([first.truth, second.truth], ignore_index=True),
        is_cell=np.concatenate([first.is_cell, second.is_cell]),
    )


def fit_counts(tiles: Tiles, features: Floats, used: NDArray[np.intp]) -> Floats:
    """Weights and bias: sums of probabilities close to people's counts, drawn cells told apart.

    Tiles are those used; of drawn ones each candidate is known, of the others only the count.
    """
    drawn = tiles.truth["folder"].to_numpy() == "drawn"
    known = np.isin(tiles.tile, used[drawn[used]])
    counted = used[~drawn[used]]
    row_of = np.full(len(tiles.truth), -1)
    row_of[counted] = np.arange(len(counted))
    rows = row_of[tiles.tile]
    design, drawn_design = _design(features[rows >= 0]), _design(features[known])
    rows, is_cell = rows[rows >= 0], tiles.is_cell[known]
    count = tiles.truth["count"].to_numpy(float)[counted]
    scale = (count + 2.0) ** -COUNT_POWER

    def loss(weights: Floats) -> tuple[float, Floats]:
        probability = _logistic(STEEPNESS * (design @ weights))
        error = scale * (np.bincount(rows, probability, len(count)) - count)
        huber = np.sqrt(1 + error**2)
        slope = (error / huber * scale)[rows] * probability * (1 - probability) * STEEPNESS
        value, gradient = _log_loss(weights, drawn_design, is_cell)
        penalty = np.append(weights[:-1], 0.0)
        return (
            float((huber - 1).sum() + DRAWN_WEIGHT * value + RIDGE * (penalty**2).sum()),
            design.T @ slope + DRAWN_WEIGHT * gradient + 2 * RIDGE * penalty,
        )

    return np.asarray(minimize(loss, np.zeros(design.shape[1]), jac=True, method="L-BFGS-B").x)


def _log_loss(weights: Floats, design: Floats, target: Floats) -> tuple[float, Floats]:
    """Negative log likelihood of a logistic regression, and its gradient."""
    log_odds = design @ weights
    value = (np.logaddexp(0, log_odds) - target * log_odds).sum()
    return float(value), np.asarray(design.T @ (_logistic(log_odds) - target))


def fit_points(tiles: Tiles, features: Floats, used: NDArray[np.intp]) -> Floats:
    """Logistic regression on the candidates of the used tiles."""
    inside = np.isin(tiles.tile, used)
    design, target = _design(features[inside]), tiles.is_cell[inside]

    def loss(weights: Floats) -> tuple[float, Floats]:
        value, gradient = _log_loss(weights, design, target)
        penalty = np.append(weights[:-1], 0.0)
        return value + RIDGE * float((penalty**2).sum()), gradient + 2 * RIDGE * penalty

    weights = np.asarray(minimize(loss, np.zeros(design.shape[1]), jac=True, method="L-BFGS-B").x)
    weights[-1] -= np.log(NUCLEUS_CUT / (1 - NUCLEUS_CUT))
    return weights


def _design(features: Floats) -> Floats:
    return np.column_stack([features, np.ones(len(features))])


def _logistic(log_odds: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(log_odds, -30, 30))))


def standardised(tiles: Tiles) -> tuple[Floats, Floats, Floats]:
    """Features with mean 0 and standard deviation 1, the means and the deviations."""
    mean, deviation = tiles.features.mean(axis=0), tiles.features.std(axis=0)
    return (tiles.features - mean) / deviation, mean, deviation


def predicted_counts(tiles: Tiles, features: Floats, weights: Floats) -> Floats:
    """Candidates of each tile whose log odds are above 0."""
    positive = (_design(features) @ weights > 0).astype(float)
    return np.bincount(tiles.tile, positive, len(tiles.truth))


def cross_validated(tiles: Tiles, features: Floats, fit: Fit, seed: int = 0) -> Floats:
    """Counts of every tile by weights that were fitted without its slide."""
    slides = np.random.default_rng(seed).permutation(sorted(set(tiles.truth["slide"])))
    fold_of = {slide: index % FOLDS for index, slide in enumerate(slides)}
    fold = tiles.truth["slide"].map(fold_of).to_numpy()
    counts = np.zeros(len(tiles.truth))
    for index in range(FOLDS):
        weights = fit(features, np.flatnonzero(fold != index))
        counts[fold == index] = predicted_counts(tiles, features, weights)[fold == index]
    return counts


def report(name: str, tiles: Tiles, counts: Floats) -> None:
    """Print mean absolute error and found over true of each folder."""
    true = tiles.truth["count"].to_numpy(float)
    for folder in tiles.truth["folder"].unique():
        inside = (tiles.truth["folder"] == folder).to_numpy()
        error = np.abs(counts - true)[inside]
        ratio = counts[inside].sum() / true[inside].sum()
        relative = (error / true[inside].clip(1))[true[inside] >= 10].mean()
        print(f"{name:16} {folder:14} MAE {error.mean():.3f}  found/true {ratio:.3f}  from 10 {relative:.3f}")


def write_weights(path: Path, features: list[str], weights: Floats, trained_on: str) -> None:
    """Write weights and their manifest."""
    lines = ["# Log odds of being a positive cell; written by models/train/train_cells.py."]
    lines += [f"bias = {weights[-1]:.6g}", "", "[weights]"]
    lines += [f"{name} = {weight:.6g}" for name, weight in zip(features, weights[:-1], strict=True)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    manifest = path.parent / "manifest.toml"
    entry = [
        f"[{path.stem}]",
        f'sha256 = "{sha256(path.read_bytes()).hexdigest()}"',
        f'trained_on = "{trained_on}"',
        'trained_by = "models/train/train_cells.py"',
        'licence = "BSD-3-Clause (weights; the tiles are not part of this project)"',
        "working_mpp_um = 0.5",
    ]
    old = manifest.read_text(encoding="utf-8") if manifest.exists() else ""
    blocks = [block for block in old.split("\n\n") if block.strip() and f"[{path.stem}]" not in block]
    manifest.write_text(
        "\n\n".join([*(b.strip() for b in blocks), "\n".join(entry)]) + "\n", encoding="utf-8"
    )


def train(tiles: Tiles, fit: Callable[[Tiles, Floats, NDArray[np.intp]], Floats], name: str) -> Floats:
    """Weights in the features' own units; prints how well they do, fitted and left out."""
    features, mean, deviation = standardised(tiles)

    def bound(values: Floats, used: NDArray[np.intp]) -> Floats:
        return fit(tiles, values, used)

    weights = bound(features, np.arange(len(tiles.truth)))
    report(f"{name} fitted", tiles, predicted_counts(tiles, features, weights))
    for seed in range(3):
        report(f"{name} left out", tiles, cross_validated(tiles, features, bound, seed))
    slopes = weights[:-1] / deviation
    return np.append(slopes, weights[-1] - slopes @ mean)


def main() -> None:
    """Train both compartments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--write", action="store_true", help="write the weights to models/counters")
    args = parser.parse_args()
    counters = Path(__file__).resolve().parent.parent / "counters"
    membrane = joined(
        read_tiles(args.data / "lysto_cd3cd8", load_profile("CD3"), 0.24, MEMBRANE_FEATURES),
        read_tiles(args.data / "lysto_dense", load_profile("CD3"), 0.25, MEMBRANE_FEATURES),
    )
    membrane = joined(membrane, drawn_tiles(load_profile("CD3"), MEMBRANE_FEATURES))
    nucleus = read_tiles(args.data / "bcdata_ki67", load_profile("KI67"), 0.25, NUCLEUS_FEATURES)
    membrane_weights = train(membrane, fit_counts, "membrane")
    nucleus_weights = train(nucleus, fit_points, "nucleus")
    if args.write:
        lysto = "233 CD3 and CD8 tiles of 22 slides of the LYSTO challenge, counts per tile; 36 drawn tiles"
        write_weights(counters / "cells_membrane.toml", MEMBRANE_FEATURES, membrane_weights, lysto)
        bcdata = "13 Ki-67 tiles of BCData, centres of positive tumour nuclei"
        write_weights(counters / "cells_nucleus.toml", NUCLEUS_FEATURES, nucleus_weights, bcdata)


if __name__ == "__main__":
    main()
