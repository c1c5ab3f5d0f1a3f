"""Templates: a company's own forms described in YAML, found without training.

A template names fields, where each stands (beside a printed word, or in a part of the page), what it may say (a
pattern, read with constraint), its type, and what the values must fulfil together. See docs/documents.md, Templates.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from shizi.constrained import Pattern
from shizi.errors import OptionsError

LARGEST = 64_000  # bytes of a template
MOST_FIELDS = 200
WHERES = ("right", "below", "left", "above")
TYPES = ("text", "digits", "number", "money", "date", "time", "tax_id")
SIGNS = re.compile(r"\s*(?:(\d+(?:\.\d+)?)|([^\W\d]\w*)|([+\-*=]))")

_TOP_KEYS = ("name", "match", "fields", "checks")
_FIELD_KEYS = ("anchor", "where", "reach", "area", "region", "pattern", "allowed", "type", "required")


@dataclass(frozen=True, slots=True)
class Wanted:
    """One field of a template. `area`: left, top, right, bottom in line heights from the anchor's top left corner;
    `region`: the same in shares of the page.
    """

    name: str
    anchors: tuple[str, ...] = ()
    where: str = "right"
    reach: float = 8.0
    area: tuple[float, float, float, float] | None = None
    region: tuple[float, float, float, float] | None = None
    pattern: Pattern | None = None
    type: str = "text"
    required: bool = False


@dataclass(frozen=True, slots=True)
class Equation:
    """Two sides that must be equal: sums of products of fields and numbers."""

    text: str
    left: tuple[tuple[int, tuple[str, ...]], ...]
    right: tuple[tuple[int, tuple[str, ...]], ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The fields it rests on."""
        parts = (part for side in (self.left, self.right) for _, factors in side for part in factors)
        return tuple(dict.fromkeys(part for part in parts if not part[0].isdigit()))

    def holds(self, values: Mapping[str, Decimal]) -> bool:
        """Say whether both sides are equal to half a cent."""
        return abs(_sum(self.left, values) - _sum(self.right, values)) <= Decimal("0.005")


@dataclass(frozen=True, slots=True)
class Template:
    """A form described: its name, words that must all stand on the page, fields, and equations between them."""

    name: str
    match: tuple[str, ...]
    fields: tuple[Wanted, ...]
    checks: tuple[Equation, ...]


def _sum(side: tuple[tuple[int, tuple[str, ...]], ...], values: Mapping[str, Decimal]) -> Decimal:
    total = Decimal(0)
    for sign, factors in side:
        product = Decimal(sign)
        for factor in factors:
            product *= Decimal(factor) if factor[0].isdigit() else values[factor]
        total += product
    return total


def load(folder: Path | None, name: str) -> Template:
    """Take the template `name` of the operator's folder. Raises OptionsError when there is none, or it is unusable.

    `name` was checked when the options were parsed: it holds no dots and no slashes.
    """
    if folder is None:
        raise OptionsError("Option 'template' needs a folder of templates, and none is set (SHIZI_TEMPLATES).")
    for suffix in (".yaml", ".yml"):
        path = folder / (name + suffix)
        if path.is_file():
            return from_file(path)
    known = sorted({path.stem for path in folder.glob("*.y*ml") if path.suffix in (".yaml", ".yml")})
    raise OptionsError(f"There is no template {name!r}; known are {', '.join(known[:20]) or 'none'}.")


def from_file(path: Path) -> Template:
    """Read one template file. Raises OptionsError telling file, place and reason when it is unusable."""
    try:
        data = path.read_bytes()[: LARGEST + 1]
        return parse(data.decode(), path.name)
    except OSError as error:
        raise OptionsError(f"The template {path.name} cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise OptionsError(f"The template {path.name} is not UTF-8 (byte {error.start}); save it as UTF-8.") from error


def parse(text: str, source: str = "template") -> Template:
    """Make a template of YAML text; `source` is named in errors. Raises OptionsError."""
    import yaml

    if len(text.encode()) > LARGEST:
        raise OptionsError(f"{source} is larger than {LARGEST:,} bytes; expected one form's description.")
    try:
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "it cannot be parsed"
        raise OptionsError(f"{source} is no YAML{place}: {problem}.") from error
    except RecursionError as error:
        raise OptionsError(f"{source} is nested too deeply; expected fields with plain values.") from error
    return _Maker(source).template(values)


class _Maker:
    """Turns YAML values into a template; every refusal names the place."""

    def __init__(self, source: str) -> None:
        self._source = source

    def template(self, values: Any) -> Template:
        top = self._mapping(values, "the file", _TOP_KEYS)
        wanted = self._mapping(top.get("fields"), "fields", None)
        if not 0 < len(wanted) <= MOST_FIELDS:
            raise self._wrong("fields", f"{len(wanted)} fields", f"1 to {MOST_FIELDS}")
        fields = tuple(self._field(str(name), value) for name, value in wanted.items())
        names = [field.name for field in fields]
        checks = tuple(
            self._equation(check, i, names) for i, check in enumerate(self._list(top.get("checks"), "checks"))
        )
        return Template(str(top.get("name", self._source)), self._words(top.get("match"), "match"), fields, checks)

    def _field(self, name: str, value: Any) -> Wanted:
        place = f"fields.{name}"
        if not re.fullmatch(r"[^\W\d]\w{0,63}", name):
            raise self._wrong(place, f"the name {name[:40]!r}", "a letter, then letters, digits and _ (at most 64)")
        known = self._mapping(value, place, _FIELD_KEYS)
        anchors = self._words(known.get("anchor"), f"{place}.anchor")
        region, area = (self._box(known.get(key), f"{place}.{key}") for key in ("region", "area"))
        if bool(anchors) == bool(region):
            raise self._wrong(place, "both or none of them" if anchors else "neither", "an anchor, or else a region")
        if area and not anchors:
            raise self._wrong(f"{place}.area", "an area without an anchor", "an anchor it is measured from")
        if region and not all(0 <= side <= 1 for side in region):
            raise self._wrong(f"{place}.region", str(list(region)), "shares of the page, 0 to 1")
        return Wanted(
            name,
            anchors,
            self._one_of(known.get("where", "right"), WHERES, f"{place}.where"),
            self._reach(known.get("reach", 8), f"{place}.reach"),
            area,
            region,
            self._pattern(known, place),
            self._one_of(known.get("type", "text"), TYPES, f"{place}.type"),
            self._switch(known.get("required", False), f"{place}.required"),
        )

    def _pattern(self, known: Mapping[str, Any], place: str) -> Pattern | None:
        if "pattern" in known and "allowed" in known:
            raise self._wrong(place, "pattern and allowed", "one of them")
        key = "pattern" if "pattern" in known else "allowed"
        text = known.get(key)
        if text is None:
            return None
        if not isinstance(text, str) or not text:
            raise self._wrong(f"{place}.{key}", repr(text)[:40], 'a text in quotes, such as "[0-9]{8}"')
        try:
            return Pattern(text if key == "pattern" else f"[{text}]+")
        except OptionsError as error:
            raise self._wrong(
                f"{place}.{key}", error.message, r"a pattern of . \d \w [..] ( | ) * + ? {n,m}"
            ) from error

    def _equation(self, text: Any, i: int, names: list[str]) -> Equation:
        place = f"checks.{i + 1}"
        sides = str(text).split("=")
        if not isinstance(text, str) or len(sides) != 2:
            raise self._wrong(place, repr(text)[:60], "an equation such as net + tax = gross")
        left, right = (self._side(side, place) for side in sides)
        equation = Equation(text.strip(), left, right)
        unknown = [name for name in equation.names if name not in names]
        if unknown or not equation.names:
            raise self._wrong(place, f"the name {', '.join(unknown) or 'of no field'}", f"fields: {', '.join(names)}")
        return equation

    def _side(self, text: str, place: str) -> tuple[tuple[int, tuple[str, ...]], ...]:
        """Read a sum of products: + and - part it, * binds."""
        terms: list[tuple[int, tuple[str, ...]]] = []
        sign, factors, at, wants_value = 1, [], 0, True
        text = text.rstrip()
        while at < len(text):
            found = SIGNS.match(text, at)
            if found is None:
                raise self._wrong(place, repr(text[at:].strip()[:20]), "names, numbers, +, - and *")
            value, operator = found[1] or found[2], found[3]
            if bool(value) != wants_value:
                raise self._wrong(place, repr(found[0].strip()), "a name or number" if wants_value else "+, - or *")
            if value:
                factors.append(value)
            elif operator != "*":
                terms.append((sign, tuple(factors)))
                sign, factors = (-1 if operator == "-" else 1), []
            wants_value, at = not value, found.end()
        if wants_value:
            raise self._wrong(place, "a side that ends too early", "a name or number")
        return (*terms, (sign, tuple(factors)))

    def _mapping(self, value: Any, place: str, keys: tuple[str, ...] | None) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            raise self._wrong(
                place, "nothing" if value is None else type(value).__name__, "names with values below them"
            )
        unknown = [str(key) for key in value if keys is not None and key not in keys]
        if unknown and keys is not None:
            raise self._wrong(place, f"the key {unknown[0][:40]!r}", f"one of {', '.join(keys)}")
        return value

    def _list(self, value: Any, place: str) -> list[Any]:
        if value is None:
            return []
        if not isinstance(value, list) or len(value) > 100:
            raise self._wrong(place, type(value).__name__, "a list of at most 100")
        return value

    def _words(self, value: Any, place: str) -> tuple[str, ...]:
        words = [value] if isinstance(value, str | int) else self._list(value, place)
        texts = tuple("".join(str(word).split()) for word in words)
        if any(not text or len(text) > 100 for text in texts):
            raise self._wrong(place, "an empty or very long word", "words as printed")
        return texts

    def _box(self, value: Any, place: str) -> tuple[float, float, float, float] | None:
        if value is None:
            return None
        numbers = isinstance(value, list) and len(value) == 4 and all(_is_number(side) for side in value)
        if not numbers or value[0] >= value[2] or value[1] >= value[3]:
            raise self._wrong(place, repr(value)[:60], "four numbers: left, top, right, bottom")
        return (float(value[0]), float(value[1]), float(value[2]), float(value[3]))

    def _reach(self, value: Any, place: str) -> float:
        if not _is_number(value) or not 0 < value <= 200:
            raise self._wrong(place, repr(value)[:40], "a number of line heights, to 200")
        return float(value)

    def _switch(self, value: Any, place: str) -> bool:
        if not isinstance(value, bool):
            raise self._wrong(place, repr(value)[:40], "true or false")
        return value

    def _one_of(self, value: Any, choices: tuple[str, ...], place: str) -> str:
        if value not in choices:
            raise self._wrong(place, repr(value)[:40], f"one of {', '.join(choices)}")
        return str(value)

    def _wrong(self, place: str, found: str, expected: str) -> OptionsError:
        return OptionsError(f"{self._source}, {place}: found {found}; expected {expected}.")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e6
