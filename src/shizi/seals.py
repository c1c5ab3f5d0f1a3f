"""Seals: the round and oval red stamps of companies and tax offices, told apart from what they are pressed on.

Takes pixels (H W 3), gives `Seal`s with their ink, and pixels without it. Knows nothing of text.

A seal is red ink whose outline is an ellipse: its ring. What else is red inside of the ring (a star, the owner's name
along it) is the seal's as well. Square seals are left out: red frames and tables look the same.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from shizi.geometry import Point, Polygon
from shizi.line_image import Pixels, as_pixels

Map = npt.NDArray[np.uint8]

WORKING_SIDE = 1000  # pixels of the longer side that seals are looked for in: rings are 0.5 mm thick and more
# By how much of its level red stands above both other colours (0.22: paste pressed thinly, photographed in dim light),
# by how much of that green may stand above blue (the rules of tax forms are brown), and how light red is at least.
RED, BROWN, DARKEST = 0.22, 0.45, 70
STRICTER = (0.22, 0.4, 0.6)  # looked for in turn: where all the form is reddish, its seals are redder
FEWEST_RED = 1e-4  # share of a page that is red: less is no seal
LEAST, FLATTEST = 0.05, 0.5  # of the page's longer side that a seal is wide; its height to its width
# The ring: directions from the centre in which red lies within this share of the radius from the ellipse, and how many
# of them; gaps (creases, thin ink, the text it is pressed on) are what is missing.
SECTORS, NEAR, RINGED = 48, 0.08, 0.75
CUT, SHOWN = 2, 0.6  # pixels off the page's edge where it cuts a ring off; share of the ring that has to be on the page
# Red share of the ellipse from which it is a spot, and of its surroundings (to so many radii) from which it lies in a
# picture.
FILLED, AROUND, SURROUNDED = 0.6, 0.3, 1.3
CLEAR = 2.0  # red share of the ring to that inside of it: 3 and more in seals, 1 in a photographed face
INSIDE = 1.06  # radii to which a seal's ink reaches
STRAIGHT = 0.1  # of the page's longer side: what runs on straight is a rule
ARC = 0.2  # height to width of the least part of a ring that tells it
MOST = 60  # patches of red looked at, the largest


@dataclass(frozen=True, slots=True)
class Seal:
    """One seal, in page pixels: the centre of its ellipse, its half axes, and its angle in degrees."""

    centre: Point
    radii: tuple[float, float]
    angle: float

    @property
    def polygon(self) -> Polygon:
        """The upright rectangle around it."""
        turn = np.deg2rad(self.angle)
        across = float(np.hypot(self.radii[0] * np.cos(turn), self.radii[1] * np.sin(turn)))
        down = float(np.hypot(self.radii[0] * np.sin(turn), self.radii[1] * np.cos(turn)))
        x, y = self.centre
        return Polygon.from_bounds(x - across, y - down, x + across, y + down)

    def holds(self, point: Point) -> bool:
        """Say whether a point of the page lies inside of it."""
        return bool(_distances(self, np.array([point], np.float64))[0] <= 1.0)


def find_seals(pixels: Pixels) -> list[Seal]:
    """Find the round and oval seals of a page (H W 3), the largest first."""
    scale = min(1.0, WORKING_SIDE / max(pixels.shape[:2]))
    small = pixels
    if scale < 1:
        small = as_pixels(cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
    found: list[Seal] = []
    for least in STRICTER:
        red = _red(small, least)
        if cv2.countNonZero(red) < FEWEST_RED * red.size:
            break
        for seal in _rings(red):
            if _is_pressed(_red(small), seal) and not any(
                seal.holds(other.centre) or other.holds(seal.centre) for other in found
            ):
                found.append(seal)
    return [Seal(_times(seal.centre, 1 / scale), _times(seal.radii, 1 / scale), seal.angle) for seal in found]


def without_seals(pixels: Pixels, seals: Sequence[Seal]) -> Pixels:
    """Give a page's pixels with the ink of its seals taken off, the ground around it put in; what is under it stays."""
    if not seals:
        return pixels
    cleared = pixels.copy()
    for seal in seals:
        left, top, right, bottom = _room(seal, pixels)
        part = cleared[top:bottom, left:right]
        red = _red(part)
        ink = red & ~_ruled(red, seal) & _covered(seal, (left, top), part.shape[:2])
        ground = _ground(part, ink)
        light = part[:, :, 0] > 0.7 * ground[:, :, 0]  # beside the ink, not of the letters under it
        ink |= cv2.dilate(ink, np.ones((3, 3), np.uint8)) & light.astype(np.uint8)
        part[ink > 0] = ground[ink > 0]
    return cleared


def is_seal_text(pixels: Pixels, text: Polygon, seal: Seal) -> bool:
    """Say whether a line of text belongs to a seal: it lies inside, and most of its ink is red."""
    if not seal.holds(text.centre):
        return False
    left, top, right, bottom = (round(bound) for bound in text.bounds)
    part = pixels[max(0, top) : bottom, max(0, left) : right]
    if not part.size:
        return False
    level = cv2.cvtColor(part, cv2.COLOR_RGB2GRAY)
    light = float(np.percentile(level, 90))
    inked = level < 0.82 * light
    red = _red(part) > 0
    return bool((inked & red).sum() > 0.5 * max(1, (inked | red).sum()))


def _times(pair: tuple[float, float], factor: float) -> tuple[float, float]:
    return pair[0] * factor, pair[1] * factor


def _red(pixels: Pixels, least: float = RED) -> Map:
    """Mark what is red ink (1), of pixels H W 3."""
    red, green, blue = cv2.split(pixels)
    above = cv2.subtract(red, cv2.max(green, blue))  # 0 where another colour is stronger
    enough = cv2.compare(above, cv2.convertScaleAbs(red, alpha=least), cv2.CMP_GT)
    brown = cv2.compare(cv2.subtract(green, blue), cv2.convertScaleAbs(above, alpha=BROWN), cv2.CMP_GT)
    light = cv2.threshold(red, DARKEST, 255, cv2.THRESH_BINARY)[1]
    marked = cv2.bitwise_and(cv2.bitwise_and(enough, light), cv2.bitwise_not(brown))
    return np.asarray(marked, np.uint8) & np.uint8(1)


def _rings(red: Map) -> Iterator[Seal]:
    """Find the ellipses that red ink (H W) outlines; of those inside of one another the outer."""
    side = max(red.shape)
    long = max(8, round(STRAIGHT * side))
    near = np.ones((3, 3), np.uint8)
    closed = cv2.morphologyEx(red & ~_straight(red, long), cv2.MORPH_CLOSE, near)
    contours = cv2.findContours(closed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
    found: list[Seal] = []
    for contour in sorted(contours, key=cv2.contourArea, reverse=True)[:MOST]:
        width, height = cv2.boundingRect(contour)[2:]
        if max(width, height) < LEAST * side or min(width, height) < ARC * max(width, height):
            continue
        hull = _within(np.asarray(cv2.convexHull(contour), np.int32), red)
        if len(hull) < 8:
            continue
        (x, y), axes, angle = cv2.fitEllipse(hull)
        seal = _refined(red, Seal((float(x), float(y)), (float(axes[0]) / 2, float(axes[1]) / 2), float(angle)))
        if _is_ring(red, seal) and not any(other.holds(seal.centre) for other in found):
            found.append(seal)
            yield seal


def _within(hull: npt.NDArray[np.int32], red: Map) -> npt.NDArray[np.int32]:
    """Leave out those points (N 1 2) at which the page's edge cuts a patch off."""
    far = np.array(red.shape[::-1]) - 1 - CUT
    return hull[((hull > CUT) & (hull < far)).all(axis=(1, 2))]


def _refined(red: Map, seal: Seal) -> Seal:
    """Fit an ellipse again to all red near it: a patch may be a part of its ring."""
    if not np.isfinite([*seal.centre, *seal.radii]).all() or max(seal.radii) > max(red.shape):
        return seal
    left, top, right, bottom = _room(seal, red, 1 + 2 * NEAR)
    rows, columns = np.nonzero(red[top:bottom, left:right])
    points = np.stack([columns + left, rows + top], axis=1).astype(np.float64)
    ring = points[np.abs(_distances(seal, points) - 1) < 1.5 * NEAR] if len(points) else points
    if len(ring) < 8:
        return seal
    (x, y), axes, angle = cv2.fitEllipse(ring.astype(np.float32))
    return Seal((float(x), float(y)), (float(axes[0]) / 2, float(axes[1]) / 2), float(angle))


def _is_ring(red: Map, seal: Seal) -> bool:
    if min(seal.radii) < FLATTEST * max(seal.radii) or not np.isfinite([*seal.centre, *seal.radii]).all():
        return False
    left, top, right, bottom = _room(seal, red)
    rows, columns = np.nonzero(red[top:bottom, left:right])
    if not len(rows):
        return False
    points = np.stack([columns + left, rows + top], axis=1).astype(np.float64)
    far = _distances(seal, points)
    ring = points[np.abs(far - 1) < NEAR] - seal.centre
    sectors = np.unique((np.arctan2(ring[:, 1], ring[:, 0]) / (2 * np.pi) * SECTORS).astype(int) % SECTORS)
    angles = (np.arange(SECTORS) + 0.5) / SECTORS * 2 * np.pi
    way = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    places = seal.centre + way / _distances(seal, seal.centre + way)[:, None]
    shown = ((places > CUT) & (places < np.array(red.shape[::-1]) - 1 - CUT)).all(axis=1).sum()
    return bool(len(sectors) >= RINGED * shown and shown >= SHOWN * SECTORS)


def _is_pressed(red: Map, seal: Seal) -> bool:
    """Say whether an ellipse is a ring, open inside, with no red around it: no sign, no button, no face."""
    left, top, right, bottom = _room(seal, red, SURROUNDED)
    rows, columns = np.mgrid[top:bottom, left:right]
    far = _distances(seal, np.stack([columns.ravel(), rows.ravel()], axis=1).astype(np.float64))
    inked = red[top:bottom, left:right].ravel() > 0
    inside, around = far <= 1, (far > 1.08) & (far < SURROUNDED)
    if inked[np.abs(far - 1) < NEAR].mean() < CLEAR * inked[far < 1 - NEAR].mean():
        return False
    return bool(inked[inside].mean() < FILLED) and not (around.any() and inked[around].mean() > AROUND)


def _distances(seal: Seal, points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Give how far points (N 2) lie from the centre, 1 on the ellipse."""
    turn = np.deg2rad(seal.angle)
    x, y = (points - seal.centre).T
    along, aside = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    return np.asarray(np.hypot(along / max(seal.radii[0], 1e-6), aside / max(seal.radii[1], 1e-6)), np.float64)


def _room(seal: Seal, pixels: npt.NDArray[np.uint8], reach: float = 1.1) -> tuple[int, int, int, int]:
    """Give the bounds of a seal and its surroundings, to `reach` radii, within a page's."""
    left, top, right, bottom = seal.polygon.bounds
    spare = (reach - 1) * max(seal.radii)
    height, width = pixels.shape[:2]
    return (
        max(0, int(left - spare)),
        max(0, int(top - spare)),
        min(width, int(right + spare) + 1),
        min(height, int(bottom + spare) + 1),
    )


def _covered(seal: Seal, corner: tuple[int, int], shape: tuple[int, ...]) -> Map:
    """Mark the ellipse, a little grown, in a part of the page that begins at `corner` and has `shape`."""
    mask = np.zeros(shape[:2], np.uint8)
    centre = (round(seal.centre[0] - corner[0]), round(seal.centre[1] - corner[1]))
    axes = (round(INSIDE * seal.radii[0]) + 1, round(INSIDE * seal.radii[1]) + 1)
    cv2.ellipse(mask, centre, axes, seal.angle, 0, 360, 1, -1)
    return mask


def _ruled(red: Map, seal: Seal) -> Map:
    """Mark straight red runs as long as the radius: the form's own rules. A ring's flat parts are shorter."""
    thick = np.asarray(cv2.dilate(red, np.ones((3, 3), np.uint8)), np.uint8)
    return _straight(thick, max(3, round(max(seal.radii))))


def _straight(red: Map, long: int) -> Map:
    """Mark runs of `long` pixels across or down."""
    across, down = (cv2.morphologyEx(red, cv2.MORPH_OPEN, np.ones(side, np.uint8)) for side in ((1, long), (long, 1)))
    return np.asarray(cv2.bitwise_or(across, down), np.uint8)


def _ground(part: Pixels, ink: Map) -> Pixels:
    """Give what lies beneath the ink (H W): the mean, near by, of what is light and not ink."""
    level = part[:, :, 0]  # red: seals are light in it, text is not
    free = ink == 0
    paper = free & (level > 0.8 * np.percentile(level[free], 75)) if free.any() else np.ones_like(free)
    reach = 2 * round(0.06 * max(part.shape)) + 3
    weight = cv2.blur(paper.astype(np.float32), (reach, reach))
    near = cv2.blur(part.astype(np.float32) * paper[:, :, None], (reach, reach)) / np.maximum(weight, 1e-3)[:, :, None]
    middle = np.median(part[paper], axis=0) if paper.any() else 255.0
    return as_pixels(np.clip(np.where(weight[:, :, None] > 0.02, near, middle), 0, 255))
