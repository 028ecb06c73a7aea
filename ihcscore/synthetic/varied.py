"""Tiles for training: staining, optics, cells, pigment and confusers drawn by lot, a tile a seed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from ihcscore.synthetic.draw.confusers import Confusers, DarkNuclei, Macrophages, PaleRings, RedCells, Smears
from ihcscore.synthetic.draw.layout import Clustering
from ihcscore.synthetic.draw.optics import DAB_OD_RGB, HEMATOXYLIN_OD_RGB, Optics
from ihcscore.synthetic.draw.pigment import Pigment, PigmentManner
from ihcscore.synthetic.draw.scene import Staining
from ihcscore.synthetic.draw.stock import Stock
from ihcscore.synthetic.tile import Tile, TileSettings, draw_tile_of

_SEEDS_A_STOCK = 100
_VARIANTS = 6
_SIDE_PX = 512
_STOCK = 0x570C

ALL_MANNERS = tuple(PigmentManner)
"""Every manner of pigment."""


def varied_tile(
    seed: int,
    *,
    manners: Sequence[PigmentManner] = ALL_MANNERS,
    size_xy_px: tuple[int, int] = (272, 272),
    mpp_um: float = 0.25,
) -> Tile:
    """Draw a tile of random staining, optics, cells, pigment and confusers.

    The same arguments give the same bytes, whatever was drawn before. Tiles whose seeds have the hundreds
    in common share cells' shapes: drawn one after the other they are quick, and those to judge by should
    be of other hundreds than those to train with.

    Parameters
    ----------
    seed : int
        0 or more.
    manners : sequence of PigmentManner
        Those that pigment may be drawn in; without any there is no pigment. With fewer manners a tile of
        the same seed differs in its pigment only.
    size_xy_px : tuple of int
        Width and height, up to 512.
    mpp_um : float
        µm per pixel.
    """
    if max(size_xy_px) > _SIDE_PX:
        raise ValueError(f"size_xy_px is {size_xy_px}, expected at most {_SIDE_PX} each")
    settings = varied_settings(seed, manners=manners, size_xy_px=size_xy_px, mpp_um=mpp_um)
    return draw_tile_of(_stock(mpp_um, seed // _SEEDS_A_STOCK), settings, seed)


def varied_settings(
    seed: int,
    *,
    manners: Sequence[PigmentManner] = ALL_MANNERS,
    size_xy_px: tuple[int, int] = (272, 272),
    mpp_um: float = 0.25,
) -> TileSettings:
    """Settings of `varied_tile`."""
    rng = np.random.default_rng([seed, _STOCK])
    nuclear = bool(rng.random() < 0.25)
    n_positive = int(rng.choice([0, 3, 8, 15, 20] if nuclear else [0, 1, 2, 4, 8, 14, 22, 36]))
    crowded = rng.random() < 0.3
    return TileSettings(
        size_xy_px=size_xy_px,
        mpp_um=mpp_um,
        n_positive=n_positive,
        n_lymphocytes=int(rng.integers(20, 50) if crowded else rng.integers(0, 20)),
        tumour_fraction=float(rng.choice([0.0, 1.0, rng.uniform(0.2, 0.8)])),
        tumour_per_mm2=float(rng.uniform(1500, 6500)),
        stroma_per_mm2=float(rng.uniform(300, 3500)),
        staining=_staining(nuclear, rng),
        optics=_optics(rng),
        confusers=_confusers(rng),
        pigment=_pigment(manners, n_positive, np.random.default_rng([seed, _STOCK, 1])),
    )


@lru_cache(maxsize=2)
def _stock(mpp_um: float, number: int) -> Stock:
    rng = np.random.default_rng([number, _STOCK])
    return Stock.make(mpp_um, _SIDE_PX, seed=number, variants=_VARIANTS, rng=rng)


def _staining(nuclear: bool, rng: np.random.Generator) -> Staining:
    packed = rng.random() < 0.25  # dense clumps of overlapping cells
    clustering = (
        Clustering(fraction=1.0, cells=(6, 25), apart_um=float(rng.uniform(4.8, 6.5)))
        if packed
        else Clustering(fraction=float(rng.uniform(0, 0.8)), apart_um=float(rng.uniform(6.5, 9)))
    )
    hazy = rng.random() < 0.3
    weak, middle, strong = (float(share) for share in rng.dirichlet([1.5, 3, 4]))
    return Staining(
        nuclear=nuclear,
        strength_mix=(weak, middle, strong),
        ring_fraction=float(rng.uniform(0.1, 0.9)),
        clustering=clustering,
        haze_od=float(rng.uniform(0.05, 0.22) if hazy else rng.uniform(0.0, 0.05)),
        debris_per_mm2=float(rng.choice([0, 60, 300])),
        hematoxylin_od_rgb=_jittered(_hematoxylin(rng), 0.02, rng),
        dab_od_rgb=_jittered(DAB_OD_RGB, 0.025, rng),
        gains=(float(np.exp(rng.normal(-0.05, 0.3))), float(np.exp(rng.normal(0.0, 0.25)))),
    )


def _hematoxylin(rng: np.random.Generator) -> tuple[float, float, float]:
    """From violet over the published vector to the blue of sharpened slides."""
    blue = (0.86, 0.50, 0.10)
    share = float(rng.choice([0.0, rng.uniform(0, 1)]))
    red, green, rest = ((1 - share) * a + share * b for a, b in zip(HEMATOXYLIN_OD_RGB, blue, strict=True))
    return red, green, rest


def _jittered(
    vector: tuple[float, float, float], sd: float, rng: np.random.Generator
) -> tuple[float, float, float]:
    red, green, blue = (max(part + float(rng.normal(0, sd)), 0.02) for part in vector)
    return red, green, blue


def _optics(rng: np.random.Generator) -> Optics:
    sharpened = rng.random() < 0.6
    white = rng.uniform(236, 252) + np.array([0.0, *rng.normal(-1, 4, 2)])
    red, green, blue = (float(level) for level in np.clip(white, 200, 255))
    return Optics(
        white_rgb=(red, green, blue),
        psf_um=float(rng.choice([rng.uniform(0.2, 0.4), rng.uniform(0.4, 0.9)], p=[0.7, 0.3])),
        noise_grey=float(rng.uniform(0.5, 3.5)),
        flare=float(rng.uniform(0.004, 0.04)),
        sharpening=float(rng.uniform(0.4, 2.0)) if sharpened else 0.0,
        sharpening_um=float(rng.uniform(0.3, 0.7)),
        jpeg_quality=int(rng.integers(55, 95)) if rng.random() < 0.8 else None,
    )


def _confusers(rng: np.random.Generator) -> Confusers:
    """Each kind on some tiles; most tiles have one or none."""
    there = rng.random(5) < np.array([0.2, 0.2, 0.3, 0.25, 0.15])
    some = [
        int(rng.integers(1, most + 1)) * int(on) for most, on in zip((4, 4, 30, 14, 5), there, strict=True)
    ]
    apart_um = float(rng.uniform(5.5, 8.0))
    return Confusers(
        red_cells=RedCells(n_groups=some[0]),
        smears=Smears(n=some[1]),
        dark_nuclei=DarkNuclei(n=some[2], clustering=Clustering(fraction=0.8, apart_um=apart_um)),
        pale_rings=PaleRings(n=some[3]),
        macrophages=Macrophages(n=some[4]),
    )


def _pigment(
    manners: Sequence[PigmentManner], n_positive: int, rng: np.random.Generator
) -> tuple[Pigment, ...]:
    """One manner on a third of the tiles, two on some, none on the others."""
    able = [manner for manner in manners if n_positive > 0 or manner is not PigmentManner.BESIDE]
    n = min(int(rng.choice([0, 1, 2], p=[0.55, 0.3, 0.15])), len(able))
    parts = []
    for i in rng.permutation(len(able))[:n]:
        low = float(rng.uniform(0, 0.9))
        parts.append(
            Pigment(
                manner=able[int(i)],
                n_clumps=int(rng.integers(1, 14)),
                blackness=(low, float(rng.uniform(low, 1.0))),
                level_od=(float(rng.uniform(0.35, 0.8)), float(rng.uniform(0.8, 2.6))),
            )
        )
    return tuple(parts)
