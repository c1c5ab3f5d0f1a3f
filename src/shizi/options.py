"""Options: what a caller may choose for one reading, with every default written here and nowhere else."""

import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from shizi.errors import OptionsError

Mode = Literal["fast", "auto", "accurate"]
Enhance = Literal["auto", "none", "classic"]
Orientation = Literal["auto", "none"]
Detail = Literal["line", "word", "character"]
Tables = Literal["none", "auto", "skip"]
Fields = Literal["none", "auto"]
PdfSource = Literal["auto", "ocr", "text"]

# Page ranges: 3, 1-5, 8- and such, with commas between.
PAGE_RANGES = re.compile(r"\s*(\d{1,7}(\s*-\s*(\d{1,7})?)?)(\s*,\s*\d{1,7}(\s*-\s*(\d{1,7})?)?)*\s*", re.ASCII)
LONGEST_PATTERN = 300
# Of unknown options so many are told, and so much of each.
_MOST_TOLD, _LONGEST_TOLD = 3, 40
# Templates are named, never pathed: no dots and no slashes, so that no name leads out of the operator's folder.
_NAME = re.compile(r"[\w\-]{1,64}")


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """The choices of one reading.

    mode         fast = the small recogniser, and the strong one again for what it doubts most; auto = the same for
                 whatever is not quite sure; accurate = the strong one for every line
    enhance      auto = only what was measured to help; none = the pixels as they are; classic = grey, local
                 contrast, even light, Otsu
    orientation  auto = turn pages and lines upright; none = take the picture to be upright
    detail       how deep the result goes: lines, their words, or the characters of the words too
    tables       auto = find tables and their cells; skip = leave out what stands in tables
    fields       auto = find out which form it is and its fields, with their checks
    pdf          auto = a usable text layer goes before reading pixels, page by page; ocr = pixels only; text = the
                 text layer only
    pages        which pages of a document: "1-3,7,10-" (from 1); '' = all
    password     what opens an encrypted PDF
    template     the name of a template of your own forms, whose fields are then found; '' = none
    pattern      what every line must be, a small regular expression that its characters are read within; '' = anything
    """

    mode: Mode = "auto"
    enhance: Enhance = "auto"
    orientation: Orientation = "auto"
    detail: Detail = "line"
    tables: Tables = "none"
    fields: Fields = "none"
    pdf: PdfSource = "auto"
    pages: str = ""
    password: str = field(default="", repr=False)
    template: str = ""
    pattern: str = ""

    @classmethod
    def parse(cls, values: Mapping[str, object], also: Iterable[str] = ()) -> "ReadOptions":
        """Make options of names and values; raises OptionsError naming an unknown key or a refused value.

        `also`: names that the caller took out before, to be told among those that are known.
        """
        unknown = [repr(name[:_LONGEST_TOLD]) for name in sorted(set(values) - set(NAMES))]
        if unknown:
            told = ", ".join(unknown[:_MOST_TOLD])
            told += f" and {len(unknown) - _MOST_TOLD} more" if len(unknown) > _MOST_TOLD else ""
            raise OptionsError(f"Unknown option {told}; known are {', '.join((*NAMES, *also))}.")
        values = {name: _switched(name, value) for name, value in values.items()}
        for name, value in values.items():
            if name in TEXTS:
                TEXTS[name](value)
            elif value not in CHOICES[name]:
                raise OptionsError(
                    f"Option {name!r} is {str(value)[:40]!r}; expected one of {', '.join(CHOICES[name])}."
                )
        return cls(**values)  # type: ignore[arg-type]  # every value was checked above

    def wants(self, number: int) -> bool:
        """Tell whether page `number` (from 1) is asked for."""
        if not self.pages.strip():
            return True
        bounds = (part.partition("-") for part in self.pages.split(","))
        return any(
            int(first) <= number <= (int(last) if last.strip() else number if dash else int(first))
            for first, dash, last in bounds
        )

    def chosen(self, count: int) -> list[int]:
        """Give the pages asked for of a document of `count` pages, in rising order.

        Raises OptionsError when there are none among them.
        """
        if not self.pages.strip():
            return list(range(1, count + 1))
        found: set[int] = set()
        for part in self.pages.split(","):
            first, dash, last = part.partition("-")
            end = int(last) if last.strip() else count if dash else int(first)
            found.update(range(max(1, int(first)), min(count, end) + 1))
        if not found:
            held = "1 page" if count == 1 else f"{count} pages"
            raise OptionsError(
                f"Option 'pages' is {self.pages[:40]!r}, and the document has {held}; choose among them."
            )
        return sorted(found)


def _switched(name: str, value: object) -> object:
    """Take true and false, as JSON or as text, for auto and none where both are choices."""
    if {"auto", "none"} <= set(CHOICES.get(name, ())) and str(value).lower() in ("true", "false"):
        return "auto" if str(value).lower() == "true" else "none"
    return value


def _check_pages(value: object) -> None:
    if not isinstance(value, str) or (value.strip() and not PAGE_RANGES.fullmatch(value)) or len(value) > 1000:
        raise OptionsError(f"Option 'pages' is {str(value)[:40]!r}; expected numbers and ranges such as 1-3,7,10-.")


def _check_password(value: object) -> None:
    if not isinstance(value, str) or len(value) > 1000:
        raise OptionsError("Option 'password' is not a text of at most 1000 characters.")


def _check_template(value: object) -> None:
    if not isinstance(value, str) or (value and not _NAME.fullmatch(value)):
        raise OptionsError(
            f"Option 'template' is {str(value)[:40]!r}; "
            "expected the name of a template: letters, digits, - and _, no path."
        )


def _check_pattern(value: object) -> None:
    if not isinstance(value, str) or len(value) > LONGEST_PATTERN:
        raise OptionsError(
            f"Option 'pattern' is not a text of at most {LONGEST_PATTERN} characters; expected such as [0-9A-Z]{{8}}."
        )


CHOICES: dict[str, tuple[str, ...]] = {
    "mode": get_args(Mode),
    "enhance": get_args(Enhance),
    "orientation": get_args(Orientation),
    "detail": get_args(Detail),
    "tables": get_args(Tables),
    "fields": get_args(Fields),
    "pdf": get_args(PdfSource),
}

# Options that are free text, each with what refuses it.
TEXTS: dict[str, Callable[[object], None]] = {
    "pages": _check_pages,
    "password": _check_password,
    "template": _check_template,
    "pattern": _check_pattern,
}
NAMES = (*CHOICES, *TEXTS)

assert list(NAMES) == [field.name for field in dataclasses.fields(ReadOptions)]
