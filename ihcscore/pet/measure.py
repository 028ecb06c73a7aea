"""Uptake of volumes: highest, mean, peak, metabolic volume."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ihcscore.errors import PetError
from ihcscore.pet.fill import SUBVOXELS
from ihcscore.pet.names import Label
from ihcscore.pet.series import PetSeries
from ihcscore.pet.volumes import Volume, read_volumes, volume_of
from ihcscore.schema.pet import PeakKind, SuvSettings

PEAK_RADIUS_MM = (3 / (4 * math.pi)) ** (1 / 3) * 10
"""Of a sphere of 1 ml: 6.2035 mm (PERCIST, Wahl et al. 2009, doi 10.2967/jnumed.108.057307)."""

_PEAK_ML = (0.8, 1.25)  # a peak of whole voxels further from 1 ml is another measure


@dataclass(frozen=True, kw_only=True)
class Uptake:
    """What is measured in a volume; SUV in the series' unit.

    Attributes
    ----------
    suv_max, suv_mean, suv_peak, suv_peak_at_max, suv_sd, suv_median : float
    volume_ml : float
    n_voxels : int
        Voxels whose centre lies inside.
    peak_ml : float
        What the peaks are means of.
    mtv_ml, suv_mean_mtv, tlg : float
        NaN for organs.
    max_zyx : (int, int, int)
        The highest voxel.
    notes : tuple of str
    """

    suv_max: float
    suv_mean: float
    suv_peak: float
    suv_peak_at_max: float
    suv_sd: float
    suv_median: float
    volume_ml: float
    n_voxels: int
    peak_ml: float
    mtv_ml: float
    suv_mean_mtv: float
    tlg: float
    max_zyx: tuple[int, int, int]
    notes: tuple[str, ...] = ()


def measure(series: PetSeries, volume: Volume, settings: SuvSettings | None = None) -> Uptake:
    """Uptake of one volume.

    Whole voxels count, but in spheres and organs the mean and the volume are weighted by the voxels' shares.
    The peak is IBSI's global intensity peak (Zwanenburg et al. 2020, doi 10.1148/radiol.2020191145): the
    highest mean of the voxels within 6.2035 mm of any voxel of the volume, not cut at the volume's edge.

    Parameters
    ----------
    series : PetSeries
    volume : Volume
    settings : SuvSettings, optional
        Threshold and kind of peak.
    """
    settings = settings or SuvSettings()
    filling, grid = volume.filling, series.grid
    suv = series.suv[filling.box].astype(float)
    inside = filling.inside
    if not inside.any():  # a sphere between centres: the voxel that holds most of it
        shares = filling.shares if filling.shares is not None else np.ones(inside.shape, np.float32)
        inside = shares == shares.max()
    values = suv[inside]
    weights = inside.astype(float) if filling.shares is None else filling.shares.astype(float)
    start = np.array([one.start for one in filling.box])
    centres = np.argwhere(inside) + start
    peaks, peak_ml, is_cut = _peaks(series, centres, settings.peak)
    at_max = int(
        np.argmax(np.where(values == values.max(), peaks, -np.inf))
    )  # of several, the highest peak's
    more = _peak_notes(peak_ml, bool(is_cut[int(np.argmax(peaks))] or is_cut[at_max]), settings.peak)
    mean = float((suv * weights).sum() / weights.sum())
    threshold = settings.threshold
    limit = threshold.value / 100 * values.max() if threshold.relative else threshold.value
    above = weights * (suv >= limit)
    is_lesion = volume.label.is_lesion
    mtv_ml = float(above.sum()) * grid.voxel_ml if is_lesion else math.nan
    mean_mtv = float((suv * above).sum() / above.sum()) if is_lesion and above.any() else math.nan
    return Uptake(
        suv_max=float(values.max()),
        suv_mean=mean,
        suv_peak=float(peaks.max()),
        suv_peak_at_max=float(peaks[at_max]),
        suv_sd=float(values.std(ddof=1)) if len(values) > 1 else math.nan,
        suv_median=float(np.median(values)),
        volume_ml=float(weights.sum()) * grid.voxel_ml,
        n_voxels=int(filling.inside.sum()),
        peak_ml=peak_ml,
        mtv_ml=mtv_ml,
        suv_mean_mtv=mean_mtv,
        tlg=0.0 if mtv_ml == 0 else mtv_ml * mean_mtv,
        max_zyx=(int(centres[at_max][0]), int(centres[at_max][1]), int(centres[at_max][2])),
        notes=(*volume.notes, *more),
    )


def measure_volumes(
    series: PetSeries,
    volumes: str | Path | Sequence[Volume | str | Path] | Mapping[str, NDArray[np.bool_]],
    *,
    settings: SuvSettings | None = None,
    names: Mapping[str, Label] | None = None,
) -> pd.DataFrame:
    """Uptake of volumes as a table.

    Parameters
    ----------
    series : PetSeries
    volumes : a path, a sequence of paths and Volumes, or a mapping of str to (n, rows, columns) array of bool
        Paths are read by :func:`ihcscore.pet.read_volumes`; masks lie on the grid of the series.
    settings : SuvSettings, optional
    names : mapping of str to Label, optional
        What a volume's name stands for; the organ list tells of others.

    Returns
    -------
    DataFrame
        A row a volume: name, tissue, lesion_id, the numbers of :class:`Uptake`, note.

    Raises
    ------
    PetError
        If volumes cannot be read, or two are the same lesion.
    """
    found = _volumes(series, volumes, names)
    check_names(found, series.name)
    rows = []
    for volume in found:
        measured = asdict(measure(series, volume, settings))
        notes = measured.pop("notes")
        del measured["max_zyx"]
        label = {"name": volume.name, "tissue": volume.label.tissue, "lesion_id": volume.label.lesion_id}
        rows.append(label | measured | {"note": "; ".join(notes)})
    return pd.DataFrame(rows)


def _volumes(
    series: PetSeries,
    volumes: str | Path | Sequence[Volume | str | Path] | Mapping[str, NDArray[np.bool_]],
    names: Mapping[str, Label] | None,
) -> list[Volume]:
    """Volumes of whatever was given."""
    if isinstance(volumes, Mapping):
        return [volume_of(series, name, mask, names=names) for name, mask in volumes.items()]
    given = [volumes] if isinstance(volumes, str | Path) else volumes
    found: list[Volume] = []
    for one in given:
        found += [one] if isinstance(one, Volume) else read_volumes(one, series, names=names)
    return found


def check_names(volumes: Sequence[Volume], name: str) -> None:
    """Refuse two volumes that would be one lesion, or one side of an organ.

    Raises
    ------
    PetError
    """
    seen: dict[Label, str] = {}
    for volume in volumes:
        if volume.label in seen:
            raise PetError(
                f"{name}: volumes '{seen[volume.label]}' and '{volume.name}' are both {volume.label.tissue} "
                f"{volume.label.lesion_id}".rstrip()
                + "; give names with another lesion_id for one"
            )
        seen[volume.label] = volume.name


def peak_kernel(
    spacing_zyx_mm: tuple[float, float, float], kind: PeakKind
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The voxels of 1 ml around a voxel.

    Parameters
    ----------
    spacing_zyx_mm : (float, float, float)
    kind : PeakKind
        Whole voxels whose centre lies within 6.2035 mm, or shares of voxels.

    Returns
    -------
    offsets : (m, 3) array of int
        Slices, rows, columns from the voxel.
    weights : (m,) array of float
        Shares, 0 to 1.
    """
    spacing = np.array(spacing_zyx_mm)
    reach = np.ceil(PEAK_RADIUS_MM / spacing + 0.5).astype(int)
    offsets = np.stack(np.meshgrid(*(np.arange(-n, n + 1) for n in reach), indexing="ij"), axis=-1).reshape(
        -1, 3
    )
    if kind is PeakKind.IBSI:
        weights = (np.linalg.norm(offsets * spacing, axis=1) <= PEAK_RADIUS_MM).astype(float)
    else:
        steps = (np.arange(SUBVOXELS) + 0.5) / SUBVOXELS - 0.5
        within = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)
        away = np.linalg.norm((offsets[:, None] + within[None]) * spacing, axis=2)
        weights = (away <= PEAK_RADIUS_MM).mean(axis=1)
    kept = weights > 0
    return offsets[kept], weights[kept]


def _peaks(
    series: PetSeries, centres: NDArray[np.int64], kind: PeakKind
) -> tuple[NDArray[np.float64], float, NDArray[np.bool_]]:
    """The mean of 1 ml around each centre, its volume, and where the scan's edge cuts it."""
    x, y, z = series.grid.spacing_xyz_mm
    offsets, weights = peak_kernel((z, y, x), kind)
    shape = np.array(series.suv.shape)
    total, weight = np.zeros(len(centres)), np.zeros(len(centres))
    for offset, share in zip(offsets, weights, strict=True):
        at = centres + offset
        there = ((at >= 0) & (at < shape)).all(axis=1)
        at = np.clip(at, 0, shape - 1)
        total += np.where(there, share * series.suv[at[:, 0], at[:, 1], at[:, 2]], 0)
        weight += share * there
    peaks = total / weight
    return peaks, float(weights.sum()) * series.grid.voxel_ml, weight < weights.sum() * (1 - 1e-9)


def _peak_notes(peak_ml: float, is_cut: bool, kind: PeakKind) -> list[str]:
    notes = []
    if kind is PeakKind.IBSI and not _PEAK_ML[0] <= peak_ml <= _PEAK_ML[1]:
        notes.append(f"the peak is the mean of {peak_ml:.2f} ml in whole voxels, not of 1 ml: fractional is")
    if is_cut:
        notes.append("the peak is cut by the edge of the scan")
    return notes
