"""Open a slide of any supported format; RGB of any rectangle, alpha composited.

Adding a format is one file with a :class:`~ihcscore.slide.base.Slide` in it and one line in
:mod:`ihcscore.slide.opening`.
"""

from ihcscore.slide.base import Level, Slide
from ihcscore.slide.opening import open_slide
from ihcscore.slide.readers.plain_image import find_images, read_image
from ihcscore.slide.section import open_section
from ihcscore.slide.thumbnail import Thumbnail
from ihcscore.slide.view import View

__all__ = ["Level", "Slide", "Thumbnail", "View", "find_images", "open_section", "open_slide", "read_image"]
