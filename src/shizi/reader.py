"""Reader: the one path from bytes to a document, through all stages. The product; every door opens onto it.

Takes bytes, a path or pixels and `ReadOptions`, gives a `Document`. Knows nothing of HTTP or the command line.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median

import cv2
import numpy as np

from shizi.cascade import Cascade
from shizi.crop import Region, rule_between
from shizi.detect import Detector
from shizi.document import Document, Line, Page, PageImage, Table
from shizi.enhance import prepare, to_rgb
from shizi.errors import InputError, OptionsError, UnsupportedFormat
from shizi.geometry import Polygon
from shizi.layout import Fragment, arrange, name_blocks, with_detail
from shizi.line_image import Pixels
from shizi.options import Mode, ReadOptions
from shizi.orientation import ReadRegion, on_its_head, page_turn, read_regions, sureness, turn_page
from shizi.pages import Limits, format_of, open_pages
from shizi.recognise import ReadsLines, Recogniser
from shizi.tables import cut_apart, find_rules
from shizi.tables import find as find_tables
from shizi.weights import cpu_quota, find, has

# Readings with a lower mean chance a character are taken for no text (RapidOCR's `text_score`, the same value).
LEGIBLE = 0.5
# Lines (margins included) lower than this are told: Chinese characters of 10 pixels and less lose strokes. At half
# size, where its lines are 10 high, the development set reads with ten times the errors.
SMALL_LINE = 14.0


class Reader:
    """Everything loaded that turns pictures into text. One reader serves many threads."""

    def __init__(self, threads: int | None = None, limits: Limits | None = None) -> None:
        """Load the models on `threads` CPU threads (default: what the process may use).

        Raises WeightsError when a model file is missing or unusable.
        """
        threads = threads or cpu_quota()
        self._limits = limits or Limits()
        self._detector = Detector(find("detector"), threads)
        strong = Recogniser(find("strong"), threads)
        first = Recogniser(find("crnn"), threads) if has("crnn") else None
        self._readers: dict[Mode, ReadsLines] = {"accurate": strong, "auto": strong}
        self.first_model = strong.weights.name  # what reads every line in mode auto
        if first is not None:
            self._readers["fast"] = first
            if first.doubt is not None:
                self._readers["auto"] = Cascade(first, strong, first.doubt)
                self.first_model = first.weights.name
        recognisers = [first, strong] if first else [strong]
        self.weights = (self._detector.weights.label, *(model.weights.label for model in recognisers))

    def read(self, data: bytes | str | os.PathLike[str] | Pixels, options: ReadOptions | None = None) -> Document:
        """Read a picture: its bytes, the path of its file, or pixels (H W 3 uint8 RGB, or H W grey).

        Raises InputError for what cannot be read, OptionsError for what cannot be had.
        """
        options = options or ReadOptions()
        if options.mode not in self._readers:
            raise OptionsError("Mode 'fast' needs the small recogniser, which this installation does not carry.")
        if isinstance(data, np.ndarray):
            return self._document([PageImage(_rgb(data))], "pixels", options)
        content = data if isinstance(data, bytes) else _content(Path(data))
        return self._document(open_pages(content, self._limits), format_of(content), options)

    def warm(self) -> None:
        """Read one small blank page with a mark on it, so that the first real one finds everything allocated."""
        page = np.full((64, 256, 3), 255, np.uint8)
        cv2.putText(page, "warm", (20, 44), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (0, 0, 0), 2)
        self.read(page)

    def _document(self, images: Iterable[PageImage], source: str, options: ReadOptions) -> Document:
        return Document(tuple(self._page(image, options) for image in images), source, self.weights)

    def _page(self, image: PageImage, options: ReadOptions) -> Page:
        pixels, reader = prepare(image.pixels, options.enhance), self._readers[options.mode]
        search = options.orientation == "auto"
        regions, rotation = self._detector.find(pixels), 0
        if search and (quarters := page_turn(pixels, regions, reader)):
            size, pixels, rotation = pixels.shape[1::-1], turn_page(pixels, quarters), 90 * quarters
            regions = [region.turned(quarters, *size).upright() for region in regions]
        if tabled := options.tables == "auto":  # cells are cut apart before reading, which takes rules for letters
            rules = find_rules(pixels, [_polygon(region) for region in regions])
            regions = cut_apart(regions, rules)
        found = read_regions(pixels, regions, reader, search)
        if on_its_head(found):
            size, pixels, rotation = pixels.shape[1::-1], turn_page(pixels, 2), (rotation + 180) % 360
            found = [replace(item, region=item.region.turned(2, *size)) for item in found]
            rules = find_rules(pixels, [_polygon(item.region) for item in found]) if tabled else []
        fragments = [_fragment(item) for item in found if sureness(item.reading) >= LEGIBLE]
        lines, blocks = arrange(fragments, partial(_ruled, pixels), "character" if tabled else options.detail)
        tables: tuple[Table, ...] = ()
        if tabled:
            tables = find_tables(lines, rules)
            lines = tuple(with_detail(line, options.detail) for line in lines)
        warnings = image.warnings + tuple(_noticed(rotation, lines, image.warnings))
        height, width = pixels.shape[:2]
        blocks = name_blocks(lines, blocks, height)
        return Page(image.number, width, height, image.dpi, rotation, lines, blocks, tables, warnings)


def _fragment(item: ReadRegion) -> Fragment:
    return Fragment(_polygon(item.region), item.reading, item.vertical)


def _polygon(region: Region) -> Polygon:
    return Polygon.from_points(region.corners.tolist())


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


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a name with a zero byte
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{path} cannot be opened ({reason}); expected the file of a picture.") from error


def _ruled(pixels: Pixels, left: Polygon, right: Polygon) -> bool:
    return rule_between(pixels, np.array(left.corners, np.float32), np.array(right.corners, np.float32))


def _rgb(pixels: Pixels) -> Pixels:
    """Take H W or H W 3 uint8 pixels as a page. Raises UnsupportedFormat for any other array."""
    if pixels.dtype != np.uint8 or pixels.size == 0 or not (pixels.ndim == 2 or pixels.shape[2:] == (3,)):
        raise UnsupportedFormat(
            f"The array has shape {pixels.shape} and type {pixels.dtype}; expected H W or H W 3 of uint8, RGB."
        )
    return to_rgb(pixels) if pixels.ndim == 2 else pixels
