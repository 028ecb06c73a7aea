"""Colours are what the stream says, then what the tags say; what is no RGB is refused."""

import io

import imagecodecs
import numpy as np
import pydicom
import pytest
import tifffile
from PIL import Image

from ihcscore.errors import SlideError
from ihcscore.slide import open_slide
from ihcscore.slide.samples import Colours, colours_seen, on_white
from ihcscore.slide.streams import jpeg_2000_is_rgb, jpeg_colours, without_colours
from writers.dicom import write_dicom
from writers.odd_tiff import TILE, ome_image, ome_xml, write_jfif_under_rgb


@pytest.fixture(scope="module")
def bright():
    """A section in small: glass, and blobs of brown and blue on it, every tile with something in it."""
    rng = np.random.default_rng(4)
    rgb = np.full((256, 384, 3), (243, 244, 240), np.uint8)
    for x, y in zip(rng.integers(0, 380, 60), rng.integers(0, 250, 60), strict=True):
        rgb[y : y + 12, x : x + 12] = [(150, 95, 60), (110, 115, 175)][int(x) % 2]
    return rgb


def near(read, rgb, most=4.0):
    return np.abs(read.astype(int) - rgb).mean() < most


def whole(slide):
    return slide.read(0, (0, 0), slide.size_xy_px)


def jpeg(rgb, **options):
    made = io.BytesIO()
    Image.fromarray(rgb).save(made, "JPEG", quality=90, **options)
    return made.getvalue()


def test_a_jpeg_says_its_colours(bright):
    jfif, adobe = jpeg(bright), jpeg(bright, keep_rgb=True)
    assert jpeg_colours(jfif) == (Colours.YCBCR, True)
    assert jpeg_colours(adobe) == (Colours.RGB, True)
    bare = without_colours(jfif)
    assert len(bare) == len(jfif) - 18
    assert jpeg_colours(bare) == (Colours.YCBCR, False)  # components 1, 2, 3: so are some of RGB
    numbered_from_0 = bytearray(bare)
    at = bare.index(b"\xff\xc0")
    for k in range(3):
        numbered_from_0[at + 10 + 3 * k] = k  # as Aperio's
    assert jpeg_colours(bytes(numbered_from_0)) == (None, False)
    assert jpeg_colours(b"") == (None, False)


@pytest.mark.parametrize("boxed", [False, True])
def test_a_jpeg_2000_says_whether_it_went_through_the_transform_of_rgb(bright, boxed):
    for transformed in (False, True):
        codec = "JP2" if boxed else "J2K"
        stream = imagecodecs.jpeg2k_encode(bright, level=40, codecformat=codec, mct=transformed)
        assert jpeg_2000_is_rgb(stream) == transformed


def test_raw_samples_are_told_by_their_glass(bright):
    ycbcr = np.asarray(Image.fromarray(bright).convert("YCbCr"))
    assert colours_seen(bright) == Colours.RGB
    assert colours_seen(ycbcr) == Colours.YCBCR
    assert colours_seen(np.zeros((4, 4, 3), np.uint8)) is None


@pytest.mark.parametrize("jfif", [True, False])
@pytest.mark.parametrize("name", ["a.tif", "a.svs", "a.ome.tif"])
def test_jpegs_in_ycbcr_under_pages_that_say_rgb(tmp_path, bright, name, jfif):
    text = {
        "a.tif": None,
        "a.svs": "Aperio Image Library v1\r\n384x256 (128x128) JPEG/RGB Q=95|AppMag = 20|MPP = 0.5",
        "a.ome.tif": ome_xml(ome_image((384, 256), "0.5")),
    }[name]
    path = write_jfif_under_rgb(tmp_path / name, bright, description=text, jfif=jfif)
    with open_slide(path) as slide:
        assert near(whole(slide), bright)
        if len(slide.levels) > 1:
            assert near(slide.read(1, (0, 0), (192, 128)), bright[::2, ::2], 12)
        assert bool(slide.notes) == (
            name != "a.ome.tif"
        )  # there the page isn't asked, so nothing is against it


def test_a_miscoloured_slide_that_cannot_be_read_by_its_tiles_is_refused(tmp_path, bright):
    path = write_jfif_under_rgb(tmp_path / "a.tif", bright)
    with tifffile.TiffFile(path, mode="r+b") as tiff:
        tiff.pages[1].tags["PhotometricInterpretation"].overwrite(6)  # one page of two
        tag = tiff.pages[0].tags["TileByteCounts"]
        tag.overwrite([4, *tag.value[1:]])
        tiff.pages[1].tags["TileByteCounts"].overwrite([9] * tiff.pages[1].tags["TileByteCounts"].count)
    with pytest.raises(SlideError, match="contradict each other on the colours"):
        open_slide(path)


@pytest.mark.parametrize("compression", ["deflate", None, "lzw", "jpeg 2000"])
@pytest.mark.parametrize("ome", [True, False])
def test_ycbcr_that_is_no_jpeg(tmp_path, bright, compression, ome):
    ycbcr = np.asarray(Image.fromarray(bright).convert("YCbCr"))
    text = ome_xml(ome_image((384, 256), "0.5")).encode() if ome else None
    options = {"photometric": "ycbcr", "compression": compression}
    if compression == "jpeg 2000":
        if not ome:
            pytest.skip("OpenSlide reads it in Aperio's alone: test_tiled_tiff.py")
        args = {"level": 60, "codecformat": "J2K", "mct": False}
        options = {"photometric": "rgb", "compression": 33003, "compressionargs": args}
    path = tmp_path / ("a.ome.tif" if ome else "a.tif")
    tifffile.imwrite(path, ycbcr, tile=(TILE, TILE), description=text, metadata=None, **options)
    with open_slide(path, mpp_um=0.5) as slide:
        assert near(whole(slide), bright, 2.0)


def test_jpeg_2000_of_rgb_under_the_number_of_ycbcr(tmp_path, bright):
    text = "Aperio Image Library v1\r\n384x256 [0,0 384x256] (128x128) J2K/YUV16 Q=70|AppMag = 20|MPP = 0.5"
    args = {"level": 60, "codecformat": "J2K", "mct": True}
    for name, described in (("a.ome.tif", ome_xml(ome_image((384, 256), "0.5"))), ("a.svs", text)):
        tifffile.imwrite(
            tmp_path / name, bright, tile=(TILE, TILE), photometric="rgb", compression=33003,
            compressionargs=args, description=described.encode(), metadata=None, byteorder="<",
        )  # fmt: skip
    with open_slide(tmp_path / "a.ome.tif") as slide:
        assert near(whole(slide), bright, 2.0)
    with pytest.raises(SlideError, match="its JPEG 2000 tiles hold RGB"):
        open_slide(tmp_path / "a.svs")


@pytest.mark.parametrize("ome", [True, False])
@pytest.mark.parametrize(
    ("options", "refused"),
    [
        ({"photometric": "minisblack", "planarconfig": "contig", "channels": 4}, "grey with 3 more samples"),
        ({"photometric": "minisblack", "planarconfig": "contig", "channels": 3}, "grey with 2 more samples"),
        ({"photometric": "minisblack", "channels": 1}, "grey"),
        ({"photometric": "miniswhite", "channels": 1}, "grey"),
        ({"photometric": "rgb", "channels": 3, "dtype": np.uint16}, "16"),
        ({"photometric": "separated", "planarconfig": "contig", "channels": 4}, "CMYK"),
        ({"photometric": "rgb", "channels": 3, "extratags": [(274, "H", 1, 6, True)]}, "turned or mirrored"),
    ],
)
def test_what_is_no_upright_8_bit_rgb_is_refused(tmp_path, bright, ome, options, refused):
    options = {**options}
    channels, dtype = options.pop("channels"), options.pop("dtype", np.uint8)
    pixels = np.dstack([bright, bright[..., :1]])[..., :channels].astype(dtype)
    pixels = pixels[..., 0] if channels == 1 else pixels
    text = ome_xml(ome_image((384, 256), "0.5")).encode() if ome else None
    path = tmp_path / ("a.ome.tif" if ome else "a.tif")
    tifffile.imwrite(path, pixels, tile=(TILE, TILE), description=text, metadata=None, **options)
    with pytest.raises(SlideError, match=refused):
        open_slide(path, mpp_um=0.5)


def test_transparency_is_laid_on_white(tmp_path, bright):
    alpha = np.full(bright.shape[:2], 255, np.uint8)
    alpha[:100] = 0
    rgba = np.dstack([bright, alpha])
    text = ome_xml(ome_image((384, 256), "0.5")).encode()
    path = tmp_path / "a.ome.tif"
    tifffile.imwrite(
        path,
        rgba,
        tile=(TILE, TILE),
        photometric="rgb",
        extrasamples=["unassalpha"],
        description=text,
        metadata=None,
    )
    with open_slide(path) as slide:
        read = whole(slide)
    assert (read[:100] == 255).all()
    np.testing.assert_array_equal(read[100:], bright[100:])
    half = on_white(np.array([[[100, 50, 0]]], np.uint8), np.array([[[128]]], np.uint8), is_associated=True)
    assert half.tolist() == [[[227, 177, 127]]]


def test_a_fourth_sample_of_no_stated_kind(tmp_path, bright):
    """OpenSlide would take it for transparency; OME-TIFF is read without it."""
    more = np.dstack([bright, np.zeros_like(bright[..., :1])])
    for name, text in (("a.tif", None), ("a.ome.tif", ome_xml(ome_image((384, 256), "0.5")).encode())):
        tifffile.imwrite(
            tmp_path / name, more, tile=(TILE, TILE), photometric="rgb", extrasamples=["unspecified"],
            description=text, metadata=None,
        )  # fmt: skip
    with open_slide(tmp_path / "a.ome.tif") as slide:
        np.testing.assert_array_equal(whole(slide), bright)
    with pytest.raises(SlideError, match="fourth sample"):
        open_slide(tmp_path / "a.tif")


def test_big_tiff_and_planes(tmp_path, bright):
    text = ome_xml(ome_image((384, 256), "0.5")).encode()
    path = tmp_path / "a.ome.tif"
    tifffile.imwrite(
        path, np.moveaxis(bright, -1, 0), bigtiff=True, tile=(TILE, TILE), photometric="rgb",
        planarconfig="separate", description=text, metadata=None,
    )  # fmt: skip
    with open_slide(path) as slide:
        np.testing.assert_array_equal(whole(slide), bright)
        assert slide.mpp_um == 0.5


def test_jpegs_of_strips_are_converted_once(tmp_path, bright):
    text = ome_xml(ome_image((384, 256), "0.5")).encode()
    path = tmp_path / "a.ome.tif"
    tifffile.imwrite(
        path, bright, rowsperstrip=64, description=text, metadata=None, compression="jpeg",
        photometric="rgb", compressionargs={"level": 95, "outcolorspace": "ycbcr"},
    )  # fmt: skip
    with tifffile.TiffFile(path) as tiff:
        assert tiff.pages[0].photometric == 6
    with open_slide(path) as slide:
        assert near(whole(slide), bright)


def test_a_dicom_header_of_other_colours_than_its_frames(tmp_path, bright):
    folder = write_dicom(tmp_path / "S07", bright)
    file = folder / "level0.dcm"
    dataset = pydicom.dcmread(file)
    dataset.PhotometricInterpretation = "RGB"
    dataset.save_as(file)
    with pytest.raises(SlideError, match=r"level0\.dcm: its header and its JPEG frames contradict"):
        open_slide(folder)
    dataset.PhotometricInterpretation, dataset.TotalPixelMatrixFocalPlanes = "YBR_FULL_422", 3
    dataset.save_as(file)
    with pytest.raises(SlideError, match="holds 3 focal planes"):
        open_slide(folder)
