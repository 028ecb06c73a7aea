"""A cohort small enough to be scored in a few seconds: two samples, two stains each."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from ihcscore.cohort import CohortResult, score_cohort
from ihcscore.schema import FieldSettings, RegionSettings, RunSettings
from ihcscore.synthetic import CohortFiles, CohortSettings, MarkerSettings, SectionSettings, write_cohort

SETTINGS = RunSettings(
    fields=FieldSettings(n_fields=2, field_area_mm2=0.02), regions=RegionSettings(margin_um=240.0)
)
WORDS = ("--fields", "2", "--field-area-mm2", "0.02", "--margin-um", "240")
"""The same for the command line."""

DRAWN = CohortSettings(
    n_patients=2,
    markers=(
        MarkerSettings(name="CD3", lowest_per_mm2=600, highest_per_mm2=1800),
        MarkerSettings(name="CD8", lowest_per_mm2=600, highest_per_mm2=1800),
    ),
    # Pixels of 1 µm, at which cells are still counted.
    section=SectionSettings(
        size_um=(1300.0, 1300.0), mpp_um=1.0, tissue_um=1060.0, tumour_um=740.0, front_um=120.0
    ),
    max_shift_um=40.0,
    max_bend_um=12.0,
)
SLIDES = (("P1-A", "CD3"), ("P1-A", "CD8"), ("P2-A", "CD3"), ("P2-A", "CD8"))


def draw_cohort(folder: Path) -> CohortFiles:
    """Draw it; the first patient is called 007."""
    files = write_cohort(folder, seed=3, settings=DRAWN)
    edit_manifest(files.manifest, {"P1-A CD3": {"patient_id": "007"}, "P1-A CD8": {"patient_id": "007"}})
    return files


def edit_manifest(manifest: Path, cells: Mapping[str, Mapping[str, str]]) -> None:
    """Change cells of some slides, each called as in ``P1-A CD3``."""
    table = pd.read_csv(manifest, dtype=str, keep_default_na=False)
    names = table["sample_id"] + " " + table["marker"]
    for name, changes in cells.items():
        (row,) = table.index[names == name]
        for column, value in changes.items():
            if column not in table:
                table[column] = ""
            table.loc[row, column] = value
    table.to_csv(manifest, index=False)


@dataclass(frozen=True, kw_only=True)
class Scored:
    """A cohort on disk and a run on it."""

    manifest: Path
    out: Path
    result: CohortResult | None = field(default=None, repr=False)

    def copied_to(self, folder: Path) -> Scored:
        """A copy that a test may spoil; times of files are kept."""
        shutil.copytree(self.manifest.parent, folder / "slides in")
        shutil.copytree(self.out, folder / "results")
        return Scored(manifest=folder / "slides in" / self.manifest.name, out=folder / "results")

    def edit(self, cells: Mapping[str, Mapping[str, str]]) -> None:
        edit_manifest(self.manifest, cells)

    def resume(self, **options: object) -> CohortResult:
        """Go on with the run."""
        given = {"settings": SETTINGS, "resume": True, **options}
        return score_cohort(self.manifest, out=self.out, **given)  # type: ignore[arg-type]


def stop_after_a_slide(stage: str, share: float) -> None:
    """Progress of a run that is stopped by Ctrl-C after its first slide."""
    if stage.startswith("1 of "):
        raise KeyboardInterrupt


def tree(folder: Path, kept: Callable[[str], bool] = lambda name: True) -> dict[str, str]:
    """Hash of every file under a folder, hidden ones too."""
    names = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {
        name: hashlib.sha256(path.read_bytes()).hexdigest()
        for name, path in sorted(names.items())
        if kept(name)
    }


def written_at(folder: Path) -> dict[str, int]:
    """Time of every file under a folder, ns."""
    return {
        path.relative_to(folder).as_posix(): path.stat().st_mtime_ns
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
