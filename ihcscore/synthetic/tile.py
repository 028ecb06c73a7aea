"""A small picture of known truth, as a pathologist's region of interest."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ihcscore.planes import Plane
from ihcscore.synthetic.draw.confusers import Confuser, ConfuserKind, Confusers, draw_confusers
from ihcscore.synthetic.draw.ground import Backdrop, TissueMap
from ihcscore.synthetic.draw.layer import Layer
from ihcscore.synthetic.draw.layout import Extent, Points, clear_of, gather, scatter, spread
from ihcscore.synthetic.draw.optics import Camera, Optics
from ihcscore.synthetic.draw.pigment import Clump, Pigment, PigmentManner, draw_pigment
from ihcscore.synthetic.draw.scene import Scene, Staining
from ihcscore.synthetic.draw.sprites import REACH_UM, CellKind, Look
from ihcscore.synthetic.draw.stock import Stock
from ihcscore.synthetic.draw.texture import smooth_noise

if TYPE_CHECKING:
    import pandas as pd

_MAP_STEP_UM = 2.0
_ALL_UM = 1e4
_VARIANTS = 64
_DARK_UM = 6.3
_PIGMENT_FROM_OD = 0.1
_ADDED = 0xADD  # seeds what is drawn on top, so that the tissue under it stays the same


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
    pigment : tuple of Pigment
        Melanin of any manner, in clumps that stand in the tile's `clumps`; none by default. The tissue
        under it is the same with and without.
    confusers : Confusers
        Red cells, smears, dark nuclei, pale rings and macrophages; none by default. All but dark nuclei
        leave the tissue under them the same.
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
    pigment: tuple[Pigment, ...] = ()
    confusers: Confusers = field(default_factory=Confusers)
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
        if not self.tissue and (self.pigment or self.confusers != Confusers()):
            raise ValueError("pigment or confusers are asked for where tissue is False; ask for none")
        if self.n_positive == 0 and any(part.manner is PigmentManner.BESIDE for part in self.pigment):
            raise ValueError(f"pigment {PigmentManner.BESIDE} is asked for, but n_positive is 0")

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
    clumps : DataFrame
        ``x_px, y_px, radius_um, manner, on_nucleus, touches_positive`` of the clumps of
        `TileSettings.pigment` whose middle lies on the tile.
    confusers : DataFrame
        ``x_px, y_px, kind, diameter_um`` of confusers whose middle lies on the tile. Dark nuclei stand in
        `cells` too; pale rings and macrophages lie about a nucleus that does.
    settings : TileSettings
        What was asked for.
    """

    rgb: NDArray[np.uint8]
    mpp_um: float
    cells: pd.DataFrame
    pigment: pd.DataFrame
    pigment_mask: NDArray[np.bool_]
    clumps: pd.DataFrame
    confusers: pd.DataFrame
    settings: TileSettings

    @property
    def n_positive(self) -> int:
        """True number of positive cells."""
        return int((self.cells["class"] == "Positive").sum())


def draw_tile(settings: TileSettings, seed: int) -> Tile:
    """Draw a tile; the same settings and seed give the same bytes."""
    rng = np.random.default_rng(seed)
    tissue = _tissue_map(settings, rng)
    side_px = 512 if max(settings.size_xy_px) <= 512 else 1024
    stock = Stock.make(settings.mpp_um, side_px, seed=seed, variants=_VARIANTS, rng=rng)
    return _drawn(settings, stock, tissue, seed, rng)


def draw_tile_of(stock: Stock, settings: TileSettings, seed: int) -> Tile:
    """Draw a tile of ready-made parts, in a third of the time: tiles of one stock share shapes of cells.

    Raises
    ------
    ValueError
        If the stock is of another scale or too small for the tile.
    """
    if stock.bank.mpp_um != settings.mpp_um:
        raise ValueError(f"the stock is of {stock.bank.mpp_um} µm/px, expected {settings.mpp_um}")
    rng = np.random.default_rng(seed)
    tissue = _tissue_map(settings, rng)
    return _drawn(settings, stock.shifted(rng), tissue, seed, rng)


def _drawn(
    settings: TileSettings, stock: Stock, tissue: TissueMap, seed: int, rng: np.random.Generator
) -> Tile:
    staining = settings.staining
    dyes = (staining.hematoxylin_od_rgb, staining.dab_od_rgb)
    scene = Scene(
        size_xy_px=settings.size_xy_px,
        camera=Camera.with_noise(settings.optics, settings.mpp_um, dyes, stock.noise, staining.gains),
        backdrop=Backdrop(
            tissue=tissue,
            mpp_um=settings.mpp_um,
            haze_od=staining.haze_od,
            fibres=stock.fibres,
            cloud=stock.cloud,
        ),
        bank=stock.bank,
        seed=seed,
    )
    added = np.random.default_rng([seed, _ADDED])
    dark = _put_cells(scene, settings, rng, added) if settings.tissue else []
    clumps, confusers, pigment_od = _put_on_top(scene, settings, added)
    cells, pigment = scene.truth()
    mask = scene.melanin_mask(_PIGMENT_FROM_OD)
    if pigment_od is not None:
        mask |= pigment_od > _PIGMENT_FROM_OD
    return Tile(
        rgb=scene.draw(),
        mpp_um=settings.mpp_um,
        cells=cells,
        pigment=pigment,
        pigment_mask=mask,
        clumps=_table(clumps, Clump, settings),
        confusers=_table([*dark, *confusers], Confuser, settings),
        settings=settings,
    )


def _put_on_top(
    scene: Scene, settings: TileSettings, rng: np.random.Generator
) -> tuple[list[Clump], list[Confuser], Plane | None]:
    """Put pigment and confusers, as many on the surroundings' area as on the tile's; pigment's OD, (h, w)."""
    if not settings.pigment and settings.confusers == Confusers():
        return [], [], None
    camera, tissue = scene.camera, scene.backdrop.tissue
    layer = Layer(settings.size_xy_px, camera.halo_px, camera.mpp_um, scene.backdrop.cloud)
    outer = settings.extent_um.grown(REACH_UM)
    ratio = outer.area_mm2 / settings.extent_um.area_mm2
    nuclei = scene.nuclei()

    def places(n: int) -> Points:
        return scatter(n, outer, tissue.is_tissue, rng)

    clumps: list[Clump] = []
    for pigment in settings.pigment:
        clumps += draw_pigment(layer, pigment.times(ratio), nuclei, places, rng)
    halo = camera.halo_px
    pigment_od = np.linalg.norm(layer.od[halo:-halo, halo:-halo], axis=2)
    dab = camera.stain_od_rgb[1]
    confusers = draw_confusers(layer, settings.confusers.times(ratio), nuclei, places, dab, rng)
    scene.over = layer
    return clumps, confusers, pigment_od.astype(np.float32)


def _table(things: list[Clump] | list[Confuser], kind: type, settings: TileSettings) -> pd.DataFrame:
    """Those whose middle lies on the tile, their middles in pixels; a column a field."""
    import pandas as pd

    columns = [column.name for column in fields(kind) if column.name != "centre_um"]
    rows = []
    for thing in things:
        x, y = (float(at) / settings.mpp_um for at in thing.centre_um)
        if settings.extent_um.holds(np.array([thing.centre_um]))[0]:
            values = asdict(thing)
            rows.append([round(x, 2), round(y, 2), *(values[name] for name in columns)])
    return pd.DataFrame(rows, columns=["x_px", "y_px", *columns])


def _put_cells(
    scene: Scene, settings: TileSettings, rng: np.random.Generator, added: np.random.Generator
) -> list[Confuser]:
    """Put all cells; those in the surroundings reach into the tile but are not in its truth.

    Dark nuclei, of the second source of chance, are given back.
    """
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
    dark = _put_dark_nuclei(scene, settings, placed, added)
    tumour, stroma = tissue.nuclei(outer, (settings.tumour_per_mm2, settings.stroma_per_mm2), rng)
    scene.put_tissue_cells(tumour, stroma, rng.random(len(tumour)) < settings.pigmented_fraction, rng)
    n_debris = int(rng.poisson(staining.debris_per_mm2 * inner.area_mm2))
    scene.put(inner.uniform(n_debris, rng), Look(kind=CellKind.DEBRIS), None, rng)
    return dark


def _put_dark_nuclei(
    scene: Scene, settings: TileSettings, placed: Points, rng: np.random.Generator
) -> list[Confuser]:
    """Put dark nuclei clear of the cells that are there, on the tile and around it alike."""
    dark = settings.confusers.dark_nuclei
    if dark.n == 0:
        return []
    outer = settings.extent_um.grown(REACH_UM)
    n = round(dark.n * outer.area_mm2 / settings.extent_um.area_mm2)
    points = gather(n, dark.clustering, outer, scene.backdrop.tissue.is_tissue, rng)
    points = points[clear_of(points, placed, 8.0)]
    scene.put(points, Look(kind=CellKind.LYMPHOCYTE, dark=True), None, rng)
    return [
        Confuser(centre_um=(float(x), float(y)), kind=ConfuserKind.DARK_NUCLEUS, diameter_um=_DARK_UM)
        for x, y in points
    ]


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
