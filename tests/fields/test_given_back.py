"""Fields that were drawn, looked at and given back: unmoved ones stay what they were drawn as."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pandas as pd
import pytest

from ihcscore.geometry.field import Field
from ihcscore.geometry.mark import MARK, DrawnMark
from ihcscore.geometry.square import Square
from ihcscore.output.geojson import fields_geojson
from ihcscore.regions import Annotations
from ihcscore.run import given
from ihcscore.run.given import GivenFields
from ihcscore.schema import (
    REGION_COLOURS,
    FieldSettings,
    NoteKind,
    RegionName,
    RegionSettings,
    RegionSource,
    RunSettings,
    Sampling,
)

SLIDE = SimpleNamespace(identity="a1", mpp_um=0.5, size_xy_px=(9000, 9000))
CENTRE, FRONT = RegionName.TUMOUR_CENTRE, RegionName.INVASIVE_FRONT
SETTINGS = FieldSettings(n_fields=2, field_area_mm2=0.13, seed=7)
SIDE_PX = SETTINGS.side_um / 0.5


def drawn(x_px, number, region=CENTRE):
    return Field(
        field_id=f"{region.value.split()[-1]}-{number}",
        region=region,
        square=Square(x_px=x_px, y_px=100.125, side_px=SIDE_PX),
        area_mm2=0.13,
        tissue_fraction=0.9,
    )


FIELDS = (drawn(100.0, 1), drawn(2000.7, 2), drawn(4000.123456, 1, FRONT))


@pytest.fixture
def planned(tmp_path, monkeypatch):
    """``planned(spoil, **changes of the mark)``: the plan of a file that was written, spoilt and given."""
    monkeypatch.setattr(given, "sampling_frame", lambda *_: None)
    monkeypatch.setattr(given, "tissue_fraction", lambda *_: 0.9)

    def plan(spoil=lambda features: features, slide=SLIDE, exported=False, **changes):
        mark = DrawnMark.of(
            FIELDS,
            slide_identity="a1",
            region_source=RegionSource.ANNOTATED,
            settings=SETTINGS,
            regions=RegionSettings(margin_um=720.0),
        )
        rows = pd.DataFrame([{"slide": "s", **one.as_row()} for one in FIELDS])
        content = fields_geojson(rows, REGION_COLOURS, mark=replace(mark, **changes))
        content["features"] = spoil(content["features"])
        if exported:  # QuPath drops what stands beside the features
            content = {"type": "FeatureCollection", "features": content["features"]}
        file = tmp_path / "fields.geojson"
        file.write_text(json.dumps(content), encoding="utf-8")
        return GivenFields(file=file).plan(
            slide, None, annotations=Annotations(), settings=RunSettings(fields=FieldSettings(seed=1))
        )

    return plan


def kinds(plan):
    return [note.kind for note in plan.notes]


def rounded(features):
    """As a program writes them that keeps two decimals and has an order of its own."""
    for feature in features:
        ring = feature["geometry"]["coordinates"][0]
        feature["geometry"]["coordinates"] = [[[round(x, 2), round(y, 2)] for x, y in ring]]
    return features[::-1]


@pytest.mark.parametrize("exported", [False, True])
@pytest.mark.parametrize("spoil", [lambda features: features, rounded])
def test_unmoved_fields_stay_random_with_their_seed(planned, spoil, exported):
    plan = planned(spoil, exported=exported)
    assert plan.sampling == Sampling.RANDOM
    assert (plan.mark.fields.seed, plan.mark.regions.margin_um) == (7, 720.0)
    assert plan.n_fields == {CENTRE: 2, FRONT: 2}  # a field that had no room is missed here too
    assert plan.notes == ()
    assert plan.rejects


def test_what_was_true_of_them_stays_true(planned):
    plan = planned(region_source=RegionSource.PROPOSED, fields=replace(SETTINGS, sampling=Sampling.HOTSPOT))
    assert kinds(plan) == [NoteKind.PROPOSED, NoteKind.HOT_SPOT]
    assert (plan.annotations.source, plan.sampling) == (RegionSource.PROPOSED, Sampling.HOTSPOT)


def moved(features):
    for corner in features[0]["geometry"]["coordinates"][0]:
        corner[0] += 1.0
    return features


def renamed(features):
    features[0]["properties"]["name"] = "best"
    return features


@pytest.mark.parametrize(
    "spoil", [moved, renamed, lambda features: features[1:], lambda features: features[:2]]
)
def test_changed_fields_are_a_persons(planned, spoil):
    plan = planned(spoil)
    assert (plan.sampling, kinds(plan), plan.mark) == (Sampling.GIVEN, [NoteKind.GIVEN], None)
    assert "changed since" in plan.notes[0].text
    assert not plan.rejects


@pytest.mark.parametrize("exported", [False, True])
@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (moved, "(centre-1 moved or of another region)"),
        (renamed, "(best new or renamed; centre-1 left out)"),
        (lambda features: features[:2], "(front-1 left out)"),
    ],
)
def test_changed_fields_are_named(planned, spoil, says, exported):
    assert says in planned(spoil, exported=exported).notes[0].text


@pytest.mark.parametrize(
    ("identity", "mpp_um", "says"), [("b2", 0.5, "on another slide"), ("a1", 0.25, "changed since")]
)
def test_fields_of_another_slide_or_scale_are_given(planned, identity, mpp_um, says):
    plan = planned(slide=SimpleNamespace(identity=identity, mpp_um=mpp_um, size_xy_px=(9000, 9000)))
    assert plan.sampling == Sampling.GIVEN
    assert says in plan.notes[0].text


@pytest.mark.parametrize("said", [None, [], "x", {}, {"slide_identity": "a1", "seed": -1}])
def test_what_is_no_mark_is_none(said):
    assert DrawnMark.from_json(said) is None


def test_a_mark_is_read_as_it_was_written():
    mark = DrawnMark(
        slide_identity="a1", region_source=RegionSource.PROPOSED, fields=SETTINGS,
        regions=RegionSettings(), squares_sha256="0",
    )  # fmt: skip
    said = json.loads(json.dumps({MARK: mark.as_json()}))[MARK]
    assert DrawnMark.from_json(said) == mark
    assert (said["slide_identity"], said["sampling"], said["seed"]) == ("a1", "random", 7)
    assert DrawnMark.from_json(said | {"seed": -1}) is None
    assert DrawnMark.from_json(said | {"sampling": "given"}).fields.sampling == Sampling.GIVEN
