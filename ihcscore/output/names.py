"""Names of files."""

from __future__ import annotations

import re
from pathlib import Path


def overlay_name(slide: str, marker: str, field_id: str) -> str:
    """Name of a field's pictures, without ending: a pathologist collects those of many slides in one folder.

    Parameters
    ----------
    slide : str
        File name of the slide.
    marker, field_id : str
    """
    return "_".join(re.sub(r"[^\w.-]+", "-", part) for part in (Path(slide).stem, marker, field_id))
