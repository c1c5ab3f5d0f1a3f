"""Detect: where on a page text stands, as rotated rectangles, with the DB detector of PP-OCRv6.

Takes pixels (H W 3 uint8 RGB), gives `Region`s. The network marks each pixel with the chance that it lies in the
shrunken core of a line (Liao et al., Real-time Scene Text Detection with Differentiable Binarization, AAAI 2020);
the cores are traced, scored and grown back. Knows nothing of reading.
"""

import math

import cv2
import numpy as np
import numpy.typing as npt

from shizi.crop import Region
from shizi.line_image import Pixels, as_pixels
from shizi.weights import Weights, open_session, run

Map = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

CORE_PROBABILITY = 0.3  # a pixel above this lies in a core (PP-OCR's own threshold)
REGION_SCORE = 0.5  # mean probability over the core's rectangle for it to count as text (PP-OCR's own)
# A long line that bends fills its rectangle badly: it counts by the mean over its core alone.
BENT_ASPECT, BENT_SCORE, BENT_FILL = 6, 0.7, 0.75
GROWTH = 1.6  # a core grows outwards by area * GROWTH / perimeter (PP-OCR's unclip ratio)
REACH = 0.25  # see `_reach_out`
CHUNK = 64  # boxes compared with all others at a time: bounds memory on pages of thousands
MIN_CORE = 3  # cores thinner than this many map pixels are noise
STRIDE = 32  # the network's maps need sides that are multiples of this
MARGIN = 16  # pixels of the page's edge colour added around it: text that touches the edge is found too

# Something stands out where, a little smoothed, two pixels so far apart differ by so many levels of a colour; around
# it so many pixels of paper are seen.
APART, STANDS_OUT, PAPER = 4, 6, 24

FIRST_LOOK = 960 * 720  # pixels of the first look; smaller pages are seen as they are
# Lines seen less than so many pixels high (grown, margins included) on the median are looked at again, so high, but
# never more than MOST_ENLARGED times the first look: on a page seen as it is, and on one that was shrunk, whose lines
# are cut from more pixels than were seen (docs/decisions/005).
AS_IS, SHRUNK, MOST_ENLARGED = (19.0, 32.0), (16.0, 24.0), 3.0
TILE = 896  # its square bounds the pixels of one run of the network, and so memory; more are seen in overlapping tiles
OVERLAP = 96


class Detector:
    """The loaded detector. Safe to use from several threads at once."""

    def __init__(self, weights: Weights, threads: int = 1) -> None:
        """Load `weights` on `threads` CPU threads."""
        self.weights = weights
        self._session = open_session(weights, threads)
        first = self._session.get_inputs()[0]
        self._input, self._takes_bytes = first.name, first.type == "tensor(uint8)"

    def find(self, pixels: Pixels) -> list[Region]:
        """Find the regions of text, in page pixels, each first side running right within 45 degrees."""
        height, width = pixels.shape[:2]
        scale = min(1.0, math.sqrt(FIRST_LOOK / (height * width)))
        regions = self._find_at(pixels, scale)
        if not regions:  # what is too small to be seen at all shows when the page is seen twice as large
            return self._find_at(pixels, min(1.0, 2 * scale)) if scale < 1 else []
        seen = scale * float(np.median([min(region.width, region.height) for region in regions]))
        small, legible = SHRUNK if scale < 1 else AS_IS
        if seen >= small:
            return regions
        return self._find_at(pixels, scale * min(MOST_ENLARGED, legible / seen))

    def _find_at(self, pixels: Pixels, scale: float) -> list[Region]:
        height, width = pixels.shape[:2]
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        scaled = as_pixels(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR))
        left, top, right, bottom = _printed(scaled)
        if left == right:
            return []
        seen = as_pixels(scaled[top:bottom, left:right])
        stretch, offset = np.array([width / size[0], height / size[1]]), np.array([left, top]) - MARGIN
        return [
            Region(
                np.clip((corners + offset) * stretch, 0, (width, height)).astype(np.float32),
                (float(bow[0] * stretch[0]), float(bow[1] * stretch[1])),
            ).upright()
            for corners, bow in zip(*regions_of(self._probability(seen)), strict=True)
        ]

    def _probability(self, scaled: Pixels) -> Map:
        """Give the map of a page with `MARGIN` around it, in one look or tile by tile."""
        framed = _framed(scaled)
        height, width = framed.shape[:2]
        if height * width <= TILE * TILE:
            return self._look(framed)
        result = np.zeros((height, width), np.float32)
        for top, bottom in _stretches(height):
            for left, right in _stretches(width):
                seen = self._look(framed[top:bottom, left:right])
                np.maximum(result[top:bottom, left:right], seen, out=result[top:bottom, left:right])
        return result

    def _look(self, pixels: Pixels) -> Map:
        """Run the network once; H, W are multiples of `STRIDE`."""
        if self._takes_bytes:
            tensor = cv2.cvtColor(pixels, cv2.COLOR_RGB2RGBA)[None]  # 1, H, W, 4; four bytes copy faster than three
        else:
            tensor = cv2.dnn.blobFromImage(pixels, 1 / 127.5, mean=(127.5, 127.5, 127.5), swapRB=True)  # 1, 3, H, W
        (output,) = run(self._session, {self._input: tensor})
        return np.asarray(output[0, 0], np.float32)


def _printed(pixels: Pixels) -> tuple[int, int, int, int]:
    """Find the part of a page where anything stands out: left, top, right, bottom; all 0 where nothing does.

    Empty margins cost the network as much time as text does. Light that falls off and fine grain do not stand out.
    """
    height, width = pixels.shape[:2]
    smooth = cv2.blur(pixels, (3, 3))
    rows, columns = np.zeros(height, bool), np.zeros(width, bool)
    for across, down in ((APART, 0), (0, APART)):
        if height <= down or width <= across:
            continue
        steps = cv2.absdiff(smooth[: height - down, : width - across], smooth[down:, across:])
        flat = steps.reshape(height - down, -1)  # columns by colours
        rows[: height - down] |= flat.max(axis=1) >= STANDS_OUT
        columns[: width - across] |= flat.max(axis=0).reshape(-1, 3).max(axis=1) >= STANDS_OUT
    (top, bottom), (left, right) = (_span(np.flatnonzero(there), len(there)) for there in (rows, columns))
    return left, top, right, bottom


def _span(places: npt.NDArray[np.int_], length: int) -> tuple[int, int]:
    """Give where what stands out begins and ends, with `PAPER` around, the end so that `STRIDE` is filled."""
    if not len(places):
        return 0, 0
    start, end = max(0, int(places[0]) - PAPER), min(length, int(places[-1]) + APART + PAPER)
    return start, min(length, end + -(end - start + 2 * MARGIN) % STRIDE)


def _framed(pixels: Pixels) -> Pixels:
    """Add the margin, and on the right and below what is missing to a multiple of `STRIDE`, in the edge's colours."""
    height, width = pixels.shape[:2]
    below, right = (-(side + 2 * MARGIN) % STRIDE + MARGIN for side in (height, width))
    edge = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    colour = np.median(edge, axis=0).tolist()  # not replicated: a glyph cut by the edge would be drawn out to a bar
    framed = cv2.copyMakeBorder(pixels, MARGIN, below, MARGIN, right, cv2.BORDER_CONSTANT, value=colour)
    return as_pixels(framed)


def _stretches(length: int) -> list[tuple[int, int]]:
    """Cut a side (a multiple of `STRIDE`) into equal overlapping stretches of at most `TILE`."""
    if length <= TILE:
        return [(0, length)]
    count = -(-(length - OVERLAP) // (TILE - OVERLAP))
    size = -(-(length + (count - 1) * OVERLAP) // count // STRIDE) * STRIDE
    starts = [(length - size) * i // (count - 1) // STRIDE * STRIDE for i in range(count)]
    return [(start, start + size) for start in starts]


def regions_of(probability: Map) -> tuple[Floats, Floats]:
    """Trace the cores of a probability map (H W) and grow them back to whole lines.

    Gives corners (K 4 2) and bows (K 2), map pixels.
    """
    mask = cv2.dilate((probability > CORE_PROBABILITY).astype(np.uint8), np.ones((2, 2), np.uint8))
    contours = list(cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0])
    boxes = np.array([(*centre, *size, angle) for centre, size, angle in map(cv2.minAreaRect, contours)])
    boxes = _lying(boxes.reshape(-1, 5))
    _, labels = cv2.connectedComponents(mask, connectivity=8, ltype=cv2.CV_32S)
    first = np.array([contour[0, 0] for contour in contours], dtype=np.int64).reshape(-1, 2)
    cores = labels[first[:, 1], first[:, 0]]
    sums = np.bincount(labels.ravel(), weights=probability.ravel())[cores]
    areas = np.bincount(labels.ravel())[cores]

    length, height = boxes[:, 2], boxes[:, 3]
    scores = sums / ((length + 1) * (height + 1))  # what lies in the rectangle but outside the core counts as nothing
    bent = (length > BENT_ASPECT * height) & (sums / areas > BENT_SCORE) & (areas < BENT_FILL * length * height)
    keep = (height >= MIN_CORE) & ((scores >= REGION_SCORE) | bent)
    bows = np.zeros((len(boxes), 2))
    for i in np.flatnonzero(keep & bent):
        boxes[i], bows[i] = _follow(boxes[i], np.asarray(contours[i]), float(areas[i]))
    boxes = boxes[keep]
    boxes[:, 2:4] += (boxes[:, 2] * boxes[:, 3] * GROWTH / (boxes[:, 2] + boxes[:, 3] + 1e-9))[:, None]
    return _corners(_reach_out(boxes)), bows[keep]


def _reach_out(boxes: Floats) -> Floats:
    """Lengthen each box (K 5) at both ends by `REACH` of its height, but at most half the way to a neighbour.

    The network overlooks small marks at the ends of lines, opening quotation marks above all.
    """
    corners, along, across = _corners(boxes), *_axes(boxes)
    gaps = np.empty((len(boxes), 2))  # to the left and right
    for some in np.array_split(np.arange(len(boxes)), len(boxes) // CHUNK + 1):
        places = corners[None] - boxes[some, None, None, :2]  # n, K, 4, 2: every box as seen from some
        u, v = (np.einsum("nkci,ni->nkc", places, axis[some]) for axis in (along, across))
        length, height = boxes[some, 2:3], boxes[some, 3:4]
        beside = (v.min(axis=2) < 0.4 * height) & (v.max(axis=2) > -0.4 * height)
        beside[np.arange(len(some)), some] = False
        for side, reached in enumerate((-u.max(axis=2), u.min(axis=2))):
            there = beside & (u.mean(axis=2) * (-1, 1)[side] > 0)
            gaps[some, side] = np.where(there, reached - length / 2, np.inf).min(axis=1, initial=np.inf)
    ends = np.clip(gaps / 2, 0, REACH * boxes[:, 3:4])
    longer = boxes.copy()
    longer[:, 2] += ends.sum(axis=1)
    longer[:, :2] += along * (ends[:, 1:] - ends[:, :1]) / 2
    return longer


def _lying(boxes: Floats) -> Floats:
    """Name the longer side of each box (K 5: x, y, width, height, degrees) its width."""
    standing = boxes[:, 2] < boxes[:, 3]
    boxes[standing, 2:4] = boxes[standing, 3:1:-1]
    boxes[standing, 4] += 90
    return boxes


def _follow(box: Floats, contour: npt.NDArray[np.int32], area: float) -> tuple[Floats, Floats]:
    """Fit a parabola to the centre line of a core; gives the box of the straightened core and its bow (x, y).

    The outline stands for the core: its upper and lower edges bend alike.
    """
    angle = np.deg2rad(box[4])
    along, across = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    places = _evenly(contour[:, 0].astype(np.float64)) - box[:2]
    u, v = places @ along, places @ across
    square, slope, offset = np.polyfit(u, v, 2)
    half = box[2] / 2
    bow = -square * half * half
    straight = box.copy()
    straight[:2] += across * (offset - bow)
    straight[3] = max(MIN_CORE, area / box[2])
    straight[4] += np.rad2deg(np.arctan(slope))
    return straight, across * bow


def _evenly(outline: Floats) -> Floats:
    """Fill in the points between the corners of a closed outline (N 2), about one a pixel."""
    following = np.roll(outline, -1, axis=0)
    steps = np.maximum(1, np.abs(following - outline).max(axis=1).astype(int))
    share = np.concatenate([np.arange(count) / count for count in steps])[:, None]
    filled: Floats = np.repeat(outline, steps, axis=0) * (1 - share) + np.repeat(following, steps, axis=0) * share
    return filled


def _axes(boxes: Floats) -> tuple[Floats, Floats]:
    """Give the directions (K 2 each) along and across rotated boxes (K 5)."""
    angle = np.deg2rad(boxes[:, 4:5])
    along = np.hstack([np.cos(angle), np.sin(angle)])
    return along, np.hstack([-along[:, 1:], along[:, :1]])


def _corners(boxes: Floats) -> Floats:
    """Give the corners (K 4 2) of rotated boxes (K 5), clockwise."""
    along, across = _axes(boxes)
    right, down = along * boxes[:, 2:3] / 2, across * boxes[:, 3:4] / 2
    signs = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])[None, :, :, None]  # 1, 4, (right, down), 1
    corners: Floats = boxes[:, None, :2] + signs[:, :, 0] * right[:, None] + signs[:, :, 1] * down[:, None]
    return corners
