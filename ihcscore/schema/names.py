"""Names that stand in tables and options."""

from __future__ import annotations

from enum import StrEnum


class CellClass(StrEnum):
    """Classes of a cell, by QuPath's names where QuPath has one."""

    POSITIVE = "Positive"
    NEGATIVE = "Negative"
    PIGMENT_SUSPECT = "Pigment suspect"
    # Of tumour cells by their membrane.
    MEMBRANE_0 = "0"
    MEMBRANE_1 = "1+"
    MEMBRANE_2 = "2+"
    MEMBRANE_3 = "3+"
    # Beside them: lymphocytes, whose membranes are the control; cells outside of the tumour; tumour cells
    # that have too few neighbours to be measured.
    IMMUNE = "Immune"
    OTHER = "Other"
    NOT_MEASURED = "Not measured"


MEMBRANE_CLASSES = (
    CellClass.MEMBRANE_0,
    CellClass.MEMBRANE_1,
    CellClass.MEMBRANE_2,
    CellClass.MEMBRANE_3,
)
"""Classes of a tumour cell's membrane, in order."""


class Compartment(StrEnum):
    """What says which cells are tumour cells, in falling trust."""

    ANNOTATION = "annotation: Tumor minus Stroma"
    SECTION = "registered tumour-marker section"
    OUTLINE = "tumour outline, cells sorted by nucleus"
    NUCLEUS = "by nucleus"


REMOVED = "Removed"
"""What stands for the class of a cell that a reader removed: it is kept in the table of cells and is none."""


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


class CellPlace(StrEnum):
    """Whether a cell of a map lies on tissue that counts."""

    TISSUE = "tissue"
    LEFT_OUT = "left out"
    OFF_TISSUE = "off tissue"


class Phenotype(StrEnum):
    """Immune phenotype (Kather et al. 2018, doi 10.7554/eLife.36967: hot, excluded, cold)."""

    INFLAMED = "inflamed"
    EXCLUDED = "excluded"
    DESERT = "desert"
    NOT_DECIDABLE = "not decidable"


class ReviewStatus(StrEnum):
    """Whether a person has looked at a field, and what came of it.

    Of several fields together, `partly reviewed` where some of them were not looked at.
    """

    NOT_REVIEWED = "not reviewed"
    PARTLY = "partly reviewed"
    ACCEPTED = "accepted"
    CORRECTED = "corrected"
    REJECTED = "rejected"


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
    MEMBRANE = "membrane"
    """Nuclei of packed cells, and the chromogen across the membranes between them."""


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
