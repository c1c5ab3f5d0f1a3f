"""Answers: what the routes give, as pydantic models that allow no key they do not name.

The description is made of them (`openapi`), and the tests hold every answer against them. Nothing is checked while
serving: a page of lines costs milliseconds to validate. Knows nothing of what a route takes.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]
Corner = Annotated[list[float], Field(min_length=2, max_length=2)]
Corners = Annotated[list[Corner], Field(min_length=4, max_length=4, description="clockwise from the text's top left")]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Char(_Model):
    """One character; `start` and `end` are shares of its line's length."""

    text: str
    confidence: Share
    start: float
    end: float


class Word(_Model):
    """A run of Latin letters and digits, or of Chinese characters."""

    text: str
    confidence: Share
    polygon: Corners
    chars: list[Char] | None = None


class Line(_Model):
    """One line of text, in reading order; `model` read it."""

    text: str
    confidence: Share
    polygon: Corners
    model: str
    vertical: bool
    words: list[Word] | None = None


class Block(_Model):
    """Lines that belong together, by their indexes."""

    kind: str
    polygon: Corners
    lines: list[int]


class Cell(_Model):
    """One cell of a table."""

    row: int
    column: int
    row_span: int
    column_span: int
    text: str
    confidence: Share
    polygon: Corners
    lines: list[int]


class Table(_Model):
    """One table; `html` is the whole of it."""

    html: str
    rows: int
    columns: int
    ruled: bool
    polygon: Corners
    cells: list[Cell]


class Check(_Model):
    """One test of a field."""

    name: str
    passed: bool
    detail: str


class Repair(_Model):
    """Our own misreading, put right."""

    before: str
    after: str


class FormField(_Model):
    """One field of a form. `rows`: of a list (an invoice's items), each row's fields."""

    value: str | list[dict[str, str]]
    text: str
    confidence: Share
    polygon: Corners | None
    page: int
    source: str
    checks: list[Check]
    repaired: Repair | None = None
    rows: "list[dict[str, FormField]] | None" = None


class Verdict(_Model):
    """Whether the fields prove themselves."""

    decision: Literal["accept", "review"]
    reasons: list[str]


class FilledForm(_Model):
    """One of several forms in a document: the page it stands on, its fields, its own verdict."""

    page: int
    fields: dict[str, FormField]
    verdict: Verdict


class Page(_Model):
    """One page read. `rotation`: degrees clockwise the picture was turned to stand upright."""

    number: int
    width: int
    height: int
    dpi: float | None
    rotation: Literal[0, 90, 180, 270]
    text: str
    lines: list[Line]
    blocks: list[Block]
    tables: list[Table]
    warnings: list[str]
    source: Literal["ocr", "text"]


class Refusal(_Model):
    """Why there is no result: what was found, what was expected, what to do."""

    success: Literal[False]
    error: str
    code: str
    request_id: str


class DocumentEntry(_Model):
    """One of several files that was read; `pages` are indexes into the answer's pages."""

    name: str
    success: Literal[True]
    text: str
    confidence: Share
    source: str
    pages: list[int]
    fields: dict[str, FormField] | None = None
    verdict: Verdict | None = None
    forms: list[FilledForm] | None = None


class RefusedEntry(_Model):
    """One of several files that could not be read."""

    name: str
    success: Literal[False]
    error: str
    code: str


class PredictAnswer(_Model):
    """What was read. The first four keys are fixed for good."""

    success: Literal[True]
    text: str
    confidence: Share
    processing_time_ms: float
    request_id: str
    cached: bool
    cache_age_seconds: Annotated[float | None, Field(description="if it was cached: how old the answer is")] = None
    weights: Annotated[list[str], Field(description="the model files that read, name@digest")]
    options: Annotated[dict[str, str], Field(description="the options in force, without the password")]
    warnings: list[str]
    stages: Annotated[dict[str, float], Field(description="milliseconds of each stage; empty if nothing was read now")]
    source: str | None = None
    pages: list[Page]
    fields: dict[str, FormField] | None = None
    verdict: Verdict | None = None
    forms: list[FilledForm] | None = None
    documents: list[DocumentEntry | RefusedEntry] | None = None


class PredictRefusal(Refusal):
    """Why nothing was read; of several files each one's own reason."""

    documents: list[RefusedEntry] | None = None


class PurgeAnswer(_Model):
    """How many answers were dropped."""

    success: Literal[True]
    dropped: int
    request_id: str


class CorrectionsAnswer(_Model):
    """Whether corrections are kept here."""

    success: Literal[True]
    kept: bool
    longest_text: int
    request_id: str


class CorrectionAnswer(_Model):
    """A line was kept. `known`: it was before, with this text; `replaced`: with another, which is gone."""

    success: Literal[True]
    outcome: Literal["kept", "replaced", "known"]
    id: Annotated[str, Field(description="names the line's picture")]
    text: Annotated[str, Field(description="the text as the models spell it")]
    request_id: str


class CorrectionsGone(_Model):
    """How many lines were deleted."""

    success: Literal[True]
    dropped: int
    request_id: str


class Model(_Model):
    """One version of the small recogniser; `refusals` tells why it may not be promoted."""

    name: str
    current: bool
    made: str
    parent: str
    learned: Annotated[int, Field(description="corrections it learned from")]
    held: Annotated[int, Field(description="corrections it was judged by")]
    figures: Annotated[
        dict[str, dict[str, dict[str, float]]], Field(description="of each set of lines: its parent and itself")
    ]
    refusals: list[str]


class ModelChange(_Model):
    """What was put in force."""

    at: str
    how: Literal["promote", "rollback", "restore"]
    before: str
    to: str


class ModelsAnswer(_Model):
    """The versions of the small recogniser. `serving` is read with, `current` is in force in the folder."""

    success: Literal[True]
    serving: str
    current: str
    problem: Annotated[str, Field(description="why `current` is not read with; empty if it is")]
    versions: list[Model]
    log: list[ModelChange]
    request_id: str


class JobFile(_Model):
    """One file of a job; `pages` is not known until they are counted."""

    name: str
    pages: int | None
    pages_read: int
    pages_failed: int


class JobError(_Model):
    """A page that could not be read, or a file whose pages could not be counted."""

    file: int
    page: int | None
    error: str
    code: str
    success: Literal[False] | None = None


class JobAnswer(_Model):
    """How a job stands."""

    success: Literal[True]
    id: str
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    pages: int | None
    pages_read: int
    pages_failed: int
    files: list[JobFile]
    errors: list[JobError]
    created: str
    ended: str | None
    webhook: str | None
    request_id: str


class JobGone(_Model):
    """A job was cancelled, if it was not over, and forgotten."""

    success: Literal[True]
    id: str
    was: Literal["queued", "running", "done", "failed", "cancelled"]
    request_id: str


class HealthAnswer(_Model):
    """The process answers."""

    success: Literal[True]
    status: Literal["alive"]
    version: str
    request_id: str


class ReadyAnswer(_Model):
    """The models are loaded and warm."""

    success: Literal[True]
    status: Literal["ready"]
    weights: list[str]
    request_id: str
