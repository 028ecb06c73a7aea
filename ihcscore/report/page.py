"""HTML pages that a person reads: the templates, one way to write a page, and the pages of slides."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Protocol
from urllib.parse import quote

import pandas as pd

from ihcscore.report.numbers import (
    format_count,
    format_density,
    format_fixed,
    format_interval,
    format_number,
    format_p,
    format_percent,
    format_range,
    format_rho,
    format_value,
    spoken,
)
from ihcscore.schema import Note, NoteKind, RegionName, RegionSource, Sampling

if TYPE_CHECKING:
    import jinja2


_WHERE = {
    RegionName.TUMOUR_CENTRE: "in the tumour centre",
    RegionName.INVASIVE_FRONT: "at the invasive front",
}


class Page(Protocol):
    """What can be written as a page."""

    template: ClassVar[str]
    """File name of its template."""

    def content(self) -> dict[str, Any]:
        """What the template shows, by name."""
        ...


def html_of(page: Page) -> str:
    """A page's HTML; written as a file it opens from disk, and its links lead to files beside it."""
    return render(page.template, page.content())


def render(template: str, content: Mapping[str, Any]) -> str:
    """A template with its content: HTML, or plain text for templates that aren't."""
    return environment().get_template(template).render(content)


@cache
def environment() -> jinja2.Environment:
    """The templates, with the filters that round numbers."""
    # Loaded by those who write pages only.
    import jinja2

    made = jinja2.Environment(
        loader=jinja2.PackageLoader("ihcscore.report", "templates"),
        autoescape=jinja2.select_autoescape(["html.j2"], default=False),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "count": format_count,
        "density": format_density,
        "filled": pd.notna,
        "fixed": format_fixed,
        "interval": lambda row, suffix="": format_interval(row[f"rho_low{suffix}"], row[f"rho_high{suffix}"]),
        "jpeg": jpeg_uri,
        "number": format_number,
        "p": format_p,
        "percent": format_percent,
        "range": format_range,
        "rho": format_rho,
        "sentence": lambda text: f"{text[0].upper()}{text[1:]}.",
        "spoken": spoken,
        "value": format_value,
    }
    made.tests["filled"] = pd.notna
    return made


def jpeg_uri(jpeg: bytes) -> str:
    """A JPEG as a source of an image that is part of the page."""
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()


def svg_uri(svg: bytes) -> str:
    """The same for an SVG."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg).decode()


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

    template: ClassVar[str] = "slide.html.j2"

    record: Mapping[str, Any]
    fields: pd.DataFrame = field(repr=False)
    scores: pd.DataFrame = field(repr=False)
    notes: Sequence[Note]
    overview_jpeg: bytes = field(repr=False)
    field_jpegs: Mapping[str, bytes] = field(repr=False)
    overlays: Mapping[str, str] = field(repr=False)

    def content(self) -> dict[str, Any]:
        """What the template shows, by name."""
        return {
            "record": self.record,
            "fields": self.fields.to_dict("records"),
            "scores": self.scores.to_dict("records"),
            "warnings": [
                ("red" if note.kind is NoteKind.STAIN else "amber", note.text)
                for note in self.notes
                if note.kind is not NoteKind.PROPOSED
            ],
            "proposed": self.record["annotations"]["source"] == RegionSource.PROPOSED,
            "given": self.record["sampling"] == Sampling.GIVEN,
            "where": [words for region, words in _WHERE.items() if (self.fields["region"] == region).any()],
            "derived_front": self._has_derived_front(),
            "overview": jpeg_uri(self.overview_jpeg),
            "pictures": {name: jpeg_uri(jpeg) for name, jpeg in self.field_jpegs.items()},
            "overlays": {name: quote(file) for name, file in self.overlays.items()},
        }

    def _has_derived_front(self) -> bool:
        """Whether there are fields in a front that follows from the outline, which nobody drew."""
        drawn = self.record["annotations"].get("drawn_regions", ())
        fields = self.fields["region"] == RegionName.INVASIVE_FRONT
        return bool(fields.any()) and RegionName.INVASIVE_FRONT not in drawn


@dataclass(frozen=True, kw_only=True)
class IndexPage:
    """What the page shows that joins the slides of one call.

    Attributes
    ----------
    scores : DataFrame
        The score tables of all slides.
    folders : mapping of str to str
        Each slide's folder, relative to the page.
    errors : mapping of str to str
        Slides that could not be scored, and why.
    stains : mapping of str to str
        What is doubtful in the stain of a slide, by its name.
    """

    template: ClassVar[str] = "index.html.j2"

    scores: pd.DataFrame = field(repr=False)
    folders: Mapping[str, str]
    errors: Mapping[str, str]
    stains: Mapping[str, str] = field(default_factory=dict)

    def content(self) -> dict[str, Any]:
        """What the template shows, by name."""
        return {
            "scores": self.scores.to_dict("records"),
            "folders": self.folders,
            "errors": self.errors,
            "stains": self.stains,
        }
