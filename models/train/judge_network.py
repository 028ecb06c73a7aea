"""Choose cuts and rules for each fourth of the slides by the others, judge there, write the last network.

Prints the figures of docs/counting.md. Every run is a look at the outer folds: count them there.
"""

from __future__ import annotations

import argparse
import itertools
import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import torch
from fit import PLANS, answer
from network import Network, Pair, onnx_bytes
from scipy.optimize import linear_sum_assignment, minimize, nnls
from scipy.spatial.distance import cdist
from tiles import COUNTED, Floats, Tile, all_tiles, cached, on_answer
from train_network import CHOSEN, FOLDS, JUDGED, fold_of, named, unseen_manners

from ihcscore.cells.finder import Found
from ihcscore.cells.network import (
    EDGE_PX,
    HEADS,
    RULES,
    candidates_in,
    found_in,
    pigment_of,
    positive_probability,
    without_edge,
)
from ihcscore.planes import Plane
from ihcscore.profiles import load_profile
from ihcscore.weights import NetworkModel

Answer = Mapping[str, Plane]
# Candidates to choose cuts among; peaks that are lower are never cells.
LEAST = 0.03
CUTS = np.round(np.arange(0.06, 0.56, 0.02), 2)
PIGMENT_CUTS = np.round(np.arange(0.1, 0.75, 0.05), 2)
NEGATIVE_CUTS = np.round(np.arange(0.08, 0.5, 0.04), 2)
# Cells count as found within: tumour nuclei of people's marks, and drawn cells whose middle is known.
MARKED_UM, DRAWN_UM = 6.0, 4.0
# What of clumps, and of true positive cells on their tiles, is given as a share.
SHARES = (("called", "clumps"), ("held", "clumps"), ("lost", "true"))


@dataclass(kw_only=True)
class Candidates:
    """Peaks of a tile's own head: where they lie, shape (n, 2), and what decides on them, shape (n,)."""

    xy: Floats
    height: Floats
    pigment: Floats
    broken: dict[str, np.ndarray]

    def kept(self, cut: float, rules: Sequence[str], pigment: float) -> np.ndarray:
        """Which are positive."""
        keep = (self.height > cut) & (self.pigment <= pigment)
        for name in rules:
            keep &= ~self.broken[name]
        return keep


@dataclass(kw_only=True)
class Seen:
    """A tile as networks that hadn't seen its slide answered."""

    tile: Tile
    answer: Answer = field(repr=False)
    candidates: Candidates = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What is chosen on slides left out."""

    cuts: dict[str, float]
    rules: tuple[str, ...]
    calibration: dict[str, tuple[float, float]]

    def model(self, onnx: bytes = b"") -> NetworkModel:
        """With weights, as the finder takes it."""
        return NetworkModel(
            name="network.onnx", sha256=sha256(onnx).hexdigest(), onnx=onnx, cuts=self.cuts, rules=self.rules,
            calibration=self.calibration,
        )  # fmt: skip


class Networks:
    """The trained networks and what they answer."""

    def __init__(self, work: Path) -> None:
        self.work = work

    def load(self, left_out: tuple[int, ...]) -> Pair:
        """Both networks by the folds that they did not see."""
        both = {}
        for plan in PLANS:
            both[plan] = Network()
            both[plan].load_state_dict(torch.load(self.work / named(plan, left_out)))
        return Pair(**both).eval()

    def seen(self, tiles: Iterable[Tile], left_out: tuple[int, ...]) -> list[Seen]:
        """Tiles with the answers of the networks that did not see some folds."""
        network = self.load(left_out)
        result = []
        for tile in tiles:
            heads = _answer(network, tile)
            result.append(Seen(tile=tile, answer=heads, candidates=_candidates(heads, tile)))
        return result


def _answer(network: Pair, tile: Tile) -> dict[str, Plane]:
    heads = 1 / (1 + np.exp(-answer(network, tile.planes.astype(np.float32), EDGE_PX)))
    return dict(zip(HEADS, heads.astype(np.float32), strict=True))


def _candidates(heads: Answer, tile: Tile) -> Candidates:
    """Peaks of the tile's own head, whatever their height."""
    profile = load_profile(tile.marker)
    cuts = {profile.compartment: LEAST, "pigment": 2.0, "negative": 2.0}
    found = candidates_in(dict(heads), tile.maps, tile.stains, profile=profile, cuts=cuts)
    found = found[found["chromogen_od"] >= profile.chromogen_threshold_od]
    return Candidates(
        xy=on_answer(tile.maps, found[["x_px", "y_px"]].to_numpy(float)),
        height=found["height"].to_numpy(float),
        pigment=found["pigment"].to_numpy(float),
        broken={name: rule(found, profile) for name, rule in RULES.items()},
    )


def pairs(found: Floats, true: Floats, reach: float) -> tuple[np.ndarray, np.ndarray]:
    """Indices of one-to-one pairs no farther apart than that."""
    if len(found) == 0 or len(true) == 0:
        return np.zeros(0, int), np.zeros(0, int)
    cost = cdist(found, true)
    cost = np.where(cost <= reach, cost, 1e6)
    rows, columns = linear_sum_assignment(cost)
    near = cost[rows, columns] < 1e6
    return rows[near], columns[near]


def reach_um(tile: Tile) -> float:
    """How near a found cell must be."""
    return MARKED_UM if tile.drawn is None else DRAWN_UM


def kept_of(one: Seen, cut: float, rules: Sequence[str], pigment: float) -> Floats:
    """Places of positive cells, shape (n, 2)."""
    found = one.candidates
    return found.xy[found.kept(cut, rules, pigment)]


def counts_of(some: Sequence[Seen], cut: float, rules: Sequence[str], pigment: float) -> Floats:
    """Positive cells of each tile."""
    return np.array([one.candidates.kept(cut, rules, pigment).sum() for one in some], float)


def f1(some: Sequence[tuple[Floats, Tile]]) -> float:
    """F1 of positive cells."""
    hits = sum(len(pairs(at, tile.points[tile.head], reach_um(tile))[0]) for at, tile in some)
    total = sum(len(at) + len(tile.points[tile.head]) for at, tile in some)
    return 2 * hits / max(total, 1)


def count_error(found: Floats, true: Floats) -> float:
    """What cuts are chosen by: mean error in units of its spread, and the total's."""
    relative = np.abs(found - true) / np.sqrt(true + 1.5)
    return float(relative.mean() + abs(np.log((found.sum() + 1) / (true.sum() + 1))))


def choose(seen: Sequence[Seen]) -> Choice:
    """The best cuts and rules on tiles whose slides their networks hadn't seen."""
    counted = [one for one in seen if one.tile.count is not None]
    pointed = [one for one in seen if one.tile.count is None and one.tile.head == 1]
    pigment = _pigment_cut([one for one in seen if one.tile.drawn is not None])
    true = np.array([one.tile.n_true for one in counted], float)
    nucleus, _ = _best_cut([(cut, 1 - _mean_f1(pointed, cut, (), pigment)) for cut in CUTS])
    best: tuple[float, float, tuple[str, ...]] = (np.inf, 0.0, ())
    for rules in (some for n in range(len(RULES) + 1) for some in itertools.combinations(RULES, n)):
        membrane, error = _best_cut(
            [(cut, count_error(counts_of(counted, cut, rules, pigment), true)) for cut in CUTS]
        )
        # A rule that buys nothing is left out.
        best = min(best, (error + 0.002 * len(rules), membrane, rules))
    _, membrane, rules = best
    return Choice(
        cuts={"membrane": membrane, "nucleus": nucleus, "pigment": pigment, "negative": _negative_cut(seen)},
        rules=rules,
        calibration={
            "membrane": _calibrated([o for o in seen if o.tile.head == 0]),
            "nucleus": _calibrated([o for o in seen if o.tile.head == 1]),
        },
    )


def _best_cut(errors: list[tuple[float, float]]) -> tuple[float, float]:
    """The cut with the least error, means of three neighbours: single cuts are noisy."""
    values = np.array([error for _, error in errors])
    smooth = np.convolve(np.pad(values, 1, mode="edge"), np.ones(3) / 3, "valid")
    k = int(np.argmin(smooth))
    return float(errors[k][0]), float(smooth[k])


def _mean_f1(pointed: Sequence[Seen], cut: float, rules: Sequence[str], pigment: float) -> float:
    """Mean over the folders, so that the many drawn tiles don't outvote the real ones."""
    folders = sorted({one.tile.folder for one in pointed})
    parts = [
        [(kept_of(o, cut, rules, pigment), o.tile) for o in pointed if o.tile.folder == f] for f in folders
    ]
    return float(np.mean([f1(part) for part in parts]))


def _pigment_cut(drawn: Sequence[Seen]) -> float:
    """Where the fewest clumps are called positive or missed and the fewest cells lost (thrice as bad)."""

    def error(cut: float) -> float:
        called = held = clumps = lost = true = 0
        for one in drawn:
            pigment = without_edge(pigment_of(dict(one.answer))) > cut
            figures = clump_figures(one.tile, kept_of(one, 0.2, (), cut), pigment)
            all_cells = kept_of(one, 0.2, (), 2.0)
            called, held, clumps = called + figures[0], held + figures[1], clumps + figures[2]
            lost += _n_true(one.tile, all_cells) - _n_true(one.tile, kept_of(one, 0.2, (), cut))
            true += one.tile.n_true
        return called / max(clumps, 1) + (clumps - held) / max(clumps, 1) + 3 * lost / max(true, 1)

    return _best_cut([(cut, error(cut)) for cut in PIGMENT_CUTS])[0]


def _n_true(tile: Tile, at: Floats) -> int:
    return len(pairs(at, tile.points[tile.head], reach_um(tile))[0])


def clump_figures(tile: Tile, positive: Floats, pigment: np.ndarray) -> tuple[int, int, int]:
    """Clumps of a drawn tile that are called positive, those that hold a suspect, and all of them."""
    assert tile.drawn is not None
    clumps = tile.drawn.clumps
    middle = on_answer(tile.maps, clumps[["x_px", "y_px"]].to_numpy(float))
    radius = clumps["radius_um"].to_numpy(float)
    wrong = np.delete(positive, pairs(positive, tile.points[tile.head], reach_um(tile))[0], axis=0)
    suspects = np.argwhere(pigment)[:, ::-1].astype(float)
    return _near(middle, radius + 1, wrong), _near(middle, radius + 2, suspects), len(middle)


def _negative_cut(seen: Sequence[Seen]) -> float:
    """The best F1 of negative nuclei where people or the drawing know them."""
    known = [one for one in seen if 2 in one.tile.points]
    tops = []
    for one in known:
        profile = load_profile(one.tile.marker)
        cuts = {profile.compartment: 2.0, "pigment": 2.0, "negative": float(NEGATIVE_CUTS[0])}
        tops.append(
            candidates_in(dict(one.answer), one.tile.maps, one.tile.stains, profile=profile, cuts=cuts)
        )

    def error(cut: float) -> float:
        hits = total = 0
        for one, found in zip(known, tops, strict=True):
            points = on_answer(one.tile.maps, found.loc[found["height"] > cut, ["x_px", "y_px"]].to_numpy())
            hits += len(pairs(points, one.tile.points[2], reach_um(one.tile))[0])
            total += len(points) + len(one.tile.points[2])
        return 1 - 2 * hits / max(total, 1)

    return _best_cut([(cut, error(cut)) for cut in NEGATIVE_CUTS])[0]


def _calibrated(seen: Sequence[Seen]) -> tuple[float, float]:
    """Intercept and slope: cells that are known told apart, sums of counted tiles met."""
    heights, labels, counted = [], [], []
    for one in seen:
        found = one.candidates
        log_odds = _log_odds(found.height)
        if one.tile.count is not None:
            counted.append((log_odds, one.tile.count))
            continue
        hit = np.zeros(len(found.xy))
        hit[pairs(found.xy, one.tile.points[one.tile.head], reach_um(one.tile))[0]] = 1
        heights.append(log_odds), labels.append(hit)
    known, label = np.concatenate(heights), np.concatenate(labels)

    def loss(line: Floats) -> float:
        value = line[0] + line[1] * known
        total = float((np.logaddexp(0, value) - label * value).mean())
        if counted:
            errors = [(1 / (1 + np.exp(-line[0] - line[1] * x))).sum() - n for x, n in counted]
            scale = np.sqrt([n + 1.5 for _, n in counted])
            total += float((np.sqrt(1 + (np.array(errors) / scale) ** 2) - 1).mean())
        return total

    intercept, slope = minimize(loss, np.array([0.0, 1.0]), method="Nelder-Mead").x
    return float(intercept), float(slope)


def _log_odds(height: Floats) -> Floats:
    height = np.clip(height, 1e-4, 1 - 1e-4)
    return np.log(height / (1 - height))


def found_by(one: Seen, choice: Choice) -> Found:
    """What the finder makes of a tile's answer."""
    tile = one.tile
    profile, model = load_profile(tile.marker), choice.model()
    return found_in(dict(one.answer), tile.maps, tile.stains, profile=profile, model=model)


def figures(seen: Sequence[tuple[Seen, Choice]], show: bool = True) -> pd.DataFrame:
    """One row a folder, as the bars are."""
    tables: dict[str, list[tuple[Floats, Tile]]] = {}
    for one, choice in seen:
        cells = found_by(one, choice).cells
        cells = cells[cells["class"] == "Positive"]
        at = on_answer(one.tile.maps, cells[["x_px", "y_px"]].to_numpy(float))
        folder = (
            one.tile.folder
            if one.tile.drawn is None
            else f"drawn {'nuclear' if one.tile.head else 'membrane'}"
        )
        tables.setdefault(folder, []).append((at, one.tile))
    rows = []
    for folder, some in sorted(tables.items()):
        true = np.array([tile.n_true for _, tile in some], float)
        found = np.array([len(at) for at, _ in some], float)
        row = {
            "folder": folder,
            "tiles": len(some),
            "true": true.sum(),
            "found/true": found.sum() / true.sum(),
        }
        if folder in COUNTED:
            few, many = true <= 2, true >= 10
            row |= {
                "kappa": _kappa(true, found), "error": np.abs(found - true).mean(),
                "0-2": (np.abs(found - true)[few] <= 1).mean() if few.any() else np.nan,
                "10+": (np.abs(found - true) / true.clip(1))[many].mean() if many.any() else np.nan,
            }  # fmt: skip
        else:
            row |= {"F1": f1(some)}
        rows.append(row)
    return pd.DataFrame(rows)


def _kappa(true: Floats, found: Floats) -> float:
    edges = (1, 2, 6, 11, 21, 51)
    a, b = np.digitize(true, edges), np.digitize(found, edges)
    seen = np.zeros((7, 7))
    np.add.at(seen, (a, b), 1)
    weight = np.subtract.outer(np.arange(7), np.arange(7)) ** 2
    expected = np.outer(seen.sum(1), seen.sum(0)) / seen.sum()
    return float(1 - (weight * seen).sum() / max((weight * expected).sum(), 1e-12))


def melanin(seen: Sequence[tuple[Seen, Choice]], manners: Iterable[str]) -> pd.DataFrame:
    """Clumps of some manners: called positive, holding a suspect; true positives lost."""
    rows = {str(manner): np.zeros(5) for manner in manners}
    for one, choice in seen:
        drawn = one.tile.drawn
        if drawn is None:
            continue
        cells = found_by(one, choice).cells
        at = on_answer(one.tile.maps, cells[["x_px", "y_px"]].to_numpy(float))
        positive, suspect = (
            at[(cells["class"] == name).to_numpy()] for name in ("Positive", "Pigment suspect")
        )
        true = one.tile.points[one.tile.head]
        mine, hits = pairs(positive, true, DRAWN_UM)
        wrong = np.delete(positive, mine, axis=0)
        lost = set(pairs(suspect, np.delete(true, hits, axis=0), DRAWN_UM)[1].tolist())
        for manner in one.tile.manners & set(rows):
            some = drawn.clumps["manner"].to_numpy() == manner
            middle = on_answer(one.tile.maps, drawn.clumps.loc[some, ["x_px", "y_px"]].to_numpy(float))
            radius = drawn.clumps.loc[some, "radius_um"].to_numpy(float)
            called, held = (
                _near(middle, radius + room, points) for points, room in ((wrong, 1), (suspect, 2))
            )
            rows[str(manner)] += [len(middle), called, held, len(true), len(lost)]
    return pd.DataFrame(rows, index=["clumps", "called", "held", "true", "lost"]).T


def _near(middle: Floats, reach: Floats, points: Floats) -> int:
    """How many of some places have a point within their reach."""
    if len(middle) == 0 or len(points) == 0:
        return 0
    return int((cdist(middle, points) <= reach[:, None]).any(axis=1).sum())


def rules_alone(seen: Sequence[tuple[Seen, Choice]]) -> pd.DataFrame:
    """What each rule takes away: true cells where they are known, and all there is on tiles of no cell."""
    rows = []
    for name in RULES:
        true = lost = none = removed = 0
        for one, choice in seen:
            own = load_profile(one.tile.marker).compartment
            found = one.candidates
            kept = found.kept(choice.cuts[own], (), choice.cuts["pigment"])
            if one.tile.n_true == 0:
                none, removed = none + int(kept.sum()), removed + int((kept & found.broken[name]).sum())
            elif one.tile.count is None:
                hits = pairs(found.xy[kept], one.tile.points[one.tile.head], reach_um(one.tile))[0]
                true, lost = true + len(hits), lost + int(found.broken[name][kept][hits].sum())
        rows.append({"rule": name, "true": true, "lost": lost, "without cells": none, "removed": removed})
    return pd.DataFrame(rows)


def reliability(seen: Sequence[tuple[Seen, Choice]], head: int) -> pd.DataFrame:
    """Probability by tenths: its mean, the share of true cells, and by regression on counted tiles."""
    edges = np.array([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
    known_p, known_hit, design, counts = [], [], [], []
    for one, choice in seen:
        if one.tile.head != head:
            continue
        own = load_profile(one.tile.marker).compartment
        found = one.candidates
        kept = found.kept(0.0, choice.rules, choice.cuts["pigment"])
        p = positive_probability(found.height[kept], choice.calibration[own])
        if one.tile.count is not None:
            design.append(np.histogram(p, edges)[0]), counts.append(one.tile.count)
            continue
        hit = np.zeros(len(p))
        hit[pairs(found.xy[kept], one.tile.points[head], reach_um(one.tile))[0]] = 1
        known_p.append(p), known_hit.append(hit)
    p, hit = np.concatenate(known_p), np.concatenate(known_hit)
    which = np.clip(np.digitize(p, edges) - 1, 0, 9)
    table = pd.DataFrame({"from": edges[:-1], "known": np.bincount(which, minlength=10)})
    table["said"] = np.bincount(which, p, 10) / table["known"].clip(1)
    table["true"] = np.bincount(which, hit, 10) / table["known"].clip(1)
    if design:
        x, y = np.array(design, float), np.array(counts, float)
        scale = 1 / np.sqrt(y + 1.5)
        table["counted"] = x.sum(axis=0).astype(int)
        table["worth"] = nnls(x * scale[:, None], y * scale)[0]
    return table.round(3)


def write_model(
    networks: Networks, choice: Choice, tiles: Sequence[Tile], table: pd.DataFrame, folder: Path
) -> None:
    """Weights of the network that saw all tiles, and its entry in the manifest."""
    content = onnx_bytes(networks.load(()))
    (folder / "network.onnx").write_bytes(content)
    n_counted = sum(t.count is not None for t in tiles)
    n_marked = sum(t.count is None and t.drawn is None for t in tiles)
    lines = [
        "[network]",
        f'sha256 = "{sha256(content).hexdigest()}"',
        f'trained_on = "{n_counted} CD3 and CD8 tiles of the LYSTO challenge, counts per tile; '
        f'{n_marked} Ki-67 tiles of BCData and SHIDC-B-Ki-67, centres of nuclei; 600 drawn tiles"',
        'trained_by = "models/train/train_network.py, models/train/judge_network.py"',
        'licence = "BSD-3-Clause (weights; the tiles are not part of this project)"',
        "working_mpp_um = 0.5",
        f"rules = [{', '.join(repr(rule) for rule in choice.rules)}]".replace("'", '"'),
        "",
        "[network.cuts]",
        *(f"{head} = {cut:g}" for head, cut in choice.cuts.items()),
        "",
        "[network.calibration]",
        *(
            f"{head} = {{ intercept = {a:.4f}, slope = {b:.4f} }}"
            for head, (a, b) in choice.calibration.items()
        ),
        "",
        "# On slides left out, cuts chosen without them.",
    ]
    for row in table.to_dict("records"):
        shown = {
            key: round(float(v), 3)
            for key, v in row.items()
            if key not in ("folder", "tiles", "true") and v == v
        }
        lines.append(f"[network.figures.{str(row['folder']).replace(' ', '_')}]")
        lines += [f'"{key}" = {value}' for key, value in shown.items()]
        lines.append("")
    manifest = folder / "manifest.toml"
    others = manifest.read_text(encoding="utf-8").split("\n\n[network]")[0].rstrip()
    manifest.write_text(others + "\n\n" + "\n".join(lines).rstrip() + "\n", encoding="utf-8")


@dataclass(kw_only=True)
class Judged:
    """A fourth of the slides.

    Attributes
    ----------
    choice : Choice
        Made on the other slides.
    left_out : list of Seen
        Its real tiles, and drawn ones to choose by, as the network without it saw them.
    drawn : list of Seen
        Drawn tiles to judge by.
    """

    choice: Choice
    left_out: list[Seen] = field(repr=False)
    drawn: list[Seen] = field(repr=False)

    @property
    def pairs(self) -> list[tuple[Seen, Choice]]:
        """What is judged, each with the choice that was made without it."""
        real = [one for one in self.left_out if one.tile.drawn is None]
        return [(one, self.choice) for one in [*real, *self.drawn]]


def judge(fold: int, work: Path, data: Path) -> Judged:
    """Choose on the other slides, then answer on a fold's."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    tiles = cached(work / "tiles.pkl", all_tiles(data, range(JUDGED.stop)))
    folds, networks = fold_of(tiles), Networks(work)

    def of(one_fold: int) -> list[Tile]:
        """A fold's real tiles, and a fourth of the drawn ones to choose by."""
        numbers = CHOSEN[one_fold::FOLDS]
        real = [t for t in tiles if t.drawn is None and folds[t.slide] == one_fold]
        return real + [t for t in tiles if t.drawn is not None and int(t.name.split()[1]) in numbers]

    inner = [j for j in range(FOLDS) if j != fold]
    seen = [one for j in inner for one in networks.seen(of(j), _ordered(fold, j))]
    choice = choose(seen)
    drawn = [t for t in tiles if t.drawn is not None and int(t.name.split()[1]) in JUDGED]
    mine = [t for k, t in enumerate(drawn) if t.manners & unseen_manners(fold) or k % FOLDS == fold]
    return Judged(
        choice=choice,
        left_out=networks.seen(of(fold), (fold,)),
        drawn=networks.seen(mine, (fold,)),
    )


def _ordered(one: int, other: int) -> tuple[int, ...]:
    return min(one, other), max(one, other)


def main() -> None:
    """Choose, judge, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("data", type=Path, help="../shared/data")
    parser.add_argument("work", type=Path, help="folder of train_network.py")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="folds at once, one core each")
    parser.add_argument(
        "--write", action="store_true", help="write models/counters/network.onnx and its manifest"
    )
    args = parser.parse_args()
    with ProcessPoolExecutor(args.jobs) as pool:
        folds = list(pool.map(partial(judge, work=args.work, data=args.data), range(FOLDS)))
    for number, fold in enumerate(folds):
        print(f"fold {number}: {fold.choice}")
        print(figures(fold.pairs).round(3).to_string(index=False))
    judged = [pair for fold in folds for pair in fold.pairs]
    table = figures(judged)
    print("all outer folds", table.round(3).to_string(index=False), sep="\n")
    pigment = pd.concat([melanin(one.pairs, unseen_manners(fold)) for fold, one in enumerate(folds)])
    pigment.loc["all"] = pigment.sum()
    shares = {f"{name} share": pigment[name] / pigment[of] for name, of in SHARES}
    print(pigment.assign(**shares).round(3).to_string())
    print(rules_alone(judged).to_string(index=False))
    for head in (0, 1):
        print(reliability(judged, head).to_string(index=False))
    last = choose([one for fold in folds for one in fold.left_out])
    print(f"last: {last}")
    if args.write:
        folder = Path(__file__).resolve().parent.parent / "counters"
        real = [one.tile for fold in folds for one in fold.left_out if one.tile.drawn is None]
        write_model(Networks(args.work), last, real, table, folder)


if __name__ == "__main__":
    main()
