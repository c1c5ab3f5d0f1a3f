"""The contract: what each route takes and gives, said once beside the route and read by `openapi`.

`describes` hangs a `Description` on a route's function; the answers are pydantic models that allow no key they do not
name. The tests hold every answer against them, so a route cannot drift from what is said of it. Nothing is checked
while serving: a page of lines costs milliseconds to validate.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Annotated, Any, Literal, TypeVar

from flask.typing import ResponseReturnValue
from pydantic import BaseModel, ConfigDict, Field

from shizi.export import FORMATS
from shizi.options import CHOICES, LONGEST_PATTERN, PAGE_RANGES, ReadOptions
from shizi.service.settings import Settings
from shizi.service.terms import PRIORITIES

View = TypeVar("View", bound=Callable[..., ResponseReturnValue])

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


def option_schemas() -> dict[str, dict[str, Any]]:
    """Give the schema of each option; values may come as text or, for auto and none, as true and false."""
    defaults = ReadOptions()
    schemas: dict[str, dict[str, Any]] = {}
    for name, choices in CHOICES.items():
        values: list[Any] = list(choices)
        schemas[name] = {"enum": values, "default": getattr(defaults, name)}
        if {"auto", "none"} <= set(choices):
            values += [True, False]
    schemas["pages"] = {
        "type": "string",
        "maxLength": 1000,
        "pattern": f"^({PAGE_RANGES.pattern}|\\s*)$",
        "default": "",
        "description": 'which pages of a document: "1-3,7,10-"',
    }
    schemas["password"] = {"type": "string", "maxLength": 1000, "default": ""}
    schemas["template"] = {
        "type": "string",
        "pattern": r"^[A-Za-z0-9_\-]{0,64}$",
        "default": "",
        "description": "a template of the operator's, by name",
    }
    schemas["pattern"] = {
        "type": "string",
        "maxLength": LONGEST_PATTERN,
        "default": "",
        "description": "read every line as one of the texts this small regular expression allows",
    }
    return schemas


def term_schemas() -> dict[str, dict[str, Any]]:
    """Give the schemas of what a caller may say of a request beside how to read."""
    return {
        "format": {
            "type": "string",
            "enum": [name for name, form in FORMATS.items() if form.extra is None or find_spec(form.extra[0])],
            "default": "json",
            "description": "how to answer: json, or the file itself; of several files a ZIP with one file each",
        },
        "deadline_ms": {
            "type": "integer",
            "minimum": 1,
            "maximum": 3_600_000,
            "description": "how long its caller waits; also the header X-Deadline-Ms",
        },
        "priority": {
            "type": "string",
            "enum": list(PRIORITIES),
            "default": "interactive",
            "description": "bulk may be passed by those who wait; also the header X-Priority",
        },
        "no_store": {
            "type": "boolean",
            "default": False,
            "description": "neither answer from the cache nor keep the answer; also Cache-Control: no-store",
        },
    }


def query_schemas() -> dict[str, dict[str, Any]]:
    """Give the schemas of the options where everything is text, as in a query or a form."""
    options = {
        name: {
            **schema,
            "type": "string",
            "enum": [value if isinstance(value, str) else str(value).lower() for value in schema["enum"]],
        }
        if "enum" in schema
        else schema
        for name, schema in option_schemas().items()
    }
    return options | term_schemas()


def job_query() -> dict[str, dict[str, Any]]:
    """Give the schemas of what stands in the query of a job, whose result is asked for in any format later."""
    return query_schemas() | {"format": {"type": "string", "enum": ["json"], "default": "json"}}


def picture_bodies(settings: Settings) -> dict[str, Any]:
    """Give the schemas of the ways a picture may come."""
    base64 = (
        r"^(data:[^,]{0,100};base64,)?([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}(==)?|[A-Za-z0-9+/]{3}=?|[A-Za-z0-9+/]{4})$"
    )
    image = {"type": "string", "pattern": base64, "description": "the picture in base64 or as a data URL"}
    closed = {"type": "object", "additionalProperties": False}
    files = {
        "type": "array",
        "minItems": 1,
        "items": {"type": "string", "contentMediaType": "application/octet-stream"},
    }
    raw = {"schema": {"type": "string", "contentMediaType": "application/octet-stream", "minLength": 1}}
    return {
        "application/json": {
            "schema": {
                **closed,
                "required": ["image"],
                "properties": {"image": image, **option_schemas(), **term_schemas()},
            }
        },
        "multipart/form-data": {
            "schema": {**closed, "required": ["file"], "properties": {"file": files, **query_schemas()}}
        },
        "image/*": raw,
        "application/octet-stream": raw,
    }


def correction_bodies(settings: Settings) -> dict[str, Any]:
    """Give the schemas of the ways a corrected line may come: its own picture, or its page and where it stands."""
    picture = picture_bodies(settings)["application/json"]["schema"]["properties"]["image"]
    text = {"type": "string", "maxLength": 1000}
    number = {"type": "number", "minimum": -100_000, "maximum": 1_000_000}
    corner = {"type": "array", "minItems": 2, "maxItems": 2, "items": number}
    place = {
        "polygon": {"type": "array", "minItems": 4, "maxItems": 4, "items": corner},
        "page": {"type": "integer", "minimum": 1, "maximum": 1_000_000, "default": 1},
        "rotation": {"enum": [0, 90, 180, 270], "default": 0, "description": "as the page's answer has it"},
        "vertical": {"type": "boolean", "default": False},
        "password": {"type": "string", "maxLength": 1000, "default": ""},
    }
    said = {
        "text": {**text, "minLength": 1, "description": "what the line says, one line of at most 200 characters"},
        "read": {**text, "default": "", "description": "what had been read"},
        "model": {"type": "string", "maxLength": 100, "default": "", "description": "what read it"},
        "margins": {"type": "boolean", "default": False, "description": "the picture holds more than the line"},
    }
    whole = {"line": picture, "image": picture, **said, **place}
    file = {"type": "string", "contentMediaType": "application/octet-stream"}
    told = {name: {"type": "string"} for name in (*said, *place)}
    ways = [{"required": ["line", "text"]}, {"required": ["image", "polygon", "text"]}]
    closed = {"type": "object", "additionalProperties": False, "oneOf": ways}
    return {
        "application/json": {"schema": {**closed, "properties": whole}},
        "multipart/form-data": {"schema": {**closed, "properties": {"line": file, "image": file, **told}}},
    }


def promotion_bodies(settings: Settings) -> dict[str, Any]:
    """Give the schema of what names a version."""
    schema = {
        "type": "object",
        "additionalProperties": False,
        "required": ["version"],
        "properties": {"version": {"type": "string", "description": "a name that GET /ocr/models lists"}},
    }
    return {"application/json": {"schema": schema}}


def job_bodies(settings: Settings) -> dict[str, Any]:
    """Give the schemas of the ways a job's files may come."""
    bodies = picture_bodies(settings.model_copy(update={"max_files": settings.job_files}))
    for kind in ("application/json", "multipart/form-data"):
        properties = bodies[kind]["schema"]["properties"]
        properties["format"] = job_query()["format"]
        if settings.webhook_hosts and settings.webhook_secret:
            properties["webhook"] = {"type": "string", "description": "the address that is told when the job is over"}
    return bodies


def file_types() -> tuple[str, ...]:
    """Give the media types of the formats other than JSON."""
    return tuple(sorted({form.media_type for name, form in FORMATS.items() if name != "json"}))


@dataclass(frozen=True, slots=True)
class Description:
    """What a route takes and gives. `answer`: a model, or a media type (`*/*`: any); `bodies`: schema by media type,
    by what the settings allow.

    `also`: media types it may be of too; `status`: that of success; `refusals`: those of errors, beside what every
    route may answer.
    """

    answer: type[BaseModel] | str
    status: int = 200
    refusals: tuple[int, ...] = ()
    refusal: type[BaseModel] = Refusal
    bodies: Callable[[Settings], Mapping[str, Any]] = lambda _: {}
    query: Mapping[str, Any] = field(default_factory=dict)
    also: tuple[str, ...] = ()


def describes(answer: type[BaseModel] | str, **rest: Any) -> Callable[[View], View]:
    """Hang a `Description` on a route's function."""

    def hang(view: View) -> View:
        view.description = Description(answer, **rest)  # type: ignore[attr-defined]
        return view

    return hang
