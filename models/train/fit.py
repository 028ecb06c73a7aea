"""Weights from tiles: the losses, the guesses where counted cells are, the moving average."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from network import Network
from samples import CELL_MASS, Guess, Planes, Sample, Sampler
from tiles import MARKED, MEMBRANE, PIGMENT, Floats, Tile
from torch import Tensor, nn
from torch.nn import functional

from ihcscore.geometry.grid import BLOCK_PX

MANY_CELLS = 8


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How long and how hard to train, and how much on pigment.

    Attributes
    ----------
    epochs : int
    guess_from, guess_every : int
        Guesses where the counted cells are begin at this epoch and are renewed every so many.
    drawn_per_epoch : int
        Drawn tiles that are shown.
    looks_at_pigmented : int
        Times that a drawn tile with pigment is among those to be shown.
    no_melanin : float
        Weight of real tiles' having no melanin; drawn tiles' pigment has 1.
    pigment_gain : float
        How much more pigment weighs where there is some.
    residual_cross_talk : float
        Standard deviation of how much of the chromogen is shifted to the residual.
    """

    epochs: int
    guess_from: int
    guess_every: int
    drawn_per_epoch: int
    looks_at_pigmented: int
    no_melanin: float
    pigment_gain: float
    residual_cross_talk: float
    batch: int = 12
    learning_rate: float = 4e-3
    # Marked tiles are large: so many cuts of each.
    looks_at_marked: int = 8
    seed: int = 0


PLANS = {
    "cells": Plan(
        epochs=16, guess_from=5, guess_every=3, drawn_per_epoch=250, looks_at_pigmented=1, no_melanin=0.3,
        pigment_gain=0.0, residual_cross_talk=0.12,
    ),
    "melanin": Plan(
        epochs=12, guess_from=4, guess_every=2, drawn_per_epoch=400, looks_at_pigmented=2, no_melanin=1.0,
        pigment_gain=2.0, residual_cross_talk=0.08,
    ),
}  # fmt: skip


def answer(network: nn.Module, planes: Planes, edge_px: int = 0) -> Planes:
    """Log odds, mean of four turns, of planes with sides of multiples of 4.

    Of shape (heads, h / 2, w / 2), and an edge around it.
    """
    edge = [BLOCK_PX + (-n % BLOCK_PX) // 2 for n in planes.shape[1:]]
    padded = np.pad(planes.astype(np.float32), [(0, 0)] + [(n, n) for n in edge])
    down, across = (n // 2 - edge_px for n in edge)
    with torch.no_grad():
        turns = [
            np.rot90(
                network(torch.from_numpy(np.rot90(padded, k, (1, 2))[None].copy()))[0].numpy(), -k, (1, 2)
            )
            for k in range(4)
        ]
    mean = np.mean(turns, axis=0)
    return np.ascontiguousarray(
        mean[:, down : mean.shape[1] - down, across : mean.shape[2] - across], np.float32
    )


def peaks(p: Planes, least: float, reach: int = 2) -> tuple[Floats, Floats]:
    """Points x, y and heights of local maxima."""
    smooth = cv2.GaussianBlur(p, (0, 0), 0.8, borderType=cv2.BORDER_REFLECT_101)
    yy, xx = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    around = (yy**2 + xx**2 <= reach * reach + 1).astype(np.uint8)
    rows, columns = np.nonzero((smooth >= cv2.dilate(smooth, around)) & (smooth > least))
    return np.stack([columns, rows], axis=1).astype(float), smooth[rows, columns].astype(float)


def guess(network: Network, tile: Tile) -> Guess:
    """As many of the network's best cells as people counted, and the next best."""
    points, heights = peaks(1 / (1 + np.exp(-answer(network, tile.planes)[MEMBRANE])), 0.02)
    order = np.argsort(-heights, kind="stable")
    n = int(tile.count or 0)
    return Guess(cells=points[order[:n]], unsure=points[order[n : n + max(2, n // 2)]])


def loss_of(log_odds: Tensor, batch: Sequence[Sample], pigment_gain: float) -> Tensor:
    """Cross-entropy where cells are known or guessed, pseudo-Huber of the sum where they are counted."""
    target, weight = (
        torch.from_numpy(np.stack([getattr(one, name) for one in batch])) for name in ("target", "weight")
    )
    entropy = functional.binary_cross_entropy_with_logits(log_odds, target, reduction="none") * weight
    # What is there is rare beside what isn't; pigment fills whole areas and would outweigh the cells.
    cells, pigment = entropy[:, :PIGMENT], entropy[:, PIGMENT]
    cells, pigment = cells * (1 + 4 * target[:, :PIGMENT]), pigment * (1 + pigment_gain * target[:, PIGMENT])
    loss = cells.sum() / len(batch) / 150 + pigment.sum() / len(batch) / 300
    counted = [k for k, one in enumerate(batch) if not np.isnan(one.count)]
    if counted:
        heads = torch.tensor([batch[k].head for k in counted])
        summed = torch.from_numpy(np.stack([batch[k].summed for k in counted]))
        count = torch.tensor([batch[k].count for k in counted])
        found = (torch.sigmoid(log_odds[torch.tensor(counted), heads]) * summed).sum((1, 2))
        found = found / torch.tensor(CELL_MASS)[heads]
        error = (found - count) / torch.sqrt(count + 1.5)
        loss = loss + (torch.sqrt(1 + error**2) - 1).sum() / len(batch)
    return loss


def train(tiles: Sequence[Tile], plan: Plan, say: Callable[[str], None] = print) -> Network:
    """A network: the moving average of the weights."""
    torch.manual_seed(plan.seed)
    network = Network()
    mean = copy.deepcopy(network).eval()
    counted = [t for t in tiles if t.count is not None]
    steps = -(-len(_epoch(tiles, plan, np.random.default_rng(0))) // plan.batch)
    optimiser = torch.optim.AdamW(network.parameters(), 1e-3, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, plan.learning_rate, total_steps=plan.epochs * steps + 1, pct_start=0.15
    )
    guesses: dict[int, Guess] = {}
    start = time.process_time()
    for epoch in range(plan.epochs):
        rng = np.random.default_rng((plan.seed, epoch))
        if epoch >= plan.guess_from and (epoch - plan.guess_from) % plan.guess_every == 0:
            guesses = {id(t): guess(mean, t) for t in counted}
        order, sampler, total = _epoch(tiles, plan, rng), _sampler(plan, rng), 0.0
        network.train()
        for step in range(steps):
            some = order[step * plan.batch : (step + 1) * plan.batch]
            batch = [sampler(t, guesses.get(id(t))) for t in some]
            loss = loss_of(
                network(torch.from_numpy(np.stack([one.planes for one in batch]))), batch, plan.pigment_gain
            )
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
            optimiser.step()
            schedule.step()
            total += loss.item()
            follow(mean, network, epoch * steps + step)
        seconds = time.process_time() - start
        say(f"epoch {epoch + 1} of {plan.epochs}: loss {total / steps:.3f}, {seconds:.0f} s")
    return mean


def _sampler(plan: Plan, rng: np.random.Generator) -> Sampler:
    return Sampler(rng, no_melanin=plan.no_melanin, residual_cross_talk=plan.residual_cross_talk)


def _epoch(tiles: Sequence[Tile], plan: Plan, rng: np.random.Generator) -> list[Tile]:
    """Tiles as they are shown: counted ones twice, or four times with many cells; pigmented ones more."""
    counted = [t for t in tiles if t.count is not None]
    drawn = [
        t for t in tiles if t.drawn is not None for _ in range(plan.looks_at_pigmented if t.manners else 1)
    ]
    marked = [t for t in tiles if t.folder in MARKED]
    order = 2 * (counted + [t for t in counted if t.n_true >= MANY_CELLS]) + plan.looks_at_marked * marked
    order += [drawn[k] for k in rng.permutation(len(drawn))[: plan.drawn_per_epoch]]
    return [order[k] for k in rng.permutation(len(order))]


def follow(mean: Network, network: Network, step: int) -> None:
    """Moving average of the weights; shorter at the start."""
    share = min(0.99, (step + 1) / (step + 10))
    with torch.no_grad():
        for ours, theirs in zip(mean.state_dict().values(), network.state_dict().values(), strict=True):
            if ours.dtype.is_floating_point:
                ours.mul_(share).add_(theirs, alpha=1 - share)
            else:
                ours.copy_(theirs)
