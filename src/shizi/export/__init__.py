"""Export: documents become bytes, one file a format. Knows documents only, neither models nor HTTP.

`FORMATS` names them all; a door looks a format up there, lets it deepen the options of the reading (`asking`) and
calls its `write`. A format's file, and the library it needs, is imported when the format is first written.
"""

from dataclasses import dataclass, replace
from importlib import import_module
from importlib.util import find_spec

from shizi.document import Document
from shizi.errors import OptionsError
from shizi.options import Detail, ReadOptions

_DEPTHS: tuple[Detail, ...] = ("line", "word", "character")


@dataclass(frozen=True, slots=True)
class Format:
    """One way to write a document.

    suffix      of its files
    media_type  as HTTP says it
    room        the file of this folder whose `write` writes it
    detail      how deep a document has to go to be written well
    binary      not for a terminal
    on_source   made of the file that was read and the document: its `write` takes both, and a password
    extra       the package it needs that is not always installed, and the extra of shizi that brings it
    """

    suffix: str
    media_type: str
    room: str
    detail: Detail = "line"
    binary: bool = False
    on_source: bool = False
    extra: tuple[str, str] | None = None

    def asking(self, options: ReadOptions) -> ReadOptions:
        """Give the options of a reading that is to be written so: as asked, or deeper where this format needs it."""
        return replace(options, detail=max(options.detail, self.detail, key=_DEPTHS.index))

    def check(self) -> None:
        """Raise OptionsError where what this format needs is not installed, before anything is read for it."""
        if self.extra is not None and find_spec(self.extra[0]) is None:
            raise OptionsError(
                f"Writing {self.suffix} needs an extra: pip install 'shizi[{self.extra[1]}]', or choose another format."
            )

    def write(self, document: Document, source: bytes | None = None, password: str = "") -> bytes:
        """Write a document. `source`: the bytes it was read from; `password`: what opens them.

        Raises OptionsError when this format needs the source and there is none, or cannot be made of such a one, and
        as `check` does.
        """
        self.check()
        writer = import_module(f"shizi.export.{self.room}")
        if not self.on_source:
            return bytes(writer.write(document))
        if source is None:
            raise OptionsError(
                f"A {self.suffix} is made of the file that was read, and only a document was given; give the file's "
                "bytes too, or choose another format."
            )
        return bytes(writer.write(document, source, password))


_SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_LETTER = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

FORMATS: dict[str, Format] = {
    "text": Format(".txt", "text/plain; charset=utf-8", "text"),
    "json": Format(".json", "application/json", "json"),
    "markdown": Format(".md", "text/markdown; charset=utf-8", "markdown"),
    "html": Format(".html", "text/html; charset=utf-8", "html"),
    "hocr": Format(".hocr", "text/html; charset=utf-8", "hocr", detail="word"),
    "alto": Format(".xml", "application/xml", "alto", detail="word"),
    "csv": Format(".csv", "text/csv; charset=utf-8", "csv"),
    "xlsx": Format(".xlsx", _SHEET, "xlsx", binary=True),
    "docx": Format(".docx", _LETTER, "docx", binary=True, extra=("docx", "docx")),
    "pdf": Format(".pdf", "application/pdf", "searchable_pdf", detail="word", binary=True, on_source=True),
}
