"""One slide of a cohort: what its result depends on, and making it."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import ihcscore
from ihcscore import output
from ihcscore.cohort.manifest import SlideEntry
from ihcscore.errors import IhcscoreError
from ihcscore.output.digest import sampled_sha256
from ihcscore.output.lock import told_to_stop
from ihcscore.profiles import MarkerProfile, load_profile
from ihcscore.run.drawn import DrawnFields
from ihcscore.run.plan import FieldPlanner
from ihcscore.run.result import SlideScores
from ihcscore.run.slide import score_slide
from ihcscore.run.write import read_stain_doubt
from ihcscore.schema import FIELDS, FieldStatus, RunSettings
from ihcscore.serial.carry import CarriedFields


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
    fault : str
        Why it cannot be scored, where that is known beforehand.
    """

    entry: SlideEntry
    reference: SlideEntry | None = None
    out: Path
    settings: RunSettings
    fault: str = ""

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
    nothing_scored : bool
        Whether none of its fields was scored, and not because their places were not found on it.
    stain : str
        What is doubtful in its stain, a sentence without full stop; empty where nothing is.
    done_before : bool
        Whether an earlier run had done it.
    """

    error: str = ""
    n_failed: int = 0
    nothing_scored: bool = False
    stain: str = ""
    done_before: bool = False


def perform(task: Task) -> Outcome:
    """Score a slide into its folder, unless the same work was done before; never raises.

    A mistake of the program too must not stop the other slides: it stands in the outcome.
    """
    if task.fault:
        with suppress(IhcscoreError):
            _remove_other_work(task)
        return Outcome(error=task.fault)
    try:
        profile = load_profile(task.entry.profile)
        key = work_key(task, profile)
        if _is_done(task.folder, key):
            return replace(_outcome(task.folder), done_before=True)
        output.remove_run(task.folder)
        _score(task, profile, key)
    except IhcscoreError as error:
        return Outcome(error=portable(str(error), task))
    except Exception as error:
        return Outcome(error=portable(f"{task.entry.slide.name}: {type(error).__name__}: {error}", task))
    return _outcome(task.folder)


def is_done(task: Task) -> bool:
    """Whether an earlier run has done the same work; False too where its input cannot be read."""
    try:
        return _is_done(task.folder, work_key(task, load_profile(task.entry.profile)))
    except IhcscoreError:
        return False


def _remove_other_work(task: Task) -> None:
    """Remove what was made of another input than the task's; what was made of a file that is gone stays."""
    if not _is_done(task.folder, work_key(task, load_profile(task.entry.profile))):
        output.remove_run(task.folder)


def _score(task: Task, profile: MarkerProfile, key: str) -> SlideScores:
    """Score a slide into its folder."""
    entry = task.entry
    fields: FieldPlanner = DrawnFields(outline=entry.annotations)
    if task.reference is not None:
        fields = CarriedFields.read(
            task.reference.slide, task.out / task.reference.folder, mpp_um=task.reference.mpp_um
        )
    return score_slide(
        entry.slide,
        profile=profile,
        fields=fields,
        settings=replace(task.settings, mpp_um=entry.mpp_um),
        out=task.folder,
        overwrite=True,
        work_key=key,
        upright=True,
        progress=partial(_go_on, task),
    )


def _go_on(task: Task, stage: str, share: float) -> None:
    """Stop where the run was: a worker on another machine doesn't notice otherwise."""
    if told_to_stop(task.out):
        raise IhcscoreError(f"{task.entry.slide.name}: the run was stopped")


def portable(message: str, task: Task) -> str:
    """An error in one line, without folders of this machine."""
    line = " ".join(message.split())
    entries = [task.entry] if task.reference is None else [task.entry, task.reference]
    for entry in entries:
        line = line.replace(str(entry.slide), entry.written)
    files = [file for entry in entries for file in (entry.slide, entry.annotations, entry.profile)]
    folders = {file.parent for file in files if isinstance(file, Path)} | {task.out}
    for folder in sorted(map(str, folders), key=len, reverse=True):
        line = line.replace(f"{folder}/", "").replace(f"{folder}\\", "")
    return line


def work_key(task: Task, profile: MarkerProfile) -> str:
    """Hash of everything that a slide's result depends on: inputs, parameters, versions.

    Raises
    ------
    IhcscoreError
        If a file is missing or cannot be read.
    """
    entry = task.entry
    content: dict[str, object] = {
        "ihcscore": ihcscore.__version__,
        "packages": output.package_versions(),
        "slide": [entry.slide.name, *_fingerprint(entry.slide)],
        "annotations": None
        if entry.annotations is None
        else [entry.annotations.name, _digest(entry.annotations)],
        "mpp_um": entry.mpp_um,
        "profile": output.as_plain(profile),
        "settings": output.as_plain(task.settings),
        "reference": None,
    }
    if task.reference is not None:
        record = output.find_record(task.out / task.reference.folder)
        content["reference"] = record.work_key if record else ""
    text = json.dumps(content, sort_keys=True)
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
    try:
        return sampled_sha256(file)
    except OSError as error:
        raise IhcscoreError(f"{file.name}: cannot be read ({error.strerror})") from error


def _is_done(folder: Path, key: str) -> bool:
    """Whether a folder holds a whole run of this key."""
    record = output.find_record(folder)
    return record is not None and record.work_key == key and all((folder / n).is_file() for n in record.files)


def _outcome(folder: Path) -> Outcome:
    """What a finished run says of itself."""
    status = output.read_table(folder / "fields.csv", FIELDS)["status"]
    return Outcome(
        n_failed=int((status == FieldStatus.FAILED).sum()),
        nothing_scored=not status.isin([FieldStatus.SCORED, FieldStatus.UNPLACED]).any(),
        stain=read_stain_doubt(folder),
    )
