"""Names of files."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

OVERLAYS = "overlays"
"""Folder of the fields' pictures in a run's folder."""


def overlay_name(slide: str, marker: str, field_id: str) -> str:
    """Name of a field's pictures, without ending: a pathologist collects those of many slides in one folder.

    Parameters
    ----------
    slide : str
        File name of the slide.
    marker, field_id : str
    """
    return "_".join(re.sub(r"[^\w.-]+", "-", part) for part in (Path(slide).stem, marker, field_id))


def distinct_names(files: Sequence[Path]) -> dict[Path, str]:
    """A name without ending for each file: its own, with its ending where two would share it."""
    stems = Counter(file.stem for file in files)
    return {file: file.stem if stems[file.stem] == 1 else file.name for file in files}
