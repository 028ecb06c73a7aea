"""Tables that a person gives: what each column is called, holds and may say."""

from __future__ import annotations

from dataclasses import replace

from ihcscore.schema.counting import COHORT_FIELDS, COHORT_SCORES, IMAGE_COUNTS
from ihcscore.schema.names import BOTH_REGIONS
from ihcscore.schema.pet import LESIONS
from ihcscore.schema.study import RESPONSES
from ihcscore.schema.table import InputColumn, InputTable, Kind, Need, Range

_NOT_NEGATIVE = Range(low=0)
_PER_MM2 = "mm⁻²"
# The highest lesion uptakes stay well below 100 g/ml.
_SUV = Range(low=0, high=150)

INTERVAL_COLUMNS = ("ci95_low_per_mm2", "ci95_high_per_mm2")
"""Columns of the scores with the ends of the 95 % interval by the spread between fields."""

WITH_INTERVAL = ("mean_per_mm2", "positive_per_mm2")
"""Columns that it belongs to: of fields of one area the pooled density is their mean. The Poisson interval,
which leaves that spread out, would make a few fields look more certain than they are."""

WITH_MATCHED = WITH_INTERVAL
"""Columns that `matched_mean_per_mm2` may stand for where two markers are compared."""


def _patient() -> InputColumn:
    return InputColumn(
        name="patient_id",
        meant=("patient", "subject", "subject_id", "case", "case_id", "id"),
        kind=Kind.ID,
        need=Need.FILLED,
        meaning="patient, the same text in all tables",
    )


def _sample(need: Need, meaning: str) -> InputColumn:
    return InputColumn(
        name="sample_id", meant=("sample", "block", "specimen"), kind=Kind.ID, need=need, meaning=meaning
    )


def _biopsy_date() -> InputColumn:
    return InputColumn(name="biopsy_date", kind=Kind.DATE, meaning="day on which the tissue was taken")


MANIFEST = InputTable(
    name="manifest",
    command="cohort",
    row="a slide",
    columns=(
        _patient(),
        _sample(Need.FILLED, "sample, all sections of one block; also the name of a folder"),
        InputColumn(
            name="slide",
            meant=("file", "filename", "path", "image"),
            need=Need.FILLED,
            meaning="file, relative to the manifest's folder",
        ),
        InputColumn(
            name="marker",
            meant=("stain", "antibody"),
            need=Need.FILLED,
            meaning="marker, once a sample; also a folder's name",
        ),
        InputColumn(
            name="reference",
            kind=Kind.YES_NO,
            meaning="the sample's slide on which fields are drawn; else its first",
        ),
        InputColumn(
            name="annotations",
            meant=("regions", "region", "outline", "outlines", "roi", "geojson", "xml"),
            meaning="annotation of the reference, relative to the manifest's folder",
        ),
        InputColumn(
            name="mpp_um",
            meant=("mpp", "pixel_size", "pixel_size_um", "resolution"),
            kind=Kind.NUMBER,
            unit="µm/px",
            range=Range(low=0, open_low=True),
            meaning="size of a level-0 pixel, overriding the file's",
        ),
        InputColumn(name="profile", meaning="profile's name or file, where it is not that of the marker"),
    ),
    keys=("sample_id", "marker"),
    remedy="see docs/cohort.md for the manifest's columns",
)

UPTAKE = InputTable(
    name="uptake",
    command="correlate",
    row="a lesion, or a volume of healthy tissue, in a scan",
    columns=(
        _patient(),
        InputColumn(
            name="lesion_id",
            meant=("lesion", "lesion_number", "roi", "voi"),
            kind=Kind.ID,
            need=Need.COLUMN,
            meaning="lesion; empty for healthy tissue alone",
        ),
        InputColumn(
            name="timepoint",
            meant=("scan", "visit", "time", "session"),
            kind=Kind.NAME,
            need=Need.FILLED,
            meaning="scan, as `--timepoint` names it",
        ),
        *(
            InputColumn(
                name=name, kind=Kind.NUMBER, unit="g/ml", range=_NOT_NEGATIVE, plausible=_SUV, meaning=meaning
            )
            for name, meaning in (
                ("suv_max", "highest SUV of the volume"),
                ("suv_mean", "mean SUV of the volume"),
                ("suv_peak", "SUVpeak of the volume"),
            )
        ),
        InputColumn(
            name="tissue",
            meant=("organ", "site", "location", "localisation", "localization", "type", "structure"),
            kind=Kind.NAME,
            need=Need.FILLED_IF_THERE,
            meaning="lesion (or tumour, metastasis, primary, in any words), or the healthy organ's name; "
            "without the column all rows are lesions",
        ),
        _sample(Need.NO, "sample that was taken from this lesion"),
        InputColumn(
            name="biopsied",
            kind=Kind.YES_NO,
            meaning="whether the tissue came from this lesion; enough where a patient has one sample",
        ),
        InputColumn(
            name="response",
            meant=("recist", "best_response", "bor", "outcome"),
            kind=Kind.CHOICE,
            choices=RESPONSES,
            none=("NE",),
            meaning="best response by RECIST 1.1; empty or NE: not evaluated",
        ),
        InputColumn(
            name="excluded",
            meant=("exclude", "exclusion", "excluded_because"),
            meaning="why the lesion takes no part, in words; empty or no: it does",
        ),
        InputColumn(name="scan_date", kind=Kind.DATE, meaning="day of the scan"),
        _biopsy_date(),
        InputColumn(
            name="injected_mbq",
            kind=Kind.NUMBER,
            unit="MBq",
            plausible=Range(low=5, high=2000),
            meaning="injected activity",
        ),
        InputColumn(
            name="weight_kg",
            kind=Kind.NUMBER,
            unit="kg",
            plausible=Range(low=20, high=300),
            meaning="body weight",
        ),
        InputColumn(name="software", meaning="program that measured; told where several did"),
        InputColumn(name="voi_method", meaning="how the volume was drawn; told where it differs"),
        InputColumn(name="suv_unit", meaning="unit of the uptake, where the table says it; one alone"),
    ),
    asked=InputColumn(
        name="suv_max",
        kind=Kind.NUMBER,
        unit="g/ml",
        range=_NOT_NEGATIVE,
        plausible=_SUV,
        need=Need.COLUMN,
        meaning="highest SUV of the volume, or the column that `--suv` names",
    ),
    keys=("patient_id", "tissue", "lesion_id", "timepoint"),
    remedy="name them with `rename` new=old",
    passed_over=frozenset(LESIONS.names),
)


SCORES_IN = InputTable(
    name="scores",
    command="correlate",
    row="a marker and region of a sample",
    columns=(
        _patient(),
        _sample(Need.FILLED, "sample"),
        InputColumn(
            name="marker",
            meant=("stain", "antibody"),
            kind=Kind.NAME,
            need=Need.COLUMN,
            meaning="marker; empty only where `missing` says why",
        ),
        InputColumn(
            name="region",
            meant=("area", "location", "compartment"),
            kind=Kind.NAME,
            choices=(BOTH_REGIONS,),
            need=Need.COLUMN,
            meaning="region; empty only where `missing` says why",
        ),
        *(
            InputColumn(
                name=name,
                kind=Kind.NUMBER,
                unit=_PER_MM2,
                meaning=f"{end} end of the 95 % interval of `{'` and `'.join(WITH_INTERVAL)}`",
            )
            for name, end in zip(INTERVAL_COLUMNS, ("lower", "upper"), strict=True)
        ),
        InputColumn(
            name="sd_per_mm2",
            kind=Kind.NUMBER,
            unit=_PER_MM2,
            range=_NOT_NEGATIVE,
            meaning="standard deviation between the fields, for the figure of patients",
        ),
        InputColumn(
            name="n_scored",
            aliases=("n_fields",),
            kind=Kind.WHOLE,
            range=_NOT_NEGATIVE,
            meaning="fields that were scored",
        ),
        InputColumn(name="region_source", meaning="who said where the tumour is; proposed regions are told"),
        InputColumn(
            name="positive_per_mm2",
            kind=Kind.NUMBER,
            unit=_PER_MM2,
            range=_NOT_NEGATIVE,
            meaning="density of positive cells, beside the next to tell of pigment",
        ),
        InputColumn(
            name="positive_or_suspect_per_mm2",
            kind=Kind.NUMBER,
            unit=_PER_MM2,
            range=_NOT_NEGATIVE,
            meaning="the same with brown objects that look like pigment",
        ),
        InputColumn(
            name="matched_mean_per_mm2",
            kind=Kind.NUMBER,
            unit=_PER_MM2,
            range=_NOT_NEGATIVE,
            meaning="mean of the fields that were scored on every marker, for ratios",
        ),
        InputColumn(name="n_matched", kind=Kind.NUMBER, range=_NOT_NEGATIVE, meaning="those fields"),
        InputColumn(name="slide", meaning="file name of the slide, to count slides"),
        InputColumn(name="warnings", meaning="text for the reader, told as it stands"),
        InputColumn(name="missing", meaning="why there is no density"),
        _biopsy_date(),
    ),
    asked=InputColumn(
        name="mean_per_mm2",
        kind=Kind.NUMBER,
        range=_NOT_NEGATIVE,
        need=Need.COLUMN,
        meaning="what is analysed, or the column that `--density` names; in mm⁻² if it is a density",
    ),
    keys=("patient_id", "sample_id", "marker", "region"),
    remedy="it must be the scores.csv of a cohort, or density must name a column of it",
    passed_over=frozenset(COHORT_SCORES.names),
)


def _naming(name: str, kind: Kind = Kind.TEXT, need: Need = Need.NO) -> InputColumn:
    meaning = "names the thing that was rated, where both tables have it or `--key` says so"
    return InputColumn(name=name, kind=kind, need=need, meaning=meaning)


RATERS = InputTable(
    name="rater",
    command="agree",
    row="a thing that a rater counted or measured",
    columns=(
        _naming("patient_id", Kind.ID),
        _naming("sample_id", Kind.ID),
        *(_naming(name) for name in ("slide", "image")),
        *(_naming(name, Kind.NAME) for name in ("marker", "region")),
        _naming("field_id"),
    ),
    asked=InputColumn(
        name="",
        kind=Kind.NUMBER,
        range=_NOT_NEGATIVE,
        need=Need.COLUMN,
        meaning="what was counted or measured: the only other column that both have, or that `--value` names",
    ),
    keys=("patient_id", "sample_id", "slide", "image", "marker", "region", "field_id"),
    remedy="give `keys` with columns that both have",
    passed_over=frozenset((*COHORT_FIELDS.names, *COHORT_SCORES.names, *IMAGE_COUNTS.names)),
)


def rated(keys: tuple[str, ...], value: str) -> InputTable:
    """A rater's table of which some columns name the thing and another holds the number."""
    kinds = {column.name: column.kind for column in RATERS.columns}
    named = (_naming(key, kinds.get(key, Kind.TEXT), Need.FILLED) for key in keys)
    return replace(RATERS.with_columns(*named).asking(value), keys=keys)


POINTS = InputTable(
    name="points",
    command="register",
    row="a point of the reference slide",
    columns=(
        InputColumn(name="X", kind=Kind.NUMBER, unit="level-0 px", need=Need.FILLED, meaning="to the right"),
        InputColumn(name="Y", kind=Kind.NUMBER, unit="level-0 px", need=Need.FILLED, meaning="down"),
    ),
    remedy="give the points of the reference in columns X and Y",
)
