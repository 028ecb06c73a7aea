"""The iSyntax adapter, against a stand-in with the interface of pyisyntax 0.1.7, and on a user's own file."""

import builtins
import os
import sys
import types
from pathlib import Path

import imagecodecs
import numpy as np
import pytest

from ihcscore.errors import ReadError, SlideError
from ihcscore.slide import open_slide
from writers.pyramid import levels_of

HEAD = b'<?xml version="1.0"?><DataObject ObjectType="DPUfsImport"></DataObject>\x04'


class LibISyntaxFatalError(Exception):
    """As pyisyntax raises it: without a message."""


class ISyntax:
    """The part of ``isyntax.ISyntax`` that is no label, overview or barcode; those fail the test.

    Signatures are those of ``isyntax/wrapper.py``.
    """

    levels: tuple[np.ndarray, ...] = ()
    mpp = (0.25, 0.25)
    icc: bytes | None = None
    broken = False

    def __init__(self) -> None:
        self.closed = False

    @classmethod
    def open(cls, filename: str | Path, cache_size: int = 2000) -> "ISyntax":
        if b"cut" in Path(filename).read_bytes():
            raise LibISyntaxFatalError
        return cls()

    def close(self) -> None:
        self.closed = True

    @property
    def level_dimensions(self) -> list[tuple[int, int]]:
        return [(level.shape[1], level.shape[0]) for level in self.levels]

    @property
    def level_downsamples(self) -> list[int]:
        return [1 << scale for scale in range(len(self.levels))]

    @property
    def mpp_x(self) -> float:
        return self.mpp[0]

    @property
    def mpp_y(self) -> float:
        return self.mpp[1]

    def read_icc_profile(self) -> memoryview | None:
        return None if self.icc is None else memoryview(self.icc)

    def read_region(self, x: int, y: int, width: int, height: int, level: int = 0) -> np.ndarray:
        if self.broken:
            raise LibISyntaxFatalError
        return self.levels[level][y : y + height, x : x + width].copy()


@pytest.fixture
def package(monkeypatch, picture):
    """Put a module ``isyntax`` in place; gives its class."""
    levels = tuple(
        np.dstack([level, np.full(level.shape[:2], 255, np.uint8)]) for level in levels_of(picture, 3)
    )
    made = type("ISyntax", (ISyntax,), {"levels": levels})
    module = types.ModuleType("isyntax")
    module.ISyntax = made
    monkeypatch.setitem(sys.modules, "isyntax", module)
    return made


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "S07.isyntax"
    path.write_bytes(HEAD + bytes(9000))
    return path


def test_pixels_levels_and_pixel_size(package, file, picture):
    package.mpp = (0.25, 0.2501)
    with open_slide(file) as slide:
        assert (slide.name, slide.format) == ("S07.isyntax", "isyntax")
        assert slide.size_xy_px == (900, 520)
        assert [level.downsample for level in slide.levels] == [1, 2, 4]
        assert slide.file_mpp_um == (0.25, 0.2501)
        np.testing.assert_array_equal(slide.read(0, (50, 60), (70, 80)), picture[60:140, 50:120])
        np.testing.assert_array_equal(
            slide.read(2, (10, 20), (30, 40)), levels_of(picture, 3)[2][20:60, 10:40]
        )
        assert slide.read_scanned(0, (0, 0), (9, 9))[1].all()
        assert slide.thumbnail(1.0).downsample == 4


def test_transparent_is_background(package, file):
    package.levels[0][:100, :100] = 0
    package.levels[0][0, 150] = (10, 100, 200, 51)  # a fifth of the way from white to this
    with open_slide(file) as slide:
        rgb, scanned = slide.read_scanned(0, (0, 0), (200, 100))
    assert (rgb[:, :100] == 255).all()
    assert rgb[0, 150].tolist() == [206, 224, 244]
    assert not scanned[:, :100].any()
    assert not scanned[0, 150]
    assert scanned[1:, 100:].all()


def test_no_pixel_size(package, file):
    package.mpp = (0.0, 0.0)
    with open_slide(file) as slide, pytest.raises(SlideError, match="give mpp_um"):
        _ = slide.mpp_um


def test_profile(package, file):
    package.icc = imagecodecs.cms_profile("srgb")
    with open_slide(file) as slide:
        assert slide.icc_applied


def test_pixels_that_cannot_be_decoded(package, file):
    with open_slide(file) as slide:
        package.broken = True
        with pytest.raises(ReadError, match=r"S07\.isyntax: cannot decode 9 × 9 px .*LibISyntaxFatalError"):
            slide.read(0, (0, 0), (9, 9))
        package.broken = False
        assert slide.read(0, (0, 0), (9, 9)).shape == (9, 9, 3)


@pytest.mark.usefixtures("package")
@pytest.mark.parametrize(
    ("content", "says"), [(b"something else", "does not begin as"), (HEAD + b"cut", "cannot be opened")]
)
def test_files_that_are_damaged(file, content, says):
    file.write_bytes(content)
    with pytest.raises(SlideError, match=says):
        open_slide(file)


def test_without_the_package(file, monkeypatch):
    load = builtins.__import__

    def without(name, *rest, **more):
        if name == "isyntax":
            raise ImportError(name)
        return load(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(SlideError, match=r"pip install 'ihcscore\[isyntax\]'"):
        open_slide(file)


def test_the_stand_in_has_the_packages_interface():
    """Where pyisyntax is installed: everything that the adapter calls is there, with the same parameters."""
    real = pytest.importorskip("isyntax").ISyntax
    import inspect

    for name in ("open", "close", "read_icc_profile", "read_region"):
        assert list(inspect.signature(getattr(real, name)).parameters) == list(
            inspect.signature(getattr(ISyntax, name)).parameters
        )
    for name in ("level_dimensions", "level_downsamples", "mpp_x", "mpp_y"):
        assert isinstance(getattr(real, name), property)


def test_a_users_own_file():
    """Set IHCSCORE_ISYNTAX_FILE to an iSyntax slide to try the adapter on it (needs pyisyntax)."""
    path = os.environ.get("IHCSCORE_ISYNTAX_FILE")
    if not path:
        pytest.skip("IHCSCORE_ISYNTAX_FILE is not set")
    pytest.importorskip("isyntax")
    with open_slide(path) as slide:
        assert 0.1 < slide.mpp_um < 1
        width, height = slide.size_xy_px
        thumbnail = slide.thumbnail(8 * slide.mpp_um)
        assert thumbnail.rgb.std() > 1
        # a field of the finest level shows what the thumbnail shows there
        x, y, side = width // 2 // 64 * 64, height // 2 // 64 * 64, 1024
        field = slide.read(0, (x, y), (side, side)).astype(float)
        factor = round(thumbnail.downsample)
        mean = field.reshape(side // factor, factor, side // factor, factor, 3).mean((1, 3))
        there = thumbnail.rgb[y // factor :, x // factor :][: side // factor, : side // factor]
        assert np.abs(mean - there).mean() < 6
