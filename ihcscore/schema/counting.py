"""Tables of images, slides and cohorts."""

from __future__ import annotations

from ihcscore.schema.table import Table, columns

CELL = columns("""
    x_px            | float | centre of the cell, px of the image or level-0 px of the slide
    y_px            | float | the same, y down; the centre of the first pixel is at (0, 0)
    class           | str   | Positive, Negative or Pigment suspect
    diameter_um     | float | diameter of the circle of the cell's size
    chromogen_od          | float | optical density of the chromogen in the marker's compartment
    hematoxylin_od  | float | optical density of haematoxylin in the nucleus
    confidence      | float | probability that the class is right (of suspects: that they are not positive)
""")

_MEMBRANE_CELL = columns("""
    membrane_od_um  | float | chromogen across the membrane, OD·µm; empty where the finder measures none
    completeness    | float | share of the cell's directions whose membrane is above the lowest cut
    cytoplasm_od    | float | optical density of the chromogen just inside the membrane
    surface_share   | float | membrane over membrane and cytoplasm, 0 to 1
""")

_MEMBRANE = columns("""
    compartment             | str   | what says which cells are tumour cells; empty for other finders
    n_tumour_cells          | int   | tumour cells classed 0, 1+, 2+ or 3+
    n_not_measured          | int   | cells with too few neighbours to be measured
    h_score                 | float | 100 times the mean class of the tumour cells, 0 to 300
    positive_pct            | float | tumour cells of 1+ and more, percent
    strong_pct              | float | tumour cells of 3+, percent
    complete_pct            | float | tumour cells with a complete membrane, percent
    membrane_od_um_median   | float | median chromogen across their membranes, OD·µm
    surface_share_median    | float | median of their surface_share
    control_od_um           | float | median membrane of the lymphocytes, OD·µm
""")

_COUNTS = columns("""
    n_positive          | int | cells classed Positive
    n_negative          | int | cells classed Negative
    n_pigment_suspect   | int | brown objects classed Pigment suspect
""")

_DENSITIES = columns("""
    positive_per_mm2            | float | positive cells per mm² of field
    positive_per_mm2_tissue     | float | positive cells per mm² of tissue in the field
    positive_or_suspect_per_mm2 | float | positive cells and pigment suspects per mm² of field
""")

IMAGE_CELLS = Table(
    name="cells",
    row="a cell on a plain image",
    columns=(*columns("image | str | file name"), *CELL, *_MEMBRANE_CELL),
)

IMAGE_COUNTS = Table(
    name="counts",
    row="an image",
    columns=(
        *columns("""
            image       | str   | file name
            marker      | str   | profile that was used
            width_px    | int   | width of the image
            height_px   | int   | height of the image
            mpp_um      | float | µm per pixel
            area_mm2    | float | area of the image
        """),
        *_COUNTS,
        *columns("""
            positive_per_mm2            | float | positive cells per mm² of image
            positive_or_suspect_per_mm2 | float | positive cells and pigment suspects per mm² of image
            pigment_fraction            | float | share of the image covered by pigment, 0 to 1
            stain_source                | str   | where white reference and stain vectors come from
            qc                          | str   | quality: pass, or warn where the stain is doubtful
            qc_reason                   | str   | why, else empty
        """),
        *_MEMBRANE,
    ),
)

_WHERE = columns("""
    slide           | str   | file name of the slide
    marker          | str   | profile that was used
    region          | str   | Tumour centre, Invasive front, Both regions or Given fields
    region_source   | str   | annotated, or proposed, not confirmed
""")

_REVIEWED = columns("""
    n_positive_tool | int | positive cells that the tool counted in the same fields
    n_added         | int | cells that readers added
    n_removed       | int | cells of the tool's that readers removed
    n_changed       | int | cells of the tool's that readers gave another class
""")

_BY_WHOM = columns("""
    review_status   | str | not reviewed, accepted, corrected, rejected; of several also partly reviewed
    reviewers       | str | who reviewed, joined by a semicolon
""")

SLIDE_CELLS = Table(
    name="cells",
    row="a cell whose centre lies in a field",
    columns=(
        *columns("""
            slide       | str   | file name of the slide
            marker      | str   | profile that was used
            region      | str   | Tumour centre or Invasive front
            sampling    | str   | how the field was chosen
            field_id    | str   | field that holds the cell's centre
            cell_id     | str   | its id in the GeoJSON; the same in every run on the same slide and field
            number      | int   | its number in the field, in reading order of the upright field
        """),
        *CELL,
        *_MEMBRANE_CELL,
        *columns("""
            class_tool      | str   | class that the tool gave; empty for a cell that a reader added
            review_status   | str   | of its field: not reviewed, accepted, corrected or rejected
        """),
    ),
)

FIELDS = Table(
    name="fields",
    row="a field",
    columns=(
        *_WHERE,
        *columns("""
            field_id                | str   | name of the field on this slide
            sampling                | str   | how the field was chosen
            seed                    | int   | seed of the random positions
            margin_um               | float | whole width of the invasive front
            front                   | str   | sides of the outline it takes: both, inside or outside
            x_px                    | float | left edge before the turn, level-0 px
            y_px                    | float | top edge before the turn, level-0 px
            side_px                 | float | side of the square, level-0 px
            side_um                 | float | side of the square
            angle_deg               | float | turn of the square about its centre, clockwise, degrees
            registration_error_um   | float | estimated error of the place on this slide; empty if drawn here
            area_mm2                | float | area of the square
            tissue_fraction         | float | share of the square that is tissue, 0 to 1
            status                  | str   | scored, unplaced, rejected (quality) or failed (no pixels)
            qc                      | str   | quality: pass, warn or fail
            qc_reason               | str   | why, else empty
            focus                   | float | sharpness, 0 to about 0.6; the lower, the more blurred
            fold_fraction           | float | share of the square that is folded, 0 to 1
            pen_fraction            | float | share of the square under ink, 0 to 1
        """),
        *_COUNTS,
        *_DENSITIES,
        *columns("""
            percent_positive        | float | Positive / (Positive + Negative), in percent
            pigment_fraction        | float | share of the square covered by pigment, 0 to 1
            error                   | str   | why the field was not scored, else empty
        """),
        *_MEMBRANE,
        *_REVIEWED,
        *_BY_WHOM,
    ),
)

PLANNED_FIELDS = Table(
    name="fields",
    row="a field that was drawn and not scored",
    columns=tuple(
        column
        for column in FIELDS.columns
        if column.name
        in ("slide", "region", "region_source", "field_id", "sampling", "seed", "margin_um", "front",
            "x_px", "y_px", "side_px", "angle_deg", "area_mm2", "tissue_fraction")
    ),
)  # fmt: skip

SCORES = Table(
    name="scores",
    row="a region of a slide, and one for both regions together",
    columns=(
        *_WHERE,
        *columns("""
            sampling            | str   | how the fields were chosen
            seed                | int   | seed of the random positions
            margin_um           | float | whole width of the invasive front
            front               | str   | sides of the outline it takes: both, inside or outside
            field_area_mm2      | float | area of one field
            n_fields            | int   | fields that were asked for
            n_scored            | int   | fields that were scored
            n_unplaced          | int   | fields of the reference that could not be placed on this slide
            n_rejected          | int   | fields whose quality failed; others were drawn in their place
            n_failed            | int   | fields that were drawn and could not be decoded
            area_mm2            | float | area of all scored fields
            tissue_mm2          | float | tissue in all scored fields
        """),
        *_COUNTS,
        *_DENSITIES,
        *columns("""
            poisson_low_per_mm2  | float | exact Poisson 95 % interval of positive_per_mm2, lower end
            poisson_high_per_mm2 | float | exact Poisson 95 % interval of positive_per_mm2, upper end
            mean_per_mm2         | float | mean of the fields' positive_per_mm2
            sd_per_mm2           | float | their standard deviation (n - 1)
            ci95_low_per_mm2     | float | 95 % interval of the mean, by the spread between fields
            ci95_high_per_mm2    | float | its upper end; of both regions the spread is that within each
            cv                   | float | their coefficient of variation, sd_per_mm2 / mean_per_mm2
            n_fields_to_halve    | int   | fields that would halve it at this sd; empty for both
            median_per_mm2       | float | median of the fields
            q1_per_mm2           | float | their lower quartile
            q3_per_mm2           | float | their upper quartile
            min_per_mm2          | float | smallest field
            max_per_mm2          | float | largest field
            pigment_fraction     | float | share of the fields' area covered by pigment, 0 to 1
            warnings             | str   | what a reader must know, for a person
        """),
        *_MEMBRANE,
        *columns("""
            h_score_low          | float | 95 % interval of h_score, by the spread between fields
            h_score_high         | float | its upper end
        """),
        *_REVIEWED,
        *columns("n_reviewed | int | fields that were reviewed"),
        *_BY_WHOM,
    ),
)

_WHOSE = columns("""
    patient_id  | str | as in the manifest
    sample_id   | str | as in the manifest
""")

COHORT_SCORES = Table(
    name="scores",
    row="a region of a slide of a cohort",
    columns=(
        *_WHOSE,
        *SCORES.columns,
        *columns("""
            matched_mean_per_mm2    | float | mean of the fields that were scored on every marker
            n_matched               | int   | those fields
            missing                 | str   | what was not scored and why, else empty
        """),
    ),
)

COHORT_FIELDS = Table(name="fields", row="a field of a slide of a cohort", columns=(*_WHOSE, *FIELDS.columns))

SAMPLE_SUMMARY = Table(
    name="samples",
    row="a marker and region of a sample; Both regions is all fields together, as the paper gives them",
    columns=(
        *_WHOSE,
        *columns("""
            marker          | str   | profile that was used
            region          | str   | Tumour centre, Invasive front or Both regions
            n_scored        | int   | fields that were scored
            mean_per_mm2    | float | mean of the fields' positive_per_mm2
            sd_per_mm2      | float | their standard deviation (n - 1)
            review_status   | str   | not reviewed, partly reviewed, accepted, corrected or rejected
        """),
    ),
)

MARKER_SUMMARY = Table(
    name="markers",
    row="a marker and region over all samples",
    columns=columns("""
        marker              | str   | profile that was used
        region              | str   | Tumour centre, Invasive front or Both regions
        n_samples           | int   | samples with a scored field
        mean_per_mm2        | float | mean of the samples' means
        min_per_mm2         | float | smallest mean
        max_per_mm2         | float | largest mean
        median_per_mm2      | float | median of the samples' means
        q1_per_mm2          | float | their lower quartile
        q3_per_mm2          | float | their upper quartile
        review_status       | str   | of all samples together
    """),
)

CARRIED_POINTS = Table(
    name="points",
    row="a point carried from a reference slide to another",
    columns=columns("""
        X                       | float | the point on the moving slide, level-0 px
        Y                       | float | the same, y down
        reference_X             | float | the point on the reference, level-0 px
        reference_Y             | float | the same, y down
        registration_error_um   | float | estimated error; empty where the slides could not be matched
        recognised              | bool  | whether the place itself was recognised, rather than the section
    """),
)

DEMO = Table(
    name="comparison",
    row="a region of a slide of the demonstration",
    columns=columns("""
        sample_id           | str   | as in the manifest
        marker              | str   | profile that was used
        region              | str   | Tumour centre or Invasive front
        n_scored            | int   | fields that were scored
        n_counted           | int   | positive cells that were counted in the fields
        n_true              | int   | positive cells that were drawn in the same fields
        counted_per_mm2     | float | counted per mm² of field
        true_per_mm2        | float | drawn per mm² of field
        ratio               | float | counted over drawn
    """),
)

DEMO_FIT = Table(
    name="fit",
    row="a marker of the demonstration",
    columns=columns("""
        marker              | str   | profile that was used
        n                   | int   | regions of samples
        lowest_per_mm2      | float | smallest density that was drawn in a whole region
        highest_per_mm2     | float | largest
        slope               | float | of the line through the measured over the drawn densities
        intercept_per_mm2   | float | of the same line
        r                   | float | Pearson's correlation
    """),
)

DEMO_PLACES = Table(
    name="places",
    row="a field that was carried to another stain of the demonstration",
    columns=columns("""
        sample_id               | str   | as in the manifest
        marker                  | str   | marker of the slide
        field_id                | str   | name of the field
        true_error_um           | float | distance from where the sections were drawn to have it
        registration_error_um   | float | what the program estimated
        status                  | str   | what became of the field
    """),
)
