"""Options: what a caller may choose for one reading, with every default written here and nowhere else."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Literal, get_args

from shizi.errors import OptionsError

Mode = Literal["fast", "auto", "accurate"]
Enhance = Literal["auto", "none", "classic"]
Orientation = Literal["auto", "none"]
Detail = Literal["line", "word", "character"]


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """The choices of one reading.

    mode         fast = the small recogniser alone; auto = doubtful lines again by the strong one; accurate = the
                 strong one for every line
    enhance      auto = only what was measured to help; none = the pixels as they are; classic = grey, local
                 contrast, even light, Otsu
    orientation  auto = turn pages and lines upright; none = take the picture to be upright
    detail       how deep the result goes: lines, their words, or the characters of the words too
    """

    mode: Mode = "auto"
    enhance: Enhance = "auto"
    orientation: Orientation = "auto"
    detail: Detail = "line"

    @classmethod
    def parse(cls, values: Mapping[str, object]) -> "ReadOptions":
        """Make options of names and values; raises OptionsError naming an unknown key or a refused value."""
        unknown = sorted(set(values) - set(CHOICES))
        if unknown:
            raise OptionsError(f"Unknown option {', '.join(map(repr, unknown))}; known are {', '.join(CHOICES)}.")
        for name, value in values.items():
            if value not in CHOICES[name]:
                raise OptionsError(
                    f"Option {name!r} is {str(value)[:40]!r}; expected one of {', '.join(CHOICES[name])}."
                )
        return cls(**values)  # type: ignore[arg-type]  # every value was checked against its choices above


CHOICES: dict[str, tuple[str, ...]] = {
    "mode": get_args(Mode),
    "enhance": get_args(Enhance),
    "orientation": get_args(Orientation),
    "detail": get_args(Detail),
}

assert list(CHOICES) == [field.name for field in fields(ReadOptions)]
