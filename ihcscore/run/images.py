"""Plain RGB tiles to cells and counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from ihcscore import output, pictures
from ihcscore.cells import described, finder_of
from ihcscore.errors import IhcscoreError, SlideError, all_of, parameter
from ihcscore.output.progress import Progress, silent
from ihcscore.profiles import MarkerProfile
from ihcscore.run.array import CountedArray, as_profile, count_array
from ihcscore.schema import IMAGE_CELLS, IMAGE_COUNTS
from ihcscore.score import density as score
from ihcscore.slide.base import PLAUSIBLE_MPP_UM
from ihcscore.slide.readers.plain_image import find_images, read_image


@dataclass(frozen=True, kw_only=True)
class ImageCounts:
    """What counting on plain images gives.

    Attributes
    ----------
    cells, counts : DataFrame
        As in ``cells.csv`` and ``counts.csv``.
    errors : dict of str to IhcscoreError
        Images that could not be counted, and why, by file name.
    """

    cells: pd.DataFrame = field(repr=False)
    counts: pd.DataFrame = field(repr=False)
    errors: dict[str, IhcscoreError]


def count_images(
    paths: Sequence[str | Path],
    *,
    profile: str | MarkerProfile,
    mpp_um: float,
    out: str | Path | None = None,
    overlays: bool = False,
    overwrite: bool = False,
    progress: Progress = silent,
) -> ImageCounts:
    """Count cells on plain RGB images, each with stains of its own.

    Parameters
    ----------
    paths : sequence of str or Path
        Images, and folders of images.
    profile : str or MarkerProfile
    mpp_um : float
        µm per pixel of all images.
    out : str or Path, optional
        Folder for the tables; without it nothing is written.
    overlays : bool
        Also write a picture of each image with its cells.
    overwrite : bool
        Replace a run that the folder already holds.
    progress : callable, optional

    Returns
    -------
    ImageCounts

    Raises
    ------
    IhcscoreError
        If the profile, the pixel size or the folder cannot be used, or no image can be counted.
    """
    profile = as_profile(profile)
    finder_of(profile)  # its weights are refused before anything is written
    low, high = PLAUSIBLE_MPP_UM
    if not low <= mpp_um <= high:
        raise SlideError(f"{parameter('mpp_um')} is {mpp_um:g}, expected {low} to {high}")
    files = find_images(paths)
    if out is None:
        return _count_all(files, profile, mpp_um, None, progress)
    with output.OutputFolder(out, overwrite=overwrite) as folder:
        result = _count_all(files, profile, mpp_um, folder if overlays else None, progress)
        output.write_table(folder.new_file("cells.csv"), result.cells, IMAGE_CELLS)
        output.write_table(folder.new_file("counts.csv"), result.counts, IMAGE_COUNTS)
        content = {
            "marker": profile.name,
            "parameters": {"mpp_um": mpp_um, "overlays": overlays},
            "profile": profile,
            "finder": described(finder_of(profile)),
            "errors": {name: str(error) for name, error in result.errors.items()},
        }
        output.write_record(folder, output.make_record("count", content))
    return result


def _count_all(
    files: Sequence[Path],
    profile: MarkerProfile,
    mpp_um: float,
    folder: output.OutputFolder | None,
    progress: Progress,
) -> ImageCounts:
    cells, rows = [], []
    errors: dict[str, IhcscoreError] = {}
    for number, file in enumerate(files):
        progress(file.name, number / len(files))
        try:
            rgb = read_image(file)
        except SlideError as error:
            errors[file.name] = error
            continue
        counted = count_array(rgb, mpp_um=mpp_um, profile=profile)
        cells.append(counted.cells.assign(image=file.name))
        rows.append(_row(file.name, counted, profile))
        if folder is not None:
            _write_overlay(folder, file, counted, profile)
    progress("done", 1.0)
    if not rows:
        raise all_of(errors.values())
    return ImageCounts(
        cells=pd.concat(cells, ignore_index=True)[IMAGE_CELLS.names],
        counts=pd.DataFrame(rows, columns=IMAGE_COUNTS.names),
        errors=errors,
    )


def _row(name: str, counted: CountedArray, profile: MarkerProfile) -> dict[str, object]:
    height, width = counted.rgb.shape[:2]
    area_mm2 = width * height * (counted.mpp_um / 1000) ** 2
    counts = score.count_classes(counted.cells)
    return {
        "image": name,
        "marker": profile.name,
        "width_px": width,
        "height_px": height,
        "mpp_um": counted.mpp_um,
        "area_mm2": area_mm2,
        **counts,
        **score.image_densities(counts, area_mm2=area_mm2),
        "pigment_fraction": counted.pigment_fraction,
        "stain_source": counted.stains.source,
    }


def _write_overlay(
    folder: output.OutputFolder, file: Path, counted: CountedArray, profile: MarkerProfile
) -> None:
    picture = pictures.FieldPicture(
        rgb=counted.rgb,
        cells=counted.cells,
        square=None,
        mpp_um=counted.mpp_um,
        title=f"{file.name}  ·  {profile.name}",
    )
    pictures.write_png(folder.new_file("overlays", f"{file.stem}.png"), pictures.draw_field(picture))
