"""Umi-OCR's QR codes: the codes of a picture to text, and text to a picture of a code.

Shape: https://github.com/hiroi-sora/Umi-OCR/blob/main/docs/http/api_qrcode.md. The `preprocessing` options are
carried out before the code is looked for, as there.
"""

import base64
import io
from functools import partial
from typing import Any

import numpy as np
import zxingcpp
from PIL import Image

from shizi.errors import InputError, OptionsError
from shizi.service import bodies, looks
from shizi.service.api import service
from shizi.service.compat import door

FORMATS = (
    "Aztec",
    "Codabar",
    "Code128",
    "Code39",
    "Code93",
    "DataBar",
    "DataBarExpanded",
    "DataMatrix",
    "EAN13",
    "EAN8",
    "ITF",
    "MaxiCode",
    "MicroQRCode",
    "PDF417",
    "QRCode",
    "UPCA",
    "UPCE",
)
_NAMES = {"DataBarExp": "DataBarExpanded", "DataBarOmni": "DataBar", "AztecCode": "Aztec", "QRCodeModel2": "QRCode"}
_LEVELS = {-1: "", 1: "L", 0: "M", 3: "Q", 2: "H"}  # the bits of the QR code standard (ISO/IEC 18004, table 12)
_MOST_SIDE = 4000
_MOST_TEXT = 8000  # more than any code holds


def read(order: dict[str, Any]) -> dict[str, Any]:
    """Find the codes in the picture under `base64`. Raises InputError for what is no picture."""
    if not isinstance(order["base64"], str):
        raise InputError("The key 'base64' is no string.")
    here = service()
    data = bodies.decode_base64(order["base64"], "base64")
    bodies.check_size((bodies.Upload("", data),), here.settings.max_bytes)
    look = partial(looks.codes, preparing=_preparing(_options(order)), limits=here.settings.limits)
    found = [
        code | {"format": _NAMES.get(code["format"], code["format"]), "score": 1} for code in door.look(data, look)
    ]
    return {"code": 100, "data": found} if found else {"code": 101, "data": "QR code not found in image."}


def draw(order: dict[str, Any]) -> dict[str, Any]:
    """Draw the code of the text under `text`, as JPEG in base64."""
    options = _options(order)
    text, name = order["text"], options.get("format", "QRCode")
    if not isinstance(text, str) or not 0 < len(text) <= _MOST_TEXT:
        raise OptionsError(f"text is no string of 1 to {_MOST_TEXT} characters.")
    if name not in FORMATS:
        raise OptionsError(f"format is {str(name)[:40]!r}; expected one of {', '.join(FORMATS)}.")
    width, height = (_whole(options, side, 0, 0, _MOST_SIDE) for side in ("w", "h"))
    quiet, level = _whole(options, "quiet_zone", -1, -1, 100), _whole(options, "ec_level", -1, -1, 3)
    try:
        form = zxingcpp.barcode_format_from_str(name)
        code = zxingcpp.create_barcode(text, form, **({"ec_level": _LEVELS[level]} if _LEVELS[level] else {}))
    except ValueError as error:
        return {"code": 200, "data": f"[Error] {str(error)[:200]}"}
    modules = np.asarray(code.to_image(scale=1, add_quiet_zones=quiet < 0))
    if quiet > 0:
        modules = np.pad(modules, quiet, constant_values=255)
    picture = Image.fromarray(modules)
    size = (max(width, picture.width), max(height, picture.height))
    scale = min(size[0] // picture.width, size[1] // picture.height)  # whole pixels a module keep it readable
    sheet = Image.new("L", size, 255)
    picture = picture.resize((picture.width * scale, picture.height * scale), Image.Resampling.NEAREST)
    sheet.paste(picture, ((size[0] - picture.width) // 2, (size[1] - picture.height) // 2))
    buffer = io.BytesIO()
    sheet.save(buffer, "JPEG", quality=95)
    return {"code": 100, "data": base64.b64encode(buffer.getvalue()).decode()}


def _preparing(options: dict[str, Any]) -> looks.Preparing:
    median = _whole(options, "preprocessing.median_filter_size", 1, 1, 9)
    if median % 2 == 0:
        raise OptionsError("preprocessing.median_filter_size is even; expected an odd number from 1 to 9.")
    sharpness, contrast = (_factor(options, f"preprocessing.{name}_factor") for name in ("sharpness", "contrast"))
    grey, threshold = options.get("preprocessing.grayscale") is True, None
    if grey and options.get("preprocessing.threshold", False) is not False:
        threshold = _whole(options, "preprocessing.threshold", 0, 0, 255)
    return looks.Preparing(median, sharpness, contrast, grey, threshold)


def _factor(options: dict[str, Any], name: str) -> float:
    factor = options.get(name, 1.0)
    if isinstance(factor, bool) or not isinstance(factor, (int, float)) or not 0.1 <= factor <= 10:
        raise OptionsError(f"{name} is no number from 0.1 to 10.")
    return factor


def _options(order: dict[str, Any]) -> dict[str, Any]:
    options = order.get("options", {})
    if not isinstance(options, dict):
        raise OptionsError("options is no dictionary.")
    return options


def _whole(options: dict[str, Any], name: str, default: int, least: int, most: int) -> int:
    value = options.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise OptionsError(f"{name} is no whole number from {least} to {most}.")
    return value
