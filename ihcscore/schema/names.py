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


class Sampling(StrEnum):
    """How fields are chosen in a region."""

    RANDOM = "random"
    SYSTEMATIC = "systematic"
    HOTSPOT = "hotspot"
    ALL = "all"


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
