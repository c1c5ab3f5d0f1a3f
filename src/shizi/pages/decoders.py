"""Decoders: the bytes of one checked picture become an array, by whichever library is right and then fast.

Takes a `Header` or a TIFF directory whose limits were checked, gives H W (grey), H W 3 (RGB) or H W 4 (RGBA)
of uint8, or of uint16, int32 or float32 where the file is deeper. Knows neither limits nor orientation nor
background.

Which library reads what was measured: docs/decisions/002-one-decode-path.md. Every foreign error becomes
DamagedFile.
"""

import io
import struct
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import BmpImagePlugin, GifImagePlugin, Image, ImageFile, JpegImagePlugin, TiffImagePlugin

from shizi.errors import DamagedFile, TooLarge, UnsupportedFormat
from shizi.pages import tiff
from shizi.pages.headers import Header

Array = npt.NDArray[Any]

# What Pillow's plugins raise on broken bytes; found by mutating files, see tests/test_pages.py.
PILLOW_ERRORS = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, struct.error)
HEIC_ERRORS = (*PILLOW_ERRORS, RuntimeError)

_SPLIT_DEPTH = cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION
_PLAIN = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION

# TIFF compressions that Pillow's libtiff reads: none, CCITT, LZW, JPEG, deflate, PackBits, LZMA, Zstandard,
# WebP.
_TIFF_COMPRESSIONS = {1, 2, 3, 4, 5, 7, 8, 32773, 32946, 34925, 50000, 50001}

# Four inks and transparency, with room for what some scanners add; each sample costs memory.
_MOST_SAMPLES = 8


def decode(name: str, header: Header) -> Array:
    """Decode the picture of a JPEG, PNG, BMP, GIF or WebP file; raises DamagedFile."""
    if header.plain_cmyk:
        # Both libraries take ink to be stored as Adobe does; without Adobe's mark it is not.
        ink = 255 - np.asarray(_by_pillow(JpegImagePlugin.JpegImageFile, name, header.pixels))
        array = np.asarray(Image.fromarray(ink, "CMYK").convert("RGB"))
    elif header.by_pillow:
        plugin = GifImagePlugin.GifImageFile if name == "GIF" else BmpImagePlugin.BmpImageFile
        picture = _by_pillow(plugin, name, header.pixels)
        array = np.asarray(picture.convert("RGBA" if "transparency" in picture.info else "RGB"))
    else:
        array = _by_opencv(name, header.pixels, keep_depth=header.keep_depth)
    if name == "BMP" and array.ndim == 3 and array.shape[2] == 4 and not array[:, :, 3].any():
        array = np.ascontiguousarray(array[:, :, :3])  # writers that name a mask for alpha and leave it empty
    if array.shape[:2] != (header.height, header.width):
        raise DamagedFile(
            f"The {name} file says {header.width} x {header.height} pixels and holds "
            f"{array.shape[1]} x {array.shape[0]}. Save it again with another program."
        )
    return array if header.key is None else _with_key(array, header.key)


def _by_opencv(name: str, data: bytes, *, keep_depth: bool) -> Array:
    try:
        array = cv2.imdecode(np.frombuffer(data, np.uint8), _SPLIT_DEPTH if keep_depth else _PLAIN)
    except cv2.error as error:
        raise _damaged(name) from error
    if array is None:
        raise _damaged(name)
    if keep_depth and array.ndim == 3:
        order = cv2.COLOR_BGR2RGB if array.shape[2] == 3 else cv2.COLOR_BGRA2RGBA
        array = cv2.cvtColor(array, order, dst=array)
    return array


def _damaged(name: str) -> DamagedFile:
    return DamagedFile(f"The {name} file is damaged: its pixels cannot be decoded. Send it again.")


def _by_pillow(plugin: type[ImageFile.ImageFile], name: str, data: bytes) -> ImageFile.ImageFile:
    try:
        picture = plugin(io.BytesIO(data))
        picture.load()
    except PILLOW_ERRORS as error:
        raise _damaged(name) from error
    return picture


def _with_key(grey: Array, key: int) -> Array:
    """Make pixels of the transparent grey value transparent: H W becomes H W 4."""
    full = np.iinfo(grey.dtype).max
    alpha = np.where(grey == key, 0, full).astype(grey.dtype)
    return np.dstack((grey, grey, grey, alpha))  # H, W, 4


def decode_frame(frame: tiff.Directory) -> Array:
    """Decode one frame of a TIFF; raises DamagedFile, UnsupportedFormat, TooLarge."""
    compression = frame.number(tiff.COMPRESSION, 1)
    if compression not in _TIFF_COMPRESSIONS:
        raise UnsupportedFormat(
            f"The TIFF is packed by method {compression}, which is not read. Save it with LZW, deflate or G4."
        )
    if frame.number(tiff.SAMPLES, 1) > _MOST_SAMPLES:
        raise _rare_error(frame)
    data = tiff.alone(frame)
    try:
        picture = TiffImagePlugin.TiffImageFile(io.BytesIO(data))
    except PILLOW_ERRORS:
        return _rare_frame(frame, data)
    if picture.mode in ("LAB", "YCbCr"):
        return _rare_frame(frame, data)
    _check_pillows_limit(picture.size)
    try:
        picture.load()
    except PILLOW_ERRORS as error:
        raise _damaged("TIFF") from error
    if picture.mode.startswith("I") or picture.mode == "F":
        return np.asarray(picture)
    if picture.mode in ("1", "L"):
        return np.asarray(picture.convert("L"))
    wanted = "RGBA" if picture.mode in ("LA", "PA", "RGBA") else "RGB"
    return np.asarray(picture if picture.mode == wanted else picture.convert(wanted))


def _check_pillows_limit(size: tuple[int, int]) -> None:
    """Refuse what Pillow would warn of; its limit belongs to the whole process: it is asked, never set."""
    most = Image.MAX_IMAGE_PIXELS
    if most is not None and size[0] * size[1] > most:
        found = f"The TIFF page has {size[0]} x {size[1]} pixels"
        raise TooLarge(f"{found}; at most {most} are read. Scale it down.")


def _rare_frame(frame: tiff.Directory, data: bytes) -> Array:
    """Decode kinds of TIFF that Pillow has no mode for (colour in floats, Lab) by OpenCV."""
    try:
        return _by_opencv("TIFF", data, keep_depth=frame.number(tiff.SAMPLE_FORMAT, 1) == 3)
    except DamagedFile as error:
        raise _rare_error(frame) from error


def _rare_error(frame: tiff.Directory) -> UnsupportedFormat:
    return UnsupportedFormat(
        f"The TIFF has {frame.number(tiff.SAMPLES, 1)} samples of {frame.number(tiff.BITS, 1)} bits a pixel "
        f"(photometric {frame.number(tiff.PHOTOMETRIC, 0)}), which cannot be decoded. Save it as 8-bit RGB."
    )


def open_heic(data: bytes) -> tuple[tuple[int, int], int, Callable[[], Array]]:
    """Read a HEIC header: the size of the upright main picture, the count of pictures, the way to decode.

    Needs the extra `shizi[heic]`; raises UnsupportedFormat without it, DamagedFile.
    """
    try:
        pillow_heif = import_module("pillow_heif")
    except ImportError as error:
        raise UnsupportedFormat(
            "The file is HEIC, which needs an extra: pip install 'shizi[heic]', or send a JPEG instead."
        ) from error
    try:
        picture = pillow_heif.open_heif(data, convert_hdr_to_8bit=True)
        return picture.size, len(picture), partial(_heic_pixels, picture)
    except HEIC_ERRORS as error:
        raise _damaged("HEIC") from error


def _heic_pixels(picture: Any) -> Array:
    try:
        return np.asarray(picture)
    except HEIC_ERRORS as error:
        raise _damaged("HEIC") from error
