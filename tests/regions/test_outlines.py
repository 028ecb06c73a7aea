"""Outlines as programs export and hands draw them: packed, nested, derived, crossed, beside other layers."""

import gzip
import io
import json
import zipfile

import pytest
import shapely
from shapely.geometry import mapping

from ihcscore.errors import AnnotationError
from ihcscore.regions import derive_regions
from ihcscore.regions.qupath import parse_areas
from ihcscore.regions.read import parse_annotations
from ihcscore.schema import NoteKind, RegionSettings

SQUARE = shapely.box(100, 100, 500, 400)
HOLE = shapely.box(200, 200, 250, 250)
WIDE = shapely.box(0, 0, 2000, 2000)


def feature(geometry, name="Tumor", **properties):
    own = {"objectType": "annotation", "classification": {"name": name}}
    geometry = geometry if isinstance(geometry, dict) else mapping(geometry)
    return {"type": "Feature", "geometry": geometry, "properties": own | properties}


def text_of(*features):
    return json.dumps({"type": "FeatureCollection", "features": features})


def read(text, **options):
    raw = text if isinstance(text, bytes) else text.encode()
    return parse_annotations(raw, name="a.geojson", **options)


def parse(*features):
    return read(text_of(*features))


def zipped(**files):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in files.items():
            archive.writestr(name.replace("__", "."), text)
    return packed.getvalue()


def said(annotations):
    return " ".join(note.text for note in annotations.notes)


def test_packed_files_are_read_as_they_are():
    text = text_of(feature(SQUARE))
    assert read(gzip.compress(text.encode())).tumour.equals(SQUARE)
    assert read(zipped(a__geojson=text, readme__txt="")).tumour.equals(SQUARE)


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (zipped(a__geojson="{}", b__geojson="{}"), "holds 2 annotation files"),
        (zipped(a__txt="{}"), "holds no .geojson"),
        (gzip.compress(b"{}", mtime=0)[:-9], "cannot be unpacked"),
        (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
    ],
    ids=["two outlines", "no outline", "cut", "another packer"],
)
def test_packed_files_that_cannot_be_read_say_what_to_do(raw, says):
    with pytest.raises(AnnotationError, match=says):
        read(raw)


@pytest.mark.parametrize("key", ["childObjects", "children"])
def test_children_are_areas_like_any_other(key):
    flat = parse(feature(SQUARE), feature(HOLE, "Necrosis"))
    nested = parse(feature(WIDE, "Tissue", **{key: [feature(SQUARE, **{key: [feature(HOLE, "Necrosis")]})]}))
    assert nested.tumour.equals(flat.tumour)
    assert nested.excluded.equals(flat.excluded)


@pytest.mark.parametrize("classification", [{"name": "Tumor: Necrosis"}, {"names": ["Tumor", "Necrosis"]}])
def test_a_derived_class_means_the_same_in_both_spellings(classification):
    found = parse(feature(SQUARE), feature(HOLE, classification=classification))
    assert found.excluded.equals(HOLE)
    assert "Tumor: Necrosis are taken as Ignore" in said(found)


@pytest.mark.parametrize(
    "mark",
    [
        {"id": "PathCellObject"},
        {"id": "PathTileObject"},
        {"properties": {"object_type": "detection"}},
        {"properties": {"objectType": "cell"}},
        {"properties": {"objectType": "tmaCore"}},
    ],
)
def test_what_no_person_drew_is_no_tumour(mark):
    other = feature(shapely.box(600, 600, 620, 620))
    del other["properties"]["objectType"]
    other["properties"].update(mark.get("properties", {}))
    other.update({key: value for key, value in mark.items() if key != "properties"})
    assert parse(feature(SQUARE), other).tumour.equals(SQUARE)
    assert len(parse_areas(text_of(feature(SQUARE), other), name="f").areas) == 1


def test_thousands_of_rings_end_and_keep_the_outline():
    holes = [
        shapely.box(x, y, x + 2, y + 2).exterior.coords
        for x in range(10, 730, 10)
        for y in range(10, 730, 10)
    ]
    drawn = shapely.Polygon(shapely.box(0, 0, 750, 750).exterior.coords, holes)
    found = parse(feature(drawn)).tumour
    assert len(holes) > 5000
    assert found.exterior.equals(drawn.exterior)
    assert found.area == pytest.approx(drawn.area)


def bands(tumour):
    regions, notes = derive_regions(
        parse(feature(tumour)), tissue=WIDE, mpp_um=1.0, side_px=50.0, settings=RegionSettings(margin_um=200)
    )
    return [region.area.area for region in regions], [note.kind for note in notes]


def test_pinholes_and_specks_make_no_front_and_a_cut_hole_does():
    tumour = shapely.box(300, 300, 1500, 1500)
    pinhole, speck, necrosis = (shapely.box(900, 900, 900 + side, 900 + side) for side in (8.0, 8.0, 450.0))
    speck = shapely.affinity.translate(speck, 800)
    whole, said_of_whole = bands(tumour)
    spoilt, said_of_spoilt = bands(tumour.difference(pinhole).union(speck))
    assert spoilt == pytest.approx(whole)
    assert NoteKind.SLIVERS in said_of_spoilt
    assert NoteKind.SLIVERS not in said_of_whole
    cut, said_of_cut = bands(tumour.difference(necrosis))
    assert cut[1] > 1.2 * whole[1]
    assert NoteKind.SLIVERS not in said_of_cut


def test_small_loops_are_mended_and_what_has_no_area_is_left_out():
    loop = shapely.Polygon(
        [
            (100, 100),
            (300, 100),
            (300.3, 99.7),
            (300.3, 100.3),
            (300, 99.9),
            (500, 100),
            (500, 400),
            (100, 400),
        ]
    )
    dot = {"type": "Polygon", "coordinates": [[[7, 7]] * 4]}
    speck = shapely.box(600, 600, 600.5, 600.5)
    found = parse(feature(loop), feature(dot), feature(shapely.Point(5, 5)), feature(speck))
    # The way on from the loop begins 0.1 px above the edge: 10 px² more over its 200 px.
    assert found.tumour.area == pytest.approx(SQUARE.area + 10, abs=1)
    assert "2 × outline that has no area (delete it)" in said(found)
    assert "1 × Point" in said(found)
    assert NoteKind.MENDED in {note.kind for note in found.notes}
    with pytest.raises(AnnotationError, match="crosses itself"):
        parse(feature(shapely.Polygon([(0, 0), (100, 100), (100, 0), (0, 100)])))


CORNERS = [(100, 100), (500, 100), (500, 400), (100, 400)]


def halo(kind="Polygon", more=""):
    corners = "".join(f'<V X="{x}" Y="{y}"/>' for x, y in CORNERS)
    region = f'<Region Type="{kind}" NegativeROA="0"><Vertices>{corners}</Vertices></Region>'
    return (
        f'<Annotations><Annotation Name="Tumor"><Regions>{region}</Regions></Annotation>{more}</Annotations>'
    )


def test_halo_is_read_and_ndpview_is_pointed_to_the_way_on():
    assert read(halo()).tumour.equals(SQUARE)
    with pytest.raises(AnnotationError, match="GeoJSON"):
        read(halo(), origin_xy_px=(10, 20))
    with pytest.raises(AnnotationError, match="of type cloud, not known"):
        read(halo("Cloud"))
    with pytest.raises(AnnotationError, match=r"NDP\.view.*GeoJSON"):
        read('<annotations><ndpviewstate id="1"/></annotations>')


def test_other_layers_are_named_and_their_shapes_not_looked_at():
    vertex = '<Vertex X="1" Y="1"/>'
    more = (
        f'<Annotation Name="Comments"><Region Type="0"><Vertices>{vertex}</Vertices></Region></Annotation>'
        * 2
    )
    found = read(halo("0", more))
    assert found.tumour.equals(SQUARE)
    assert found.unknown == ("Comments",)


def test_the_declared_encoding_of_an_xml_is_followed():
    text = '<?xml version="1.0" encoding="windows-1252"?>' + halo("0", '<Annotation Name="Größe – µm"/>')
    assert read(text.encode("cp1252")).tumour.equals(SQUARE)


def asap(order, group="Lobe 1"):
    corners = "".join(f'<Coordinate Order="{order(n)}" X="{x}" Y="{y}"/>' for n, (x, y) in enumerate(CORNERS))
    return (
        f'<ASAP_Annotations><Annotations><Annotation Name="A" Type="Polygon" PartOfGroup="{group}">'
        f"<Coordinates>{corners}</Coordinates></Annotation></Annotations><AnnotationGroups>"
        '<Group Name="Tumor" PartOfGroup="None"/><Group Name="Lobe 1" PartOfGroup="Tumor"/>'
        "</AnnotationGroups></ASAP_Annotations>"
    )


def test_asap_follows_groups_and_takes_the_files_order_where_none_is_given():
    assert read(asap(str)).tumour.equals(SQUARE)
    assert read(asap(lambda _: "")).tumour.equals(SQUARE)
