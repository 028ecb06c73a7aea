"""The demonstration: a cohort of known truth, scored, registered and correlated, and held against it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from ihcscore import output, synthetic
from ihcscore.cohort import CohortResult, score_cohort
from ihcscore.errors import PetError, require_in
from ihcscore.geometry.field import square_of
from ihcscore.output.progress import Progress, silent
from ihcscore.pet.extra import require
from ihcscore.schema import (
    BOTH_REGIONS,
    DEMO,
    DEMO_FIT,
    DEMO_PLACES,
    WORKERS,
    CorrelationSettings,
    FieldStatus,
    RegionName,
    RegionSettings,
    RunSettings,
)
from ihcscore.study.correlate import correlate_tables
from ihcscore.study.tables import Study
from ihcscore.suv import SuvResult, measure_scans

_SEED = 1
# Patients of the planted PET table; those beyond the cohort's have no slides.
_N_PATIENTS = 15
_RHO = 0.7
_MARKER, _REGION = "CD8", RegionName.TUMOUR_CENTRE


@dataclass(frozen=True, kw_only=True)
class DemoResult:
    """What the demonstration gives.

    Attributes
    ----------
    comparison : DataFrame
        As in ``comparison.csv``: counted beside true, by sample, marker and region.
    fit : DataFrame
        As in ``fit.csv``: measured on planted density, by marker.
    places : DataFrame
        As in ``places.csv``: where each carried field was put beside where it belongs.
    cohort : CohortResult
    planted_suv : DataFrame
        The uptake that was drawn, as a SUV table.
    uptake : SuvResult or None
        The same, measured in the scans that were drawn of it; None where scans cannot be read.
    no_scans : str
        Why not, and what to install; empty where they were measured.
    studies : dict of str to Study
        ``tissue``: the patients with slides; ``planted``: all, the others' densities drawn.
    """

    comparison: pd.DataFrame = field(repr=False)
    fit: pd.DataFrame = field(repr=False)
    places: pd.DataFrame = field(repr=False)
    cohort: CohortResult = field(repr=False)
    planted_suv: pd.DataFrame = field(repr=False)
    uptake: SuvResult | None = field(repr=False)
    no_scans: str
    studies: dict[str, Study] = field(repr=False)


def run_demo(
    out: str | Path,
    *,
    settings: synthetic.CohortSettings | None = None,
    workers: int = 1,
    overwrite: bool = False,
    progress: Progress = silent,
) -> DemoResult:
    """Draw four patients with four stains each and PET scans, score and measure them, and correlate.

    Parameters
    ----------
    out : str or Path
        Gets the slides with their manifest and truth (``slides/``), what a cohort writes (``result/``),
        PET series of three makers (``scans/``), what ``suv`` writes of them (``suv/``), two studies
        (``study-tissue/``, ``study-planted/``) and the comparisons with the truth.
    settings : CohortSettings, optional
        The cohort: patients, markers, what is on the sections.
    workers : int
        Processes; the files are the same bytes for any number.
    overwrite : bool
        Replace a demonstration that the folder already holds.
    progress : callable, optional

    Raises
    ------
    OutputError
        If the folder cannot be used.
    """
    require_in(WORKERS, "workers", workers)
    settings = settings or synthetic.CohortSettings()
    with output.OutputFolder(out, overwrite=overwrite) as folder:
        files = synthetic.write_cohort(
            folder.staging.resolve() / "slides",
            seed=_SEED,
            settings=settings,
            workers=workers,
            progress=lambda stage, share: progress(stage, 0.45 * share),
        )
        scored = score_cohort(
            files.manifest,
            out=folder.staging / "result",
            settings=RunSettings(regions=RegionSettings(margin_um=settings.margin_um)),
            workers=workers,
            progress=lambda stage, share: progress(stage, 0.45 + 0.45 * share),
        )
        comparison = compare(scored.fields, files)
        densities = _densities(scored.scores)
        drawn = synthetic.draw_suv_table(
            list(densities["patient_id"]), density=list(densities["positive_per_mm2"]), rho=_RHO, seed=_SEED
        )
        planted = folder.new_file("planted-suv.csv")
        output.write_csv(planted, drawn)
        uptake, no_scans = _measure_uptake(folder, drawn, progress)
        suv = planted if uptake is None else folder.staging / "suv" / "lesions.csv"
        result = DemoResult(
            comparison=comparison,
            fit=fit_densities(scored.scores, files),
            places=compare_places(scored.fields, files),
            cohort=scored,
            planted_suv=drawn,
            uptake=uptake,
            no_scans=no_scans,
            studies=_studies(folder, densities, suv, progress),
        )
        output.write_table(folder.new_file("comparison.csv"), comparison, DEMO)
        output.write_table(folder.new_file("fit.csv"), result.fit, DEMO_FIT)
        output.write_table(folder.new_file("places.csv"), result.places, DEMO_PLACES)
        content = {"seed": _SEED, "parameters": settings}
        output.write_record(folder, output.make_record("demo", content))
    return result


def compare(fields: pd.DataFrame, files: synthetic.CohortFiles) -> pd.DataFrame:
    """Counted beside true in the same fields, by sample, marker and region.

    Parameters
    ----------
    fields : DataFrame
        The cohort's field table.
    files : CohortFiles
    """
    scored = fields[fields["status"] == FieldStatus.SCORED]
    rows = []
    for (sample, marker, region), group in scored.groupby(["sample_id", "marker", "region"], sort=False):
        truth = files.of(str(sample), str(marker))
        area_mm2 = float(group["area_mm2"].sum())
        true = sum(truth.n_positive_in(square_of(place)) for place in group.to_dict("records"))
        counted = int(group["n_positive"].sum())
        ratio = counted / true if true else math.nan
        rows.append(
            (sample, marker, region, len(group), counted, true, counted / area_mm2, true / area_mm2, ratio)
        )
    return pd.DataFrame(rows, columns=DEMO.names)


def fit_densities(scores: pd.DataFrame, files: synthetic.CohortFiles) -> pd.DataFrame:
    """Line through measured over planted density of the samples' regions, by marker."""
    planted = {
        (truth.sample_id, truth.marker, str(zone["zone"])): float(zone["positive_per_mm2"])
        for truth in files.slides
        for zone in truth.zones.to_dict("records")
    }
    rows = []
    drawn = scores[(scores["n_scored"] > 0) & (scores["region"] != BOTH_REGIONS)]
    for marker, group in drawn.groupby("marker", sort=False):
        keys = zip(group["sample_id"], group["marker"], group["region"], strict=True)
        x = np.array([planted[key] for key in keys])
        line = stats.linregress(x, group["mean_per_mm2"].to_numpy(float))
        rows.append((marker, len(x), x.min(), x.max(), line.slope, line.intercept, line.rvalue))
    return pd.DataFrame(rows, columns=DEMO_FIT.names)


def compare_places(fields: pd.DataFrame, files: synthetic.CohortFiles) -> pd.DataFrame:
    """How far each carried field lies from where the sections were drawn to have it."""
    rows = []
    for sample in dict.fromkeys(fields["sample_id"]):
        own = fields[fields["sample_id"] == sample]
        reference = files.reference(str(sample))
        drawn = own[own["marker"] == reference.marker].set_index("field_id")
        for place in own[own["marker"] != reference.marker].to_dict("records"):
            moving = files.of(str(sample), str(place["marker"]))
            centre = square_of(drawn.loc[place["field_id"]].to_dict()).centre_xy_px
            there = synthetic.true_map(reference, moving, centre[None])[0]
            error_um = float(np.hypot(*(square_of(place).centre_xy_px - there))) * moving.mpp_um
            estimated = place["registration_error_um"]
            rows.append((sample, place["marker"], place["field_id"], error_um, estimated, place["status"]))
    return pd.DataFrame(rows, columns=DEMO_PLACES.names)


def _densities(scores: pd.DataFrame) -> pd.DataFrame:
    """As a table of scores: the cohort's densities, and drawn ones for patients without slides."""
    measured = scores[(scores["marker"] == _MARKER) & (scores["region"] == _REGION)]
    known = dict(zip(measured["patient_id"], measured["mean_per_mm2"].astype(float), strict=True))
    patients = [f"P{number}" for number in range(1, _N_PATIENTS + 1)]
    generator = np.random.default_rng(_SEED)
    # The range of CD8 over the samples of van de Donk et al. 2021, doi 10.1007/s00259-021-05407-y.
    drawn = np.exp(generator.uniform(math.log(37), math.log(820), len(patients))).round(1)
    density = [known.get(patient, float(value)) for patient, value in zip(patients, drawn, strict=True)]
    density = [float(value) if math.isnan(one) else one for one, value in zip(density, drawn, strict=True)]
    return pd.DataFrame(
        {
            "patient_id": patients,
            "sample_id": [f"{patient}-A" for patient in patients],
            "marker": _MARKER,
            "region": str(_REGION),
            "positive_per_mm2": density,
        }
    )


def _measure_uptake(
    folder: output.OutputFolder, drawn: pd.DataFrame, progress: Progress
) -> tuple[SuvResult | None, str]:
    """Scans drawn of a table of uptake and measured again; or None, and in a line why."""
    try:
        require("pydicom")
    except PetError as error:
        return None, f"{error}; until then the drawn table of uptake is correlated, no scans"
    progress("PET scans", 0.9)
    scans = synthetic.write_pet_cohort(folder.staging / "scans", drawn)
    measured = measure_scans(
        scans.manifest,
        out=folder.staging / "suv",
        names=scans.names,
        progress=lambda stage, share: progress(f"PET {stage}", 0.92 + 0.02 * share),
    )
    return measured, ""


def _studies(
    folder: output.OutputFolder, densities: pd.DataFrame, suv: Path, progress: Progress
) -> dict[str, Study]:
    """The cohort against the uptake: as it is, and with drawn densities for the other patients."""
    planted = folder.new_file("planted-scores.csv")
    output.write_csv(planted, densities)
    studies: dict[str, Study] = {}
    sources = {"tissue": folder.staging / "result" / "scores.csv", "planted": planted}
    for name, source in sources.items():
        progress(f"study {name}", 0.94 + 0.03 * len(studies))
        studies[name] = correlate_tables(
            source, suv, out=folder.staging / f"study-{name}", settings=CorrelationSettings(seed=_SEED)
        )
    return studies
