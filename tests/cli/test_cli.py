"""The command line as a user meets it: results, and one clear line for bad input."""

import json
import os
import shutil

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from ihcscore import __version__, schema
from writers import damage
from writers.ome_tiff import write_ome_tiff
from writers.svs import SvsSettings, write_svs
from writers.tiff import write_tiff

RUN = ("--marker", "CD8", "--field-area-mm2", "0.08", "--margin-um", "600")


@pytest.fixture
def copied(phantom, tmp_path):
    """A copy of the phantom's slide that a test may damage."""
    shutil.copy(phantom.files.slide, tmp_path)
    shutil.copytree(phantom.files.slide.with_suffix(""), tmp_path / "S07")
    return tmp_path / "S07.mrxs"


def refused(shown, *says):
    """One line on stderr that says this, nothing on stdout, exit status 2."""
    assert shown.status == 2, shown
    lines = shown.err.strip().splitlines()
    assert len(lines) == 1, shown.err
    assert lines[0].startswith("ihcscore: ")
    for text in says:
        assert text in lines[0]
    assert shown.out == ""


def test_version_and_help(ihcscore_command):
    assert ihcscore_command("--version").out == f"ihcscore {__version__}\n"
    shown = ihcscore_command("run", "--help")
    assert shown.status == 0
    for option in ("--marker", "--annotations", "--out", "--fields", "--field-area-mm2", "--margin-um",
                   "--seed", "--mpp-um", "--profile", "--quiet", "--overwrite"):  # fmt: skip
        assert option in shown.out


def test_run_prints_scores_and_writes_the_folder(ihcscore_command, phantom, tmp_path):
    out = tmp_path / "out"
    shown = ihcscore_command(
        "run", phantom.files.slide, *RUN, "--annotations", phantom.files.annotation, "--out", out
    )
    assert shown.status == 0
    assert "Tumour centre" in shown.out
    assert "Invasive front" in shown.out
    for file in (
        "report.html",
        "overview.png",
        "scores.csv",
        "fields.csv",
        "cells.csv",
        "run.json",
        "annotations.geojson",
        "regions.geojson",
    ):
        assert (out / file).is_file()
    fields = pd.read_csv(out / "fields.csv")
    for name in fields.field_id:
        with Image.open(out / "overlays" / f"S07_CD8_{name}.png") as picture:
            assert picture.convert("RGB").getextrema() != ((255, 255),) * 3
            assert min(picture.size) > 500
    assert not [f for f in tmp_path.iterdir() if f.name.startswith(".")]


def test_quiet_prints_nothing_on_stdout(ihcscore_command, phantom, tmp_path):
    shown = ihcscore_command(
        "run",
        phantom.files.slide,
        *RUN,
        "--annotations",
        phantom.files.annotation,
        "--out",
        tmp_path / "o",
        "--quiet",
    )
    assert (shown.status, shown.out) == (0, "")


def test_several_slides_in_one_call(ihcscore_command, phantom, copied, tmp_path):
    other = copied.with_name("S08.mrxs")
    copied.rename(other)
    copied.with_suffix("").rename(other.with_suffix(""))
    broken = tmp_path / "broken.svs"
    broken.write_bytes(b"no slide")
    out = tmp_path / "out"
    shown = ihcscore_command("run", phantom.files.slide, other, broken, *RUN, "--fields", 1, "--out", out)
    assert shown.status == 3
    assert "broken.svs: not a slide" in shown.err
    scores = pd.read_csv(out / "scores.csv")
    assert list(scores.columns) == schema.SCORES.names
    assert set(scores.slide) == {"S07.mrxs", "S08.mrxs"}
    assert (out / "S07" / "report.html").is_file()
    assert "broken.svs" in (out / "report.html").read_text(encoding="utf-8")
    # the same glass, the same seed: the same numbers, whatever the file's name
    numbers = scores.drop(columns=["slide"]).groupby(scores.slide)
    pd.testing.assert_frame_equal(*(group.reset_index(drop=True) for _, group in numbers))


def test_a_tile_that_fails_makes_its_field_failed(ihcscore_command, phantom, copied, tmp_path):
    arguments = (*RUN, "--annotations", phantom.files.annotation)
    ihcscore_command("run", phantom.files.slide, *arguments, "--out", tmp_path / "whole")
    whole = pd.read_csv(tmp_path / "whole" / "fields.csv").set_index("field_id")
    # tiles of 256 px; the phantom's picture starts two tiles right of and one below the slide's corner
    place = whole.loc["front-2"]
    column, row = (int((place[axis] + place.side_px / 2) // 256) for axis in ("x_px", "y_px"))
    damage.break_mirax_tile(copied, column + 2, row + 1)
    shown = ihcscore_command("run", copied, *arguments, "--out", tmp_path / "broken")
    assert shown.status == 3
    assert "field front-2" in shown.err
    fields = pd.read_csv(tmp_path / "broken" / "fields.csv").set_index("field_id")
    assert fields.status["front-2"] == "failed"
    assert np.isnan(fields.n_positive["front-2"])
    assert "cannot decode" in fields.error["front-2"]
    others = [name for name in whole.index if name != "front-2"]
    # the stains are estimated on squares of tissue, of which the broken one is missing now
    np.testing.assert_allclose(fields.n_positive[others], whole.n_positive[others], rtol=0.03)
    scores = pd.read_csv(tmp_path / "broken" / "scores.csv").set_index("region")
    assert scores.n_failed["Invasive front"] == 1
    assert "could not be scored" in (tmp_path / "broken" / "report.html").read_text(encoding="utf-8")


class TestBadSlides:
    def check(self, ihcscore_command, slide, tmp_path, *says, more=()):
        out = tmp_path / "never"
        before = set(tmp_path.rglob("*"))
        refused(ihcscore_command("run", slide, *RUN, *more, "--out", out), *says)
        assert set(tmp_path.rglob("*")) == before

    def test_no_such_file(self, ihcscore_command, tmp_path):
        self.check(ihcscore_command, tmp_path / "no.mrxs", tmp_path, "no such file")

    def test_a_folder(self, ihcscore_command, tmp_path):
        self.check(ihcscore_command, tmp_path, tmp_path, "is a folder")

    @pytest.mark.parametrize(
        ("name", "content", "says"),
        [
            ("text.svs", b"no slide" * 9, "not a slide"),
            ("head.tif", b"II*\0 and no more" * 9, "is cut short"),
            ("empty.ndpi", b"", "is empty"),
        ],
    )
    def test_not_a_slide(self, ihcscore_command, tmp_path, name, content, says):
        (tmp_path / name).write_bytes(content)
        self.check(ihcscore_command, tmp_path / name, tmp_path, name, says)

    def test_plain_image(self, ihcscore_command, tmp_path):
        Image.new("RGB", (50, 50)).save(tmp_path / "tile.png")
        self.check(ihcscore_command, tmp_path / "tile.png", tmp_path, "ihcscore count")

    def test_mirax_without_its_folder(self, ihcscore_command, copied, tmp_path):
        damage.remove_data_folder(copied)
        self.check(ihcscore_command, copied, tmp_path, "S07.mrxs", "data folder 'S07'", "missing")

    @pytest.mark.parametrize("keep", [0.0, 0.02, 0.5, 0.999])
    def test_mirax_cut_short(self, ihcscore_command, copied, tmp_path, keep):
        damage.truncate_data(copied, keep)
        self.check(ihcscore_command, copied, tmp_path, "cut short", "copy")

    @pytest.mark.parametrize("keep", [0, 20, 60, 200])
    def test_mirax_index_cut_short(self, ihcscore_command, copied, tmp_path, keep):
        index = copied.with_suffix("") / "Index.dat"
        index.write_bytes(index.read_bytes()[:keep])
        self.check(ihcscore_command, copied, tmp_path, "S07.mrxs")

    def test_mirax_data_file_missing(self, ihcscore_command, copied, tmp_path):
        (copied.with_suffix("") / "Data0000.dat").unlink()
        self.check(ihcscore_command, copied, tmp_path, "Data0000.dat", "missing")

    def test_no_pixel_size(self, ihcscore_command, tmp_path, picture):
        slide = write_svs(tmp_path / "a.svs", picture, SvsSettings(mpp_um=None))
        self.check(ihcscore_command, slide, tmp_path, "no microns per pixel", "--mpp-um")

    def test_absurd_pixel_size(self, ihcscore_command, tmp_path, picture):
        slide = write_tiff(tmp_path / "a.tif", picture, mpp_xy_um=(352.8, 352.8))
        self.check(ihcscore_command, slide, tmp_path, "352.8", "--mpp-um")
        self.check(ihcscore_command, slide, tmp_path, "--mpp-um is 0", more=("--mpp-um", "0"))

    def test_pixels_that_are_not_square(self, ihcscore_command, tmp_path, picture):
        slide = write_ome_tiff(tmp_path / "a.ome.tif", picture, mpp_xy_um=(0.5, 0.25))
        self.check(ihcscore_command, slide, tmp_path, "not square")

    def test_no_tissue(self, ihcscore_command, tmp_path):
        glass = np.full((600, 800, 3), 243, np.uint8)
        slide = write_svs(tmp_path / "glass.svs", glass)
        self.check(ihcscore_command, slide, tmp_path, "no tissue")

    def test_not_rgb(self, ihcscore_command, tmp_path):
        import tifffile

        slide = tmp_path / "deep.ome.tif"
        tifffile.imwrite(
            slide, np.zeros((64, 64, 3), np.uint16), photometric="rgb", metadata={"axes": "YXS"}, ome=True
        )
        self.check(ihcscore_command, slide, tmp_path, "8-bit RGB")


class TestBadRequests:
    def test_unknown_marker_lists_the_known(self, ihcscore_command, phantom, tmp_path):
        shown = ihcscore_command("run", phantom.files.slide, "--marker", "CD99", "--out", tmp_path / "o")
        refused(shown, "CD99", "CD25, CD3, CD4, CD8, KI67")

    def test_no_marker(self, ihcscore_command, phantom):
        refused(ihcscore_command("run", phantom.files.slide), "--marker")

    def test_wrong_words(self, ihcscore_command):
        refused(ihcscore_command("run"), "SLIDE")
        refused(ihcscore_command("run", "a.svs", "--colour"), "--colour")
        refused(ihcscore_command("count", "a.png", "--marker", "CD3"), "--mpp-um")

    @pytest.mark.parametrize(
        ("option", "value"),
        [("--fields", "0"), ("--field-area-mm2", "-1"), ("--margin-um", "0"), ("--seed", "-3")],
    )
    def test_numbers_out_of_range(self, ihcscore_command, phantom, option, value):
        refused(ihcscore_command("run", phantom.files.slide, *RUN, option, value), "expected")

    def test_field_too_large_for_the_region(self, ihcscore_command, phantom, tmp_path):
        shown = ihcscore_command(
            "run", phantom.files.slide, "--marker", "CD8", "--annotations", phantom.files.annotation,
            "--field-area-mm2", "4", "--out", tmp_path / "o",
        )  # fmt: skip
        refused(shown, "no room for a field of 4 mm²", "--field-area-mm2")
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("{", "not valid JSON"),
            ("", "empty"),
            ('{"type": "FeatureCollection", "features": []}', "no features"),
        ],
    )
    def test_broken_annotation(self, ihcscore_command, phantom, tmp_path, text, says):
        (tmp_path / "a.geojson").write_text(text, encoding="utf-8")
        shown = ihcscore_command("run", phantom.files.slide, *RUN, "--annotations", tmp_path / "a.geojson")
        refused(shown, "a.geojson", says)

    def test_missing_annotation(self, ihcscore_command, phantom, tmp_path):
        shown = ihcscore_command("run", phantom.files.slide, *RUN, "--annotations", tmp_path / "no.geojson")
        refused(shown, "no.geojson", "no such file")

    def test_annotation_of_another_slide(self, ihcscore_command, phantom, tmp_path):
        moved = json.loads(phantom.files.annotation.read_text(encoding="utf-8"))
        for feature in moved["features"]:
            feature["geometry"]["coordinates"] = [
                [[x + 50_000, y] for x, y in ring] for ring in feature["geometry"]["coordinates"]
            ]
        (tmp_path / "a.geojson").write_text(json.dumps(moved), encoding="utf-8")
        shown = ihcscore_command("run", phantom.files.slide, *RUN, "--annotations", tmp_path / "a.geojson")
        refused(shown, "a.geojson", "outside the slide")

    def test_two_markers(self, ihcscore_command, phantom, tmp_path):
        from ihcscore.profiles import models_folder

        profile = shutil.copy(models_folder() / "markers" / "CD3.toml", tmp_path / "mine.toml")
        shown = ihcscore_command("run", phantom.files.slide, "--marker", "CD8", "--profile", profile)
        refused(shown, "mine.toml", "CD3")


def test_chromogen_of_the_profile_can_be_changed(ihcscore_command, phantom, tmp_path):
    arguments = ("run", phantom.files.slide, *RUN, "--annotations", phantom.files.annotation, "--fields", 1)
    shown = ihcscore_command(*arguments, "--chromogen", "fastred", "--out", tmp_path / "red")
    assert shown.status == 0
    record = json.loads((tmp_path / "red" / "run.json").read_text(encoding="utf-8"))
    assert record["profile"]["chromogen"] == "FastRed"
    assert record["stains"]["chromogen"]["name"] == "FastRed"
    refused(
        ihcscore_command(*arguments, "--chromogen", "green", "--out", tmp_path / "o"), "DAB, AEC, FastRed"
    )


class TestOutputFolder:
    def run(self, ihcscore_command, phantom, out, *more):
        return ihcscore_command(
            "run",
            phantom.files.slide,
            *RUN,
            "--annotations",
            phantom.files.annotation,
            "--fields",
            1,
            "--out",
            out,
            *more,
        )

    def test_a_run_is_not_overwritten_unasked(self, ihcscore_command, phantom, tmp_path):
        out = tmp_path / "out"
        assert self.run(ihcscore_command, phantom, out).status == 0
        (out / "my notes.txt").write_text("mine", encoding="utf-8")
        before = {f: f.read_bytes() for f in out.rglob("*") if f.is_file()}
        refused(self.run(ihcscore_command, phantom, out), "already holds a run", "--overwrite")
        assert {f: f.read_bytes() for f in out.rglob("*") if f.is_file()} == before
        assert self.run(ihcscore_command, phantom, out, "--overwrite", "--fields", 2).status == 0
        assert (out / "my notes.txt").read_text(encoding="utf-8") == "mine"
        assert len(pd.read_csv(out / "fields.csv")) == 4
        assert self.run(ihcscore_command, phantom, out, "--overwrite").status == 0
        assert len(list((out / "overlays").glob("*.png"))) == 2

    def test_a_foreign_file_of_the_same_name_is_not_lost(self, ihcscore_command, phantom, tmp_path):
        out = tmp_path / "out"
        out.mkdir()
        (out / "scores.csv").write_text("mine", encoding="utf-8")
        refused(self.run(ihcscore_command, phantom, out), "scores.csv", "in the way")
        assert [f.name for f in out.iterdir()] == ["scores.csv"]

    def test_a_file_in_place_of_the_folder(self, ihcscore_command, phantom, tmp_path):
        (tmp_path / "out").write_text("mine", encoding="utf-8")
        refused(self.run(ihcscore_command, phantom, tmp_path / "out"), "is a file")

    def test_a_folder_that_cannot_be_written(self, ihcscore_command, phantom, tmp_path, monkeypatch):
        import tempfile

        def no(*_args, **_kwargs):
            raise PermissionError(13, "Permission denied")

        # a read-only folder, also where the tests run as root, whom modes don't stop
        monkeypatch.setattr(tempfile, "mkdtemp", no)
        refused(
            self.run(ihcscore_command, phantom, tmp_path / "out"), "cannot be written", "Permission denied"
        )
        assert list(tmp_path.iterdir()) == []

    def test_a_run_that_breaks_off_leaves_nothing(self, phantom, tmp_path, monkeypatch):
        import ihcscore
        from ihcscore import report

        def no(*_args, **_kwargs):
            raise KeyboardInterrupt

        monkeypatch.setattr(report, "html_of", no)
        with pytest.raises(KeyboardInterrupt):
            ihcscore.score_slide(phantom.files.slide, profile="CD8", out=tmp_path / "out")
        assert list(tmp_path.iterdir()) == []


class TestCount:
    @pytest.fixture
    def tiles(self, tmp_path):
        from ihcscore import synthetic

        folder = tmp_path / "tiles"
        folder.mkdir()
        for seed, name in enumerate(("a.png", "b.jpg", "c.tif")):
            rgb = synthetic.draw_tile(synthetic.TileSettings(size_xy_px=(320, 240)), seed).rgb
            Image.fromarray(rgb).save(folder / name)
        return folder

    def test_tables_and_overlays(self, ihcscore_command, tiles, tmp_path):
        out = tmp_path / "out"
        shown = ihcscore_command(
            "count", tiles, "--marker", "CD3", "--mpp-um", 0.25, "--out", out, "--overlays"
        )
        assert shown.status == 0
        cells, counts = pd.read_csv(out / "cells.csv"), pd.read_csv(out / "counts.csv")
        assert list(cells.columns) == schema.IMAGE_CELLS.names
        assert list(counts.columns) == schema.IMAGE_COUNTS.names
        assert list(counts.image) == ["a.png", "b.jpg", "c.tif"]
        assert cells.x_px.between(-0.5, 319.5).all()
        assert cells.y_px.between(-0.5, 239.5).all()
        assert (counts.width_px == 320).all()
        assert counts.area_mm2[0] == pytest.approx(320 * 240 * 0.25**2 / 1e6)
        positive = cells[cells["class"] == "Positive"].groupby("image").size()
        assert dict(positive) == dict(zip(counts.image, counts.n_positive, strict=True))
        assert len(list((out / "overlays").glob("*.png"))) == 3

    def test_a_bad_image_among_good_ones(self, ihcscore_command, tiles, tmp_path):
        Image.new("L", (50, 50)).save(tiles / "grey.png")
        (tiles / "torn.png").write_bytes((tiles / "a.png").read_bytes()[:900])
        shown = ihcscore_command(
            "count", tiles, "--marker", "CD3", "--mpp-um", 0.25, "--out", tmp_path / "out"
        )
        assert shown.status == 3
        assert "grey.png: not an 8-bit RGB image" in shown.err
        assert "torn.png: cannot be read" in shown.err
        assert len(pd.read_csv(tmp_path / "out" / "counts.csv")) == 3

    @pytest.mark.parametrize("mode", ["L", "I;16", "1", "CMYK"])
    def test_what_is_not_rgb(self, ihcscore_command, tmp_path, mode):
        Image.new(mode, (50, 50)).save(tmp_path / "x.tif")
        shown = ihcscore_command(
            "count", tmp_path / "x.tif", "--marker", "CD3", "--mpp-um", 0.25, "--out", tmp_path / "o"
        )
        refused(shown, "x.tif", "RGB")
        assert not (tmp_path / "o").exists()

    def test_nothing_to_count(self, ihcscore_command, tmp_path):
        request = ("--marker", "CD3", "--mpp-um", 0.25, "--out", tmp_path / "o")
        refused(ihcscore_command("count", tmp_path, *request), "no images")
        refused(ihcscore_command("count", tmp_path / "no.png", *request), "no such file")


def test_info_and_profiles(ihcscore_command, phantom, tmp_path, picture):
    shown = ihcscore_command("info", phantom.files.slide)
    assert shown.status == 0
    for text in ("mirax", "0.5 µm", "tissue", "Hematoxylin", "DAB"):
        assert text in shown.out
    bare = write_svs(tmp_path / "bare.svs", picture, SvsSettings(mpp_um=None))
    shown = ihcscore_command("info", bare)
    assert shown.status == 0
    assert "--mpp-um" in shown.out
    assert "CD25" in ihcscore_command("profiles").out


def test_bare_command_shows_the_help(ihcscore_command):
    shown = ihcscore_command()
    assert (shown.status, shown.err) == (0, "")
    assert shown.out == ihcscore_command("--help").out
    assert "cohort" in shown.out
    assert "--install-completion" in shown.out


@pytest.mark.parametrize("name", ["CD3", "cd25", "Ki-67"])
def test_a_profile_is_printed_as_it_is_read(tmp_path, name):
    import subprocess
    import sys

    from ihcscore.profiles import load_profile

    mine = tmp_path / "mine.toml"
    with mine.open("wb") as file:  # as a shell's > does, whatever the terminal's encoding
        command = [sys.executable, "-m", "ihcscore", "profiles", name]
        subprocess.run(command, stdout=file, check=True, env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert load_profile(mine) == load_profile(name)


def test_an_unknown_profile_is_refused(ihcscore_command):
    refused(ihcscore_command("profiles", "CD99"), "CD99", "CD25, CD3")


@pytest.mark.skipif(os.name != "posix", reason="names are bytes there")
class TestNamesThatAreNoUtf8:
    NAME = os.fsdecode(b"Pr\xe4parat")

    def test_they_are_shown(self, ihcscore_command, tmp_path):
        refused(
            ihcscore_command("run", tmp_path / f"{self.NAME}.svs", "--marker", "CD3"), "parat.svs: no such"
        )
        refused(ihcscore_command("cohort", tmp_path / f"{self.NAME}.csv"), "parat.csv: no such")
        refused(ihcscore_command("correlate", tmp_path / f"{self.NAME}.csv"), "parat.csv: no such")

    def test_tiles_of_such_names_are_counted(self, tmp_path):
        import subprocess
        import sys

        tile = tmp_path / f"{self.NAME}.png"
        Image.fromarray(np.full((64, 64, 3), 240, np.uint8)).save(tile, format="PNG")
        out = tmp_path / f"{self.NAME}-out"
        command = [sys.executable, "-m", "ihcscore", "count", tile, "--marker", "CD3", "--mpp-um", "0.5"]
        shown = subprocess.run([*command, "--out", out, "--overlays"], capture_output=True, check=False)
        assert b"Traceback" not in shown.stderr
        assert shown.returncode in (0, 2, 3)
        if shown.returncode == 0:
            assert "Pr?parat.png" in (out / "counts.csv").read_text(encoding="utf-8")
            assert b"Pr?parat-out" in shown.stdout

    def test_a_name_in_other_letters_is_pointed_at(self, ihcscore_command, tmp_path):
        (tmp_path / "Pra\u0308parat.svs").write_bytes(b"x")
        refused(ihcscore_command("run", tmp_path / "Präparat.svs", "--marker", "CD3"), "rename it")
