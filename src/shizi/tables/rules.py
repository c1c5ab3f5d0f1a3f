"""Rules: the drawn lines of a page, straight ones that run across or down, solid, dotted or faint.

Takes pixels (H W 3) and the polygons of the page's text, gives `Rule`s in page pixels. Knows nothing of tables.

A rule is a thin ridge: it differs from what lies close on both its sides, which a shaded cell's edge does not. Solid
ridges count anywhere; dots and faint ink, run together along the rule, only off the text that runs the same way, whose
own strokes would pass for them.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from shizi.crop import Region
from shizi.geometry import Point, Polygon
from shizi.line_image import Pixels, as_pixels
from shizi.tables.pieces import THICKEST, WIDE, Floats, Map, Piece, edge, joined, pieces_in

WORKING_SIZE = 32.0  # pages are scaled down until their text is this high: enough for the thinnest rules, and quick
# Grey levels by which a ridge stands out: of solid rules, of dotted ones, and of faint ones after a blur along them.
STRONG, DOTTED, WEAK = 18, 20, 6
BLUR = 0.6  # in text heights, as are all lengths here
SHORTEST, SHORTEST_DOTTED, SHORTEST_WEAK = 1.1, 2.5, 1.2  # of a piece
DOTS_APART, DOTS_COVER = 0.35, 0.35  # gaps between dots, share inked off the text
FREE, FREE_SHARE = 0.4, 0.12  # what of a dotted rule lies off the text at least, in text heights and of its length
APART, ROW = 5.5, 2.2  # rules that frame rows: how far from one another at most, and for one row
# Over how long a stretch faint hints of a rule are averaged, in text heights; grey levels by which the mean stands out,
# what one pixel tells at most, and the share of the stretch that no text covers.
HINT_STRETCH, HINT, HINT_MOST, HINT_BARE = 6.0, 4, 40, 0.1
COARSE = 16  # pixels that tell the colour beyond a page's edge
GREY = 3  # levels by which the channels of a page without colours differ at most


@dataclass(frozen=True, slots=True)
class Rule:
    """One straight rule, from its left (or upper) end to its right (or lower) one."""

    start: Point
    end: Point
    upright: bool

    @property
    def length(self) -> float:
        """How long it is."""
        return math.dist(self.start, self.end)

    def at(self, place: float) -> float:
        """Give x where an upright rule's straight line passes y = `place`; y for x of one that runs across."""
        along, aside = (1, 0) if self.upright else (0, 1)
        reach = self.end[along] - self.start[along]
        share = (place - self.start[along]) / reach if reach else 0.0
        return self.start[aside] + share * (self.end[aside] - self.start[aside])


@dataclass(frozen=True, slots=True)
class View:
    """A page set level and scaled to where rules are looked for: its colours (H W 3, or H W 1 of a page without), the
    bounds of its text (K 4), the text's height, and the way back to the page (2 3, after a division by `scale`).
    """

    colours: Map
    bounds: Floats
    size: float
    turned_back: Floats
    scale: float

    def back(self, rule: Rule) -> Rule:
        """Give a rule of the view where it stands on the page."""
        start, end = (_moved(point, self.turned_back, 1 / self.scale) for point in (rule.start, rule.end))
        return Rule(start, end, rule.upright)


def view_of(pixels: Pixels, text: Sequence[Polygon]) -> View:
    """Set a page (H W 3) level and bring it to the working size, by the tilt and scale its text tells."""
    size = float(np.median([min(polygon.width, polygon.height) for polygon in text]))
    scale = min(1.0, WORKING_SIZE / max(1.0, size))
    turn = _turn(pixels.shape[1], pixels.shape[0], text, scale)
    colours = _scaled(pixels, scale)
    if abs(turn[0, 1]) > 1e-9:
        colours = _set_level(colours, turn)
    boxes = [_turned(polygon.corners, turn, scale) for polygon in text]
    bounds = np.array([[*box.min(axis=0), *box.max(axis=0)] for box in boxes])  # K, 4
    back = np.asarray(cv2.invertAffineTransform(turn), np.float64)
    return View(np.asarray(colours, np.uint8), bounds, max(6.0, size * scale), back, scale)


def rules_in(view: View) -> list[Rule]:
    """Find the rules of a level page, in its own pixels."""
    rules: list[Rule] = []
    crossed: Map | None = None
    frames: list[tuple[int, int, int, int]] = []
    for upright in (False, True):
        colours = np.ascontiguousarray(view.colours.transpose(1, 0, 2)) if upright else view.colours
        bounds = view.bounds[:, [1, 0, 3, 2]] if upright else view.bounds
        mask, strong = _masks(colours, bounds, view.size, crossed, frames)
        crossed = np.ascontiguousarray(mask.T)
        found = joined(pieces_in(mask, strong, bounds, view.size), view.size)
        frames = _frames(found, view.size)
        for rule in found:
            ends: tuple[Point, Point] = (rule.x0, rule.y0), (rule.x1, rule.y1)
            rules.append(Rule(*((ends[0][::-1], ends[1][::-1]) if upright else ends), upright))
    return rules


def cut_at(region: Region, rules: Iterable[Rule]) -> list[Region]:
    """Cut a region into what lies between the rules that cross it; pieces too narrow for text are dropped.

    A line is cut at upright rules, a column at rules that run across.
    """
    if region.bow != (0.0, 0.0):
        return [region]
    places = sorted(share for rule in rules if (share := _crossing(region, rule)) is not None)
    if not places:
        return [region]
    thin, long = sorted((region.width, region.height))
    narrow, off = 0.3 * thin / long, 0.04 * thin / long  # off: half a rule's own width
    edges = [0.0, *places, 1.0]
    pieces = []
    for start, end in pairwise(edges):
        start, end = start + off * (start > 0), end - off * (end < 1)
        if end - start > narrow:
            corners = Polygon.from_points(region.corners.tolist()).part(start, end, region.is_tall).corners
            pieces.append(Region(np.array(corners, np.float32)))
    return pieces or [region]


def _crossing(region: Region, rule: Rule) -> float | None:
    """Give where, as a share of the region's length, a rule crosses it from side to side; None if it does not."""
    a, b, c, d = region.corners
    if region.is_tall:
        start, end, side = (a + b) / 2, (d + c) / 2, b - a
    else:
        start, end, side = (a + d) / 2, (b + c) / 2, d - a
    lying = abs(end[0] - start[0]) > abs(end[1] - start[1])
    if rule.upright != lying:
        return None
    first, last = np.array(rule.start, np.float32), np.array(rule.end, np.float32)
    way, along = last - first, end - start
    turn = way[0] * along[1] - way[1] * along[0]
    if abs(turn) < 1e-6:
        return None
    offset = start - first
    share = float((way[1] * offset[0] - way[0] * offset[1]) / turn)
    place = float((along[1] * offset[0] - along[0] * offset[1]) / turn)
    reach = 0.3 * float(np.linalg.norm(side)) / max(1.0, float(np.linalg.norm(way)))
    edge = 0.15 * min(region.width, region.height) / max(region.width, region.height)
    return share if reach <= place <= 1 - reach and edge < share < 1 - edge else None


def _set_level(colours: Map, turn: Floats) -> Map:
    """Turn a page; what comes in from beyond its edges is what they show on the whole.

    One colour for all would be ruled off from a page that is darker at one side; edges drawn out pixel by pixel make
    rules of their noise.
    """
    height, width = colours.shape[:2]
    frame = _frame(turn, width, height)
    few = max(1, width // COARSE), max(1, height // COARSE)
    coarse = cv2.resize(cv2.resize(colours, few, interpolation=cv2.INTER_AREA), (width, height))
    beyond = cv2.warpAffine(coarse, turn, frame, borderMode=cv2.BORDER_REPLICATE)
    page = cv2.warpAffine(np.full((height, width), 255, np.uint8), turn, frame)
    cv2.copyTo(cv2.warpAffine(colours, turn, frame, borderMode=cv2.BORDER_REPLICATE), page, beyond)
    return np.atleast_3d(np.asarray(beyond, np.uint8))


def _scaled(pixels: Pixels, scale: float) -> Map:
    """Give the page in the working size (H W 3), or in one channel (H W 1) if it has no colours."""
    if scale < 1:
        height, width = pixels.shape[:2]
        size = max(1, round(width * scale)), max(1, round(height * scale))
        pixels = as_pixels(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))
    red, green, blue = cv2.split(pixels)
    plain = max(cv2.norm(red, green, cv2.NORM_INF), cv2.norm(green, blue, cv2.NORM_INF)) < GREY
    return as_pixels(red)[:, :, None] if plain else pixels


def _ridges(colours: Map, way: int, across: Map) -> Map:
    """Give by how much thin dark (or, the `way` told, light) ridges stand out in the channel that shows them best.

    A grey rule on a pale yellow ground shows in red alone, a black one in a blue head in blue.
    """
    channels = cv2.split(cv2.morphologyEx(colours, way, across))
    return np.asarray(reduce(cv2.max, channels), np.uint8)


def _turn(width: int, height: int, text: Sequence[Polygon], scale: float) -> Floats:
    """Give the matrix (2 3) that sets the page's text level, within scaled pixels."""
    angles = [polygon.angle for polygon in text if polygon.width > 2 * polygon.height and abs(polygon.angle) < 30]
    weights = [polygon.width for polygon in text if polygon.width > 2 * polygon.height and abs(polygon.angle) < 30]
    tilt = _weighted_median(angles, weights) if angles else 0.0
    if abs(tilt) < 0.15:
        return np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    turn = np.asarray(cv2.getRotationMatrix2D((0, 0), tilt, 1.0), np.float64)
    corners = np.array([[0, 0], [width, 0], [0, height], [width, height]], np.float64) * scale
    turn[:, 2] -= (corners @ turn[:, :2].T).min(axis=0)
    return turn


def _weighted_median(values: Sequence[float], weights: Sequence[float]) -> float:
    order = np.argsort(values)
    passed = np.cumsum(np.asarray(weights)[order])
    return float(values[order[int(np.searchsorted(passed, passed[-1] / 2))]])


def _frame(turn: Floats, width: int, height: int) -> tuple[int, int]:
    corners = np.array([[0, 0], [width, 0], [0, height], [width, height]], np.float64) @ turn[:, :2].T + turn[:, 2]
    right, bottom = np.ceil(corners.max(axis=0)).astype(int).tolist()
    return right, bottom


def _turned(corners: Sequence[Point], turn: Floats, scale: float) -> Floats:
    return (np.array(corners) * scale) @ turn[:, :2].T + turn[:, 2]  # 4, 2


def _moved(point: Point, back: Floats, scale: float) -> Point:
    x, y = (back[:, :2] @ np.array(point) + back[:, 2]) * scale
    return float(x), float(y)


def _frames(rules: Sequence[Piece], size: float) -> list[tuple[int, int, int, int]]:
    """Give what lies between rules of one length: left, top, right and bottom as seen from the other way."""
    found: list[tuple[int, int, int, int]] = []
    ordered = sorted((rule for rule in rules if rule.x1 - rule.x0 > WIDE * size), key=lambda rule: rule.y0)
    for i, rule in enumerate(ordered):
        for below in ordered[i + 1 :]:
            alike = abs(rule.x0 - below.x0) + abs(rule.x1 - below.x1) < 2 * size + 0.1 * (rule.x1 - rule.x0)
            if alike and 0.8 * size < below.y0 - rule.y0 < APART * size:
                inner = [other.y0 for other in rules if rule.y0 + 0.8 * size < other.y0 < below.y0 - 0.8 * size]
                edges = sorted({round(y) for y in (rule.y0, *inner, below.y0)})
                found.extend((top, round(rule.x0), bottom, round(rule.x1)) for top, bottom in pairwise(edges))
                break
    return found


def _masks(
    colours: Map, bounds: Floats, size: float, crossed: Map | None, frames: Sequence[tuple[int, int, int, int]]
) -> tuple[Map, Map]:
    """Mark what may be rules that run across a level page, and of these the solid ones; `bounds` (K 4) of its text.

    `crossed` marks the rules of the other way: where dots stand in a row because these cut something.
    """
    thick = 2 * round(THICKEST * size / 2) + 3
    across = np.ones((thick, 1), np.uint8)
    dark = _ridges(colours, cv2.MORPH_BLACKHAT, across)
    ridge = cv2.max(dark, _ridges(colours, cv2.MORPH_TOPHAT, across))
    along = bounds[bounds[:, 2] - bounds[:, 0] > bounds[:, 3] - bounds[:, 1]]  # text whose strokes run on as rules do
    solid = np.asarray(ridge > STRONG, np.uint8)
    _blank(solid, along, 0.0)
    strong = _long(solid, SHORTEST * size)
    dots = np.asarray(dark > DOTTED, np.uint8)
    covered = np.zeros_like(dots) if crossed is None else crossed.copy()
    dots[covered > 0] = 0
    for left, top, right, bottom in np.maximum(np.rint(bounds), 0).astype(int).tolist():
        covered[top:bottom, left:right] = 1
    _blank(dots, along, 0.0)
    dotted = _dotted(dots, covered, size)
    blurred = np.atleast_3d(as_pixels(cv2.blur(colours, (max(3, round(BLUR * size)), 1))))
    faint = np.asarray(_ridges(blurred, cv2.MORPH_BLACKHAT, across) > WEAK, np.uint8)
    _blank(faint, bounds, BLUR / 2 * size)
    mask = strong | dotted | _long(faint, SHORTEST_WEAK * size)
    return (mask | _hinted(dark, covered, frames, size) if len(frames) > 1 else mask), strong


def _hinted(dark: Map, covered: Map, frames: Sequence[tuple[int, int, int, int]], size: float) -> Map:
    """Mark within frames where what no text covers tells a rule on the mean of a long stretch.

    The columns of a grid are parted by faint or dotted rules that its text leaves bare only between its rows.
    """
    bare = (1 - covered).astype(np.float32)
    told = np.minimum(dark, HINT_MOST).astype(np.float32) * bare
    window = (2 * round(HINT_STRETCH * size / 2) + 1, 3)
    share = cv2.blur(bare, window)
    peak = _peaks(cv2.blur(told, window) / np.maximum(share, 1e-3), size) * (share > HINT_BARE)
    hint = np.zeros_like(dark)
    for left, top, right, bottom in frames:
        place = slice(max(0, top - round(size)), bottom + round(size)), slice(left, right)
        seen = bare[place].sum(axis=1)  # of each row of pixels within this frame
        own = _peaks((told[place].sum(axis=1) / np.maximum(seen, 1.0))[:, None], size)[:, 0]
        row = (seen < HINT_BARE / 2 * (right - left)) & (right - left < ROW * size)  # one row, all under text
        there = (peak[place[0], (left + right) // 2] > HINT) & ((own > HINT) | row)
        hint[place][np.convolve(there, np.ones(3), "same") > 0] = 1
    return hint


def _peaks(levels: npt.NDArray[np.floating], size: float) -> npt.NDArray[np.float32]:
    """Give by how much levels stand out from those within a rule's width above and below."""
    near = np.ones((2 * round(THICKEST * size / 2) + 3, 1), np.uint8)
    return np.asarray(cv2.morphologyEx(levels.astype(np.float32), cv2.MORPH_TOPHAT, near), np.float32)


def _long(mask: Map, length: float) -> Map:
    """Keep what runs on for `length`, also where it climbs a pixel now and then."""
    thick = cv2.dilate(mask, np.ones((3, 1), np.uint8))
    return np.asarray(cv2.morphologyEx(thick, cv2.MORPH_OPEN, np.ones((1, max(3, round(length))), np.uint8)), np.uint8)


def _dotted(dots: Map, covered: Map, size: float) -> Map:
    """Run dots together to long pieces; those go that have no dots where nothing covers them.

    Strokes of text under text, run together, leave nothing between its lines.
    """
    broad = np.ones((2 * round(THICKEST * size / 2) + 1, 1), np.uint8)
    dots &= ~np.asarray(cv2.morphologyEx(dots, cv2.MORPH_OPEN, broad), np.uint8)
    near = np.ones((1, 2 * round(DOTS_APART * size / 2) + 1), np.uint8)
    runs = _long(np.asarray(cv2.morphologyEx(dots, cv2.MORPH_CLOSE, near), np.uint8), SHORTEST_DOTTED * size)
    for contour in cv2.findContours(runs, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0]:
        left, top, width, height = cv2.boundingRect(contour)
        place = slice(top, top + height), slice(left, left + width)
        free = np.asarray(~covered[place].any(axis=0), bool)
        inked = np.asarray((dots[place] & runs[place]).any(axis=0), bool)
        if free.sum() < max(FREE * size, FREE_SHARE * width) or inked[free].mean() < DOTS_COVER:
            runs[place] = 0
    return runs


def _blank(mask: Map, bounds: Floats, spread: float) -> None:
    """Clear what lies under text (bounds K 4), with room at its ends for what a blur spreads; its edges stay."""
    inset = edge(bounds)
    room = np.full(len(bounds), spread)
    covers = np.rint(bounds + np.stack([-room, inset, room, -inset], axis=1)).astype(int)
    for left, top, right, bottom in np.maximum(covers, 0).tolist():
        mask[top:bottom, left:right] = 0
