"""A PET series of known uptake as scanners write it: DICOM files in the dialects of several makers.

The same SUV come back from every dialect; what differs is in which unit the voxels are, to which time decay
was corrected and which tag says so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pydicom import Dataset

_SUBVOXELS = 8
_PET_CLASS = "1.2.840.10008.5.1.4.1.1.128"
_LARGEST = 32_000  # stored value
_ACTIVITY_PER_COUNT = 1.7  # Bq/ml, as Philips scales counts
_SAVED_LATER = timedelta(minutes=46)


class Dialect(StrEnum):
    """How a maker writes units and times.

    ``siemens``: frame reference times are averages. ``ge``: they are starts. ``ge_private``: the scan's time
    is in a private tag, acquisition times are the scan's. ``philips``: counts with private factors.
    ``late``: the series time is that of a later copy.
    """

    SIEMENS = "siemens"
    GE = "ge"
    GE_PRIVATE = "ge_private"
    PHILIPS = "philips"
    LATE = "late"


@dataclass(frozen=True, kw_only=True)
class Sphere:
    """A sphere of uptake.

    Attributes
    ----------
    name : str
    centre_mm : (float, float, float)
        In the patient (LPS).
    diameter_mm : float
    suv : float
    """

    name: str
    centre_mm: tuple[float, float, float]
    diameter_mm: float
    suv: float


@dataclass(frozen=True, kw_only=True)
class PetScan:
    """Scan and patient.

    Attributes
    ----------
    shape_zyx : (int, int, int)
    spacing_xyz_mm : (float, float, float)
    origin_mm : (float, float, float)
        Centre of the first voxel.
    orientation : (float × 6)
        Directions of rows and columns, as ImageOrientationPatient.
    weight_kg, height_m, injected_mbq : float
    half_life_s : float
        Of 18F.
    injected_at : datetime
    uptake_min : float
        From the injection to the start of the scan.
    frame_s : float
        Duration of a bed.
    n_beds : int
    """

    shape_zyx: tuple[int, int, int] = (12, 32, 32)
    spacing_xyz_mm: tuple[float, float, float] = (5.0, 5.0, 5.0)
    origin_mm: tuple[float, float, float] = (-77.5, -77.5, -27.5)
    orientation: tuple[float, float, float, float, float, float] = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
    weight_kg: float = 80.0
    height_m: float = 1.78
    injected_mbq: float = 200.0
    half_life_s: float = 6586.2
    injected_at: datetime = field(default=datetime(2020, 3, 2, 9, 0))
    uptake_min: float = 60.0
    frame_s: float = 180.0
    n_beds: int = 2

    @property
    def decay_per_s(self) -> float:
        """Decay constant."""
        return math.log(2) / self.half_life_s

    def places_mm(self, zyx: NDArray[np.float64]) -> NDArray[np.float64]:
        """Array coordinates, (..., 3), to mm in the patient."""
        row, column = np.array(self.orientation[:3]), np.array(self.orientation[3:])
        x, y, z = self.spacing_xyz_mm
        steps = np.stack([np.cross(row, column) * z, column * y, row * x])
        return np.asarray(np.array(self.origin_mm) + zyx @ steps)


def draw_uptake(scan: PetScan, spheres: Sequence[Sphere], *, background: float) -> NDArray[np.float64]:
    """SUV of spheres in a background; a voxel on an edge has its share of both.

    Returns
    -------
    (slices, rows, columns) array of float
    """
    suv = np.full(scan.shape_zyx, float(background))
    steps = (np.arange(_SUBVOXELS) + 0.5) / _SUBVOXELS - 0.5
    within = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)
    for at in range(scan.shape_zyx[0]):
        rows, columns = np.mgrid[: scan.shape_zyx[1], : scan.shape_zyx[2]]
        voxels = np.stack([np.full(rows.shape, at), rows, columns], axis=-1).astype(float)
        centres = scan.places_mm(voxels)
        for sphere in spheres:
            away = np.linalg.norm(centres - sphere.centre_mm, axis=-1)
            near = away <= sphere.diameter_mm / 2 + np.linalg.norm(scan.spacing_xyz_mm)
            points = scan.places_mm(voxels[near][:, None] + within)
            share = (np.linalg.norm(points - sphere.centre_mm, axis=-1) <= sphere.diameter_mm / 2).mean(
                axis=1
            )
            suv[at][near] += (sphere.suv - background) * share
    return suv


def write_pet_series(
    folder: Path, suv: NDArray[np.float64], scan: PetScan, dialect: Dialect, *, key: str = ""
) -> list[Path]:
    """Write a series.

    Parameters
    ----------
    folder : Path
        Made if it is not there.
    suv : (slices, rows, columns) array of float
        By body weight.
    scan : PetScan
    dialect : Dialect
    key : str
        Names the patient's position: the same key gives the same identities, so that volumes fit.

    Returns
    -------
    list of Path
        The files, their names in no order that means anything.
    """
    from pydicom.uid import generate_uid

    if suv.shape != scan.shape_zyx:
        raise ValueError(f"suv is {suv.shape}, expected {scan.shape_zyx}")
    folder.mkdir(parents=True, exist_ok=True)
    series = generate_uid(entropy_srcs=["series", key, dialect])
    files = []
    for at, values in enumerate(suv):
        dataset = _new_dataset(generate_uid(entropy_srcs=[series, str(at)]), series, frame_of_reference(key))
        _describe(dataset, scan, at)
        factor = _times(dataset, scan, dialect, at)
        _set_pixels(dataset, values / factor)
        path = folder / f"{generate_uid(entropy_srcs=[series, str(at)])[-8:]}.dcm"
        dataset.save_as(path, enforce_file_format=True)
        files.append(path)
    return files


def frame_of_reference(key: str) -> str:
    """Identity of a patient's position, for volumes that belong to a drawn series."""
    from pydicom.uid import generate_uid

    return str(generate_uid(entropy_srcs=["frame", key]))


def _new_dataset(identity: str, series: str, frame: str) -> Dataset:
    from pydicom import Dataset
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid

    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = UID(_PET_CLASS)
    dataset.file_meta.MediaStorageSOPInstanceUID = UID(identity)
    dataset.SOPClassUID, dataset.SOPInstanceUID = _PET_CLASS, identity
    dataset.SeriesInstanceUID, dataset.FrameOfReferenceUID = series, frame
    dataset.StudyInstanceUID = generate_uid(entropy_srcs=["study", series])
    dataset.Modality, dataset.SeriesNumber, dataset.SeriesDescription = "PT", 1, "PET drawn AC"
    dataset.PatientName, dataset.PatientID = "Nobody^Phantom", "none"
    return dataset


def _describe(dataset: Dataset, scan: PetScan, at: int) -> None:
    """Patient, place and tracer."""
    from pydicom import Dataset

    dataset.PatientWeight, dataset.PatientSize, dataset.PatientSex = scan.weight_kg, scan.height_m, "F"
    x, y, z = scan.spacing_xyz_mm
    dataset.PixelSpacing, dataset.SliceThickness = [y, x], z
    dataset.ImageOrientationPatient = list(scan.orientation)
    position = scan.places_mm(np.array([float(at), 0.0, 0.0]))
    dataset.ImagePositionPatient = [f"{value:.10g}" for value in position]
    dataset.NumberOfSlices, dataset.SeriesType = scan.shape_zyx[0], ["WHOLEBODY", "IMAGE"]
    dataset.CorrectedImage = ["DECY", "ATTN", "SCAT", "DTIM", "NORM"]
    dataset.ReconstructionMethod = "OSEM"
    tracer = Dataset()
    tracer.RadionuclideTotalDose, tracer.RadionuclideHalfLife = scan.injected_mbq * 1e6, scan.half_life_s
    tracer.RadiopharmaceuticalStartTime = f"{scan.injected_at:%H%M%S}"
    tracer.RadiopharmaceuticalStartDateTime = f"{scan.injected_at:%Y%m%d%H%M%S}"
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "C-111A1", "SRT", "^18^Fluorine"
    tracer.RadionuclideCodeSequence = [code]
    dataset.RadiopharmaceuticalInformationSequence = [tracer]


def _times(dataset: Dataset, scan: PetScan, dialect: Dialect, at: int) -> float:
    """Write units and times; the SUV of a rescaled value of 1."""
    decay = scan.decay_per_s
    start = scan.injected_at + timedelta(minutes=scan.uptake_min)
    bed = at * scan.n_beds // scan.shape_zyx[0]
    since_s = bed * (scan.frame_s + 5.0)
    x = decay * scan.frame_s
    average_s = math.log(x / -math.expm1(-x)) / decay
    acquired, series, reference_s = start + timedelta(seconds=since_s), start, since_s + average_s
    if dialect in (Dialect.GE, Dialect.GE_PRIVATE):
        reference_s = since_s
    if dialect is Dialect.GE_PRIVATE:
        acquired = start
    if dialect in (Dialect.GE_PRIVATE, Dialect.LATE):
        series = start + _SAVED_LATER
    dataset.SeriesDate, dataset.SeriesTime = f"{series:%Y%m%d}", f"{series:%H%M%S.%f}"
    dataset.AcquisitionDate, dataset.AcquisitionTime = f"{acquired:%Y%m%d}", f"{acquired:%H%M%S.%f}"
    dataset.FrameReferenceTime = round(1000 * reference_s, 3)
    dataset.ActualFrameDuration = round(1000 * scan.frame_s)
    dataset.DecayFactor = round(math.exp(decay * (since_s + average_s)), 6)
    dataset.DecayCorrection, dataset.Units = "START", "BQML"
    dose = 1e6 * scan.injected_mbq * math.exp(-decay * 60 * scan.uptake_min)
    factor = 1000 * scan.weight_kg / dose
    dataset.Manufacturer = {
        Dialect.SIEMENS: "SIEMENS", Dialect.PHILIPS: "Philips Medical Systems", Dialect.LATE: "CPS",
    }.get(dialect, "GE MEDICAL SYSTEMS")  # fmt: skip
    dataset.ManufacturerModelName = "drawn"
    if dialect is Dialect.GE_PRIVATE:
        block = dataset.private_block(0x0009, "GEMS_PETD_01", create=True)
        block.add_new(0x0D, "DT", f"{start:%Y%m%d%H%M%S.00}")
    if dialect is Dialect.PHILIPS:
        dataset.Units = "CNTS"
        block = dataset.private_block(0x7053, "Philips PET Private Group", create=True)
        block.add_new(0x00, "DS", f"{factor * _ACTIVITY_PER_COUNT:.9g}")
        block.add_new(0x09, "DS", f"{_ACTIVITY_PER_COUNT:.9g}")
        return float(f"{factor * _ACTIVITY_PER_COUNT:.9g}")
    return factor


def _set_pixels(dataset: Dataset, values: NDArray[np.float64]) -> None:
    """Store a slice as 16-bit whole numbers with a slope of its own."""
    slope = float(f"{max(float(values.max()), 1e-9) / _LARGEST:.10g}")
    dataset.RescaleSlope, dataset.RescaleIntercept = slope, 0
    dataset.Rows, dataset.Columns = values.shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 16, 15
    dataset.PixelRepresentation = 1
    dataset.PixelData = np.round(values / slope).astype("<i2").tobytes()
