"""Names that stand in tables and options."""

from __future__ import annotations

from enum import StrEnum


class CellClass(StrEnum):
    """Classes of a cell, by QuPath's names where QuPath has one."""

    POSITIVE = "Positive"
    NEGATIVE = "Negative"
    PIGMENT_SUSPECT = "Pigment suspect"


class RegionName(StrEnum):
    """Where fields are drawn (Hendry et al. 2017, doi 10.1097/PAP.0000000000000161)."""

    TUMOUR_CENTRE = "Tumour centre"
    INVASIVE_FRONT = "Invasive front"
    GIVEN = "Given fields"


BOTH_REGIONS = "Both regions"
"""All fields of a slide together, whatever their region, as van de Donk et al. 2021 give them."""


class RegionSource(StrEnum):
    """Who said where the tumour is."""

    ANNOTATED = "annotated"
    PROPOSED = "proposed, not confirmed"


class FieldStatus(StrEnum):
    """What became of a field."""

    SCORED = "scored"
    UNPLACED = "unplaced"
    REJECTED = "rejected"
    FAILED = "failed"


class Quality(StrEnum):
    """Whether what lies in a field can be counted."""

    PASS = "pass"
    WARN = "warn"
    FAIL = "fail"


class StainVerdict(StrEnum):
    """Whether a picture is what its profile expects: haematoxylin and the chromogen on bright glass."""

    OK = "ok"
    DOUBTFUL = "doubtful"
    REFUSED = "refused"


class Sampling(StrEnum):
    """How fields are chosen in a region; `given` ones were chosen by a person."""

    RANDOM = "random"
    SYSTEMATIC = "systematic"
    HOTSPOT = "hotspot"
    ALL = "all"
    GIVEN = "given"


class FinderName(StrEnum):
    """What finds the cells of a field."""

    NETWORK = "network"
    """A small convolutional network on the stain amounts."""
    CLASSICAL = "classical"
    """Blobs of stain, judged by weighted features."""


class Chromogen(StrEnum):
    """What the antibody is seen by."""

    DAB = "DAB"
    AEC = "AEC"
    FAST_RED = "FastRed"


class Source(StrEnum):
    """Where a colour, a depth of staining or a scale comes from."""

    ESTIMATED = "estimated"
    GIVEN = "given"
    PUBLISHED = "published"
    ASSUMED = "assumed"
    FILE = "file"


class WhiteSource(StrEnum):
    """Where a slide's white comes from."""

    GLASS = "glass"
    BRIGHTEST_TISSUE = "brightest tissue"


class Role(StrEnum):
    """What a correlation is for: decided beforehand, or looked at besides."""

    PRIMARY = "primary"
    SENSITIVITY = "sensitivity"


class Attainable(StrEnum):
    """Whether a test could have been significant, whatever the data."""

    YES = "yes"
    NO = "no"
    ONLY_UNADJUSTED = "only unadjusted"


class PermutationKind(StrEnum):
    """Which rearrangements a P value counts."""

    ALL = "all"
    RANDOM = "random"


class When(StrEnum):
    """What a scan is in a study."""

    BEFORE = "before"
    DURING = "during"
    NEITHER = "neither"


class Described(StrEnum):
    """What a summary is of."""

    DENSITY = "density"
    RATIO = "ratio"
    LESIONS = "uptake of lesions"
    PATIENTS = "uptake of patients"
    HEALTHY = "healthy tissue"


class Front(StrEnum):
    """Which side of the tumour outline the invasive front takes."""

    BOTH = "both"
    INSIDE = "inside"
    OUTSIDE = "outside"


class Unit(StrEnum):
    """What one point of a correlation is."""

    PATIENT = "patient"
    LESION = "lesion"


class Adjustment(StrEnum):
    """How P values are adjusted for the number of tests in a family."""

    HOLM = "holm"
    BENJAMINI_HOCHBERG = "bh"
    NONE = "none"


class Quartiles(StrEnum):
    """How quartiles lie between values (Hyndman and Fan 1996, doi 10.1080/00031305.1996.10473566)."""

    LINEAR = "linear"
    """Type 7: R, numpy, Excel."""
    SPSS = "spss"
    """Type 6: SPSS, Minitab, GraphPad Prism."""
