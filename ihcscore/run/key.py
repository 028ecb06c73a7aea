"""What a run is known by: a hash of slide, settings and cells, which corrections of it name."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import pandas as pd

RUN_KEY = "run_key"
"""Member of a run's record."""

# What a run's counts follow from; how its pictures are drawn is none of it.
_PARTS = ("marker", "profile", "finder", "sampling", "annotations", "carried", "drawn_before")
_DRAWING = {"negatives", "numbers"}


def with_run_key(record: Mapping[str, Any], cells: pd.DataFrame) -> dict[str, Any]:
    """The record of a run on a slide, with its key.

    The same input gives the same key; another slide, another setting or another cell gives another one.

    Parameters
    ----------
    record : mapping
        As in ``run.json``.
    cells : DataFrame
        The cells that were counted, with `cell_id` and `class`.
    """
    slide, parameters = record["slide"], record["parameters"]
    content = {
        "slide": [slide["identity"], slide["size_xy_px"], slide["mpp_um"]],
        "parameters": {name: value for name, value in parameters.items() if name not in _DRAWING},
        **{name: record[name] for name in _PARTS if name in record},
        "cells": sorted(zip(cells["cell_id"], cells["class"], strict=True)),
    }
    text = json.dumps(content, sort_keys=True)
    return {**record, RUN_KEY: hashlib.sha256(text.encode()).hexdigest()}
