"""Packed cells and their membranes: which are tumour cells, how much chromogen the membrane of each holds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ihcscore import planes
from ihcscore.cells.classify import CELL_COLUMNS
from ihcscore.cells.finder import Found
from ihcscore.cells.membrane_nuclei import N_RAYS, Nuclei, find_nuclei, sampled_at
from ihcscore.cells.membrane_rays import CYTOPLASM_DEPTH_UM, Rays, own_rays, shared_rays
from ihcscore.cells.pigment import pigment_mask
from ihcscore.planes import Mask, Plane
from ihcscore.profiles import MarkerProfile, MembraneProfile
from ihcscore.schema.names import MEMBRANE_CLASSES, CellClass
from ihcscore.stain import StainMaps, Stains, smooth

MEMBRANE_COLUMNS = ["membrane_od_um", "completeness", "cytoplasm_od", "surface_share"]
"""What a membrane adds to the table of cells."""

FEWEST_DIRECTIONS = 4
"""A cell that meets a neighbour in fewer directions is not measured."""

# Nuclei and walls are looked for so far around a cell: neighbours, their neighbours, filters.
_HALO_UM = 32.0
# Chromogen of what is not stained: a low quantile of the smoothed plane, but no more than haze.
_BACKGROUND_QUANTILE, _MOST_BACKGROUND_OD = 0.05, 0.15
_BACKGROUND_SIGMA_UM = 1.0
# Beyond this many OD a nucleus covered by pigment cannot be measured.
_MOST_PIGMENT = 0.5
# Least membrane and cytoplasm whose ratio means anything.
_LEAST_OD_UM = 0.02


@dataclass(frozen=True, kw_only=True)
class MembraneFinder:
    """Finds nuclei of packed cells and classes tumour cells by the membrane that they share.

    Attributes
    ----------
    profile : MarkerProfile
        With the settings of a membrane.
    """

    profile: MarkerProfile

    @property
    def halo_um(self) -> float:
        """Width of the surroundings that can change a cell."""
        return _HALO_UM

    @property
    def weights(self) -> dict[str, str]:
        """None: it works by rules."""
        return {}

    def __call__(self, maps: StainMaps, stains: Stains) -> Found:
        """Cells and pigment of a field; see :class:`ihcscore.cells.finder.Finder`."""
        settings = self.profile.membrane
        if settings is None:
            raise ValueError(f"{self.profile.name} has no settings of a membrane")
        pigment = pigment_mask(maps, stains, threshold=self.profile.pigment_threshold)
        nuclei = find_nuclei(maps, settings, least_od=self.profile.hematoxylin_threshold_od)
        kind = _kinds(nuclei, pigment, maps.mpp_um)
        cells = _cells(maps, nuclei, kind, settings, absorbance=max(stains.chromogen.rgb))
        return Found(
            cells=cells.sort_values(["y_px", "x_px"], ignore_index=True),
            pigment=pigment,
        )


def _kinds(nuclei: Nuclei, pigment: Mask, mpp_um: float) -> NDArray[np.str_]:
    """Tumour cells (still without a class), lymphocytes, spindle cells, pigment; shape (n,)."""
    covered = planes.box_mean(pigment.astype(np.float32), 2 * round(2 / mpp_um) + 1)
    in_pigment = sampled_at(covered, nuclei.at_px[:, :1], nuclei.at_px[:, 1:])[:, 0] > _MOST_PIGMENT
    return np.select(
        [in_pigment, nuclei.lymphocyte, nuclei.spindle],
        [CellClass.PIGMENT_SUSPECT.value, CellClass.IMMUNE.value, CellClass.OTHER.value],
        default=CellClass.NOT_MEASURED.value,
    )


def _cells(
    maps: StainMaps, nuclei: Nuclei, kind: NDArray[np.str_], settings: MembraneProfile, *, absorbance: float
) -> pd.DataFrame:
    """The table of cells, in the order of the nuclei."""
    background_od = background(maps.chromogen_od, maps.mpp_um)
    immune = kind == CellClass.IMMUNE.value
    shared = shared_rays(maps, nuclei, settings, absorbance=absorbance)
    own = own_rays(
        maps.chromogen_od, maps.mpp_um, nuclei,
        window_um=settings.window_um, reach_um=settings.reach_um, absorbance=absorbance,
    )  # fmt: skip
    # A lymphocyte's membrane is strong: what it shares with a tumour cell says nothing of that one.
    usable = (shared.neighbour >= 0) & ~immune[shared.neighbour]
    usable = np.where(immune[:, None], True, usable)
    rays = _chosen(own, shared, immune)
    measured = measures(rays, usable, background_od=background_od, cut_od_um=settings.cut_1_od_um)
    enough = usable.sum(axis=1) >= FEWEST_DIRECTIONS
    measured.loc[~enough, MEMBRANE_COLUMNS] = np.nan
    x_px, y_px = maps.grid.centres_in_image(nuclei.at_px[:, 0], nuclei.at_px[:, 1])
    cells = pd.DataFrame(
        {
            "x_px": x_px,
            "y_px": y_px,
            "class": kind.astype(object),
            "diameter_um": _diameter_um(rays, usable, nuclei),
            "chromogen_od": np.where(enough, _of_membrane(rays, usable), np.nan),
            "hematoxylin_od": nuclei.hematoxylin_od,
            "confidence": np.nan,
        }
    )
    cells = pd.concat([cells[CELL_COLUMNS], measured], axis=1)
    return classed(cells, settings)


def classed(cells: pd.DataFrame, settings: MembraneProfile) -> pd.DataFrame:
    """Cells with the class of their membrane by the cuts; others keep theirs."""
    value = cells["membrane_od_um"].to_numpy(float)
    of_tumour = cells["class"].isin([CellClass.NOT_MEASURED, *MEMBRANE_CLASSES]).to_numpy()
    names = np.array([str(one) for one in MEMBRANE_CLASSES], object)
    at = np.searchsorted(np.array(settings.cuts_od_um), np.nan_to_num(value), side="right")
    kept = np.where(of_tumour, CellClass.NOT_MEASURED.value, cells["class"].to_numpy(object))
    return cells.assign(**{"class": np.where(of_tumour & np.isfinite(value), names[at], kept)})


def _chosen(own: Rays, shared: Rays, immune: NDArray[np.bool_]) -> Rays:
    """A lymphocyte's own membrane, a tumour cell's shared ones."""
    row = immune[:, None]
    return Rays(
        membrane_od_um=np.where(row, own.membrane_od_um, shared.membrane_od_um),
        cytoplasm_od=np.where(row, own.cytoplasm_od, shared.cytoplasm_od),
        wall_um=np.where(row, own.wall_um, shared.wall_um),
        neighbour=shared.neighbour,
    )


def measures(
    rays: Rays, usable: NDArray[np.bool_], *, background_od: float, cut_od_um: float
) -> pd.DataFrame:
    """Membrane, its completeness, cytoplasm and the surface's share of each cell, from its usable rays."""
    membrane = _median(rays.membrane_od_um, usable)
    cytoplasm = _median(rays.cytoplasm_od, usable)
    above = ((rays.membrane_od_um >= cut_od_um) & usable).sum(axis=1)
    return pd.DataFrame(
        {
            "membrane_od_um": membrane,
            "completeness": above / np.maximum(usable.sum(axis=1), 1),
            "cytoplasm_od": cytoplasm,
            "surface_share": surface_share(membrane, cytoplasm - background_od),
        }
    )


def surface_share(
    membrane_od_um: NDArray[np.float64], cytoplasm_od: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Membrane over membrane and cytoplasm; NaN where hardly any chromogen lies in either."""
    membrane = np.maximum(membrane_od_um, 0)
    total = membrane + CYTOPLASM_DEPTH_UM * np.maximum(cytoplasm_od, 0)
    return np.where(total > _LEAST_OD_UM, membrane / np.maximum(total, _LEAST_OD_UM), np.nan)


def _median(values: NDArray[np.float64], usable: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Median over the usable rays, NaN where there is none."""
    ordered = np.sort(np.where(usable, values, np.inf), axis=1)
    n = usable.sum(axis=1)
    low = np.take_along_axis(ordered, (np.maximum(n - 1, 0) // 2)[:, None], axis=1)[:, 0]
    high = np.take_along_axis(ordered, np.minimum(n // 2, N_RAYS - 1)[:, None], axis=1)[:, 0]
    with np.errstate(invalid="ignore"):
        return np.where(n > 0, (low + high) / 2, np.nan)


def _of_membrane(rays: Rays, usable: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Mean OD of a membrane, as if it were a µm thick."""
    return np.maximum(_median(rays.membrane_od_um, usable), 0)


def _diameter_um(rays: Rays, usable: NDArray[np.bool_], nuclei: Nuclei) -> NDArray[np.float64]:
    """Of a circle as large as the cell; of the nucleus where the cell's edge is not known."""
    squared = _median(np.minimum(rays.wall_um, 99.0) ** 2, usable)
    return np.where(
        usable.sum(axis=1) >= FEWEST_DIRECTIONS, 2 * np.sqrt(np.nan_to_num(squared)), nuclei.diameter_um
    )


def background(chromogen_od: Plane, mpp_um: float) -> float:
    """Chromogen where there is none, in OD."""
    low = smooth(chromogen_od, _BACKGROUND_SIGMA_UM / mpp_um)[::3, ::3]
    return float(np.clip(np.quantile(low, _BACKGROUND_QUANTILE), -_MOST_BACKGROUND_OD, _MOST_BACKGROUND_OD))
