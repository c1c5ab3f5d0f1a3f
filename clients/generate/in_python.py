"""The types in Python: frozen dataclasses, and the options as a TypedDict."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from schema import CLIENTS, NOTE, Words, formats, models, options, quoted, sentence

WORDS = Words(
    "str",
    "int",
    "float",
    "bool",
    "Polygon",
    listed=lambda inner: f"tuple[{inner}, ...]",
    mapped=lambda inner: f"dict[str, {inner}]",
    literal=lambda values: f"Literal[{', '.join(quoted(values))}]",
    union=" | ".join,
)


def written(description: Mapping[str, Any]) -> dict[Path, str]:
    """Write frozen dataclasses, and the options as a TypedDict."""
    rows = ['"""The types of answers and of reading options.', "", NOTE, '"""', ""]
    rows += ["from __future__ import annotations", ""]
    rows += ["from dataclasses import dataclass", "from typing import Literal, TypedDict", ""]
    rows += [f"Format = {WORDS.literal(formats(description))}", "Polygon = tuple[tuple[float, float], ...]", ""]
    rows += ["", "class Options(TypedDict, total=False):", '    """What a caller may choose for one reading."""', ""]
    for one in options(description):
        rows += [
            f"    {one.name}: {WORDS.of(one.schema)}",
            *([f'    """{sentence(one.about)}"""'] if one.about else []),
        ]
    for model in models(description):
        base = f"({model.base})" if model.base else ""
        rows += ["", "", "@dataclass(frozen=True, slots=True, kw_only=True)", f"class {model.name}{base}:"]
        rows += [f'    """{model.about}"""', ""]
        for one in model.properties:
            kind = WORDS.of(one.schema)
            rows.append(f"    {one.name}: {kind} | None = None" if one.nullable else f"    {one.name}: {kind}")
            if one.about and "Polygon" not in kind:
                rows.append(f'    """{sentence(one.about)}"""')
    return {CLIENTS / "python/src/shizi_client/models.py": "\n".join(rows) + "\n"}
