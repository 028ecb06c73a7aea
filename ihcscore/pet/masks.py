"""Masks on a grid of their own as volumes: NIfTI and DICOM segmentations.

The scan is never resampled: each of its voxels asks the nearest voxel of the mask.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ihcscore.errors import PetError
from ihcscore.pet.elements import Elements
from ihcscore.pet.extra import require
from ihcscore.pet.fill import Filling, fill
from ihcscore.pet.grid import Grid

_HALF = 0.5
_MOST_LABELS = 500


@dataclass(frozen=True, kw_only=True)
class Mask:
    """A mask in the patient.

    Attributes
    ----------
    name : str
    voxels : (a, b, c) array of bool
    affine : (4, 4) array of float
        From indices of `voxels` to mm (LPS).
    frame_of_reference : str
        Empty where the format has none.
    notes : tuple of str
    """

    name: str
    voxels: NDArray[np.bool_] = field(repr=False)
    affine: NDArray[np.float64] = field(repr=False)
    frame_of_reference: str = field(default="", repr=False)
    notes: tuple[str, ...] = ()


def fill_mask(mask: Mask, grid: Grid, *, by_shares: bool) -> Filling | None:
    """The voxels of a mask; None where it is empty or lies outside the scan."""
    there = np.argwhere(mask.voxels)
    if not len(there):
        return None
    low, high = there.min(axis=0) - 0.5, there.max(axis=0) + 0.5
    corners = np.array([[(low, high)[bit >> axis & 1][axis] for axis in range(3)] for bit in range(8)])
    to_index = np.linalg.inv(mask.affine)
    shape = np.array(mask.voxels.shape)

    def contains(mm: NDArray[np.float64]) -> NDArray[np.bool_]:
        index = np.floor(mm @ to_index[:3, :3].T + to_index[:3, 3] + 0.5 - 1e-6).astype(int)
        within = ((index >= 0) & (index < shape)).all(axis=-1)
        index = np.clip(index, 0, shape - 1)
        return np.asarray(mask.voxels[index[..., 0], index[..., 1], index[..., 2]] & within)

    return fill(grid, corners @ mask.affine[:3, :3].T + mask.affine[:3, 3], contains, by_shares=by_shares)


def read_nifti(path: Path, name: str) -> list[Mask]:
    """The masks of a NIfTI file: one for each label, or all above one half.

    Raises
    ------
    PetError
        If it is no three-dimensional mask with its place in the patient.
    """
    require("nibabel")
    import nibabel

    try:
        image: Any = nibabel.load(path)
        values = np.asanyarray(image.dataobj)
        affine: NDArray[np.float64] = np.array(image.affine, dtype=np.float64)
        codes = image.header["sform_code"], image.header["qform_code"]
    except Exception as error:  # nibabel, gzip and zlib raise many kinds on a damaged file
        raise PetError(f"{name}: cannot be read as NIfTI; write it again") from error
    if values.ndim == 4 and values.shape[3] == 1:
        values = values[..., 0]
    if values.ndim != 3 or values.dtype.kind not in "biuf" or not np.isfinite(values).all():
        raise PetError(f"{name}: is no mask of three dimensions; give one")
    if not any(int(code) for code in codes) or abs(np.linalg.det(affine[:3, :3])) < 1e-6:
        raise PetError(f"{name}: does not say where it lies in the patient (sform, qform); write it again")
    to_lps = np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine
    stem = Path(path.name.removesuffix(".gz")).stem
    labels = np.unique(values)
    if (labels < 0).any():
        raise PetError(f"{name}: has values below 0, expected a mask; give one")
    if (labels != np.round(labels)).any():
        note = "the mask has values between 0 and 1: half and more count"
        return [Mask(name=stem, voxels=values >= _HALF, affine=to_lps, notes=(note,))]
    labels = labels[labels > 0]
    if len(labels) > _MOST_LABELS:
        raise PetError(f"{name}: has {len(labels)} different values, expected a mask; give one")
    if len(labels) <= 1:
        return [Mask(name=stem, voxels=values > 0, affine=to_lps)]
    return [Mask(name=f"{stem}-{label:g}", voxels=values == label, affine=to_lps) for label in labels]


def read_segmentation(path: Path, name: str) -> list[Mask]:
    """The segments of a DICOM segmentation.

    Raises
    ------
    PetError
        If it cannot be read, or lies on no regular grid.
    """
    require("highdicom")
    import highdicom

    try:
        found = highdicom.seg.segread(path)
        masks = []
        for number in found.segment_numbers:
            volume = found.get_volume(segment_numbers=[number], combine_segments=False)
            values = np.asarray(volume.array)
            values = values[..., 0] if values.ndim == 4 else values
            fractional = found.segmentation_type == highdicom.seg.SegmentationTypeValues.FRACTIONAL
            masks.append(
                Mask(
                    name=Elements(found.get_segment_description(number), name).label("SegmentLabel"),
                    voxels=np.asarray(values >= _HALF if fractional else values > 0),
                    affine=np.asarray(volume.affine, float),
                    frame_of_reference=str(found.FrameOfReferenceUID),
                    notes=("the segment has fractions: half and more count",) * fractional,
                )
            )
    except Exception as error:  # highdicom raises many kinds on what is no plain segmentation
        raise PetError(
            f"{name}: cannot be read as a DICOM segmentation on a regular grid; export it again"
        ) from error
    return masks
