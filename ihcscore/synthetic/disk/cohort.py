"""A cohort of known truth: patients, each with serial sections stained for one marker each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import as_completed
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import TypedDict

import numpy as np
import pandas as pd

from ihcscore.schema import CellClass
from ihcscore.synthetic.disk.phantom import write_slide, write_table, write_text
from ihcscore.synthetic.disk.truth import SlideTruth
from ihcscore.synthetic.draw.layout import Clustering
from ihcscore.synthetic.draw.scene import Staining
from ihcscore.synthetic.mounting import MountingSettings
from ihcscore.synthetic.section import Section, SectionSettings, draw_section
from ihcscore.synthetic.zones import Zone
from ihcscore.workers import processes

# Called with what is being done and the share of the whole that is done, 0 to 1.
Progress = Callable[[str, float], None]

_REGIONS = (Zone.CENTRE, Zone.FRONT)


@dataclass(frozen=True, kw_only=True)
class MarkerSettings:
    """A marker of a cohort.

    Attributes
    ----------
    name : str
        As in the manifest.
    lowest_per_mm2, highest_per_mm2 : float
        Mean density of the sample with fewest and of that with most positive cells.
    staining : Staining
        How its sections took the stain.
    """

    name: str
    lowest_per_mm2: float
    highest_per_mm2: float
    staining: Staining = field(default_factory=Staining)

    def __post_init__(self) -> None:
        if not 0 < self.lowest_per_mm2 <= self.highest_per_mm2:
            raise ValueError(
                f"{self.name} has densities {self.lowest_per_mm2} to {self.highest_per_mm2}, "
                "expected two above 0, in order"
            )

    def levels_per_mm2(self, n: int) -> list[float]:
        """Densities of `n` samples, evenly spaced in the logarithm; of one the middle."""
        if n == 1:
            return [float(np.sqrt(self.lowest_per_mm2 * self.highest_per_mm2))]
        return [float(x) for x in np.geomspace(self.lowest_per_mm2, self.highest_per_mm2, n)]


MARKERS = (
    MarkerSettings(name="CD3", lowest_per_mm2=46, highest_per_mm2=957),
    MarkerSettings(
        name="CD4",
        lowest_per_mm2=30,
        highest_per_mm2=600,
        staining=Staining(strength_mix=(0.35, 0.45, 0.2), haze_od=0.05),
    ),
    MarkerSettings(name="CD8", lowest_per_mm2=37, highest_per_mm2=820),
    MarkerSettings(
        name="CD25",
        lowest_per_mm2=1,
        highest_per_mm2=169,
        staining=Staining(
            strength_mix=(0.5, 0.4, 0.1), ring_fraction=0.8, clustering=Clustering(fraction=0.1)
        ),
    ),
)
"""The markers and ranges over samples of van de Donk et al. 2021 (doi 10.1007/s00259-021-05407-y).

The study gives none for CD4; here it is lower than CD3. CD4 is paler and CD25 paler still.
"""


def _section_settings() -> SectionSettings:
    return SectionSettings(
        size_um=(2600.0, 2600.0), tissue_um=2100.0, tumour_um=1600.0, front_um=250.0, anatomy_seed=0
    )


@dataclass(frozen=True, kw_only=True)
class CohortSettings:
    """What is in a cohort.

    Attributes
    ----------
    n_patients : int
        Patients, P1 and on, with one sample each, P1-A and on.
    markers : tuple of MarkerSettings
        A section each; the first is the sample's reference, and the only one with an annotation.
    section : SectionSettings
        All sections; densities, staining, anatomy, place and distortion are set for each. By default
        a tumour that holds 3 fields of 0.13 mm² in its centre and 3 in a front of 500 µm.
    front_over_centre : float
        Density of the invasive front over that of the centre; a sample's density is the mean of both.
    elsewhere_share : float
        Density elsewhere over that of the centre.
    max_shift_um, max_stretch, max_shear, max_bend_um : float
        Each section is turned by any angle and shifted, stretched, sheared and bent at most so much.
    mirrored : bool
        Whether one section of the cohort, never a reference, lies upside down.
    """

    n_patients: int = 4
    markers: tuple[MarkerSettings, ...] = MARKERS
    section: SectionSettings = field(default_factory=_section_settings)
    front_over_centre: float = 2.0
    elsewhere_share: float = 0.5
    max_shift_um: float = 60.0
    max_stretch: float = 0.015
    max_shear: float = 0.01
    max_bend_um: float = 25.0
    mirrored: bool = True

    def __post_init__(self) -> None:
        if self.n_patients < 1:
            raise ValueError(f"n_patients is {self.n_patients}, expected 1 or more")
        names = [marker.name for marker in self.markers]
        if not names or len(set(names)) < len(names):
            raise ValueError(f"markers are {names}, expected one or more, each once")
        if self.front_over_centre <= 0:
            raise ValueError(f"front_over_centre is {self.front_over_centre}, expected above 0")
        for name in ("elsewhere_share", "max_shift_um", "max_stretch", "max_shear", "max_bend_um"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} is {getattr(self, name)}, expected 0 or more")

    @property
    def margin_um(self) -> float:
        """Whole width of the invasive front, as a run on the cohort needs it."""
        return 2 * self.section.front_um


@dataclass(frozen=True, kw_only=True)
class CohortFiles:
    """A cohort on disk, and what is true of it.

    Attributes
    ----------
    manifest : Path
        ``manifest.csv``: ``patient_id, sample_id, slide, marker, reference, annotations``;
        paths relative to it.
    truth : Path
        ``truth.csv``: ``patient_id, sample_id, marker, region, planted_per_mm2, true_per_mm2``, of the whole
        region on the marker's own section.
    slides : tuple of SlideTruth
        In the manifest's order.
    """

    manifest: Path
    truth: Path
    slides: tuple[SlideTruth, ...] = field(repr=False)

    def of(self, sample_id: str, marker: str) -> SlideTruth:
        """Truth of a sample's slide; KeyError if there is none."""
        for slide in self.slides:
            if (slide.sample_id, slide.marker) == (sample_id, marker):
                return slide
        raise KeyError(f"no slide of sample {sample_id} and marker {marker}")

    def reference(self, sample_id: str) -> SlideTruth:
        """Truth of a sample's reference slide; KeyError if there is none."""
        for slide in self.slides:
            if slide.sample_id == sample_id and slide.reference:
                return slide
        raise KeyError(f"no sample {sample_id}")


@dataclass(frozen=True, kw_only=True)
class _Job:
    """One slide to draw and write."""

    folder: Path
    name: str
    patient_id: str
    sample_id: str
    marker: str
    reference: bool
    settings: SectionSettings
    seed: int


def write_cohort(
    folder: Path,
    *,
    seed: int = 0,
    settings: CohortSettings | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> CohortFiles:
    """Draw and write a cohort; the same settings and seed give the same bytes for any number of workers.

    Parameters
    ----------
    folder : Path
        Gets ``manifest.csv``, ``truth.csv`` and ``slides/``, with MIRAX slides such as
        ``P1-A_CD3.mrxs`` and the outline of the tumour as ``P1-A_CD3.geojson``; made if missing.
    seed : int
        Seed of everything, 0 or more.
    settings : CohortSettings, optional
    workers : int
        Processes that draw.
    progress : callable, optional
        Called after each slide with its name and the share that is done.

    Returns
    -------
    CohortFiles
    """
    settings = settings or CohortSettings()
    if workers < 1:
        raise ValueError(f"workers is {workers}, expected 1 or more")
    folder = Path(folder)
    (folder / "slides").mkdir(parents=True, exist_ok=True)
    jobs = _jobs(folder / "slides", settings, seed)
    slides: dict[int, SlideTruth] = {}
    for number, slide in _done(jobs, min(workers, len(jobs))):
        slides[number] = slide
        if progress is not None:
            progress(f"drew {slide.slide.stem}", len(slides) / len(jobs))
    ordered = tuple(slides[number] for number in range(len(jobs)))
    files = CohortFiles(manifest=folder / "manifest.csv", truth=folder / "truth.csv", slides=ordered)
    write_table(files.truth, _truth_table(ordered))
    write_table(files.manifest, _manifest_table(ordered, folder))
    return files


def _done(jobs: list[_Job], workers: int) -> Iterator[tuple[int, SlideTruth]]:
    """Numbers and truths of the jobs as they get done."""
    if workers == 1:
        yield from ((number, _draw(job)) for number, job in enumerate(jobs))
        return
    with processes(workers) as pool:
        futures = {pool.submit(_draw, job): number for number, job in enumerate(jobs)}
        for future in as_completed(futures):
            yield futures[future], future.result()


def _jobs(folder: Path, settings: CohortSettings, seed: int) -> list[_Job]:
    pairs = list(product(range(settings.n_patients), range(len(settings.markers))))
    moving = [pair for pair in pairs if pair[1] > 0]
    upside_down = None
    if settings.mirrored and moving:
        upside_down = moving[int(np.random.default_rng([seed, 0]).integers(len(moving)))]
    jobs = []
    for patient, number in pairs:
        marker, sample_id = settings.markers[number], f"P{patient + 1}-A"
        level = marker.levels_per_mm2(settings.n_patients)[patient]
        section = replace(
            settings.section,
            **_densities(settings, level),
            mounting=replace(
                _random_mounting(settings, np.random.default_rng([seed, 1, patient, number])),
                mirrored=(patient, number) == upside_down,
            ),
            staining=marker.staining,
            anatomy_seed=_number(seed, patient, 0),
        )
        jobs.append(
            _Job(
                folder=folder,
                name=f"{sample_id}_{marker.name}",
                patient_id=f"P{patient + 1}",
                sample_id=sample_id,
                marker=marker.name,
                reference=number == 0,
                settings=section,
                seed=_number(seed, patient, number + 1),
            )
        )
    return jobs


def _number(*words: int) -> int:
    """A seed that follows from several numbers."""
    return int(np.random.SeedSequence(words).generate_state(1)[0])


class _Densities(TypedDict):
    centre_per_mm2: float
    front_per_mm2: float
    elsewhere_per_mm2: float


def _densities(settings: CohortSettings, level_per_mm2: float) -> _Densities:
    """Densities of the zones; the mean of centre and front is the sample's."""
    centre = 2 * level_per_mm2 / (1 + settings.front_over_centre)
    return {
        "centre_per_mm2": centre,
        "front_per_mm2": settings.front_over_centre * centre,
        "elsewhere_per_mm2": settings.elsewhere_share * centre,
    }


def _random_mounting(settings: CohortSettings, rng: np.random.Generator) -> MountingSettings:
    """A turn, a shift and a distortion at random."""
    right, down, wider, longer, slanted = (float(x) for x in rng.uniform(-1, 1, 5))
    return MountingSettings(
        rotation_deg=float(rng.uniform(-180, 180)),
        shift_um=(right * settings.max_shift_um, down * settings.max_shift_um),
        scale_xy=(1 + wider * settings.max_stretch, 1 + longer * settings.max_stretch),
        shear=slanted * settings.max_shear,
        bend_um=float(rng.uniform(0.5, 1)) * settings.max_bend_um,
    )


def _draw(job: _Job) -> SlideTruth:
    """Draw and write a slide."""
    section = draw_section(job.settings, job.seed)
    slide = job.folder / f"{job.name}.mrxs"
    write_slide(slide, section)
    annotations = job.folder / f"{job.name}.geojson" if job.reference else None
    if annotations is not None:
        write_text(annotations, section.geojson_text())
    return _truth(job, section, slide, annotations)


def _truth(job: _Job, section: Section, slide: Path, annotations: Path | None) -> SlideTruth:
    cells = section.cells
    positive = cells.loc[cells["class"] == str(CellClass.POSITIVE), ["x_px", "y_px"]]
    return SlideTruth(
        patient_id=job.patient_id,
        sample_id=job.sample_id,
        marker=job.marker,
        reference=job.reference,
        slide=slide,
        annotations=annotations,
        mpp_um=section.mpp_um,
        mounting=section.mounting,
        anatomy_seed=section.anatomy_seed,
        positive_px=positive.to_numpy(dtype=np.float64) + 0.5,
        zones=section.zones,
    )


def _truth_table(slides: tuple[SlideTruth, ...]) -> pd.DataFrame:
    rows = []
    for slide in slides:
        zones = slide.zones.set_index("zone")
        for region in _REGIONS:
            zone = zones.loc[str(region)]
            ids = (slide.patient_id, slide.sample_id, slide.marker, str(region))
            rows.append((*ids, zone["planted_per_mm2"], zone["positive_per_mm2"]))
    columns = ["patient_id", "sample_id", "marker", "region", "planted_per_mm2", "true_per_mm2"]
    return pd.DataFrame(rows, columns=columns)


def _manifest_table(slides: tuple[SlideTruth, ...], folder: Path) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "patient_id": [slide.patient_id for slide in slides],
            "sample_id": [slide.sample_id for slide in slides],
            "slide": [slide.slide.relative_to(folder).as_posix() for slide in slides],
            "marker": [slide.marker for slide in slides],
            "reference": ["true" if slide.reference else "false" for slide in slides],
            "annotations": [
                "" if s.annotations is None else s.annotations.relative_to(folder).as_posix() for s in slides
            ],
        }
    )
