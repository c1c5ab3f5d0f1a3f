"""Reader: the one path from bytes to a document, through all stages. The product; every door opens onto it.

Takes bytes, a path or pixels and `ReadOptions`, gives a `Document`. Knows nothing of HTTP or the command line.
"""

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median

import cv2
import numpy as np

from shizi import einvoice
from shizi.adopt import adopt
from shizi.cascade import Cascade
from shizi.constrained import pattern
from shizi.corrections import Given, Strip
from shizi.crop import Region, cut, rule_between
from shizi.detect import Detector
from shizi.document import Block, Document, Line, Page, PageImage, PageText, Table
from shizi.enhance import prepare, to_rgb
from shizi.errors import InputError, OptionsError, UnsupportedFormat
from shizi.fields import Finder, Sight
from shizi.fields.template import load
from shizi.geometry import Polygon
from shizi.layout import Fragment, arrange, name_blocks, set_beside, with_detail, without_tables
from shizi.line_image import Pixels
from shizi.machine import give_memory_back, keep_large_blocks_apart
from shizi.options import Detail, Mode, ReadOptions
from shizi.orientation import ReadRegion, on_its_head, page_turn, read_regions, sureness, turn_page
from shizi.pages import Limits, Pages, format_of, open_pages, page_count
from shizi.recognise import ConstrainedRecogniser, ReadsLines, Recogniser
from shizi.seals import Seal, find_seals, is_seal_text, without_seals
from shizi.stopwatch import Stopwatch
from shizi.strips import strip_of
from shizi.tables import Rule, cut_apart, find_rules
from shizi.tables import find as find_tables
from shizi.text_layer import doubtful_fonts
from shizi.versions import SHIPPED, in_force, weights_of
from shizi.weights import Weights, cpu_quota, find, has

log = logging.getLogger(__name__)

Input = bytes | str | os.PathLike[str] | Pixels

# Readings with a lower mean chance a character are taken for no text (RapidOCR's `text_score`, the same value).
LEGIBLE = 0.5
# Lines (margins included) lower than this are told: Chinese characters of 10 pixels and less lose strokes. At half
# size, where its lines are 10 high, the development set reads with ten times the errors.
SMALL_LINE = 14.0

SLANT = 3.0  # degrees off the axes, from which a file's text is a watermark or part of a drawing


class Reader:
    """Everything loaded that turns pictures into text. One reader serves many threads."""

    def __init__(
        self,
        threads: int | None = None,
        limits: Limits | None = None,
        templates: Path | None = None,
        recogniser: Path | None = None,
        models: Path | None = None,
        version: str = "",
    ) -> None:
        """Load the models on `threads` CPU threads (default: what the process may use).

        `templates`: the folder of the templates that readings may name. `recogniser`: an ONNX file of others, which
        then reads wherever the strong recogniser would. `models`: the folder of promoted models, and `version` one of
        them (default: the one in force now); without it the shipped ones are read with.
        Raises WeightsError when a model file is missing or unusable.
        """
        keep_large_blocks_apart()
        threads = threads or cpu_quota()
        self._limits = limits or Limits()
        self._templates = templates
        self._detector = Detector(find("detector"), threads)
        strong = Recogniser(_of_others(recogniser, threads) if recogniser else find("strong"), threads)
        version = version or in_force(models)
        own = version != SHIPPED or has("crnn")
        first = Recogniser(weights_of(models, version), threads) if own else None
        self._readers: dict[Mode, ReadsLines] = {"accurate": strong, "auto": strong}
        self._charset = strong.charset
        if first is not None:
            self._readers["fast"] = first
            if first.doubt is not None and recogniser is None:  # how a model of others would do was not measured
                curves = first.cascade_calibration
                self._readers["fast"] = Cascade(first, strong, first.doubt.fast, curves.fast)
                if first.doubt.auto < 1:  # what doubts everything is the strong model alone
                    self._readers["auto"] = Cascade(first, strong, first.doubt.auto, curves.auto)
        self._strong, self._first = strong, first
        recognisers = [first, strong] if first else [strong]
        self.weights = (self._detector.weights.label, *(model.weights.label for model in recognisers))

    def read(
        self,
        data: Input,
        options: ReadOptions | None = None,
        on_page: Callable[[int, int], None] | None = None,
    ) -> Document:
        """Read a picture or a document: its bytes, the path of its file, or pixels (H W 3 uint8 RGB, or H W grey).

        `on_page` is told how many pages are read, and of how many, before the first and after each; what it raises
        ends the reading. Raises InputError for what cannot be read, OptionsError for what cannot be had.
        """
        options, content = options or ReadOptions(), content_of(data)
        source, pages = self._opened(content, options)
        finder = self._finder(content, options)
        counted = pages if on_page is None else _counted(pages, on_page)
        watch = Stopwatch()
        read = tuple(self._pages(counted, options, watch, finder))
        fields, verdict = finder.result() if finder else ((), None)
        forms = finder.forms if finder else ()
        return Document(read, source, self.weights, fields, verdict, watch.milliseconds, forms)

    def pages(self, data: Input, options: ReadOptions | None = None) -> Iterator[Page]:
        """Read page by page: each is read when it is asked for, and none is kept. Raises what `read` raises.

        What is found out over several pages (fields, the verdict) is `read`'s alone.
        """
        options = options or ReadOptions()
        return self._pages(self._opened(content_of(data), options)[1], options, Stopwatch())

    def count(self, data: bytes, options: ReadOptions) -> int:
        """Tell how many pages a file has, up to the limit, without reading them. Raises what `read` raises at once."""
        return min(page_count(data, self._limits, options), self._limits.frames)

    def first_model(self, mode: Mode) -> str | None:
        """Name what reads every line in a mode in which another one may read it again; None in the other modes."""
        return self._first.weights.name if self._first and isinstance(self._readers.get(mode), Cascade) else None

    def corrected(self, data: bytes, given: Given) -> Strip:
        """Cut out a line that someone put right, to be learned from. Raises what `strip_of` does."""
        model = self._first or self._strong
        return strip_of(data, given, self._limits, model.charset, model.form)

    def _opened(self, content: bytes | Pixels, options: ReadOptions) -> tuple[str, Pages]:
        """Open the input: the format it came in, and its pages, to be decoded one at a time."""
        if options.mode not in self._readers:
            raise OptionsError("Mode 'fast' needs the small recogniser, which this installation does not carry.")
        if options.pattern:
            pattern(options.pattern)  # refused before anything is read
        if isinstance(content, np.ndarray):
            return "pixels", Pages(1, iter([PageImage(_rgb(content))]))
        return format_of(content), open_pages(content, self._limits, options)

    def warm(self) -> None:
        """Read one small blank page with a mark on it, so that the first real one finds everything allocated."""
        page = np.full((64, 256, 3), 255, np.uint8)
        cv2.putText(page, "warm", (20, 44), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (0, 0, 0), 2)
        self.read(page)

    def _pages(
        self,
        images: Iterable[PageImage | PageText],
        options: ReadOptions,
        watch: Stopwatch,
        finder: Finder | None = None,
    ) -> Iterator[Page]:
        judged: dict[str, bool] = {}  # fonts of this document
        for image in images:
            give_memory_back()
            watch.lap("decode")
            if isinstance(image, PageText):
                yield self._text_page(image, options, judged, watch, finder)
            else:
                yield self._page(image, options, watch, finder)

    def _page(self, image: PageImage, options: ReadOptions, watch: Stopwatch, finder: Finder | None = None) -> Page:
        pixels, reader = prepare(image.pixels, options.enhance), self._readers[options.mode]
        watch.lap("enhance")
        search = options.orientation == "auto"
        regions, rotation = self._detector.find(pixels), 0
        watch.lap("detect")
        if search and (quarters := page_turn(pixels, regions, reader)):
            size, pixels, rotation = pixels.shape[1::-1], turn_page(pixels, quarters), 90 * quarters
            regions = [region.turned(quarters, *size).upright() for region in regions]
        watch.lap("orientation")
        tabled, seals = options.tables != "none", find_seals(pixels)
        watch.lap("layout")
        if tabled:  # cells are cut apart before reading, which takes rules for letters
            rules = find_rules(without_seals(pixels, seals), [_polygon(region) for region in regions])
            regions = cut_apart(regions, rules)
            watch.lap("tables")
        found = read_regions(pixels, regions, reader, search, self._first)
        watch.lap("recognise")
        if on_its_head(found):
            size, pixels, rotation = pixels.shape[1::-1], turn_page(pixels, 2), (rotation + 180) % 360
            found, seals = [replace(item, region=item.region.turned(2, *size)) for item in found], find_seals(pixels)
            cleared = without_seals(pixels, seals) if tabled else pixels
            rules = find_rules(cleared, [_polygon(item.region) for item in found]) if tabled else []
        if options.pattern:
            found = self._constrained(pixels, found, options.pattern)
        detail = "character" if tabled or finder else options.detail
        fragments, stamped = _sealed(
            [_fragment(item) for item in found if sureness(item.reading) >= LEGIBLE], pixels, seals
        )
        lines, blocks = arrange(fragments, partial(_ruled, pixels), detail)
        watch.lap("layout")
        warnings = image.warnings + tuple(_noticed(rotation, lines, image.warnings))
        height, width = pixels.shape[:2]
        tables = find_tables(lines, rules) if tabled else ()
        lines, blocks = _with_seals(lines, name_blocks(lines, blocks, height), stamped, detail)
        page = Page(image.number, width, height, image.dpi, rotation, lines, blocks, tables, warnings)
        if tabled:
            watch.lap("tables")
        return self._looked_at(page, options, watch, finder, lambda: self._sight(pixels, options.mode))

    def _looked_at(
        self,
        page: Page,
        options: ReadOptions,
        watch: Stopwatch,
        finder: Finder | None,
        sight: Callable[[], Sight | None],
    ) -> Page:
        """Let fields look at a page, then take off what was needed for that and not asked for."""
        if finder is not None:
            finder.look(page, sight())
            watch.lap("fields")
        if options.tables == "skip":
            page = without_tables(page)
        return replace(page, lines=tuple(with_detail(line, options.detail) for line in page.lines))

    def _constrained(self, pixels: Pixels, found: list[ReadRegion], text: str) -> list[ReadRegion]:
        """Read every line again within a pattern; upright columns, which a pattern does not fit, go."""
        reader = ConstrainedRecogniser(self._strong, pattern(text))
        lines = [item for item in found if not item.vertical]
        readings = reader.read([cut(pixels, item.region) for item in lines])
        return [replace(item, reading=reading) for item, reading in zip(lines, readings, strict=True)]

    def _finder(self, content: bytes | Pixels, options: ReadOptions) -> Finder | None:
        """Make what looks for fields, if any are asked for. Raises OptionsError for a template that is not there."""
        if options.template:
            return Finder(load(self._templates, options.template))
        if options.fields != "auto":
            return None
        stated = einvoice.of(content, options.password) if isinstance(content, bytes) else None
        return Finder(stated=(stated.fields, stated.items) if stated else None)

    def _sight(self, pixels: Pixels, mode: Mode) -> Sight:
        """Let fields look again: what is to be believed must have been read the same by both recognisers."""
        both = (self._first, self._strong)
        others = [other for other in both if other is not None and other is not self._readers[mode]]
        return Sight(pixels, self._strong, *others)

    def _text_page(
        self,
        page: PageText,
        options: ReadOptions,
        judged: dict[str, bool],
        watch: Stopwatch,
        finder: Finder | None,
    ) -> Page:
        """Take a page's own text, and read from pixels what stands there beside it."""
        fragments, warnings, found = list(page.fragments), page.warnings, []
        rest: Pixels | None = None
        stamped: list[tuple[Seal, list[Fragment]]] = []
        if options.pdf != "text":
            reader = self._readers[options.mode]
            doubtful = doubtful_fonts(page, reader, self._charset, judged)
            fragments = [fragment for fragment in fragments if not fragment.fonts & doubtful]
            if doubtful:
                warnings += (
                    "text_layer_doubtful: Fonts show other characters than the file says; their lines were read.",
                )
            if not fragments:
                return self._page(PageImage(page.pixels, page.number, page.dpi, warnings), options, watch, finder)
            watch.lap("text_layer")
            rest = page.rest(doubtful)
            if rest is not None:
                search = options.orientation == "auto"
                regions = read_regions(rest, self._detector.find(rest), reader, search, self._first)
                found = [_fragment(item) for item in regions if sureness(item.reading) >= LEGIBLE]
                found, stamped = _sealed(found, rest, find_seals(rest))

        def parted(left: Polygon, right: Polygon) -> bool:
            return _parted(page.rules, left, right) or (rest is not None and _ruled(rest, left, right))

        detail = "character" if finder or options.tables != "none" else options.detail
        level = [fragment for fragment in fragments if not _is_slanted(fragment)]
        lines, blocks = arrange([*level, *found], parted, detail)
        # A watermark's box spans the page and would tie all that it crosses together: it comes after.
        for fragment in fragments:
            if _is_slanted(fragment):
                lines, blocks = set_beside(lines, blocks, [fragment], detail)
        blocks = name_blocks(lines, blocks, page.height)
        tables: tuple[Table, ...] = ()
        watch.lap("layout")
        if options.tables != "none":
            tables = find_tables(lines, _rules(page, lines))
            watch.lap("tables")
        lines, blocks = _with_seals(lines, blocks, stamped, detail)
        source = "ocr" if found or stamped else "text"
        size = page.width, page.height
        made = Page(page.number, *size, page.dpi, page.rotation, lines, blocks, tables, warnings, source)

        def sight() -> Sight | None:
            return self._sight(page.pixels, options.mode) if page.drawn else None

        return self._looked_at(made, options, watch, finder, sight)


def _of_others(path: Path, threads: int) -> Weights:
    """Take a recogniser of others; one that reads a drawn line badly is told of, it may be meant for something else."""
    adopted = adopt(path, threads)
    if adopted.trial.doubtful:
        log.warning("%s", adopted.advice)
    return adopted.weights


def _rules(page: PageText, lines: Sequence[Line]) -> list[Rule]:
    """Find the rules of a page whose text its file holds; none where it cannot be drawn."""
    if not page.drawn:
        return []
    return find_rules(without_seals(page.pixels, find_seals(page.pixels)), [line.polygon for line in lines])


def _sealed(
    fragments: Sequence[Fragment], pixels: Pixels, seals: Sequence[Seal]
) -> tuple[list[Fragment], list[tuple[Seal, list[Fragment]]]]:
    """Tell the text of seals from the page's own: gives that, and each seal with its own."""
    own = [
        next((i for i, seal in enumerate(seals) if is_seal_text(pixels, fragment.polygon, seal)), None)
        for fragment in fragments
    ]
    rest = [fragment for fragment, seal in zip(fragments, own, strict=True) if seal is None]
    return rest, [(seal, [f for f, n in zip(fragments, own, strict=True) if n == i]) for i, seal in enumerate(seals)]


def _with_seals(
    lines: tuple[Line, ...], blocks: tuple[Block, ...], stamped: Sequence[tuple[Seal, list[Fragment]]], detail: Detail
) -> tuple[tuple[Line, ...], tuple[Block, ...]]:
    """Put the seals of a page after its text, a block each, those too whose text could not be read."""
    for seal, fragments in stamped:
        lines, blocks = set_beside(lines, blocks, fragments, detail, "seal", seal.polygon)
    return lines, blocks


def _counted(pages: Pages, on_page: Callable[[int, int], None]) -> Iterator[PageImage | PageText]:
    on_page(0, pages.count)
    for done, page in enumerate(pages, start=1):
        yield page
        on_page(done, pages.count)


def _fragment(item: ReadRegion) -> Fragment:
    return Fragment(_polygon(item.region), item.reading, item.vertical)


def _polygon(region: Region) -> Polygon:
    return Polygon.from_points(region.corners.tolist())


def _is_slanted(fragment: Fragment) -> bool:
    return abs((fragment.polygon.angle + 45) % 90 - 45) > SLANT


def _noticed(rotation: int, lines: Sequence[Line], known: Sequence[str]) -> Iterator[str]:
    """Tell what reading noticed of a page: that it was turned, that its text is small."""
    if rotation:
        yield f"page_turned: turned {rotation} degrees clockwise to stand upright"
    heights = [min(line.polygon.width, line.polygon.height) for line in lines]
    if heights and median(heights) < SMALL_LINE and not any(warning.startswith("low_resolution") for warning in known):
        yield (
            f"low_resolution: half of the lines are under {median(heights):.0f} pixels high; "
            "a scan at 300 DPI or a larger picture reads better"
        )


def content_of(data: Input) -> bytes | Pixels:
    """Give the bytes of a file by its path; bytes and pixels as they are. Raises InputError for no such file."""
    if isinstance(data, (bytes, np.ndarray)):
        return data
    path = Path(data)
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a name with a zero byte
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{path} cannot be opened ({reason}); expected the file of a picture.") from error


def _ruled(pixels: Pixels, left: Polygon, right: Polygon) -> bool:
    return rule_between(pixels, np.array(left.corners, np.float32), np.array(right.corners, np.float32))


def _parted(rules: Sequence[tuple[float, float, float]], left: Polygon, right: Polygon) -> bool:
    """Say whether one of a page's upright rules (x, top, bottom) stands between two neighbours."""
    middle = (left.centre[1] + right.centre[1]) / 2
    start, end = left.bounds[2] - 2, right.bounds[0] + 2
    return any(start <= x <= end and top <= middle <= bottom for x, top, bottom in rules)


def _rgb(pixels: Pixels) -> Pixels:
    """Take H W or H W 3 uint8 pixels as a page. Raises UnsupportedFormat for any other array."""
    if pixels.dtype != np.uint8 or pixels.size == 0 or not (pixels.ndim == 2 or pixels.shape[2:] == (3,)):
        raise UnsupportedFormat(
            f"The array has shape {pixels.shape} and type {pixels.dtype}; expected H W or H W 3 of uint8, RGB."
        )
    return to_rgb(pixels) if pixels.ndim == 2 else pixels
