"""Schemas: what the routes take, as JSON Schema for the description; `terms`, `bodies` and the routes do the checking.

Takes the options, formats and settings from where they are defined. Knows nothing of what a route gives.
"""

from importlib.util import find_spec
from typing import Any

from shizi.export import FORMATS
from shizi.options import CHOICES, LONGEST_PATTERN, PAGE_RANGES, ReadOptions
from shizi.service.settings import Settings
from shizi.service.terms import PRIORITIES


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
        "maxItems": settings.max_files,
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
