"""Damaged slides through `ihcscore info` and `ihcscore run`: what becomes of each.

usage: python benchmarks/damaged.py OUT.csv [--per-kind N] [--seed 0] [--formats mirax "svs jpeg" ...]
           [--only KIND]

A small drawn section is written in every format that tests/writers makes, damaged in every way that
tests/writers/corpus.py knows, and given to both commands, each in a process of its own that is ended
after 20 s. A run that ends well is held against the good slide: each field that was scored must show the
good slide's pixels. Memory is the largest resident set of the process.
"""

# ruff: noqa: E402 (threads are limited before numpy loads)

from __future__ import annotations

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import argparse
import csv
import faulthandler
import re
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from ihcscore import cli
from ihcscore.run.info import describe_slide  # noqa: F401  loaded before the processes part
from ihcscore.run.slide import score_slide  # noqa: F401  loaded before the processes part
from ihcscore.slide import open_slide
from ihcscore.slide.readers import direct_tiles as tiled_tiff  # noqa: F401  likewise
from ihcscore.synthetic import SectionSettings, draw_section
from writers.corpus import GOOD, Case, cases, damaged_copy, write_good

LIMIT_S = 20.0
LIMIT_MIB = 2048
# Address space is reserved generously by libraries; this only keeps a runaway from taking the machine.
ADDRESS_SPACE_BYTES = 12 << 30
SECTION = SectionSettings(
    size_um=(800.0, 750.0), tissue_um=700.0, tumour_um=430.0, front_um=120.0, centre_per_mm2=800.0
)
# All fields there are room for, so that damage anywhere in the tissue is met.
RUN_OPTIONS = (
    "--sampling",
    "all",
    "--marker",
    "CD3",
    "--field-area-mm2",
    "0.02",
    "--margin-um",
    "300",
    "--overwrite",
    "--quiet",
)
# A field differs from the good slide's where more than this share of its pixels does, by this much.
CHANGED_SHARE, CHANGED_COUNTS = 0.002, 40
FINE = ("refused", "correct", "fields failed")


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a process ended; `status` is negative for a signal, None for one that took too long."""

    status: int | None
    seconds: float
    max_rss_mib: float
    out: str
    err: str


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One row of the table."""

    format: str
    kind: str
    case: str
    command: str
    outcome: str
    status: int | None
    seconds: float
    max_rss_mib: float
    message: str


def in_process(act: Callable[[], None], folder: Path) -> Ended:
    """Call something in a process of its own, parted from this one so that nothing is loaded again."""
    start = time.monotonic()
    pid = os.fork()
    if pid == 0:
        _child(act, folder)
    status = None
    while time.monotonic() - start < LIMIT_S:
        done, raw, used = os.wait4(pid, os.WNOHANG)
        if done:
            status = os.waitstatus_to_exitcode(raw)
            break
        time.sleep(0.005)
    else:
        os.kill(pid, signal.SIGKILL)
        _, _, used = os.wait4(pid, 0)
    return Ended(
        status=status,
        seconds=time.monotonic() - start,
        max_rss_mib=used.ru_maxrss / 1024,
        out=(folder / "stdout").read_text(encoding="utf-8", errors="replace"),
        err=(folder / "stderr").read_text(encoding="utf-8", errors="replace"),
    )


def _child(act: Callable[[], None], folder: Path) -> None:
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE_BYTES, ADDRESS_SPACE_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    faulthandler.disable()
    code = 1
    try:
        act()
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code)


def command(*words: object) -> Callable[[], None]:
    """The command line with these words."""

    def call() -> None:
        sys.argv = ["ihcscore", *map(str, words)]
        cli.main()

    return call


def judge(ended: Ended, compare: Callable[[], str]) -> tuple[str, str]:
    """Outcome and a message; `compare` says what differs from the good slide."""
    last = ended.err.strip().splitlines()[-1:] or [""]
    if ended.status is None:
        return "TIMEOUT", last[0]
    if ended.status < 0:
        return "CRASH", signal.Signals(-ended.status).name
    if ended.max_rss_mib > LIMIT_MIB or "MemoryError" in ended.err or "Unable to allocate" in ended.err:
        return "MEMORY", last[0]
    if "Traceback" in ended.err or ended.status not in (0, 2, 3):
        return "TRACEBACK", last[0]
    if ended.status == 2:
        lines = ended.err.strip().splitlines()
        one = len(lines) == 1 and lines[0].startswith("ihcscore: ")
        return ("refused" if one else "NOT ONE LINE"), " / ".join(lines)
    differs = compare()
    if differs:
        return "WRONG", differs
    return ("fields failed" if ended.status == 3 else "correct"), last[0]


def compare_info(good: str, shown: str) -> str:
    """What `info` says otherwise of size and pixel size; that it knows no pixel size is not wrong."""
    wanted, got = (
        {
            name: re.match(pattern, line)
            for name, pattern in (("size", r"size +(\d+ × \d+) px"), ("mpp", r"pixel size +([\d.]+ µm)"))
            for line in text.splitlines()
            if line.startswith(pattern.split(" +")[0])
        }
        for text in (good, shown)
    )
    return "; ".join(
        f"{got[name][1]}, not {wanted[name][1]}"
        for name in wanted
        if got.get(name) and got[name][1] != wanted[name][1]
    )


def compare_fields(good: Path, path: Path, table: Path) -> str:
    """Scored fields that do not show the good slide's pixels."""
    rows = pd.read_csv(table)
    changed = []
    with open_slide(good) as whole, open_slide(path) as slide:
        if abs(slide.mpp_um / whole.mpp_um - 1) > 0.001:
            return f"{slide.mpp_um:g} µm per pixel, not {whole.mpp_um:g}"
        # A tile that lost its place may move the corner of the scanned area, and with it all coordinates.
        moved = np.subtract(slide.origin_xy_px, whole.origin_xy_px)
        for row in rows[rows["status"] == "scored"].itertuples():
            place, side = np.rint([row.x_px, row.y_px]).astype(int), round(row.side_px)
            seen = slide.read(0, tuple(place.tolist()), (side, side)).astype(np.int16)
            true = whole.read(0, tuple((place + moved).tolist()), (side, side))
            share = float((np.abs(seen - true).max(axis=2) > CHANGED_COUNTS).mean())
            if share > CHANGED_SHARE:
                changed.append(f"{row.field_id} {share:.1%}")
    return f"pixels of {', '.join(changed)}" if changed else ""


@dataclass(frozen=True, kw_only=True)
class Bench:
    """The good slide of one format and what the commands say of it."""

    format: str
    good: Path
    info: str
    folder: Path

    def try_case(self, case: Case, seed: int) -> list[Outcome]:
        """Both commands on one damaged slide."""
        place = self.folder / "damaged"
        shutil.rmtree(place, ignore_errors=True)
        path = damaged_copy(self.good, place, case, seed)
        out = self.folder / "out"
        shutil.rmtree(out, ignore_errors=True)
        found = []
        for word, call in (
            ("info", command("info", path)),
            ("run", command("run", path, *RUN_OPTIONS, "--out", out)),
        ):
            ended = in_process(call, self.folder)

            def compare(word: str = word, shown: str = ended.out) -> str:
                if word == "info":
                    return compare_info(self.info, shown)
                held = in_process(
                    lambda: print(compare_fields(self.good, path, out / "fields.csv")), self.folder
                )
                return (
                    held.out.strip() if held.status == 0 else f"cannot be compared: {held.err.strip()[-200:]}"
                )

            outcome, message = judge(ended, compare)
            found.append(
                Outcome(
                    format=self.format, kind=case.kind, case=case.name, command=word, outcome=outcome,
                    status=ended.status, seconds=round(ended.seconds, 3),
                    max_rss_mib=round(ended.max_rss_mib), message=message[:300],
                )
            )  # fmt: skip
        return found


def prepare(name: str, folder: Path, rgb: np.ndarray) -> Bench:
    """Write the good slide of a format and see that both commands take it."""
    good = write_good(name, folder / "good", rgb)
    shown = in_process(command("info", good), folder)
    ran = in_process(command("run", good, *RUN_OPTIONS, "--out", folder / "out"), folder)
    if shown.status != 0 or ran.status != 0:
        raise SystemExit(f"{name}: the good slide fails: {shown.err}{ran.err}")
    print(
        f"{name}: good slide in {shown.seconds:.1f} and {ran.seconds:.1f} s, {ran.max_rss_mib:.0f} MiB",
        flush=True,
    )
    return Bench(format=name, good=good, info=shown.out, folder=folder)


def print_summary(rows: list[Outcome]) -> None:
    """Outcomes by kind and by format, and everything that is not as it should be."""
    outcomes = sorted({row.outcome for row in rows}, key=lambda word: (word not in FINE, word))
    for word in ("kind", "format"):
        print(f"\n{word:32}" + "".join(f"{outcome:>16}" for outcome in outcomes))
        counts = Counter((getattr(row, word), row.outcome) for row in rows)
        for value in dict.fromkeys(getattr(row, word) for row in rows):
            print(f"{value:32}" + "".join(f"{counts[value, outcome]:16}" for outcome in outcomes))
    files = len({(row.format, row.kind, row.case) for row in rows})
    slowest = max((row.seconds for row in rows), default=0)
    largest = max((row.max_rss_mib for row in rows), default=0)
    print(f"\n{files} files, {len(rows)} processes; slowest {slowest:.1f} s, largest {largest:.0f} MiB")
    for row in rows:
        if row.outcome not in FINE:
            print(f"{row.outcome}: {row.format}, {row.kind}, {row.case}, {row.command}: {row.message}")


def main() -> None:
    """Damage, run, judge, write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--per-kind", type=int, default=6, help="variants of each random kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--formats", nargs="*", default=list(GOOD))
    parser.add_argument("--only", help="kinds that have this in their name")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    rgb = draw_section(SECTION, seed=3).rgb
    rows: list[Outcome] = []
    with tempfile.TemporaryDirectory() as folder, args.out.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, list(Outcome.__dataclass_fields__))
        table.writeheader()
        for name in args.formats:
            bench = prepare(name, Path(folder) / name.replace(" ", "-"), rgb)
            for case in cases(name, args.per_kind):
                if args.only and args.only not in case.kind:
                    continue
                seed = zlib.crc32(f"{args.seed} {name} {case.kind} {case.name}".encode())
                for row in bench.try_case(case, seed):
                    rows.append(row)
                    table.writerow(asdict(row))
                file.flush()
    print_summary(rows)


if __name__ == "__main__":
    main()
