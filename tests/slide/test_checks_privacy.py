"""Names, barcodes and dates in a slide's properties reach no output and no message."""

import base64
import re

import numpy as np
import pydicom
import pytest
import tifffile

import ihcscore
from ihcscore.errors import SlideError
from ihcscore.schema import FieldSettings, RegionSettings, RunSettings
from ihcscore.slide import open_slide
from writers.formats import WRITERS

NAME, BARCODE, DATE = "SURNAME^FORENAME", "BC-4711-0815", "1957-03-09"
PLANTED = (NAME, BARCODE, DATE, "SURNAME")
DESCRIPTION, MAKER, DATE_TIME, ARTIST, HOST = 270, 271, 306, 315, 316
SETTINGS = RunSettings(
    fields=FieldSettings(n_fields=1, field_area_mm2=0.02), regions=RegionSettings(margin_um=200)
)


def plant_in_tiff(path) -> None:
    """Into the description of every page, in its maker's own words, and into the tags for people."""
    with tifffile.TiffFile(path, mode="r+b", is_ndpi=False) as tiff:
        for page in tiff.pages:
            tag = page.tags.get(DESCRIPTION)
            if tag is not None:
                tag.overwrite(in_words(str(tag.value)).encode())
    # No tags but those that are there can be changed in place: the maker's name and the software serve.
    with tifffile.TiffFile(path, mode="r+b", is_ndpi=False) as tiff:
        for page in tiff.pages:
            software = page.tags.get("Software")
            if software is not None:
                software.overwrite(f"{software.value} {BARCODE} {NAME}")


def in_words(description: str) -> str:
    """A description with the planted values, still one that readers understand."""
    if description.startswith("Aperio"):
        return f"{description}|Patient = {NAME}|Barcode = {BARCODE}|Date = {DATE}|User = {NAME}"
    planted = "".join(
        f'<Attribute Name="{name}" Group="0x0010" Element="0x0010" PMSVR="IString">{value}</Attribute>'
        for name, value in (
            ("DICOM_PATIENT_NAME", NAME),
            ("PIM_DP_UFS_BARCODE", BARCODE),
            ("DICOM_ACQUISITION_DATETIME", DATE),
        )
    )
    if "DPUfsImport" in description:
        return description.replace('ObjectType="DPUfsImport">', f'ObjectType="DPUfsImport">{planted}', 1)
    if "<OME" in description:
        return description.replace("<Image ", f"<!-- {NAME} {BARCODE} {DATE} --><Image ", 1)
    return description


def plant_in_mirax(path) -> None:
    ini = path.with_suffix("") / "Slidedat.ini"
    text = ini.read_text(encoding="utf-8-sig")
    more = f"PATIENT_NAME = {NAME}\nSLIDE_BARCODE = {BARCODE}\nSLIDE_CREATIONDATETIME = {DATE}\n"
    planted = text.replace("[GENERAL]\n", f"[GENERAL]\n{more}", 1)
    assert planted != text
    ini.write_text(re.sub("(?m)^SLIDE_NAME = .*", f"SLIDE_NAME = {NAME}", planted), encoding="utf-8")


def plant_in_dicom(path) -> None:
    for file in path.iterdir():
        slide = pydicom.dcmread(file)
        slide.PatientName, slide.PatientID, slide.PatientBirthDate = NAME, BARCODE, DATE.replace("-", "")
        slide.ContainerIdentifier, slide.AccessionNumber = BARCODE, BARCODE
        slide.save_as(file)


PLANTERS = {"svs jpeg": plant_in_tiff, "ndpi": plant_in_tiff, "philips": plant_in_tiff, "ome": plant_in_tiff,
            "mirax": plant_in_mirax, "dicom": plant_in_dicom}  # fmt: skip


def found_in(text: str) -> list[str]:
    return [word for word in (*PLANTED, DATE.replace("-", "")) if word in text]


@pytest.fixture(scope="module", params=list(PLANTERS))
def planted(request, tmp_path_factory, phantom):
    """A slide with values that are nobody's business, on which a run succeeds."""
    rgb = np.ascontiguousarray(phantom.section.rgb[900:2700, 300:2100])
    path = WRITERS[request.param](tmp_path_factory.mktemp("planted"), rgb)
    PLANTERS[request.param](path)
    stored = path.read_bytes() if path.is_file() else min(path.iterdir()).read_bytes()
    if request.param == "mirax":
        stored = (path.with_suffix("") / "Slidedat.ini").read_bytes()
    assert NAME.encode() in stored
    return min(path.iterdir()) if path.is_dir() else path


def test_no_output_of_a_run_holds_them(planted, tmp_path):
    ihcscore.score_slide(planted, profile="CD3", settings=SETTINGS, out=tmp_path / "out")
    files = [file for file in (tmp_path / "out").rglob("*") if file.is_file()]
    assert len(files) > 8
    for file in files:
        text = file.read_bytes().decode("latin-1")
        embedded = re.findall("base64,([A-Za-z0-9+/=]+)", text)
        pictures = "".join(base64.b64decode(piece).decode("latin-1") for piece in embedded)
        assert found_in(text + pictures) == [], file.name


def test_the_command_line_does_not_show_them(planted, ihcscore_command):
    shown = ihcscore_command("info", planted)
    assert shown.status == 0
    assert found_in(shown.out + shown.err) == []


def test_nor_does_the_message_of_a_damaged_file(planted, tmp_path):
    """Every place in the first 20 kB is damaged once; what is refused says nothing of the file's text."""
    file = planted.with_suffix("") / "Slidedat.ini" if planted.suffix == ".mrxs" else planted
    good = file.read_bytes()
    try:
        for at in range(0, min(len(good), 20_000), 211):
            file.write_bytes(good[:at] + b"\xff\0=\xff" + good[at + 4 :])
            with pytest.MonkeyPatch.context() as patched:
                # The checks alone: a decoder is not to open damaged files in this process.
                patched.setattr("ihcscore.slide.readers.openslide.detect_format", lambda path: None)
                patched.setattr("ihcscore.slide.readers.ome_tiff.is_ome_tiff", lambda path: False)
                with pytest.raises(SlideError) as caught:
                    open_slide(planted)
            assert found_in(str(caught.value)) == []
    finally:
        file.write_bytes(good)
