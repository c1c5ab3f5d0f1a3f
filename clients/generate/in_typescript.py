"""The types in TypeScript: interfaces as the JSON is."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from schema import CLIENTS, NOTE, Words, formats, models, options, quoted, sentence

WORDS = Words(
    "string",
    "number",
    "number",
    "boolean",
    "Polygon",
    listed=lambda inner: f"({inner})[]" if "|" in inner else f"{inner}[]",
    mapped=lambda inner: f"Record<string, {inner}>",
    literal=lambda values: " | ".join(quoted(values)),
    union=" | ".join,
)


def written(description: Mapping[str, Any]) -> dict[Path, str]:
    """Write interfaces as the JSON is."""
    rows = [f"// {NOTE}", "/** The types of answers and of reading options. */", ""]
    rows += [f"export type Format = {WORDS.literal(formats(description))};"]
    rows += ["export type Polygon = [number, number][];", ""]
    rows += ["/** What a caller may choose for one reading. */", "export interface Options {"]
    for one in options(description):
        rows += [f"  /** {sentence(one.about)} */"] if one.about else []
        rows.append(f"  {one.name}?: {WORDS.of(one.schema)};")
    rows.append("}")
    for model in models(description):
        base = f" extends {model.base}" if model.base else ""
        rows += ["", f"/** {model.about} */", f"export interface {model.name}{base} {{"]
        for one in model.properties:
            kind = WORDS.of(one.schema)
            rows += [f"  /** {sentence(one.about)} */"] if one.about and kind != "Polygon" else []
            rows.append(f"  {one.name}?: {kind} | null;" if one.nullable else f"  {one.name}: {kind};")
        rows.append("}")
    return {CLIENTS / "node/src/models.ts": "\n".join(rows) + "\n"}
