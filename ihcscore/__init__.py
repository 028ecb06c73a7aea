"""Immune cells per mm² on immunohistochemistry slides.

The names below load on first use, so that ``import ihcscore`` costs nothing.

>>> import ihcscore
>>> cells = ihcscore.count_cells(rgb, mpp_um=0.25, profile="CD3")  # doctest: +SKIP
>>> result = ihcscore.score_slide("slide.mrxs", profile="CD25")  # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

__all__ = [
    "__version__",
    "count_cells",
    "load_profile",
    "measure_volumes",
    "open_slide",
    "read_pet",
    "score_slide",
]

if TYPE_CHECKING:
    from ihcscore.pet import measure_volumes, read_pet
    from ihcscore.profiles import load_profile
    from ihcscore.run.count import count_cells
    from ihcscore.run.slide import score_slide
    from ihcscore.slide import open_slide

_HOME = {
    "count_cells": "ihcscore.run.count",
    "load_profile": "ihcscore.profiles",
    "measure_volumes": "ihcscore.pet",
    "open_slide": "ihcscore.slide",
    "read_pet": "ihcscore.pet",
    "score_slide": "ihcscore.run.slide",
}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
