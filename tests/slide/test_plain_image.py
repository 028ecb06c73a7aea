"""Tiles for `count`: pages, colours, transparency, turned pictures, what is no RGB."""

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from ihcscore.errors import SlideError
from ihcscore.slide import find_images, read_image
from writers.odd_tiff import write_jfif_under_rgb

RGB8 = {"photometric": "rgb", "metadata": None}


@pytest.fixture(scope="module")
def tile(picture):
    return np.ascontiguousarray(picture[100:164, 200:280])


def write(path, pages, **options):
    with tifffile.TiffWriter(path) as tiff:
        for page, more in pages:
            tiff.write(page, **{**RGB8, **options, **more})
    return path


def test_pages_that_are_pictures_of_their_own(tmp_path, tile):
    for n, other in enumerate((tile[::-1], tile[:30], tile[:, :9])):
        path = write(tmp_path / f"{n}.tif", [(np.full_like(tile, 244), {}), (other, {})])
        with pytest.raises(SlideError, match="holds 2 pages, each a picture of its own; save each as a file"):
            read_image(path)


@pytest.mark.parametrize("order", [1, -1])
def test_coarser_copies_are_passed_over(tmp_path, tile, order):
    """A thumbnail before or behind the picture, whether it says so or only looks like it."""
    pages = [(tile, {}), (tile[::2, ::2], {"subfiletype": 1}), (tile[::4, ::4], {})]
    np.testing.assert_array_equal(read_image(write(tmp_path / "a.tif", pages[::order])), tile)


def test_frames_of_other_formats(tmp_path, tile):
    frames = [Image.fromarray(tile), Image.fromarray(tile[::-1].copy())]
    frames[0].save(tmp_path / "a.png", save_all=True, append_images=frames[1:])
    with pytest.raises(SlideError, match="holds 2 frames"):
        read_image(tmp_path / "a.png")


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_adobe_deflate"])
def test_ycbcr_of_pillow(tmp_path, tile, compression):
    Image.fromarray(tile).convert("YCbCr").save(tmp_path / "a.tif", compression=compression)
    assert np.abs(read_image(tmp_path / "a.tif").astype(int) - tile).max() <= 4


def test_ycbcr_by_its_own_coefficients(tmp_path):
    """Rec. 709 with headroom: Y 16 to 235, chroma 16 to 240 about 128; grey stays grey, red is red."""
    samples = np.array([[[16, 128, 128], [235, 128, 128], [63, 102, 240]]], np.uint8)
    tags = [
        (529, "2I", 3, (2126, 10000, 7152, 10000, 722, 10000), True),
        (532, "2I", 6, (16, 1, 235, 1, 128, 1, 240, 1, 128, 1, 240, 1), True),
        (530, "H", 2, (1, 1), True),
    ]
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, samples, photometric="rgb", metadata=None, extratags=tags)
    with tifffile.TiffFile(path, mode="r+b") as tiff:
        tiff.pages[0].tags["PhotometricInterpretation"].overwrite(6)
    read = read_image(path).astype(int)
    assert np.abs(read - [[[0, 0, 0], [255, 255, 255], [255, 0, 0]]]).max() <= 2


def test_jpeg_under_other_tags(tmp_path, tile):
    path = write_jfif_under_rgb(tmp_path / "a.tif", np.ascontiguousarray(np.tile(tile, (2, 2, 1))))
    assert np.abs(read_image(path).astype(int) - np.tile(tile, (2, 2, 1))).mean() < 3


def test_palettes(tmp_path, tile):
    image = Image.fromarray(tile).convert("P", palette=Image.Palette.ADAPTIVE, colors=64)
    for name in ("a.tif", "a.png"):
        image.save(tmp_path / name)
        np.testing.assert_array_equal(read_image(tmp_path / name), np.asarray(image.convert("RGB")))


@pytest.mark.parametrize("name", ["a.tif", "a.png"])
def test_transparency_is_laid_on_white(tmp_path, tile, name):
    alpha = np.full(tile.shape[:2], 255, np.uint8)
    alpha[:20] = 0
    Image.fromarray(np.dstack([tile, alpha])).save(tmp_path / name)
    read = read_image(tmp_path / name)
    assert (read[:20] == 255).all()
    np.testing.assert_array_equal(read[20:], tile[20:])


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turned_pictures_are_read_as_they_are_shown(tmp_path, tile, orientation):
    """Pillow turns by the same tag: its EXIF of JPEG and PNG."""
    exif = Image.Exif()
    exif[274] = orientation
    Image.fromarray(tile).save(tmp_path / "a.png", exif=exif)
    expected = read_image(tmp_path / "a.png")
    assert expected.shape[:2] == (tile.shape[:2] if orientation < 5 else tile.shape[1::-1])
    tifffile.imwrite(tmp_path / "a.tif", tile, **RGB8, extratags=[(274, "H", 1, orientation, True)])
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), expected)


def test_planes_and_a_suffix_of_another_format(tmp_path, tile):
    tifffile.imwrite(tmp_path / "a.tif", np.moveaxis(tile, -1, 0), planarconfig="separate", **RGB8)
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), tile)
    Image.fromarray(tile).save(tmp_path / "b.png")
    np.testing.assert_array_equal(read_image((tmp_path / "b.png").rename(tmp_path / "b.tif")), tile)


def test_what_is_no_8_bit_rgb(tmp_path, tile):
    grey, deep = tile[..., 0].copy(), tile.astype(np.uint16) * 257
    tifffile.imwrite(tmp_path / "white0.tif", grey, photometric="miniswhite", metadata=None)
    rgba = np.dstack([tile, grey])
    tifffile.imwrite(
        tmp_path / "four.tif", rgba, photometric="minisblack", planarconfig="contig", metadata=None
    )
    tifffile.imwrite(tmp_path / "deep.tif", deep, **RGB8)
    (tmp_path / "deep.png").write_bytes(imagecodecs.png_encode(deep))
    Image.fromarray(grey).save(tmp_path / "grey.jpg")
    Image.fromarray(tile).convert("CMYK").save(tmp_path / "cmyk.jpg")
    Image.fromarray(tile).convert("LAB").save(tmp_path / "lab.tif")
    for file in sorted(tmp_path.iterdir()):
        with pytest.raises(SlideError, match=f"{file.name}: not an 8-bit RGB image"):
            read_image(file)


def test_hidden_files_of_a_folder_are_passed_over(tmp_path, tile):
    Image.fromarray(tile).save(tmp_path / "a.png")
    sidecar = tmp_path / "._a.png"
    sidecar.write_bytes(b"\0\5\x16\7\0\2\0\0Mac OS X        " + bytes(200))
    assert find_images([tmp_path]) == [tmp_path / "a.png"]
    with pytest.raises(SlideError, match="sidecar of macOS"):
        read_image(sidecar)
    broken = tmp_path / "b.png"
    broken.write_bytes(b"nothing")
    with pytest.raises(SlideError, match="cannot be read as an image") as told:
        read_image(broken)
    assert str(tmp_path) not in str(told.value)
