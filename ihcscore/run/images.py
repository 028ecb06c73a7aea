"""Plain RGB tiles to cells and counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from ihcscore import output, pictures, report
from ihcscore.cells import described, finder_of
from ihcscore.errors import IhcscoreError, SlideError, all_of, require_in
from ihcscore.output.progress import Progress, silent
from ihcscore.profiles import MarkerProfile
from ihcscore.run.array import CountedArray, as_profile, count_array
from ihcscore.run.sheets import ContactSheets, quality_of
from ihcscore.run.stained import doubted, refuse_other_stains, stain_mark
from ihcscore.schema import COUNTED_MPP_UM, IMAGE_CELLS, IMAGE_COUNTS
from ihcscore.score import density as score
from ihcscore.score.hscore import membrane_scores
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
    warnings : dict of str to str
        What must be known of an image before its count is used, by file name.
    """

    cells: pd.DataFrame = field(repr=False)
    counts: pd.DataFrame = field(repr=False)
    errors: dict[str, IhcscoreError]
    warnings: dict[str, str] = field(default_factory=dict)


def count_images(
    paths: Sequence[str | Path],
    *,
    profile: str | MarkerProfile,
    mpp_um: float,
    out: str | Path | None = None,
    overlays: bool = False,
    force_stain: bool = False,
    negatives: bool = False,
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
        Folder for tables, contact sheets and page; without it nothing is written.
    overlays : bool
        Also write a picture of each image with its cells.
    force_stain : bool
        Count images that are refused for their stain.
    negatives : bool
        Mark negative cells on pictures too.
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
        drawing = _Pictures(
            folder=folder,
            marker=profile.name,
            sheets=ContactSheets(folder=folder, title=f"{profile.name}, {len(files)} images"),
            names=output.distinct_names(files) if overlays else {},
            negatives=negatives,
        )
        result = _count_all(files, counter, drawing, progress)
        drawing.sheets.finish()
        output.write_table(folder.new_file("cells.csv"), result.cells, IMAGE_CELLS)
        output.write_table(folder.new_file("counts.csv"), result.counts, IMAGE_COUNTS)
        content = {
            "marker": profile.name,
            "parameters": {
                "mpp_um": mpp_um,
                "overlays": overlays,
                "force_stain": force_stain,
                "negatives": negatives,
            },
            "profile": profile,
            "finder": described(finder_of(profile)),
            "errors": {name: str(error) for name, error in result.errors.items()},
            "warnings": result.warnings,
        }
        record = output.make_record("count", content)
        page = report.CountsPage(
            record=record,
            counts=result.counts,
            sheets=drawing.sheets.files,
            overlays={file.name: name for file, name in drawing.names.items()},
        )
        folder.add_file(report.html_of(page), "report.html")
        output.write_record(folder, record)
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


@dataclass(frozen=True, kw_only=True)
class _Pictures:
    """What is drawn of counted images: contact sheets, and overlays of those that have a name for one."""

    folder: output.OutputFolder
    marker: str
    sheets: ContactSheets
    names: dict[Path, str]
    negatives: bool

    def add(self, file: Path, counted: CountedArray, check: StainCheck, warning: str) -> None:
        picture = pictures.FieldPicture(
            rgb=counted.rgb,
            cells=counted.cells,
            square=None,
            mpp_um=counted.mpp_um,
            title=f"{stain_mark(check)}{file.name}  ·  {self.marker}",
            negatives=self.negatives,
            note=warning,
        )
        self.sheets.add(file.name, picture, warned=bool(warning))
        if file in self.names:
            drawn = pictures.draw_field(picture)
            pictures.write_png(self.folder.new_file(output.OVERLAYS, f"{self.names[file]}.png"), drawn)


def _count_all(
    files: Sequence[Path], counter: _Counter, drawing: _Pictures | None, progress: Progress
) -> ImageCounts:
    cells, rows = [], []
    errors: dict[str, IhcscoreError] = {}
    warnings: dict[str, str] = {}
    for number, file in enumerate(files):
        progress(file.name, number / len(files))
        try:
            counted, check = counter.count(file)
        except SlideError as error:
            errors[file.name] = error
            continue
        qc, reason = doubted(*quality_of(counted), check)
        if reason:
            warnings[file.name] = reason
        cells.append(counted.cells.assign(image=file.name))
        rows.append(_row(file.name, counted, counter.profile) | {"qc": str(qc), "qc_reason": reason})
        if drawing is not None:
            drawing.add(file, counted, check, reason)
    progress("done", 1.0)
    if not rows:
        raise all_of(errors.values())
    return ImageCounts(
        cells=pd.concat(cells, ignore_index=True).reindex(columns=IMAGE_CELLS.names),
        counts=pd.DataFrame(rows, columns=IMAGE_COUNTS.names),
        errors=errors,
        warnings=warnings,
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
        **membrane_scores(counted.cells),
    }
