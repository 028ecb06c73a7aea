"""DICOM whole-slide images (VL Whole Slide Microscopy, PS3.3 A.32.8): a folder with one file a level."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import JPEGBaseline8Bit, generate_uid

from writers.pyramid import levels_of

WHOLE_SLIDE = "1.2.840.10008.5.1.4.1.1.77.1.6"


@dataclass(frozen=True, kw_only=True)
class DicomSettings:
    """How a DICOM slide is stored; `slide` goes into its unique numbers, and `icc` into each file."""

    mpp_xy_um: tuple[float, float] = (0.5, 0.5)
    n_levels: int = 3
    tile_px: int = 256
    quality: int = 95
    icc: bytes | None = None
    slide: str = "a"


def write_dicom(folder: Path, rgb: NDArray[np.uint8], settings: DicomSettings | None = None) -> Path:
    """Write ``level0.dcm`` and on into `folder`, and return it."""
    settings = settings or DicomSettings()
    folder.mkdir(parents=True, exist_ok=True)
    for k, level in enumerate(levels_of(rgb, settings.n_levels)):
        dataset = _general(settings, k)
        _describe_pixels(dataset, level, rgb.shape[:2], settings, k)
        _place(dataset, settings, k)
        frames = _frames(level, settings)
        dataset.NumberOfFrames = len(frames)
        dataset.PixelData = encapsulate(frames)
        dataset["PixelData"].is_undefined_length = True
        dataset.save_as(
            folder / f"level{k}.dcm", enforce_file_format=True, little_endian=True, implicit_vr=False
        )
    return folder


def _uid(settings: DicomSettings, *names: object) -> str:
    """A unique number that is the same in every run."""
    return generate_uid(entropy_srcs=[settings.slide, *map(str, names)])


def _frames(level: NDArray[np.uint8], settings: DicomSettings) -> list[bytes]:
    """JPEG tiles, row by row; those at the far edges padded with white."""
    side = settings.tile_px
    down, right = (-n % side for n in level.shape[:2])
    padded = np.pad(level, ((0, down), (0, right), (0, 0)), constant_values=255)
    frames = []
    for y in range(0, padded.shape[0], side):
        for x in range(0, padded.shape[1], side):
            encoded = io.BytesIO()
            tile = Image.fromarray(np.ascontiguousarray(padded[y : y + side, x : x + side]))
            tile.save(encoded, "JPEG", quality=settings.quality, subsampling=0)
            frames.append(encoded.getvalue())
    return frames


def _dataset(**elements: object) -> Dataset:
    made = Dataset()
    for name, value in elements.items():
        setattr(made, name, value)
    return made


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    return _dataset(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)


def _general(settings: DicomSettings, k: int) -> Dataset:
    """Patient, study, series, equipment and specimen."""
    instance = _uid(settings, "instance", k)
    dataset = _dataset(
        SOPClassUID=WHOLE_SLIDE, SOPInstanceUID=instance, StudyInstanceUID=_uid(settings, "study"),
        SeriesInstanceUID=_uid(settings, "series"), FrameOfReferenceUID=_uid(settings, "frame"),
        PatientName="Synthetic^Slide", PatientID="SYN", PatientBirthDate="", PatientSex="",
        StudyDate="20000101", StudyTime="000000", ContentDate="20000101", ContentTime="000000",
        AcquisitionDateTime="20000101000000", AccessionNumber="", ReferringPhysicianName="", StudyID="1",
        Modality="SM", SeriesNumber=1, InstanceNumber=k + 1, Manufacturer="none",
        ManufacturerModelName="none", DeviceSerialNumber="1", SoftwareVersions="1",
        PositionReferenceIndicator="SLIDE_CORNER", ContainerIdentifier="SYN",
        IssuerOfTheContainerIdentifierSequence=Sequence([]), AcquisitionContextSequence=Sequence([]),
        ContainerTypeCodeSequence=Sequence([_code("433466003", "SCT", "Microscope slide")]),
        SpecimenDescriptionSequence=Sequence([_dataset(
            SpecimenIdentifier="SYN", SpecimenUID=_uid(settings, "specimen"),
            IssuerOfTheSpecimenIdentifierSequence=Sequence([]), SpecimenPreparationSequence=Sequence([]),
        )]),
    )  # fmt: skip
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = WHOLE_SLIDE
    meta.MediaStorageSOPInstanceUID = instance
    meta.TransferSyntaxUID = JPEGBaseline8Bit
    meta.ImplementationClassUID = _uid(settings, "implementation")
    dataset.file_meta = meta
    return dataset


def _describe_pixels(
    dataset: Dataset, level: NDArray[np.uint8], shape_yx: tuple[int, ...], settings: DicomSettings, k: int
) -> None:
    kind = ["DERIVED", "PRIMARY", "VOLUME", "RESAMPLED"] if k else ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
    mm_x, mm_y = (mpp / 1e3 for mpp in settings.mpp_xy_um)
    dataset.update(_dataset(
        ImageType=kind, Rows=settings.tile_px, Columns=settings.tile_px,
        TotalPixelMatrixRows=level.shape[0], TotalPixelMatrixColumns=level.shape[1],
        TotalPixelMatrixFocalPlanes=1, SamplesPerPixel=3, PhotometricInterpretation="YBR_FULL_422",
        PlanarConfiguration=0, BitsAllocated=8, BitsStored=8, HighBit=7, PixelRepresentation=0,
        LossyImageCompression="01", LossyImageCompressionRatio=10, LossyImageCompressionMethod="ISO_10918_1",
        BurnedInAnnotation="NO", SpecimenLabelInImage="NO", FocusMethod="AUTO", ExtendedDepthOfField="NO",
        VolumetricProperties="VOLUME", ImagedVolumeWidth=shape_yx[1] * mm_x,
        ImagedVolumeHeight=shape_yx[0] * mm_y, ImagedVolumeDepth=1.0,
    ))  # fmt: skip
    measures = _dataset(
        PixelSpacing=[mm_y * 2**k, mm_x * 2**k],  # rows first
        SliceThickness=0.001, SpacingBetweenSlices=0.001,
    )  # fmt: skip
    dataset.SharedFunctionalGroupsSequence = Sequence([_dataset(
        PixelMeasuresSequence=Sequence([measures]),
        WholeSlideMicroscopyImageFrameTypeSequence=Sequence([_dataset(FrameType=kind)]),
    )])  # fmt: skip


def _place(dataset: Dataset, settings: DicomSettings, k: int) -> None:
    """Where the tiles lie on the glass, and by which light."""
    path = _dataset(
        OpticalPathIdentifier="1", ObjectiveLensPower=20,
        IlluminationTypeCodeSequence=Sequence([_code("111744", "DCM", "Brightfield illumination")]),
        IlluminationColorCodeSequence=Sequence([_code("371251000", "SCT", "White color")]),
    )  # fmt: skip
    if settings.icc is not None:
        path.ICCProfile = settings.icc
    origin = _dataset(XOffsetInSlideCoordinateSystem=0, YOffsetInSlideCoordinateSystem=0)
    organisation = _dataset(DimensionOrganizationUID=_uid(settings, "dimension"))
    dataset.update(_dataset(
        DimensionOrganizationType="TILED_FULL", DimensionOrganizationSequence=Sequence([organisation]),
        ImageOrientationSlide=[0, -1, 0, -1, 0, 0], TotalPixelMatrixOriginSequence=Sequence([origin]),
        NumberOfOpticalPaths=1, OpticalPathSequence=Sequence([path]),
    ))  # fmt: skip
