"""The record of a run (``run.json``): what must be known to do it again, and what it wrote."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, is_dataclass
from enum import Enum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ihcscore
from ihcscore.output.digest import sha256_of
from ihcscore.output.tables import write_json

if TYPE_CHECKING:
    from ihcscore.output.folder import OutputFolder

RECORD = "run.json"
"""Written last: a folder that holds it holds a whole run."""

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

STUDY_PACKAGES = ("numpy", "scipy", "pandas", "matplotlib", "openpyxl")
"""The same for the statistics of a study and its figures."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """A record that was read.

    Attributes
    ----------
    command : str
        Which command wrote it; empty where it doesn't say.
    parameters : mapping
        The command's settings, as in the file.
    slide, marker : str
        File name of the slide and name of the marker's profile; empty where the run is not of one.
    work_key : str
        Hash of all that the result depends on; empty outside a cohort.
    files : tuple of str
        The run's files beside the record, relative to its folder, with forward slashes; none where a name
        leads out of the folder.
    content : mapping
        All of the file.
    """

    command: str
    parameters: Mapping[str, Any] = field(repr=False)
    slide: str
    marker: str
    work_key: str
    files: tuple[str, ...] = field(repr=False)
    content: Mapping[str, Any] = field(repr=False)


def make_record(
    command: str, content: Mapping[str, object], *, packages: Sequence[str] = _PACKAGES
) -> dict[str, Any]:
    """The record of a run, as JSON has it; its files are added when it is written.

    Parameters
    ----------
    command : str
    content : mapping
        What the run was made from and what must be known of it, in the order of the file. ``parameters`` are
        the command's settings as their dataclass is.
    packages : sequence of str
        Packages whose version can change a number.
    """
    return {
        "ihcscore": ihcscore.__version__,
        "command": command,
        **as_plain(content),
        "packages": package_versions(packages),
    }


def write_record(folder: OutputFolder, record: Mapping[str, Any]) -> None:
    """Write the record of a run with the list of its files, all of which must be there."""
    write_json(folder.new_file(RECORD), {**record, "files": folder.files()})


def read_record(folder: Path) -> Record:
    """Read the record of a folder's run.

    Raises
    ------
    OSError
        If it cannot be read, or there is none.
    ValueError
        If it is no record.
    """
    return parse_record(folder / RECORD)


def find_record(folder: Path) -> Record | None:
    """The record of a folder's run, None where there is none that can be read."""
    try:
        return read_record(folder)
    except (OSError, ValueError):
        return None


def parse_record(path: Path) -> Record:
    """Read a record that lies under any name; errors as those of :func:`read_record`."""
    content = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise ValueError(f"{path.name}: not a record of a run")
    slide, parameters = content.get("slide"), content.get("parameters")
    name = slide.get("name") if isinstance(slide, dict) else slide
    return Record(
        command=_text(content.get("command")),
        parameters=parameters if isinstance(parameters, dict) else {},
        slide=_text(name),
        marker=_text(content.get("marker")),
        work_key=_text(content.get("work_key")),
        files=_own_files(content.get("files")),
        content=content,
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _own_files(listed: object) -> tuple[str, ...]:
    """The names of a list, as far as they are names and lead nowhere but into the record's folder."""
    if not isinstance(listed, list):
        return ()
    paths = {name: Path(name) for name in listed if isinstance(name, str)}
    return tuple(name for name, path in paths.items() if not path.anchor and ".." not in path.parts)


def as_plain(value: Any) -> Any:
    """A value as JSON has it: dataclasses as their fields, enums as their text, tuples as lists."""
    if is_dataclass(value) and not isinstance(value, type):
        return as_plain(asdict(value))
    if isinstance(value, Enum):
        return as_plain(value.value)
    if isinstance(value, Mapping):
        return {str(key): as_plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [as_plain(one) for one in value]
    return value


def describe_inputs(paths: Mapping[str, str | Path]) -> dict[str, dict[str, str]]:
    """File name, without folders, and SHA-256 of each input."""
    return {name: {"name": Path(path).name, "sha256": sha256_of(Path(path))} for name, path in paths.items()}


def package_versions(packages: Sequence[str] = _PACKAGES) -> dict[str, str]:
    """Versions of Python and of the packages whose version can change a number."""
    found = {"python": platform.python_version()}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found
