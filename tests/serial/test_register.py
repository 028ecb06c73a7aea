"""``ihcscore register`` on drawn sections written as plain images, and on real ones."""

import json

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from drawn_sections import MPP_UM, SHAPE_YX, about_centre, as_rgb, drawn_section, laid, restained, turn
from ihcscore.errors import TableError
from ihcscore.serial.register import read_points, register_slides

TRUTH = about_centre(turn(137), (9, 4))
POINTS = [(200.0, 170.0), (260.5, 210.25), (240.0, 190.0)]


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """A section, the same turned and in another stain, and points."""
    folder = tmp_path_factory.mktemp("sections")
    plane = drawn_section(1)
    moving = restained(laid(plane, TRUTH), 7)
    Image.fromarray(as_rgb(plane)).save(folder / "one.png")
    Image.fromarray(as_rgb(moving, stain_od=(0.15, 0.3, 0.5))).save(folder / "two.png")
    Image.fromarray(as_rgb(np.zeros(SHAPE_YX, np.float32))).save(folder / "blank.png")
    pd.DataFrame(POINTS, columns=["X", "Y"]).to_csv(folder / "points.csv", index=False)
    return folder


def test_writes_everything_and_the_same_twice(images, tmp_path, ihcscore_command):
    out = tmp_path / "out"
    shown = ihcscore_command(
        "register", images / "one.png", images / "two.png",
        "--points", images / "points.csv", "--mpp-um", MPP_UM, "--out", out,
    )  # fmt: skip
    assert (shown.status, shown.err) == (0, "")
    assert "turned by 137." in shown.out or "turned by 136.9" in shown.out
    assert sorted(file.name for file in out.iterdir()) == [
        "checkerboard.png", "points.csv", "registration.json", "run.json",
    ]  # fmt: skip

    record = json.loads((out / "registration.json").read_text())
    assert record["type"] == "affine"
    assert record["confirmed"]
    assert record["reference_to_moving"][2] == [0, 0, 1]
    assert np.array(record["reference_to_moving"]) == pytest.approx(TRUTH.matrix, abs=1)
    assert record["rotation_deg"] == pytest.approx(137, abs=0.5)
    assert not record["mirrored"]
    assert 0 < record["error_um"] < 60
    assert record["reference"]["mpp_um"] == MPP_UM
    assert record["reference"]["mpp_source"] == "given"

    points = pd.read_csv(out / "points.csv")
    assert list(points) == ["X", "Y", "reference_X", "reference_Y", "registration_error_um", "recognised"]
    assert points[["reference_X", "reference_Y"]].to_numpy() == pytest.approx(np.array(POINTS))
    errors = np.hypot(*(points[["X", "Y"]].to_numpy() - TRUTH(POINTS)).T)
    assert errors.max() < 2.5
    assert points.registration_error_um.between(0.1, 100).all()

    register_slides(
        images / "one.png", images / "two.png",
        points=images / "points.csv", mpp_um=MPP_UM, out=tmp_path / "again",
    )  # fmt: skip
    for file in ("registration.json", "points.csv", "checkerboard.png"):
        assert (out / file).read_bytes() == (tmp_path / "again" / file).read_bytes()

    board = np.asarray(Image.open(out / "checkerboard.png"))
    assert board.shape[0] >= SHAPE_YX[0]
    assert board.shape[1] >= SHAPE_YX[1]


def test_nothing_in_common_is_said_and_written(images, tmp_path, ihcscore_command):
    out = tmp_path / "out"
    shown = ihcscore_command(
        "register", images / "one.png", images / "blank.png",
        "--points", images / "points.csv", "--mpp-um", MPP_UM, "--out", out,
    )  # fmt: skip
    assert shown.status == 3
    assert shown.err.count("\n") == 1
    assert shown.err.startswith("ihcscore: blank.png could not be matched with one.png")
    record = json.loads((out / "registration.json").read_text())
    assert (record["confirmed"], record["error_um"]) == (False, None)
    points = pd.read_csv(out / "points.csv")
    assert points.registration_error_um.isna().all()
    assert not points.recognised.any()
    assert (out / "checkerboard.png").stat().st_size > 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["one.png", "two.png"], "one.png: no microns per pixel in the file; give --mpp-um"),
        (["one.png", "none.png", "--mpp-um", 8], "none.png"),
        (["one.png", "points.csv", "--mpp-um", 8], "points.csv"),
        (["one.png", "two.png", "--mpp-um", 8, "--points", "none.csv"], "none.csv: no such file"),
        (["one.png", "two.png", "--mpp-um", 353], "--mpp-um is 353.0, expected 0.05 to 10"),
    ],
)
def test_one_line_says_what_is_wrong(images, tmp_path, ihcscore_command, monkeypatch, words, says):
    monkeypatch.chdir(images)
    shown = ihcscore_command("register", *words, "--out", tmp_path / "out")
    assert shown.status == 2
    assert shown.err.count("\n") == 1
    assert says in shown.err
    assert not (tmp_path / "out").exists()


def test_points_off_the_reference_are_refused(images, tmp_path):
    (tmp_path / "p.csv").write_text("X,Y\n200,170\n-1,5\n20,9000\n")
    says = r"^p.csv: the point \(-1, 5\) and 1 more is off one.png, which has \d+ × \d+ px; give points of"
    with pytest.raises(TableError, match=says):
        register_slides(
            images / "one.png", images / "two.png", points=tmp_path / "p.csv", mpp_um=MPP_UM,
            out=tmp_path / "out",
        )  # fmt: skip
    assert not (tmp_path / "out").exists()


def test_points_that_come_to_lie_off_the_moving_slide_are_said(images, tmp_path, ihcscore_command):
    (tmp_path / "p.csv").write_text("X,Y\n200,170\n0,0\n")  # a corner, turned by 137°
    shown = ihcscore_command(
        "register", images / "one.png", images / "two.png",
        "--points", tmp_path / "p.csv", "--mpp-um", MPP_UM, "--out", tmp_path / "out",
    )  # fmt: skip
    assert shown.status == 0
    assert shown.err.startswith("warning: 1 of 2 points come to lie off two.png")


def test_a_finished_run_is_not_overwritten(images, tmp_path, ihcscore_command):
    out = tmp_path / "out"
    out.mkdir()
    (out / "run.json").write_text("{}")
    shown = ihcscore_command(
        "register", images / "one.png", images / "two.png", "--mpp-um", MPP_UM, "--out", out
    )  # fmt: skip
    assert shown.status == 2
    assert "already holds a run; give --overwrite" in shown.err
    assert [file.name for file in out.iterdir()] == ["run.json"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("a,b\n1,2\n", r"no column X, Y \(it has a, b\)"),
        ("X,Y\n1,2\n3,\n", "row 3: Y is empty"),
        ("X,Y\n1,inf\n", "row 2: Y is 'inf', expected a number"),
        ("X,Y\n", "has no rows"),
        ("", "is empty"),
        ('X,Y\n"1,2\n', "points.csv: "),
    ],
)
def test_points_that_cannot_be_read(tmp_path, content, says):
    (tmp_path / "points.csv").write_text(content)
    with pytest.raises(TableError, match=says) as raised:
        read_points(tmp_path / "points.csv")
    assert "\n" not in str(raised.value)


def test_pieces_are_written_with_their_outlines(tmp_path):
    plane = drawn_section(1)
    columns = np.indices(SHAPE_YX)[1]
    left, right = plane * (columns < 212), plane * (columns > 264)
    of_left, of_right = about_centre(turn(8), (-22, 10)), about_centre(turn(-14), (28, -18))
    moving = restained(np.maximum(laid(left, of_left), laid(right, of_right)), 7)
    for name, picture in (("one", np.maximum(left, right)), ("two", moving)):
        Image.fromarray(as_rgb(picture)).save(tmp_path / f"{name}.png")
    pd.DataFrame([(180.0, 190.0), (300.0, 190.0)], columns=["X", "Y"]).to_csv(tmp_path / "p.csv")
    result = register_slides(
        tmp_path / "one.png", tmp_path / "two.png",
        points=tmp_path / "p.csv", mpp_um=MPP_UM, out=tmp_path / "out",
    )  # fmt: skip
    assert result.record["type"] == "affine for each piece of tissue"
    assert result.points is not None
    got = result.points[["X", "Y"]].to_numpy()
    assert got[0] == pytest.approx(of_left([180, 190]), abs=5)
    assert got[1] == pytest.approx(of_right([300, 190]), abs=5)
    for piece in result.record["pieces"]:
        outline = np.array(piece["reference_outline_px"])
        bounds = [*outline.min(axis=0), *outline.max(axis=0)]
        assert bounds == pytest.approx(piece["reference_bounds_px"])


@pytest.mark.parametrize(("reference", "moving"), [("Cc10-5", "He"), ("CD31-3", "Ki67-7")])
def test_landmarks_of_real_sections(shared_data, tmp_path, reference, moving):
    stem = str(shared_data / "registration" / "29-041-Izd2-w35-{}-les3")
    landmarks = pd.read_csv(stem.format(reference) + ".csv")[::8]
    truth = pd.read_csv(stem.format(moving) + ".csv")[::8][["X", "Y"]].to_numpy(float)
    landmarks.to_csv(tmp_path / "points.csv", index=False)
    picture = cv2.imread(stem.format(moving) + ".jpg")
    cv2.imwrite(str(tmp_path / "moving.png"), cv2.rotate(picture, cv2.ROTATE_180))
    truth = np.array([picture.shape[1], picture.shape[0]]) - truth
    result = register_slides(
        stem.format(reference) + ".jpg", tmp_path / "moving.png",
        points=tmp_path / "points.csv", mpp_um=3.5, out=tmp_path / "out",
    )  # fmt: skip
    assert result.registration.confirmed
    assert result.points is not None
    whole = result.registration.transform(landmarks[["X", "Y"]].to_numpy(float))
    assert np.median(np.hypot(*(whole - truth).T)) <= 12
    carried = result.points[["X", "Y"]].to_numpy()
    assert np.median(np.hypot(*(carried - truth).T)) <= 12
