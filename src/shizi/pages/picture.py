"""Pictures for people: one page of a file as a JPEG, upright as it was read, at the size a screen asks for.

Takes the bytes of any file that can be read, gives the bytes of a JPEG and the number of the file's pages: what a
browser cannot show by itself (PDF, TIFF, HEIC) is shown this way. What is text in an OFD is not drawn (`ofd_pages`).
"""

from dataclasses import dataclass, field

import cv2
import numpy as np

from shizi.document import PageText
from shizi.options import PdfSource, ReadOptions
from shizi.pages import Limits, format_of, open_pages, page_count

QUALITY = 85
_NEVER_DRAWN = ("OFD", "XML")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which picture is asked for.

    number    of the page, from 1
    side      the longest side in pixels; smaller pages stay as they are
    rotation  degrees clockwise (0, 90, 180, 270) the page is turned, as its reading says
    """

    number: int = 1
    side: int = 2400
    rotation: int = 0
    password: str = field(default="", repr=False)
    limits: Limits = field(default_factory=Limits)


def draw(data: bytes, wanted: Wanted) -> tuple[bytes, int]:
    """Give a page as JPEG bytes, and how many pages the file has. Raises what `open_pages` raises."""
    # Pixels are wanted whatever text the file holds; the text of an OFD has none, and asking for them is refused.
    source: PdfSource = "auto" if format_of(data) in _NEVER_DRAWN else "ocr"
    options = ReadOptions(pages=str(wanted.number), password=wanted.password, pdf=source, orientation="none")
    page = next(open_pages(data, wanted.limits, options))
    turn = wanted.rotation - (page.rotation if isinstance(page, PageText) else 0)
    pixels = np.rot90(page.pixels, -(turn // 90))  # rot90 turns anticlockwise, rotation is clockwise
    scale = wanted.side / max(pixels.shape[:2])
    if scale < 1:
        size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
        pixels = cv2.resize(np.ascontiguousarray(pixels), size, interpolation=cv2.INTER_AREA).astype(np.uint8)
    _, encoded = cv2.imencode(".jpg", pixels[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return encoded.tobytes(), page_count(data, wanted.limits, options)
