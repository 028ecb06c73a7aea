"""Compose the steps: an array, a folder of images, a slide, several slides, the demonstration."""

from ihcscore.pipeline.counting import count_cells
from ihcscore.pipeline.demo import DemoResult, run_demo
from ihcscore.pipeline.description import describe_slide
from ihcscore.pipeline.images import ImageCounts, count_images
from ihcscore.pipeline.preview import write_fields, write_regions
from ihcscore.pipeline.slide import SlideScores, score_slide
from ihcscore.pipeline.slides import SlidesScores, score_slides

__all__ = [
    "DemoResult",
    "ImageCounts",
    "SlideScores",
    "SlidesScores",
    "count_cells",
    "count_images",
    "describe_slide",
    "run_demo",
    "score_slide",
    "score_slides",
    "write_fields",
    "write_regions",
]
