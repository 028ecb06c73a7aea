"""Figures as a journal prints them."""

import re
import struct

import pandas as pd
import pytest

from ihcscore.report.journal import Width, journal_figure, median_bars
from ihcscore.schema import Table
from ihcscore.schema.table import columns

TABLE = Table(name="few", row="a point", columns=columns("x | float | where\ny | float | how high"))


@pytest.fixture(scope="module")
def drawn():
    data = pd.DataFrame({"x": [0.0, 1.0], "y": [1.0, 2.0]})

    def paint(figure, width):
        axes = figure.add_subplot()
        axes.plot(data["x"], data["y"], "o")
        median_bars(axes, 0.5, (1.2, 1.5, 1.8), half=0.2)
        axes.set_xlabel(f"{width.name.lower()} wide")

    return journal_figure("few", paint, data=data, table=TABLE, caption="Two points.", height_mm=40)


@pytest.mark.parametrize("width", list(Width))
def test_it_is_as_wide_as_asked(drawn, width):
    png, svg = (drawn.pictures[f"-{width}mm.{kind}"] for kind in ("png", "svg"))
    pixels = struct.unpack(">2I", png[16:24])
    assert pixels[0] / 600 * 25.4 == pytest.approx(width, abs=0.1)
    wide, high = (float(re.search(rf'{name}="([0-9.]+)pt"'.encode(), svg)[1]) for name in ("width", "height"))
    assert (wide / 72 * 25.4, high / 72 * 25.4) == pytest.approx((width, 40), abs=0.1)


def test_all_letters_are_of_eight_points(drawn):
    from ihcscore.report import journal

    sizes = {value for key, value in journal._STYLE.items() if key.endswith("size") and "major" not in key}
    assert sizes == {8}
    assert set(drawn.pictures) == {"-85mm.png", "-85mm.svg", "-175mm.png", "-175mm.svg"}
