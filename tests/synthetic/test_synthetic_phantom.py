from __future__ import annotations

import json

import numpy as np
import openslide
import pandas as pd
import pytest

from ihcscore.synthetic import PhantomFiles, Section, SectionSettings, draw_section, write_phantom


@pytest.fixture(scope="module")
def section() -> Section:
    small = SectionSettings(
        size_um=(2600.0, 2400.0), mpp_um=1.0, tissue_um=1900.0, tumour_um=1100.0, front_um=150.0
    )
    return draw_section(small, 5)


@pytest.fixture(scope="module")
def files(section: Section, tmp_path_factory: pytest.TempPathFactory) -> PhantomFiles:
    return write_phantom(tmp_path_factory.mktemp("phantom"), section, name="CD8")


def test_files_have_their_names(files: PhantomFiles) -> None:
    names = sorted(path.name for path in files.slide.parent.iterdir())
    assert names == [
        "CD8", "CD8.geojson", "CD8.mrxs", "CD8_cells.csv", "CD8_pigment.csv", "CD8_zones.csv",
    ]  # fmt: skip


def test_truth_is_relative_to_the_bounds(section: Section, files: PhantomFiles) -> None:
    with openslide.OpenSlide(files.slide) as slide:
        left, top = (int(slide.properties[f"openslide.bounds-{k}"]) for k in ("x", "y"))
        assert (left, top) == (512, 256)
        assert slide.properties["openslide.bounds-width"] == "2816"  # 2600 px fill 11 tiles of 256
        assert slide.properties["openslide.bounds-height"] == "2560"
        assert slide.properties["openslide.objective-power"] == "10"
        seen = np.asarray(slide.read_region((left + 1200, top + 1000), 0, (300, 200)).convert("RGB"))
    assert np.abs(seen.astype(int) - section.rgb[1000:1200, 1200:1500]).mean() < 4


def test_tables_come_back(section: Section, files: PhantomFiles) -> None:
    cells = pd.read_csv(files.cells, keep_default_na=False)
    assert cells["x_px"].tolist() == section.cells["x_px"].tolist()
    assert cells["zone"].tolist() == section.cells["zone"].tolist()
    assert list(pd.read_csv(files.zones)) == list(section.zones)
    assert len(pd.read_csv(files.pigment)) == len(section.pigment)
    assert json.loads(files.annotation.read_text(encoding="utf-8")) == section.geojson()


def test_corners_are_not_scanned_and_tissue_is(section: Section, files: PhantomFiles) -> None:
    with openslide.OpenSlide(files.slide) as slide:
        alpha = np.asarray(slide.read_region((512, 256), 0, (2600, 2400)))[..., 3]
    assert alpha[0, 0] == 0
    cells = section.cells[["y_px", "x_px"]].to_numpy().astype(int)
    assert (alpha[cells[:, 0], cells[:, 1]] == 255).all()
