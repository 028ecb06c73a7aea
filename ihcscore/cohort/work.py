"""One slide of a cohort: what its result depends on, and making it."""

from __future__ import annotations

import csv
import glob
import hashlib
import json
import shutil
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import ihcscore
from ihcscore import output
from ihcscore.cohort.manifest import SlideEntry
from ihcscore.errors import IhcscoreError
from ihcscore.profiles import load_profile
from ihcscore.run.drawn import DrawnFields
from ihcscore.run.plan import FieldPlanner
from ihcscore.run.slide import score_slide
from ihcscore.schema import FieldStatus, RunSettings
from ihcscore.serial.carry import CarriedFields

# A file up to so large is hashed whole, else as many places of it, its two ends among them.
_BLOCK_BYTES, _N_BLOCKS = 1 << 16, 16
_RECORD = "run.json"
# A record whose run is being removed.
_REMOVED = ".run-removed.json"


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
        if _is_done(task.folder, key):
            return Outcome(n_failed=_n_failed(task.folder), done_before=True)
        remove_run(task.folder)
        entry = task.entry
        fields: FieldPlanner = DrawnFields(outline=entry.regions)
        if task.reference is not None:
            fields = CarriedFields.read(
                task.reference.slide, task.out / task.reference.folder, mpp_um=task.reference.mpp_um
            )
        result = score_slide(
            entry.slide,
            profile=load_profile(entry.profile),
            fields=fields,
            settings=replace(task.settings, mpp_um=entry.mpp_um),
            out=task.folder,
            overwrite=True,
            work_key=key,
            upright=True,
        )
    except IhcscoreError as error:
        return Outcome(error=_portable(str(error), task))
    except Exception as error:
        return Outcome(error=_portable(f"{task.entry.slide.name}: {type(error).__name__}: {error}", task))
    return Outcome(n_failed=result.n_failed)


def _portable(message: str, task: Task) -> str:
    """An error in one line, without folders of this machine."""
    line = " ".join(message.split())
    entries = [task.entry] if task.reference is None else [task.entry, task.reference]
    for entry in entries:
        line = line.replace(str(entry.slide), entry.written)
    files = [file for entry in entries for file in (entry.slide, entry.regions, entry.profile)]
    folders = {file.parent for file in files if isinstance(file, Path)} | {task.out}
    for folder in sorted(map(str, folders), key=len, reverse=True):
        line = line.replace(f"{folder}/", "").replace(f"{folder}\\", "")
    return line


def work_key(task: Task) -> str:
    """Hash of everything that a slide's result depends on: inputs, parameters, versions.

    Raises
    ------
    IhcscoreError
        If a file is missing or the profile cannot be used.
    """
    entry = task.entry
    content: dict[str, object] = {
        "ihcscore": ihcscore.__version__,
        "packages": output.package_versions(),
        "slide": [entry.slide.name, *_fingerprint(entry.slide)],
        "regions": None if entry.regions is None else [entry.regions.name, _digest(entry.regions)],
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
    """Names, sizes and samples of a slide's files: of a folder or of MIRAX, all that belong to it."""
    if not slide.exists():
        raise IhcscoreError(f"{slide}: no such file")
    files = [slide] if slide.is_file() else []
    beside = slide.with_suffix("") if slide.suffix.lower() == ".mrxs" else slide
    if beside.is_dir():
        files += sorted(file for file in beside.rglob("*") if file.is_file())
    return [f"{file.name} {_digest(file)}" for file in files]


def _digest(file: Path) -> str:
    """Hash of a file's size and of blocks spread over it; whole slides would take minutes to read."""
    try:
        n_bytes = file.stat().st_size
        digest = hashlib.sha256(str(n_bytes).encode())
        with file.open("rb") as opened:
            if n_bytes <= _N_BLOCKS * _BLOCK_BYTES:
                digest.update(opened.read())
            else:
                for block in range(_N_BLOCKS):
                    opened.seek(block * (n_bytes - _BLOCK_BYTES) // (_N_BLOCKS - 1))
                    digest.update(opened.read(_BLOCK_BYTES))
    except OSError as error:
        raise IhcscoreError(f"{file.name}: cannot be read ({error.strerror})") from error
    return digest.hexdigest()


def _is_done(folder: Path, key: str) -> bool:
    """Whether a folder holds a whole run of this key."""
    if _record(folder).get("work_key") != key:
        return False
    return all((folder / name).is_file() for name in _listed(folder / _RECORD))


def _record(folder: Path) -> dict[str, object]:
    """The record of a finished run, empty where there is none."""
    try:
        record = json.loads((folder / _RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def _n_failed(folder: Path) -> int:
    with (folder / "fields.csv").open(encoding="utf-8", newline="") as table:
        return sum(row["status"] == FieldStatus.FAILED for row in csv.DictReader(table))


def clear_unfinished(folder: Path) -> None:
    """Remove what a killed run left: files waiting beside a folder, and of these what was moved in.

    Nothing is removed but what the killed run lists as its own: the folder may hold other files.
    """
    for left in folder.parent.glob(f".{glob.escape(folder.name)}-unfinished-*"):
        # Files are moved in only while the folder has no record.
        if not (folder / _RECORD).exists():
            _remove_listed(folder, left / _RECORD)
        shutil.rmtree(left, ignore_errors=True)


def remove_run(folder: Path) -> None:
    """Remove what a run, finished or killed, has written into a folder; other files stay.

    Killed in between, it goes on at the next call: until all files are gone their list is kept, under
    a name that is no record's.
    """
    clear_unfinished(folder)
    removed = folder / _REMOVED
    _remove_listed(folder, removed)
    with suppress(FileNotFoundError):
        (folder / _RECORD).replace(removed)
    _remove_listed(folder, removed)
    with suppress(OSError):
        folder.rmdir()


def _remove_listed(folder: Path, record: Path) -> None:
    """Remove the files that a record lists, folders that are empty then, and the record."""
    names = _listed(record)
    for name in names:
        (folder / name).unlink(missing_ok=True)
    for parent in {(folder / name).parent for name in names} - {folder}:
        with suppress(OSError):
            parent.rmdir()
    record.unlink(missing_ok=True)


def _listed(record: Path) -> list[str]:
    """Names of a run's files as its record has them; names that lead out of its folder are left out."""
    try:
        names = json.loads(record.read_text(encoding="utf-8"))["files"]
        paths = {name: Path(name) for name in names}
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return [name for name, path in paths.items() if not path.is_absolute() and ".." not in path.parts]
