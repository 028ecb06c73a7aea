"""A look at every slide of a cohort before the first is scored: what is there, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import shapely

from ihcscore.cohort.manifest import SlideEntry
from ihcscore.cohort.work import Task, portable
from ihcscore.errors import AnnotationError, FaultsError, IhcscoreError, parameter
from ihcscore.output.progress import Progress
from ihcscore.profiles import load_profile
from ihcscore.regions import check_on_slide, read_annotations
from ihcscore.run.survey import check_size
from ihcscore.slide import Slide, open_slide


@dataclass(frozen=True, kw_only=True)
class Look:
    """What a look at a slide's files showed.

    Attributes
    ----------
    format : str
        Format of the slide; empty where it cannot be opened.
    size_xy_px : tuple of int
        Width and height in level-0 pixels; 0 where it cannot be opened.
    mpp_um : float or None
        µm per level-0 pixel; None where it is not known.
    faults : tuple of str
        What is wrong with the slide, its annotation, its pixel size or its profile.
    """

    format: str = ""
    size_xy_px: tuple[int, int] = (0, 0)
    mpp_um: float | None = None
    faults: tuple[str, ...] = ()


def look_at(tasks: Sequence[Task], progress: Progress) -> list[Look]:
    """Open every slide, read every annotation and profile; nothing is raised.

    Parameters
    ----------
    tasks : sequence of Task
    progress : callable
    """
    looks = []
    for number, task in enumerate(tasks):
        if number % 10 == 0:
            progress(f"looking at slide {number + 1} of {len(tasks)}", 0.0)
        looks.append(_look(task))
    return looks


def with_faults(tasks: Sequence[Task], looks: Sequence[Look]) -> list[Task]:
    """The tasks, each with what is wrong with it."""
    pairs = zip(tasks, looks, strict=True)
    return [replace(task, fault="; ".join(look.faults)) if look.faults else task for task, look in pairs]


def refuse_faults(tasks: Sequence[Task], looks: Sequence[Look]) -> None:
    """Refuse a cohort with faulty slides, telling all of them at once.

    Raises
    ------
    FaultsError
    """
    lines = [
        f"{_slide_of(task.entry)}: {fault}"
        for task, look in zip(tasks, looks, strict=True)
        for fault in look.faults
    ]
    if lines:
        n = sum(bool(look.faults) for look in looks)
        raise FaultsError(
            lines,
            f"{n} of {len(tasks)} slides cannot be scored; mend them, or give {parameter('keep_going')} to "
            "leave them out. Nothing was written",
        )


def _slide_of(entry: SlideEntry) -> str:
    return f"{entry.sample_id} {entry.marker}"


def _look(task: Task) -> Look:
    entry, look = task.entry, Look()
    faults = list(_profile_faults(entry))
    try:
        with open_slide(entry.slide, mpp_um=entry.mpp_um, icc=task.settings.icc) as slide:
            look = Look(format=slide.format, size_xy_px=slide.size_xy_px)
            faults += _annotation_faults(entry, slide)
            check_size(slide)
            look = replace(look, mpp_um=slide.mpp_um)
    except IhcscoreError as error:
        faults.append(error.args[0])
        if not look.format:
            faults += _annotation_faults(entry, None)
    except Exception as error:  # what no reader foresaw must not hide the other slides' faults
        faults.append(f"{entry.slide.name}: cannot be opened ({type(error).__name__}: {error})")
    return replace(look, faults=tuple(portable(fault, task) for fault in faults))


def _profile_faults(entry: SlideEntry) -> Iterator[str]:
    try:
        load_profile(entry.profile)
    except IhcscoreError as error:
        yield error.args[0]


def _annotation_faults(entry: SlideEntry, slide: Slide | None) -> Iterator[str]:
    """Whether the annotation can be read and lies on the slide, where that is open."""
    if entry.annotations is None:
        return
    origin = (0, 0) if slide is None else slide.origin_xy_px
    try:
        drawn = read_annotations(entry.annotations, origin_xy_px=origin)
        if slide is not None:
            # Where the tissue is, is not known yet: that is asked when the slide is scored.
            everywhere = shapely.box(0, 0, *slide.size_xy_px)
            check_on_slide(drawn, size_xy_px=slide.size_xy_px, tissue=everywhere, name=entry.annotations.name)
    except AnnotationError as error:
        yield error.args[0]
