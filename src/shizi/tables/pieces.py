"""Pieces: the stretches of one rule, traced in the mask of what stands out as thin, and joined to whole rules.

Takes a mask (H W uint8) in which rules run across, the bounds of text (K 4) and the text's height, gives `Piece`s.
Lengths are in text heights. Knows nothing of how the mask was made.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Map = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]

THICKEST = 0.45  # of a rule, in text heights
LEAST, LEAST_WEAK = 1.1, 2.2  # of a whole rule without its gaps
COVER = 0.35  # share of a rule's length that its pieces make up
STEEPEST = 0.05  # slope of a rule after its page was set level: photographs lean this much
WIDE = 6.0  # how long a rule is that frames rows, and a shape that may hold one
# What touches a rule makes one shape with it; how long thin stretches of that are at least, in text heights, and which
# share of the rule they make up at least.
THROUGH_LEAST, THROUGH = 2.0, 0.5
BREAK = 1.7  # gaps in a rule (a stamp, a crossing text) are bridged up to this many text heights
ASIDE = 0.28  # pieces of one rule lie this close to one straight line, in text heights
MOST = 1500  # pieces looked at: the longest; a picture of more is no form


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a rule that runs across, from left to right, and how much of it is solid, how much weak."""

    x0: float
    y0: float
    x1: float
    y1: float
    solid: float
    weak: float


def pieces_in(mask: Map, strong: Map, bounds: Floats, size: float) -> Iterator[Piece]:
    """Trace the pieces of rules in a mask."""
    shapes = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
    for shape in sorted(shapes, key=len, reverse=True)[:MOST]:
        for x0, y0, x1, y1 in (_line_of(shape),) if _is_thin(shape, size) else _lines_within(shape, mask, size):
            if abs(y1 - y0) < STEEPEST * (x1 - x0) + 2 and not _is_stroke(bounds, (x0, y0, x1, y1), size):
                _, top, _, height = cv2.boundingRect(shape)
                inked = strong[top : top + height, int(x0) : int(x1)].any(axis=0).mean()
                yield Piece(x0, y0, x1, y1, *((x1 - x0, 0.0) if inked > 0.5 else (0.0, x1 - x0)))


def _is_thin(shape: cv2.typing.MatLike, size: float) -> bool:
    _, _, width, height = cv2.boundingRect(shape)
    thick = (cv2.contourArea(shape) + len(shape) / 2) / width
    return bool(thick <= THICKEST * size + 2 and height <= 0.2 * width + THICKEST * size)


def _line_of(shape: cv2.typing.MatLike) -> tuple[float, float, float, float]:
    left, _, width, _ = cv2.boundingRect(shape)
    y0, y1 = _ends(np.asarray(shape[:, 0], np.int32), left, left + width)
    return float(left), y0, float(left + width), y1


def _lines_within(shape: cv2.typing.MatLike, mask: Map, size: float) -> Iterator[tuple[float, float, float, float]]:
    """Give the rules in a shape that is too thick for one: a seal, a picture or a QR code touches them somewhere.

    There the shape is as thin as a rule for long stretches. Stretches on one straight line are one rule, and it runs
    on along that line as far as there is ink.
    """
    left, top, width, height = cv2.boundingRect(shape)
    if width < WIDE * size:
        return
    whole = np.zeros((height, width), np.uint8)
    cv2.drawContours(whole, [shape], -1, (1,), cv2.FILLED, offset=(-left, -top))
    whole &= mask[top : top + height, left : left + width]
    thick = cv2.morphologyEx(whole, cv2.MORPH_OPEN, np.ones((round(THICKEST * size) + 3, 1), np.uint8))
    thin = cv2.findContours(whole & ~np.asarray(thick, np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
    parts = sorted((_line_of(part) for part in thin if _is_thin(part, size)), key=lambda part: part[0] - part[2])
    parts = [part for part in parts if part[2] - part[0] > THROUGH_LEAST * size]
    while parts and parts[0][2] - parts[0][0] > WIDE * size:
        x0, y0, x1, y1 = parts[0]
        slope = (y1 - y0) / (x1 - x0)
        in_line = [p for p in parts if abs(y0 + slope * ((p[0] + p[2]) / 2 - x0) - (p[1] + p[3]) / 2) < ASIDE * size]
        parts = [part for part in parts if part not in in_line]
        columns = np.arange(width)
        rows = np.clip(np.rint(y0 + slope * (columns - x0)), 0, height - 1).astype(int)
        inked = np.concatenate([[False], whole[rows, columns] > 0, [False]])
        bare = np.flatnonzero(~inked)
        middle = (x0 + x1) / 2
        start, end = float(bare[bare <= middle + 1].max()), float(bare[bare > middle + 1].min() - 1)
        found = sum(p[2] - p[0] for p in in_line if start <= (p[0] + p[2]) / 2 <= end)
        if found <= THROUGH * (end - start):
            start, end = x0, x1
        yield left + start, top + y0 + slope * (start - x0), left + end, top + y0 + slope * (end - x0)


def edge(bounds: Floats) -> Floats:
    """Give how far rules may run into the bounds (K 4) of text at its upper and lower edge: those were grown."""
    inset: Floats = 0.12 * np.minimum(bounds[:, 3] - bounds[:, 1], bounds[:, 2] - bounds[:, 0])
    return inset


def _ends(outline: npt.NDArray[np.int32], left: float, right: float) -> tuple[float, float]:
    """Give the mean heights of a piece at its left and right ends, of its outline (N 2)."""
    x, y = outline[:, 0], outline[:, 1]
    end = max(2.0, (right - left) / 8)
    y0, y1 = float(y[x < left + end].mean()), float(y[x >= right - end].mean())
    slope = (y1 - y0) / max(1.0, right - left - end)
    return y0 - slope * end / 2, y1 + slope * end / 2


def _is_stroke(bounds: Floats, piece: tuple[float, ...], size: float) -> bool:
    """Say whether a piece lies all within the bounds (K 4) of some text, away from its upper and lower edge."""
    x0, y0, x1, y1 = piece
    left, top, right, bottom = bounds.T
    inset, spread = edge(bounds), 0.2 * size
    inside = (left - spread < x0) & (x1 < right + spread)
    stroke = (
        (x1 - x0 < 1.5 * np.minimum(bottom - top, right - left))
        & (top + inset < min(y0, y1))
        & (max(y0, y1) < bottom - inset)
    )
    dash = (top + 2 * inset < min(y0, y1)) & (max(y0, y1) < bottom - 2 * inset)
    return bool((inside & (stroke | dash)).any())


def joined(pieces: Iterable[Piece], size: float) -> list[Piece]:
    """Join pieces that follow one another on one straight line; what is too short or too full of gaps goes."""
    rules: list[Piece] = []
    for piece in sorted(pieces, key=lambda piece: (piece.x0, piece.y0)):
        near = [
            (abs(_aside(rule, piece)), i)
            for i, rule in enumerate(rules)
            if piece.x0 - rule.x1 < BREAK * size and abs(_aside(rule, piece)) < ASIDE * size
        ]
        if near:
            i = min(near)[1]
            rules[i] = _both(rules[i], piece)
        else:
            rules.append(piece)
    return [rule for rule in rules if _is_rule(rule, size)]


def _both(rule: Piece, piece: Piece) -> Piece:
    x1, y1 = (piece.x1, piece.y1) if piece.x1 > rule.x1 else (rule.x1, rule.y1)
    return Piece(rule.x0, rule.y0, x1, y1, rule.solid + piece.solid, rule.weak + piece.weak)


def _is_rule(rule: Piece, size: float) -> bool:
    found, length = rule.solid + rule.weak, rule.x1 - rule.x0
    enough = rule.solid >= LEAST * size or found >= LEAST_WEAK * size
    return enough and found >= COVER * length and abs(rule.y1 - rule.y0) < STEEPEST * length + 0.1 * size


def _aside(rule: Piece, piece: Piece) -> float:
    """Give how far a piece begins below a rule's straight line, the longer of the two telling the slope."""
    longer = max(rule, piece, key=lambda part: part.x1 - part.x0)
    slope = (longer.y1 - longer.y0) / max(1.0, longer.x1 - longer.x0)
    return piece.y0 - (rule.y0 + slope * (piece.x0 - rule.x0))
