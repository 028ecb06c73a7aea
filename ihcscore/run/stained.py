"""What follows from the check of a picture's stain: an error, notes, fields that are warned of."""

from __future__ import annotations

from ihcscore.errors import SlideError, parameter
from ihcscore.schema import Chromogen, Note, NoteKind, Quality, StainVerdict
from ihcscore.tissue.stain_check import StainCheck


def refuse_other_stains(check: StainCheck, *, name: str, chromogen: Chromogen, force: bool) -> None:
    """Refuse a picture that cannot be a section in haematoxylin and the chromogen, unless that is forced.

    Raises
    ------
    SlideError
    """
    if check.verdict == StainVerdict.REFUSED and not force:
        raise SlideError(
            f"{name}: no section in haematoxylin and {chromogen}: {check.reason}; give one, or "
            f"{parameter('force_stain')} to count it all the same"
        )


def stain_notes(check: StainCheck, *, counts: bool) -> tuple[Note, ...]:
    """What a reader must know of the stain; none where all is well.

    Parameters
    ----------
    check : StainCheck
    counts : bool
        Whether cells are counted on it; if not, a later run may refuse it.
    """
    doubt = stain_doubt(check)
    if check.verdict == StainVerdict.REFUSED and not counts:
        doubt = f"a run will refuse the stain: {check.reason}"
    return (Note(kind=NoteKind.STAIN, text=doubt),) if doubt else ()


def stain_doubt(check: StainCheck) -> str:
    """What is doubtful in the stain, in a sentence without full stop; empty where all is well."""
    if check.verdict == StainVerdict.OK:
        return ""
    if check.verdict == StainVerdict.REFUSED:
        return f"the stain is refused, and counted by force_stain all the same: {check.reason}"
    return f"the stain is doubtful: {check.reason}"


def doubted(qc: Quality, reason: str, check: StainCheck) -> tuple[Quality, str]:
    """A field's quality and its reason with the doubt in the stain added; one that fails fails by itself."""
    doubt = stain_doubt(check)
    if not doubt or qc == Quality.FAIL:
        return qc, reason
    return Quality.WARN, f"{reason} {doubt[0].upper()}{doubt[1:]}.".lstrip()


def stain_mark(check: StainCheck) -> str:
    """What stands first in the title of a picture whose stain is doubtful; empty where all is well."""
    return verdict_mark(check.verdict)


def verdict_mark(verdict: StainVerdict) -> str:
    """The same of a verdict alone."""
    marks = {StainVerdict.REFUSED: "Stain refused, forced", StainVerdict.DOUBTFUL: "Stain doubtful"}
    return f"{marks[verdict]}  ·  " if verdict in marks else ""
