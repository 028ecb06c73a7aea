"""Slides of known truth, drawn once for the whole suite."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ihcscore import cli, synthetic

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@dataclass(frozen=True, kw_only=True)
class Phantom:
    """A drawn section and its files."""

    section: synthetic.Section
    files: synthetic.PhantomFiles


@pytest.fixture(scope="session")
def phantom(tmp_path_factory) -> Phantom:
    """A small MIRAX slide with tumour, front, pigment and unscanned corners."""
    settings = synthetic.SectionSettings(
        size_um=(2600.0, 2400.0), tissue_um=2200.0, tumour_um=1300.0, front_um=300.0, centre_per_mm2=500.0
    )
    section = synthetic.draw_section(settings, seed=3)
    files = synthetic.write_phantom(tmp_path_factory.mktemp("phantom"), section, name="S07")
    return Phantom(section=section, files=files)


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What a command showed."""

    status: int
    out: str
    err: str


@pytest.fixture
def ihcscore_command(monkeypatch, capsys):
    """Call the command line in this process: ``ihcscore_command("run", slide, ...) -> Shown``."""

    def call(*words: object) -> Shown:
        monkeypatch.setattr("sys.argv", ["ihcscore", *map(str, words)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        shown = capsys.readouterr()
        return Shown(status=int(ended.value.code or 0), out=shown.out, err=shown.err)

    return call


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real tiles and slides; tests that ask for it are skipped where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip("no shared data here")
    return SHARED_DATA


@pytest.fixture(scope="session")
def picture() -> NDArray[np.uint8]:
    """A smooth picture, wider than high, on which any flip, shift or swap of channels shows."""
    y, x = np.mgrid[0:520, 0:900].astype(float)
    red = 40 + 180 * x / 900
    green = 230 - 200 * y / 520
    blue = 128 + 90 * np.sin(x / 60) * np.cos(y / 45)
    return np.stack([red, green, blue], axis=-1).round().astype(np.uint8)
