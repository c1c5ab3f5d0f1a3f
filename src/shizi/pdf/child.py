"""Child: the program that talks to pdfium, in a process of its own; `process` starts it and asks it.

pdfium is native code over bytes that strangers sent: here it may take too long, want too much memory or crash, and
only this process ends. It is not thread-safe either: one process serves one document at a time. Standard library
and pdfium only, so that it starts fast; knows nothing of what a page's text is worth.

A message is four bytes of length, that much JSON, and the blobs whose sizes stand in it under `blobs`. Requests, each
with its answer:

    {"ask": "open", "password"} + the file   {"pages", "valid", "found"}, or {"error"} (fpdfview.h)
    {"ask": "missing", "indexes"}            {"index"}: the first of them that is not there, -1 if all are
    {"ask": "look", "index"}                 the facts of one page, see `look`, + its characters
    {"ask": "attached"}                      {"sizes"} + the files attached to the document, one after another
    {"ask": "draw", "index", "size", "box", "hidden"}   {} + RGB rows; `hidden`: text objects to leave out
"""

import array
import ctypes
import json
import mmap
import signal
import struct
import sys
from typing import Any, BinaryIO

import pypdfium2.raw as pdfium

# A page of an honest file stays far below: 50 megapixels of picture and as many of canvas are 300 MB.
MEMORY_BYTES = 1536 << 20
# pdfium keeps what it has read of every page; a document that came to hold so much more is opened anew.
GROWTH_BYTES = 16 << 20
MOST_OBJECTS = 20_000  # of a page, looked at one by one; a page of more is a drawing
DEEPEST_FORM = 6
MOST_SEGMENTS = 12  # of a path that may be a rule, a frame or a ground
MOST_ATTACHED, LARGEST_ATTACHED = 32, 16 << 20  # files attached to a document, and the bytes of one: others are left
_HIDDEN_ANNOTATION = 0b10  # ISO 32000-1, table 165
_UNDRAWN_ANNOTATIONS = (pdfium.FPDF_ANNOT_LINK, pdfium.FPDF_ANNOT_POPUP)

Values = dict[str, Any]


# What is asked of every character is called without letting go of the interpreter's lock and without converting
# arguments: a third of the time, 7 ms a page of 2,000 characters.
def _quick(function: Any, gives: Any, *takes: Any) -> Any:
    address = ctypes.cast(function, ctypes.c_void_p).value
    return ctypes.PYFUNCTYPE(gives, *takes)(address or 0)


_CHARACTER = ctypes.c_void_p, ctypes.c_int
_text_object = _quick(pdfium.FPDFText_GetTextObject, ctypes.c_void_p, *_CHARACTER)
_unicode = _quick(pdfium.FPDFText_GetUnicode, ctypes.c_int, *_CHARACTER)
_is_unmapped = _quick(pdfium.FPDFText_HasUnicodeMapError, ctypes.c_int, *_CHARACTER)
_loose_box = _quick(pdfium.FPDFText_GetLooseCharBox, ctypes.c_int, *_CHARACTER, ctypes.c_void_p)


class Session:
    """One document and its page last asked for."""

    def __init__(self) -> None:
        self.data = b""
        self.password = ""
        self.most = 0  # bytes of memory held, beyond which the document is opened anew
        self.document: Any = None
        self.page: Any = None
        self.text: Any = None
        self.form: Any = None
        self.form_calls: Any = None
        self.index = -1
        self.objects: list[Any] = []  # the page's text objects, by the numbers given away

    def open(self, data: bytes, password: str) -> Values:
        """Open a document; pdfium keeps using `data`."""
        self.close()
        document = pdfium.FPDF_LoadMemDocument64(data, len(data), password.encode() or None)
        if not document and pdfium.FPDF_GetLastError() == pdfium.FPDF_ERR_PASSWORD and password:
            document = pdfium.FPDF_LoadMemDocument64(data, len(data), None)  # a password it does not need
        if not document:
            return {"error": pdfium.FPDF_GetLastError()}
        self.data, self.password, self.document = data, password, document
        self.most = _resident() + GROWTH_BYTES
        if pdfium.FPDF_GetFormType(document) != pdfium.FORMTYPE_NONE:
            # What is filled into a form is drawn by this part of pdfium alone; it keeps the table of calls, all empty.
            self.form_calls = pdfium.FPDF_FORMFILLINFO(version=2)
            self.form = pdfium.FPDFDOC_InitFormFillEnvironment(document, self.form_calls) or None
            if self.form:
                pdfium.FPDF_SetFormFieldHighlightAlpha(self.form, 0)
        pages = pdfium.FPDF_GetPageCount(document)
        return {
            "pages": pages,
            "found": self.has(pages // 2) or self.has(pages - 1),
            "valid": bool(pdfium.FPDF_DocumentHasValidCrossReferenceTable(document)),
        }

    def has(self, index: int) -> bool:
        """Tell whether a page is there, without loading what stands on it."""
        return bool(pdfium.FPDF_GetPageSizeByIndexF(self.document, index, pdfium.FS_SIZEF()))

    def close(self) -> None:
        """Close the document."""
        self._turn_to(-1)
        if self.form:
            pdfium.FPDFDOC_ExitFormFillEnvironment(self.form)
        self.form = None
        if self.document:
            pdfium.FPDF_CloseDocument(self.document)
        self.data, self.document = b"", None

    def _turn_to(self, index: int) -> bool:
        if index == self.index:
            return self.page is not None
        if index >= 0 and _resident() > self.most:
            self.open(self.data, self.password)
        if self.text:
            pdfium.FPDFText_ClosePage(self.text)
        if self.page and self.form:
            pdfium.FORM_OnBeforeClosePage(self.page, self.form)
        if self.page:
            pdfium.FPDF_ClosePage(self.page)
        self.page = self.text = None
        self.objects = []
        self.index = index
        if index >= 0:
            self.page = pdfium.FPDF_LoadPage(self.document, index) or None
        if self.page and self.form:
            pdfium.FORM_OnAfterLoadPage(self.page, self.form)
        return self.page is not None

    def look(self, index: int) -> tuple[Values, bytes]:
        """Give the facts of a page, in its own space (points, y upwards), and its characters.

        `width`, `height`: as shown, in points. `box`: what of the page's space is shown. `turns`: quarters clockwise
        it is shown turned by. `texts`: each text object's [rank in drawing order, shown, font, embedded, angle].
        `images`: each [rank, left, bottom, right, top, columns, rows, bits]. `frames`: bounds of straight paths.
        `drawn`: whether there is anything else. `broken`: the page's content cannot be had.
        """
        if not self._turn_to(index):
            return {"broken": True}, b""
        box = pdfium.FS_RECTF()
        pdfium.FPDF_GetPageBoundingBox(self.page, box)
        content = _Content(self.page)
        content.walk_page()
        self.text = self.text or pdfium.FPDFText_LoadPage(self.page)
        self.objects = []
        characters, texts = self._characters(content) if self.text else (b"", [])
        facts = {
            "width": pdfium.FPDF_GetPageWidthF(self.page),
            "height": pdfium.FPDF_GetPageHeightF(self.page),
            "box": [box.left, box.bottom, box.right, box.top],
            "turns": pdfium.FPDFPage_GetRotation(self.page),
            "texts": texts,
            "images": content.images,
            "frames": content.frames,
            "drawn": content.drawn or self._is_annotated(),
        }
        return facts, characters

    def _is_annotated(self) -> bool:
        for i in range(pdfium.FPDFPage_GetAnnotCount(self.page)):
            annotation = pdfium.FPDFPage_GetAnnot(self.page, i)
            drawn = pdfium.FPDFAnnot_GetSubtype(annotation) not in _UNDRAWN_ANNOTATIONS
            hidden = pdfium.FPDFAnnot_GetFlags(annotation) & _HIDDEN_ANNOTATION
            pdfium.FPDFPage_CloseAnnot(annotation)
            if drawn and not hidden:
                return True
        return False

    def _characters(self, content: "_Content") -> tuple[bytes, list[list[Any]]]:
        """Give the characters' codes, text objects and boxes, as one column after another, and the text objects.

        A code is negative where the file does not say which character it is.
        """
        count = pdfium.FPDFText_CountChars(self.text)
        text = ctypes.cast(self.text, ctypes.c_void_p)
        codes, owners = array.array("i"), array.array("i")
        boxes = (ctypes.c_float * (4 * max(count, 0)))()
        box = ctypes.addressof(boxes)  # left, top, right, bottom of one
        numbers: dict[int, int] = {}
        texts: list[list[Any]] = []
        for i in range(count):
            address = _text_object(text, i)
            if address is None:
                continue  # a space or line end that pdfium made up
            number = numbers.get(address, -1)
            if number < 0:
                thing = pdfium.FPDFText_GetTextObject(self.text, i)
                number = numbers[address] = len(texts)
                self.objects.append(thing)
                angle = pdfium.FPDFText_GetCharAngle(self.text, i)
                texts.append([content.ranks.get(address, -1), _is_shown(thing), *_font(thing), angle])
            code = _unicode(text, i)
            codes.append(-1 - code if _is_unmapped(text, i) == 1 else code)
            owners.append(number)
            _loose_box(text, i, box)
            box += 16
        return codes.tobytes() + owners.tobytes() + memoryview(boxes).cast("B")[: 16 * len(codes)].tobytes(), texts

    def attached(self) -> tuple[Values, bytes]:
        """Give the files attached to the document, those that are too large left out."""
        found: list[bytes] = []
        for i in range(min(pdfium.FPDFDoc_GetAttachmentCount(self.document), MOST_ATTACHED)):
            attachment, size = pdfium.FPDFDoc_GetAttachment(self.document, i), ctypes.c_ulong()
            if not pdfium.FPDFAttachment_GetFile(attachment, None, 0, size) or size.value > LARGEST_ATTACHED:
                continue
            content = ctypes.create_string_buffer(size.value)
            if pdfium.FPDFAttachment_GetFile(attachment, content, size.value, size):
                found.append(content.raw[: size.value])
        return {"sizes": [len(content) for content in found]}, b"".join(found)

    def draw(self, index: int, size: list[int], box: list[int], hidden: list[int]) -> tuple[Values, Any]:
        """Draw a box (left, top, right, bottom) of a page whose whole is `size` (width, height) pixels, on white."""
        if not self._turn_to(index):
            return {"broken": True}, b""
        if hidden and not self.objects:
            self.look(index)
        left, top, right, bottom = box
        width, height = right - left, bottom - top
        modes = [(self.objects[i], pdfium.FPDFTextObj_GetTextRenderMode(self.objects[i])) for i in hidden]
        for thing, _ in modes:
            pdfium.FPDFTextObj_SetTextRenderMode(thing, pdfium.FPDF_TEXTRENDERMODE_INVISIBLE)
        pixels = (ctypes.c_ubyte * (width * height * 3))()
        bitmap = pdfium.FPDFBitmap_CreateEx(width, height, pdfium.FPDFBitmap_BGR, pixels, width * 3)
        try:
            pdfium.FPDFBitmap_FillRect(bitmap, 0, 0, width, height, 0xFFFFFFFF)
            flags = pdfium.FPDF_ANNOT | pdfium.FPDF_REVERSE_BYTE_ORDER
            pdfium.FPDF_RenderPageBitmap(bitmap, self.page, -left, -top, *size, 0, flags)
            if self.form:
                pdfium.FPDF_FFLDraw(self.form, bitmap, self.page, -left, -top, *size, 0, flags)
        finally:
            pdfium.FPDFBitmap_Destroy(bitmap)
            for thing, mode in modes:
                pdfium.FPDFTextObj_SetTextRenderMode(thing, mode)
        return {}, pixels


class _Content:
    """What a page draws beside its text, and the order in which all is drawn."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.ranks: dict[int, int] = {}  # of text objects, by address
        self.images: list[list[float]] = []
        self.frames: list[list[float]] = []
        self.drawn = False
        self.rank = 0

    def walk_page(self) -> None:
        """Look at every object."""
        count = pdfium.FPDFPage_CountObjects(self.page)
        for i in range(min(count, MOST_OBJECTS)):
            self._take(pdfium.FPDFPage_GetObject(self.page, i), (1, 0, 0, 1, 0, 0), 0)
        self.drawn |= count > MOST_OBJECTS

    def _take(self, thing: Any, matrix: tuple[float, ...], depth: int) -> None:
        self.rank += 1
        kind = pdfium.FPDFPageObj_GetType(thing)
        if kind == pdfium.FPDF_PAGEOBJ_TEXT:
            self.ranks[ctypes.cast(thing, ctypes.c_void_p).value or 0] = self.rank
        elif kind == pdfium.FPDF_PAGEOBJ_PATH and _is_straight(thing):
            self.frames.append(_bounds(thing, matrix))
        elif kind == pdfium.FPDF_PAGEOBJ_IMAGE:
            self._take_image(thing, matrix)
        elif kind == pdfium.FPDF_PAGEOBJ_FORM and depth < DEEPEST_FORM:
            own = pdfium.FS_MATRIX()
            pdfium.FPDFPageObj_GetMatrix(thing, own)
            inner = _multiplied((own.a, own.b, own.c, own.d, own.e, own.f), matrix)
            for i in range(pdfium.FPDFFormObj_CountObjects(thing)):
                if self.rank >= MOST_OBJECTS:
                    self.drawn = True
                    return
                self._take(pdfium.FPDFFormObj_GetObject(thing, i), inner, depth + 1)
        else:
            self.drawn = True

    def _take_image(self, thing: Any, matrix: tuple[float, ...]) -> None:
        facts = pdfium.FPDF_IMAGEOBJ_METADATA()
        columns, rows = ctypes.c_uint(), ctypes.c_uint()
        pdfium.FPDFImageObj_GetImagePixelSize(thing, columns, rows)
        pdfium.FPDFImageObj_GetImageMetadata(thing, self.page, facts)
        size = (columns.value, rows.value, facts.bits_per_pixel)
        self.images.append([self.rank, *_bounds(thing, matrix), *size])


def _is_straight(path: Any) -> bool:
    """Tell rules, frames and grounds from drawings, by the path's segments."""
    count = pdfium.FPDFPath_CountSegments(path)
    if not 0 <= count <= MOST_SEGMENTS:
        return False
    segments = (pdfium.FPDFPath_GetPathSegment(path, i) for i in range(count))
    return all(pdfium.FPDFPathSegment_GetType(segment) != pdfium.FPDF_SEGMENT_BEZIERTO for segment in segments)


def _is_shown(text: Any) -> bool:
    if pdfium.FPDFTextObj_GetTextRenderMode(text) in (
        pdfium.FPDF_TEXTRENDERMODE_INVISIBLE,
        pdfium.FPDF_TEXTRENDERMODE_CLIP,
    ):
        return False
    red, green, blue, alpha = (ctypes.c_uint() for _ in range(4))
    return not pdfium.FPDFPageObj_GetFillColor(text, red, green, blue, alpha) or alpha.value > 0


def _font(text: Any) -> tuple[str, bool]:
    """Give a font's name and whether the file carries its shapes."""
    font = pdfium.FPDFTextObj_GetFont(text)
    name = ctypes.create_string_buffer(200)
    pdfium.FPDFFont_GetBaseFontName(font, name, 200)
    return name.value.decode("utf-8", "replace"), pdfium.FPDFFont_GetIsEmbedded(font) == 1


def _bounds(thing: Any, matrix: tuple[float, ...]) -> list[float]:
    left, bottom, right, top = (ctypes.c_float() for _ in range(4))
    pdfium.FPDFPageObj_GetBounds(thing, left, bottom, right, top)
    a, b, c, d, e, f = matrix
    corners = [(x, y) for x in (left.value, right.value) for y in (bottom.value, top.value)]
    xs, ys = [a * x + c * y + e for x, y in corners], [b * x + d * y + f for x, y in corners]
    return [min(xs), min(ys), max(xs), max(ys)]


def _multiplied(first: tuple[float, ...], then: tuple[float, ...]) -> tuple[float, ...]:
    a, b, c, d, e, f = first
    p, q, r, s, t, u = then
    return (a * p + b * r, a * q + b * s, c * p + d * r, c * q + d * s, e * p + f * r + t, e * q + f * s + u)


def _receive(stream: BinaryIO) -> tuple[Values, bytes] | None:
    """Read one message; None at the end of the stream."""
    head = stream.read(4)
    if len(head) < 4:
        return None
    values = json.loads(stream.read(struct.unpack("<I", head)[0]))
    return values, stream.read(sum(values.get("blobs", ())))


def _send(stream: BinaryIO, values: Values, blob: Any) -> None:
    size = memoryview(blob).nbytes
    message = json.dumps(values | {"blobs": [size]}).encode()
    stream.write(struct.pack("<I", len(message)) + message)
    stream.write(blob)
    stream.flush()


def _answer(session: Session, values: Values, blob: bytes) -> tuple[Values, Any]:
    match values["ask"]:
        case "open":
            return session.open(blob, values["password"]), b""
        case "missing":
            return {"index": next((i for i in values["indexes"] if not session.has(i)), -1)}, b""
        case "look":
            return session.look(values["index"])
        case "attached":
            return session.attached()
        case "draw":
            return session.draw(values["index"], values["size"], values["box"], values["hidden"])
        case _:
            session.close()
            return {}, b""


def _resident() -> int:
    """Give the bytes of memory this process holds; 0 where the system does not tell."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * mmap.PAGESIZE
    except OSError:
        return 0


def _limit_memory() -> None:
    try:
        import resource  # not on Windows
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> None:
    """Answer requests on standard input until it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    _limit_memory()
    pdfium.FPDF_InitLibrary()
    session = Session()
    while (message := _receive(sys.stdin.buffer)) is not None:
        _send(sys.stdout.buffer, *_answer(session, *message))


if __name__ == "__main__":
    main()
