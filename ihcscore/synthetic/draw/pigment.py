"""Melanin drawn granule by granule, in manners that differ in where granules lie and how they are made.

Granules of 0.3 to 0.8 µm, some to 1.5 µm, brown to nearly black, sharp, in clumps of 2 to 15 µm over
nuclei and between them. Sizes: melanosomes are ellipsoids of some 0.5 µm; clumps, melanophages and dust
are drawn by eye after what pathology texts show of pigmented melanoma.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from ihcscore.synthetic.draw.layer import Blob, Granules, Layer
from ihcscore.synthetic.draw.layout import Points

_CAMERA_NM = np.array([610.0, 540.0, 465.0])
"""Near the middle of a camera's red, green and blue."""

_EXPONENTS = (3.3, 0.7)
"""Melanin's absorbance goes as wavelength^-n. 3.3 (Jacques 2013, doi 10.1088/0031-9155/58/11/R37) for thin
brown pigment; heaps of opaque granules dim all colours about alike, and look black."""

_ON_NUCLEUS = 0.25
"""Share of a clump's granules over a nucleus from which it lies on it."""

_TOUCHING_UM = 0.5
_TINT = 0.03
_BODY_BLACKNESS = 0.4  # the cytoplasm between granules is brown even where they are black


class PigmentManner(StrEnum):
    """How pigment is drawn."""

    DUST = "dust on nuclei"
    CAP = "cap on nuclei"
    AROUND = "around nuclei"
    HAZE = "dusty haze"
    SOLID = "solid clumps"
    RODS = "rods"
    MELANOPHAGES = "melanophages"
    BESIDE = "beside positive cells"


@dataclass(frozen=True, kw_only=True)
class Pigment:
    """Melanin on a tile.

    Attributes
    ----------
    manner : PigmentManner
        Where granules lie and how they are made.
    n_clumps : int
        Clumps on an area as large as the tile, the tile and its surroundings alike, so that some are cut
        by its edges: a few more or fewer lie on it. Melanophages count one by one. On nuclei or beside
        positive cells there are no more than there are such cells.
    blackness : tuple of float
        Lowest and highest, 0 (brown, λ^-3.3) to 1 (nearly black); each clump has its own.
    level_od : tuple of float
        Optical density of a single granule, lowest and highest; those that overlap add up.
    granule_scale : tuple of float
        How much larger than usual granules are, lowest and highest; each clump has its own.
    """

    manner: PigmentManner
    n_clumps: int = 8
    blackness: tuple[float, float] = (0.0, 1.0)
    level_od: tuple[float, float] = (0.6, 2.2)
    granule_scale: tuple[float, float] = (0.8, 1.4)

    def __post_init__(self) -> None:
        if self.n_clumps < 0:
            raise ValueError(f"n_clumps is {self.n_clumps}, expected 0 or more")
        if not 0 <= self.blackness[0] <= self.blackness[1] <= 1:
            raise ValueError(f"blackness is {self.blackness}, expected two numbers from 0 to 1, in order")
        for name in ("level_od", "granule_scale"):
            low, high = getattr(self, name)
            if not 0 < low <= high:
                raise ValueError(f"{name} is {(low, high)}, expected two numbers above 0, in order")

    def times(self, ratio: float) -> Pigment:
        """The same on an area that many times as large."""
        return replace(self, n_clumps=round(self.n_clumps * ratio))


def pigment_od_rgb(blackness: float) -> NDArray[np.float64]:
    """Unit vector of optical density, R G B, of pigment from brown (0) to nearly black (1)."""
    exponent = _EXPONENTS[0] + blackness * (_EXPONENTS[1] - _EXPONENTS[0])
    absorbance = _CAMERA_NM**-exponent
    return np.asarray(absorbance / np.linalg.norm(absorbance))


@dataclass(frozen=True, kw_only=True)
class Nuclei:
    """What lies on a picture already.

    Attributes
    ----------
    centres_um : ndarray, shape (n, 2)
    nucleus_um, cell_um : ndarray, shape (n,)
        Diameters.
    positive : ndarray of bool, shape (n,)
    tumour : ndarray of bool, shape (n,)
    """

    centres_um: Points
    nucleus_um: NDArray[np.float64]
    cell_um: NDArray[np.float64]
    positive: NDArray[np.bool_]
    tumour: NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Clump:
    """One drawn clump.

    Attributes
    ----------
    centre_um : tuple of float
        Mean of its granules' centres.
    radius_um : float
        95 % of its granules lie within.
    manner : PigmentManner
    on_nucleus : bool
        At least a quarter of its granules lie over a nucleus.
    touches_positive : bool
        A granule lies on a positive cell or within 0.5 µm of it.
    """

    centre_um: tuple[float, float]
    radius_um: float
    manner: PigmentManner
    on_nucleus: bool
    touches_positive: bool


@dataclass(frozen=True, kw_only=True)
class _Site:
    """Where a clump is to lie: a middle, the diameter of the nucleus or cell there, the chance at hand."""

    centre_um: Points
    across_um: float
    scale: float
    rng: np.random.Generator

    def sizes(self, n: int, median_um: float, spread: float = 0.3) -> NDArray[np.float64]:
        """Radii of granules; medians and limits are radii too."""
        radii = self.rng.lognormal(np.log(median_um * self.scale), spread, n)
        return np.asarray(np.clip(radii, 0.14, 0.75))

    def polar(self, away_um: NDArray[np.float64], angles: NDArray[np.float64]) -> Points:
        around = np.column_stack([np.cos(angles), np.sin(angles)])
        return np.asarray(self.centre_um + away_um[:, None] * around)


@dataclass(frozen=True, kw_only=True)
class _Made:
    """Granules of a clump, of relative level, and the brown body they lie in."""

    granules: Granules
    body: Blob | None = None
    body_od: float = 0.0


def _dust(site: _Site) -> _Made:
    """Fine granules strewn over the nucleus, thinning out around it."""
    rng = site.rng
    n = int(rng.integers(14, 60))
    centres = site.centre_um + rng.normal(0, site.across_um * rng.uniform(0.16, 0.3), (n, 2))
    return _Made(granules=Granules.discs(centres, site.sizes(n, 0.21), rng.uniform(0.6, 1.2, n)))


def _cap(site: _Site) -> _Made:
    """A dense crescent over one side of the nucleus."""
    rng = site.rng
    n = int(rng.integers(35, 110))
    angles = rng.uniform(-np.pi, np.pi) + rng.normal(0, rng.uniform(0.35, 0.8), n)
    away = site.across_um * rng.normal(0.42, 0.11, n)
    return _Made(
        granules=Granules.discs(site.polar(away, angles), site.sizes(n, 0.27), rng.uniform(0.5, 1, n))
    )


def _around(site: _Site) -> _Made:
    """All round the nucleus, over its rim and in the cytoplasm, uneven."""
    rng = site.rng
    n = int(rng.integers(45, 130))
    angles = rng.uniform(-np.pi, np.pi, n)
    phase, depth = rng.uniform(0, 2 * np.pi, 2), rng.uniform(0.2, 0.9)
    thick = 1 + depth * 0.5 * (np.cos(angles + phase[0]) + np.cos(2 * angles + phase[1]))
    kept = angles[rng.random(n) < thick / 2]
    away = site.across_um * 0.5 + np.abs(rng.normal(0.3, 1.6, len(kept))) - 0.3
    granules = Granules.discs(
        site.polar(away, kept), site.sizes(len(kept), 0.25), rng.uniform(0.5, 1.1, len(kept))
    )
    return _Made(granules=granules)


def _haze(site: _Site) -> _Made:
    """A brown breath with fine dust in it, over whatever is there."""
    rng = site.rng
    half = rng.uniform(4.0, 7.5, 2)
    angle = float(rng.uniform(0, np.pi))
    n = int(rng.integers(40, 150))
    away, angles = np.sqrt(rng.random(n)), rng.uniform(-np.pi, np.pi, n)
    u, v = half[0] * away * np.cos(angles), half[1] * away * np.sin(angles)
    turned = np.column_stack([u * np.cos(angle) - v * np.sin(angle), u * np.sin(angle) + v * np.cos(angle)])
    x, y = site.centre_um
    body = Blob(centre_um=(float(x), float(y)), half_um=(float(half[0]), float(half[1])), angle=angle,
                edge_um=2.2, rough_um=1.2, mottle=0.5)  # fmt: skip
    granules = Granules.discs(site.centre_um + turned, site.sizes(n, 0.18, 0.25), rng.uniform(0.25, 0.7, n))
    return _Made(granules=granules, body=body, body_od=float(rng.uniform(0.08, 0.3)))


def _solid(site: _Site) -> _Made:
    """Granules heaped until hardly any gap is left, with a ragged edge; 3 to 15 µm."""
    rng = site.rng
    n = int(rng.integers(30, 190))
    seeds = rng.normal(0, rng.uniform(0.8, 2.2), (int(rng.integers(2, 6)), 2))
    spread_um = 0.16 * n**0.5 * rng.uniform(0.7, 1.2)
    centres = (
        site.centre_um
        + seeds[rng.integers(0, len(seeds), n)]
        + rng.normal(0, spread_um, (n, 2)) * rng.uniform(0.5, 1.2, 2)
    )
    return _Made(granules=Granules.discs(centres, site.sizes(n, 0.42, 0.35), rng.uniform(0.6, 1.2, n)))


def _rods(site: _Site) -> _Made:
    """Slender ellipses that lie more or less along each other, as in processes of the cells."""
    rng = site.rng
    n = int(rng.integers(14, 60))
    along, lean = float(rng.uniform(0, np.pi)), float(rng.uniform(0.15, 0.9))
    u, v = rng.normal(0, rng.uniform(2.0, 5.0), n), rng.normal(0, rng.uniform(0.7, 2.0), n)
    x, y = u * np.cos(along) - v * np.sin(along), u * np.sin(along) + v * np.cos(along)
    wide = rng.uniform(0.13, 0.26, n) * site.scale
    granules = Granules(
        centres_um=site.centre_um + np.column_stack([x, y]),
        half_um=np.column_stack([np.minimum(wide * rng.uniform(2.2, 5.0, n), 1.6), wide]),
        angles=along + rng.normal(0, lean, n),
        levels_od=rng.uniform(0.6, 1.2, n),
    )
    return _Made(granules=granules)


def _melanophage(site: _Site) -> _Made:
    """A rounded cell of 10 to 20 µm, brown itself, stuffed with coarse granules in heaps."""
    rng = site.rng
    long = float(rng.uniform(5.0, 9.5))
    half = (long, long / float(rng.uniform(1.0, 1.7)))
    angle = float(rng.uniform(0, np.pi))
    n = int(half[0] * half[1] * rng.uniform(2.2, 7.0))
    heaps = rng.uniform(-0.6, 0.6, (5, 2))
    place = heaps[rng.integers(0, 5, n)] + rng.normal(0, 0.32, (n, 2))
    place /= np.maximum(np.hypot(place[:, 0], place[:, 1]), 1.0)[:, None]
    u, v = place[:, 0] * half[0], place[:, 1] * half[1]
    turned = np.column_stack([u * np.cos(angle) - v * np.sin(angle), u * np.sin(angle) + v * np.cos(angle)])
    x, y = site.centre_um
    body = Blob(centre_um=(float(x), float(y)), half_um=half, angle=angle, rough_um=0.6, mottle=0.5)
    granules = Granules.discs(site.centre_um + turned, site.sizes(n, 0.34, 0.4), rng.uniform(0.4, 1.1, n))
    return _Made(granules=granules, body=body, body_od=float(rng.uniform(0.12, 0.5)))


def _beside(site: _Site) -> _Made:
    """A clump of 3 to 8 µm that leans on the cell at the site, over its edge."""
    rng = site.rng
    n = int(rng.integers(16, 80))
    angle, away = rng.uniform(-np.pi, np.pi), site.across_um / 2 * rng.uniform(0.9, 1.35)
    middle = site.centre_um + away * np.array([np.cos(angle), np.sin(angle)])
    centres = middle + rng.normal(0, rng.uniform(0.8, 1.9), (n, 2))
    return _Made(granules=Granules.discs(centres, site.sizes(n, 0.3), rng.uniform(0.5, 1.1, n)))


_MAKE: dict[PigmentManner, Callable[[_Site], _Made]] = {
    PigmentManner.DUST: _dust,
    PigmentManner.CAP: _cap,
    PigmentManner.AROUND: _around,
    PigmentManner.HAZE: _haze,
    PigmentManner.SOLID: _solid,
    PigmentManner.RODS: _rods,
    PigmentManner.MELANOPHAGES: _melanophage,
    PigmentManner.BESIDE: _beside,
}

_ON_NUCLEI = {PigmentManner.DUST, PigmentManner.CAP, PigmentManner.AROUND}


def draw_pigment(
    layer: Layer, pigment: Pigment, nuclei: Nuclei, places: Callable[[int], Points], rng: np.random.Generator
) -> list[Clump]:
    """Draw clumps onto a layer.

    Parameters
    ----------
    layer : Layer
    pigment : Pigment
        `n_clumps` of them are drawn, wherever `places` and the nuclei are.
    nuclei : Nuclei
        Those on which clumps may lie.
    places : callable
        Gives so many random points, for clumps that keep to no nucleus.
    rng : numpy.random.Generator
    """
    centres, across = _sites(pigment, nuclei, places, rng)
    clumps = []
    for centre, across_um in zip(centres, across, strict=True):
        scale = float(rng.uniform(*pigment.granule_scale))
        made = _MAKE[pigment.manner](_Site(centre_um=centre, across_um=across_um, scale=scale, rng=rng))
        black = float(rng.uniform(*pigment.blackness))
        od_rgb, body_rgb = (_tinted(pigment_od_rgb(share), rng) for share in (black, black * _BODY_BLACKNESS))
        level = float(rng.uniform(*pigment.level_od))
        layer.granules(replace(made.granules, levels_od=made.granules.levels_od * level), od_rgb)
        if made.body is not None:
            layer.blob(made.body, made.body_od * body_rgb, rng)
        clumps.append(_truth(made.granules, pigment.manner, nuclei))
    return clumps


def _tinted(od_rgb: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """A unit vector nearby: pigment of two clumps is not of one colour."""
    tinted = np.maximum(od_rgb + rng.normal(0, _TINT, 3), 0.05)
    return np.asarray(tinted / np.linalg.norm(tinted))


def _sites(
    pigment: Pigment, nuclei: Nuclei, places: Callable[[int], Points], rng: np.random.Generator
) -> tuple[Points, NDArray[np.float64]]:
    """Middles of clumps, (n, 2), and how wide the nucleus or cell at each is."""
    n = pigment.n_clumps
    if pigment.manner is PigmentManner.BESIDE:
        chosen = rng.permutation(np.flatnonzero(nuclei.positive))[:n]
        return nuclei.centres_um[chosen], nuclei.cell_um[chosen]
    if pigment.manner not in _ON_NUCLEI:
        points = _off_positive(places, n, nuclei)
        if pigment.manner is PigmentManner.MELANOPHAGES:
            points = _grouped(points, rng)
        return points, np.zeros(n)
    able = np.flatnonzero(~nuclei.positive & nuclei.tumour)
    if len(able) < n:
        able = np.flatnonzero(~nuclei.positive)
    chosen = rng.permutation(able)
    if rng.random() < 0.5 and len(able):  # pigmented cells often lie together
        focus = nuclei.centres_um[rng.choice(able)]
        away = np.hypot(*(nuclei.centres_um[able] - focus).T) + rng.exponential(25.0, len(able))
        chosen = able[np.argsort(away)]
    chosen = chosen[:n]
    return nuclei.centres_um[chosen], nuclei.nucleus_um[chosen]


def _grouped(points: Points, rng: np.random.Generator) -> Points:
    """The points, half of them moved beside the one before."""
    points = points.copy()
    for i in range(1, len(points)):
        if rng.random() < 0.5:
            angle = rng.uniform(-np.pi, np.pi)
            points[i] = points[i - 1] + rng.uniform(9.0, 14.0) * np.array([np.cos(angle), np.sin(angle)])
    return points


def _off_positive(places: Callable[[int], Points], n: int, nuclei: Nuclei) -> Points:
    """`n` points; of a few tries each, the one farthest from positive cells where all lie on some."""
    tries = 4
    points = places(tries * n).reshape(tries, n, 2)
    positive = nuclei.centres_um[nuclei.positive]
    if len(positive) == 0:
        return np.asarray(points[0])
    away = np.hypot(*np.moveaxis(points[:, :, None] - positive, -1, 0)).min(axis=2)
    best = np.minimum(away, 10.0).argmax(axis=0)
    return np.asarray(points[best, np.arange(n)])


def _truth(granules: Granules, manner: PigmentManner, nuclei: Nuclei) -> Clump:
    centres = granules.centres_um
    middle = centres.mean(axis=0)
    away = np.hypot(*(centres - middle).T) + granules.half_um[:, 0]
    to_cells = np.hypot(*np.moveaxis(centres[:, None] - nuclei.centres_um, -1, 0))
    on = (to_cells < nuclei.nucleus_um / 2).any(axis=1)
    reach = nuclei.cell_um / 2 + _TOUCHING_UM
    touching = (to_cells - granules.half_um[:, :1] < reach)[:, nuclei.positive]
    return Clump(
        centre_um=(float(middle[0]), float(middle[1])),
        radius_um=round(float(np.quantile(away, 0.95)), 2),
        manner=manner,
        on_nucleus=bool(on.mean() >= _ON_NUCLEUS),
        touches_positive=bool(touching.any()),
    )
