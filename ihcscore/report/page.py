"""HTML pages that a person reads; the only place where numbers are rounded."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
import pandas as pd

from ihcscore.schema import Note, NoteKind, RegionSource, Sampling


@dataclass(frozen=True, kw_only=True)
class SlidePage:
    """What the page of one slide shows.

    Attributes
    ----------
    record : dict
        The run's record, as in ``run.json``.
    fields, scores : DataFrame
        The field and the score table.
    notes : sequence of Note
    overview_jpeg : bytes
    field_jpegs : mapping of str to bytes
        A small picture of each field's overlay, by field_id.
    overlays : mapping of str to str
        Name of each field's pictures in the folder of overlays, without ending.
    """

    record: Mapping[str, Any]
    fields: pd.DataFrame = field(repr=False)
    scores: pd.DataFrame = field(repr=False)
    notes: Sequence[Note]
    overview_jpeg: bytes = field(repr=False)
    field_jpegs: Mapping[str, bytes] = field(repr=False)
    overlays: Mapping[str, str] = field(repr=False)


def write_slide_page(path: Path, page: SlidePage) -> None:
    """Write the page of one slide; it opens from disk and links to the overlays beside it."""
    html = (
        environment()
        .get_template("slide.html.j2")
        .render(
            record=page.record,
            fields=page.fields.to_dict("records"),
            scores=page.scores.to_dict("records"),
            warnings=[note.text for note in page.notes if note.kind != NoteKind.PROPOSED],
            proposed=page.record["annotations"]["source"] == RegionSource.PROPOSED,
            given=page.record["sampling"] == Sampling.GIVEN,
            overview=_data_uri(page.overview_jpeg),
            pictures={name: _data_uri(jpeg) for name, jpeg in page.field_jpegs.items()},
            overlays={name: quote(file) for name, file in page.overlays.items()},
        )
    )
    path.write_text(html, encoding="utf-8")


def write_index_page(
    path: Path, *, scores: pd.DataFrame, folders: Mapping[str, str], errors: Mapping[str, str]
) -> None:
    """Write the page that joins the slides of one call.

    Parameters
    ----------
    path : Path
    scores : DataFrame
        The score tables of all slides.
    folders : mapping of str to str
        Each slide's folder, relative to the page.
    errors : mapping of str to str
        Slides that could not be scored, and why.
    """
    html = (
        environment()
        .get_template("index.html.j2")
        .render(
            scores=scores.to_dict("records"),
            folders=folders,
            errors=errors,
            proposed_text=str(RegionSource.PROPOSED),
        )
    )
    path.write_text(html, encoding="utf-8")


def environment() -> jinja2.Environment:
    """The templates, with the filters that round numbers."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("ihcscore.report", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "density": format_density,
        "range": format_range,
        "percent": format_percent,
        "number": format_number,
    }
    return made


def format_density(value: float | None) -> str:
    """A density in whole cells per mm² from 10 up, one decimal below; a dash where there is none."""
    if value is None or pd.isna(value):
        return "–"
    return f"{value:.0f}" if value >= 9.95 or value == 0 else f"{value:.1f}"


def format_range(low: float | None, high: float | None) -> str:
    """Two densities as a range; a dash where there is none."""
    if low is None or high is None or pd.isna(low) or pd.isna(high):
        return "–"
    return f"{format_density(low)} to {format_density(high)}"


def format_percent(fraction: float | None) -> str:
    """A share in whole percent; less than half a percent keeps a decimal."""
    if fraction is None or pd.isna(fraction):
        return "–"
    return f"{100 * fraction:.1f} %" if 0 < fraction < 0.0995 else f"{100 * fraction:.0f} %"


def format_number(value: float | None) -> str:
    """Four significant digits, without an exponent; a dash where there is none."""
    if value is None or pd.isna(value) or not math.isfinite(value):
        return "–"
    return f"{value:.4g}"


def _data_uri(jpeg: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()
