"""Export: documents become bytes, one file a format. Knows documents only, neither models nor HTTP.

`FORMATS` names them all; a door looks a format up there and calls its `write`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from shizi.document import Document
from shizi.export import json, text


@dataclass(frozen=True, slots=True)
class Format:
    """One way to write a document: its files' suffix, its media type and the function that writes it."""

    suffix: str
    media_type: str
    write: Callable[[Document], bytes]


FORMATS: dict[str, Format] = {
    "text": Format(".txt", "text/plain; charset=utf-8", text.write),
    "json": Format(".json", "application/json", json.write),
}
