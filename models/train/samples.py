"""What the network is trained on in one step: tiles cut, turned, restained and placed on an empty canvas."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray
from tiles import MARKED, MEMBRANE, NEGATIVE, NUCLEUS, PIGMENT, Floats, Tile

Planes = NDArray[np.float32]

CANVAS_PX = 144
TILE_PX = 128
N_HEADS = 4
# Spread of a cell in the network's answer, in its pixels of 1 µm, by head: lymphocytes are small and their
# middles sharp; tumour nuclei are large, and people mark them somewhere near the middle.
CELL_SIGMA_PX = (1.3, 1.8, 1.8)
CELL_REACH_PX = 7
# What a lone cell sums up to.
CELL_MASS = tuple(2 * np.pi * sigma**2 for sigma in CELL_SIGMA_PX)
# Cells cut by the edge spread beyond it, so far in pixels of the answer.
BEYOND_PX = 4
# Weights of labels, beside 1 of known ones: best guesses of counted tiles, next best ones, negative nuclei.
GUESSED, UNSURE, NEGATIVES = 0.5, 0.1, 0.5


@dataclass(kw_only=True)
class Guess:
    """Where the cells of a counted tile probably are: so many as people counted, and the next best."""

    cells: Floats
    unsure: Floats


@dataclass(kw_only=True)
class Sample:
    """One canvas: planes (4, 144, 144); target and weight (heads, 72, 72); where to sum, and to what."""

    planes: Planes = field(repr=False)
    target: Planes = field(repr=False)
    weight: Planes = field(repr=False)
    summed: Planes = field(repr=False)
    count: float
    head: int


def heat(shape: tuple[int, int], points: Floats, head: int) -> Planes:
    """The largest of Gaussians at points x, y."""
    image = np.zeros(shape, np.float32)
    reach, sigma = CELL_REACH_PX, CELL_SIGMA_PX[head]
    for x, y in points:
        column, row = round(float(x)), round(float(y))
        x0, x1 = max(column - reach, 0), min(column + reach + 1, shape[1])
        y0, y1 = max(row - reach, 0), min(row + reach + 1, shape[0])
        if x0 >= x1 or y0 >= y1:
            continue
        squared = (np.arange(x0, x1) - x)[None] ** 2 + (np.arange(y0, y1) - y)[:, None] ** 2
        cell = np.exp(-squared / (2 * sigma**2)).astype(np.float32)
        np.maximum(image[y0:y1, x0:x1], cell, out=image[y0:y1, x0:x1])
    return image


class Sampler:
    """Draws samples of tiles with everything random from one generator."""

    def __init__(
        self,
        rng: np.random.Generator,
        *,
        no_melanin: float,
        residual_cross_talk: float,
        artefacts: float = 0.07,
        crops: float = 0.4,
    ) -> None:
        self.rng, self.artefacts, self.crops = rng, artefacts, crops
        self.no_melanin, self.residual_cross_talk = no_melanin, residual_cross_talk

    def __call__(self, tile: Tile, guess: Guess | None) -> Sample:
        """One sample of a tile."""
        rng = self.rng
        planes = tile.planes.astype(np.float32)
        points = dict(tile.points)
        unsure = np.zeros((0, 2))
        if guess is not None:
            points[MEMBRANE], unsure = guess.cells, guess.unsure
        pigment = tile.pigment
        size = planes.shape[1:]
        # scale
        if rng.random() < 0.5:
            factor = float(rng.uniform(0.82, 1.2))
            rows, columns = (2 * round(one * factor / 2) for one in size)
            planes = resized(planes, (rows, columns))
            fx, fy = columns / size[1], rows / size[0]
            points = {head: (xy + 0.5) * [fx, fy] - 0.5 for head, xy in points.items()}
            unsure = (unsure + 0.5) * [fx, fy] - 0.5
            if pigment is not None:
                pigment = (
                    cv2.resize(
                        pigment.astype(np.uint8), (columns // 2, rows // 2), interpolation=cv2.INTER_NEAREST
                    )
                    > 0
                )
        # crop
        rows, columns = planes.shape[1:]
        want = [TILE_PX, TILE_PX]
        if tile.folder not in MARKED and rng.random() < self.crops:
            want = [2 * int(rng.integers(36, 60)) for _ in range(2)]
        height, width = min(rows, want[0]), min(columns, want[1])
        whole = height >= rows and width >= columns
        top, left = (
            2 * int(rng.integers(0, (n - m) // 2 + 1)) for n, m in ((rows, height), (columns, width))
        )
        planes = planes[:, top : top + height, left : left + width]
        cut = np.array([left / 2, top / 2])
        shape = height // 2, width // 2

        def here(xy: Floats) -> Floats:
            xy = xy - cut
            return xy[((xy >= -0.5) & (xy < np.array(shape[::-1]) - 0.5)).all(axis=1)]

        points = {head: here(xy) for head, xy in points.items()}
        unsure = here(unsure)
        count = float("nan")
        if tile.count is not None and whole:
            count = float(tile.count)
        elif tile.count is None:
            count = float(len(points[tile.head]))
        # an artefact over all of it
        if tile.folder not in MARKED and rng.random() < self.artefacts:
            planes = spoilt(planes, rng)
            points = {head: np.zeros((0, 2)) for head in (MEMBRANE, NEGATIVE, NUCLEUS)}
            unsure, count, pigment = np.zeros((0, 2)), 0.0, None
            known = [MEMBRANE, NUCLEUS]
        else:
            known = [head for head in points if guess is None or head != MEMBRANE]
        planes = restained(planes, rng, self.residual_cross_talk)
        # canvas
        side = CANVAS_PX // 2
        dy, dx = (int(rng.integers(0, side - n + 1)) for n in shape)
        canvas = np.zeros((planes.shape[0], CANVAS_PX, CANVAS_PX), np.float32)
        canvas[:, 2 * dy : 2 * dy + height, 2 * dx : 2 * dx + width] = planes
        inside = np.zeros((side, side), np.float32)
        b = BEYOND_PX
        inside[max(dy - b, 0) : dy + shape[0] + b, max(dx - b, 0) : dx + shape[1] + b] = 1
        target = np.zeros((N_HEADS, side, side), np.float32)
        weight = np.zeros_like(target)
        for head in known:
            target[head] = heat((side, side), points[head] + [dx, dy], head)
            weight[head] = inside * (NEGATIVES if head == NEGATIVE else 1.0)
        if guess is not None and MEMBRANE not in known:
            target[MEMBRANE] = heat((side, side), points[MEMBRANE] + [dx, dy], MEMBRANE)
            weight[MEMBRANE] = inside * GUESSED
            doubtful = (heat((side, side), unsure + np.array([dx, dy]), MEMBRANE) > 0.3) & (
                target[MEMBRANE] < 0.2
            )
            weight[MEMBRANE][doubtful] = UNSURE
        weight[PIGMENT] = inside * (1.0 if tile.pigment is not None else self.no_melanin)
        if pigment is not None:
            part = pigment[top // 2 : top // 2 + shape[0], left // 2 : left // 2 + shape[1]]
            target[PIGMENT, dy : dy + shape[0], dx : dx + shape[1]] = part
        sample = Sample(
            planes=canvas, target=target, weight=weight, summed=inside, count=count, head=tile.head
        )
        return turned(sample, int(rng.integers(4)), bool(rng.random() < 0.5))


def resized(planes: Planes, shape: tuple[int, int]) -> Planes:
    """Planes with other numbers of rows and columns."""
    how = cv2.INTER_AREA if shape[0] < planes.shape[1] else cv2.INTER_LINEAR
    return np.stack([cv2.resize(np.ascontiguousarray(one), shape[::-1], interpolation=how) for one in planes])


def blurred(planes: Planes, sigma_px: float) -> Planes:
    """Planes out of focus."""
    return np.stack([cv2.GaussianBlur(np.ascontiguousarray(one), (0, 0), sigma_px) for one in planes])


def restained(x: Planes, rng: np.random.Generator, residual_cross_talk: float) -> Planes:
    """The same tissue by another laboratory and scanner."""
    x = x.copy()
    chromogen = np.exp(rng.normal(0, 0.2))
    x[0] *= np.exp(rng.normal(0, 0.18))
    x[1] *= chromogen
    x[2] *= chromogen**0.3 * np.exp(rng.normal(0, 0.12))
    x[3] *= np.exp(rng.normal(0, 0.3))
    x[3] += rng.normal(0, residual_cross_talk) * np.clip(x[1], 0, 2) + rng.normal(0, 0.1) * np.clip(
        x[0], 0, 2
    )
    to_h, to_d = rng.normal(0, 0.06, 2)
    h, d = x[0] * 0.3, x[1] * 0.5
    x[0] += to_h * d / 0.3
    x[1] += to_d * h / 0.5
    x[2] += to_d * h / 0.5 * 0.9
    x += rng.normal(0, 0.06, 4)[:, None, None].astype(np.float32)
    kind = rng.random()
    if kind < 0.35:
        x = blurred(x, float(rng.uniform(0.3, 1.2)))
    elif kind < 0.55:
        x = x + rng.uniform(0.3, 1.0) * (x - blurred(x, float(rng.uniform(0.5, 1.0))))
    if rng.random() < 0.5:
        x = x + rng.normal(0, rng.uniform(0.02, 0.12), x.shape)
    return x.astype(np.float32)


def spoilt(x: Planes, rng: np.random.Generator) -> Planes:
    """No cell to be seen: far out of focus, under grey ink or a fold, under a brown smear or any colour."""
    kind = int(rng.integers(4))
    if kind == 0:
        return blurred(x, float(rng.uniform(3.5, 8)))
    _, height, width = x.shape
    coarse = rng.normal(0, 1, (int(rng.integers(4, 40)),) * 2).astype(np.float32)
    fine = rng.normal(0, 1, (height // 2, width // 2)).astype(np.float32)
    noise = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC) + 0.4 * cv2.resize(
        fine, (width, height)
    )
    x = blurred(x, float(rng.uniform(3, 10))) * np.float32(rng.uniform(0, 0.6))
    h, d, r = (
        (0.9, 0.75, 0.0),
        (0.1, 0.5, 0.02),
        (rng.uniform(0, 1.5), rng.uniform(0, 1.5), rng.uniform(-0.2, 0.3)),
    )[kind - 1]
    cover = np.clip(1 + rng.uniform(0.05, 0.35) * noise, 0, None) * rng.uniform(0.3, 2.2)
    x[0] += h * cover / 0.6
    x[1] += d * cover / 0.5
    x[2] += d * cover / 0.5 * 0.9
    x[3] += r * cover / 0.5
    return x.astype(np.float32)


def turned(sample: Sample, quarters: int, mirrored: bool) -> Sample:
    """The sample turned by quarters and mirrored."""

    def one(image: Planes) -> Planes:
        image = np.rot90(image, quarters, (-2, -1))
        return np.ascontiguousarray(image[..., ::-1] if mirrored else image)

    return Sample(
        planes=one(sample.planes), target=one(sample.target), weight=one(sample.weight),
        summed=one(sample.summed), count=sample.count, head=sample.head,
    )  # fmt: skip
