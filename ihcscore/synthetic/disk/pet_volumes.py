"""Volumes of interest of a drawn PET series: a table of spheres, and contours as an RTSTRUCT."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ihcscore.synthetic.disk.pet_series import PetScan, Sphere, frame_of_reference

_CORNERS = 180
_RTSTRUCT_CLASS = "1.2.840.10008.5.1.4.1.1.481.3"


def write_spheres(path: Path, spheres: Sequence[Sphere]) -> None:
    """Write spheres as a table: name, x_mm, y_mm, z_mm, diameter_mm."""
    lines = ["name,x_mm,y_mm,z_mm,diameter_mm"]
    lines += [
        f"{one.name},{','.join(f'{mm:.6g}' for mm in one.centre_mm)},{one.diameter_mm:.6g}" for one in spheres
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_contours(path: Path, spheres: Sequence[Sphere], scan: PetScan, *, key: str = "") -> None:
    """Write spheres as contours on every slice that they cross.

    Parameters
    ----------
    path : Path
    spheres : sequence of Sphere
    scan : PetScan
    key : str
        That of the series.
    """
    from pydicom import Dataset
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid

    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    identity = generate_uid(entropy_srcs=["rtstruct", key])
    dataset.file_meta.MediaStorageSOPClassUID = UID(_RTSTRUCT_CLASS)
    dataset.file_meta.MediaStorageSOPInstanceUID = identity
    dataset.SOPClassUID, dataset.SOPInstanceUID, dataset.Modality = _RTSTRUCT_CLASS, identity, "RTSTRUCT"
    regions, drawn = [], []
    for number, sphere in enumerate(spheres, 1):
        region = Dataset()
        region.ROINumber, region.ROIName = number, sphere.name
        region.ReferencedFrameOfReferenceUID = frame_of_reference(key)
        regions.append(region)
        contours = Dataset()
        contours.ReferencedROINumber = number
        contours.ContourSequence = _circles(sphere, scan)
        drawn.append(contours)
    dataset.StructureSetROISequence, dataset.ROIContourSequence = regions, drawn
    dataset.save_as(path, enforce_file_format=True)


def _circles(sphere: Sphere, scan: PetScan) -> list[object]:
    from pydicom import Dataset

    row, column = np.array(scan.orientation[:3]), np.array(scan.orientation[3:])
    normal = np.cross(row, column)
    centre = np.array(sphere.centre_mm)
    angles = 2 * np.pi * np.arange(_CORNERS) / _CORNERS
    ring = np.cos(angles)[:, None] * row + np.sin(angles)[:, None] * column
    contours: list[object] = []
    for at in range(scan.shape_zyx[0]):
        away = (scan.places_mm(np.array([float(at), 0.0, 0.0])) - centre) @ normal
        squared = (sphere.diameter_mm / 2) ** 2 - away**2
        if squared <= 0:
            continue
        points = centre + away * normal + math.sqrt(squared) * ring
        item = Dataset()
        item.ContourGeometricType, item.NumberOfContourPoints = "CLOSED_PLANAR", len(points)
        item.ContourData = [f"{value:.8g}" for value in points.ravel()]
        contours.append(item)
    return contours
