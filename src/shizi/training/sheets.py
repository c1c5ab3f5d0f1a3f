"""Sheets: whole pages drawn for training: running text, tables, forms, slips and screens, then spoilt as a whole.

Takes faces, crops and a seeded `Random`; gives a page (H W grey) and where each piece of text lies on it. What a page
does to its lines (small type, tilt, a lens, light, rules and neighbours) no single strip shows. Knows nothing of
detectors or of labels' rules beyond the texts it is given.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

import cv2
import numpy as np
import numpy.typing as npt

from shizi.training import corpus, degrade, fonts, render, samples

Grey = npt.NDArray[np.uint8]
Quad = npt.NDArray[np.float32]

# Text sizes in pixels, from and to, and how often: most print is small once a page is seen as a whole.
SIZES = ((10, 13, 2.0), (13, 18, 4.0), (18, 26, 3.0), (26, 42, 1.0))
CROP_SHARE = 0.45
CROP_EM = 0.8  # of a PDF crop's height, its characters' size


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of text on a page: what it says and its corners 4 2, clockwise from its top left, in pixels."""

    text: str
    corners: Quad


class Sheet:
    """A page being drawn: grey pixels H W, and the pieces laid on it so far."""

    def __init__(self, width: int, height: int, ground: int) -> None:
        self.pixels: Grey = np.full((height, width), ground, np.uint8)
        self.pieces: list[Piece] = []

    def ground(self, x: int, y: int) -> int:
        """Give the grey that text at a place is printed on."""
        height, width = self.pixels.shape
        return int(self.pixels[min(max(0, y), height - 1), min(max(0, x), width - 1)])

    def lay(self, ink: Grey, text: str, x: int, y: int, colour: int) -> None:
        """Print ink (h w, 255 = full) with its top left at x, y; what does not fit whole is left out."""
        high, wide = ink.shape
        spot = self.pixels[y : y + high, x : x + wide]
        if x < 0 or y < 0 or spot.shape != ink.shape or not text:
            return
        share = ink.astype(np.float32) / 255
        spot[:] = (spot + (colour - spot.astype(np.float32)) * share).astype(np.uint8)
        rows = np.flatnonzero(ink.max(1) > 60)
        if len(rows):
            top, bottom = y + int(rows[0]), y + int(rows[-1]) + 1
            corners = np.array([[x, top], [x + wide, top], [x + wide, bottom], [x, bottom]], np.float32)
            self.pieces.append(Piece(text, corners))


class Writer:
    """Makes the ink of pieces of text: drawn with faces, or taken from crops of real PDFs."""

    def __init__(self, faces: Sequence[fonts.Face], crops: Sequence[samples.Crop], held_out: bool = False) -> None:
        by_name = {face.name: face for face in faces}
        self._chinese = [face for face in faces if face.held_out == held_out and face.style not in ("latin", "hand")]
        self._weights = [samples.STYLE_WEIGHTS[face.style] for face in self._chinese]
        self._latin = [face for face in faces if face.style == "latin"]
        self._pen = render.Pen(list(faces), by_name.get(samples.FALLBACK, faces[0]))
        self._crops = list(crops)
        self._texts = [crop.text for crop in self._crops]

    def faces(self, random: Random) -> tuple[fonts.Face, fonts.Face]:
        """Choose the faces of a page: its Chinese one and its Latin one."""
        chinese = random.choices(self._chinese, self._weights)[0]
        return chinese, random.choice(self._latin) if self._latin and random.random() < 0.65 else chinese

    def line(self, random: Random) -> str:
        """Give one line's text."""
        return corpus.line(random, self._texts)

    def drawn(
        self, random: Random, text: str, pair: tuple[fonts.Face, fonts.Face], size: float, room: float
    ) -> tuple[Grey, str]:
        """Draw text so many pixels large, cut after the last character that fits into `room` pixels."""
        stock = next((stock for stock in render.SIZES if stock >= size), render.SIZES[-1])
        spacing = random.choice((0.0, 0.0, 0.0, 0.02, 0.06))
        drawn = self._pen.draw(text, *pair, render.Look(stock, spacing, (0.0, 0.0, 0.05, 0.05), False, 0))
        scale = size / stock
        kept = int((drawn.spans[:, 1] * scale <= room).sum())
        text = drawn.text[:kept].rstrip()
        if not text:
            return np.zeros((1, 1), np.uint8), ""
        end = int(np.ceil(drawn.spans[len(text) - 1, 1])) + 1
        return _scaled(drawn.ink[:, :end], scale), text

    def cut(self, random: Random, size: float, room: float) -> tuple[Grey, str]:
        """Take the ink of a real PDF's line, its characters so many pixels large; no text where none fits."""
        for _ in range(4):
            crop = random.choice(self._crops)
            strip = samples.decode(crop)
            scale = size / (CROP_EM * strip.shape[0])
            if strip.shape[1] * scale <= room:
                return _scaled(_ink(strip), scale), crop.text
        return np.zeros((1, 1), np.uint8), ""

    def piece(
        self, random: Random, pair: tuple[fonts.Face, fonts.Face], size: float, room: float, text: str = ""
    ) -> tuple[Grey, str]:
        """Make a piece at most `room` pixels wide: a given text drawn, else any text, drawn or cut."""
        if not text and self._crops and random.random() < CROP_SHARE:
            ink, text = self.cut(random, size, room)
            if text:
                return ink, text
            text = ""
        return self.drawn(random, text or self.line(random), pair, size, room)


def _ink(strip: Grey) -> Grey:
    """Tell ink from paper on a crop, whichever of them is darker."""
    paper = float(np.median(strip))
    away = np.abs(strip.astype(np.float32) - paper) / max(paper, 255 - paper)
    return np.asarray(np.clip(away * 270 - 12, 0, 255), np.uint8)


def _scaled(ink: Grey, scale: float) -> Grey:
    if abs(scale - 1) < 0.02:
        return ink
    size = max(1, round(ink.shape[1] * scale)), max(1, round(ink.shape[0] * scale))
    return np.asarray(cv2.resize(ink, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR), np.uint8)


def some_size(random: Random) -> float:
    """Give a text size in pixels."""
    low, high, _ = random.choices(SIZES, [weight for _, _, weight in SIZES])[0]
    return random.uniform(low, high)


def page(writer: Writer, random: Random) -> tuple[Grey, list[Piece]]:
    """Draw and spoil one page."""
    kind = random.choices((_running, _table, _form, _slip, _screen), (3, 4, 3, 2, 3))[0]
    sheet, size = kind(writer, random)
    return _spoilt(sheet, size, random, kind is _screen)


def _short(writer: Writer, random: Random) -> str:
    """Give what stands in a cell or a field: mostly figures, dates, codes, names."""
    makers: tuple[Callable[[Random], str], ...] = (
        corpus.number, corpus.number, corpus.number, corpus.date, corpus.code, corpus.name, corpus.word,
        corpus.measured,
    )  # fmt: skip
    return random.choice(makers)(random) if random.random() < 0.6 else writer.line(random)


def _running(writer: Writer, random: Random) -> tuple[Sheet, float]:
    """Running text in one to three columns, with headings, now and then bold ones."""
    size, pitch = some_size(random), random.uniform(1.15, 2.1)
    columns = random.choices((1, 2, 3), (6, 3, 1))[0]
    room = size * random.uniform(14, 34) if columns == 1 else size * random.uniform(12, 20)
    gap, margin = size * random.uniform(1.5, 3), size * random.uniform(0.5, 4)
    rows = random.randint(8, 26) // columns + 2
    sheet = Sheet(int(2 * margin + columns * room + (columns - 1) * gap), int(2 * margin + rows * size * pitch), 255)
    pair, colour = writer.faces(random), random.randint(0, 60)
    for column in range(columns):
        left, y = margin + column * (room + gap), margin
        while y < sheet.pixels.shape[0] - margin - size * pitch:
            heading = random.random() < 0.08
            now = size * random.uniform(1.2, 1.8) if heading else size
            indent = 2 * size if random.random() < 0.12 else 0.0
            if heading or random.random() < 0.25:
                ink, text = writer.piece(random, pair, now, room - indent)
            else:
                words = "".join(writer.line(random) for _ in range(3))
                ink, text = writer.drawn(random, words, pair, now, room - indent)
            sheet.lay(ink, text, int(left + indent), int(y), colour)
            y += now * pitch * (1.5 if random.random() < 0.08 else 1)
    return sheet, size


def _table(writer: Writer, random: Random) -> tuple[Sheet, float]:
    """A table, all or some of its rules drawn, text close to them."""
    size, columns, rows = some_size(random), random.randint(2, 7), random.randint(3, 14)
    widths = [size * random.choice((2.5, 4, 6, 8, 12)) for _ in range(columns)]
    heights = [size * random.choice((1.3, 1.6, 2.0, 2.0, 2.8)) for _ in range(rows)]
    margin = size * random.uniform(0.5, 3)
    sheet = Sheet(int(2 * margin + sum(widths)), int(2 * margin + sum(heights)), 255)
    pair, colour = writer.faces(random), random.randint(0, 60)
    xs, ys = (np.cumsum([margin, *sides]).astype(int) for sides in (widths, heights))
    if random.random() < 0.3:  # a shaded head, or stripes
        for row in range(0, rows, random.choice((2, rows))):
            sheet.pixels[ys[row] : ys[row + 1], xs[0] : xs[-1]] = random.choice((90, 170, 215, 235))
    _grid(sheet, xs, ys, random)
    for row in range(rows):
        for column in range(columns):
            if random.random() < 0.08:
                continue
            room = widths[column] - size * random.uniform(0.15, 0.6)
            ink, text = writer.piece(random, pair, size, room, _short(writer, random) if random.random() < 0.7 else "")
            spare = widths[column] - ink.shape[1]
            x = xs[column] + int(spare * random.choice((0.5, 0.5, 0.1, 0.9)))
            y = ys[row] + int((heights[row] - ink.shape[0]) * random.choice((0.5, 0.5, 0.5, 0.2, 0.8)))
            dark = sheet.ground(x + 1, y + 1) > 128
            sheet.lay(ink, text, x, y, colour if dark else 255 - colour)
    return sheet, size


def _grid(sheet: Sheet, xs: npt.NDArray[np.int_], ys: npt.NDArray[np.int_], random: Random) -> None:
    """Draw rules: all of them, only those across, or a frame; grey or black, one or two pixels."""
    style, grey, thick = random.random(), random.randint(0, 170), random.choice((1, 1, 1, 2))
    for y in ys if style < 0.85 else ():
        cv2.line(sheet.pixels, (int(xs[0]), int(y)), (int(xs[-1]), int(y)), grey, thick)
    for x in xs if style < 0.65 else (xs[0], xs[-1]) if style < 0.75 else ():
        cv2.line(sheet.pixels, (int(x), int(ys[0])), (int(x), int(ys[-1])), grey, thick)


def _form(writer: Writer, random: Random) -> tuple[Sheet, float]:
    """Captions and values side by side, values underlined, boxed or plain, as invoices, forms and tickets have them."""
    size, pitch = some_size(random), random.uniform(1.3, 2.6)
    rows, across = random.randint(5, 18), random.randint(1, 3)
    cell, margin = size * random.uniform(10, 18), size * random.uniform(0.5, 3)
    sheet = Sheet(
        int(2 * margin + across * cell), int(2 * margin + rows * size * pitch), random.choice((255, 255, 235))
    )
    pair, other = writer.faces(random), writer.faces(random)
    ink_of_captions, colour = random.randint(0, 140), random.randint(0, 60)
    for row in range(rows):
        for column in range(across):
            x, y = int(margin + column * cell), int(margin + row * size * pitch)
            captions = random.choice(corpus.printed("form_words")) + random.choice(("：", ":", "", ""))
            if random.random() < 0.3:
                captions = corpus.bilingual(random, 12)
            ink, text = writer.drawn(random, captions, pair, size, cell * 0.6)
            sheet.lay(ink, text, x, y, ink_of_captions)
            x += ink.shape[1] + int(size * random.choice((0.1, 0.3, 0.8, 1.5, 2.5)))
            now = size * random.choice((1.0, 1.0, 1.0, 1.2, 1.5))
            room = margin + (column + 1) * cell - x - size * 0.3
            ink, text = writer.piece(random, other, now, room, _short(writer, random) if random.random() < 0.7 else "")
            sheet.lay(ink, text, x, y - int((now - size) * 0.8), colour)
            if random.random() < 0.25:
                foot = y + int(size * random.uniform(1.0, 1.25))
                cv2.line(sheet.pixels, (x, foot), (int(x + room), foot), random.randint(0, 150), 1)
    return sheet, size


def _slip(writer: Writer, random: Random) -> tuple[Sheet, float]:
    """A receipt or ticket: narrow, words on the left and figures on the right, sizes that change, dashes between."""
    size, pitch = some_size(random), random.uniform(1.25, 2.0)
    width, rows = int(size * random.uniform(14, 24)), random.randint(8, 26)
    margin = size * random.uniform(0.4, 1.5)
    sheet = Sheet(width, int(2 * margin + rows * size * pitch), random.choice((255, 245)))
    pair, colour = writer.faces(random), random.randint(0, 90)
    y = margin
    while y < sheet.pixels.shape[0] - margin - 1.6 * size:
        now = size * random.choice((1.0, 1.0, 1.0, 1.0, 1.4))
        kind, room = random.random(), width - 2 * margin
        if kind < 0.12:
            step = random.choice((2, 4, 6))
            sheet.pixels[int(y + now / 2), int(margin) : int(width - margin)][::step] = colour
        elif kind < 0.45:
            ink, text = writer.piece(random, pair, now, room)
            x = margin if random.random() < 0.6 else (width - ink.shape[1]) / 2
            sheet.lay(ink, text, int(x), int(y), colour)
        else:
            ink, text = writer.drawn(random, _short(writer, random), pair, now, room * 0.55)
            sheet.lay(ink, text, int(margin), int(y), colour)
            ink, text = writer.drawn(random, corpus.number(random), pair, now, room * 0.35)
            sheet.lay(ink, text, int(width - margin - ink.shape[1]), int(y), colour)
        y += now * pitch
    return sheet, size


def _screen(writer: Writer, random: Random) -> tuple[Sheet, float]:
    """A screen: bars, menus, buttons, code and lists, light on dark or dark on light."""
    size, dark = random.uniform(10.5, 22), random.random() < 0.3
    ground = random.randint(15, 60) if dark else random.randint(235, 255)
    width, rows = int(size * random.uniform(24, 48)), random.randint(8, 24)
    pitch = random.uniform(1.3, 2.2)
    sheet = Sheet(width, int((rows + 1) * size * pitch), ground)
    pair = writer.faces(random)
    for row in range(rows):
        y, x = int(size * 0.4 + row * size * pitch), int(size * random.uniform(0.3, 3))
        if random.random() < 0.15:
            high = int(size * pitch)
            sheet.pixels[y - int(size * 0.3) : y + high - int(size * 0.3)] = random.randint(20, 240)
        while x < width - 3 * size:
            now = size * random.choice((1.0, 1.0, 1.0, 1.25))
            ink, text = writer.piece(random, pair, now, min(width - x - size, size * random.choice((6, 12, 30))))
            button = random.random() < 0.12 and text
            if button:
                pad = int(size * random.uniform(0.3, 0.7))
                box = (max(0, x - pad), max(0, y - pad // 2)), (x + ink.shape[1] + pad, y + ink.shape[0] + pad // 2)
                cv2.rectangle(sheet.pixels, *box, random.randint(0, 255), random.choice((1, -1)))
            level = sheet.ground(x + 1, y + 1)
            contrast = random.uniform(90, 225)
            sheet.lay(ink, text, x, y, int(max(0, level - contrast) if level > 128 else min(255, level + contrast)))
            x += ink.shape[1] + int(size * random.uniform(1.2, 5))
            if random.random() < 0.45:
                break
    return sheet, size


def _spoilt(sheet: Sheet, size: float, random: Random, screen: bool) -> tuple[Grey, list[Piece]]:
    """Make the page look shown on a screen, scanned, photographed or faxed; pieces move along."""
    how = random.random()
    if screen and how < 0.75:
        return _shown(sheet, size, random)
    if how < 0.12:
        return sheet.pixels, sheet.pieces
    pixels = _pressed(sheet.pixels, size, random)
    if how < 0.55:
        return _scanned(pixels, sheet.pieces, size, random)
    return _photographed(pixels, sheet.pieces, size, random)


def _shown(sheet: Sheet, size: float, random: Random) -> tuple[Grey, list[Piece]]:
    pixels, pieces = sheet.pixels, sheet.pieces
    if random.random() < 0.5:  # a picture scaled by whoever passed it on
        scale = max(9.5 / size, random.uniform(0.6, 1.3))
        pixels, pieces = _moved(pixels, pieces, np.diag([scale, scale, 1.0]), scale)
    return (degrade.jpeg(pixels, random) if random.random() < 0.4 else pixels), pieces


def _pressed(pixels: Grey, size: float, random: Random) -> Grey:
    """Do what printing does: worn ink, dots of needles, seals, a guilloche under the text, the back shining through."""
    height, width = pixels.shape
    if random.random() < 0.12:
        patches = np.clip(degrade.noise_field(pixels.shape, random, int(3 * size)) * 0.3 + 0.8, 0.4, 1.0)
        pixels = np.clip(255 - (255 - pixels.astype(np.float32)) * patches, 0, 255).astype(np.uint8)
    if size > 15 and random.random() < 0.06:
        pixels = degrade.dots(pixels[: min(height, 16 * 40)].copy(), random) if height <= 640 else pixels
    if random.random() < 0.15:
        mask = np.zeros_like(pixels)
        centre, radius = (random.randrange(width), random.randrange(height)), int(size * random.uniform(2.5, 5))
        cv2.circle(mask, centre, radius, 255, max(2, radius // 12))
        for _ in range(random.randint(6, 20)):
            start = [axis + random.randint(-radius, radius) * 3 // 4 for axis in centre]
            end = [axis + random.randint(-radius, radius) // 4 for axis in start]
            cv2.line(mask, (start[0], start[1]), (end[0], end[1]), 255, max(1, radius // 18))
        pixels = (pixels * (1 - random.uniform(0.2, 0.5) * (mask / 255))).astype(np.uint8)
    if random.random() < 0.08:
        pixels = degrade.watermark(np.ascontiguousarray(pixels), random)
    if random.random() < 0.08:
        back = cv2.GaussianBlur(pixels[:, ::-1], (0, 0), 1.2)
        pixels = np.clip(pixels - (255 - back.astype(np.float32)) * random.uniform(0.05, 0.15), 0, 255).astype(np.uint8)
    return pixels


def _scanned(pixels: Grey, pieces: list[Piece], size: float, random: Random) -> tuple[Grey, list[Piece]]:
    scale = max(10 / size, random.uniform(0.75, 1.3))
    pixels, pieces = _moved(pixels, pieces, _turned(pixels, random.gauss(0, 0.7), scale), scale)
    size *= scale
    pixels = np.asarray(cv2.GaussianBlur(pixels, (0, 0), random.uniform(0.25, 0.05 * size + 0.25)), np.uint8)
    low = random.uniform(0, 60)
    soft = low + pixels.astype(np.float32) * (random.uniform(215, 255) - low) / 255
    pixels = np.clip(soft + degrade.noise_field(pixels.shape, random) * random.uniform(0, 8), 0, 255).astype(np.uint8)
    if size > 14 and random.random() < 0.12:
        block = int(size * 3) | 1
        offset = random.uniform(8, 25)
        pixels = np.asarray(
            cv2.adaptiveThreshold(pixels, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY, block, offset), np.uint8
        )
    return (degrade.jpeg(pixels, random) if random.random() < 0.6 else pixels), pieces


def _photographed(pixels: Grey, pieces: list[Piece], size: float, random: Random) -> tuple[Grey, list[Piece]]:
    height, width = pixels.shape
    scale = max(11 / size, random.uniform(0.7, 1.3))
    shift = 0.035 * min(width, height)
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    moved = corners + np.array([[random.uniform(-shift, shift) for _ in range(2)] for _ in range(4)], np.float32)
    lens = cv2.getPerspectiveTransform(corners, moved.astype(np.float32))
    pixels, pieces = _moved(pixels, pieces, _turned(pixels, random.gauss(0, 1.2), scale) @ lens, scale)
    size *= scale
    kernel = random.random()
    if kernel < 0.6:
        pixels = np.asarray(cv2.GaussianBlur(pixels, (0, 0), random.uniform(0.3, 0.055 * size + 0.2)), np.uint8)
    elif kernel < 0.75:
        length = max(2, round(random.uniform(0.08, 0.16) * size))
        line = np.zeros((length, length), np.float32)
        cv2.line(line, (0, random.randrange(length)), (length - 1, random.randrange(length)), 1.0)
        pixels = np.asarray(cv2.filter2D(pixels, -1, line / line.sum()), np.uint8)
    lit = cv2.resize(
        np.array([[random.uniform(0.6, 1.0) for _ in range(2)] for _ in range(2)], np.float32), pixels.shape[::-1]
    )
    low = random.uniform(0, 50)
    shown = low + pixels.astype(np.float32) * (lit * random.uniform(200, 255) - low) / 255
    pixels = np.clip(shown + degrade.noise_field(pixels.shape, random) * random.uniform(1, 7), 0, 255).astype(np.uint8)
    if random.random() < 0.2:
        pixels = degrade.sharpen(pixels, random)
    if random.random() < 0.06:
        pixels = degrade.moire(pixels, random)
    return (degrade.jpeg(pixels, random) if random.random() < 0.8 else pixels), pieces


def _turned(pixels: Grey, degrees: float, scale: float) -> npt.NDArray[np.float64]:
    height, width = pixels.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    return np.asarray(np.diag([scale, scale, 1.0]) @ np.vstack([turn, [0, 0, 1]]), np.float64)


def _moved(
    pixels: Grey, pieces: list[Piece], matrix: npt.NDArray[np.float64], scale: float
) -> tuple[Grey, list[Piece]]:
    """Move a page and its pieces by a matrix 3 3; beyond the page lies more of its paper."""
    height, width = pixels.shape
    size = max(1, round(width * scale)), max(1, round(height * scale))
    source = cv2.GaussianBlur(pixels, (0, 0), 0.4 / scale) if scale < 0.9 else pixels  # less aliasing
    moved = cv2.warpPerspective(
        source, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=int(pixels[0, 0])
    )
    places = [cv2.perspectiveTransform(piece.corners[None], matrix)[0].astype(np.float32) for piece in pieces]
    return np.asarray(moved, np.uint8), [Piece(p.text, corners) for p, corners in zip(pieces, places, strict=True)]
