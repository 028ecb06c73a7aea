"""Tables that a person gives to measure uptake: scans, spheres, names of volumes."""

from __future__ import annotations

from ihcscore.schema.table import InputColumn, InputTable, Kind, Need, Range

_ABOVE_0 = Range(low=0, open_low=True)
_INSTEAD = "in place of the header's"


def _number(name: str, unit: str, meaning: str, allowed: Range = _ABOVE_0) -> InputColumn:
    return InputColumn(name=name, kind=Kind.NUMBER, unit=unit, range=allowed, meaning=meaning)


SCAN_MANIFEST = InputTable(
    name="manifest",
    command="suv",
    row="a scan",
    columns=(
        InputColumn(
            name="patient_id",
            kind=Kind.ID,
            need=Need.FILLED,
            meaning="patient, the same text in all tables",
        ),
        InputColumn(name="timepoint", need=Need.FILLED, meaning="scan, as `correlate --timepoint` names it"),
        InputColumn(
            name="pet",
            need=Need.FILLED,
            meaning="folder of the PET series, relative to the manifest's folder",
        ),
        InputColumn(
            name="voi",
            need=Need.FILLED,
            meaning="volumes: RTSTRUCT, DICOM segmentation, NIfTI mask or CSV of spheres; several with `;`",
        ),
        InputColumn(name="series", meaning="number of the series or part of its description, among several"),
        _number("weight_kg", "kg", f"body weight, {_INSTEAD}"),
        _number("height_m", "m", f"height, {_INSTEAD}"),
        InputColumn(name="sex", kind=Kind.CHOICE, choices=("M", "F", "O"), meaning=f"sex, {_INSTEAD}"),
        _number("injected_mbq", "MBq", f"activity in the syringe at the injection, {_INSTEAD}"),
        InputColumn(name="injected_at", meaning=f"09:30:00 or 2020-01-31 09:30:00, {_INSTEAD}"),
        _number("residual_mbq", "MBq", "activity left in the syringe", Range(low=0)),
        InputColumn(name="residual_at", meaning="when that was measured; else at the injection"),
        InputColumn(
            name="reference_time",
            meaning="to which the scanner corrected decay, in place of what the header says",
        ),
        _number("half_life_s", "s", f"half-life, {_INSTEAD}"),
    ),
    keys=("patient_id", "timepoint"),
    remedy="see docs/suv.md for the manifest's columns",
)

SPHERES = InputTable(
    name="spheres",
    command="suv",
    row="a sphere",
    columns=(
        InputColumn(name="name", need=Need.FILLED, meaning="an organ's name, or the lesion's"),
        *(
            InputColumn(name=name, kind=Kind.NUMBER, unit="mm", need=Need.FILLED, meaning=meaning)
            for name, meaning in (
                ("x_mm", "centre in the patient, to the left (LPS)"),
                ("y_mm", "centre, to the back"),
                ("z_mm", "centre, to the head"),
            )
        ),
        InputColumn(
            name="diameter_mm",
            kind=Kind.NUMBER,
            unit="mm",
            need=Need.FILLED,
            range=Range(low=0, high=500, open_low=True),
            meaning="diameter",
        ),
    ),
    remedy="give these columns",
)

VOLUME_NAMES = InputTable(
    name="names",
    command="suv",
    row="a volume's name",
    columns=(
        InputColumn(name="name", need=Need.FILLED, meaning="as in the file of volumes"),
        InputColumn(name="tissue", need=Need.FILLED, meaning="lesion, or the healthy organ's name"),
        InputColumn(name="lesion_id", kind=Kind.ID, need=Need.COLUMN, meaning="lesion; of an organ its side"),
    ),
    keys=("name",),
    remedy="give these columns",
)
