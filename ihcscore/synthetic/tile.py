"""A small picture of known truth, as a pathologist's region of interest."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ihcscore.synthetic.draw.ground import Backdrop, TissueMap
from ihcscore.synthetic.draw.layout import Extent, Points, gather, scatter, spread
from ihcscore.synthetic.draw.optics import Camera, Optics
from ihcscore.synthetic.draw.scene import Scene, Staining
from ihcscore.synthetic.draw.sprites import REACH_UM, CellKind, Look, SpriteBank
from ihcscore.synthetic.draw.texture import smooth_noise

if TYPE_CHECKING:
    import pandas as pd

_MAP_STEP_UM = 2.0
_ALL_UM = 1e4


@dataclass(frozen=True, kw_only=True)
class TileSettings:
    """What is on a tile.

    Attributes
    ----------
    size_xy_px : tuple of int
        Width and height.
    mpp_um : float
        µm per pixel.
    n_positive : int
        Positive cells whose centre lies on the tile.
    n_lymphocytes : int
        Negative lymphocytes.
    n_melanophages : int
        Cells full of coarse melanin.
    pigmented_fraction : float
        Share of tumour cells with granules of melanin, 0 to 1.
    tumour_fraction : float
        Share of the tile, from its left edge, that is tumour; the rest is stroma.
    tumour_per_mm2, stroma_per_mm2 : float
        Nuclei of tumour and stroma per mm² of either.
    tissue : bool
        False for empty glass.
    staining : Staining
        How the tissue took the stain.
    optics : Optics
        How it is seen.
    """

    size_xy_px: tuple[int, int] = (400, 400)
    mpp_um: float = 0.25
    n_positive: int = 15
    n_lymphocytes: int = 6
    n_melanophages: int = 0
    pigmented_fraction: float = 0.0
    tumour_fraction: float = 0.6
    tumour_per_mm2: float = 5000.0
    stroma_per_mm2: float = 2400.0
    tissue: bool = True
    staining: Staining = field(default_factory=Staining)
    optics: Optics = field(default_factory=Optics)

    def __post_init__(self) -> None:
        if min(self.size_xy_px) < 1:
            raise ValueError(f"size_xy_px is {self.size_xy_px}, expected 1 or more each")
        if self.mpp_um <= 0:
            raise ValueError(f"mpp_um is {self.mpp_um}, expected above 0")
        for name in ("n_positive", "n_lymphocytes", "n_melanophages", "tumour_per_mm2", "stroma_per_mm2"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} is {getattr(self, name)}, expected 0 or more")
        for name in ("pigmented_fraction", "tumour_fraction"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is {getattr(self, name)}, expected 0 to 1")
        if not self.tissue and self.n_positive + self.n_lymphocytes + self.n_melanophages > 0:
            raise ValueError("cells are asked for where tissue is False; ask for none")

    @property
    def extent_um(self) -> Extent:
        """The tile in µm, from the centre of its first pixel's outer corner on."""
        width, height = self.size_xy_px
        half = self.mpp_um / 2
        return Extent(
            left=-half, top=-half, right=width * self.mpp_um - half, bottom=height * self.mpp_um - half
        )


@dataclass(frozen=True, kw_only=True)
class Tile:
    """A drawn tile and the truth about it.

    Attributes
    ----------
    rgb : ndarray of uint8, shape (h, w, 3)
        The picture.
    mpp_um : float
        µm per pixel.
    cells : DataFrame
        ``x_px, y_px, class, kind, strength, diameter_um``; cells whose centre lies on the tile.
    pigment : DataFrame
        ``x_px, y_px, class, kind, diameter_um`` of melanophages and pigmented tumour cells.
    pigment_mask : ndarray of bool, shape (h, w)
        Where melanin was drawn, more than 0.1 along its unit vector.
    """

    rgb: NDArray[np.uint8]
    mpp_um: float
    cells: pd.DataFrame
    pigment: pd.DataFrame
    pigment_mask: NDArray[np.bool_]

    @property
    def n_positive(self) -> int:
        """True number of positive cells."""
        return int((self.cells["class"] == "Positive").sum())


def draw_tile(settings: TileSettings, seed: int) -> Tile:
    """Draw a tile; the same settings and seed give the same bytes."""
    rng = np.random.default_rng(seed)
    tissue = _tissue_map(settings, rng)
    side_px = 512 if max(settings.size_xy_px) <= 512 else 1024
    dyes = (settings.staining.hematoxylin_od_rgb, settings.staining.dab_od_rgb)
    scene = Scene(
        size_xy_px=settings.size_xy_px,
        camera=Camera.make(settings.optics, settings.mpp_um, dyes, rng),
        backdrop=Backdrop.make(tissue, settings.mpp_um, settings.staining.haze_od, side_px, rng),
        bank=SpriteBank(mpp_um=settings.mpp_um, seed=seed, variants=64),
        seed=seed,
    )
    if settings.tissue:
        _put_cells(scene, settings, rng)
    cells, pigment = scene.truth()
    return Tile(
        rgb=scene.draw(),
        mpp_um=settings.mpp_um,
        cells=cells,
        pigment=pigment,
        pigment_mask=scene.melanin_mask(),
    )


def _put_cells(scene: Scene, settings: TileSettings, rng: np.random.Generator) -> None:
    """Put all cells; those in the surroundings reach into the tile but are not in its truth."""
    staining, inner, tissue = settings.staining, settings.extent_um, scene.backdrop.tissue
    outer = inner.grown(REACH_UM)

    def inside(points: Points) -> NDArray[np.bool_]:
        return np.asarray(inner.holds(points) & tissue.is_tissue(points))

    def with_surroundings(points: Points) -> Points:
        n_outside = round(len(points) * (outer.area_mm2 / inner.area_mm2 - 1))
        outside = scatter(n_outside, outer, lambda some: ~inner.holds(some), rng)
        return np.concatenate([points, outside])

    points = with_surroundings(gather(settings.n_positive, staining.spacing, inner, inside, rng))
    scene.put(points, staining.positive_looks(len(points), rng), None, rng)
    placed = points
    others = {CellKind.MELANOPHAGE: settings.n_melanophages, CellKind.LYMPHOCYTE: settings.n_lymphocytes}
    for kind, n in others.items():
        points = spread(
            scatter(n, inner, inside, rng), placed, 9.0, lambda count: scatter(count, inner, inside, rng)
        )
        points = with_surroundings(points)
        scene.put(points, Look(kind=kind), None, rng)
        placed = np.concatenate([placed, points])
    tumour, stroma = tissue.nuclei(outer, (settings.tumour_per_mm2, settings.stroma_per_mm2), rng)
    scene.put_tissue_cells(tumour, stroma, rng.random(len(tumour)) < settings.pigmented_fraction, rng)
    n_debris = int(rng.poisson(staining.debris_per_mm2 * inner.area_mm2))
    scene.put(inner.uniform(n_debris, rng), Look(kind=CellKind.DEBRIS), None, rng)


def _tissue_map(settings: TileSettings, rng: np.random.Generator) -> TissueMap:
    """Tissue everywhere or nowhere; tumour up to a wavy vertical edge."""
    margin = REACH_UM + 12 * settings.mpp_um + 2 * _MAP_STEP_UM
    width_um, height_um = (n * settings.mpp_um for n in settings.size_xy_px)
    columns = int(np.ceil((width_um + 2 * margin) / _MAP_STEP_UM)) + 4
    rows = int(np.ceil((height_um + 2 * margin) / _MAP_STEP_UM)) + 4
    shape = (rows, columns)
    x = np.arange(columns, dtype=np.float32) * np.float32(_MAP_STEP_UM) - np.float32(margin)
    wave = 6 * smooth_noise(shape, 12 / _MAP_STEP_UM, rng)
    if settings.tumour_fraction in (0.0, 1.0):
        tumour = np.full(shape, _ALL_UM if settings.tumour_fraction == 1.0 else -_ALL_UM, dtype=np.float32)
    else:
        tumour = np.float32(settings.tumour_fraction * width_um) - x[None, :] + wave
    tissue = np.full(shape, _ALL_UM if settings.tissue else -_ALL_UM, dtype=np.float32)
    return TissueMap(
        step_um=_MAP_STEP_UM,
        origin_um=-margin,
        tissue_um=tissue,
        tumour_um=tumour.astype(np.float32),
        hole=smooth_noise(shape, 7 / _MAP_STEP_UM, rng),
        nest=smooth_noise(shape, 40 / _MAP_STEP_UM, rng),
        mottle=smooth_noise(shape, 30 / _MAP_STEP_UM, rng),
    )
