"""The page of responses by RECIST 1.1, and its sentences for a paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pandas as pd

from ihcscore.report.journal import JournalFigure
from ihcscore.report.manuscript import captions, figure_uris
from ihcscore.report.numbers import format_percent
from ihcscore.report.sentences import listed, number_of
from ihcscore.schema import RecistCode, RecistSettings


@dataclass(frozen=True, kw_only=True)
class RecistPage:
    """What the page of responses shows.

    Attributes
    ----------
    record : dict
        The run's record, as in ``run.json``.
    settings : RecistSettings
    visits, response, best : DataFrame
        The tables.
    warnings : sequence of str
    figures : sequence of JournalFigure
    """

    template: ClassVar[str] = "recist.html.j2"

    record: Mapping[str, Any]
    settings: RecistSettings
    visits: pd.DataFrame = field(repr=False)
    response: pd.DataFrame = field(repr=False)
    best: pd.DataFrame = field(repr=False)
    warnings: Sequence[str]
    figures: Sequence[JournalFigure] = field(repr=False)

    def content(self) -> dict[str, Any]:
        """What the template shows, by name."""
        return {
            "record": self.record,
            "settings": self.settings,
            "found": sentences(self.best, self.response),
            "methods": methods(self.settings),
            "best": self.best.to_dict("records"),
            "response": self.response.to_dict("records"),
            "visits": self.visits.to_dict("records"),
            "with_irecist": bool((self.visits["irecist"] != "").any()),
            "warnings": self.warnings,
            "figures": figure_uris(self.figures),
        }


def sentences(best: pd.DataFrame, response: pd.DataFrame) -> list[str]:
    """What came out, as a paper says it."""
    n_all = len(response)
    of = int(best["n_evaluable"].max()) if len(best) else 0
    if not of:
        return [f"Response could be evaluated in none of {number_of(n_all, 'patient')}."]
    rows = {row["response"]: row for row in best.to_dict("records")}
    each = [
        f"{name} in {row['n']} ({format_percent(row['n'] / of)})"
        for name, row in rows.items()
        if name in (RecistCode.CR, RecistCode.PR, RecistCode.SD, RecistCode.NON_CR_NON_PD, RecistCode.PD)
        and row["n"]
    ]
    targets = int(response["n_targets"].sum())
    said = [
        f"Response could be evaluated in {of} of {number_of(n_all, 'patient')} with "
        f"{number_of(targets, 'target lesion')}. Best response by RECIST 1.1 was {listed(each)}."
    ]
    together = rows["CR or PR"]
    said.append(
        f"CR or PR: {together['n']} of {of} ({format_percent(together['n'] / of)}, 95 % "
        f"interval {format_percent(together['percent_low'] / 100)} to "
        f"{format_percent(together['percent_high'] / 100)})."
    )
    left = response[response["evaluable"] == "no"]
    if len(left):
        why = [f"{row['patient_id']} ({row['note']})" for row in left.to_dict("records")]
        said.append(f"Not evaluable: {listed(why)}.")
    return said


def methods(settings: RecistSettings) -> str:
    """A paragraph for a manuscript."""
    confirmed = (
        "Complete and partial responses had to be confirmed 28 days later or more."
        if settings.confirm
        else "Complete and partial responses were not required to be confirmed."
    )
    return (
        "Response was assessed by RECIST 1.1 (Eisenhauer et al. 2009) from the diameters of target lesions, "
        "the state of other lesions and new lesions. Progression of target lesions was an increase of the "
        "sum of diameters of 20 % or more and 5 mm or more from the smallest sum so far, partial response a "
        "decrease of 30 % or more from baseline. The best response is the best one up to progression; stable "
        f"disease counted from {settings.min_sd_days} days after baseline on. {confirmed} Shares are of "
        "patients whose response could be evaluated, with exact 95 % intervals (Clopper-Pearson)."
    )


def results(page: RecistPage) -> str:
    """The sentences as Markdown."""
    lines = ["# Response", "", *(f"{text}\n" for text in sentences(page.best, page.response))]
    return "\n".join([*lines, "## Methods", "", methods(page.settings), "", *captions(page.figures)])
