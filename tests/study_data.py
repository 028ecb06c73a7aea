"""Small studies for the tests of correlation."""

import numpy as np
import pandas as pd

MARKERS = {"CD3": 1.2, "CD4": 0.6, "CD8": 1.0, "CD25": 0.06}
REGIONS = {"Tumour centre": 1.0, "Invasive front": 1.7}


def score_rows(patient, sample, densities):
    """Rows of a cohort's scores: the densities by marker and region."""
    return [
        {
            "patient_id": patient,
            "sample_id": sample,
            "slide": f"{sample}-{marker}.mrxs",
            "marker": marker,
            "region": region,
            "region_source": "annotated",
            "n_fields": 3,
            "positive_per_mm2": density,
            "positive_or_suspect_per_mm2": density,
            "mean_per_mm2": density,
            "sd_per_mm2": 0.3 * density,
            "ci95_low_per_mm2": 0.4 * density,
            "ci95_high_per_mm2": 2.1 * density,
            "warnings": "",
            "missing": "",
        }
        for (marker, region), density in densities.items()
    ]


def cohort_scores(n=15, seed=1):
    """Scores of n patients with one sample each, four markers, two regions."""
    generator = np.random.default_rng(seed)
    rows = []
    for i in range(1, n + 1):
        level = np.exp(generator.normal(5.5, 1.0))
        densities = {
            (marker, region): round(float(level * a * b * np.exp(generator.normal(0, 0.25))), 1)
            for marker, a in MARKERS.items()
            for region, b in REGIONS.items()
        }
        rows += score_rows(f"{i:03d}", f"S{i:03d}", densities)
    return pd.DataFrame(rows)


def paper_study():
    """Tables made from the figures of van de Donk et al. 2021, doi 10.1007/s00259-021-05407-y.

    Four samples with the means and ranges of CD3, CD8 and CD25 per mm²; 41 lesions in 13 patients at
    baseline with median SUVmax 1.9 and IQR 1.7-2.3, 30 of them in 11 patients also during treatment.
    """
    sampled = {
        "CD3": [46.0, 620.0, 769.0, 957.0],
        "CD8": [490.0, 37.0, 820.0, 645.0],
        "CD25": [15.0, 169.0, 1.0, 35.0],
    }
    rows = []
    for i in range(4):
        densities = {(marker, "Tumour centre"): values[i] for marker, values in sampled.items()}
        rows += score_rows(f"P{3 * i + 1:02d}", f"T{i + 1}", densities)
    sizes = [5, 5, 4, 4, 4, 3, 3, 3, 3, 2, 2, 2, 1]
    values = np.interp(np.arange(41), [0, 10, 20, 30, 40], [1.3, 1.7, 1.9, 2.3, 4.0])
    values = np.random.default_rng(6).permutation(values).round(3)
    lesions = [(f"P{p + 1:02d}", f"L{k + 1}") for p, size in enumerate(sizes) for k in range(size)]
    suv = [
        {"patient_id": patient, "lesion_id": lesion, "timepoint": "baseline", "suv_max": value}
        for (patient, lesion), value in zip(lesions, values, strict=True)
    ]
    later = [row | {"timepoint": "on_treatment", "suv_max": round(0.93 * row["suv_max"], 3)} for row in suv]
    later = [row for row in later if row["patient_id"] not in ("P01", "P02")]
    return pd.DataFrame(rows), pd.DataFrame(suv + later[1:])
