"""What a file says of its µm per pixel, held against what else it says.

Two statements of µm per pixel that differ cannot both be right, and nothing in the file tells which is: that
is refused, unless one is the other counted per inch in place of per cm. What only hints at a mistake, such as
an objective that doesn't fit, is said.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ihcscore.errors import parameter
from ihcscore.schema import SLIDE_MPP_UM, Note, NoteKind

# Beyond these a pixel size is a mistake in the file (a 72 dpi default reads as 353 µm) rather than
# a brightfield scanner's: 100x oil gives about 0.06 µm/px, a 1.25x overview about 8.
PLAUSIBLE_MPP_UM = (SLIDE_MPP_UM.low, SLIDE_MPP_UM.high)
# Two statements that differ by no more than this agree; two axes that differ by more are not square pixels.
_SAME, SQUARE_TOLERANCE = 0.05, 0.01
_CM_PER_INCH = 2.54
_SAME_FACTOR = 0.01
# µm per pixel times the objective's magnification: 8.8 (Hamamatsu, 40x at 0.2208) to 10.4 (Aperio GT 450, 40x
# at 0.26) on slide scanners; half or twice as much means that one of the two is another lens's.
_UM_AT_1X, _FIT = 10.0, (0.66, 1.5)
# Pixel sizes of scanners at 10x, 20x, 40x and 60x or more.
_SCANNERS_UM = ((0.1, 0.135), (0.155, 0.18), (0.215, 0.28), (0.32, 0.36), (0.43, 0.56), (0.86, 1.1))


@dataclass(frozen=True, kw_only=True)
class Scale:
    """µm per pixel of a file.

    Attributes
    ----------
    mpp_um : tuple of float or None
        In x and y; None where the file says nothing that can be used.
    problem : str
        Why there are none, with what to do; empty where there are, or where the file just says nothing.
    notes : tuple of Note
    """

    mpp_um: tuple[float, float] | None
    problem: str = ""
    notes: tuple[Note, ...] = ()


def doubt(text: str) -> Note:
    """A note on what a file says of its own scale."""
    return Note(kind=NoteKind.SLIDE, text=text)


def weighed(
    said: Scale,
    *,
    tags_um: tuple[float, float] | None = None,
    objective: float | None = None,
    from_tags: bool = False,
) -> Scale:
    """What a file says of its scale, held against its resolution tags and its objective.

    Parameters
    ----------
    said : Scale
        By the format's own field.
    tags_um : tuple of float, optional
        µm per pixel by the TIFF resolution tags of the same page.
    objective : float, optional
        Magnification that the file states.
    from_tags : bool
        `said` comes from the resolution tags itself.
    """
    if said.mpp_um is None or not _plausible(said.mpp_um):
        return said
    x = said.mpp_um[0]
    if tags_um is not None and _plausible(tags_um) and not from_tags:
        ratio = tags_um[0] / x
        by_inch = min(abs(ratio * unit - 1) for unit in (_CM_PER_INCH, 1 / _CM_PER_INCH))
        if by_inch <= _SAME_FACTOR:
            text = (
                f"{x:.4g} µm per pixel are taken; the resolution tags say {tags_um[0]:.4g}, which is the "
                "same counted per inch in place of per cm"
            )
            said = replace(said, notes=(*said.notes, doubt(text)))
        elif abs(ratio - 1) > _SAME:
            text = (
                f"the file says {x:.4g} µm per pixel, and {tags_um[0]:.4g} in its resolution tags; "
                f"give the right {parameter('mpp_um')}"
            )
            return Scale(mpp_um=None, problem=text, notes=said.notes)
    return replace(said, notes=(*said.notes, *_doubts(x, objective, from_tags=from_tags)))


def _doubts(mpp_um: float, objective: float | None, *, from_tags: bool) -> list[Note]:
    """What hints at a mistake in one number alone."""
    if objective is not None and objective > 0:
        expected = _UM_AT_1X / objective
        low, high = _FIT
        if not low <= mpp_um / expected <= high:
            text = (
                f"the file says {mpp_um:.4g} µm per pixel beside an objective of {objective:g}x, which gives "
                f"about {expected:.2g}: check the µm per pixel and give the right ones, or every density is "
                "wrong"
            )
            return [doubt(text)]
        return []
    if mpp_um == 1.0:
        text = "the file says 1 µm per pixel, which writers put where they know none; give the right ones"
        return [doubt(text)]
    if from_tags and not _scanners(mpp_um):
        for other, unit in ((mpp_um * _CM_PER_INCH, "inch"), (mpp_um / _CM_PER_INCH, "cm")):
            if _scanners(other):
                text = (
                    f"the file's resolution gives {mpp_um:.4g} µm per pixel, as few scanners have; counted "
                    f"per {unit} it is {other:.4g}: check the µm per pixel and give the right ones"
                )
                return [doubt(text)]
    return []


def _plausible(mpp_um: tuple[float, float]) -> bool:
    low, high = PLAUSIBLE_MPP_UM
    return all(low <= value <= high for value in mpp_um)


def _scanners(mpp_um: float) -> bool:
    """Whether scanners have such pixels."""
    return any(low <= mpp_um <= high for low, high in _SCANNERS_UM)


def tags_mpp_um(resolution_xy: tuple[float, float], unit: int) -> tuple[float, float] | None:
    """µm per pixel of TIFF's resolution tags; None without a unit of length (2 inch, 3 cm).

    Parameters
    ----------
    resolution_xy : tuple of float
        Pixels per unit.
    unit : int
        TIFF's ResolutionUnit (TIFF 6.0 p. 38).
    """
    unit_um = {2: 25_400.0, 3: 10_000.0}.get(unit)
    if unit_um is None or not all(0 < value < 1e12 for value in resolution_xy):
        return None
    return unit_um / resolution_xy[0], unit_um / resolution_xy[1]


def number(text: str | None) -> float | None:
    """A positive number, with a point or a comma before its decimals; None for anything else."""
    text = (text or "").strip()
    if text.count(",") == 1 and "." not in text:
        text = text.replace(",", ".")
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 < value < float("inf") else None
