"""No good slide is refused: every writer's, and the real ones."""

import pytest

from ihcscore.errors import SlideError
from ihcscore.slide.checks import check_headers
from writers.formats import WRITERS


@pytest.mark.parametrize("name", list(WRITERS))
def test_every_format_that_can_be_written_passes(name, tmp_path, picture):
    path = WRITERS[name](tmp_path, picture)
    check_headers(path)
    if path.is_dir():
        for file in path.iterdir():
            check_headers(file)


def test_real_slides_pass(shared_data):
    for path in sorted((shared_data / "slides").iterdir()):
        if path.name != "unopenable.tiff":
            check_headers(path)


def test_a_real_file_of_an_unknown_compression_is_refused(shared_data):
    with pytest.raises(SlideError, match="cannot be opened"):
        check_headers(shared_data / "slides" / "unopenable.tiff")


def test_what_is_no_slide_is_left_to_the_readers(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("hello", encoding="utf-8")
    check_headers(path)
