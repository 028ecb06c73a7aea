"""A whole section of known truth: tissue on glass, a tumour in it, and planted densities by zone."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ihcscore.schema import CellClass
from ihcscore.synthetic.anatomy import Anatomy
from ihcscore.synthetic.draw.ground import Backdrop
from ihcscore.synthetic.draw.layout import Extent, Inside, Points, gather, scatter, spread
from ihcscore.synthetic.draw.optics import Camera, Optics, draw_sensor_noise
from ihcscore.synthetic.draw.scene import Scene, Staining
from ihcscore.synthetic.draw.sprites import CellKind, Look, SpriteBank
from ihcscore.synthetic.mounting import Mounting, MountingSettings
from ihcscore.synthetic.zones import Zone, zone_areas_mm2, zones_of

if TYPE_CHECKING:
    import pandas as pd
    import shapely

_TEXTURE_PX = 1024
_VARIANTS = 12
_TUMOUR_RGB = (200, 0, 0)  # QuPath's colour of its class Tumor


@dataclass(frozen=True, kw_only=True)
class SectionSettings:
    """What is on a section.

    The default densities lie within what Kather et al. 2018 (doi 10.7554/eLife.36967) counted for CD3
    and CD8 in melanoma.

    Attributes
    ----------
    size_um : tuple of float
        Width and height of the scanned rectangle.
    mpp_um : float
        µm per pixel.
    tissue_um, tumour_um : float
        About the diameter of tissue and tumour; a tumour of 0 is none.
    front_um : float
        Half the width of the invasive front: it reaches so far to both sides of the outline.
    centre_per_mm2, front_per_mm2, elsewhere_per_mm2 : float
        Positive cells per mm² of each zone.
    lymphocytes_per_mm2 : float
        Negative lymphocytes per mm² of tissue.
    melanophages_per_mm2 : float
        Cells full of melanin per mm² of invasive front.
    pigmented_fraction : float
        Share of tumour cells with granules of melanin, 0 to 1; they lie together.
    tumour_per_mm2, stroma_per_mm2 : float
        Nuclei of tumour and stroma per mm² of either.
    anatomy_seed : int or None
        Seed of outlines, nests and holes; None takes the section's own. Sections of one anatomy and
        one `size_um` are serial sections of one block: dense and loose patches are common to them, and
        about half of the nuclei of tumour and stroma, but no lymphocytes.
    mounting : MountingSettings
        How it lies on the glass; a bend is of the section's own seed.
    torn_fraction : float
        Share of the tissue that is missing at one side, 0 to below 1; the side is of the section's own seed.
        The tumour's outline stays whole.
    staining : Staining
        How the tissue took the stain.
    optics : Optics
        How it is seen.
    """

    size_um: tuple[float, float] = (4200.0, 4200.0)
    mpp_um: float = 0.5
    tissue_um: float = 3700.0
    tumour_um: float = 2400.0
    front_um: float = 500.0
    centre_per_mm2: float = 300.0
    front_per_mm2: float = 900.0
    elsewhere_per_mm2: float = 80.0
    lymphocytes_per_mm2: float = 250.0
    melanophages_per_mm2: float = 6.0
    pigmented_fraction: float = 0.02
    tumour_per_mm2: float = 5000.0
    stroma_per_mm2: float = 2400.0
    anatomy_seed: int | None = None
    mounting: MountingSettings = field(default_factory=MountingSettings)
    torn_fraction: float = 0.0
    staining: Staining = field(default_factory=Staining)
    optics: Optics = field(default_factory=Optics)

    def __post_init__(self) -> None:
        if self.mpp_um <= 0:
            raise ValueError(f"mpp_um is {self.mpp_um}, expected above 0")
        if not 0 <= self.tumour_um < self.tissue_um <= min(self.size_um):
            raise ValueError(
                f"tumour_um is {self.tumour_um}, tissue_um {self.tissue_um}, size_um {self.size_um}; "
                "expected the tumour inside the tissue inside the picture"
            )
        for name in (
            "front_um",
            "centre_per_mm2",
            "front_per_mm2",
            "elsewhere_per_mm2",
            "lymphocytes_per_mm2",
            "melanophages_per_mm2",
            "tumour_per_mm2",
            "stroma_per_mm2",
            "pigmented_fraction",
        ):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} is {getattr(self, name)}, expected 0 or more")
        if not 0 <= self.torn_fraction < 1:
            raise ValueError(f"torn_fraction is {self.torn_fraction}, expected 0 to below 1")

    @property
    def size_xy_px(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return round(self.size_um[0] / self.mpp_um), round(self.size_um[1] / self.mpp_um)


@dataclass(frozen=True, kw_only=True)
class Section:
    """A drawn section and the truth about it, in pixels of `rgb`: centres at 0, x right, y down.

    Attributes
    ----------
    rgb : ndarray of uint8, shape (h, w, 3)
        The picture; written by `write_phantom` it is what OpenSlide's bounds enclose.
    mpp_um : float
        µm per pixel.
    cells : DataFrame
        ``x_px, y_px, class, kind, strength, diameter_um, zone``.
    pigment : DataFrame
        ``x_px, y_px, class, kind, diameter_um`` of melanophages and pigmented tumour cells.
    zones : DataFrame
        ``zone, area_mm2, planted_per_mm2, n_positive, positive_per_mm2``, one row a zone.
    tumour_px : list of tuple of float
        Outline of the tumour as (x, y), open; empty without a tumour.
    tissue_px : list of tuple of float
        Outline of the tissue, likewise.
    mounting : Mounting
        How the section lies on its glass.
    anatomy_seed : int
        Which block it is of.
    """

    rgb: NDArray[np.uint8]
    mpp_um: float
    cells: pd.DataFrame
    pigment: pd.DataFrame
    zones: pd.DataFrame
    tumour_px: list[tuple[float, float]]
    tissue_px: list[tuple[float, float]]
    mounting: Mounting
    anatomy_seed: int

    def placed(self, points_um: ArrayLike) -> Points:
        """Where points of the block of tissue, shape (n, 2), lie on this section.

        Both in µm from the centre of the picture's first pixel, in which `rgb`, `cells` and outlines are
        times `mpp_um`; a section that is not turned, shifted or distorted lies as in the block.
        `mounting.to_block` is the way back, `true_map` leads to another section.
        """
        return self.mounting.to_glass(points_um)

    def n_positive_in(self, x_px: float, y_px: float, side_px: float) -> int:
        """True number of positive cells whose centre lies in a square.

        The square's left edge is at `x_px` and its top edge at `y_px`; these two edges belong to it, the
        other two to its neighbours.
        """
        x, y = self.cells["x_px"], self.cells["y_px"]
        within = (x >= x_px) & (x < x_px + side_px) & (y >= y_px) & (y < y_px + side_px)
        return int((within & (self.cells["class"] == str(CellClass.POSITIVE))).sum())

    def geojson(self) -> dict[str, Any]:
        """Outline of the tumour as QuPath writes an annotation; no feature without a tumour."""
        features = []
        if self.tumour_px:
            ring = [[round(x, 2), round(y, 2)] for x, y in [*self.tumour_px, self.tumour_px[0]]]
            features.append(
                {
                    "type": "Feature",
                    "geometry": {"type": "Polygon", "coordinates": [ring]},
                    "properties": {
                        "objectType": "annotation",
                        "name": "Tumour outline",
                        "classification": {"name": "Tumor", "color": list(_TUMOUR_RGB)},
                    },
                }
            )
        return {"type": "FeatureCollection", "features": features}

    def geojson_text(self) -> str:
        """`geojson` as it is written to a file."""
        return json.dumps(self.geojson(), indent=1) + "\n"


def draw_section(settings: SectionSettings, seed: int) -> Section:
    """Draw a section; the same settings and seed give the same bytes.

    Raises
    ------
    ValueError
        If the tissue, turned and shifted, does not lie inside the picture.
    """
    rng = np.random.default_rng(seed)
    anatomy = _anatomy(settings, seed)
    staining = settings.staining
    dyes = (staining.hematoxylin_od_rgb, staining.dab_od_rgb)
    scene = Scene(
        size_xy_px=settings.size_xy_px,
        camera=Camera.with_noise(
            settings.optics, settings.mpp_um, dyes, draw_sensor_noise(rng), staining.gains
        ),
        backdrop=Backdrop.make(anatomy.tissue_map(), settings.mpp_um, staining.haze_od, _TEXTURE_PX, rng),
        bank=SpriteBank(mpp_um=settings.mpp_um, seed=seed, variants=_VARIANTS),
        seed=seed,
    )
    areas = zone_areas_mm2(anatomy, settings.front_um)
    _put_cells(scene, anatomy, settings, areas, rng)
    cells, pigment = scene.truth()
    at = cells[["x_px", "y_px"]].to_numpy() * settings.mpp_um
    cells["zone"] = zones_of(anatomy, settings.front_um, at)
    return Section(
        rgb=scene.draw(),
        mpp_um=settings.mpp_um,
        cells=cells,
        pigment=pigment,
        zones=_zone_table(cells, areas, settings),
        tumour_px=_outline_px(anatomy.tumour, settings.mpp_um),
        tissue_px=_outline_px(anatomy.tissue, settings.mpp_um),
        mounting=anatomy.mounting,
        anatomy_seed=anatomy.seed,
    )


def _anatomy(settings: SectionSettings, seed: int) -> Anatomy:
    serial = settings.anatomy_seed is not None
    anatomy = Anatomy.make(
        size_um=settings.size_um,
        across_um=(settings.tissue_um, settings.tumour_um),
        seed=seed if settings.anatomy_seed is None else settings.anatomy_seed,
        mounting=Mounting.make(settings.mounting, size_um=settings.size_um, seed=seed),
        serial=serial,
    )
    if settings.torn_fraction > 0:
        anatomy = anatomy.torn(settings.torn_fraction, seed)
    _require_inside(anatomy, settings)
    return anatomy


def _require_inside(anatomy: Anatomy, settings: SectionSettings) -> None:
    left, top, right, bottom = anatomy.tissue.bounds
    if left < 0 or top < 0 or right > settings.size_um[0] or bottom > settings.size_um[1]:
        raise ValueError(
            f"the tissue spans {left:.0f} to {right:.0f} by {top:.0f} to {bottom:.0f} µm of a picture of "
            f"{settings.size_um[0]:.0f} by {settings.size_um[1]:.0f}; make it smaller or shift it less"
        )


def _outline_px(polygon: shapely.Polygon | None, mpp_um: float) -> list[tuple[float, float]]:
    if polygon is None:
        return []
    return [(float(x / mpp_um), float(y / mpp_um)) for x, y in polygon.exterior.coords[:-1]]


def _planted_per_mm2(settings: SectionSettings) -> dict[Zone, float]:
    return {
        Zone.CENTRE: settings.centre_per_mm2,
        Zone.FRONT: settings.front_per_mm2,
        Zone.ELSEWHERE: settings.elsewhere_per_mm2,
    }


def _zone_table(cells: pd.DataFrame, areas: dict[Zone, float], settings: SectionSettings) -> pd.DataFrame:
    import pandas as pd

    positive = cells.loc[cells["class"] == str(CellClass.POSITIVE), "zone"].value_counts()
    rows = []
    for zone, area in areas.items():
        n = int(positive.get(str(zone), 0))
        planted = _planted_per_mm2(settings)[zone] if area > 0 else 0.0
        per_mm2 = n / area if area > 0 else 0.0
        rows.append((str(zone), area, planted, n, per_mm2))
    return pd.DataFrame(
        rows, columns=["zone", "area_mm2", "planted_per_mm2", "n_positive", "positive_per_mm2"]
    )


def _put_cells(
    scene: Scene,
    anatomy: Anatomy,
    settings: SectionSettings,
    areas: dict[Zone, float],
    rng: np.random.Generator,
) -> None:
    tissue, staining = scene.backdrop.tissue, settings.staining
    left, top, right, bottom = anatomy.tissue.bounds
    extent = Extent(left=left, top=top, right=right, bottom=bottom)
    placed: list[Points] = [_positives(scene, anatomy, settings, areas, rng)]
    scene.put(placed[0], staining.positive_looks(len(placed[0]), rng), None, rng)

    def place(n: int, kind: CellKind, inside: Inside, apart_um: float) -> None:
        def again(count: int) -> Points:
            return scatter(count, extent, inside, rng)

        placed.append(spread(again(n), np.concatenate(placed), apart_um, again))
        scene.put(placed[-1], Look(kind=kind), None, rng)

    front = _in_zone(scene, anatomy, settings.front_um, Zone.FRONT)
    place(round(settings.melanophages_per_mm2 * areas[Zone.FRONT]), CellKind.MELANOPHAGE, front, 14.0)
    place(
        round(settings.lymphocytes_per_mm2 * sum(areas.values())), CellKind.LYMPHOCYTE, tissue.is_tissue, 9.0
    )
    per_mm2 = (settings.tumour_per_mm2, settings.stroma_per_mm2)
    tumour, stroma = (
        anatomy.nuclei(tissue, per_mm2, rng) if anatomy.serial else tissue.nuclei(extent, per_mm2, rng)
    )
    scene.put_tissue_cells(tumour, stroma, _pigmented(scene, tumour, settings.pigmented_fraction), rng)
    n_debris = round(staining.debris_per_mm2 * sum(areas.values()))
    scene.put(scatter(n_debris, extent, tissue.is_tissue, rng), Look(kind=CellKind.DEBRIS), None, rng)


def _pigmented(scene: Scene, tumour_um: Points, fraction: float) -> NDArray[np.bool_]:
    """The share of tumour cells with pigment: those where the staining's mottle is highest, so together."""
    mottle = scene.backdrop.tissue.sample(scene.backdrop.tissue.mottle, tumour_um)
    if fraction <= 0 or len(mottle) == 0:
        return np.zeros(len(mottle), dtype=bool)
    return np.asarray(mottle >= np.quantile(mottle, 1 - min(fraction, 1.0)))


def _in_zone(scene: Scene, anatomy: Anatomy, front_um: float, zone: Zone) -> Inside:
    tissue = scene.backdrop.tissue

    def inside(points_um: Points) -> NDArray[np.bool_]:
        return np.asarray(tissue.is_tissue(points_um) & (zones_of(anatomy, front_um, points_um) == str(zone)))

    return inside


def _positives(
    scene: Scene,
    anatomy: Anatomy,
    settings: SectionSettings,
    areas: dict[Zone, float],
    rng: np.random.Generator,
) -> Points:
    """Positive cells of all zones, as many as planted density times area."""
    found = [np.empty((0, 2))]
    for zone, per_mm2 in _planted_per_mm2(settings).items():
        n = round(per_mm2 * areas[zone])
        if n == 0:
            continue
        boundary = {Zone.CENTRE: anatomy.tumour, Zone.FRONT: anatomy.tissue, Zone.ELSEWHERE: anatomy.tissue}[
            zone
        ]
        left, top, right, bottom = (boundary or anatomy.tissue).bounds
        extent = Extent(left=left, top=top, right=right, bottom=bottom)
        inside = _in_zone(scene, anatomy, settings.front_um, zone)
        found.append(gather(n, settings.staining.spacing, extent, inside, rng))
    return np.concatenate(found)
