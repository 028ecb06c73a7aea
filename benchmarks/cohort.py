"""Slides per hour and memory of a cohort, with 1 and 2 workers.

    python benchmarks/cohort.py [FOLDER]

Draws the demonstration's cohort into FOLDER (a temporary one if none is given), or takes the one that is
there, and scores it with one and with two processes. Drawn slides are small; `benchmarks/slide_run.py`
measures one of 40 000 × 40 000 px.
"""

import filecmp
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ihcscore import synthetic


def main(folder: Path) -> None:
    """Measure, and print what came out."""
    manifest = folder / "manifest.csv"
    if not manifest.exists():
        synthetic.write_cohort(folder, seed=1, workers=2)
    n_slides = len(manifest.read_text(encoding="utf-8").splitlines()) - 1
    with tempfile.TemporaryDirectory() as temporary:
        outs = []
        for workers in (1, 2):
            out = Path(temporary) / str(workers)
            command = [sys.executable, "-m", "ihcscore", "cohort", str(manifest), "--out", str(out)]
            start = time.perf_counter()
            subprocess.run([*command, "--margin-um", "500", "--workers", str(workers), "--quiet"], check=True)
            seconds = time.perf_counter() - start
            most_mib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
            per_hour = 3600 * n_slides / seconds
            print(
                f"{workers} workers: {seconds:.0f} s for {n_slides} slides, {per_hour:.0f} slides an hour, "
                f"{most_mib:.0f} MiB in the largest process so far"
            )
            outs.append(out)
        print("same bytes:", same(*outs))


def same(a: Path, b: Path) -> bool:
    """Whether two folders hold the same files with the same bytes."""
    files = [sorted(f.relative_to(one) for f in one.rglob("*") if f.is_file()) for one in (a, b)]
    return files[0] == files[1] and not filecmp.cmpfiles(a, b, files[0], shallow=False)[1]


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as drawn:
            main(Path(drawn))
