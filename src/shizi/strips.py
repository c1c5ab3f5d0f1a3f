"""Strips: a line that someone put right, cut out of what was sent, once it is found fit to be learned from.

Takes the bytes of a file and what is said of the line, gives a `Strip`. Refuses what no model could learn: characters
that the charset lacks, a text too long for its picture, a picture that is no line. Decodes, so it is called where files
are read. Knows nothing of where corrections are kept.
"""

import hashlib
from itertools import pairwise

import cv2
import numpy as np

from shizi.charset import Charset
from shizi.corrections import LONGEST_TEXT, Given, Place, Strip
from shizi.crop import Region, cut
from shizi.errors import InputError
from shizi.line_image import LineFormat, Pixels, as_pixels, scaled_width, trimmed
from shizi.options import ReadOptions
from shizi.orientation import restack, turn_page
from shizi.pages import Limits, open_pages
from shizi.spelling import clean

# A line's picture: lower than this nothing can be told, higher it is shrunk anyway; a page is no line.
LOWEST, HIGHEST, WIDEST = 8, 400, 8000
# A model gives one class for so many pixels of its line; a character needs one, a doubled one a blank between.
STEP = 4


def strip_of(data: bytes, given: Given, limits: Limits, charset: Charset, form: LineFormat) -> Strip:
    """Cut out and check one corrected line for a model of this charset and line format.

    Raises InputError for what cannot be learned from, and what `open_pages` raises.
    """
    text = spelt(given.text, charset)
    place = given.place
    options = ReadOptions(pages=str(place.page), password=place.password) if place else ReadOptions()
    page = next(iter(open_pages(data, limits, options)))
    pixels = _cut(page.pixels, place) if place else page.pixels
    margins = True if place else given.margins
    _check(pixels, text, margins, form)
    if pixels.shape[0] > HIGHEST:
        size = max(1, round(pixels.shape[1] * HIGHEST / pixels.shape[0])), HIGHEST
        pixels = as_pixels(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))
    grey = np.ascontiguousarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY))  # H, W: all that the small model sees
    digest = hashlib.sha256(f"{grey.shape[0]} {grey.shape[1]} ".encode() + grey.tobytes()).hexdigest()
    return Strip(cv2.imencode(".png", grey)[1].tobytes(), digest, text, margins)


def spelt(text: str, charset: Charset) -> str:
    """Spell a text as the models write it. Raises InputError naming the characters that the charset lacks."""
    cleaned = clean(text)
    if not cleaned or len(cleaned) > LONGEST_TEXT or "\n" in text.strip():
        found = "several lines" if "\n" in text.strip() else f"{len(cleaned)} characters"
        raise InputError(f"The text has {found}; expected one line of 1 to {LONGEST_TEXT} characters.")
    unknown = list(dict.fromkeys(character for character in cleaned if character not in charset))
    if unknown:
        raise InputError(
            f"The model's charset lacks {' '.join(unknown[:20])}; a line with characters it cannot write cannot be "
            "learned: leave the line out."
        )
    return cleaned


def _cut(pixels: Pixels, place: Place) -> Pixels:
    """Cut the line out of the page, turned as it was when it was read."""
    page = turn_page(pixels, place.rotation // 90)
    height, width = page.shape[:2]
    left, top, right, bottom = place.polygon.bounds
    if min(left, top) < -2 or right > width + 2 or bottom > height + 2:
        raise InputError(
            f"The polygon reaches from {left:g}, {top:g} to {right:g}, {bottom:g}; expected it on the page, which has "
            f"{width} x {height} pixels after a turn by {place.rotation} degrees."
        )
    if place.polygon.width < LOWEST or place.polygon.height < LOWEST:
        raise InputError(
            f"The polygon measures {place.polygon.width:.0f} x {place.polygon.height:.0f} pixels; expected a line of "
            f"{LOWEST} x {LOWEST} or more, its corners clockwise from the text's top left."
        )
    strip = cut(page, Region(np.array(place.polygon.corners, np.float32)))
    return restack(strip) if place.vertical else strip


def _check(strip: Pixels, text: str, margins: bool, form: LineFormat) -> None:
    height, width = strip.shape[:2]
    if height < LOWEST or width < LOWEST or width > WIDEST or height > 4 * width:
        raise InputError(
            f"The picture of the line has {width} x {height} pixels; expected one line, {LOWEST} pixels high or "
            f"more and at most {WIDEST} wide: cut it out of its page, or send the page and the line's polygon."
        )
    if len(np.unique(strip)) < 2:
        raise InputError("The picture of the line is of one colour; expected text on it.")
    seen = trimmed(strip, form) if margins else strip
    steps = scaled_width(seen, form.height) // STEP
    needed = len(text) + sum(a == b for a, b in pairwise(text))
    if steps < needed:
        raise InputError(
            f"The text has {len(text)} characters, and the picture is wide enough for {steps} at most; expected the "
            "picture and the text of the same line."
        )
