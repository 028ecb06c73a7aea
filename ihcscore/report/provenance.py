"""What a run must remember so that it can be done again."""

from __future__ import annotations

import platform
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


def package_versions() -> dict[str, str]:
    """Versions of Python and of the packages whose version can change a number."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found
