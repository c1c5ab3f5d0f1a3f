"""Found: the values of one form while it is being worked out, before they become `Field`s."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from shizi.document import Check, Field
from shizi.fields.pieces import Piece
from shizi.geometry import Polygon


@dataclass(frozen=True, slots=True)
class Found:
    """One value: its normal form, as printed, and the piece it was read from (None: it came from a code).

    `rest`: further pieces of a value of several lines or cells.
    """

    value: str
    text: str
    piece: Piece | None = None
    source: str = "ocr"
    checks: tuple[Check, ...] = ()
    repaired: str = ""
    rest: tuple[Piece, ...] = ()

    @property
    def confidence(self) -> float:
        """The least sure character, within the sureness of the line; 1 where a code told it."""
        if self.piece is None:
            return 1.0
        glyphs = [glyph for piece in (self.piece, *self.rest) for glyph in piece.glyphs]
        return min((glyph.confidence for glyph in glyphs), default=self.piece.confidence)

    def checked(self, check: Check) -> Found:
        """Add a check."""
        return replace(self, checks=(*self.checks, check))

    def as_field(self, name: str, page: int) -> Field:
        """Make a field of it."""
        polygon = self.piece.place if self.piece else None
        if self.piece is not None and self.rest:  # several pieces: what is around them all
            lefts, tops, rights, bottoms = zip(*(p.place.bounds for p in (self.piece, *self.rest)), strict=True)
            polygon = Polygon.from_bounds(min(lefts), min(tops), max(rights), max(bottoms))
        return Field(
            name, self.value, self.text, self.confidence, page, polygon, self.source, self.checks, self.repaired
        )


@dataclass(slots=True)
class Form:
    """What is known of one form: its kind, single values by name, and the rows of its list.

    `columns`: the middle (x, in pixels) of each column of the list, by name.
    """

    kind: str
    values: dict[str, Found] = field(default_factory=dict)
    items: list[dict[str, Found]] = field(default_factory=list)
    columns: Mapping[str, float] = field(default_factory=dict)

    @property
    def source(self) -> str:
        """What told the form: xml if its own data did."""
        return "xml" if any(found.source == "xml" for found in self.values.values()) else "ocr"

    def flat(self) -> dict[str, Found]:
        """Give all values by name, those of rows as items.0.amount."""
        rows = {f"items.{i}.{name}": found for i, row in enumerate(self.items) for name, found in row.items()}
        return {**self.values, **rows}

    def put(self, name: str, found: Found) -> None:
        """Set the value of a flat name."""
        if name.startswith("items."):
            _, i, column = name.split(".")
            self.items[int(i)][column] = found
        else:
            self.values[name] = found

    def value(self, name: str) -> str:
        """Give the value of a name, '' if it was not found."""
        found = self.values.get(name)
        return found.value if found else ""


def taken(piece: Piece, value: str = "") -> Found:
    """Take a piece as a value; `value`: its normal form if it is not the text itself."""
    return Found(value or piece.text.strip(), piece.text.strip(), piece)
