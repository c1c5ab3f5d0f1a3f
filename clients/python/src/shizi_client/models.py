"""The types of answers and of reading options.

Made by clients/generate of the service's OpenAPI description; do not edit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypedDict

Format = Literal["text", "json", "markdown", "html", "hocr", "alto", "csv", "xlsx", "docx", "pdf"]
Polygon = tuple[tuple[float, float], ...]


class Options(TypedDict, total=False):
    """What a caller may choose for one reading."""

    mode: Literal["fast", "auto", "accurate"]
    enhance: Literal["auto", "none", "classic"]
    orientation: Literal["auto", "none"]
    detail: Literal["line", "word", "character"]
    tables: Literal["none", "auto", "skip"]
    fields: Literal["none", "auto"]
    pdf: Literal["auto", "ocr", "text"]
    pages: str
    """Which pages of a document: "1-3,7,10-"."""
    password: str
    template: str
    """A template of the operator's, by name."""
    pattern: str
    """Read every line as one of the texts this small regular expression allows."""
    deadline_ms: int
    """How long its caller waits; also the header X-Deadline-Ms."""
    priority: Literal["interactive", "bulk"]
    """Bulk may be passed by those who wait; also the header X-Priority."""
    no_store: bool
    """Neither answer from the cache nor keep the answer; also Cache-Control: no-store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Lines that belong together, by their indexes."""

    kind: str
    polygon: Polygon
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One cell of a table."""

    row: int
    column: int
    row_span: int
    column_span: int
    text: str
    confidence: float
    polygon: Polygon
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Char:
    """One character; `start` and `end` are shares of its line's length."""

    text: str
    confidence: float
    start: float
    end: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One test of a field."""

    name: str
    passed: bool
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """A line was kept. `known`: it was before, with this text; `replaced`: with another, which is gone."""

    outcome: Literal["kept", "replaced", "known"]
    id: str
    """Names the line's picture."""
    text: str
    """The text as the models spell it."""
    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrections:
    """Whether corrections are kept here."""

    kept: bool
    longest_text: int
    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FilledForm:
    """One of several forms in a document: the page it stands on, its fields, its own verdict."""

    page: int
    fields: dict[str, Field]
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a form. `rows`: of a list (an invoice's items), each row's fields."""

    value: str | tuple[dict[str, str], ...]
    text: str
    confidence: float
    polygon: Polygon | None = None
    page: int
    source: str
    checks: tuple[Check, ...]
    repaired: Repair | None = None
    rows: tuple[dict[str, Field], ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The process answers."""

    version: str
    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """How a job stands."""

    id: str
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    pages: int | None = None
    pages_read: int
    pages_failed: int
    files: tuple[JobFile, ...]
    errors: tuple[JobError, ...]
    created: str
    ended: str | None = None
    webhook: str | None = None
    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobError:
    """A page that could not be read, or a file whose pages could not be counted."""

    file: int
    page: int | None = None
    error: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFile:
    """One file of a job; `pages` is not known until they are counted."""

    name: str
    pages: int | None = None
    pages_read: int
    pages_failed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletedJob:
    """A job was cancelled, if it was not over, and forgotten."""

    id: str
    was: Literal["queued", "running", "done", "failed", "cancelled"]
    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of text, in reading order; `model` read it."""

    text: str
    confidence: float
    polygon: Polygon
    model: str
    vertical: bool
    words: tuple[Word, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One version of the small recogniser; `refusals` tells why it may not be promoted."""

    name: str
    current: bool
    made: str
    parent: str
    learned: int
    """Corrections it learned from."""
    held: int
    """Corrections it was judged by."""
    figures: dict[str, dict[str, dict[str, float]]]
    """Of each set of lines: its parent and itself."""
    refusals: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelChange:
    """What was put in force."""

    at: str
    how: Literal["promote", "rollback", "restore"]
    before: str
    to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    """The versions of the small recogniser. `serving` is read with, `current` is in force in the folder."""

    serving: str
    current: str
    problem: str
    """Why `current` is not read with; empty if it is."""
    versions: tuple[Model, ...]
    log: tuple[ModelChange, ...]
    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page read. `rotation`: degrees clockwise the picture was turned to stand upright."""

    number: int
    width: int
    height: int
    dpi: float | None = None
    rotation: Literal[0, 90, 180, 270]
    text: str
    lines: tuple[Line, ...]
    blocks: tuple[Block, ...]
    tables: tuple[Table, ...]
    warnings: tuple[str, ...]
    source: Literal["ocr", "text"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What was read of one picture or document."""

    text: str
    confidence: float
    weights: tuple[str, ...]
    """The model files that read, name@digest."""
    source: str | None = None
    pages: tuple[Page, ...]
    fields: dict[str, Field] | None = None
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading(Document):
    """What was read. The first four keys are fixed for good."""

    processing_time_ms: float
    request_id: str
    cached: bool
    cache_age_seconds: float | None = None
    """If it was cached: how old the answer is."""
    options: dict[str, str]
    """The options in force, without the password."""
    warnings: tuple[str, ...]
    stages: dict[str, float]
    """Milliseconds of each stage; empty if nothing was read now."""
    forms: tuple[FilledForm, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """The models are loaded and warm."""

    weights: tuple[str, ...]
    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """Our own misreading, put right."""

    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table; `html` is the whole of it."""

    html: str
    rows: int
    columns: int
    ruled: bool
    polygon: Polygon
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether the fields prove themselves."""

    decision: Literal["accept", "review"]
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A run of Latin letters and digits, or of Chinese characters."""

    text: str
    confidence: float
    polygon: Polygon
    chars: tuple[Char, ...] | None = None
