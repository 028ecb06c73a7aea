"""Names of files: what OpenSlide insists on, and links to elsewhere."""

from __future__ import annotations

import atexit
import hashlib
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path

from ihcscore.errors import SlideError, readable
from ihcscore.slide.checks.mirax import SUFFIX as MIRAX


def missing(path: Path) -> SlideError:
    """The error of a path that leads nowhere."""
    if path.is_symlink():
        return SlideError(f"{readable(str(path))}: is a link to a file that is not there")
    return SlideError(f"{readable(str(path))}: no such file")


def is_alone(path: Path) -> bool:
    """Whether a link leads to a slide of several files, and the others are not linked beside it."""
    if not path.is_symlink() or path.is_dir():
        return False
    if path.suffix.lower() == MIRAX:
        return not path.with_suffix("").is_dir()
    return path.suffix.lower() in (".dcm", ".vms", ".vmu", ".ndpis", "")


def as_openslide_wants(path: Path) -> Path:
    """The slide under a name that OpenSlide takes: it asks MIRAX for ``.mrxs`` in small letters.

    A link in a folder of its own stands in for the file while it is opened; the folder stays until this
    process ends, as every thread opens the slide anew.
    """
    if path.suffix == MIRAX or path.suffix.lower() != MIRAX or os.name == "nt":
        return path
    folder = _links() / hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:16]
    try:
        folder.mkdir(exist_ok=True)
        for link, target in ((path.stem + MIRAX, path), (path.stem, path.with_suffix(""))):
            if not (folder / link).exists():
                (folder / link).symlink_to(target.resolve())
    except OSError as error:
        raise SlideError(f"{path.name}: rename it to end in {MIRAX}, as OpenSlide asks for") from error
    return folder / (path.stem + MIRAX)


@cache
def _links() -> Path:
    """The folder of links of this process, removed when it ends."""
    folder = Path(tempfile.mkdtemp(prefix="ihcscore-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
