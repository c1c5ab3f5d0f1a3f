"""Plain text: the lines in reading order. Takes a document, gives UTF-8 bytes; knows of no places."""

from shizi.document import Document
from shizi.export.printable import printable


def write(document: Document) -> bytes:
    """Write the text, a line feed at its end, a form feed between pages; nothing for no text at all."""
    text = printable(document).text
    return f"{text}\n".encode() if text else b""
