"""Whatever the bytes are, the checks end soon, in silence or with one line."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ihcscore.errors import SlideError
from ihcscore.slide.checks import check_headers
from writers import damage
from writers.formats import WRITERS

FORMATS = ["svs jpeg", "ndpi", "philips", "scn", "bif", "ome pyramid", "mirax", "dicom"]
BOUNDED = settings(
    deadline=2000, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def checked(path) -> None:
    """Check a file; anything but a `SlideError` of one line is a failure."""
    says = ""
    try:
        check_headers(path)
    except SlideError as error:
        says = str(error)
    assert "\n" not in says


@pytest.fixture(scope="module", params=FORMATS)
def target(request, tmp_path_factory):
    """A good slide, and the file and the places in it that are headers."""
    rgb = np.full((300, 500, 3), 200, np.uint8)
    path = WRITERS[request.param](tmp_path_factory.mktemp("fuzz"), rgb)
    if request.param == "dicom":
        path = path / "level0.dcm"
        return path, path, damage.dicom_header_places(path)
    if request.param == "mirax":
        ini = path.with_suffix("") / "Slidedat.ini"
        return path, ini, [range(ini.stat().st_size)]
    return path, path, damage.tiff_header_places(path)


@BOUNDED
@given(changes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=6))
def test_changed_bytes_in_a_header(target, changes):
    path, file, places = target
    good = file.read_bytes()
    raw = bytearray(good)
    at = np.concatenate([np.arange(place.start, place.stop) for place in places])
    for where, value in changes:
        raw[at[int(where * (len(at) - 1))]] = value
    file.write_bytes(raw)
    try:
        checked(path)
    finally:
        file.write_bytes(good)


@BOUNDED
@given(place=st.floats(0, 1), filling=st.binary(min_size=1, max_size=64))
def test_a_run_of_other_bytes_in_a_header(target, place, filling):
    path, file, places = target
    good = file.read_bytes()
    at = int(place * (max(p.stop for p in places) - 1))
    file.write_bytes(good[:at] + filling + good[at + len(filling) :])
    try:
        checked(path)
    finally:
        file.write_bytes(good)


@BOUNDED
@given(keep=st.floats(0, 1))
def test_any_part_of_a_file(target, keep):
    path, file, _ = target
    good = file.read_bytes()
    file.write_bytes(good[: int(keep * len(good))])
    try:
        checked(path)
    finally:
        file.write_bytes(good)


HEADS = [b"II*\0", b"MM\0*", b"II+\0\x08\0\0\0", b"II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0", b"II*\0\x08\0\0\0",
         bytes(128) + b"DICM", bytes(128) + b"DICM\x02\0\x10\0UI\x14\x001.2.840.10008.1.2.1\0"]  # fmt: skip


@settings(deadline=2000, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(head=st.sampled_from(HEADS), body=st.binary(max_size=400))
def test_random_bytes_behind_a_magic_number(tmp_path, head, body):
    path = tmp_path / "a.svs"
    path.write_bytes(head + body)
    checked(path)
