"""The service's description, read: types of answers, options and formats, apart from any language.

Takes the OpenAPI description, gives `Model`s and `Property`s, and `Words`, by which a language writes a type.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CLIENTS = Path(__file__).parents[1]
NOTE = "Made by clients/generate of the service's OpenAPI description; do not edit."

# Answers are called after what they are.
NAMES = {
    "PredictAnswer": "Reading",
    "FormField": "Field",
    "JobAnswer": "Job",
    "JobGone": "DeletedJob",
    "HealthAnswer": "Health",
    "ReadyAnswer": "Readiness",
    "CorrectionsAnswer": "Corrections",
    "CorrectionAnswer": "Correction",
    "ModelsAnswer": "Models",
}
# Refusals are errors in an SDK; a batch sends each file in a request of its own; what deletes gives its number alone.
LEFT_OUT = {"Refusal", "PredictRefusal", "RefusedEntry", "DocumentEntry", "PurgeAnswer", "CorrectionsGone"}
# What the result of a job holds too; a reading has more.
DOCUMENT = ("text", "confidence", "source", "weights", "pages", "fields", "verdict")
ABOUT_DOCUMENT = "What was read of one picture or document."


@dataclass(frozen=True)
class Property:
    """One property: its `schema` without null; `nullable`: it may be null or absent."""

    name: str
    schema: Mapping[str, Any]
    nullable: bool

    @property
    def about(self) -> str:
        """What the description says of it; '' for nothing."""
        return str(self.schema.get("description", ""))


@dataclass(frozen=True)
class Model:
    """One type of answer; `base`: the name of the one it extends."""

    name: str
    about: str
    properties: list[Property]
    base: str = ""


@dataclass(frozen=True)
class Words:
    """How a language writes types. `listed`, `mapped`: of an inner type; `literal`: of the values it may have."""

    text: str
    integer: str
    number: str
    boolean: str
    polygon: str
    listed: Callable[[str], str]
    mapped: Callable[[str], str]
    literal: Callable[[list[Any]], str]
    union: Callable[[list[str]], str]

    def of(self, schema: Mapping[str, Any]) -> str:
        """Write the type of `schema`."""
        if "$ref" in schema:
            return _renamed(schema["$ref"].rpartition("/")[2])
        if "enum" in schema:
            return self.literal(schema["enum"])
        if "anyOf" in schema:
            return self.union([self.of(one) for one in schema["anyOf"]])
        if schema.get("maxItems") == 4:
            return self.polygon
        if schema["type"] == "array":
            return self.listed(self.of(schema["items"]))
        if schema["type"] == "object":
            return self.mapped(self.of(schema["additionalProperties"]))
        simple = {"string": self.text, "integer": self.integer, "number": self.number, "boolean": self.boolean}
        return simple[schema["type"]]


def _renamed(name: str) -> str:
    return NAMES.get(name, name)


def quoted(values: list[Any]) -> list[str]:
    """Write values as literals, alike in all three languages."""
    return [json.dumps(value) for value in values]


def models(description: Mapping[str, Any]) -> list[Model]:
    """Give the types of answers, each after those it holds where that can be."""
    schemas = description["components"]["schemas"]
    found = []
    for name, schema in schemas.items():
        if name in LEFT_OUT:
            continue
        model = Model(_renamed(name), schema["description"], list(_properties(schema)))
        if model.name == "Reading":
            shared = [one for one in model.properties if one.name in DOCUMENT]
            own = [one for one in model.properties if one.name not in DOCUMENT]
            found += [Model("Document", ABOUT_DOCUMENT, shared), Model("Reading", model.about, own, "Document")]
        else:
            found.append(model)
    return found


def _properties(schema: Mapping[str, Any]) -> Iterator[Property]:
    """Give what an answer tells: all but constants, and the entries of several files."""
    for name, given in schema["properties"].items():
        kinds = [kind for kind in given.get("anyOf", [given]) if kind.get("type") != "null"]
        if any("const" in kind for kind in kinds) or name == "documents":
            continue
        nullable = len(kinds) < len(given.get("anyOf", [given]))
        inner = kinds[0] if len(kinds) == 1 else {"anyOf": kinds}
        yield Property(
            name, {**inner, **({"description": given["description"]} if "description" in given else {})}, nullable
        )


def options(description: Mapping[str, Any]) -> list[Property]:
    """Give the reading options and terms of `POST /ocr/predict`, but for the format, which is a method's matter."""
    parameters = description["paths"]["/ocr/predict"]["post"]["parameters"]
    return [Property(one["name"], _strict(one["schema"]), True) for one in parameters if one["name"] != "format"]


def _strict(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out `true` and `false`, which stand for auto and none."""
    return {
        key: [one for one in value if one not in ("true", "false")] if key == "enum" else value
        for key, value in schema.items()
    }


def formats(description: Mapping[str, Any]) -> list[str]:
    """Name the formats of results."""
    parameters = description["paths"]["/ocr/predict"]["post"]["parameters"]
    return next(list(one["schema"]["enum"]) for one in parameters if one["name"] == "format")


def sentence(text: str) -> str:
    """Make a sentence of what the description says of something."""
    return text[0].upper() + text[1:] + ("" if text.endswith(".") else ".")
