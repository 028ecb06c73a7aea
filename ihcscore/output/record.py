"""What a run must remember so that it can be done again."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

# The packages whose version can change a number.
_PACKAGES = (
    "numpy",
    "scipy",
    "pandas",
    "scikit-image",
    "opencv-python-headless",
    "openslide-python",
    "openslide-bin",
    "tifffile",
    "imagecodecs",
    "pillow",
    "shapely",
)

STUDY_PACKAGES = ("numpy", "scipy", "pandas", "statsmodels", "matplotlib", "openpyxl")
"""The same for the statistics of a study and its figures."""


def package_versions(packages: Sequence[str] = _PACKAGES) -> dict[str, str]:
    """Versions of Python and of the packages whose version can change a number."""
    found = {"python": platform.python_version()}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found
