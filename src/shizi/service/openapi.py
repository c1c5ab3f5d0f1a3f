"""The API's own description: OpenAPI 3.1 at `/ocr/openapi.json`, and the Swagger page at `/ocr/docs`.

Read off the routes of the running application and what `contract.describes` hung on them; options and errors come from
where they are defined. Standards: OpenAPI 3.1.0, JSON Schema 2020-12.
"""

import inspect
import re
from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Flask, current_app, make_response, render_template
from flask.typing import ResponseReturnValue
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

import shizi
from shizi.errors import ShiziError
from shizi.service.api import service
from shizi.service.contract import Description

pages = Blueprint("openapi", __name__, url_prefix="/ocr")

_REFS = "#/components/schemas/{model}"
# Swagger shows its icons from data: URLs; it needs nothing inline.
_CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@pages.get("/openapi.json")
def document() -> ResponseReturnValue:
    """Give the description."""
    return current_app.json.response(describe(current_app))


@pages.get("/docs")
def docs() -> ResponseReturnValue:
    """Show the description, with forms to try it."""
    response = make_response(render_template("docs.html", version=shizi.__version__))
    response.headers["Content-Security-Policy"] = _CONTENT_SECURITY_POLICY
    return response


def describe(app: Flask) -> dict[str, Any]:
    """Describe every route of `app` that has a `Description`."""
    described = list(_described(app))
    models = {model for _, _, _, told in described for model in _models(told)}
    _, schemas = models_json_schema(
        [(model, "validation") for model in sorted(models, key=lambda model: model.__name__)], ref_template=_REFS
    )
    paths: dict[str, Any] = {}
    for path, method, view, told in described:
        paths.setdefault(path, {})[method] = _operation(path, view, told)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "shizi 识字",
            "version": shizi.__version__,
            "description": "Text from pictures and documents, Chinese and English first. Drop-in endpoints for "
            "services people already call are under /compat/ (docs/compat.md).",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            },
        },
        "tags": [{"name": "shizi"}],
    }


def _described(app: Flask) -> Iterator[tuple[str, str, Any, Description]]:
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        view = app.view_functions[rule.endpoint]
        told = getattr(view, "description", None)
        if told is not None:
            [method] = (rule.methods or set()) - {"HEAD", "OPTIONS"}
            yield re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower(), view, told


def _models(told: Description) -> Iterator[type[BaseModel]]:
    yield told.refusal
    if not isinstance(told.answer, str):
        yield told.answer


def _operation(path: str, view: Any, told: Description) -> dict[str, Any]:
    summary, _, more = (inspect.getdoc(view) or "").partition("\n")
    queries = [{"name": name, "in": "query", "schema": schema} for name, schema in told.query.items()]
    variables = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", path)
    ]
    operation: dict[str, Any] = {
        "operationId": view.__name__,
        "summary": summary,
        "description": " ".join(more.split()),
        "tags": ["shizi"],
        "responses": _responses(told),
    }
    if service().keys is not None and told.refusals:
        operation["security"] = [{"bearer": []}, {"header": []}]
    if queries or variables:
        operation["parameters"] = variables + queries
    if bodies := told.bodies(service().settings):
        operation["requestBody"] = {"required": True, "content": bodies}
    return operation


def _responses(told: Description) -> dict[str, Any]:
    if isinstance(told.answer, str):
        content: dict[str, Any] = {told.answer: {"schema": {"type": "string"}}}
    else:
        content = {"application/json": {"schema": _ref(told.answer)}}
    content |= {kind.partition(";")[0]: {"schema": {"type": "string"}} for kind in told.also}
    responses = {str(told.status): {"description": "as asked", "content": content, "headers": _HEADERS}}
    for status in sorted({*told.refusals, *_OF_ANY_REQUEST}):
        codes = ", ".join(sorted(kind.code for kind in _errors() if kind.http_status == status))
        headers = _HEADERS | (_RETRY if status in (429, 503, 504) else {})
        refusal = {"application/json": {"schema": _ref(told.refusal)}}
        responses[str(status)] = {"description": f"code: {codes or 'input'}", "content": refusal, "headers": headers}
    return responses


# What is refused before a route has it (`intake`): too slow, too long an address, too large headers.
_OF_ANY_REQUEST = (408, 414, 431)
_HEADERS = {"X-Request-ID": {"schema": {"type": "string"}, "description": "names the request in the log"}}
_RETRY = {"Retry-After": {"schema": {"type": "integer", "minimum": 1}, "description": "seconds"}}


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": _REFS.format(model=model.__name__)}


def _errors(kind: type[ShiziError] = ShiziError) -> Iterator[type[ShiziError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _errors(child)
