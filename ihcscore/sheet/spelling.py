"""Names that people spell in several ways: when two are one, and when one may be meant for the other."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable

_LIKE = 0.8  # share of letters that two names have in common, as difflib counts it
_PARTED = re.compile(r"[\s_]+")
_ZEROS = re.compile(r"(?<!\d)0+(?=\d)")
# British and American: alike in every word that holds them.
_BRITISH = (("center", "centre"), ("tumor", "tumour"), ("esophag", "oesophag"), ("fiber", "fibre"))


def folded(name: str) -> str:
    """A name without what readers overlook: two names that are one in this are the same to them.

    Capitals, the kind and number of blanks, underscores and dashes, composed or single accents (Unicode's
    NFKC), invisible characters, British or American spelling of tumour and centre.
    """
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    text = "".join(
        " " if unicodedata.category(letter) == "Pd" or letter == "−" else letter
        for letter in text
        if unicodedata.category(letter) != "Cf"
    )
    text = _PARTED.sub(" ", text).strip()
    for american, british in _BRITISH:
        text = re.sub(rf"(?<!o){american}" if british.startswith("o") else american, british, text)
    return text


def bare(name: str) -> str:
    """Letters and digits alone, without zeros before a number: names that are one in this may be the same."""
    return _ZEROS.sub("", "".join(filter(str.isalnum, folded(name).replace("μ", "u"))))


def unpadded(name: str) -> str:
    """A folded name without zeros before its numbers."""
    return _ZEROS.sub("", folded(name))


def bare_title(title: str) -> str:
    """The letters and digits of a column's name."""
    return "".join(filter(str.isalnum, folded(title).replace("μ", "u")))


def nearest(name: str, others: Iterable[str]) -> str | None:
    """The one of the others that a name may be meant for, if any is spelled nearly so."""
    by_bare = {bare(other): other for other in sorted(others, reverse=True)}
    if bare(name) in by_bare:
        return by_bare[bare(name)]
    found = difflib.get_close_matches(bare(name), by_bare, n=1, cutoff=_LIKE)
    return by_bare[found[0]] if found else None
