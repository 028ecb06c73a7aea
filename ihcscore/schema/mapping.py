"""Settings and tables of a whole slide's map."""

from __future__ import annotations

from dataclasses import dataclass, field

from ihcscore.schema.counting import CELL
from ihcscore.schema.settings import RunSettings, require, require_in
from ihcscore.schema.table import Range, Table, columns

# Beyond these a setting is a slip of the decimal point or of the unit, not a choice.
_RADIUS_UM = Range(low=20, high=5000)
_RING_UM = Range(low=10, high=1000)
_REACH_UM = Range(low=50, high=10_000)
_BLOCK_UM = Range(low=50, high=10_000)
_DRAWS = Range(low=100, high=1_000_000)
_CUT_PER_MM2 = Range(low=0, open_low=True, high=100_000)


@dataclass(frozen=True, kw_only=True)
class MapSettings:
    """Everything that decides a map, beside the slide, its annotation and the marker profile.

    Attributes
    ----------
    run : RunSettings
        Regions and fields, as in a run.
    radius_um : float
        Radius in µm of the disc in which the density of a place is taken. 250 µm hold about as much as a
        field and a half of the study.
    ring_um : float
        Width in µm of the rings of the infiltration profile.
    reach_um : float
        Distance in µm from the tumour outline to which the profile reaches on both sides.
    block_um : float
        Length in µm along the outline, and side of a square of tissue, of the blocks that are drawn again for
        intervals. Cells nearer to each other than this need not be independent.
    draws : int
        Fields are placed so often on the map, to show what they tell.
    cut_per_mm2 : float or None
        Positive cells per mm² from which a region counts as infiltrated, for the immune phenotype. Without it
        there is none.
    """

    run: RunSettings = field(default_factory=RunSettings)
    radius_um: float = 250.0
    ring_um: float = 50.0
    reach_um: float = 1000.0
    block_um: float = 500.0
    draws: int = 10_000
    cut_per_mm2: float | None = None

    def __post_init__(self) -> None:
        require_in(_RADIUS_UM, "radius_um", self.radius_um)
        require_in(_RING_UM, "ring_um", self.ring_um)
        require_in(_REACH_UM, "reach_um", self.reach_um)
        require_in(_BLOCK_UM, "block_um", self.block_um)
        require_in(_DRAWS, "draws", self.draws)
        require(
            self.reach_um >= self.ring_um, "reach_um", self.reach_um, f"at least a ring of {self.ring_um:g}"
        )
        if self.cut_per_mm2 is not None:
            require_in(_CUT_PER_MM2, "cut_per_mm2", self.cut_per_mm2)


MAP_CELLS = Table(
    name="cells",
    row="a cell of the slide (Parquet; CSV on demand)",
    columns=(
        *CELL,
        *columns("""
            place       | str   | tissue, left out (ink, fold, edge, blur, excluded) or off tissue
            region      | str   | Tumour centre or Invasive front; empty elsewhere and off tissue
            distance_um | float | signed distance to the tumour outline, negative inside; empty without one
        """),
    ),
)

MAP = Table(
    name="map",
    row="a part of the tissue",
    columns=columns("""
        slide               | str   | file name of the slide
        marker              | str   | profile that was used
        region              | str   | Tissue (all of it), Tumour, Beyond the tumour, or a region of fields
        region_source       | str   | annotated, or proposed, not confirmed
        tissue_mm2          | float | its tissue, without what is left out
        n_positive          | int   | cells classed Positive on that tissue
        n_negative          | int   | cells classed Negative
        n_pigment_suspect   | int   | brown objects classed Pigment suspect
        positive_per_mm2_tissue | float | positive cells per mm² of tissue
        ci95_low_per_mm2    | float | its 95 % interval, by blocks of tissue drawn again
        ci95_high_per_mm2   | float | upper end
        n_blocks            | int   | blocks that hold tissue of it
        positive_or_suspect_per_mm2_tissue | float | positive cells and pigment suspects per mm² of tissue
        percent_positive    | float | Positive / (Positive + Negative), in percent
    """),
)

PROFILE = Table(
    name="profile",
    row="a ring at a distance from the tumour outline",
    columns=columns("""
        slide               | str   | file name of the slide
        marker              | str   | profile that was used
        region_source       | str   | annotated, or proposed, not confirmed
        from_um             | float | nearest signed distance to the outline, negative inside the tumour
        to_um               | float | farthest signed distance
        tissue_mm2          | float | tissue in the ring, without what is left out
        n_positive          | int   | cells classed Positive in it
        positive_per_mm2_tissue | float | positive cells per mm² of tissue
        ci95_low_per_mm2    | float | its 95 % interval, by blocks along the outline drawn again
        ci95_high_per_mm2   | float | upper end
        band95_low_per_mm2  | float | lower end of the band that holds all rings at once in 95 %
        band95_high_per_mm2 | float | upper end of that band
        n_blocks            | int   | blocks of the outline that have tissue in the ring
    """),
)

MAP_FIELDS = Table(
    name="what_fields_tell",
    row="a number of fields in each region",
    columns=columns("""
        slide               | str   | file name of the slide
        marker              | str   | profile that was used
        n_fields            | int   | fields in each region
        n_fields_in_all     | int   | fields in all regions
        n_draws             | int   | draws that found room
        mean_per_mm2        | float | mean over the draws of the mean of the fields' positive_per_mm2
        sd_per_mm2          | float | standard deviation over the draws
        low95_per_mm2       | float | 2.5 % quantile over the draws
        median_per_mm2      | float | median over the draws
        high95_per_mm2      | float | 97.5 % quantile over the draws
        within_10_percent   | float | share of draws within 10 % of the mean over all draws, 0 to 1
        within_20_percent   | float | within 20 %
        within_30_percent   | float | within 30 %
    """),
)

SPATIAL = Table(
    name="spatial",
    row="a distance of a spatial statistic",
    columns=columns("""
        slide           | str   | file name of the slide
        marker          | str   | profile that was used
        statistic       | str   | G (nearest neighbours), L - r (Ripley), or cross L - r with another marker
        other_marker    | str   | the other marker of cross L - r; else empty
        r_um            | float | distance
        value           | float | of the positive cells: G from 0 to 1, L - r in µm
        expected        | float | mean of the simulations in the same tissue
        low95           | float | lower end of the envelope that holds all distances at once in 95 %
        high95          | float | upper end
        n_cells         | int   | positive cells that were used; of more a random part is
        n_simulations   | int   | simulated patterns
        p               | float | of the whole curve: Monte Carlo test against complete spatial randomness
        registration_error_um | float | estimated error of the other section's place; else empty
    """),
)
