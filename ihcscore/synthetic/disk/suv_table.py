"""A PET table whose uptake goes with a density as closely as is asked for."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

# Lesions at baseline in van de Donk et al. 2021, doi 10.1007/s00259-021-05407-y: SUVmax, median 1.9, IQR
# 1.7-2.3, which of a log-normal is a standard deviation of ln(2.3 / 1.7) / 1.349; on treatment median 1.7.
_MEDIAN_SUV, _SD_LOG, _CHANGE = 1.9, math.log(2.3 / 1.7) / 1.349, 1.7 / 1.9
_WITHIN_SHARE = 0.35  # of the variance of the logarithm, between lesions of a patient
_SD_CHANGE = 0.08
_HEALTHY = {"liver": 2.6, "spleen": 3.1, "blood pool": 1.5}
_N_DRAWS = 400
_MOST_LESIONS = 5


def draw_suv_table(
    patients: Sequence[str], *, density: Sequence[float], rho: float, seed: int
) -> pd.DataFrame:
    """Draw lesions before and during treatment, and healthy tissue, for a cohort.

    The uptake of a patient follows the normal score of the density; of several hundred draws that one is
    taken whose patients' mean baseline SUVmax has the Spearman correlation with the density that is
    nearest to `rho`, so that a study must find what was planted.

    Parameters
    ----------
    patients : sequence of str
        Different ids, three or more.
    density : sequence of float
        A density of each patient, per mm².
    rho : float
        Spearman's correlation of the density with the mean baseline SUVmax, -1 to 1.
    seed : int

    Returns
    -------
    DataFrame
        As a SUV table: patient_id, lesion_id, timepoint, suv_max, suv_mean, tissue, biopsied, scan_date,
        injected_mbq, weight_kg, response, software, voi_method.
    """
    n = len(patients)
    if n < 3 or n != len(density) or n != len(set(patients)):
        raise ValueError(f"{n} patients and {len(density)} densities, expected as many, 3 or more")
    if not -1 <= rho <= 1:
        raise ValueError(f"rho is {rho}, expected -1 to 1")
    generator = np.random.default_rng(seed)
    score = stats.norm.ppf((stats.rankdata(density) - 0.5) / n)
    n_lesions = generator.integers(1, _MOST_LESIONS + 1, n)
    draws = [_draw_lesions(score, rho, n_lesions, generator) for _ in range(_N_DRAWS)]
    miss = [abs(_rho_of_means(lesions, density) - rho) for lesions in draws]
    rows = _rows(list(patients), draws[int(np.argmin(miss))], generator)
    return pd.DataFrame(rows).sort_values(["patient_id", "timepoint"], kind="stable").reset_index(drop=True)


def _draw_lesions(
    score: NDArray[np.float64], rho: float, n_lesions: NDArray[np.int64], generator: np.random.Generator
) -> list[NDArray[np.float64]]:
    """Baseline SUVmax of each patient's lesions, two decimals."""
    r = 2 * math.sin(math.pi * rho / 6)
    own = r * score + math.sqrt(max(1 - r * r, 0.0)) * generator.standard_normal(len(score))
    within = _SD_LOG * math.sqrt(_WITHIN_SHARE)
    between = _SD_LOG * math.sqrt(1 - _WITHIN_SHARE)
    return [
        np.round(_MEDIAN_SUV * np.exp(between * level + within * generator.standard_normal(count)), 2)
        for level, count in zip(own, n_lesions, strict=True)
    ]


def _rho_of_means(lesions: list[NDArray[np.float64]], density: Sequence[float]) -> float:
    ranks = stats.rankdata([one.mean() for one in lesions]), stats.rankdata(density)
    return float(np.corrcoef(*ranks)[0, 1])


def _rows(
    patients: list[str], lesions: list[NDArray[np.float64]], generator: np.random.Generator
) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for patient, before in zip(patients, lesions, strict=True):
        about = {
            "injected_mbq": round(float(generator.normal(185, 12)), 1),
            "weight_kg": round(float(generator.normal(79, 12)), 1),
            "response": str(generator.choice(["CR", "PR", "SD", "PD"], p=[0.1, 0.3, 0.25, 0.35])),
            "software": "drawn",
            "voi_method": "50 % isocontour",
        }
        biopsied = bool(generator.random() < 0.6)
        during = np.round(before * _CHANGE * np.exp(_SD_CHANGE * generator.standard_normal(len(before))), 2)
        for timepoint, day, values in (
            ("baseline", "2020-03-02", before),
            ("on_treatment", "2020-05-04", during),
        ):
            when = {"patient_id": patient, "timepoint": timepoint, "scan_date": day, **about}
            for number, value in enumerate(values, 1):
                rows.append(
                    when
                    | {
                        "lesion_id": f"L{number}",
                        "suv_max": float(value),
                        "suv_mean": round(0.62 * float(value), 2),
                        "tissue": "lesion",
                        "biopsied": "yes" if biopsied and number == 1 else "no",
                    }
                )
            for organ, mean in _HEALTHY.items():
                uptake = round(mean * math.exp(0.15 * generator.standard_normal()), 2)
                rows.append(
                    when
                    | {
                        "lesion_id": "",
                        "suv_max": round(1.35 * uptake, 2),
                        "suv_mean": uptake,
                        "tissue": organ,
                        "biopsied": "no",
                    }
                )
    return rows
