"""What `info` says of a file that cannot be scored."""

import numpy as np

from writers.odd_tiff import per_cm, write_pages


def test_a_slide_without_tissue_is_described(tmp_path, ihcscore_command):
    glass = np.random.default_rng(0).integers(240, 246, (512, 512, 3)).astype(np.uint8)
    shown = ihcscore_command("info", write_pages(tmp_path / "a.tif", [(glass, None)], **per_cm(0.5)))
    assert (shown.status, shown.err) == (0, "")
    assert "512 × 512 px, 0.26 × 0.26 mm" in shown.out
    assert "tissue      none found; is it the right slide" in shown.out


def test_a_filled_border_is_no_tissue(tmp_path, ihcscore_command):
    rng = np.random.default_rng(0)
    section = rng.integers(240, 246, (800, 800, 3)).astype(np.uint8)
    section[200:600, 200:600] = rng.integers(150, 200, (400, 400, 3))  # 0.04 mm²
    bordered = np.pad(section, ((480, 480), (480, 480), (0, 0)))
    shown = ihcscore_command("info", write_pages(tmp_path / "a.tif", [(bordered, None)], **per_cm(0.5)))
    area = float(shown.out.split("tissue")[1].split()[0])
    assert abs(area - 0.04) < 0.004
