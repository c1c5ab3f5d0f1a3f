"""OFD: China's fixed-layout format (GB/T 33190-2016), a zip of XML, read page by page.

Takes bytes; gives for each page its texts with their places, its pictures and its rules, and what XML is attached.
Coordinates are millimetres of the page from its top left, as in the standard. Fonts and drawings are not drawn: text
is taken as characters, which an OFD always has. Zip bombs and harmful XML are refused. Knows nothing of reading.
"""

import io
import math
import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from types import TracebackType
from xml.etree.ElementTree import Element

from shizi.charset import is_chinese
from shizi.document import Char, Fragment, Reading
from shizi.errors import DamagedFile, TooLarge
from shizi.geometry import Polygon
from shizi.xml import children, parse, text

MODEL = "text-layer"
MOST_MEMBERS = 20_000
MOST_BYTES = 512_000_000  # unpacked, all members together
MOST_OBJECTS = 100_000  # of a page
DEEPEST = 16  # blocks within blocks
ASCENT = 0.86  # of the type size, above the base line: what Chinese type reaches (SimSun)
LATIN_WIDTH = 0.5  # of the type size, where a file leaves the widths to the font
BREAK = 1.0  # gap in type sizes that ends a piece of a line: as in other text layers

Matrix = tuple[float, float, float, float, float, float]
_PLAIN: Matrix = (1, 0, 0, 1, 0, 0)
_ZIP_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    OSError,
    EOFError,
    RuntimeError,
    NotImplementedError,
    ValueError,
    KeyError,
)


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture on a page: the bytes of its file, and the way of its unit square to millimetres of the page."""

    data: bytes
    matrix: Matrix


@dataclass(slots=True)
class OfdPage:
    """What stands on a page of `width` x `height` mm. `rules` are straight strokes: x, y, x, y."""

    width: float
    height: float
    fragments: list[Fragment] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    rules: list[tuple[float, float, float, float]] = field(default_factory=list)
    drawings: int = 0
    texts: dict[str, str] = field(default_factory=dict)  # by the objects' ids


class Ofd:
    """An open OFD; a context manager."""

    def __init__(self, data: bytes) -> None:
        """Open a document. Raises DamagedFile, TooLarge."""
        _check_directory(data)
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
            members = self._zip.infolist()
        except _ZIP_ERRORS as error:
            raise DamagedFile("The OFD is damaged or cut short: it cannot be unpacked. Send it again.") from error
        unpacked = sum(member.file_size for member in members)
        if len(members) > MOST_MEMBERS or unpacked > MOST_BYTES:
            raise TooLarge(
                f"The OFD unpacks to {len(members)} files of {unpacked} bytes; at most {MOST_MEMBERS} of {MOST_BYTES} "
                "bytes together are read."
            )
        self._names = {member.filename.lower(): member for member in members}
        self._trees: dict[str, Element] = {}
        root = self._tree("OFD.xml")
        self._documents = [self._opened(text(body, "DocRoot")) for body in children(root, "DocBody")]
        self._pages = [(document, page) for document in self._documents for page in document.pages]
        if not self._pages:
            raise DamagedFile("The OFD has no page. Send it again as it was issued.")

    def __enter__(self) -> "Ofd":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zip.close()

    @property
    def pages(self) -> int:
        """How many pages there are."""
        return len(self._pages)

    def page(self, number: int) -> OfdPage:
        """Tell what stands on page `number` (from 1). Raises DamagedFile, TooLarge."""
        document, (identity, location) = self._pages[number - 1]
        tree = self._tree(location)
        box = _numbers(text(tree, "Area/PhysicalBox")) or document.box
        if len(box) != 4 or not (0 < box[2] < math.inf and 0 < box[3] < math.inf):
            raise DamagedFile(f"Page {number} of the OFD does not say how large it is. Send it again as it was issued.")
        page = OfdPage(box[2], box[3])
        origin: Matrix = (1, 0, 0, 1, -box[0], -box[1])
        resources = self._with(document.resources, tree, location)
        layers = [(tree, location)]
        for used in children(tree, "Template"):
            template = document.templates.get(used.get("TemplateID", ""))
            if template is not None:
                layers.insert(0, (self._tree(template), template))
        for layer, place in layers:
            found = resources if layer is tree else self._with(document.resources, layer, place)
            for content in children(layer, "Content"):
                self._take(content, page, origin, found, 0)
        for appearance in self._annotations(document, identity):
            left, top = _corner(appearance)
            self._take(appearance, page, _multiplied((1, 0, 0, 1, left, top), origin), resources, 0)
        return page

    def attached_xml(self) -> Iterator[bytes]:
        """Give the XML files attached to the document."""
        for document in self._documents:
            if not document.attachments:
                continue
            for attachment in self._tree(document.attachments).iter("Attachment"):
                place = _joined(document.attachments, text(attachment, "FileLoc"))
                if place.lower().endswith(".xml") and place.lower() in self._names:
                    yield self._read(place)

    def custom_tags(self) -> Element | None:
        """Give the first tree of custom tags, each reference to a text object replaced by its text; None if none."""
        for document in self._documents:
            for tag in self._tree(document.tags).iter("CustomTag") if document.tags else ():
                place = _joined(document.tags, text(tag, "FileLoc"))
                if place.lower() not in self._names:
                    continue
                texts: dict[str, str] = {}
                for number, (owner, _) in enumerate(self._pages, start=1):
                    if owner is document:
                        texts |= self.page(number).texts
                tree = parse(self._read(place), f"{place} in the OFD")
                for element in tree.iter():
                    references = [text(child) for child in children(element, "ObjectRef")]
                    if references:
                        element.text = "".join(texts.get(reference, "") for reference in references)
                return tree
        return None

    def _take(self, element: Element, page: OfdPage, matrix: Matrix, resources: "_Resources", depth: int) -> None:
        """Take the objects of a layer, a block or an appearance."""
        for item in element:
            if len(page.fragments) + len(page.pictures) + len(page.rules) + page.drawings > MOST_OBJECTS:
                raise TooLarge(f"A page of the OFD has more than {MOST_OBJECTS} objects. Print it to a PDF.")
            match item.tag:
                case "Layer" | "PageBlock" if depth < DEEPEST:
                    self._take(item, page, matrix, resources, depth + 1)
                case "TextObject" if item.get("Visible") != "false":
                    found = text_fragments(item, _placed(item, matrix))
                    page.fragments.extend(found)
                    page.texts[item.get("ID", "")] = "".join(fragment.text for fragment in found)
                case "ImageObject" if item.get("Visible") != "false":
                    place = resources.pictures.get(item.get("ResourceID", ""))
                    if place is not None and place.lower() in self._names:
                        page.pictures.append(Picture(self._read(place), _placed(item, matrix)))
                case "PathObject":
                    strokes = _strokes(text(item, "AbbreviatedData"), _placed(item, matrix))
                    page.rules.extend(strokes)
                    page.drawings += not strokes
                case "CompositeObject" if depth < DEEPEST:
                    unit = resources.composites.get(item.get("ResourceID", ""))
                    for content in children(unit, "Content"):
                        self._take(content, page, _placed(item, matrix), resources, depth + 1)

    def _opened(self, location: str) -> "_Document":
        location = _joined("", location)
        tree = self._tree(location)
        common = tree.find("CommonData")
        resources = self._with(_Resources({}, {}), common, location)
        return _Document(
            pages=[
                (page.get("ID", ""), _joined(location, page.get("BaseLoc", "")))
                for page in children(tree.find("Pages"), "Page")
            ],
            box=_numbers(text(common, "PageArea/PhysicalBox")),
            templates={
                template.get("ID", ""): _joined(location, template.get("BaseLoc", ""))
                for template in children(common, "TemplatePage")
            },
            resources=resources,
            annotations=_joined(location, text(tree, "Annotations")) if text(tree, "Annotations") else "",
            attachments=_joined(location, text(tree, "Attachments")) if text(tree, "Attachments") else "",
            tags=_joined(location, text(tree, "CustomTags")) if text(tree, "CustomTags") else "",
        )

    def _with(self, known: "_Resources", element: Element | None, location: str) -> "_Resources":
        """Add the resources that an element names to those known."""
        pictures, composites = dict(known.pictures), dict(known.composites)
        for named in children(element, "PublicRes", "DocumentRes", "PageRes"):
            place = _joined(location, (named.text or "").strip())
            if place.lower() not in self._names:
                continue  # what it holds is missed where it is used
            tree = self._tree(place)
            base = _joined(place, tree.get("BaseLoc", "")) + "/" if tree.get("BaseLoc") else place
            for media in tree.iter("MultiMedia"):
                pictures[media.get("ID", "")] = _joined(base, text(media, "MediaFile"))
            for unit in tree.iter("CompositeGraphicUnit"):
                composites[unit.get("ID", "")] = unit
        return _Resources(pictures, composites)

    def _annotations(self, document: "_Document", identity: str) -> Iterator[Element]:
        """Give the appearances of a page's visible annotations."""
        if not document.annotations or document.annotations.lower() not in self._names:
            return
        for page in children(self._tree(document.annotations), "Page"):
            place = _joined(document.annotations, text(page, "FileLoc"))
            if page.get("PageID") == identity and place.lower() in self._names:
                for annotation in self._tree(place).iter("Annot"):
                    if annotation.get("Visible") != "false":
                        yield from children(annotation, "Appearance")

    def _tree(self, place: str) -> Element:
        """Parse a member; kept, since templates and resources serve every page."""
        if place not in self._trees:
            if len(self._trees) > 64:
                self._trees.clear()
            self._trees[place] = parse(self._read(place), f"{place or 'A part'} in the OFD")
        return self._trees[place]

    def _read(self, place: str) -> bytes:
        member = self._names.get(place.lower())
        if member is None:
            raise DamagedFile(f"The OFD lacks its part {place[:80]!r}. Send it again as it was issued.")
        try:
            with self._zip.open(member) as file:
                return file.read(MOST_BYTES)
        except _ZIP_ERRORS as error:
            raise DamagedFile(f"The part {place[:80]!r} of the OFD cannot be unpacked. Send it again.") from error


def _check_directory(data: bytes) -> None:
    """Refuse a zip whose list of members alone would fill the memory: its end says how long that is."""
    end = data.rfind(b"PK\5\6")
    size = int.from_bytes(data[end + 12 : end + 16], "little") if end >= 0 else 0
    if size > MOST_MEMBERS * 200:
        raise TooLarge(f"The OFD lists its parts in {size} bytes; expected at most {MOST_MEMBERS} parts.")


@dataclass(frozen=True, slots=True)
class _Resources:
    """Where pictures lie, and drawings used several times, by their ids."""

    pictures: dict[str, str]
    composites: dict[str, Element]


@dataclass(frozen=True, slots=True, eq=False)
class _Document:
    """One document of the file: its pages' ids and places, and what they share."""

    pages: list[tuple[str, str]]
    box: list[float]
    templates: dict[str, str]
    resources: _Resources
    annotations: str
    attachments: str
    tags: str


def text_fragments(element: Element, matrix: Matrix) -> list[Fragment]:
    """Give the pieces of text of a TextObject (GB/T 33190-2016, 11.3), cut where a wide gap is."""
    size = _number(element.get("Size", ""), 0.0)
    scale = _number(element.get("HScale", ""), 1.0)
    turn = _number(element.get("CharDirection", ""), 0.0)
    if size <= 0:
        return []
    marks: list[tuple[str, float, float, float]] = []  # each character, where it begins, how far it reaches
    x = y = 0.0
    for code in children(element, "TextCode"):
        words = re.sub(r"[\r\n]", "", code.text or "")
        x, y = _number(code.get("X", ""), x), _number(code.get("Y", ""), y)
        across, down = (_deltas(code.get(name, ""), len(words)) for name in ("DeltaX", "DeltaY"))
        for i, mark in enumerate(words):
            width = size * scale * (1.0 if is_chinese(mark) else LATIN_WIDTH)
            step = across[i] if i < len(across) else width if not down else 0.0
            marks.append((mark, x, y, min(width, abs(step)) if step else width))
            x += step
            y += down[i] if i < len(down) else 0.0
    return [
        _as_fragment(run, size, turn, matrix)
        for run in _runs(marks, size)
        if any(not mark[0].isspace() for mark in run)
    ]


def _runs(marks: list[tuple[str, float, float, float]], size: float) -> Iterator[list[tuple[str, float, float, float]]]:
    """Cut characters into pieces: where the line breaks, turns, or leaves a gap."""
    run: list[tuple[str, float, float, float]] = []
    for mark in marks:
        if run:
            _, x, y, width = run[-1]
            right, below = mark[1] - x, mark[2] - y
            along = -0.5 * size < right - width < BREAK * size and abs(below) < 0.4 * size
            stacked = abs(right) < 0.4 * size and 0.4 * size < below < (1 + BREAK) * size
            went_down = len(run) > 1 and run[1][2] - run[0][2] > 0.4 * size
            if not ((along and not went_down) or (stacked and (went_down or len(run) == 1))):
                yield run
                run = []
        run.append(mark)
    if run:
        yield run


def _as_fragment(run: list[tuple[str, float, float, float]], size: float, turn: float, matrix: Matrix) -> Fragment:
    while run[-1][0].isspace():
        run = run[:-1]
    while run[0][0].isspace():
        run = run[1:]
    down = len(run) > 1 and run[-1][2] - run[0][2] > abs(run[-1][1] - run[0][1])
    left, top = min(mark[1] for mark in run), min(mark[2] for mark in run) - ASCENT * size
    right, bottom = max(mark[1] + mark[3] for mark in run), max(mark[2] for mark in run) + (1 - ASCENT) * size
    length = max(bottom - top if down else right - left, 1e-6)
    chars = []
    for mark, x, y, width in run:
        start = (y - ASCENT * size - top if down else x - left) / length
        chars.append(
            Char(mark, 1.0, min(max(start, 0.0), 1.0), min(max(start + (size if down else width) / length, 0.0), 1.0))
        )
    words = "".join(mark[0] for mark in run)
    corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
    # Letters that lie on their side along a column are a line turned by a quarter, not a column.
    lying = down and round(turn / 90) % 4 == 1
    if lying:
        corners = [corners[1], corners[2], corners[3], corners[0]]
    polygon = Polygon.from_points(_moved(point, matrix) for point in corners)
    return Fragment(polygon, Reading(words, 1.0, tuple(chars), MODEL), down and not lying)


def _deltas(value: str, most: int) -> list[float]:
    """Read the steps between characters: numbers, and `g N V` for N times V."""
    parts = value.split()
    steps: list[float] = []
    i = 0
    while i < len(parts) and len(steps) < most:
        if parts[i] == "g" and i + 2 < len(parts):
            count = int(max(0.0, min(float(most), _number(parts[i + 1], 0.0))))
            steps.extend([_number(parts[i + 2], 0.0)] * count)
            i += 3
        else:
            steps.append(_number(parts[i], 0.0))
            i += 1
    return steps


def _strokes(data: str, matrix: Matrix) -> list[tuple[float, float, float, float]]:
    """Give the straight strokes of a path (GB/T 33190-2016, 9.3.1): none of one that has curves."""
    parts = data.split()
    if any(part in ("Q", "B", "A") for part in parts) or len(parts) > 100:
        return []
    strokes = []
    here = start = (0.0, 0.0)
    i = 0
    while i < len(parts):
        if parts[i] in ("S", "M", "L") and i + 2 < len(parts):
            point = (_number(parts[i + 1], 0.0), _number(parts[i + 2], 0.0))
            if parts[i] == "L":
                strokes.append((*_moved(here, matrix), *_moved(point, matrix)))
            else:
                start = point
            here = point
            i += 3
        elif parts[i] == "C":
            strokes.append((*_moved(here, matrix), *_moved(start, matrix)))
            here = start
            i += 1
        else:
            i += 1
    return strokes


def _placed(element: Element, matrix: Matrix) -> Matrix:
    """Give the way of an object's own space to the page: its CTM, then its boundary's corner, then what is around."""
    left, top = _corner(element)
    own = _numbers(element.get("CTM", ""))
    inner: Matrix = (own[0], own[1], own[2], own[3], own[4], own[5]) if len(own) == 6 else _PLAIN
    return _multiplied(_multiplied(inner, (1, 0, 0, 1, left, top)), matrix)


def _corner(element: Element) -> tuple[float, float]:
    left, top, *_ = [*_numbers(element.get("Boundary", "")), 0.0, 0.0]
    return left, top


def _multiplied(first: Matrix, then: Matrix) -> Matrix:
    a, b, c, d, e, f = first
    p, q, r, s, t, u = then
    return (a * p + b * r, a * q + b * s, c * p + d * r, c * q + d * s, e * p + f * r + t, e * q + f * s + u)


def _moved(point: tuple[float, float], matrix: Matrix) -> tuple[float, float]:
    a, b, c, d, e, f = matrix
    x, y = point
    return a * x + c * y + e, b * x + d * y + f


def _number(value: str, otherwise: float) -> float:
    """Read a number; strange ones become `otherwise`."""
    try:
        number = float(value)
    except ValueError:
        return otherwise
    return number if abs(number) < 1e6 else otherwise


def _numbers(value: str) -> list[float]:
    return [_number(part, 0.0) for part in value.split()[:8]]


def _joined(place: str, location: str) -> str:
    """Give the place of a part, named absolutely or from the folder of the part that names it."""
    location = location.strip().replace("\\", "/")
    folder = "" if location.startswith("/") else posixpath.dirname(place)
    parts: list[str] = []
    for part in chain(folder.split("/"), location.split("/")):
        if part == "..":
            parts[-1:] = []
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)
