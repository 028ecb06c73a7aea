"""The stored values of a slice, decoded by what is installed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ihcscore.errors import PetError
from ihcscore.pet.elements import Elements

_JPEG_LOSSLESS = {"1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70"}
_JPEG_LS, _JPEG_2000 = "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.90"
# Uncompressed little and big endian, deflated, run-length.
_BY_PYDICOM = {
    "1.2.840.10008.1.2",
    "1.2.840.10008.1.2.1",
    "1.2.840.10008.1.2.1.99",
    "1.2.840.10008.1.2.2",
    "1.2.840.10008.1.2.5",
}


def read_stored(one: Elements, shape_yx: tuple[int, int]) -> NDArray[np.int32]:
    """Stored values of a slice, before the rescale slope.

    Parameters
    ----------
    one : Elements
    shape_yx : (int, int)
        Rows and columns that they must have.

    Returns
    -------
    (rows, columns) array of int
        Of the smallest type that holds them.

    Raises
    ------
    PetError
        If the pixels are lossy, of another kind, damaged or too few.
    """
    name = one.name
    if one.integer("SamplesPerPixel") not in (None, 1) or one.text("PhotometricInterpretation") not in (
        "MONOCHROME2",
        "",
    ):
        raise PetError(
            f"{name}: the pixels are not one grey value each, expected MONOCHROME2; export it again"
        )
    if one.text("LossyImageCompression") == "01":
        raise PetError(f"{name}: the pixels were compressed with loss, which changes uptake; export it again")
    try:
        stored = _decoded(one)
    except PetError:
        raise
    except Exception as error:  # decoders raise many kinds on damaged pixels
        raise PetError(
            f"{name}: the pixels of a slice are damaged and cannot be decoded; export it again"
        ) from error
    if stored.shape != shape_yx:
        raise PetError(
            f"{name}: a slice decodes to {stored.shape} pixels, expected {shape_yx}; export it again"
        )
    return stored


def _decoded(one: Elements) -> NDArray[np.int32]:
    dataset = one.dataset
    syntax = str(dataset.file_meta.TransferSyntaxUID)
    if syntax in _BY_PYDICOM:
        return np.asarray(dataset.pixel_array)
    decode = {_JPEG_LS: "jpegls_decode", _JPEG_2000: "jpeg2k_decode"}.get(syntax)
    if decode is None and syntax not in _JPEG_LOSSLESS:
        raise PetError(
            f"{one.name}: the pixels are compressed as "
            f"{dataset.file_meta.TransferSyntaxUID.name}, which cannot be "
            "decoded without loss here; export it uncompressed"
        )
    import imagecodecs
    from pydicom.encaps import get_frame

    frame = get_frame(dataset.PixelData, 0, number_of_frames=1)
    stored = np.asarray(getattr(imagecodecs, decode or "ljpeg_decode")(frame))
    signed = one.integer("PixelRepresentation") == 1
    if not signed or stored.dtype.kind == "i":
        return stored
    bits = one.integer("BitsStored") or 8 * stored.itemsize
    wide = stored.astype(np.int32)
    return wide - ((wide >> (bits - 1)) << bits)  # two's complement of so many bits
