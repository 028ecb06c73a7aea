"""Things in place on their tissue, drawn block by block; the truth about them as tables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ihcscore.planes import Border, sampled
from ihcscore.schema import CellClass
from ihcscore.synthetic.draw.ground import Backdrop
from ihcscore.synthetic.draw.layer import Layer
from ihcscore.synthetic.draw.layout import Clustering, Points, clear_of
from ihcscore.synthetic.draw.optics import DAB_OD_RGB, HEMATOXYLIN_OD_RGB, Camera
from ihcscore.synthetic.draw.pigment import Nuclei
from ihcscore.synthetic.draw.sprites import REACH_UM, CellKind, Look, Sprite, SpriteBank, Strength
from ihcscore.synthetic.draw.texture import smooth_noise

if TYPE_CHECKING:
    import pandas as pd

_BLOCK_PX = 1024
_LAMP_SIDE = 8
_NUCLEI_APART_UM = 11.5

# A lymphocyte's diameter is its cell's; its nucleus is 5 to 8 µm of 7 to 12 µm.
_NUCLEUS_SHARE = {CellKind.LYMPHOCYTE: 0.7, CellKind.TUMOUR_CELL: 1.0, CellKind.STROMAL_CELL: 1.0}

_POSITIVE_STRENGTHS = (Strength.WEAK, Strength.MIDDLE, Strength.STRONG)


@dataclass(frozen=True, kw_only=True)
class Staining:
    """How the tissue took the stain.

    Attributes
    ----------
    nuclear : bool
        DAB in the nuclei of tumour cells (as Ki-67) instead of on the membrane of lymphocytes.
    strength_mix : tuple of float
        Shares of weak, middle and strong positive cells; scaled to a sum of 1.
    ring_fraction : float
        Share of positive cells that are rings; the others hold DAB in the cytoplasm too.
    clustering : Clustering
        How positive cells gather.
    haze_od : float
        DAB of the tissue itself, along its unit vector.
    debris_per_mm2 : float
        Specks of DAB that are no cell.
    hematoxylin_od_rgb, dab_od_rgb : tuple of float
        Stain vectors, R G B; scaled to unit length. Ruifrok and Johnston 2001.
    gains : tuple of float
        How many times as dense as usual haematoxylin and DAB are.
    """

    nuclear: bool = False
    strength_mix: tuple[float, float, float] = (0.2, 0.45, 0.35)
    ring_fraction: float = 0.5
    clustering: Clustering = field(default_factory=Clustering)
    haze_od: float = 0.03
    debris_per_mm2: float = 60.0
    hematoxylin_od_rgb: tuple[float, float, float] = HEMATOXYLIN_OD_RGB
    dab_od_rgb: tuple[float, float, float] = DAB_OD_RGB
    gains: tuple[float, float] = (1.0, 1.0)

    def __post_init__(self) -> None:
        if min(self.strength_mix) < 0 or sum(self.strength_mix) <= 0:
            raise ValueError(f"strength_mix is {self.strength_mix}, expected shares of 0 or more, not all 0")
        if not 0 <= self.ring_fraction <= 1:
            raise ValueError(f"ring_fraction is {self.ring_fraction}, expected 0 to 1")
        if min(self.gains) <= 0:
            raise ValueError(f"gains is {self.gains}, expected two numbers above 0")
        for name in ("haze_od", "debris_per_mm2"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} is {getattr(self, name)}, expected 0 or more")

    @property
    def spacing(self) -> Clustering:
        """`clustering`, with cells at least as far apart as tumour nuclei where those are stained."""
        if not self.nuclear:
            return self.clustering
        return replace(self.clustering, apart_um=max(self.clustering.apart_um, _NUCLEI_APART_UM))

    def positive_looks(self, n: int, rng: np.random.Generator) -> list[Look]:
        """Looks of `n` positive cells."""
        mix = np.array(self.strength_mix) / sum(self.strength_mix)
        strengths = rng.choice(3, size=n, p=mix)
        rings = rng.random(n) < self.ring_fraction
        kind = CellKind.TUMOUR_CELL if self.nuclear else CellKind.LYMPHOCYTE
        return [
            Look(
                kind=kind,
                strength=_POSITIVE_STRENGTHS[s],
                nuclear=self.nuclear,
                ring=bool(ring) and not self.nuclear,
            )
            for s, ring in zip(strengths, rings, strict=True)
        ]


@dataclass(kw_only=True)
class Scene:
    """Everything that is on a picture.

    Attributes
    ----------
    size_xy_px : tuple of int
        Width and height of the picture.
    camera : Camera
        How it is seen.
    backdrop : Backdrop
        Tissue under the cells.
    bank : SpriteBank
        Cells to take from.
    seed : int
        Seed of noise and lamp.
    over : Layer or None
        What lies on top of the stained tissue, of the whole picture.
    """

    size_xy_px: tuple[int, int]
    camera: Camera
    backdrop: Backdrop
    bank: SpriteBank
    seed: int
    over: Layer | None = None
    _points_um: list[Points] = field(default_factory=list)
    _looks: list[Look] = field(default_factory=list)
    _numbers: list[NDArray[np.int64]] = field(default_factory=list)

    def put(
        self,
        points_um: Points,
        looks: list[Look] | Look,
        angles: NDArray[np.float64] | None,
        rng: np.random.Generator,
    ) -> None:
        """Put things at points (n, 2) in µm, of one look or one look each, along angles or random ones."""
        n = len(points_um)
        if angles is None:
            angles = rng.uniform(0, np.pi, n)
        self._points_um.append(np.asarray(points_um, dtype=np.float64).reshape(n, 2))
        self._looks.extend([looks] * n if isinstance(looks, Look) else looks)
        self._numbers.append(self.bank.numbers(angles, rng))

    def put_tissue_cells(
        self, tumour_um: Points, stroma_um: Points, pigmented: NDArray[np.bool_], rng: np.random.Generator
    ) -> None:
        """Put tumour and stromal nuclei where they are not on what is there already."""
        there = np.concatenate([np.empty((0, 2)), *self._points_um])
        apart_um = _NUCLEI_APART_UM if any(look.nuclear for look in self._looks) else 9.0
        keep = clear_of(tumour_um, there, apart_um)
        looks = [Look(kind=CellKind.TUMOUR_CELL, pigmented=bool(p)) for p in pigmented[keep]]
        self.put(tumour_um[keep], looks, None, rng)
        stroma_um = stroma_um[clear_of(stroma_um, np.concatenate([there, tumour_um[keep]]), 7.0)]
        angles = self.backdrop.fibre_angles(stroma_um) + rng.normal(0, 0.2, len(stroma_um))
        self.put(stroma_um, Look(kind=CellKind.STROMAL_CELL), angles, rng)

    def nuclei(self) -> Nuclei:
        """Where the nuclei of all cells that were put are, on the picture and around it."""
        numbers = np.concatenate([np.empty(0, np.int64), *self._numbers])
        cells = [i for i, look in enumerate(self._looks) if look.kind in _NUCLEUS_SHARE]
        looks = [self._looks[i] for i in cells]
        drawn_um = np.array(
            [self.bank.get(look, int(numbers[i])).diameter_um for i, look in zip(cells, looks, strict=True)]
        )
        share = np.array([_NUCLEUS_SHARE[look.kind] for look in looks])
        return Nuclei(
            centres_um=self._centres_px()[cells].astype(np.float64) * self.camera.mpp_um,
            nucleus_um=drawn_um * share,
            cell_um=drawn_um,
            positive=np.array([look.strength is not Strength.NONE for look in looks], dtype=bool),
            tumour=np.array([look.kind is CellKind.TUMOUR_CELL for look in looks], dtype=bool),
        )

    def _centres_px(self) -> NDArray[np.int64]:
        """Centres on whole pixels, shape (n, 2): a sprite's centre is the middle of a pixel."""
        points = np.concatenate([np.empty((0, 2)), *self._points_um])
        return np.rint(points / self.camera.mpp_um).astype(np.int64)

    def draw(self) -> NDArray[np.uint8]:
        """The picture; shape (h, w, 3)."""
        width, height = self.size_xy_px
        rgb = np.empty((height, width, 3), dtype=np.uint8)
        lamp = self._lamp()
        for left, top, block in self._blocks():
            h, w = min(_BLOCK_PX, height - top), min(_BLOCK_PX, width - left)
            light = self._lamp_block(lamp, left, top, (h, w))
            over = self.over.block(left, top, block.shape[:2]) if self.over else None
            seed = (self.seed, left, top)
            rgb[top : top + h, left : left + w] = self.camera.expose(block, light, seed, over)
        return rgb

    def melanin_mask(self, above_od: float = 0.1) -> NDArray[np.bool_]:
        """Where there is more melanin than `above_od`; shape (h, w)."""
        width, height = self.size_xy_px
        mask = np.zeros((height, width), dtype=bool)
        halo = self.camera.halo_px
        for left, top, block in self._blocks():
            part = mask[top : top + _BLOCK_PX, left : left + _BLOCK_PX]
            part[:] = block[halo:-halo, halo:-halo, 2][: part.shape[0], : part.shape[1]] > above_od
        return mask

    def _blocks(self) -> Iterator[tuple[int, int, NDArray[np.float32]]]:
        """Stain planes of all blocks, with the camera's halo, and where they begin."""
        width, height = self.size_xy_px
        halo = self.camera.halo_px
        centres = self._centres_px()
        numbers = np.concatenate([np.empty(0, np.int64), *self._numbers])
        reach = int(np.ceil(REACH_UM / self.camera.mpp_um)) + halo + 1
        for top in range(0, height, _BLOCK_PX):
            for left in range(0, width, _BLOCK_PX):
                shape = (min(_BLOCK_PX, height - top) + 2 * halo, min(_BLOCK_PX, width - left) + 2 * halo)
                planes = self.backdrop.planes(left - halo, top - halo, shape)
                if planes is None:
                    planes = np.zeros((*shape, 3), dtype=np.float32)
                low = np.array([left - reach, top - reach])
                high = np.array([left + _BLOCK_PX + reach, top + _BLOCK_PX + reach])
                near = np.flatnonzero(((centres >= low) & (centres <= high)).all(axis=1))
                for i in near:
                    od = self.bank.get(self._looks[i], int(numbers[i])).od
                    _stamp(planes, od, int(centres[i, 0]) - left + halo, int(centres[i, 1]) - top + halo)
                yield left, top, planes

    def _lamp(self) -> NDArray[np.float32]:
        rng = np.random.default_rng([self.seed, 1])
        uneven = smooth_noise((_LAMP_SIDE, _LAMP_SIDE), 0.8, rng)
        return np.asarray(1 + self.camera.optics.unevenness * uneven, dtype=np.float32)

    def _lamp_block(
        self, lamp: NDArray[np.float32], left: int, top: int, shape_yx: tuple[int, int]
    ) -> NDArray[np.float32]:
        width, height = self.size_xy_px
        kx, ky = (_LAMP_SIDE - 1) / max(width - 1, 1), (_LAMP_SIDE - 1) / max(height - 1, 1)
        to_lamp = np.array([[kx, 0, left * kx], [0, ky, top * ky]])
        return sampled(lamp, to_lamp, shape_yx, border=Border.REPEATED)

    def truth(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Cells and pigment whose centre lies on the picture.

        Returns
        -------
        cells : DataFrame
            ``x_px``, ``y_px`` (pixel centres at 0), ``class`` (Positive or Negative), ``kind``,
            ``strength`` (weak, middle, strong or empty) and ``diameter_um``.
        pigment : DataFrame
            ``x_px``, ``y_px``, ``class`` (Pigment suspect), ``kind`` and ``diameter_um``. A tumour cell
            with pigment stands in both tables.
        """
        import pandas as pd

        centres = self._centres_px()
        on = ((centres >= 0) & (centres < np.array(self.size_xy_px))).all(axis=1)
        order = [i for i in np.flatnonzero(on) if self._looks[i].kind is not CellKind.DEBRIS]
        order.sort(key=lambda i: (centres[i, 1], centres[i, 0]))
        numbers = np.concatenate([np.empty(0, np.int64), *self._numbers])
        looks = [self._looks[i] for i in order]
        sprites: list[Sprite] = [self.bank.get(self._looks[i], int(numbers[i])) for i in order]
        table = pd.DataFrame(
            {
                "x_px": centres[order, 0].astype(np.float64),
                "y_px": centres[order, 1].astype(np.float64),
                "class": [str(_class_of(look)) for look in looks],
                "kind": [str(look.kind) for look in looks],
                "strength": [str(look.strength) for look in looks],
                "diameter_um": [round(sprite.diameter_um, 2) for sprite in sprites],
            }
        )
        melanophage = table["kind"] == str(CellKind.MELANOPHAGE)
        with_pigment = np.array([look.pigmented for look in looks], dtype=bool) | melanophage.to_numpy()
        pigment = (
            table.loc[with_pigment]
            .drop(columns="strength")
            .assign(**{"class": str(CellClass.PIGMENT_SUSPECT)})
        )
        return table.loc[~melanophage].reset_index(drop=True), pigment.reset_index(drop=True)


def _class_of(look: Look) -> CellClass:
    if look.kind is CellKind.MELANOPHAGE:
        return CellClass.PIGMENT_SUSPECT
    return CellClass.NEGATIVE if look.strength is Strength.NONE else CellClass.POSITIVE


def _stamp(planes: NDArray[np.float32], od: NDArray[np.float32], x: int, y: int) -> None:
    """Add a sprite centred on pixel (x, y), as far as it lies on the planes."""
    half = od.shape[0] // 2
    top, left = y - half, x - half
    bottom, right = min(top + od.shape[0], planes.shape[0]), min(left + od.shape[1], planes.shape[1])
    y0, x0 = max(top, 0), max(left, 0)
    if y0 < bottom and x0 < right:
        planes[y0:bottom, x0:right] += od[y0 - top : bottom - top, x0 - left : right - left]
