"""Plain text: the lines in reading order. Takes a document, gives UTF-8 bytes; knows of no places."""

from shizi.document import Document


def write(document: Document) -> bytes:
    """Write the text, a line feed at its end, a form feed between pages; nothing for no text at all."""
    text = document.text
    return f"{text}\n".encode() if text else b""
