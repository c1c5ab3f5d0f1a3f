"""Makes the SDKs' types of the service's description, so that no SDK says other than the service does.

Takes the OpenAPI description (a file, or standard input), writes the types of answers and of reading options in Python,
TypeScript and Java. `make client-types` runs it; a test fails while what is committed differs from what it would write.
Knows nothing of how an SDK sends requests.
"""

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CLIENTS = Path(__file__).parent
NOTE = "Made by clients/generate.py of the service's OpenAPI description; do not edit."

# Answers are called after what they are.
NAMES = {
    "PredictAnswer": "Reading",
    "FormField": "Field",
    "JobAnswer": "Job",
    "JobGone": "DeletedJob",
    "HealthAnswer": "Health",
    "ReadyAnswer": "Readiness",
}
# Refusals are errors in an SDK; a batch sends each file in a request of its own; a purge gives its number alone.
LEFT_OUT = {"Refusal", "PredictRefusal", "RefusedEntry", "DocumentEntry", "PurgeAnswer"}
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


def _quoted(values: list[Any]) -> list[str]:
    return [json.dumps(value) for value in values]


PYTHON = Words(
    "str",
    "int",
    "float",
    "bool",
    "Polygon",
    listed=lambda inner: f"tuple[{inner}, ...]",
    mapped=lambda inner: f"dict[str, {inner}]",
    literal=lambda values: f"Literal[{', '.join(_quoted(values))}]",
    union=" | ".join,
)
TYPESCRIPT = Words(
    "string",
    "number",
    "number",
    "boolean",
    "Polygon",
    listed=lambda inner: f"({inner})[]" if "|" in inner else f"{inner}[]",
    mapped=lambda inner: f"Record<string, {inner}>",
    literal=lambda values: " | ".join(_quoted(values)),
    union=" | ".join,
)
JAVA = Words(
    "String",
    "Integer",
    "Double",
    "Boolean",
    "List<Point>",
    listed=lambda inner: f"List<{inner}>",
    mapped=lambda inner: f"Map<String, {inner}>",
    literal=lambda values: "String" if isinstance(values[0], str) else "Integer",
    union=lambda kinds: kinds[0],  # a field's value: its text; a list's values stand in its rows too
)


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


def python(description: Mapping[str, Any]) -> dict[Path, str]:
    """Write frozen dataclasses, and the options as a TypedDict."""
    rows = ['"""The types of answers and of reading options.', "", NOTE, '"""', ""]
    rows += ["from __future__ import annotations", ""]
    rows += ["from dataclasses import dataclass", "from typing import Literal, TypedDict", ""]
    rows += [f"Format = {PYTHON.literal(formats(description))}", "Polygon = tuple[tuple[float, float], ...]", ""]
    rows += ["", "class Options(TypedDict, total=False):", '    """What a caller may choose for one reading."""', ""]
    for one in options(description):
        rows += [
            f"    {one.name}: {PYTHON.of(one.schema)}",
            *([f'    """{_sentence(one.about)}"""'] if one.about else []),
        ]
    for model in models(description):
        base = f"({model.base})" if model.base else ""
        rows += ["", "", "@dataclass(frozen=True, slots=True, kw_only=True)", f"class {model.name}{base}:"]
        rows += [f'    """{model.about}"""', ""]
        for one in model.properties:
            kind = PYTHON.of(one.schema)
            rows.append(f"    {one.name}: {kind} | None = None" if one.nullable else f"    {one.name}: {kind}")
            if one.about and "Polygon" not in kind:
                rows.append(f'    """{_sentence(one.about)}"""')
    return {CLIENTS / "python/src/shizi_client/models.py": "\n".join(rows) + "\n"}


def typescript(description: Mapping[str, Any]) -> dict[Path, str]:
    """Write interfaces as the JSON is."""
    rows = [f"// {NOTE}", "/** The types of answers and of reading options. */", ""]
    rows += [f"export type Format = {TYPESCRIPT.literal(formats(description))};"]
    rows += ["export type Polygon = [number, number][];", ""]
    rows += ["/** What a caller may choose for one reading. */", "export interface Options {"]
    for one in options(description):
        rows += [f"  /** {_sentence(one.about)} */"] if one.about else []
        rows.append(f"  {one.name}?: {TYPESCRIPT.of(one.schema)};")
    rows.append("}")
    for model in models(description):
        base = f" extends {model.base}" if model.base else ""
        rows += ["", f"/** {model.about} */", f"export interface {model.name}{base} {{"]
        for one in model.properties:
            kind = TYPESCRIPT.of(one.schema)
            rows += [f"  /** {_sentence(one.about)} */"] if one.about and kind != "Polygon" else []
            rows.append(f"  {one.name}?: {kind} | null;" if one.nullable else f"  {one.name}: {kind};")
        rows.append("}")
    return {CLIENTS / "node/src/models.ts": "\n".join(rows) + "\n"}


def java(description: Mapping[str, Any]) -> dict[Path, str]:
    """Write a class an answer, and a builder of options with its enumerations."""
    folder = CLIENTS / "java/src/main/java/shizi/client"
    found = models(description)
    written = {folder / f"{model.name}.java": _java_model(model, {one.base for one in found}) for model in found}
    written[folder / "ReadOptions.java"] = _java_options(options(description))
    written[folder / "Format.java"] = (
        "\n".join(
            [
                *(f"// {NOTE}", "package shizi.client;", "", "/** How a result is written. */"),
                *_java_enum("public enum", "Format", formats(description), ""),
            ]
        )
        + "\n"
    )
    return written


_PRIMITIVES = {"Integer": "int", "Double": "double", "Boolean": "boolean"}


def _java_kind(one: Property) -> str:
    kind = JAVA.of(one.schema)
    return kind if one.nullable else _PRIMITIVES.get(kind, kind)


def _java_model(model: Model, bases: set[str]) -> str:
    kinds = {one.name: _java_kind(one) for one in model.properties}
    imports = [name for name in ("List", "Map") if any(f"{name}<" in kind for kind in kinds.values())]
    optional = [
        one.name for one in model.properties if one.nullable and not kinds[one.name].startswith(("List", "Map"))
    ]
    imports += ["Optional"] if optional else []
    rows = [f"// {NOTE}", "package shizi.client;", "", *(f"import java.util.{name};" for name in imports)]
    rows += [""] if imports else []
    final = "" if model.name in bases else "final "
    base = f" extends {model.base}" if model.base else ""
    rows += [f"/** {_javadoc(model.about)} */", f"public {final}class {model.name}{base} {{"]
    rows += [f"    private final {kinds[one.name]} {_camel(one.name)};" for one in model.properties]
    rows += ["", f"    {model.name}(JsonObject json) {{", *(["        super(json);"] if base else [])]
    for one in model.properties:
        rows.append(f"        {_camel(one.name)} = {_java_taken(one)};")
    rows.append("    }")
    for one in model.properties:
        name = _camel(one.name)
        rows += ["", *([f"    /** {_javadoc(_sentence(one.about))} */"] if one.about else [])]
        if one.name in optional:
            rows += [
                f"    public Optional<{kinds[one.name]}> {name}() {{",
                f"        return Optional.ofNullable({name});",
            ]
        else:
            rows += [f"    public {kinds[one.name]} {name}() {{", f"        return {name};"]
        rows.append("    }")
    shown = ' + ", "\n            + '.join(f'"{_camel(one.name)}=" + {_camel(one.name)}' for one in model.properties)
    before = f'super.toString() + " "\n            + "{model.name}["' if base else f'"{model.name}["'
    rows += [
        "",
        "    @Override",
        "    public String toString() {",
        f'        return {before} + {shown} + "]";',
        "    }",
        "}",
    ]
    return "\n".join(rows) + "\n"


def _java_taken(one: Property) -> str:
    """Write how a property is taken out of the JSON object."""
    schema, key = one.schema, json.dumps(one.name)
    if "$ref" in schema:
        return f"json.{'optional' if one.nullable else 'object'}({key}, {JAVA.of(schema)}::new)"
    if "anyOf" in schema:
        return f"json.textOrEmpty({key})"
    kind = JAVA.of(schema)
    if kind.startswith(("List", "Map")):
        method, needed = "listOf" if kind.startswith("List") else "mapOf", "false" if one.nullable else "true"
        return f"json.{method}({key}, {_java_reader(schema)}, {needed})"
    return f"json.{'nullable' if one.nullable else 'required'}({key}, {_java_reader(schema)})"


def _java_reader(schema: Mapping[str, Any]) -> str:
    """Name what turns a JSON value, or each of a list's or an object's, into this type."""
    if "$ref" in schema:
        return f"JsonObject.of({JAVA.of(schema)}::new)"
    if schema.get("maxItems") == 4:
        return "Point::of"
    kind = JAVA.of(schema)
    if kind.startswith("List<"):
        return _java_inner(schema["items"])
    if kind.startswith("Map<"):
        return _java_inner(schema["additionalProperties"])
    return {"String": "JsonObject::text", "Integer": "JsonObject::integer", "Double": "JsonObject::number"}.get(
        kind, "JsonObject::truth"
    )


def _java_inner(schema: Mapping[str, Any]) -> str:
    kind = JAVA.of(schema)
    if kind.startswith("Map<"):
        return f"JsonObject.entries({_java_inner(schema['additionalProperties'])})"
    return _java_reader(schema)


def _java_options(chosen: list[Property]) -> str:
    rows = [
        f"// {NOTE}",
        "package shizi.client;",
        "",
        "import java.util.Collections;",
        "import java.util.LinkedHashMap;",
    ]
    rows += [
        "import java.util.Map;",
        "",
        "/** What a caller may choose for one reading; each method gives new options. */",
    ]
    rows += [
        "public final class ReadOptions {",
        "    private static final ReadOptions DEFAULTS = new ReadOptions(Map.of());",
        "",
    ]
    rows += [
        "    private final Map<String, String> values;",
        "",
        "    private ReadOptions(Map<String, String> values) {",
    ]
    rows += ["        this.values = values;", "    }", "", "    /** Leave everything to the service. */"]
    rows += ["    public static ReadOptions defaults() {", "        return DEFAULTS;", "    }"]
    for one in chosen:
        kind = (
            _pascal(one.name)
            if "enum" in one.schema
            else {"Integer": "int", "Boolean": "boolean"}.get(JAVA.of(one.schema), "String")
        )
        if "enum" in one.schema:
            rows += [
                "",
                f"    /** Values of {one.name}. */",
                *_java_enum("public enum", kind, one.schema["enum"], "    "),
            ]
        name = _camel(one.name)
        value = (
            f"{name}.toString()" if "enum" in one.schema else name if kind == "String" else f"String.valueOf({name})"
        )
        about = _javadoc(_sentence(one.about)) if one.about else f"Choose {one.name}."
        rows += ["", f"    /** {about} */", f"    public ReadOptions {name}({kind} {name}) {{"]
        rows += [f"        return with({json.dumps(one.name)}, {value});", "    }"]
    rows += ["", "    Map<String, String> values() {", "        return values;", "    }", ""]
    rows += ["    private ReadOptions with(String name, String value) {"]
    rows += ["        Map<String, String> more = new LinkedHashMap<>(values);", "        more.put(name, value);"]
    rows += ["        return new ReadOptions(Collections.unmodifiableMap(more));", "    }", "}"]
    return "\n".join(rows) + "\n"


def _java_enum(heading: str, name: str, values: list[str], indent: str) -> list[str]:
    """Write an enumeration whose `toString` is the value on the wire."""
    rows = [f"{heading} {name} {{", f"    {', '.join(value.upper() for value in values)};", "", "    @Override"]
    rows += [
        "    public String toString() {",
        "        return name().toLowerCase(java.util.Locale.ROOT);",
        "    }",
        "}",
    ]
    return [f"{indent}{row}" if row else row for row in rows]


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(map(str.capitalize, rest))


def _pascal(name: str) -> str:
    return "".join(map(str.capitalize, name.split("_")))


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:] + ("" if text.endswith(".") else ".")


def _javadoc(text: str) -> str:
    return re.sub(r"`([^`]+)`", r"{@code \1}", text)


def everything(description: Mapping[str, Any]) -> dict[Path, str]:
    """Give all files that are made, by their paths."""
    return python(description) | typescript(description) | java(description)


def main() -> None:
    """Write all files; with `--check` write nothing and fail if one differs."""
    check, *given = sys.argv[1:] if "--check" in sys.argv else ["", *sys.argv[1:]]
    text = Path(given[0]).read_text() if given else sys.stdin.read()
    for path, content in everything(json.loads(text)).items():
        if not check:
            path.write_text(content)
        elif not path.exists() or path.read_text() != content:
            raise SystemExit(f"{path.relative_to(CLIENTS)} is not what the service says of itself: make client-types")


if __name__ == "__main__":
    main()
