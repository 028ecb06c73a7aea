"""What a slide is, in a few lines."""

from __future__ import annotations

from pathlib import Path

from ihcscore.errors import SlideError
from ihcscore.output.progress import silent
from ihcscore.profiles import load_profile
from ihcscore.run.survey import survey_slide
from ihcscore.slide import Slide, open_slide


def describe_slide(path: str | Path, *, mpp_um: float | None = None, icc: bool = True) -> dict[str, str]:
    """Format, size, pixel size, levels, tissue and stain estimate of a slide.

    Parameters
    ----------
    path : str or Path
    mpp_um : float, optional
        µm per level-0 pixel, overriding the file's.
    icc : bool
        Convert colours to sRGB where the file has an ICC profile.

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
        width, height = slide.size_xy_px
        sizes = (
            f"{w} × {h} (1/{level.downsample:g})" for level in slide.levels for w, h in [level.size_xy_px]
        )
        lines = {
            "slide": slide.name,
            "format": slide.format,
            "size": f"{width} × {height} px",
            "pixel size": _pixel_size(slide),
            "levels": ", ".join(sizes),
            "colours": f"converted to sRGB ({slide.icc_name})" if slide.icc_applied else "as in the file",
            "identity": slide.identity,
        }
        try:
            width_mm, height_mm = (n * slide.mpp_um / 1000 for n in slide.size_xy_px)
        except SlideError:
            return lines | {"stains": "need the pixel size; give --mpp-um"}
        lines["size"] += f", {width_mm:.2f} × {height_mm:.2f} mm"
        # Stains are the same for every marker in DAB; any profile with it will do.
        survey = survey_slide(slide, profile=load_profile("CD3"), progress=silent)
        stains = survey.stains
        lines["tissue"] = f"{survey.tissue.area_mm2:.3g} mm²"
        for part in (stains.white, stains.hematoxylin, stains.chromogen):
            values = " ".join(f"{v:.0f}" if part.name == "White" else f"{v:.3f}" for v in part.rgb)
            lines[part.name] = f"{values} ({part.source}: {part.reason})"
    return lines


def _pixel_size(slide: Slide) -> str:
    try:
        given = " (given)" if slide.mpp_source == "given" else ""
        return f"{slide.mpp_um:.4g} µm{given}"
    except SlideError as error:
        return str(error).removeprefix(f"{slide.name}: ")
