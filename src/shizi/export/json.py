"""JSON: the whole document, as `Document.to_dict` has it. Takes a document, gives UTF-8 bytes on one row."""

import json

from shizi.document import Document


def write(document: Document) -> bytes:
    """Write the document as one row of JSON, Chinese unescaped; `Document.from_dict` reads it back."""
    text = json.dumps(document.to_dict(), ensure_ascii=False) + "\n"
    return text.encode(errors="backslashreplace")  # half a surrogate becomes \udXXX, which is JSON's own escape
