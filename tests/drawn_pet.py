"""Small PET series of known uptake, and headers changed after they were written."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import highdicom
import numpy as np
import pydicom
from pydicom import Dataset
from pydicom.uid import generate_uid

from ihcscore.synthetic.disk.pet_series import Dialect, PetScan, Sphere, draw_uptake, write_pet_series

SPHERES = (
    Sphere(name="L1", centre_mm=(-20.0, 10.0, 0.0), diameter_mm=36.0, suv=4.0),
    Sphere(name="L2", centre_mm=(40.0, -20.0, 6.0), diameter_mm=24.0, suv=2.0),
)
SCAN = PetScan(spacing_xyz_mm=(6.0, 6.0, 6.0), origin_mm=(-93.0, -93.0, -33.0))
SMALL = replace(SCAN, shape_zyx=(4, 8, 8), origin_mm=(-21.0, -21.0, -9.0))


def write_drawn(folder: Path, dialect: Dialect = Dialect.SIEMENS, scan: PetScan = SCAN) -> Path:
    """A series of two spheres in a background of SUV 1."""
    write_pet_series(folder, draw_uptake(scan, SPHERES, background=1.0), scan, dialect)
    return folder


def write_flat(folder: Path, dialect: Dialect = Dialect.SIEMENS, scan: PetScan = SMALL) -> Path:
    """A small series of SUV 4 everywhere."""
    write_pet_series(folder, np.full(scan.shape_zyx, 4.0), scan, dialect)
    return folder


def change(folder: Path, edit: Callable[[Dataset, int], None]) -> Path:
    """Edit the header of every slice; the second argument counts slices by position."""
    files = sorted(
        folder.rglob("*.dcm"),
        key=lambda file: float(pydicom.dcmread(file, stop_before_pixels=True).ImagePositionPatient[2]),
    )
    for at, file in enumerate(files):
        dataset = pydicom.dcmread(file)
        edit(dataset, at)
        dataset.save_as(file)
    return folder


def tracer(dataset: Dataset) -> Dataset:
    """The item that holds dose and injection."""
    return dataset.RadiopharmaceuticalInformationSequence[0]


def set_raw(dataset: Dataset, keyword: str, text: str) -> None:
    """Write a text that pydicom would refuse."""
    from pydicom.datadict import dictionary_VR, tag_for_keyword
    from pydicom.dataelem import RawDataElement
    from pydicom.tag import Tag

    tag = Tag(tag_for_keyword(keyword))
    value = text.encode() + b" " * (len(text) % 2)
    dataset._dict[tag] = RawDataElement(tag, dictionary_VR(tag), len(value), value, 0, False, True)


def write_json_header(folder: Path, source: Path) -> Path:
    """A series of constant 1 with the headers of a JSON file, one slice an instance."""
    instances = json.loads(source.read_text(encoding="utf-8"))
    write_pet_series(
        folder,
        np.ones((len(instances), 4, 4)),
        replace(SMALL, shape_zyx=(len(instances), 4, 4)),
        Dialect.SIEMENS,
    )
    inside = (
        "RadionuclideTotalDose",
        "RadionuclideHalfLife",
        "RadiopharmaceuticalStartTime",
        "RadiopharmaceuticalStartDateTime",
    )

    def edit(dataset: Dataset, at: int) -> None:
        found = instances[at]
        for keyword in (
            "PatientSize",
            "PatientWeight",
            "DecayFactor",
            "Manufacturer",
            "SeriesDate",
            "AcquisitionDate",
        ):
            if keyword in dataset:
                delattr(dataset, keyword)
        for keyword in inside:
            if keyword in tracer(dataset):
                delattr(tracer(dataset), keyword)
        for keyword, value in found.items():
            if keyword in inside:
                setattr(tracer(dataset), keyword, value.strip() if isinstance(value, str) else value)
            elif keyword == "PhilipsPETPrivateGroup":
                block = None
                for name, element in (("SUVScaleFactor", 0x00), ("ActivityConcentrationScaleFactor", 0x09)):
                    if name in value:
                        block = block or dataset.private_block(
                            0x7053, "Philips PET Private Group", create=True
                        )
                        block.add_new(element, "DS", str(value[name]))
            else:
                setattr(dataset, keyword, value)
        values = np.ones((4, 4))
        dataset.RescaleSlope = 1
        dataset.PixelData = values.astype("<i2").tobytes()

    return change(folder, edit)


def write_segmentation(path, folder, mask, label="L1"):
    """A DICOM segmentation of one volume over the images of a folder."""
    images = sorted(
        (pydicom.dcmread(file) for file in folder.glob("*.dcm")), key=lambda one: one.ImagePositionPatient[2]
    )
    for image in images:
        image.StudyDate, image.StudyTime, image.AccessionNumber, image.StudyID = "", "", "", ""
        image.PatientBirthDate, image.ReferringPhysicianName = "", ""
    code = highdicom.sr.CodedConcept("108369006", "SCT", "Neoplasm")
    segment = highdicom.seg.SegmentDescription(
        segment_number=1, segment_label=label, segmented_property_category=code, segmented_property_type=code,
        algorithm_type=highdicom.seg.SegmentAlgorithmTypeValues.MANUAL,
    )  # fmt: skip
    found = highdicom.seg.Segmentation(
        source_images=images, pixel_array=mask.astype(np.uint8), segmentation_type="BINARY",
        segment_descriptions=[segment], series_instance_uid=generate_uid(), series_number=5,
        sop_instance_uid=generate_uid(), instance_number=1, manufacturer="x", manufacturer_model_name="x",
        software_versions="1", device_serial_number="1",
    )  # fmt: skip
    found.save_as(path)
