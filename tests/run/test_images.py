"""Plain images counted: tables, contact sheets and the page."""

import json
import re

import numpy as np
import pytest
from PIL import Image

from ihcscore.errors import IhcscoreError
from ihcscore.profiles import load_profile
from ihcscore.run.images import count_images

WHITE, BLUE, BROWN = (243, 242, 240), (120, 120, 180), (110, 70, 40)


@pytest.fixture(scope="module")
def counted(tmp_path_factory):
    """Two tiles, one sharp and one without any detail, counted into a folder."""
    base = tmp_path_factory.mktemp("tiles")
    y, x = np.mgrid[:160, :160]
    for name, n_brown in (("sharp tile.png", 4), ("plain.png", 0)):
        rgb = np.full((160, 160, 3), WHITE, np.uint8)
        for number in range(9 if n_brown else 0):
            inside = np.hypot(y - 30 - 50 * (number // 3), x - 30 - 50 * (number % 3)) < 9
            rgb[inside] = BROWN if number < n_brown else BLUE
        Image.fromarray(rgb).save(base / name)
    files = [base / "sharp tile.png", base / "plain.png"]
    out = base / "out"
    return count_images(files, profile=load_profile("CD3"), mpp_um=0.5, out=out, overlays=True), out


def test_the_page_shows_each_image_its_counts_and_its_warnings(counted):
    result, out = counted
    page = (out / "report.html").read_text(encoding="utf-8")
    assert (out / "contact-1.jpg").exists()
    assert "contact-1.jpg" in page
    assert "sharp tile.png" in page
    for said in result.warnings.values():
        assert said in page.replace("&#39;", "'")
    for link in re.findall(r'(?:href|src)="([^"#:]+)"', page):
        assert (out / link.replace("%20", " ")).exists(), link


def test_overlays_are_enlarged(counted):
    _, out = counted
    # 160 px: 4 times
    with Image.open(out / "overlays" / "sharp tile.png") as picture:
        assert 640 <= picture.size[0] < 1280


@pytest.fixture(scope="module")
def pink_tile(tmp_path_factory):
    """Blue nuclei in pink: haematoxylin and eosin (Ruifrok and Johnston 2001)."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:200, :200]
    eosin = np.where(np.hypot(y - 100, x - 100) < 95, 0.45, 0.0) * rng.uniform(0.8, 1.2, (200, 200))
    hematoxylin = np.zeros((200, 200))
    for row, column in rng.uniform(20, 180, (40, 2)):
        hematoxylin[np.hypot(y - row, x - column) < 6] = 0.6
    vectors = np.array([[0.65, 0.704, 0.286], [0.072, 0.99, 0.105]])
    od = hematoxylin[..., None] * vectors[0] + eosin[..., None] * vectors[1]
    file = tmp_path_factory.mktemp("pink") / "he.png"
    Image.fromarray(np.rint(243 * 10**-od).astype(np.uint8)).save(file)
    return file


def test_another_stain_is_refused(pink_tile, tmp_path):
    with pytest.raises(IhcscoreError, match="no section in haematoxylin and DAB"):
        count_images([pink_tile], profile="CD3", mpp_um=0.5, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_stain_that_is_forced_stands_in_every_output(pink_tile, tmp_path):
    out = tmp_path / "out"
    result = count_images([pink_tile], profile="CD3", mpp_um=0.5, out=out, force_stain=True)
    assert result.counts["qc"].tolist() == ["warn"]
    said = result.warnings["he.png"]
    assert "refused" in said
    assert said in (out / "counts.csv").read_text(encoding="utf-8")
    assert "refused" in (out / "report.html").read_text(encoding="utf-8")
    record = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert record["parameters"]["force_stain"] is True
    assert record["warnings"] == {"he.png": said}
    assert record["finder"]["name"] == "network"
    assert set(record["finder"]["weights"]) == {"network.onnx"}
