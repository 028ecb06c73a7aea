"""Plain RGB tiles to cells and counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from ihcscore import output, pictures
from ihcscore.cells import described, finder_of
from ihcscore.errors import IhcscoreError, SlideError, all_of, require_in
from ihcscore.output.progress import Progress, silent
from ihcscore.profiles import MarkerProfile
from ihcscore.run.array import CountedArray, as_profile, count_array
from ihcscore.run.stained import doubted, refuse_other_stains, stain_mark, stain_notes
from ihcscore.schema import COUNTED_MPP_UM, IMAGE_CELLS, IMAGE_COUNTS, Note, Quality
from ihcscore.score import density as score
from ihcscore.slide.readers.plain_image import find_images, read_image
from ihcscore.stain import estimate_stains
from ihcscore.tissue.stain_check import StainCheck, check_stain


@dataclass(frozen=True, kw_only=True)
class ImageCounts:
    """What counting on plain images gives.

    Attributes
    ----------
    cells, counts : DataFrame
        As in ``cells.csv`` and ``counts.csv``.
    errors : dict of str to IhcscoreError
        Images that could not be counted, and why, by file name.
    notes : dict of str to tuple of Note
        What a reader must know of an image, by file name.
    """

    cells: pd.DataFrame = field(repr=False)
    counts: pd.DataFrame = field(repr=False)
    errors: dict[str, IhcscoreError]
    notes: dict[str, tuple[Note, ...]] = field(default_factory=dict)


def count_images(
    paths: Sequence[str | Path],
    *,
    profile: str | MarkerProfile,
    mpp_um: float,
    out: str | Path | None = None,
    overlays: bool = False,
    force_stain: bool = False,
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
    force_stain : bool
        Count images that are refused for their stain.
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
    require_in(COUNTED_MPP_UM, "mpp_um", mpp_um)
    finder_of(profile)  # its weights are refused before anything is written
    files = find_images(paths)
    counter = _Counter(profile=profile, mpp_um=mpp_um, force_stain=force_stain)
    if out is None:
        return _count_all(files, counter, None, progress)
    with output.OutputFolder(out, overwrite=overwrite) as folder:
        result = _count_all(files, counter, folder if overlays else None, progress)
        output.write_table(folder.new_file("cells.csv"), result.cells, IMAGE_CELLS)
        output.write_table(folder.new_file("counts.csv"), result.counts, IMAGE_COUNTS)
        content = {
            "marker": profile.name,
            "parameters": {"mpp_um": mpp_um, "overlays": overlays, "force_stain": force_stain},
            "profile": profile,
            "finder": described(finder_of(profile)),
            "errors": {name: str(error) for name, error in result.errors.items()},
            "notes": result.notes,
        }
        output.write_record(folder, output.make_record("count", content))
    return result


@dataclass(frozen=True, kw_only=True)
class _Counter:
    """Counts images of one marker and scale, after asking each what it is."""

    profile: MarkerProfile
    mpp_um: float
    force_stain: bool

    def count(self, file: Path) -> tuple[CountedArray, StainCheck]:
        """Cells of an image, and the check of its stain.

        Raises
        ------
        SlideError
            If it cannot be read, or its stain is another and that is not forced.
        """
        rgb, chromogen = read_image(file), self.profile.chromogen
        stains = estimate_stains(rgb, chromogen=chromogen, mpp_um=self.mpp_um)
        check = check_stain(rgb, chromogen=chromogen, white_rgb=stains.white_rgb, mpp_um=self.mpp_um)
        refuse_other_stains(check, name=file.name, chromogen=chromogen, force=self.force_stain)
        return count_array(rgb, mpp_um=self.mpp_um, profile=self.profile, stains=stains), check


def _count_all(
    files: Sequence[Path],
    counter: _Counter,
    folder: output.OutputFolder | None,
    progress: Progress,
) -> ImageCounts:
    cells, rows = [], []
    errors: dict[str, IhcscoreError] = {}
    notes: dict[str, tuple[Note, ...]] = {}
    for number, file in enumerate(files):
        progress(file.name, number / len(files))
        try:
            counted, check = counter.count(file)
        except SlideError as error:
            errors[file.name] = error
            continue
        if of_stain := stain_notes(check, counts=True):
            notes[file.name] = of_stain
        cells.append(counted.cells.assign(image=file.name))
        rows.append(_row(file.name, counted, check, counter.profile))
        if folder is not None:
            title = f"{stain_mark(check)}{file.name}  ·  {counter.profile.name}"
            _write_overlay(folder, file, counted, title)
    progress("done", 1.0)
    if not rows:
        raise all_of(errors.values())
    return ImageCounts(
        cells=pd.concat(cells, ignore_index=True)[IMAGE_CELLS.names],
        counts=pd.DataFrame(rows, columns=IMAGE_COUNTS.names),
        errors=errors,
        notes=notes,
    )


def _row(name: str, counted: CountedArray, check: StainCheck, profile: MarkerProfile) -> dict[str, object]:
    height, width = counted.rgb.shape[:2]
    area_mm2 = width * height * (counted.mpp_um / 1000) ** 2
    counts = score.count_classes(counted.cells)
    qc, reason = doubted(Quality.PASS, "", check)
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
        "qc": str(qc),
        "qc_reason": reason,
    }


def _write_overlay(folder: output.OutputFolder, file: Path, counted: CountedArray, title: str) -> None:
    picture = pictures.FieldPicture(
        rgb=counted.rgb,
        cells=counted.cells,
        square=None,
        mpp_um=counted.mpp_um,
        title=title,
    )
    pictures.write_png(folder.new_file("overlays", f"{file.stem}.png"), pictures.draw_field(picture))
