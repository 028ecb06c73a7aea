"""Fields on a spoilt slide: what is marked is avoided, what fails is drawn again, and all of it is said."""

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

import ihcscore
from ihcscore import synthetic
from ihcscore.run.drawn import DrawnFields
from ihcscore.run.given import GivenFields
from ihcscore.run.preview import write_fields, write_regions
from ihcscore.schema import FieldSettings, RegionSettings, RunSettings, Sampling
from ihcscore.synthetic import ArtefactKind

SETTINGS = RunSettings(
    fields=FieldSettings(n_per_region=4, area_mm2=0.06), regions=RegionSettings(margin_um=600)
)


@pytest.fixture(scope="module")
def spoilt(phantom, tmp_path_factory):
    """The phantom with ink, a fold and an out-of-focus part; the slide's files and the artefacts' masks."""
    section = phantom.section
    rgb = section.rgb
    tissue = synthetic.outline_mask(section.tissue_px, rgb.shape[:2], step=1)
    masks = {}
    for kind in (ArtefactKind.PEN_GREEN, ArtefactKind.FOLD, ArtefactKind.OUT_OF_FOCUS):
        drawn = synthetic.add_artefact(rgb, kind, tissue=tissue, mpp_um=section.mpp_um, seed=4)
        rgb, masks[kind] = drawn.rgb, drawn.mask
    spoilt_section = dataclasses.replace(section, rgb=rgb)
    files = synthetic.write_phantom(tmp_path_factory.mktemp("spoilt"), spoilt_section, name="S09")
    return files, masks


def share(mask, row):
    top, left, side = int(row.y_px), int(row.x_px), int(row.side_px)
    return mask[top : top + side, left : left + side].mean()


def test_scored_fields_avoid_what_is_marked(spoilt, tmp_path):
    files, masks = spoilt
    out = tmp_path / "out"
    result = ihcscore.score_slide(
        files.slide, profile="CD8", fields=DrawnFields(outline=files.annotation), settings=SETTINGS, out=out
    )
    scored = result.fields[result.fields.status == "scored"]
    assert len(scored) >= 4
    for row in scored.itertuples():
        assert share(masks[ArtefactKind.PEN_GREEN], row) < 0.06
        assert share(masks[ArtefactKind.FOLD], row) < 0.12
        assert share(masks[ArtefactKind.OUT_OF_FOCUS], row) < 0.5
        assert row.qc in ("pass", "warn")
        assert bool(row.qc_reason) == (row.qc == "warn")
    rejected = result.fields[result.fields.status == "rejected"]
    assert rejected.n_positive.isna().all()
    assert rejected.qc_reason.str.len().gt(5).all()
    both = result.scores.set_index("region").loc["Both regions"]
    assert (both.n_rejected, both.n_scored, both.n_fields) == (len(rejected), len(scored), 8)
    assert result.scores.n_rejected.sum() == 2 * len(rejected)
    assert set(pd.read_csv(out / "fields.csv").qc) <= {"pass", "warn", "fail"}


def test_a_field_under_ink_is_rejected_and_another_is_drawn(spoilt):
    files, _ = spoilt
    # without the mask of ink, fields would lie under it: the field's own pixels tell
    for seed in range(12):
        settings = dataclasses.replace(SETTINGS, fields=dataclasses.replace(SETTINGS.fields, seed=seed))
        result = ihcscore.score_slide(
            files.slide, profile="CD8", fields=DrawnFields(outline=files.annotation), settings=settings
        )
        front = result.fields[result.fields.region == "Invasive front"]
        rejected = front[front.status == "rejected"]
        if len(rejected):
            break
    assert len(rejected), "no seed drew a field that touches the ink"
    assert (front.status == "scored").sum() == 4
    assert front.field_id.is_unique
    assert "front-5" in set(front.field_id)


def test_given_fields_are_scored_whatever_their_quality(spoilt, tmp_path):
    files, masks = spoilt
    rows, columns = np.nonzero(masks[ArtefactKind.PEN_GREEN])
    at = len(rows) // 2
    left, top = int(columns[at]) - 200, int(rows[at]) - 200
    ring = [[left, top], [left + 400, top], [left + 400, top + 400], [left, top + 400], [left, top]]
    feature = {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]}, "properties": {}}
    (tmp_path / "f.geojson").write_text(json.dumps([feature]), encoding="utf-8")
    result = ihcscore.score_slide(files.slide, profile="CD8", fields=GivenFields(file=tmp_path / "f.geojson"))
    (row,) = result.fields.itertuples()
    assert (row.status, row.qc) == ("scored", "fail")
    assert "pen" in row.qc_reason


def test_regions_alone_can_be_corrected_and_given_back(phantom, tmp_path):
    out = tmp_path / "S07.geojson"
    lines = write_regions(phantom.files.slide, out=out)
    assert lines[0].startswith("confidence ")
    classes = {f["properties"]["classification"]["name"] for f in json.loads(out.read_text())["features"]}
    assert classes == {"Tumor"}
    with pytest.raises(ihcscore.errors.OutputError, match="exists"):
        write_regions(phantom.files.slide, out=out)
    plan = write_fields(
        phantom.files.slide, fields=DrawnFields(outline=out), settings=SETTINGS, out=tmp_path / "fields"
    )
    written = pd.read_csv(tmp_path / "fields" / "fields.csv")
    assert list(written.field_id) == [one.field_id for one in plan.fields]
    result = ihcscore.score_slide(
        phantom.files.slide, profile="CD8", fields=GivenFields(file=tmp_path / "fields" / "fields.geojson")
    )
    assert list(result.fields.x_px) == list(written.x_px)


def test_annotations_of_asap_and_qupath_mean_the_same_fields_on_a_slide_with_bounds(phantom, tmp_path):
    origin_x, origin_y = 2 * 256, 256  # the phantom's border of unscanned tiles
    corners = "".join(
        f'<Coordinate Order="{i}" X="{x + origin_x:.2f}" Y="{y + origin_y:.2f}"/>'
        for i, (x, y) in enumerate(phantom.section.tumour_px)
    )
    (tmp_path / "a.xml").write_text(
        '<ASAP_Annotations><Annotations><Annotation Name="a" Type="Polygon" PartOfGroup="Tumor">'
        f"<Coordinates>{corners}</Coordinates></Annotation></Annotations></ASAP_Annotations>",
        encoding="utf-8",
    )
    tables = [
        write_fields(
            phantom.files.slide,
            fields=DrawnFields(outline=file),
            settings=SETTINGS,
            out=tmp_path / file.suffix[1:],
        ).fields
        for file in (tmp_path / "a.xml", phantom.files.annotation)
    ]
    assert tables[0] == tables[1]


def test_all_fields_are_every_field_of_the_region(phantom):
    settings = dataclasses.replace(
        SETTINGS, fields=FieldSettings(area_mm2=0.02, sampling=Sampling.ALL, n_per_region=1)
    )
    result = ihcscore.score_slide(
        phantom.files.slide,
        profile="CD8",
        fields=DrawnFields(outline=phantom.files.annotation),
        settings=settings,
    )
    zones = dict(zip(phantom.section.zones.zone, phantom.section.zones.area_mm2, strict=True))
    for row in result.scores[result.scores.region != "Both regions"].itertuples():
        assert row.n_scored * 0.02 > 0.35 * zones[row.region]
        assert row.n_scored * 0.02 <= 1.05 * zones[row.region]
