"""A small picture of packed tumour cells with stained membranes, and stroma beside them, of known truth.

Cells fill the tumour as Voronoi's polygons; a membrane is shared by the two cells that it parts. How much
chromogen it holds is told as OD·µm across it: what remains the same however much the picture is blurred.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ihcscore.planes import Border, Plane, blurred
from ihcscore.synthetic.draw.optics import DAB_OD_RGB, HEMATOXYLIN_OD_RGB, Optics
from ihcscore.synthetic.draw.texture import smooth_noise

if TYPE_CHECKING:
    import pandas as pd

# Drawn at so many µm per pixel or finer, then averaged to the picture's own.
_FINE_UM = 0.125
# Centres of cells lie at least so far apart, in spacings.
_LEAST_SPACING = 0.8
# Patches of one class, and the waves of the edge between tumour and stroma.
_PATCH_UM, _EDGE_WAVE_UM = 35.0, 6.0

Xy = NDArray[np.float64]


class Arrangement(StrEnum):
    """How the classes lie among the cells."""

    CLONAL = "clonal"
    """In patches: neighbours are mostly alike."""
    MIXED = "mixed"
    """At random: a membrane parts cells of different classes."""


class Shared(StrEnum):
    """How much a membrane holds that parts two cells of different classes."""

    MEAN = "mean"
    MAX = "max"


@dataclass(frozen=True, kw_only=True)
class PackedSettings:
    """What is on a picture of packed cells.

    Attributes
    ----------
    size_um : float
        Side of the picture.
    mpp_um : float
        µm per pixel.
    spacing_um : float
        Distance between the centres of neighbouring cells, about.
    irregularity : float
        How far cells lie from a lattice, in spacings.
    nucleus_um, nucleus_spread : float
        Diameter of tumour nuclei and its relative standard deviation.
    off_centre_um : float
        Standard deviation of a nucleus's place in its cell, each way.
    membrane_um : float
        Thickness of a membrane (standard deviation of its Gaussian profile times √2π).
    membrane_od_um : tuple of float
        Chromogen of a membrane of class 0, 1+, 2+, 3+.
    membrane_spread : float
        Relative standard deviation from membrane to membrane.
    shares : tuple of float
        Share of cells of each class.
    arrangement : Arrangement
    shared : Shared
    cytoplasm_od : tuple of float
        Chromogen in the cytoplasm of cells of class 0, 1+, 2+, 3+.
    cytoplasm_on_nucleus : float
        Share of it that also lies over the nucleus.
    stroma : float
        Share of the picture, from its right edge, that is stroma.
    lymphocytes_per_mm2 : float
        In the stroma; their own membranes hold `control_od_um`.
    infiltrating_per_mm2 : float
        Lymphocytes among tumour cells.
    control_od_um : float
    background_od : float
        Chromogen everywhere.
    waviness_um : float
        How far membranes wave.
    hematoxylin_od_rgb, dab_od_rgb : tuple of float
        Stain vectors.
    optics : Optics
    """

    size_um: float = 160.0
    mpp_um: float = 0.5
    spacing_um: float = 12.5
    irregularity: float = 0.18
    nucleus_um: float = 8.6
    nucleus_spread: float = 0.08
    off_centre_um: float = 0.5
    membrane_um: float = 0.8
    membrane_od_um: tuple[float, float, float, float] = (0.0, 0.2, 0.45, 0.8)
    membrane_spread: float = 0.1
    shares: tuple[float, float, float, float] = (0.25, 0.25, 0.25, 0.25)
    arrangement: Arrangement = Arrangement.CLONAL
    shared: Shared = Shared.MEAN
    cytoplasm_od: tuple[float, float, float, float] = (0.03, 0.03, 0.03, 0.03)
    cytoplasm_on_nucleus: float = 0.3
    stroma: float = 0.0
    lymphocytes_per_mm2: float = 1500.0
    infiltrating_per_mm2: float = 0.0
    control_od_um: float = 0.45
    background_od: float = 0.02
    waviness_um: float = 0.3
    hematoxylin_od_rgb: tuple[float, float, float] = HEMATOXYLIN_OD_RGB
    dab_od_rgb: tuple[float, float, float] = DAB_OD_RGB
    optics: Optics = field(default_factory=lambda: Optics(psf_um=0.35))


@dataclass(frozen=True, kw_only=True)
class PackedTile:
    """A drawn picture of packed cells and the truth about it.

    Attributes
    ----------
    rgb : ndarray of uint8, shape (n, n, 3)
    mpp_um : float
    cells : DataFrame
        ``x_px, y_px`` (of the nucleus), ``kind`` (tumour, lymphocyte, fibroblast), ``class`` (0, 1+, 2+, 3+;
        empty for others), ``membrane_od_um`` (of the class), ``neighbour_od_um`` (mean of its membranes as
        drawn), ``edge_um`` (distance from the picture's edge).
    tumour : ndarray of bool, shape (n, n)
    settings : PackedSettings
    """

    rgb: NDArray[np.uint8] = field(repr=False)
    mpp_um: float
    cells: pd.DataFrame = field(repr=False)
    tumour: NDArray[np.bool_] = field(repr=False)
    settings: PackedSettings


CLASS_NAMES = ("0", "1+", "2+", "3+")


def draw_packed(settings: PackedSettings, seed: int) -> PackedTile:
    """Draw a picture of packed cells; the same settings and seed give the same bytes."""
    return _Drawing(settings, np.random.default_rng(seed)).tile()


class _Drawing:
    """Planes of both stains on the fine grid, as they fill."""

    def __init__(self, settings: PackedSettings, rng: np.random.Generator) -> None:
        self.settings, self.rng = settings, rng
        self.factor = max(1, round(settings.mpp_um / _FINE_UM))
        self.fine_um = settings.mpp_um / self.factor
        n = round(settings.size_um / settings.mpp_um)
        self.side = n * self.factor
        at = (np.arange(self.side) + 0.5) * self.fine_um
        self.x_um, self.y_um = np.meshgrid(at, at)
        shape = (self.side, self.side)
        self.dab = np.full(shape, settings.background_od, np.float32)
        self.blue = np.full(shape, 0.04, np.float32) + 0.01 * smooth_noise(shape, 1.5 / self.fine_um, rng)
        self.texture = 1 + 0.12 * smooth_noise(shape, 0.7 / self.fine_um, rng)
        wave = smooth_noise(shape, 25.0 / self.fine_um, rng) * _EDGE_WAVE_UM
        width = settings.size_um * (1 - settings.stroma)
        self.tumour = (
            self.x_um + wave < width if 0 < settings.stroma < 1 else np.full(shape, settings.stroma == 0)
        )
        self.rows: list[dict[str, object]] = []

    def tile(self) -> PackedTile:
        import pandas as pd

        if self.settings.stroma > 0:
            self._stroma()
        if self.settings.stroma < 1:
            self._packed()
        step = self.factor
        return PackedTile(
            rgb=self._exposed(),
            mpp_um=self.settings.mpp_um,
            cells=pd.DataFrame(self.rows),
            tumour=self.tumour[step // 2 :: step, step // 2 :: step].copy(),
            settings=self.settings,
        )

    # ------------------------------------------------------------------ packed cells

    def _packed(self) -> None:
        settings, rng = self.settings, self.rng
        seeds = self._seeds()
        classes = self._classes(seeds)
        first, second, wall_um = self._nearest_two(seeds)
        inside = self._is_tumour(seeds)
        lymphocyte = inside & (rng.random(len(seeds)) < self._share_of_lymphocytes(seeds))
        own = np.where(lymphocyte, settings.control_od_um, np.array(settings.membrane_od_um)[classes])
        amount, pairs = self._walls(first, second, own, inside)
        sigma = settings.membrane_um / np.sqrt(2 * np.pi)
        profile = np.exp(-(wall_um**2) / (2 * sigma**2)) / settings.membrane_um
        self.dab += (amount * profile).astype(np.float32)
        nucleus = self._nuclei(seeds, first, inside, lymphocyte)
        stained = np.where(lymphocyte, 0.03, np.array(settings.cytoplasm_od)[classes]) * inside
        share = 1 - (1 - settings.cytoplasm_on_nucleus) * nucleus
        self.dab += (stained[first] * share * self.texture).astype(np.float32)
        drawn = _mean_over_walls(pairs, len(seeds))
        for number in np.flatnonzero(inside):
            kind = "lymphocyte" if lymphocyte[number] else "tumour"
            name = "" if lymphocyte[number] else CLASS_NAMES[classes[number]]
            self._told(self.nuclei_um[number], kind, name, own[number], drawn[number])

    def _nearest_two(self, seeds: Xy) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
        """Nearest and second nearest cell of each pixel, and its distance in µm from the wall of the two."""
        from scipy.spatial import cKDTree

        wave = [
            self.settings.waviness_um * smooth_noise(self.x_um.shape, 2.0 / self.fine_um, self.rng)
            for _ in range(2)
        ]
        x, y = self.x_um + wave[0], self.y_um + wave[1]
        # Which cells come into question is asked on a coarse grid: the tree is slow.
        step = 8
        coarse = np.column_stack([x[::step, ::step].ravel(), y[::step, ::step].ravel()])
        few = cKDTree(seeds).query(coarse, k=5)[1].reshape(*x[::step, ::step].shape, 5)
        few = few.repeat(step, axis=0).repeat(step, axis=1)[: self.side, : self.side]
        squared = np.stack(
            [
                ((x - seeds[few[..., i], 0]) ** 2 + (y - seeds[few[..., i], 1]) ** 2).astype(np.float32)
                for i in range(5)
            ]
        )
        order = np.argpartition(squared, 1, axis=0)[:2]
        near = np.take_along_axis(squared, order, axis=0)
        first, second = (np.take_along_axis(few, order[i][..., None], axis=2)[..., 0] for i in range(2))
        apart = np.hypot(*(seeds[first] - seeds[second]).transpose(2, 0, 1))
        return first, second, (near[1] - near[0]) / 2 / apart

    def _seeds(self) -> Xy:
        """Centres on a jittered hexagonal lattice that reaches beyond the picture."""
        step, size = self.settings.spacing_um, self.settings.size_um
        reach = 2 * step
        rows = np.arange(-reach, size + reach, step * np.sqrt(0.75))
        points = [
            (x + (step / 2 if i % 2 else 0), y)
            for i, y in enumerate(rows)
            for x in np.arange(-reach, size + reach, step)
        ]
        at = np.array(points) + self.rng.normal(0, self.settings.irregularity * step, (len(points), 2))
        for _ in range(6):  # cells push each other apart
            apart = at[:, None] - at[None]
            distance = np.hypot(apart[..., 0], apart[..., 1])
            np.fill_diagonal(distance, np.inf)
            overlap = np.maximum(_LEAST_SPACING * step - distance, 0) / 2
            at = at + (apart / distance[..., None] * overlap[..., None]).sum(axis=1)
        return at

    def _is_tumour(self, points: Xy) -> NDArray[np.bool_]:
        rows, columns = (np.clip((points[:, i] / self.fine_um).astype(int), 0, self.side - 1) for i in (1, 0))
        return np.asarray(self.tumour[rows, columns])

    def _classes(self, seeds: Xy) -> NDArray[np.intp]:
        """Class 0 to 3 of each cell."""
        rank = self.rng.random(len(seeds))
        if self.settings.arrangement is Arrangement.CLONAL:
            centres = self.rng.uniform(
                -_PATCH_UM, self.settings.size_um + _PATCH_UM,
                (max(4, round((self.settings.size_um / _PATCH_UM + 2) ** 2)), 2),
            )  # fmt: skip
            of_patch = self.rng.random(len(centres))
            nearest = np.hypot(*(seeds[:, None] - centres[None]).transpose(2, 0, 1)).argmin(axis=1)
            rank = of_patch[nearest]
        return np.searchsorted(np.cumsum(self.settings.shares)[:-1], rank, side="right")

    def _share_of_lymphocytes(self, seeds: Xy) -> float:
        area_mm2 = (self.settings.spacing_um * 1e-3) ** 2 * np.sqrt(0.75)
        return float(self.settings.infiltrating_per_mm2 * area_mm2)

    def _walls(
        self,
        first: NDArray[np.intp],
        second: NDArray[np.intp],
        own: NDArray[np.float64],
        inside: NDArray[np.bool_],
    ) -> tuple[NDArray[np.float64], dict[tuple[int, int], float]]:
        """Chromogen of the membrane next to each pixel, and of each pair of cells."""
        low, high = np.minimum(first, second), np.maximum(first, second)
        key = low.astype(np.int64) * len(own) + high
        found, inverse = np.unique(key, return_inverse=True)
        a, b = found // len(own), found % len(own)
        both = np.stack([own[a], own[b]])
        both = np.where(np.stack([inside[a], inside[b]]), both, both[::-1])  # a free side is its own cell's
        amount = both.mean(axis=0) if self.settings.shared is Shared.MEAN else both.max(axis=0)
        amount = amount * (inside[a] | inside[b])
        spread = 1 + self.settings.membrane_spread * self.rng.standard_normal(len(found))
        amount = amount * np.clip(spread, 0.5, 1.5)
        pairs = {
            (int(i), int(j)): float(v)
            for i, j, v in zip(a, b, amount, strict=True)
            if inside[i] and inside[j]
        }
        return amount[inverse].reshape(first.shape), pairs

    def _nuclei(
        self,
        seeds: Xy,
        first: NDArray[np.intp],
        inside: NDArray[np.bool_],
        lymphocyte: NDArray[np.bool_],
    ) -> Plane:
        """Nuclei of the packed cells, drawn; how much of each pixel they cover."""
        settings, rng = self.settings, self.rng
        self.nuclei_um = seeds + np.clip(
            rng.normal(0, settings.off_centre_um, seeds.shape),
            -2 * settings.off_centre_um, 2 * settings.off_centre_um,
        )  # fmt: skip
        covered = np.zeros_like(self.blue)
        for number in np.flatnonzero(inside):
            size = settings.nucleus_um * (1 + settings.nucleus_spread * rng.standard_normal())
            od = rng.uniform(0.32, 0.5)
            if lymphocyte[number]:
                size, od = rng.uniform(5.6, 6.8), rng.uniform(0.6, 0.8)
            self._ellipse(covered, self.nuclei_um[number], size, rng.uniform(1.0, 1.3), od)
        return covered

    # ------------------------------------------------------------------ stroma

    def _stroma(self) -> None:
        """Pale fibres, spindle nuclei, and lymphocytes with a membrane of their own."""
        settings, rng = self.settings, self.rng
        fibre = smooth_noise(self.blue.shape, (0.6 / self.fine_um, 6.0 / self.fine_um), rng)
        self.blue += np.where(self.tumour, 0, 0.03 * np.abs(fibre)).astype(np.float32)
        covered = np.zeros_like(self.blue)
        area_mm2 = (settings.size_um * 1e-3) ** 2
        taken: list[Xy] = []
        for kind, n, gap in (
            ("lymphocyte", settings.lymphocytes_per_mm2 * area_mm2, 8.5),
            ("fibroblast", 700 * area_mm2, 10.0),
        ):
            for at in rng.uniform(0, settings.size_um, (round(n), 2)):
                near = [other for other in taken if np.hypot(*(other - at)) < gap]
                if near or self._is_tumour(at[None])[0] or self._near_tumour(at):
                    continue
                taken.append(at)
                if kind == "fibroblast":
                    self._ellipse(
                        covered, at, rng.uniform(5, 6.5), rng.uniform(2.0, 2.8), rng.uniform(0.25, 0.4)
                    )
                else:
                    self._lymphocyte(covered, at)
                self._told(at, kind, "", settings.control_od_um if kind == "lymphocyte" else 0.0, np.nan)

    def _near_tumour(self, at: Xy) -> bool:
        around = at + 7.0 * np.array([[1, 0], [-1, 0], [0, 1], [0, -1]])
        return bool(self._is_tumour(around).any())

    def _lymphocyte(self, covered: Plane, at: Xy) -> None:
        settings, rng = self.settings, self.rng
        size = rng.uniform(5.6, 6.8)
        self._ellipse(covered, at, size, rng.uniform(1.0, 1.15), rng.uniform(0.6, 0.8))
        radius = size / 2 + rng.uniform(0.6, 1.1)
        sigma = settings.membrane_um / np.sqrt(2 * np.pi)
        window, dx, dy = self._around(at, radius + 4 * sigma)
        across = np.hypot(dx, dy) - radius
        amount = settings.control_od_um * np.clip(
            1 + settings.membrane_spread * rng.standard_normal(), 0.5, 1.5
        )
        self.dab[window] += (amount / settings.membrane_um * np.exp(-(across**2) / (2 * sigma**2))).astype(
            np.float32
        )

    # ------------------------------------------------------------------ strokes

    def _around(self, at: Xy, reach_um: float) -> tuple[tuple[slice, slice], Xy, Xy]:
        """The window around a point, and the offsets of its pixels from it."""
        spans = []
        for centre in (at[1], at[0]):
            low = int(np.clip((centre - reach_um) / self.fine_um, 0, self.side))
            high = int(np.clip((centre + reach_um) / self.fine_um + 1, low, self.side))
            spans.append(slice(low, high))
        window = (spans[0], spans[1])
        return window, self.x_um[window] - at[0], self.y_um[window] - at[1]

    def _ellipse(self, covered: Plane, at: Xy, size_um: float, aspect: float, od: float) -> None:
        """A nucleus of that diameter (of the circle of its area), soft at its edge."""
        angle = self.rng.uniform(0, np.pi)
        long, short = size_um / 2 * np.sqrt(aspect), size_um / 2 / np.sqrt(aspect)
        window, dx, dy = self._around(at, long + 1)
        u = (dx * np.cos(angle) + dy * np.sin(angle)) / long
        v = (-dx * np.sin(angle) + dy * np.cos(angle)) / short
        inside = np.clip((1 - np.hypot(u, v)) * short / 0.35 + 0.5, 0, 1).astype(np.float32)
        self.blue[window] += (od * inside * self.texture[window]).astype(np.float32)
        covered[window] = np.maximum(covered[window], inside)

    def _told(self, at: Xy, kind: str, name: str, od_um: float, drawn: float) -> None:
        """Keep a cell in the truth where its nucleus lies on the picture."""
        size, mpp_um = self.settings.size_um, self.settings.mpp_um
        edge = float(min(at.min(), (size - at).min()))
        if edge > 0:
            self.rows.append(
                {
                    "x_px": float(at[0] / mpp_um - 0.5), "y_px": float(at[1] / mpp_um - 0.5), "kind": kind,
                    "class": name, "membrane_od_um": float(od_um), "neighbour_od_um": float(drawn),
                    "edge_um": edge,
                }
            )  # fmt: skip

    def _exposed(self) -> NDArray[np.uint8]:
        """Light through both stains, the lens, the pixels and the sensor."""
        optics, step = self.settings.optics, self.factor
        vectors = [
            np.array(one) / np.linalg.norm(one)
            for one in (self.settings.hematoxylin_od_rgb, self.settings.dab_od_rgb)
        ]
        od = self.blue[..., None] * vectors[0] + self.dab[..., None] * vectors[1]
        light = np.power(10.0, -od).astype(np.float32)
        light = blurred(light, optics.psf_um / self.fine_um, border=Border.REPEATED)
        n = self.side // step
        light = light.reshape(n, step, n, step, 3).mean(axis=(1, 3))
        light = (light + optics.flare) / (1 + optics.flare)
        noise = self.rng.standard_normal(light.shape) * optics.noise_grey
        grey = light * np.array(optics.white_rgb) + noise * np.sqrt(light)
        return np.asarray(np.clip(np.rint(grey), 0, 255), np.uint8)


def _mean_over_walls(pairs: dict[tuple[int, int], float], n: int) -> NDArray[np.float64]:
    """Mean chromogen of each cell's membranes as they were drawn."""
    total, count = np.zeros(n), np.zeros(n)
    for (a, b), amount in pairs.items():
        for one in (a, b):
            total[one] += amount
            count[one] += 1
    with np.errstate(invalid="ignore"):
        return np.asarray(total / count)
