"""PDF in: a document's pages as facts and pictures, from pdfium in a process of its own.

Takes bytes and a password; gives the count of pages, what stands on each and where, and its picture at any size.
Coordinates are points (1/72 inch) of the page as it is shown, from its top left. Knows nothing of reading: which text
can be trusted is for `text`, which size is right for `shizi.pages`.

    child, process   pdfium itself, and talking to it        text   characters -> fragments of lines
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType

import numpy as np
import numpy.typing as npt

from shizi.errors import DamagedFile, EncryptedPdf, TooLarge
from shizi.pdf.process import Died, Process, Values, borrow, give_back

__all__ = ["Image", "Pdf", "PdfPage", "TextObject"]

# fpdfview.h, FPDF_GetLastError
_FORMAT, _PASSWORD, _SECURITY = 3, 4, 5
# Where the end of a whole file says where its table of contents stands; some writers add bytes after it.
_END_WITHIN = 4096

Box = tuple[float, float, float, float]  # left, top, right, bottom


@dataclass(frozen=True, slots=True)
class TextObject:
    """A run of characters drawn at once.

    `rank`: its place in the drawing order, -1 if unknown. `embedded`: whether the file carries its font's shapes.
    """

    rank: int
    shown: bool
    font: str
    embedded: bool
    angle: float


@dataclass(frozen=True, slots=True)
class Image:
    """A picture on a page: its rank in the drawing order, its place, and its size in pixels."""

    rank: int
    box: Box
    columns: int
    rows: int
    bits: int


@dataclass(frozen=True, slots=True)
class PdfPage:
    """What stands on a page. `codes`: N, negative where unknown; `owners`: N, indexes of `texts`; `boxes`: N, 4.

    `frames` are the bounds of straight paths (rules, frames, grounds), `drawn` says whether there are other drawings,
    annotations or shadings. Directions of texts are degrees clockwise on the page as shown.
    """

    width: float
    height: float
    codes: npt.NDArray[np.int32]
    owners: npt.NDArray[np.int32]
    boxes: npt.NDArray[np.float64]
    texts: tuple[TextObject, ...]
    images: tuple[Image, ...]
    frames: npt.NDArray[np.float64]  # N, 4
    drawn: bool


class Pdf:
    """An open document; a context manager. Serves one thread at a time."""

    def __init__(self, data: bytes, password: str = "") -> None:
        """Open a document.

        Raises DamagedFile, EncryptedPdf, and TooLarge for one that needs more memory than any should.
        """
        self._process: Process | None = borrow()
        try:
            answer, _ = self._ask("The PDF", {"ask": "open", "password": password}, data)
            if "error" in answer:
                raise _refusal(answer["error"], password)
            self.pages: int = answer["pages"]
            # pdfium looked for the pages itself, as the file's own table of them is missing or wrong.
            self.repaired = not answer["valid"]
            if _is_cut(data, self.repaired):
                raise DamagedFile("The PDF is cut short: its end is missing. Send the whole file.")
            if self.pages < 1:
                raise DamagedFile("The PDF has no page, or none that can be found. Send it again or save it anew.")
            if not answer["found"]:
                raise DamagedFile(
                    f"The PDF says that it has {self.pages} pages, and most of them are missing. Send the whole file."
                )
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "Pdf":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_process", None) is not None:
            self.close()

    def close(self) -> None:
        """Close the document."""
        process, self._process = self._process, None
        if process is None:
            return
        try:
            process.ask({"ask": "close"})
        except Died:
            return
        give_back(process)

    def check(self, numbers: Sequence[int]) -> None:
        """Raise DamagedFile if one of these pages is missing, before any is read."""
        answer, _ = self._ask("The PDF", {"ask": "missing", "indexes": [number - 1 for number in numbers]})
        if answer["index"] >= 0:
            raise self._broken(answer["index"] + 1)

    def _broken(self, number: int) -> DamagedFile:
        return DamagedFile(
            f"Page {number} of {self.pages} in the PDF is broken or missing. "
            "Send the file again, or choose other pages by the option 'pages'."
        )

    def look(self, number: int) -> PdfPage:
        """Tell what stands on page `number` (from 1). Raises DamagedFile, TooLarge."""
        answer, blob = self._ask(f"Page {number} of the PDF", {"ask": "look", "index": number - 1})
        if "broken" in answer:
            raise self._broken(number)
        return _page(answer, blob)

    def attached(self) -> list[bytes]:
        """Give the files attached to the document (its /EmbeddedFiles), up to 32 of at most 16 MB each."""
        answer, blob = self._ask("What is attached to the PDF", {"ask": "attached"})
        ends = list(itertools.accumulate(answer["sizes"], initial=0))
        return [bytes(blob[start:end]) for start, end in itertools.pairwise(ends)]

    def draw(
        self,
        number: int,
        width: int,
        height: int,
        hidden: Sequence[int] = (),
        box: tuple[int, int, int, int] | None = None,
    ) -> npt.NDArray[np.uint8]:
        """Draw page `number` on white at `width` x `height` pixels, or a `box` of it: H W 3 RGB.

        The `hidden` text objects, indexes into the texts that `look` gave, are left out. Raises DamagedFile, TooLarge.
        """
        left, top, right, bottom = box or (0, 0, width, height)
        request = {
            "ask": "draw",
            "index": number - 1,
            "size": [width, height],
            "box": [left, top, right, bottom],
            "hidden": list(hidden),
        }
        _, blob = self._ask(f"Page {number} of the PDF", request)
        return np.frombuffer(blob, np.uint8).reshape(bottom - top, right - left, 3)  # H, W, 3

    def _ask(self, what: str, request: Values, data: bytes = b"") -> tuple[Values, bytearray]:
        if self._process is None:
            raise ValueError("The PDF is closed.")
        try:
            return self._process.ask(request, data)
        except Died as error:
            self._process = None
            if error.slow:
                raise TooLarge(f"{what} takes too long to draw; it was given up. Print it to a new PDF.") from error
            raise DamagedFile(
                f"{what} is damaged or needs more memory than any should. Print it to a new PDF or send pictures."
            ) from error
        except BaseException:
            self._process = None  # interrupted in the middle of an answer, it has ended
            raise


def _is_cut(data: bytes, repaired: bool) -> bool:
    """Tell whether a file's end is missing, or that of the last part it was saved in: objects follow the last end."""
    end = data.rfind(b"startxref")
    return (repaired and end < len(data) - _END_WITHIN) or b" obj" in data[max(0, end) :]


def _refusal(code: int, password: str) -> DamagedFile | EncryptedPdf:
    if code == _PASSWORD and password:
        return EncryptedPdf("The PDF is encrypted and the password given does not open it. Check the password.")
    if code == _PASSWORD:
        return EncryptedPdf("The PDF is encrypted; give its password by the option 'password'.")
    if code == _SECURITY:
        return EncryptedPdf("The PDF is encrypted in a way that is not known here. Save it without encryption.")
    return DamagedFile("The PDF is damaged or cut short: it cannot be opened. Send it again or save it anew.")


def _page(facts: Values, blob: bytearray) -> PdfPage:
    count = len(blob) // 24
    codes = np.frombuffer(blob, np.int32, count)
    owners = np.frombuffer(blob, np.int32, count, 4 * count)
    placed = np.frombuffer(blob, np.float32, 4 * count, 8 * count).reshape(count, 4)
    shown = _Shown(facts)
    images = np.array([image[1:5] for image in facts["images"]]).reshape(-1, 4)
    return PdfPage(
        width=facts["width"],
        height=facts["height"],
        codes=codes,
        owners=owners,
        boxes=shown.boxes(placed[:, [0, 3, 2, 1]]),  # FS_RECTF: left, top, right, bottom
        texts=tuple(
            TextObject(rank, seen, font, embedded, shown.direction(angle))
            for rank, seen, font, embedded, angle in facts["texts"]
        ),
        images=tuple(
            Image(int(image[0]), tuple(box), *map(int, image[5:]))
            for image, box in zip(facts["images"], shown.boxes(images).tolist(), strict=True)
        ),
        frames=shown.boxes(np.array(facts["frames"]).reshape(-1, 4)),
        drawn=facts["drawn"],
    )


class _Shown:
    """The way from a page's own space to the page as it is shown."""

    def __init__(self, facts: Values) -> None:
        self.left, self.bottom, self.right, self.top = facts["box"]
        self.turns = facts["turns"] % 4

    def boxes(self, boxes: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
        """Turn boxes (left, bottom, right, top; N, 4), y upwards, to left, top, right, bottom as shown."""
        left, bottom, right, top = np.asarray(boxes, np.float64).T
        match self.turns:
            case 0:
                sides = left - self.left, self.top - top, right - self.left, self.top - bottom
            case 1:
                sides = bottom - self.bottom, left - self.left, top - self.bottom, right - self.left
            case 2:
                sides = self.right - right, bottom - self.bottom, self.right - left, top - self.bottom
            case _:
                sides = self.top - top, self.right - right, self.top - bottom, self.right - left
        return np.stack(sides, axis=1)

    def direction(self, angle: float) -> float:
        """Turn pdfium's angle, in radians clockwise, to degrees clockwise as shown, in [0, 360)."""
        return float((90 * self.turns + np.degrees(angle)) % 360)
