"""A slide's ICC profile: from the scanner's RGB to sRGB."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from ihcscore.errors import SlideError, parameter

# A profile that moves no colour of this lattice by more than this many counts is sRGB under another
# name; converting would only cost time.
LATTICE_STEPS = 33
SAME_COUNTS = 1
MAX_NAME_CHARS = 80


class SrgbTransform:
    """Conversion of 8-bit RGB to sRGB by LittleCMS, with the profile's own rendering intent.

    Parameters
    ----------
    profile : bytes
        An ICC profile of an RGB device.
    slide_name : str
        For errors.

    Attributes
    ----------
    name : str
        The profile's description.

    Raises
    ------
    SlideError
        If the profile cannot be used.
    """

    def __init__(self, profile: bytes, *, slide_name: str) -> None:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            target = ImageCms.createProfile("sRGB")
            intent = ImageCms.Intent(ImageCms.getDefaultIntent(source))
            self._rgb = ImageCms.buildTransform(source, target, "RGB", "RGB", intent)
            self._rgba = ImageCms.buildTransform(source, target, "RGBA", "RGBA", intent)
            self.name = " ".join(ImageCms.getProfileDescription(source).split())[:MAX_NAME_CHARS]
        except (ImageCms.PyCMSError, OSError, ValueError) as error:
            raise SlideError(
                f"{slide_name}: its ICC colour profile cannot be used ({' '.join(str(error).split())}); "
                f"give {parameter('icc')} off"
            ) from error
        self._is_srgb = self._changes_nothing()

    def _changes_nothing(self) -> bool:
        steps = np.linspace(0, 255, LATTICE_STEPS).round().astype(np.uint8)
        lattice = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(1, -1, 3)
        moved = np.abs(self._convert(lattice).astype(np.int16) - lattice)
        return bool(moved.max() <= SAME_COUNTS)

    def __call__(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Convert pixels.

        Parameters
        ----------
        pixels : ndarray of uint8, shape (height, width, 3 or 4)
            RGB, or RGBA, whose alpha stays.

        Returns
        -------
        ndarray of uint8, of the same shape
            `pixels` themselves where the profile is sRGB.
        """
        return pixels if self._is_srgb else self._convert(pixels)

    def _convert(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        transform = self._rgba if pixels.shape[2] == 4 else self._rgb
        image = Image.fromarray(np.ascontiguousarray(pixels))
        # the transform itself holds no state between calls, so threads may share it
        converted = ImageCms.applyTransform(image, transform)
        return np.asarray(converted, np.uint8)
