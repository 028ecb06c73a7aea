"""What importing costs: the counter against its libraries, the command line, a worker of a cohort.

usage: python benchmarks/imports.py [--repeats 9]

Each import is made in a process of its own, the kinds by turns, so that a machine that is busy for a while
is so for all of them. User CPU time, the least of the repeats: the rest is the machine's, not the import's.
Counting should cost no more than 1.2 times the libraries that it cannot do without, a refusal no more than
``run --help`` and what its check needs.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
LIBRARIES = "import numpy, cv2, pandas"
COUNTER = "from ihcscore import count_cells"
COMMAND = "import sys; sys.argv = 'ihcscore {}'.split(); from ihcscore.cli import main; main()"
KINDS = {
    "python alone": "pass",
    LIBRARIES: LIBRARIES,
    COUNTER: COUNTER,
    "a worker of a cohort": "from ihcscore.cli import main; import ihcscore.cohort.work",
    "ihcscore --help": COMMAND.format("--help"),
    "ihcscore run --help": COMMAND.format("run --help"),
    "run: an option misspelt": COMMAND.format("run no.svs --marker CD3 --colour"),
    "run: no such file": COMMAND.format("run no.svs --marker CD3"),
    "run: unknown marker": COMMAND.format("run no.svs --marker CD9"),
    "run: a number out of range": COMMAND.format("run no.svs --marker CD3 --fields 0"),
    "run: not a slide": COMMAND.format("run README.md --marker CD3"),
}
# What takes longest; the rest is many small files.
N_SHOWN = 12


def user_seconds(code: str) -> float:
    """User CPU seconds of a process that runs the code."""
    before = os.times().children_user
    silent = subprocess.DEVNULL
    ended = subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, stdout=silent, stderr=silent)
    if ended.returncode not in (0, 2):  # refused is what some are for
        raise SystemExit(f"{code} ended with {ended.returncode}")
    return os.times().children_user - before


def slowest_modules(code: str) -> list[tuple[float, str]]:
    """Milliseconds of the slowest modules, with all that they import, by ``python -X importtime``."""
    command = [sys.executable, "-X", "importtime", "-c", code]
    told = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True).stderr
    rows = [line.removeprefix("import time:").split("|") for line in told.splitlines() if "|" in line]
    timed = [(int(row[1]) / 1000, row[2].strip()) for row in rows if row[1].strip().isdigit()]
    return sorted(timed, reverse=True)[:N_SHOWN]


def main() -> None:
    """Time all kinds by turns and print them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=9)
    repeats = parser.parse_args().repeats
    for code in KINDS.values():
        user_seconds(code)  # the first time writes byte code and fills the disk's cache
    seconds: dict[str, list[float]] = {name: [] for name in KINDS}
    for _ in range(repeats):
        for name, code in KINDS.items():
            seconds[name].append(user_seconds(code))
    for name, times in seconds.items():
        print(f"{name:<34} {min(times):.2f} s (largest of {repeats}: {max(times):.2f} s)")
    of_help = min(seconds["ihcscore run --help"])
    for name, times in seconds.items():
        if name.startswith("run: "):
            print(f"{name} over run --help  {min(times) / of_help:.2f}")
    print(f"counter over libraries             {min(seconds[COUNTER]) / min(seconds[LIBRARIES]):.2f}")
    print(f"\nslowest modules of '{COUNTER}', ms with what they import:")
    for milliseconds, module in slowest_modules(COUNTER):
        print(f"{milliseconds:8.0f}  {module}")


if __name__ == "__main__":
    main()
