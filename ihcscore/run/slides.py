"""Several slides in one call: each as if alone, their tables joined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from ihcscore import output, report
from ihcscore.errors import IhcscoreError, OutputError, all_of, check_name, parameter
from ihcscore.output.progress import Progress, silent
from ihcscore.profiles import MarkerProfile
from ihcscore.run.array import as_profile
from ihcscore.run.drawn import DrawnFields
from ihcscore.run.plan import FieldPlanner
from ihcscore.run.result import SlideScores
from ihcscore.run.slide import score_slide
from ihcscore.schema import FIELDS, SCORES, NoteKind, RunSettings


@dataclass(frozen=True, kw_only=True)
class SlidesScores:
    """What a run on several slides gives.

    Attributes
    ----------
    scores, fields : DataFrame
        The tables of all slides, one below the other.
    results : dict of str to SlideScores
        By the slide's file name.
    errors : dict of str to IhcscoreError
        Slides that could not be scored, and why, by file name.
    """

    scores: pd.DataFrame = field(repr=False)
    fields: pd.DataFrame = field(repr=False)
    results: dict[str, SlideScores] = field(repr=False)
    errors: dict[str, IhcscoreError]


def score_slides(
    paths: Sequence[Path],
    *,
    profile: str | MarkerProfile,
    fields: FieldPlanner | None = None,
    settings: RunSettings | None = None,
    out: Path,
    overwrite: bool = False,
    progress: Progress = silent,
) -> SlidesScores:
    """Score several slides with one marker into a folder each, and join their tables.

    Parameters are those of :func:`ihcscore.score_slide`. A slide that cannot be scored does not
    stop the others.

    Raises
    ------
    IhcscoreError
        If two slides would share a folder, if the profile or the folder cannot be used, or if no
        slide could be scored.
    """
    profile = as_profile(profile)
    for path in paths:
        check_name(path)
    if fields is not None and fields != DrawnFields():
        raise IhcscoreError("annotations describe one slide; score slides with annotations one at a time")
    folders = {path.name: path.stem for path in paths}
    if len(set(folders.values())) < len(paths):
        raise OutputError(
            f"two slides have the same name; score them in two calls, each with its own {parameter('out')}"
        )
    results: dict[str, SlideScores] = {}
    errors: dict[str, IhcscoreError] = {}
    with output.OutputFolder(out, overwrite=overwrite) as folder:
        for number, path in enumerate(paths):
            try:
                results[path.name] = score_slide(
                    path,
                    profile=profile,
                    fields=fields,
                    settings=settings,
                    out=out / folders[path.name],
                    overwrite=overwrite,
                    progress=_part(progress, path.name, number, len(paths)),
                )
            except IhcscoreError as error:
                errors[path.name] = error
        if not results:
            raise all_of(errors.values())
        joined = SlidesScores(
            scores=pd.concat([result.scores for result in results.values()], ignore_index=True),
            fields=pd.concat([result.fields for result in results.values()], ignore_index=True),
            results=results,
            errors=errors,
        )
        _write(folder, joined, {name: folders[name] for name in results})
    return joined


def _part(progress: Progress, name: str, number: int, total: int) -> Progress:
    """Progress of one slide as a part of the whole."""

    def report_part(stage: str, share: float) -> None:
        progress(f"{name}: {stage}", (number + share) / total)

    return report_part


def _write(folder: output.OutputFolder, joined: SlidesScores, folders: dict[str, str]) -> None:
    output.write_table(folder.new_file("scores.csv"), joined.scores, SCORES)
    output.write_table(folder.new_file("fields.csv"), joined.fields, FIELDS)
    errors = {name: str(error) for name, error in joined.errors.items()}
    stains = {
        name: note.text
        for name, result in joined.results.items()
        for note in result.notes
        if note.kind == NoteKind.STAIN
    }
    page = report.IndexPage(scores=joined.scores, folders=folders, errors=errors, stains=stains)
    folder.add_file(report.html_of(page), "report.html")
    content = {"slides": folders, "errors": errors}
    output.write_record(folder, output.make_record("run", content))
