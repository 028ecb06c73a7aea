"""What is taken for positive cells: red cells, secretion, pale rims, macrophages, dark nuclei."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from ihcscore.synthetic.draw.layer import Blob, Layer, Rgb
from ihcscore.synthetic.draw.layout import Clustering, Points
from ihcscore.synthetic.draw.pigment import Nuclei

_RED_CELL_OD_RGB = np.array([[0.12, 0.47, 0.87], [0.28, 0.56, 0.78]])
"""Red cells from orange to brown (their own peroxidase turns DAB), unit vectors, by eye beside real tiles."""

_SMEAR_OD_RGB = np.array([[0.24, 0.52, 0.82], [0.36, 0.60, 0.71]])
"""Secretion and smears, from yellowish to greyish brown, unit vectors, likewise."""

Range = tuple[float, float]


class ConfuserKind(StrEnum):
    """What a drawn confuser is."""

    RED_CELL = "red cell"
    SMEAR = "smear"
    DARK_NUCLEUS = "dark nucleus"
    PALE_RING = "pale ring"
    MACROPHAGE = "macrophage"


@dataclass(frozen=True, kw_only=True)
class RedCells:
    """Red cells in groups: orange-brown discs of 6 to 8 µm.

    Attributes
    ----------
    n_groups : int
    cells : tuple of int
        Fewest and most of a group.
    level_od : tuple of float
        Optical density along their unit vector, lowest and highest of a group.
    """

    n_groups: int = 0
    cells: tuple[int, int] = (3, 20)
    level_od: Range = (0.12, 0.6)


@dataclass(frozen=True, kw_only=True)
class Smears:
    """Soft brown pools of secretion, mottled, without nuclei.

    Attributes
    ----------
    n : int
    size_um : tuple of float
        Length, lowest and highest.
    level_od : tuple of float
        Optical density along their unit vector.
    """

    n: int = 0
    size_um: Range = (10.0, 60.0)
    level_od: Range = (0.08, 0.6)


@dataclass(frozen=True, kw_only=True)
class DarkNuclei:
    """Very dark, smooth nuclei of lymphocytes without DAB; true negative cells.

    Attributes
    ----------
    n : int
    clustering : Clustering
        How they gather.
    """

    n: int = 0
    clustering: Clustering = field(default_factory=lambda: Clustering(fraction=0.8, apart_um=6.5))


@dataclass(frozen=True, kw_only=True)
class PaleRings:
    """Faint DAB along part of a tumour cell's membrane; the cell stays negative.

    Attributes
    ----------
    n : int
    level_od : tuple of float
        DAB along its unit vector.
    share : tuple of float
        How much of the round is stained.
    """

    n: int = 0
    level_od: Range = (0.06, 0.3)
    share: Range = (0.2, 0.9)


@dataclass(frozen=True, kw_only=True)
class Macrophages:
    """Weak DAB in the wide cytoplasm of macrophages, as CD4 stains it, about a pale nucleus; negative cells.

    Attributes
    ----------
    n : int
    size_um : tuple of float
        Length.
    level_od : tuple of float
        DAB along its unit vector.
    """

    n: int = 0
    size_um: Range = (13.0, 26.0)
    level_od: Range = (0.06, 0.28)


@dataclass(frozen=True, kw_only=True)
class Confusers:
    """All of them; so many on an area as large as the tile. None by default."""

    red_cells: RedCells = field(default_factory=RedCells)
    smears: Smears = field(default_factory=Smears)
    dark_nuclei: DarkNuclei = field(default_factory=DarkNuclei)
    pale_rings: PaleRings = field(default_factory=PaleRings)
    macrophages: Macrophages = field(default_factory=Macrophages)

    def __post_init__(self) -> None:
        for part, name in (
            (self.red_cells, "n_groups"),
            (self.smears, "n"),
            (self.dark_nuclei, "n"),
            (self.pale_rings, "n"),
            (self.macrophages, "n"),
        ):
            if getattr(part, name) < 0:
                raise ValueError(f"{type(part).__name__}.{name} is {getattr(part, name)}, expected 0 or more")

    def times(self, ratio: float) -> Confusers:
        """The same on an area that many times as large; dark nuclei stay."""
        return replace(
            self,
            red_cells=replace(self.red_cells, n_groups=round(self.red_cells.n_groups * ratio)),
            smears=replace(self.smears, n=round(self.smears.n * ratio)),
            pale_rings=replace(self.pale_rings, n=round(self.pale_rings.n * ratio)),
            macrophages=replace(self.macrophages, n=round(self.macrophages.n * ratio)),
        )


@dataclass(frozen=True, kw_only=True)
class Confuser:
    """One drawn confuser."""

    centre_um: tuple[float, float]
    kind: ConfuserKind
    diameter_um: float


def draw_confusers(
    layer: Layer,
    confusers: Confusers,
    nuclei: Nuclei,
    places: Callable[[int], Points],
    dab_od_rgb: Rgb,
    rng: np.random.Generator,
) -> list[Confuser]:
    """Draw onto a layer; dark nuclei are cells, and not drawn here.

    Parameters
    ----------
    layer : Layer
    confusers : Confusers
        So many are drawn, wherever `places` and the nuclei are.
    nuclei : Nuclei
        Cells that may have a pale ring or the cytoplasm of a macrophage.
    places : callable
        Gives so many random points.
    dab_od_rgb : ndarray, shape (3,)
        Unit vector of the slide's DAB.
    rng : numpy.random.Generator
    """
    drawn: list[Confuser] = []
    for _ in range(confusers.smears.n):
        drawn.append(_smear(layer, confusers.smears, places(1)[0], rng))
    for _ in range(confusers.red_cells.n_groups):
        drawn.extend(_red_cells(layer, confusers.red_cells, places(1)[0], rng))
    negative = rng.permutation(np.flatnonzero(~nuclei.positive))
    tumour = negative[nuclei.tumour[negative]]
    for i in tumour[: confusers.pale_rings.n]:
        drawn.append(_pale_ring(layer, confusers.pale_rings, nuclei, int(i), dab_od_rgb, rng))
    others = negative[~np.isin(negative, tumour[: confusers.pale_rings.n])]
    for i in others[: confusers.macrophages.n]:
        drawn.append(_macrophage(layer, confusers.macrophages, nuclei.centres_um[i], dab_od_rgb, rng))
    return drawn


def _between(ends: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    share = rng.random()
    mixed = (1 - share) * ends[0] + share * ends[1]
    return np.asarray(mixed / np.linalg.norm(mixed))


def _pair(point: Points) -> tuple[float, float]:
    return float(point[0]), float(point[1])


def _smear(layer: Layer, smears: Smears, middle: Points, rng: np.random.Generator) -> Confuser:
    """Several soft bodies that run into each other."""
    size_um = float(np.exp(rng.uniform(*np.log(smears.size_um))))
    od_rgb = rng.uniform(*smears.level_od) * _between(_SMEAR_OD_RGB, rng)
    angle = float(rng.uniform(0, np.pi))
    direction = np.array([np.cos(angle), np.sin(angle)])
    edge_um = float(rng.uniform(0.5, 0.12 * size_um + 0.6))
    grain_um = float(rng.choice([0.0, rng.uniform(0.5, 3.0)], p=[0.25, 0.75]))
    for share in rng.dirichlet([2.0, 2.0, 2.0]):
        at = middle + direction * rng.normal(0, 0.22 * size_um) + rng.normal(0, 0.05 * size_um, 2)
        long = size_um * float(rng.uniform(0.2, 0.4))
        blob = Blob(
            centre_um=_pair(at),
            half_um=(long, long * float(rng.uniform(0.25, 0.8))),
            angle=angle + float(rng.normal(0, 0.4)),
            edge_um=edge_um,
            rough_um=float(rng.uniform(0.6, 2.5)),
            mottle=float(rng.uniform(0.1, 0.45)),
            grain_um=grain_um,
        )
        layer.blob(blob, (0.4 + 1.2 * share) * od_rgb, rng)
    return Confuser(centre_um=_pair(middle), kind=ConfuserKind.SMEAR, diameter_um=round(size_um, 2))


def _red_cells(layer: Layer, red_cells: RedCells, middle: Points, rng: np.random.Generator) -> list[Confuser]:
    """A heap: discs that hardly overlap, some pressed flat, paler in the middle."""
    n = int(rng.integers(red_cells.cells[0], red_cells.cells[1] + 1))
    od_rgb = rng.uniform(*red_cells.level_od) * _between(_RED_CELL_OD_RGB, rng)
    stretch, turn = rng.uniform(0.35, 1.0), rng.uniform(0, np.pi)
    heap = np.empty((0, 2))
    for _ in range(12 * n):
        if len(heap) == n:
            break
        u, v = rng.normal(0, 2.6 * n**0.5, 2) * np.array([1.0, stretch])
        at = middle + np.array([u * np.cos(turn) - v * np.sin(turn), u * np.sin(turn) + v * np.cos(turn)])
        if len(heap) == 0 or np.hypot(*(heap - at).T).min() > 5.4:
            heap = np.concatenate([heap, at[None]])
    drawn = []
    for at in heap:
        diameter_um = float(rng.uniform(5.8, 7.8))
        flat = float(rng.uniform(0.65, 1.0))
        blob = Blob(
            centre_um=_pair(at),
            half_um=(diameter_um / 2, diameter_um / 2 * flat),
            angle=float(rng.uniform(0, np.pi)),
            edge_um=float(rng.uniform(0.25, 0.5)),
            rough_um=0.2,
            mottle=0.08,
            hollow=float(rng.uniform(0.0, 0.5)),
        )
        layer.blob(blob, rng.uniform(0.8, 1.2) * od_rgb, rng)
        drawn.append(
            Confuser(centre_um=_pair(at), kind=ConfuserKind.RED_CELL, diameter_um=round(diameter_um, 2))
        )
    return drawn


def _pale_ring(
    layer: Layer, rings: PaleRings, nuclei: Nuclei, i: int, dab_od_rgb: Rgb, rng: np.random.Generator
) -> Confuser:
    radius_um = float(nuclei.nucleus_um[i] / 2 + rng.uniform(0.8, 3.0))
    od_rgb = rng.uniform(*rings.level_od) * dab_od_rgb
    width_um, share = float(rng.uniform(0.35, 0.7)), float(rng.uniform(*rings.share))
    centre = _pair(nuclei.centres_um[i])
    layer.arc(centre, radius_um, width_um, share, od_rgb, rng)
    return Confuser(centre_um=centre, kind=ConfuserKind.PALE_RING, diameter_um=round(2 * radius_um, 2))


def _macrophage(
    layer: Layer, macrophages: Macrophages, middle: Points, dab_od_rgb: Rgb, rng: np.random.Generator
) -> Confuser:
    """Foamy cytoplasm, uneven, that fades away; the nucleus lies off the middle and stays blue."""
    size_um = float(rng.uniform(*macrophages.size_um))
    half = (size_um / 2, size_um / 2 * float(rng.uniform(0.5, 0.95)))
    blob = Blob(
        centre_um=_pair(middle + rng.normal(0, 0.12 * size_um, 2)),
        half_um=half,
        angle=float(rng.uniform(0, np.pi)),
        edge_um=float(rng.uniform(0.8, 3.0)),
        rough_um=float(rng.uniform(0.8, 2.2)),
        mottle=float(rng.uniform(0.4, 0.8)),
        hollow=float(rng.uniform(0.1, 0.6)),
    )
    layer.blob(blob, rng.uniform(*macrophages.level_od) * dab_od_rgb, rng)
    return Confuser(centre_um=blob.centre_um, kind=ConfuserKind.MACROPHAGE, diameter_um=round(size_um, 2))
