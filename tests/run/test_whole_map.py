"""A slide mapped whole: the same cells as in fields, the truth of a phantom, resumed to the same bytes."""

import hashlib
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import tifffile

import ihcscore
from ihcscore.cells import finder_of
from ihcscore.errors import OutputError
from ihcscore.geometry.square import Square
from ihcscore.output.columnar import CellFormat
from ihcscore.output.parts import KeptParts, kept_parts, parts_folder
from ihcscore.output.progress import Stopwatch
from ihcscore.profiles import load_profile
from ihcscore.run import whole
from ihcscore.run.count import count_field
from ihcscore.schema import FieldSettings, FinderName, MapSettings, RegionSettings, RunSettings
from ihcscore.slide import open_slide

# The classical finder: as many pixels in a fraction of the time.
PROFILE = replace(load_profile("CD8"), finder=FinderName.CLASSICAL)
SETTINGS = MapSettings(
    run=RunSettings(fields=FieldSettings(field_area_mm2=0.04, seed=5), regions=RegionSettings(margin_um=600)),
    reach_um=500,
    draws=500,
    cut_per_mm2=200,
)


@pytest.fixture(scope="module")
def mapped(phantom, tmp_path_factory):
    pytest.importorskip("pyarrow")
    out = tmp_path_factory.mktemp("mapped") / "map"
    result = ihcscore.map_slide(
        phantom.files.slide, profile=PROFILE, annotations=phantom.files.annotation, settings=SETTINGS,
        out=out, formats=list(CellFormat)[:3],
    )  # fmt: skip
    return result, out


def test_an_area_has_the_same_cells_by_tiles_and_by_a_field(mapped, phantom):
    result, _ = mapped
    # Across the corner where four tiles meet: 1024 µm are 2048 px.
    square = Square(x_px=1700.5, y_px=1800.25, side_px=721.2)
    with open_slide(phantom.files.slide) as slide:
        stains = whole._planned(
            slide, phantom.files.annotation, None, PROFILE, SETTINGS, None, Stopwatch(), lambda *_: None
        ).survey.stains
        field = count_field(slide, square, finder=finder_of(PROFILE), stains=stains, watch=Stopwatch()).cells
    held = result.cells[square.holds(result.cells["x_px"], result.cells["y_px"])]
    held = held.sort_values(["y_px", "x_px"], ignore_index=True)
    assert len(field) > 200
    for name in ("x_px", "y_px", "diameter_um", "chromogen_od", "hematoxylin_od", "confidence"):
        assert np.allclose(held[name], field[name], rtol=1e-6, atol=1e-6), name
    assert list(held["class"]) == list(field["class"])


def test_counts_are_those_of_the_truth(mapped, phantom):
    result, _ = mapped
    zones = phantom.section.zones.set_index("zone")
    parts = result.parts.set_index("region")
    tissue = parts.loc["Tissue"]
    assert tissue.n_positive == pytest.approx(zones.n_positive.sum(), rel=0.06)
    assert tissue.tissue_mm2 == pytest.approx(zones.area_mm2.sum(), rel=0.03)
    front = parts.loc["Invasive front"]
    assert front.positive_per_mm2_tissue == pytest.approx(
        zones.loc["Invasive front"].positive_per_mm2, rel=0.06
    )
    assert parts.n_positive["Tumour"] + parts.n_positive["Beyond the tumour"] == tissue.n_positive
    assert result.profile["n_positive"].sum() <= tissue.n_positive
    assert result.summary["phenotype"]["class"] == "inflamed"


def test_files_are_what_others_read(mapped):
    result, out = mapped
    cells = pd.read_parquet(out / "cells.parquet")
    assert list(cells.columns) == list(result.cells)
    assert np.array_equal(cells["x_px"], pd.read_csv(out / "cells.csv")["x_px"])
    with tifffile.TiffFile(out / "density.tif") as file:
        density = file.asarray()
        assert file.is_ome
        assert density.dtype == np.float32
        assert 'PhysicalSizeX="8.0"' in file.ome_metadata
    assert np.array_equal(density, result.density, equal_nan=True)
    import gzip

    qupath = json.loads(gzip.decompress((out / "cells.geojson.gz").read_bytes()))
    assert len(qupath["features"]) == len(cells)
    record = json.loads((out / "run.json").read_text("utf-8"))
    written = {f.relative_to(out).as_posix() for f in out.rglob("*") if f.is_file()}
    assert set(record["files"]) | {"run.json"} == written
    assert "What 6 fields tell" in (out / "report.html").read_text("utf-8")
    assert not parts_folder(out).exists()


def test_a_killed_map_goes_on_and_gives_the_same_bytes(mapped, phantom, tmp_path, monkeypatch):
    _, first = mapped
    again = {
        "profile": PROFILE, "annotations": phantom.files.annotation, "settings": SETTINGS,
        "out": tmp_path / "map", "formats": list(CellFormat)[:3],
    }  # fmt: skip
    kept: list[str] = []
    keep = KeptParts.keep

    def dies(self, name, content):
        if len(kept) == 3:
            raise SystemExit
        kept.append(name)
        keep(self, name, content)

    monkeypatch.setattr(KeptParts, "keep", dies)
    with pytest.raises(SystemExit):
        ihcscore.map_slide(phantom.files.slide, **again)
    monkeypatch.undo()
    assert not (tmp_path / "map").exists()
    assert len(list(parts_folder(tmp_path / "map").glob("*.part"))) == 3
    with pytest.raises(OutputError, match="leave resume out"):
        ihcscore.map_slide(
            phantom.files.slide, **again | {"profile": replace(PROFILE, min_contrast=0.5)}, resume=True
        )
    ihcscore.map_slide(phantom.files.slide, **again, resume=True)
    for file in sorted(f.relative_to(first) for f in first.rglob("*") if f.is_file()):
        digests = [hashlib.sha256((at / file).read_bytes()).hexdigest() for at in (first, tmp_path / "map")]
        assert digests[0] == digests[1], file


def test_parts_of_a_run_that_succeeded_are_removed(tmp_path):
    with kept_parts(tmp_path / "out", key="a", resume=False) as parts:
        parts.keep("1", b"one")
        assert KeptParts(parts_folder(tmp_path / "out")).read("1") == b"one"
    assert not parts_folder(tmp_path / "out").exists()


@pytest.mark.filterwarnings("ignore")  # of anndata's own, by pandas
def test_cells_as_anndata(mapped):
    pytest.importorskip("anndata")
    from ihcscore.output.columnar import as_anndata

    result, _ = mapped
    made = as_anndata(result.cells, mpp_um=0.5, about={"slide": "S07"})
    assert made.obsm["spatial"][0] == pytest.approx((result.cells[["x_px", "y_px"]].iloc[0] + 0.5) * 0.5)
    assert list(made.obs["class"]) == list(result.cells["class"])
