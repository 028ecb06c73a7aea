"""The page of a study's patients and its table for a paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pandas as pd

from ihcscore.schema import PatientsSettings


@dataclass(frozen=True, kw_only=True)
class PatientsPage:
    """What the page of patients shows.

    Attributes
    ----------
    record : dict
        The run's record, as in ``run.json``.
    settings : PatientsSettings
    table : DataFrame
        As in ``table1.csv``.
    warnings : sequence of str
    """

    template: ClassVar[str] = "patients.html.j2"

    record: Mapping[str, Any]
    settings: PatientsSettings
    table: pd.DataFrame = field(repr=False)
    warnings: Sequence[str]

    def content(self) -> dict[str, Any]:
        """What the template shows, by name."""
        rows = [
            {"variable": variable, "level": level, "cells": own["text"].tolist()}
            for (variable, level), own in self.table.groupby(["variable", "level"], sort=False)
        ]
        return {
            "record": self.record,
            "groups": list(dict.fromkeys(self.table["group"])),
            "rows": rows,
            "how": how(self.settings),
            "warnings": self.warnings,
        }


def how(settings: PatientsSettings) -> str:
    """What the cells are."""
    numbers = "mean ± SD" if settings.mean else "median (Q1 to Q3, range)"
    return (
        f"Numbers: {numbers}. Categories: n (%), the percentage of patients with a value; those without are "
        "counted as Missing. No P: groups of a table of patients are described, not tested."
    )


def results(markdown: str, settings: PatientsSettings) -> str:
    """The table and what its cells are, as Markdown."""
    return f"# Patients\n\n{markdown}\n\n{how(settings)}\n"
