"""Compose the steps: an array, a folder of images, a slide, several slides, a study."""

from ihcscore.pipeline.agreement import AgreementResult, agree_tables
from ihcscore.pipeline.carry import ReferenceFields
from ihcscore.pipeline.correlation import correlate_tables
from ihcscore.pipeline.counting import count_cells
from ihcscore.pipeline.description import describe_slide
from ihcscore.pipeline.images import ImageCounts, count_images
from ihcscore.pipeline.preview import write_fields, write_regions
from ihcscore.pipeline.register import RegistrationResult, register_slides
from ihcscore.pipeline.slide import SlideScores, score_slide
from ihcscore.pipeline.slides import SlidesScores, score_slides
from ihcscore.pipeline.study import Study

__all__ = [
    "AgreementResult",
    "ImageCounts",
    "ReferenceFields",
    "RegistrationResult",
    "SlideScores",
    "SlidesScores",
    "Study",
    "agree_tables",
    "correlate_tables",
    "count_cells",
    "count_images",
    "describe_slide",
    "register_slides",
    "score_slide",
    "score_slides",
    "write_fields",
    "write_regions",
]
