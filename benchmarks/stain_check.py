"""What the check of the stain sees on real pictures, by folder, and how wide its margins are.

Usage: python benchmarks/stain_check.py [DATA]

DATA is a folder with one folder a kind of picture, ``../shared/data`` where it is not given. For each folder:
verdicts, and smallest, median and largest share that is pink, brown, and has haematoxylin. Then, folder by
folder, how a limit set on the other folders would have judged this one; then the same pictures spoilt (grey,
inverted, as YCbCr) and drawn tiles.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ihcscore.errors import IhcscoreError
from ihcscore.run.survey import survey_slide
from ihcscore.schema import Chromogen
from ihcscore.slide import open_slide
from ihcscore.stain import estimate_stains
from ihcscore.synthetic import Staining, TileSettings, draw_tile
from ihcscore.tissue.stain_check import StainCheck, StainCheckSettings, check_stain

# Folder, what of it is taken, and whether haematoxylin and DAB are in it.
_FOLDERS = (
    ("stain_check/h_and_e", "*.jpg", False),
    ("registration", "*He-les3.jpg", False),
    ("stain_check/double", "*.png", False),
    ("stain_check/hdab_pale", "*.jpg", True),
    ("stain_check/hdab_odd", "*.*", True),
    ("sp142", "*.png", True),
    ("stress", "*.*g", True),
    ("rois", "*.png", True),
    ("registration", "*-les3.jpg", True),
    ("lysto_cd3cd8", "**/*.png", True),
    ("lysto_dense", "**/*.png", True),
    ("lysto_tdc", "**/*.png", True),
    ("bcdata_ki67", "**/*.png", True),
    ("shidc_ki67", "**/*.jpg", True),
)
_SLIDES = (
    ("CMU-1-Small-Region.svs", None),
    ("OS-2-ndpi.ome.tif", None),
    ("tcga-cr-7395-01a-01-ts1.svs", 0.25),
)
# No scale is known of most; it decides only how far pixels are averaged.
_MPP_UM = 0.25


def _pictures(data: Path, folder: str, pattern: str, hdab: bool) -> Iterator[NDArray[np.uint8]]:
    for file in sorted((data / folder).glob(pattern)):
        if file.suffix in (".png", ".jpg") and not (hdab and "He-les" in file.name):
            yield np.asarray(Image.open(file).convert("RGB"))


def _checked(rgb: NDArray[np.uint8], chromogen: Chromogen = Chromogen.DAB) -> StainCheck:
    white = estimate_stains(rgb, chromogen=chromogen, mpp_um=_MPP_UM).white_rgb
    return check_stain(rgb, chromogen=chromogen, white_rgb=white, mpp_um=_MPP_UM)


def _line(checks: list[StainCheck]) -> str:
    shares = [check.shares for check in checks if check.shares is not None]
    parts = [" ".join(f"{n} {verdict}" for verdict, n in sorted(Counter(c.verdict for c in checks).items()))]
    for name in ("pink", "brown", "hematoxylin"):
        values = [getattr(share, name) for share in shares]
        if values:
            parts.append(f"{name} {min(values):.3f} {np.median(values):.3f} {max(values):.3f}")
    return "; ".join(parts)


def _left_out(found: dict[tuple[str, bool], list[StainCheck]]) -> None:
    """For each folder, the limit between the others' H-DAB and H&E, and what it makes of this folder."""
    pink = {
        key: [check.shares.pink for check in checks if check.shares is not None]
        for key, checks in found.items()
        if "double" not in key[0]
    }
    for key, own in pink.items():
        others = {other: values for other, values in pink.items() if other != key}
        most = max((max(values) for (_, hdab), values in others.items() if hdab and values), default=0.0)
        least = min((min(values) for (_, hdab), values in others.items() if not hdab and values), default=1.0)
        limit = float(np.sqrt(max(most, 1e-3) * least))
        wrong = sum((value >= limit) == key[1] for value in own)
        kind = "H-DAB" if key[1] else "H&E"
        print(f"  without {key[0]} ({kind}): limit {limit:.3f}, wrong {wrong} of {len(own)}")


def _spoilt() -> dict[str, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]]:
    return {
        "grey": lambda rgb: np.repeat(np.asarray(Image.fromarray(rgb).convert("L"))[..., None], 3, axis=2),
        "red channel alone": lambda rgb: np.repeat(rgb[..., :1], 3, axis=2),
        "YCbCr taken for RGB": lambda rgb: np.asarray(Image.fromarray(rgb).convert("YCbCr")),
        "inverted": lambda rgb: 255 - rgb,
    }


def _drawn() -> Iterator[tuple[str, NDArray[np.uint8]]]:
    settings = {
        "plain": TileSettings(),
        "no positive cell": TileSettings(n_positive=0),
        "crowded": TileSettings(n_positive=150),
        "haze": TileSettings(staining=Staining(haze_od=0.6)),
        "melanin": TileSettings(n_melanophages=40, pigmented_fraction=0.5),
        "stroma alone": TileSettings(tumour_fraction=0.0, n_positive=0),
        "small": TileSettings(size_xy_px=(120, 120), n_positive=1),
        "bare glass": TileSettings(tissue=False, n_positive=0, n_lymphocytes=0),
    }
    for name, one in settings.items():
        yield name, draw_tile(one, 1).rgb


def main(data: Path) -> None:
    """Print all figures."""
    limits = StainCheckSettings()
    print(f"pink from: doubtful {limits.doubt_pink_share}, refused {limits.refuse_pink_share}")
    found = {}
    for folder, pattern, hdab in _FOLDERS:
        checks = [_checked(rgb) for rgb in _pictures(data, folder, pattern, hdab)]
        found[folder, hdab] = checks
        print(f"{folder} ({'H-DAB' if hdab else 'not H-DAB'}): {_line(checks)}")
    for name, mpp_um in _SLIDES:
        with open_slide(data / "slides" / name, mpp_um=mpp_um) as slide:
            try:
                check = survey_slide(slide, chromogen=Chromogen.DAB).stain_check
            except IhcscoreError as error:
                print(f"{name}: {error}")
            else:
                print(f"{name}: {_line([check])} {check.reason}")
    print("limit set without a folder (geometric middle of the largest H-DAB and the smallest H&E):")
    _left_out(found)
    hdab = [rgb for folder, pattern, is_hdab in _FOLDERS if is_hdab and "lysto" not in folder
            for rgb in _pictures(data, folder, pattern, is_hdab)]  # fmt: skip
    for name, spoil in _spoilt().items():
        print(f"H-DAB, {name}: {_line([_checked(np.ascontiguousarray(spoil(rgb))) for rgb in hdab])}")
    for chromogen in (Chromogen.AEC, Chromogen.FAST_RED):
        h_and_e = [_checked(rgb, chromogen) for rgb in _pictures(data, *_FOLDERS[0])]
        print(f"h_and_e asked for {chromogen}: {_line(h_and_e)}")
    for name, rgb in _drawn():
        print(f"drawn, {name}: {_line([_checked(rgb)])}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("../shared/data"))
