"""What a slide is, in a few lines."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ihcscore.errors import NoTissueError, spelled
from ihcscore.run.survey import survey_slide
from ihcscore.schema import Chromogen, Source, StainVerdict
from ihcscore.slide import Slide, open_slide


def describe_slide(
    path: str | Path,
    *,
    mpp_um: float | None = None,
    icc: bool = True,
    spell: Callable[[str], str] = str,
) -> dict[str, str]:
    """Format, size, pixel size, levels, tissue and stain estimate of a slide.

    Parameters
    ----------
    path : str or Path
    mpp_um : float, optional
        µm per level-0 pixel, overriding the file's.
    icc : bool
        Convert colours to sRGB where the file has an ICC profile.
    spell : callable
        How a line that tells what to give writes a parameter's name.

    Returns
    -------
    dict of str to str
        Lines for people, in the order in which they are shown.

    Raises
    ------
    SlideError
        If the slide cannot be opened or read.
    """
    with open_slide(path, mpp_um=mpp_um, icc=icc) as slide:
        lines = _about_file(slide)
        if slide.mpp_problem:
            return lines | {
                "pixel size": spelled(slide.mpp_problem, spell),
                "stains": f"need the pixel size; give {spell('mpp_um')}",
            }
        if slide.notes:
            lines["note"] = "; ".join(note.text for note in slide.notes)
        width_mm, height_mm = (n * slide.mpp_um / 1000 for n in slide.size_xy_px)
        lines["size"] += f", {width_mm:.2f} × {height_mm:.2f} mm"
        return lines | _about_tissue(slide)


def _about_file(slide: Slide) -> dict[str, str]:
    """What stands in the file."""
    width, height = slide.size_xy_px
    sizes = (f"{w} × {h} (1/{level.downsample:g})" for level in slide.levels for w, h in [level.size_xy_px])
    given = " (given)" if slide.mpp_source == Source.GIVEN else ""
    return {
        "slide": slide.name,
        "format": slide.format,
        "size": f"{width} × {height} px",
        "pixel size": "" if slide.mpp_problem else f"{slide.mpp_um:.4g} µm{given}",
        "levels": ", ".join(sizes),
        "colours": f"converted to sRGB ({slide.icc_name})" if slide.icc_applied else "as in the file",
        "identity": slide.identity,
    }


def _about_tissue(slide: Slide) -> dict[str, str]:
    """How much tissue there is, and how it is stained."""
    try:
        survey = survey_slide(slide, chromogen=Chromogen.DAB)
    except NoTissueError:
        return {"tissue": "none found; is it the right slide, and was it scanned in brightfield?"}
    stains = survey.stains
    lines = {"tissue": f"{survey.tissue.area_mm2:.3g} mm²"}
    for part in (stains.white, stains.hematoxylin, stains.chromogen):
        values = " ".join(f"{v:.0f}" if part.name == "White" else f"{v:.3f}" for v in part.rgb)
        lines[part.name] = f"{values} ({part.source}: {part.reason})"
    check = survey.stain_check
    seen = "haematoxylin and DAB" if check.verdict == StainVerdict.OK else f"{check.verdict}: {check.reason}"
    return lines | {"stain check": f"{seen} (asked for {Chromogen.DAB})"}
