import json
import math

import numpy as np
import pytest
import shapely
from shapely.geometry import mapping

from ihcscore.errors import AnnotationError
from ihcscore.regions import Annotations, check_on_slide, derive_regions, tumour_centre
from ihcscore.regions.read import parse_annotations
from ihcscore.schema import Front, NoteKind, RegionName, RegionSettings

CENTRE, FRONT = RegionName.TUMOUR_CENTRE, RegionName.INVASIVE_FRONT
SQUARE = shapely.box(100, 100, 500, 400)


def feature(geometry, name="Tumor", **properties):
    classification = {"classification": {"name": name, "color": [200, 0, 0]}} if name else {}
    return {
        "type": "Feature",
        "geometry": mapping(geometry),
        "properties": {"objectType": "annotation", **classification, **properties},
    }


def read(text, name="a.geojson", **origin):
    return parse_annotations(text.encode(), name=name, **origin)


def parse(*features):
    return read(json.dumps({"type": "FeatureCollection", "features": list(features)}))


@pytest.mark.parametrize("name", ["Tumor", "Tumour", "tumor", " TUMOUR "])
def test_tumour_by_both_spellings(name):
    assert parse(feature(SQUARE, name)).tumour.equals(SQUARE)


@pytest.mark.parametrize("name", ["Tumour centre", "Tumor center"])
def test_centre_as_drawn(name):
    assert parse(feature(SQUARE, name)).centre.equals(SQUARE)


@pytest.mark.parametrize("name", ["Invasive front", "Invasive margin"])
def test_front_as_drawn(name):
    assert parse(feature(SQUARE, name)).front.equals(SQUARE)


@pytest.mark.parametrize("name", ["Ignore", "Exclude", "Necrosis", "Ignore*", "Region*"])
def test_excluded_classes(name):
    hole = shapely.box(200, 200, 250, 250)
    assert parse(feature(SQUARE), feature(hole, name)).excluded.equals(hole)


def test_pigment_is_an_example_and_no_region():
    example = shapely.box(200, 200, 250, 250)
    found = parse(feature(SQUARE), feature(example, "Pigment"))
    assert found.pigment.equals(example)
    assert found.tumour.equals(SQUARE)
    assert found.unknown == ()


def test_lists_single_features_and_plain_class_names():
    assert read(json.dumps([feature(SQUARE)])).tumour.equals(SQUARE)
    assert read(json.dumps(feature(SQUARE))).tumour.equals(SQUARE)
    plain = feature(SQUARE, None, classification="Tumor")
    assert parse(plain).tumour.equals(SQUARE)


def test_several_polygons_are_joined_and_holes_kept():
    ring = SQUARE.difference(shapely.box(200, 200, 300, 300))
    other = shapely.MultiPolygon([shapely.box(600, 100, 700, 200), shapely.box(800, 100, 900, 200)])
    assert parse(feature(ring), feature(other)).tumour.area == pytest.approx(ring.area + 2 * 100**2)


def test_unknown_classes_are_listed_and_detections_ignored():
    found = parse(
        feature(SQUARE), feature(SQUARE, "Stroma"), feature(SQUARE, "Tumor", objectType="detection")
    )
    assert found.unknown == ("Stroma",)
    assert found.tumour.equals(SQUARE)


BOW_TIE = {"type": "Polygon", "coordinates": [[[0, 0], [10, 10], [10, 0], [0, 10], [0, 0]]]}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        ("{", "not valid JSON"),
        ("[1, 2]", "not GeoJSON features"),
        ('{"type": "FeatureCollection", "features": []}', "no features"),
        (json.dumps([feature(SQUARE, "Stroma")]), "no polygon classed Tumor.*Stroma"),
        (json.dumps([feature(SQUARE) | {"geometry": BOW_TIE}]), "crosses itself"),
        (
            json.dumps([feature(SQUARE) | {"geometry": {"type": "Polygon", "coordinates": [[[0, 0], [1]]]}}]),
            "broken",
        ),
        (json.dumps([feature(SQUARE) | {"geometry": None}]), "expected a Polygon"),
        (json.dumps([feature(shapely.LineString([(0, 0), (5, 5)]))]), "LineString"),
        (json.dumps([feature(SQUARE) | {"geometry": {"type": "Polygon", "coordinates": []}}]), "no area"),
        ("[" * 100_000, "not valid JSON"),
        (json.dumps([feature(SQUARE)]).replace("500.0", "NaN"), "broken coordinates|no area"),
        (json.dumps([feature(SQUARE)]).replace("500.0", "1e999"), "broken coordinates|no area"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_line(text, says):
    with pytest.raises(AnnotationError, match=says) as caught:
        read(text)
    assert str(caught.value).startswith("a.geojson")
    assert "\n" not in str(caught.value)


def test_off_the_slide_and_off_the_tissue_are_refused():
    tissue = shapely.box(0, 0, 1000, 1000)
    check_on_slide(Annotations(tumour=SQUARE), size_xy_px=(1000, 1000), tissue=tissue, name="a")
    far = shapely.box(5000, 5000, 6000, 6000)
    with pytest.raises(AnnotationError, match="outside the slide"):
        check_on_slide(Annotations(tumour=far), size_xy_px=(1000, 1000), tissue=tissue, name="a")
    with pytest.raises(AnnotationError, match="25% of the tumour is on tissue"):
        check_on_slide(
            Annotations(tumour=SQUARE),
            size_xy_px=(1000, 1000),
            tissue=shapely.box(100, 100, 200, 400),
            name="a",
        )


def derive(annotations, tissue, *, margin_um=200.0, mpp_um=1.0, side_px=50.0):
    return derive_regions(
        annotations,
        tissue=tissue,
        mpp_um=mpp_um,
        side_px=side_px,
        settings=RegionSettings(margin_um=margin_um),
    )


def test_bands_of_a_disc_have_the_area_of_rings():
    tissue = shapely.box(0, 0, 4000, 4000)
    disc = shapely.Point(2000, 2000).buffer(1000, quad_segs=256)
    (centre, front), notes = derive(Annotations(tumour=disc), tissue)
    # margin 200 µm at 1 µm/px: 100 px each side
    assert centre.area.area == pytest.approx(math.pi * 900**2, rel=1e-3)
    assert front.area.area == pytest.approx(math.pi * (1100**2 - 900**2), rel=1e-3)
    assert notes == []
    assert centre.area.intersection(front.area).area < 1e-3 * front.area.area


@pytest.mark.parametrize(("side", "inner", "outer"), [("inside", 900, 1000), ("outside", 1000, 1100)])
def test_front_can_take_one_side(side, inner, outer):
    tissue = shapely.box(0, 0, 4000, 4000)
    disc = shapely.Point(2000, 2000).buffer(1000, quad_segs=256)
    settings = RegionSettings(margin_um=200, front=Front(side))
    (centre, front), _ = derive_regions(
        Annotations(tumour=disc), tissue=tissue, mpp_um=1.0, side_px=50.0, settings=settings
    )
    assert front.area.area == pytest.approx(math.pi * (outer**2 - inner**2), rel=2e-3)
    assert centre.area.area == pytest.approx(math.pi * 900**2, rel=1e-3)


def test_margin_is_in_micrometres():
    tissue = shapely.box(0, 0, 4000, 4000)
    disc = shapely.Point(2000, 2000).buffer(1000, quad_segs=256)
    (centre, _), _ = derive(Annotations(tumour=disc), tissue, mpp_um=0.5)
    assert centre.area.area == pytest.approx(math.pi * 800**2, rel=1e-3)


def test_no_front_where_the_tumour_is_the_tissue():
    core = shapely.box(0, 0, 3000, 1000)
    regions, notes = derive(Annotations(tumour=core), core)
    assert [region.name for region in regions] == [CENTRE]
    (note,) = notes
    assert "no invasive front" in note.text
    assert (note.region, note.kind) == (FRONT, NoteKind.NO_REGION)


def test_front_only_where_tissue_lies_beyond_the_outline():
    tissue = shapely.box(0, 0, 4000, 2000)
    tumour = shapely.box(0, 0, 2000, 2000)  # its other three sides are the tissue's edge
    (_, front), _ = derive(Annotations(tumour=tumour), tissue)
    left, _, right, _ = front.area.bounds
    assert left == pytest.approx(1900, abs=1)
    assert right == pytest.approx(2100, abs=1)


def test_thin_tumour_gives_its_innermost_part_and_says_so():
    tissue = shapely.box(0, 0, 4000, 4000)
    strip = shapely.box(1000, 1000, 3000, 1150)  # 150 px: no room at 100 px from the outline
    regions, notes = derive(Annotations(tumour=strip), tissue)
    assert regions[0].area.area > 0
    assert "too thin" in notes[0].text
    assert (notes[0].region, notes[0].kind) == (CENTRE, NoteKind.THIN)


def test_centre_shrinks_only_when_it_must():
    disc = shapely.Point(0, 0).buffer(300, quad_segs=128)
    _, distance = tumour_centre(disc, half_px=100, side_px=50)
    assert distance == 100
    centre, distance = tumour_centre(disc, half_px=290, side_px=50)
    # the circle round a 50 px square has a radius of 35.4 px: 300 - 35.4
    assert distance == pytest.approx(264.6, abs=0.5)
    assert centre.contains(shapely.box(-25, -25, 25, 25))


def test_drawn_regions_win_and_exclusions_are_cut_out():
    tissue = shapely.box(0, 0, 4000, 4000)
    drawn = shapely.box(1000, 1000, 1500, 1500)
    cut = shapely.box(1000, 1000, 1100, 1500)
    regions, _ = derive(
        Annotations(tumour=shapely.box(500, 500, 3000, 3000), centre=drawn, excluded=cut), tissue
    )
    assert regions[0].drawn
    assert regions[0].area.area == pytest.approx(drawn.area - cut.area)
    assert not regions[1].drawn


IMAGESCOPE = """<?xml version="1.0" encoding="UTF-8"?>
<Annotations MicronsPerPixel="0.5"><Annotation Id="1" Name="Tumor" Type="4"><Regions>
<Region Id="1" Type="0" NegativeROA="0"><Vertices><Vertex X="100" Y="100"/><Vertex X="500" Y="100"/>
<Vertex X="500" Y="400"/><Vertex X="100" Y="400"/></Vertices></Region>
<Region Id="2" Type="1" NegativeROA="1"><Vertices><Vertex X="200" Y="200"/><Vertex X="300" Y="200"/>
<Vertex X="300" Y="300"/><Vertex X="200" Y="300"/></Vertices></Region>
<Region Id="3" Type="3"><Vertices><Vertex X="0" Y="0"/><Vertex X="9" Y="9"/></Vertices></Region>
</Regions></Annotation>
<Annotation Id="2" Name="Necrosis"><Regions><Region Id="1" Type="2"><Vertices><Vertex X="400" Y="100"/>
<Vertex X="440" Y="120"/></Vertices></Region></Regions></Annotation></Annotations>"""

ASAP = """<?xml version="1.0"?>
<ASAP_Annotations><Annotations>
<Annotation Name="Annotation 0" Type="Polygon" PartOfGroup="Tumor" Color="#F4FA58"><Coordinates>
<Coordinate Order="2" X="500" Y="400"/><Coordinate Order="0" X="100" Y="100"/>
<Coordinate Order="1" X="500" Y="100"/><Coordinate Order="3" X="100" Y="400"/></Coordinates></Annotation>
<Annotation Name="Ignore" Type="Rectangle" PartOfGroup="None"><Coordinates>
<Coordinate Order="0" X="200" Y="200"/>
<Coordinate Order="1" X="300" Y="200"/><Coordinate Order="2" X="300" Y="300"/>
<Coordinate Order="3" X="200" Y="300"/></Coordinates></Annotation>
<Annotation Name="a cell" Type="Dot" PartOfGroup="None"><Coordinates>
<Coordinate Order="0" X="1" Y="1"/></Coordinates>
</Annotation></Annotations><AnnotationGroups/></ASAP_Annotations>"""


@pytest.mark.parametrize("text", [IMAGESCOPE, ASAP])
def test_imagescope_and_asap_give_the_same_areas(text):
    found = read(text, "a.xml")
    assert found.tumour.equals(SQUARE)
    assert found.excluded.intersection(shapely.box(200, 200, 300, 300)).area == pytest.approx(100**2)
    assert found.unknown == ()


def test_an_ellipse_of_imagescope_is_cut_out():
    ellipse = read(IMAGESCOPE, "a.xml").excluded.difference(shapely.box(200, 200, 300, 300))
    assert ellipse.area == pytest.approx(math.pi * 20 * 10, rel=0.01)
    assert ellipse.bounds == pytest.approx((400, 100, 440, 120))


@pytest.mark.parametrize("text", [IMAGESCOPE, ASAP])
def test_xml_counts_from_the_canvas_geojson_from_the_scanned_area(text):
    moved = read(text, "a.xml", origin_xy_px=(30, 70)).tumour
    assert moved.bounds == (70, 30, 470, 330)
    same = read(json.dumps(feature(SQUARE)), origin_xy_px=(30, 70)).tumour
    assert same.equals(SQUARE)


BOMB = """<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<Annotations><Annotation Name="&b;"/></Annotations>"""
EXTERNAL = """<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]>
<Annotations><Annotation Name="&x;"/></Annotations>"""


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (BOMB, "DTD or entities"),
        (EXTERNAL, "DTD or entities"),
        ("<Annotations><Annotation>", "not valid XML"),
        ("<svg/>", "expected ImageScope's or ASAP's"),
        ("<Annotations/>", "no polygon classed Tumor"),
        (IMAGESCOPE.replace('X="500"', 'X="east"'), "broken coordinates"),
        (IMAGESCOPE.replace('X="500"', 'X="nan"'), "not finite"),
        (ASAP.replace("Polygon", "Dot"), "no polygon classed Tumor"),
    ],
)
def test_xml_that_cannot_be_used_is_refused(text, says):
    with pytest.raises(AnnotationError, match=says):
        read(text, "a.xml")


def test_size_and_corners_are_bounded():
    with pytest.raises(AnnotationError, match="65 MB, expected at most 64"):
        parse_annotations(b" " * (65 * 2**20), name="a.geojson")
    angle = np.linspace(0, 2 * np.pi, 1_000_000, endpoint=False)
    disc = shapely.Polygon(np.column_stack([5000 + 3000 * np.cos(angle), 5000 + 3000 * np.sin(angle)]))
    found = parse(feature(disc)).tumour
    assert shapely.get_num_coordinates(found) <= 20_000
    assert found.area == pytest.approx(disc.area, rel=1e-3)
    with pytest.raises(AnnotationError, match="not a text file"):
        parse_annotations(b"\x89PNG\xff\x00", name="a.geojson")
