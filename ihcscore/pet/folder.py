"""Which files of a folder are the PET series that is meant."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ihcscore.errors import PetError
from ihcscore.pet.elements import Elements
from ihcscore.pet.extra import require

_PET = "1.2.840.10008.5.1.4.1.1.128"
_ENHANCED = {"1.2.840.10008.5.1.4.1.1.130", "1.2.840.10008.5.1.4.1.1.128.1"}
_MOST_FILES = 20_000
_DEFERRED = 2048  # values longer than so many bytes are read when they are asked for


@dataclass(frozen=True, kw_only=True)
class SeriesFiles:
    """The slices of one series, in any order.

    Attributes
    ----------
    slices : tuple of Elements
    number, description : str
        SeriesNumber and SeriesDescription, as they may be shown.
    """

    slices: tuple[Elements, ...] = field(repr=False)
    number: str
    description: str


def file_name(path: Path) -> str:
    """A file's name for a message, a DICOM identity in it left out."""
    return re.sub(r"\d+(\.\d+){5,}", "…", path.name)


@contextmanager
def quiet() -> Iterator[None]:
    """Without pydicom's warnings, which repeat values that may name a person; what matters is checked."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def find_series(folder: str | Path, *, series: str | None = None, name: str | None = None) -> SeriesFiles:
    """The PET series in a folder, files of other kinds passed over.

    Parameters
    ----------
    folder : str or Path
        Searched with its folders.
    series : str, optional
        SeriesNumber, or part of the description, where there are several.
    name : str, optional
        What an error calls the folder; its own name if not given.

    Raises
    ------
    PetError
        If there is no PET, only enhanced PET, or several series of which none or more than one is meant.
    """
    require("pydicom")
    folder = Path(folder)
    name = name or file_name(folder.absolute())
    if not folder.is_dir():
        raise PetError(f"{name}: no such folder; give the folder of a PET series")
    groups: dict[str, list[Elements]] = {}
    enhanced = False
    for file in _files(folder, name):
        one = _read(file, name)
        if one is None or one.text("Modality") != "PT":
            continue
        kind = one.text("SOPClassUID")
        enhanced = enhanced or kind in _ENHANCED
        if kind == _PET:
            groups.setdefault(one.text("SeriesInstanceUID"), []).append(one)
    if not groups and enhanced:
        raise PetError(
            f"{name}: is enhanced PET, which is not read yet; export it as single-frame PET images"
        )
    if not groups:
        raise PetError(f"{name}: no PET images in it; give the folder of a PET series")
    found = [_described(slices) for slices in groups.values()]
    return _chosen(found, series, name)


def _files(folder: Path, name: str) -> list[Path]:
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    if len(files) > _MOST_FILES:
        raise PetError(
            f"{name}: holds {len(files)} files, more than {_MOST_FILES}; give the folder of one series"
        )
    return files


def _read(file: Path, name: str) -> Elements | None:
    """A file's elements; None if it is no DICOM."""
    import pydicom
    from pydicom.errors import InvalidDicomError

    try:
        return Elements(pydicom.dcmread(file, defer_size=_DEFERRED), name)
    except InvalidDicomError:
        return None
    except Exception as error:  # pydicom raises many kinds on a damaged file
        raise PetError(f"{name}: {file_name(file)} is damaged and cannot be read; export it again") from error


def _described(slices: list[Elements]) -> SeriesFiles:
    return SeriesFiles(
        slices=tuple(slices),
        number=slices[0].label("SeriesNumber"),
        description=slices[0].label("SeriesDescription"),
    )


def _chosen(found: list[SeriesFiles], series: str | None, name: str) -> SeriesFiles:
    fitting = found
    if series is not None:
        wanted = series.strip()
        fitting = [one for one in found if one.number == wanted] or [
            one
            for one in found
            if wanted and wanted.lower() in one.slices[0].text("SeriesDescription").lower()
        ]
    if len(fitting) == 1:
        return fitting[0]
    listed = "; ".join(
        f"{one.number or '–'} '{one.description}' ({len(one.slices)} images)"
        for one in sorted(fitting or found, key=lambda one: (len(one.number), one.number, one.description))
    )
    if series is not None and not fitting:
        raise PetError(
            f"{name}: no PET series is number '{series}' or has it in its description; it has {listed}"
        )
    raise PetError(
        f"{name}: holds {len(fitting)} PET series: {listed}; give series, a number or part of a description"
    )
