"""One slide of a cohort: what its result depends on, and making it."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import ihcscore
from ihcscore.cohort.manifest import SlideEntry
from ihcscore.errors import IhcscoreError
from ihcscore.pipeline import ReferenceFields, score_slide
from ihcscore.profiles import load_profile
from ihcscore.schema import FieldStatus, RunSettings

_HEAD_BYTES = 1 << 16


@dataclass(frozen=True, kw_only=True)
class Task:
    """A slide to be scored.

    Attributes
    ----------
    entry : SlideEntry
    reference : SlideEntry or None
        The slide whose fields it takes; None for a reference.
    out : Path
        The cohort's folder.
    settings : RunSettings
    """

    entry: SlideEntry
    reference: SlideEntry | None = None
    out: Path
    settings: RunSettings

    @property
    def folder(self) -> Path:
        """Folder of the slide's results."""
        return self.out / self.entry.folder


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a task.

    Attributes
    ----------
    error : str
        Why the slide could not be scored; empty if it was.
    n_failed : int
        Fields that could not be read.
    done_before : bool
        Whether an earlier run had done it.
    """

    error: str = ""
    n_failed: int = 0
    done_before: bool = False


def perform(task: Task) -> Outcome:
    """Score a slide into its folder, unless the same work was done before; never raises.

    A mistake of the program too must not stop the other slides: it stands in the outcome.
    """
    try:
        key = work_key(task)
        if _record(task.folder).get("work_key") == key:
            return Outcome(n_failed=_n_failed(task.folder), done_before=True)
        clear_unfinished(task.folder)
        if not (task.folder / "run.json").exists():
            shutil.rmtree(task.folder, ignore_errors=True)  # killed while its files were moved in
        reference = None
        if task.reference is not None:
            reference = ReferenceFields.read(
                task.reference.slide, task.out / task.reference.folder, mpp_um=task.reference.mpp_um
            )
        entry = task.entry
        result = score_slide(
            entry.slide,
            profile=load_profile(entry.profile),
            regions=entry.regions,
            reference=reference,
            settings=replace(task.settings, mpp_um=entry.mpp_um),
            out=task.folder,
            overwrite=True,
            work_key=key,
        )
    except IhcscoreError as error:
        return Outcome(error=_portable(str(error), task.entry))
    except Exception as error:
        return Outcome(
            error=_portable(f"{task.entry.slide.name}: {type(error).__name__}: {error}", task.entry)
        )
    return Outcome(n_failed=result.n_failed)


def _portable(message: str, entry: SlideEntry) -> str:
    """An error in one line, without folders of this machine."""
    line = " ".join(message.split())
    line = line.replace(str(entry.slide), entry.written)
    folder = entry.slide.parent
    return line.replace(f"{folder}/", "")


def work_key(task: Task) -> str:
    """Hash of everything that a slide's result depends on: inputs, parameters, version.

    Raises
    ------
    IhcscoreError
        If a file is missing or the profile cannot be used.
    """
    entry = task.entry
    content: dict[str, object] = {
        "ihcscore": ihcscore.__version__,
        "slide": _fingerprint(entry.slide),
        "regions": None if entry.regions is None else _digest(entry.regions),
        "mpp_um": entry.mpp_um,
        "profile": asdict(load_profile(entry.profile)),
        "settings": asdict(task.settings),
        "reference": None,
    }
    if task.reference is not None:
        content["reference"] = _record(task.out / task.reference.folder).get("work_key", "")
    text = json.dumps(content, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _fingerprint(slide: Path) -> list[str]:
    """Names, sizes and heads of a slide's files: of a folder or of MIRAX, all that belong to it."""
    if not slide.exists():
        raise IhcscoreError(f"{slide}: no such file")
    files = [slide] if slide.is_file() else []
    beside = slide.with_suffix("") if slide.suffix.lower() == ".mrxs" else slide
    if beside.is_dir():
        files += sorted(file for file in beside.rglob("*") if file.is_file())
    return [f"{file.name} {file.stat().st_size} {_digest(file, _HEAD_BYTES)}" for file in files]


def _digest(file: Path, n_bytes: int = -1) -> str:
    try:
        with file.open("rb") as opened:
            return hashlib.sha256(opened.read(n_bytes)).hexdigest()
    except OSError as error:
        raise IhcscoreError(f"{file.name}: cannot be read ({error.strerror})") from error


def _record(folder: Path) -> dict[str, object]:
    """The record of a finished run, empty where there is none."""
    try:
        record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def _n_failed(folder: Path) -> int:
    with (folder / "fields.csv").open(encoding="utf-8", newline="") as table:
        return sum(row["status"] == FieldStatus.FAILED for row in csv.DictReader(table))


def clear_unfinished(folder: Path) -> None:
    """Remove what a killed run left beside a folder, waiting to be moved in."""
    for left in folder.parent.glob(f".{folder.name}-unfinished-*"):
        shutil.rmtree(left, ignore_errors=True)
