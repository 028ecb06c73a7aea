"""What the class of an annotation means here, however it was written."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

# Class names as people write them, in lower case.
_NAMES_OF = {
    "tumour": {"tumor", "tumour"},
    "centre": {"tumour centre", "tumor center", "tumour center", "tumor centre"},
    "front": {"invasive front", "invasive margin"},
    "pigment": {"pigment", "melanin"},
    "excluded": {"ignore", "exclude", "necrosis"},
}
_ROLE_OF = {name: role for role, names in _NAMES_OF.items() for name in names}
# Between a class and what is derived from it, as QuPath shows it: "Tumor: Positive".
_DERIVED = ":"


def role_of(class_name: str) -> str | None:
    """What a class means, by the name of a field of :class:`Annotations`; None for nothing here.

    A derived class ("Tumor: Positive") means what it is derived from, unless a part of it names something
    to be left out, or a part of the tumour.
    """
    roles = [_role(part) for part in class_name.split(_DERIVED)]
    if "excluded" in roles:
        return "excluded"
    if roles[0] != "tumour":
        return roles[0]
    return next((role for role in reversed(roles) if role in ("tumour", "centre", "front")), None)


def is_derived(class_name: str) -> bool:
    """Whether a class is derived from another."""
    return _DERIVED in class_name


def class_of(names: Iterable[str]) -> str:
    """The first of some names that means something here; else the first that is one; else empty.

    Parameters
    ----------
    names : iterable of str
        The nearest first: a layer's and its region's, a group's and those of the groups around it.
    """
    given = [name.strip() for name in names if name.strip()]
    return next((name for name in given if role_of(name)), given[0] if given else "")


def _role(name: str) -> str | None:
    """What a class that is not derived means."""
    plain = unicodedata.normalize("NFKC", name).casefold().replace("_", " ").replace("-", " ")
    plain = " ".join("".join(c for c in plain if unicodedata.category(c) != "Cf").split())
    if plain.endswith("*"):  # QuPath ignores such classes when it measures
        return "excluded"
    return _ROLE_OF.get(plain)
