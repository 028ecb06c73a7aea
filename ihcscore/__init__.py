"""Immune cells per mm² on immunohistochemistry slides.

For each command of the command line there is a function of the same work. They load on first use, so that
``import ihcscore`` costs nothing.

>>> import ihcscore
>>> cells = ihcscore.count_cells(rgb, mpp_um=0.25, profile="CD3")  # doctest: +SKIP
>>> result = ihcscore.score_slide("slide.mrxs", profile="CD25")  # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

__all__ = [
    "DrawnFields",
    "GivenFields",
    "__version__",
    "agree_tables",
    "correlate_tables",
    "count_cells",
    "count_images",
    "describe_slide",
    "known_profiles",
    "load_profile",
    "map_slide",
    "measure_scans",
    "measure_volumes",
    "open_slide",
    "read_pet",
    "register_slides",
    "run_demo",
    "score_cohort",
    "score_slide",
    "score_slides",
    "write_fields",
    "write_regions",
]

if TYPE_CHECKING:
    from ihcscore.cohort.run import score_cohort
    from ihcscore.demo import run_demo
    from ihcscore.pet import measure_volumes, read_pet
    from ihcscore.profiles import known_profiles, load_profile
    from ihcscore.run.array import count_cells
    from ihcscore.run.drawn import DrawnFields
    from ihcscore.run.given import GivenFields
    from ihcscore.run.images import count_images
    from ihcscore.run.info import describe_slide
    from ihcscore.run.preview import write_fields, write_regions
    from ihcscore.run.slide import score_slide
    from ihcscore.run.slides import score_slides
    from ihcscore.run.whole import map_slide
    from ihcscore.serial.register import register_slides
    from ihcscore.slide import open_slide
    from ihcscore.study.agree import agree_tables
    from ihcscore.study.correlate import correlate_tables
    from ihcscore.suv import measure_scans

# Where the functions are; behind them the commands that call them.
_HOMES = {
    "ihcscore.run.slide": ("score_slide",),  # run
    "ihcscore.run.slides": ("score_slides",),  # run
    "ihcscore.run.whole": ("map_slide",),  # map
    "ihcscore.run.drawn": ("DrawnFields",),
    "ihcscore.run.given": ("GivenFields",),
    "ihcscore.run.preview": ("write_regions", "write_fields"),  # regions, fields
    "ihcscore.run.array": ("count_cells",),
    "ihcscore.run.images": ("count_images",),  # count
    "ihcscore.run.info": ("describe_slide",),  # info
    "ihcscore.profiles": ("known_profiles", "load_profile"),  # profiles
    "ihcscore.serial.register": ("register_slides",),  # register
    "ihcscore.cohort.run": ("score_cohort",),  # cohort
    "ihcscore.study.correlate": ("correlate_tables",),  # correlate
    "ihcscore.study.agree": ("agree_tables",),  # agree
    "ihcscore.demo": ("run_demo",),  # demo
    "ihcscore.pet": ("read_pet", "measure_volumes"),
    "ihcscore.suv": ("measure_scans",),  # suv
    "ihcscore.slide": ("open_slide",),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
