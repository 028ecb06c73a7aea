"""Uptake held against public reference objects: each figure that the tool promises.

usage: python benchmarks/suv.py [DATA] [--mirp FOLDER]

DATA has `dro`, `headers`, `sts001` and `sts` (IBSI's SUV reference objects, cornerstone's vendor headers,
IBSI's validation set); ../shared/data/pet if not given. What is absent is said and passed over. Speed, memory
and spheres are on drawn scans and need no data.
"""

from __future__ import annotations

import argparse
import csv
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from drawn_pet import write_json_header
from ihcscore.errors import IhcscoreError
from ihcscore.pet import (
    Grid,
    Label,
    PetSeries,
    Volume,
    VolumeSource,
    measure,
    measure_volumes,
    read_pet,
    read_volumes,
)
from ihcscore.pet.fill import Filling
from ihcscore.pet.spheres import Sphere as SphereVolume
from ihcscore.pet.spheres import fill_sphere
from ihcscore.schema import PeakKind, SuvSettings, Threshold
from ihcscore.synthetic.disk.pet_series import Dialect, PetScan, Sphere, write_pet_series
from ihcscore.synthetic.disk.pet_volumes import write_contours

_PHANTOM = (
    (14411, 14611, 41641, 44641), (14411, 11611, 11311, 44611),
    (14411, 11111, 11911, 11611), (14411, 11111, 11111, 11611),
)  # fmt: skip


def table(path: Path) -> list[dict[str, str]]:
    """Rows of a CSV."""
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def nifti(path: Path) -> tuple[np.ndarray, list[float]]:
    """Voxels [slice, row, column] and spacing of x, y, z."""
    import nibabel

    image = nibabel.load(path)
    return np.asanyarray(image.dataobj).transpose(2, 1, 0), [float(mm) for mm in image.header.get_zooms()[:3]]


def line(what: str, figure: str, bar: str, holds: bool) -> None:
    """One figure beside its bar."""
    print(f"{'ok  ' if holds else 'MISS'}  {what.ljust(46)} {figure.ljust(40)} bar {bar}")


def headers(data: Path) -> None:
    """The factor of real vendor headers."""
    worst = {}
    with tempfile.TemporaryDirectory() as folder:
        for row in table(data / "headers" / "expected.csv"):
            source = data / "headers" / f"{row['case']}.json"
            try:
                found = read_pet(write_json_header(Path(folder) / row["case"], source))
                worst[row["case"]] = float(abs(found.how.factor / float(row["suvbw"]) - 1).max())
            except IhcscoreError as error:
                worst[row["case"]] = float("inf")
                print(f"      {row['case']}: {error}")
    for case, error in worst.items():
        line(f"header {case}", f"relative error {error:.1e}", "1e-6", error <= 1e-6)


def reference_objects(data: Path) -> None:
    """Minimum, median and maximum of IBSI's SUV reference objects."""
    for folder in sorted((data / "dro").glob("DRO_*_*")):
        mask, _ = nifti(folder / "mask" / "DRO_mask.nii.gz")
        bar = 0.024 if folder.name == "DRO_2_3" else 0.005
        try:
            inside = read_pet(folder / "PT").suv[mask > 0]
        except IhcscoreError as error:
            line(folder.name, f"refused: {error}", str(bar), False)
            continue
        got = [float(inside.min()), float(np.median(inside)), float(inside.max())]
        off = max(abs(a - b) for a, b in zip(got, (0.2, 1.0, 4.0), strict=True))
        line(folder.name, " / ".join(f"{value:.4f}" for value in got), f"± {bar}", off <= bar)


def patient(data: Path) -> None:
    """STS_001: contours against IBSI's mask, and every measure."""
    folder = data / "sts001"
    series = read_pet(folder / "dicom" / "image")
    (volume,) = read_volumes(folder / "dicom" / "mask" / "RS.dcm", series)
    mask, _ = nifti(folder / "nifti" / "PET_mask.nii.gz")
    whole = np.zeros(series.suv.shape, bool)
    whole[volume.filling.box] = volume.filling.inside
    n_off = int((whole != (mask > 0)).sum())
    line("STS_001 contours against the mask", f"{n_off} of {int(whole.sum())} voxels differ", "0", n_off == 0)
    row = measure_volumes(series, [volume]).iloc[0]
    expected = {
        "suv_max": 7.91067, "suv_mean": 2.55513, "volume_ml": 366.079, "mtv_ml": 113.021,
        "suv_mean_mtv": 4.15389,
        "tlg": 469.477, "suv_peak": 6.07841, "suv_peak_at_max": 5.31299,
    }  # fmt: skip
    for name, value in expected.items():
        digits = len(str(value).split(".")[1])
        line(f"STS_001 {name}", f"{row[name]:.{digits}f}", str(value), round(row[name], digits) == value)


def as_series(suv: np.ndarray, inside: np.ndarray, spacing: list[float]) -> tuple[PetSeries, Volume]:
    """Arrays as a series with a volume."""
    x, y, z = spacing
    grid = Grid(
        shape_zyx=suv.shape, origin_mm=np.zeros(3), column_step_mm=np.array([x, 0, 0]),
        row_step_mm=np.array([0, y, 0]), normal=np.array([0, 0, 1.0]), offsets_mm=np.arange(len(suv)) * z,
        spacing_z_mm=z,
    )  # fmt: skip
    filling = Filling(box=tuple(slice(0, n) for n in suv.shape), inside=inside)
    label = Label(tissue="lesion", lesion_id="L")
    series = PetSeries(suv=suv.astype(np.float32), grid=grid, how=None, header=None)
    return series, Volume(name="L", label=label, source=VolumeSource.NIFTI, filling=filling)


def patients(data: Path) -> None:
    """The patients of `sts`: the largest relative difference of each measure."""
    worst: dict[str, float] = {}
    rows = table(data / "sts" / "sts.csv")
    for row in rows:
        folder = data / "sts" / row["patient"]
        suv, spacing = nifti(folder / "image.nii.gz")
        mask, _ = nifti(folder / "mask.nii.gz")
        series, volume = as_series(suv, mask > 0, spacing)
        found = measure(series, volume)
        by_shares = measure(series, volume, SuvSettings(peak=PeakKind.FRACTIONAL))
        fixed = measure(series, volume, SuvSettings(threshold=Threshold(value=2.5, relative=False)))
        got = {
            "n_voxels": found.n_voxels, "volume_ml": found.volume_ml, "suv_max": found.suv_max,
            "suv_mean": found.suv_mean, "suv_peak_ibsi_global": found.suv_peak,
            "suv_peak_ibsi_local": found.suv_peak_at_max, "suv_peak_fractional": by_shares.suv_peak,
            "mtv41_ml": found.mtv_ml, "suv_mean41": found.suv_mean_mtv, "tlg41": found.tlg,
            "mtv2.5_ml": fixed.mtv_ml,
        }  # fmt: skip
        for name, value in got.items():
            worst[name] = max(worst.get(name, 0.0), abs(value - float(row[name])))
    for name, off in worst.items():
        line(f"{len(rows)} patients {name}", f"off by {off:.1e} at most", "last digit (5e-6)", off <= 6e-6)


def phantom() -> None:
    """IBSI's digital phantom (reference manual): local and global peak."""
    suv = np.array([[[int(one) for one in str(row)] for row in part] for part in _PHANTOM], float)
    inside = np.ones(suv.shape, bool)
    inside[1, 2, 0] = inside[2, 2, 2] = False
    inside[2:, 0, 3:] = False
    found = measure(*as_series(suv, inside, [2.0, 2.0, 2.0]))
    figure = f"{found.suv_peak_at_max:.3f}, {found.suv_peak:.3f}"
    line("IBSI digital phantom, local and global peak", figure, "2.600, 3.103", figure == "2.600, 3.103")


def spheres() -> None:
    """Volume and mean of spheres at random places on voxels of 4.07 × 4.07 × 3 mm."""
    random = np.random.default_rng(3)
    series, _ = as_series(np.zeros((28, 24, 24)), np.zeros((28, 24, 24), bool), [4.07, 4.07, 3.0])
    grid = series.grid
    zyx = np.stack(np.meshgrid(*(np.arange(float(n)) for n in (28, 24, 24)), indexing="ij"), axis=-1)
    steps = [-0.25, 0.25]  # a voxel is the mean of the uptake in it
    places = [grid.to_mm(zyx[..., ::-1] + (x, y, z)) for x in steps for y in steps for z in steps]
    for diameter in (10.0, 12.0, 20.0, 30.0):
        off, means = 0.0, []
        for shift in random.uniform(-3, 3, (12, 3)):
            centre = np.array([48.0, 48.0, 42.0]) + shift
            sphere = SphereVolume(name="L", centre_mm=tuple(map(float, centre)), diameter_mm=diameter)
            filling = fill_sphere(sphere, grid)
            ml = float(filling.shares.sum()) * grid.voxel_ml
            off = max(off, abs(ml / (np.pi / 6 * (diameter / 10) ** 3) - 1))
            ball = [blurred_ball(np.linalg.norm(at - centre, axis=-1), diameter / 2) for at in places]
            series = replace(series, suv=(1 + 9 * np.mean(ball, axis=0)).astype(np.float32))
            label = Label(tissue="lesion", lesion_id="L")
            volume = Volume(name="L", label=label, source=VolumeSource.SPHERE, filling=filling)
            means.append(measure(series, volume).suv_mean)
        spread = float(np.std(means) / np.mean(means))
        line(f"sphere of {diameter:g} mm, volume", f"off by {100 * off:.2f} % at most", "0.5 %", off <= 0.005)
        line(f"sphere of {diameter:g} mm, SUVmean", f"spread {100 * spread:.2f} %", "0.5 %", spread <= 0.005)


def blurred_ball(away: np.ndarray, radius: float, fwhm_mm: float = 7.0) -> np.ndarray:
    """A ball of 1 blurred by a Gaussian in three dimensions, by the distance from its centre."""
    from scipy.special import erf

    sigma = fwhm_mm / 2.3548
    r = np.maximum(away, 1e-6)
    edges = (erf((radius - r) / (np.sqrt(2) * sigma)) + erf((radius + r) / (np.sqrt(2) * sigma))) / 2
    tails = np.exp(-((r - radius) ** 2) / (2 * sigma**2)) - np.exp(-((r + radius) ** 2) / (2 * sigma**2))
    return edges - sigma / (r * np.sqrt(2 * np.pi)) * tails


def mirp(folder: Path) -> None:
    """A raw GE series beside the same as SUV (mirp's test data): folder holds `raw` and `suv`."""
    raw, suv = read_pet(folder / "raw"), read_pet(folder / "suv")
    inverse = 1 / float(raw.how.factor[0])
    line("mirp pair, 1/F", f"{inverse:.3f}", "4116.870 ± 0.005", abs(inverse - 4116.87) <= 0.005)
    off = float(abs(raw.suv - suv.suv).max())
    line("mirp pair, voxels", f"off by {off:.1e} at most", "7.8e-4", off <= 7.8e-4)


def speed() -> None:
    """267 slices of 192 × 192 with ten volumes, read and measured in a process of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        scan = PetScan(
            shape_zyx=(267, 192, 192), spacing_xyz_mm=(3.65, 3.65, 3.27), origin_mm=(-350.0, -350.0, -436.0)
        )
        suv = np.random.default_rng(4).gamma(2.0, 0.5, scan.shape_zyx)
        write_pet_series(folder / "pet", suv, scan, Dialect.GE)
        del suv
        places = [
            (float(x), float(y), float(z)) for x in (-80, 0) for y in (-40, 60) for z in (-300, 20, 300)
        ]
        some = [Sphere(name=f"L{n}", centre_mm=at, diameter_mm=40, suv=4) for n, at in enumerate(places[:10])]
        write_contours(folder / "rs.dcm", some, scan)
        seconds, mib = in_a_process(lambda: measure_volumes(read_pet(folder / "pet"), folder / "rs.dcm"))
    line("267 slices, 10 volumes, time", f"{seconds:.2f} s", "3 s", seconds <= 3)
    line("267 slices, 10 volumes, memory of the process", f"{mib:.0f} MiB", "300 MB", mib <= 286)


def in_a_process(call: Callable[[], object]) -> tuple[float, float]:
    """Seconds of a call, and the peak of its process's memory in MiB; both only of the call's own fork."""
    import os

    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        start = time.perf_counter()
        call()
        took = time.perf_counter() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        os.write(write, f"{took} {peak}".encode())
        os._exit(0)
    os.waitpid(child, 0)
    seconds, mib = (float(one) for one in os.read(read, 100).split())
    return seconds, mib


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = Path(__file__).resolve().parents[2] / "shared" / "data" / "pet"
    parser.add_argument("data", nargs="?", type=Path, default=default)
    parser.add_argument("--mirp", type=Path, help="folder with raw and suv")
    args = parser.parse_args()
    speed()
    phantom()
    spheres()
    for part, name in (
        (headers, "headers"),
        (reference_objects, "dro"),
        (patient, "sts001"),
        (patients, "sts"),
    ):
        if (args.data / name).is_dir():
            part(args.data)
        else:
            print(f"--    no {name} in the data")
    if args.mirp is not None:
        mirp(args.mirp)


if __name__ == "__main__":
    main()
