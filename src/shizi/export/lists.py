"""Lists: rows of text that are the items of a list, told by the marks they begin with.

Takes rows, gives `Listing`s and the rows between. One row alone is no list, and numbers must follow one another, so
that a date or an amount at the start of a row makes none. Knows nothing of places on a page.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["bullets", "numbers", "marks"]

_BULLET = re.compile(r"[•·●○■□◆◇▪▫※➢➤]\s*|[-–—*]\s+")
_NUMBER = re.compile(r"(\d{1,3})([.．、)）])(?!\d)\s*")
_MARK = re.compile(
    r"(?P<circled>[①-⑳])|[(（](?P<bracketed>\d{1,2}|[a-z]|[一二三四五六七八九十]{1,3})[)）]|(?P<letter>[a-zA-Z])[.)）、](?=\s|[^\x00-\x7f])"
    r"|(?P<chinese>[一二三四五六七八九十]{1,3})、"
)
_FEWEST = 2  # items of a list
_CHINESE = "零一二三四五六七八九"


@dataclass(frozen=True, slots=True)
class Listing:
    """A list: `bullets` and `numbers` (from `start`) without their marks, `marks` of other kinds as printed."""

    kind: Kind
    items: tuple[str, ...]
    start: int = 1


@dataclass(frozen=True, slots=True)
class _Item:
    kind: Kind
    style: str
    number: int
    text: str


def run_of(rows: Sequence[str]) -> Listing | None:
    """Give the list that the first rows make; None if they make none."""
    items: list[_Item] = []
    for row in rows:
        item = _item(row)
        if item is None or (items and not _follows(items[-1], item)):
            break
        items.append(item)
    if len(items) < _FEWEST:
        return None
    return Listing(items[0].kind, tuple(item.text for item in items), max(items[0].number, 0))


def _follows(one: _Item, other: _Item) -> bool:
    same = (one.kind, one.style) == (other.kind, other.style)
    return same and (one.kind == "bullets" or other.number == one.number + 1)


def _item(row: str) -> _Item | None:
    row = row.strip()
    if (found := _BULLET.match(row)) and row[found.end() :].strip():
        return _Item("bullets", found[0].strip(), 1, row[found.end() :].strip())
    if (found := _NUMBER.match(row)) and row[found.end() :].strip():
        return _Item("numbers", found[2], int(found[1]), row[found.end() :].strip())
    if (found := _MARK.match(row)) and row[found.end() :].strip():
        style = str(found.lastgroup)
        text = found[style]
        return _Item("marks", style + ("1" if text.isdigit() else "a" if text.isascii() else "一"), _value(text), row)
    return None


def _value(text: str) -> int:
    """Give the place of a mark in its row of marks: ③, c, 3 and 三 are the third."""
    if text.isascii():
        return int(text) if text.isdigit() else ord(text.lower()) - ord("a") + 1
    if "①" <= text <= "⑳":
        return ord(text) - ord("①") + 1
    tens, ten, ones = text.rpartition("十")
    unit = _CHINESE.find(ones) if ones else 0
    return unit + (10 * (_CHINESE.find(tens) if tens else 1) if ten else 0)
