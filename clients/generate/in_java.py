"""The types in Java: a final class an answer, the options as values with methods, enumerations."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from schema import CLIENTS, NOTE, Model, Property, Words, formats, models, options, sentence

WORDS = Words(
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


def written(description: Mapping[str, Any]) -> dict[Path, str]:
    """Write a class an answer, and a builder of options with its enumerations."""
    folder = CLIENTS / "java/src/main/java/shizi/client"
    found = models(description)
    written = {folder / f"{model.name}.java": _model(model, {one.base for one in found}) for model in found}
    written[folder / "ReadOptions.java"] = _options(options(description))
    written[folder / "Format.java"] = (
        "\n".join(
            [
                *(f"// {NOTE}", "package shizi.client;", "", "/** How a result is written. */"),
                *_enum("public enum", "Format", formats(description), ""),
            ]
        )
        + "\n"
    )
    return written


_PRIMITIVES = {"Integer": "int", "Double": "double", "Boolean": "boolean"}


def _kind(one: Property) -> str:
    kind = WORDS.of(one.schema)
    return kind if one.nullable else _PRIMITIVES.get(kind, kind)


def _model(model: Model, bases: set[str]) -> str:
    kinds = {one.name: _kind(one) for one in model.properties}
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
        rows.append(f"        {_camel(one.name)} = {_taken(one)};")
    rows.append("    }")
    for one in model.properties:
        name = _camel(one.name)
        rows += ["", *([f"    /** {_javadoc(sentence(one.about))} */"] if one.about else [])]
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


def _taken(one: Property) -> str:
    """Write how a property is taken out of the JSON object."""
    schema, key = one.schema, json.dumps(one.name)
    if "$ref" in schema:
        return f"json.{'optional' if one.nullable else 'object'}({key}, {WORDS.of(schema)}::new)"
    if "anyOf" in schema:
        return f"json.textOrEmpty({key})"
    kind = WORDS.of(schema)
    if kind.startswith(("List", "Map")):
        method, needed = "listOf" if kind.startswith("List") else "mapOf", "false" if one.nullable else "true"
        return f"json.{method}({key}, {_reader(schema)}, {needed})"
    return f"json.{'nullable' if one.nullable else 'required'}({key}, {_reader(schema)})"


def _reader(schema: Mapping[str, Any]) -> str:
    """Name what turns a JSON value, or each of a list's or an object's, into this type."""
    if "$ref" in schema:
        return f"JsonObject.of({WORDS.of(schema)}::new)"
    if schema.get("maxItems") == 4:
        return "Point::of"
    kind = WORDS.of(schema)
    if kind.startswith("List<"):
        return _inner(schema["items"])
    if kind.startswith("Map<"):
        return _inner(schema["additionalProperties"])
    return {"String": "JsonObject::text", "Integer": "JsonObject::integer", "Double": "JsonObject::number"}.get(
        kind, "JsonObject::truth"
    )


def _inner(schema: Mapping[str, Any]) -> str:
    kind = WORDS.of(schema)
    if kind.startswith("Map<"):
        return f"JsonObject.entries({_inner(schema['additionalProperties'])})"
    return _reader(schema)


def _options(chosen: list[Property]) -> str:
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
            else {"Integer": "int", "Boolean": "boolean"}.get(WORDS.of(one.schema), "String")
        )
        if "enum" in one.schema:
            rows += [
                "",
                f"    /** Values of {one.name}. */",
                *_enum("public enum", kind, one.schema["enum"], "    "),
            ]
        name = _camel(one.name)
        value = (
            f"{name}.toString()" if "enum" in one.schema else name if kind == "String" else f"String.valueOf({name})"
        )
        about = _javadoc(sentence(one.about)) if one.about else f"Choose {one.name}."
        rows += ["", f"    /** {about} */", f"    public ReadOptions {name}({kind} {name}) {{"]
        rows += [f"        return with({json.dumps(one.name)}, {value});", "    }"]
    rows += ["", "    Map<String, String> values() {", "        return values;", "    }", ""]
    rows += ["    private ReadOptions with(String name, String value) {"]
    rows += ["        Map<String, String> more = new LinkedHashMap<>(values);", "        more.put(name, value);"]
    rows += ["        return new ReadOptions(Collections.unmodifiableMap(more));", "    }", "}"]
    return "\n".join(rows) + "\n"


def _enum(heading: str, name: str, values: list[str], indent: str) -> list[str]:
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


def _javadoc(text: str) -> str:
    return re.sub(r"`([^`]+)`", r"{@code \1}", text)
