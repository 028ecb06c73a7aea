"""A run on a tiny drawn section, made once."""

import pytest

import ihcscore
from ihcscore import synthetic
from ihcscore.review.folder import read_reviewed
from ihcscore.run.drawn import DrawnFields
from ihcscore.schema import FieldSettings, RegionSettings, RunSettings


@pytest.fixture(scope="session")
def reviewed_run(tmp_path_factory):
    """Folder of a run with two fields a region, and the truth of its section."""
    settings = synthetic.SectionSettings(
        size_um=(800.0, 800.0), tissue_um=740.0, tumour_um=440.0, front_um=120.0, centre_per_mm2=900.0
    )
    section = synthetic.draw_section(settings, seed=4)
    folder = tmp_path_factory.mktemp("reviewed")
    files = synthetic.write_phantom(folder, section, name="S1")
    ihcscore.score_slide(
        files.slide,
        profile="CD8",
        fields=DrawnFields(outline=files.annotation),
        settings=RunSettings(
            fields=FieldSettings(n_fields=2, field_area_mm2=0.02, seed=1),
            regions=RegionSettings(margin_um=240.0),
        ),
        out=folder / "out",
    )
    return folder / "out", section


@pytest.fixture(scope="session")
def run(reviewed_run):
    """The run, read."""
    return read_reviewed(reviewed_run[0])
