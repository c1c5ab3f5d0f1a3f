"""Parts: the forms that stand on one page, told apart before any of them is read.

Two invoices printed on one sheet, tickets glued side by side: each gets the lines and the codes of its own area, so
that no value of one is mixed with another's. Takes a `Sheet`, gives `Part`s; one part is the whole page.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from shizi.fields.kinds import titles
from shizi.fields.pieces import Piece, Sheet

Holds = Callable[[float, float], bool]

# Titles of forms of one kind are alike in size; smaller ones are words of another form's text.
_ALIKE = 0.6
# How far above the middle of its title a form begins at most, in heights of the title.
_ABOVE = 3.0
_DEPARTS = re.compile(r"\d{4}年\d{1,2}月\d{1,2}日\d{1,2}:\d\d")
# From the left end of the words that tell when a train departs to the middle of its ticket, in lengths of these words.
_TICKET_MIDDLE = (0.93, 0.28)


@dataclass(frozen=True, slots=True)
class Part:
    """One form's area: its lines, and whether a point of the page lies within it."""

    sheet: Sheet
    holds: Holds


def parts_of(sheet: Sheet) -> tuple[Part, ...]:
    """Part a page at the titles that stand on it, or between the tickets on it; else give it whole."""
    areas = _between_titles(sheet, titles(sheet)) or _around_tickets(sheet)
    if not areas:
        return (Part(sheet, lambda _x, _y: True),)
    parts = []
    for holds in areas:
        lines = tuple(line for line in sheet.page.lines if holds(*line.polygon.centre))
        parts.append(Part(Sheet(replace(sheet.page, lines=lines, blocks=(), tables=())), holds))
    return tuple(parts)


def _between_titles(sheet: Sheet, found: Sequence[Piece]) -> list[Holds]:
    largest = max((piece.place.height for piece in found), default=0.0)
    marks = sorted((piece for piece in found if piece.place.height >= _ALIKE * largest), key=sheet.row_of)
    if len(marks) < 2:
        return []
    bands: list[list[Piece]] = [[marks[0]]]
    for mark in marks[1:]:
        beside = sheet.row_of(mark) - sheet.row_of(bands[-1][0]) < _ABOVE * largest
        if beside:
            bands[-1].append(mark)
        else:
            bands.append([mark])
    edges = [-1e9, *(_top_of(sheet, band[0]) for band in bands[1:]), 1e9]
    areas = []
    for band, (top, bottom) in zip(bands, pairwise(edges), strict=True):
        middles = sorted(mark.place.centre[0] for mark in band)
        sides = [-1e9, *((a + b) / 2 for a, b in pairwise(middles)), 1e9]
        areas += [_within(sheet, top, bottom, left, right) for left, right in pairwise(sides)]
    return areas


def _within(sheet: Sheet, top: float, bottom: float, left: float, right: float) -> Holds:
    return lambda x, y: top <= sheet.row(x, y) < bottom and left <= x < right


def _top_of(sheet: Sheet, title: Piece) -> float:
    """Find the row where the form under a title begins: in the widest gap between the lines just above it."""
    middle, height = sheet.row_of(title), title.place.height
    spans = sorted(
        (row - piece.place.height / 2, row + piece.place.height / 2)
        for piece in sheet.pieces
        if not piece.vertical and (row := sheet.row_of(piece)) <= middle
    )
    best, reached = (0.0, middle - height), spans[0][1]
    for top, bottom in spans[1:]:
        if top > reached and top > middle - _ABOVE * height:
            best = max(best, (top - reached, (top + reached) / 2))
        reached = max(reached, bottom)
    return best[1]


def _around_tickets(sheet: Sheet) -> list[Holds]:
    """Part train tickets, which bear no title, by the line of each that tells when its train departs."""
    middles = []
    for piece in sheet.pieces:
        found = None if piece.vertical else _DEPARTS.search(piece.folded)
        if found:
            place = piece.cut(*found.span()).place  # without the seat, which is often read on the same line
            left, _, right, _ = place.bounds
            along, down = _TICKET_MIDDLE
            middles.append((left + along * (right - left), place.centre[1] + down * (right - left)))
    return [_nearest(middles, i) for i in range(len(middles))] if len(middles) > 1 else []


def _nearest(middles: Sequence[tuple[float, float]], own: int) -> Holds:
    def holds(x: float, y: float) -> bool:
        apart = [(x - mx) ** 2 + (y - my) ** 2 for mx, my in middles]
        return apart.index(min(apart)) == own

    return holds
