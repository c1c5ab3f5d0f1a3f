"""Formats: which kind of file some bytes are, by content and never by name.

Takes the bytes of a file, gives the name of a format shizi reads, or an error that names what the bytes look
like and what to do instead. Knows signatures only; whether the rest of the file is sound is for `headers` and
`tiff`.
"""

import codecs
from collections.abc import Callable

from shizi.einvoice import is_einvoice
from shizi.errors import DamagedFile, UnsupportedFormat

READ = ("JPEG", "PNG", "BMP", "GIF", "WebP", "TIFF", "HEIC", "PDF", "OFD", "XML")

# Brands of the ISO base media file format, ISO/IEC 23008-12 annex B.
HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}

SIGNATURES = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
    (b"BM", "BMP"),
)

# What people send by mistake, with the advice that gets them on.
FOREIGN = (
    (
        b"PK\x03\x04",
        "a zip archive (or a Word, Excel or PowerPoint document)",
        "Unpack it or export pictures.",
    ),
    (b"PK\x05\x06", "an empty zip archive", "Send a picture."),
    (b"\x1f\x8b", "gzip data", "Unpack it first."),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "Unpack it first."),
    (b"Rar!", "a RAR archive", "Unpack it first."),
    (b"\xd0\xcf\x11\xe0", "an old Office document (DOC, XLS or PPT)", "Export its pages as pictures."),
    (b"{\\rtf", "an RTF document", "Export its pages as pictures."),
    (b"%!PS", "PostScript", "Convert it to PNG or TIFF."),
    (b"8BPS", "a Photoshop file", "Export it as PNG."),
    (b"\0\0\1\0", "a Windows icon", "Convert it to PNG."),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000 picture", "Convert it to PNG or JPEG."),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 picture", "Convert it to PNG or JPEG."),
    (b"\0\0\0\x0cJXL ", "a JPEG XL picture", "Convert it to PNG or JPEG."),
    (b"\xff\x0a", "a JPEG XL picture", "Convert it to PNG or JPEG."),
    (b"AT&TFORM", "a DjVu document", "Convert it to TIFF."),
)

# The one part that every OFD has, and no other kind of zip (GB/T 33190-2016, 7.2); names stand unpacked in a zip.
OFD_ENTRY = b"OFD.xml"

# An XML file's root element stands behind its declaration and comments.
EINVOICE_WITHIN = 4096

# PDF readers accept some bytes before the header (ISO 32000-1, annex H.3, note 13); so do we.
PDF_HEADER_WITHIN = 1024


def format_of(data: bytes) -> str:
    """Name the format of a file's bytes: one of `READ`.

    Raises DamagedFile when there are no bytes, UnsupportedFormat when they are of another kind.
    """
    if not data:
        raise DamagedFile("The file is empty; expected a picture. Send it again.")
    for signature, name in SIGNATURES:
        if data.startswith(signature):
            return name
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WebP"
    if data[4:8] == b"ftyp" and _is_heic(data):
        return "HEIC"
    if b"%PDF-" in data[:PDF_HEADER_WITHIN] and not data.startswith(tuple(signature for signature, _, _ in FOREIGN)):
        return "PDF"
    if data.startswith(b"PK\x03\x04") and OFD_ENTRY in data:
        return "OFD"
    if is_einvoice(data[:EINVOICE_WITHIN]):
        return "XML"
    looks, advice = _looks_like(data)
    raise UnsupportedFormat(f"The file is {looks}; {_list(READ)} are read. {advice}")


def _list(names: tuple[str, ...]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _is_heic(data: bytes) -> bool:
    box = data[: min(int.from_bytes(data[:4], "big"), 256)]
    brands = {box[8:12], *(box[i : i + 4] for i in range(16, len(box), 4))}
    return bool(brands & HEIC_BRANDS) and box[8:12] not in (b"avif", b"avis")


def _looks_like(data: bytes) -> tuple[str, str]:
    for signature, looks, advice in FOREIGN:
        if data.startswith(signature):
            return looks, advice
    if data[4:8] == b"ftyp":
        if data[8:12] in (b"avif", b"avis"):
            return "an AVIF picture", "Convert it to PNG or JPEG."
        return "a video", "Send single pictures of it."
    if data[:4] == b"RIFF":
        return "a sound or video file", "Send single pictures."
    return _looks_like_text(data) or ("of no kind known here", "Convert it to PNG or JPEG.")


def _looks_like_text(data: bytes) -> tuple[str, str] | None:
    head = data[:1024]
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "plain text (UTF-16)", "It needs no reading: send a picture."
    try:
        # Incremental: a character of several bytes may be cut at the end of the head.
        text = codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return None
    if not text or any(ord(c) < 32 and c not in "\t\n\r\f" for c in text):
        return None
    text = text.removeprefix("\ufeff").lstrip().lower()
    kinds: tuple[tuple[str, Callable[[str], bool], str], ...] = (
        ("an SVG drawing", lambda t: t.startswith("<svg") or "<svg" in t, "Convert it to PNG."),
        ("HTML", lambda t: t.startswith("<!doctype html") or "<html" in t, "Send a screenshot of it."),
        ("XML", lambda t: t.startswith("<?xml"), "Of XML only e-invoices are read; send a picture."),
        ("a data URL", lambda t: t.startswith("data:image/"), "Send the bytes its base64 part stands for."),
        ("JSON", lambda t: t.startswith(("{", "[")), "Send the picture's own bytes."),
    )
    for looks, matches, advice in kinds:
        if matches(text):
            return looks, advice
    return "plain text", "It needs no reading: send a picture."
