"""Volumes of interest from files, on the grid of a scan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ihcscore.errors import PetError
from ihcscore.pet.contours import Region, fill_region, read_regions
from ihcscore.pet.elements import Elements
from ihcscore.pet.extra import require
from ihcscore.pet.fill import Filling
from ihcscore.pet.folder import file_name, quiet
from ihcscore.pet.masks import Mask, fill_mask, read_nifti, read_segmentation
from ihcscore.pet.names import Label, label_of
from ihcscore.pet.series import PetSeries
from ihcscore.pet.spheres import Sphere, fill_sphere, read_spheres

_FEW_VOXELS, _SMALL_ML = 8, 1.0


class VolumeSource(StrEnum):
    """What a volume was read from."""

    CONTOURS = "RTSTRUCT"
    SEGMENTATION = "SEG"
    NIFTI = "NIfTI mask"
    SPHERE = "sphere"
    ARRAY = "mask on the scan's grid"


@dataclass(frozen=True, kw_only=True)
class Volume:
    """A volume of interest on the grid of a scan.

    Attributes
    ----------
    name : str
        As in its file.
    label : Label
        What it is in the table.
    source : VolumeSource
    filling : Filling
    notes : tuple of str
    """

    name: str
    label: Label
    source: VolumeSource
    filling: Filling
    notes: tuple[str, ...] = ()


def read_volumes(
    path: str | Path, series: PetSeries, *, names: Mapping[str, Label] | None = None
) -> list[Volume]:
    """The volumes of a file.

    Parameters
    ----------
    path : str or Path
        RTSTRUCT, DICOM segmentation, NIfTI mask, or a CSV of spheres.
    series : PetSeries
        The scan on whose grid they are laid.
    names : mapping of str to Label, optional
        What a name stands for; the organ list tells of others.

    Raises
    ------
    PetError
        If the file cannot be read, is another patient position's, or a volume lies outside the scan.
    TableError
        If a table of spheres cannot be used.
    """
    path = Path(path)
    if not path.is_file():
        raise PetError(
            f"{file_name(path)}: no such file; give an RTSTRUCT, a segmentation, a NIfTI mask or a CSV"
        )
    with quiet():
        shapes = _shapes(path)
    volumes = [
        found for shape, source in shapes if (found := _volume(shape, source, series, path, names or {}))
    ]
    if not volumes:
        raise PetError(f"{file_name(path)}: no volume in it; give a file with contours or a mask")
    return volumes


def volume_of(
    series: PetSeries, name: str, mask: NDArray[np.bool_], *, names: Mapping[str, Label] | None = None
) -> Volume:
    """A mask on the grid of a series as a volume.

    Parameters
    ----------
    series : PetSeries
    name : str
    mask : (n, rows, columns) array of bool
    names : mapping of str to Label, optional

    Raises
    ------
    PetError
        If it holds no voxel.
    """
    if mask.shape != series.grid.shape_zyx or mask.dtype != bool:
        raise ValueError(f"mask is {mask.shape} of {mask.dtype}, expected {series.grid.shape_zyx} of bool")
    there = np.argwhere(mask)
    if not len(there):
        raise PetError(f"{series.name}: volume '{name}' holds no voxel; give a mask that does")
    low, high = there.min(axis=0), there.max(axis=0) + 1
    z, y, x = (slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    filling = Filling(box=(z, y, x), inside=mask[z, y, x])
    label = (names or {}).get(name) or label_of(name)
    return Volume(
        name=name,
        label=label,
        source=VolumeSource.ARRAY,
        filling=filling,
        notes=tuple(_size(filling, label, series)),
    )


def _shapes(path: Path) -> list[tuple[Region | Mask | Sphere, VolumeSource]]:
    lower = path.name.lower()
    if lower.endswith((".csv", ".xlsx")):
        return [(one, VolumeSource.SPHERE) for one in read_spheres(path)]
    if lower.endswith((".nii", ".nii.gz")):
        return [(one, VolumeSource.NIFTI) for one in read_nifti(path, file_name(path))]
    require("pydicom")
    import pydicom

    try:
        file = Elements(pydicom.dcmread(path), file_name(path))
        modality = file.text("Modality")
    except Exception as error:  # pydicom raises many kinds on a damaged file
        raise PetError(
            f"{file_name(path)}: is no RTSTRUCT, DICOM segmentation, NIfTI mask or CSV that "
            "can be read; give one"
        ) from error
    if modality == "RTSTRUCT":
        return [(one, VolumeSource.CONTOURS) for one in read_regions(file)]
    if modality == "SEG":
        return [(one, VolumeSource.SEGMENTATION) for one in read_segmentation(path, file_name(path))]
    raise PetError(
        f"{file_name(path)}: its Modality (0008,0060) is neither RTSTRUCT nor SEG; give one of them"
    )


def _volume(
    shape: Region | Mask | Sphere,
    source: VolumeSource,
    series: PetSeries,
    path: Path,
    names: Mapping[str, Label],
) -> Volume | None:
    """A shape on the grid; None for a region that was named but not drawn."""
    if isinstance(shape, Region) and not shape.contours_mm:
        return None
    if not shape.name:
        raise PetError(f"{file_name(path)}: a volume has no name; give it one")
    label = names.get(shape.name) or label_of(shape.name)
    notes: list[str] = []
    if not isinstance(shape, Sphere) and source is not VolumeSource.NIFTI:
        notes += _position(shape, series, path)
    if isinstance(shape, Sphere):
        filling = fill_sphere(shape, series.grid)
    elif isinstance(shape, Mask):
        filling = fill_mask(shape, series.grid, by_shares=not label.is_lesion)
        notes += shape.notes
    else:
        filling = fill_region(shape, series.grid, by_shares=not label.is_lesion, name=file_name(path))
        if shape.n_ignored:
            notes.append(f"{shape.n_ignored} points or open contours are ignored")
    is_empty = filling is None or not (
        filling.inside.any() or (filling.shares is not None and filling.shares.any())
    )
    if filling is None or is_empty:
        raise PetError(
            f"{file_name(path)}: volume '{shape.name}' holds no voxel of the scan: it lies "
            "outside, or is smaller than a "
            "voxel; check that it belongs to this scan"
        )
    if filling.is_cut:
        notes.append("the volume reaches beyond the scan")
    return Volume(
        name=shape.name,
        label=label,
        source=source,
        filling=filling,
        notes=(*notes, *_size(filling, label, series)),
    )


def _position(shape: Region | Mask, series: PetSeries, path: Path) -> list[str]:
    """Refuse what was drawn on another position of the patient, however alike it looks."""
    theirs, ours = shape.frame_of_reference, series.frame_of_reference
    if theirs and ours and theirs != ours:
        raise PetError(
            f"{file_name(path)}: volume '{shape.name}' has another frame of reference than "
            "the scan; give the file that "
            "was drawn on this scan, or on its CT"
        )
    return [] if theirs and ours else ["no frame of reference: that it belongs to the scan cannot be checked"]


def _size(filling: Filling, label: Label, series: PetSeries) -> list[str]:
    n_voxels = int(filling.inside.sum())
    total = float(filling.shares.sum()) if filling.shares is not None else n_voxels
    ml = total * series.grid.voxel_ml
    if not label.is_lesion or (n_voxels >= _FEW_VOXELS and ml >= _SMALL_ML):
        return []
    return [f"small ({n_voxels} voxels, {ml:.2g} ml): uptake is lowered by the partial volume effect"]
