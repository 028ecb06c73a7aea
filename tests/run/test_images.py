"""Plain images counted: tables, contact sheets and the page."""

import re

import numpy as np
import pytest
from PIL import Image

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
