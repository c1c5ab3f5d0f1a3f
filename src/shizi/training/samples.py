"""Samples: sample i of run s, whoever makes it: a strip, its label and, when drawn, where its glyphs lie.

Drawn lines and crops of real PDFs are mixed here. Each sample has its own seed made from (run, index), so the
number of workers never changes the data. `python -m shizi.training.samples --show sheet.png` draws a contact
sheet.
"""

import argparse
import hashlib
import json
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import cv2
import numpy as np
import numpy.typing as npt

from shizi.errors import InputError
from shizi.training import corpus, degrade, fonts, labels, render

FALLBACK = "NotoSansCJK-Regular"
STYLE_WEIGHTS = {"song": 4.0, "sans": 3.0, "hei": 2.5, "kai": 2.0, "fang": 1.5, "display": 0.6, "hand": 0.25}
# Of the PDF documents one in so many is held back for validation, chosen by a hash of its name.
HELD_BACK_ONE_IN = 20
# Flaws on crops that are worn already come so much less often.
WORN = 0.25
# Longer crops are rare and cost a batch of their own width.
WIDEST_CROP = 1000
# Full-width marks whose ink fills only the half of their square away from, or next to, the text.
OPENING, CLOSING = "“‘（《【「『〔〖", "”’）》】」』〕〗，。、；：？！"

# Margins added to PDF crops above and below, as shares of their height: the detector's strips are the text's size and
# a quarter to a half more on real pages, about evenly; some tight crops (callers cut their own) stay readable.
MARGINS, UNEVEN, TIGHT_SHARE = (0.06, 0.28), 0.05, 0.15
# So much more of it is above a line than below: medians of 579 regions of real pages 0.22 and 0.19.
LOW = 0.03


@dataclass(frozen=True, slots=True)
class Sample:
    """One line: a grey strip H W, its label and, where known, its characters' spans N 2 in pixels.

    `margins`: whether the strip holds more than the line, as a detector's regions do.
    """

    strip: npt.NDArray[np.uint8]
    text: str
    spans: npt.NDArray[np.float32] | None = None
    margins: bool = True


@dataclass(frozen=True, slots=True)
class Crop:
    """One crop of a real PDF: its picture file's bytes (decoded at each use), label and document.

    `margins`: it was cut as a detector's region, which holds more than the line.
    `worn`: it comes from a page that has its flaws already.
    """

    data: bytes
    text: str
    source: str
    margins: bool = False
    worn: bool = False


def held_back(source: str) -> bool:
    """Tell whether a document belongs to the validation set; depends on its name alone."""
    return int.from_bytes(hashlib.sha256(source.encode()).digest()[:4], "big") % HELD_BACK_ONE_IN == 0


def load_regions(folder: Path) -> list[Crop]:
    """Read the crops that `regions` wrote to `folder`: one `NNN.jsonl` for each `NNN.tar.gz`."""
    crops = []
    for shard in sorted(folder.glob("*.jsonl")):
        pictures = _pictures(shard.with_suffix(".tar.gz"))
        rows = map(json.loads, shard.read_text(encoding="utf-8").splitlines())
        crops += [Crop(pictures[row["file"]], row["text"], row["source"], margins=True, worn=True) for row in rows]
    return crops


def _pictures(shard: Path) -> dict[str, bytes]:
    """Read one archive's picture files by `SHARD/NAME`, as labels name them."""
    pictures = {}
    with tarfile.open(shard) as archive:
        for member in archive:
            stream = archive.extractfile(member)
            if stream is not None:
                pictures[f"{shard.name.split('.')[0]}/{Path(member.name).name}"] = stream.read()
    return pictures


def load_crops(folder: Path) -> tuple[list[Crop], list[Crop]]:
    """Read labelled crops from `folder` (`labels.jsonl`, `*.tar.gz`): those to train on, those held back.

    A label with a character outside the charset takes its line out, never only the character.
    """
    rows = [json.loads(line) for line in (folder / "labels.jsonl").read_text(encoding="utf-8").splitlines()]
    pictures: dict[str, bytes] = {}
    for shard in sorted(folder.glob("*.tar.gz")):
        pictures.update(_pictures(shard))
    known = labels.charset()
    train: list[Crop] = []
    held: list[Crop] = []
    for row in rows:
        text = labels.clean(row["text"])
        if text and row["file"] in pictures and all(character in known for character in text):
            crop = Crop(pictures[row["file"]], text, row["source"])
            (held if held_back(row["source"]) else train).append(crop)
    return train, held


def load_folder(folder: Path) -> list[Crop]:
    """Read a folder of crops with a `labels.tsv`: file name, tab, text, one a line.

    A second tab and `region` mark a crop with a detector's margins. Raises InputError for a missing picture, a line
    without a tab, or a character that the charset lacks.
    """
    crops = []
    for number, row in enumerate((folder / "labels.tsv").read_text(encoding="utf-8").splitlines(), 1):
        name, tab, rest = row.partition("\t")
        text, _, kind = rest.partition("\t")
        text = labels.clean(text)
        unknown = [character for character in text if character not in labels.charset()]
        if not tab or not text or unknown or kind not in ("", "region") or not (folder / name).is_file():
            raise InputError(
                f"labels.tsv line {number} is not usable: expected `file<tab>text`, or `file<tab>text<tab>region`, the "
                f"file beside it, and characters of the charset (unknown here: {' '.join(unknown) or 'none'})."
            )
        crops.append(Crop((folder / name).read_bytes(), text, name, kind == "region"))
    return crops


def decode(crop: Crop) -> npt.NDArray[np.uint8]:
    """Decode a crop to grey, H W."""
    return np.asarray(cv2.imdecode(np.frombuffer(crop.data, np.uint8), cv2.IMREAD_GRAYSCALE), np.uint8)


class Maker:
    """Makes samples from faces and crops; one for each process, nothing changes but its glyph cache."""

    def __init__(
        self,
        faces: Sequence[fonts.Face],
        crops: Sequence[Crop],
        held_out: bool = False,
        regions: Sequence[Crop] = (),
        region_share: float = 0.0,
    ) -> None:
        by_name = {face.name: face for face in faces}
        self._held_out = held_out
        chosen = [face for face in faces if face.held_out == held_out and face.style != "latin"]
        self._chinese = chosen
        self._weights = [STYLE_WEIGHTS[face.style] for face in chosen]
        self._latin = [face for face in faces if face.style == "latin"]
        self._pen = render.Pen(list(faces), by_name.get(FALLBACK, faces[0]))
        self._crops = list(crops)
        self._regions, self._region_share = list(regions), region_share if regions else 0.0
        self._texts = [crop.text for crop in self._crops]
        self._even = [crop for crop in self._crops if evenly_set(crop.text)]

    def make(self, run: int, index: int, crop_share: float, strength: float = 1.0, placed: bool = False) -> Sample:
        """Make sample `index` of run `run`: a crop with likelihood `crop_share`, else a drawn line.

        With `placed`, only crops are taken whose glyph places can be told.
        """
        random = Random(run * 1_000_003 + index)
        if self._region_share and not placed and random.random() < self._region_share:
            return self.crop(random.choice(self._regions), random, strength)
        crops = self._even if placed else self._crops
        if crops and random.random() < crop_share:
            return self.crop(random.choice(crops), random, strength)
        return self._drawn(random, strength)

    def _drawn(self, random: Random, strength: float) -> Sample:
        text = corpus.line(random, self._texts)
        face = random.choices(self._chinese, self._weights)[0]
        latin = random.choice(self._latin) if self._latin and random.random() < 0.65 else face
        drawn = self._pen.draw(text, face, latin, render.draw_look(random))
        ink, spans = drawn.ink, drawn.spans
        # Not on faces held out: they stand for those that nobody has, which this is to make up for.
        if not self._held_out and random.random() < 0.25 * strength:
            ink = degrade.weight(ink, random)
        if random.random() < 0.3 * strength:
            ink, moved = degrade.warp(ink, spans, random, 0)
            spans = spans if moved is None else moved
        strip = degrade.paper(ink, random)
        if random.random() < 0.5 * strength:
            high = strip.shape[0]
            strip = _shrink(strip, random)
            spans = spans * (strip.shape[0] / high)
        return Sample(degrade.spoil(strip, random, strength), drawn.text, spans)

    def crop(self, crop: Crop, random: Random, strength: float) -> Sample:
        """Spoil one crop: margins, geometry, tone, then flaws as often as `strength` says."""
        strip = decode(crop)
        widened = random.random() < 0.9
        if crop.margins:
            strip, widened = _shifted(strip, random), True
        elif widened:
            strip = _margins(strip, random)
        strength *= WORN if crop.worn else 1.0
        if not crop.worn and random.random() < 0.5 * strength:
            strip = _shrink(strip, random)
        spans = even_spans(strip, crop.text) if evenly_set(crop.text) else None
        if random.random() < 0.25 * strength:
            strip, spans = degrade.warp(strip, spans, random, int(np.median(strip)))
        strip = _tone(strip, random)
        return Sample(degrade.spoil(strip, random, strength), crop.text, spans, widened)


def evenly_set(text: str) -> bool:
    """Tell whether every character stands in a square of its own: then places follow from the width."""
    squares = all(character > "\u2e7f" or character in "“”‘’…—" for character in text)
    return squares and "——" not in text


def even_spans(strip: npt.NDArray[np.uint8], text: str) -> npt.NDArray[np.float32] | None:
    """Give the squares of an evenly set line's characters, N 2, from its ink's ends; None without ink."""
    paper = float(np.median(strip))
    columns = np.flatnonzero((np.abs(strip.astype(np.int16) - paper) > 60).any(0))
    if len(columns) == 0:
        return None
    before = 0.5 if text[0] in OPENING else 0.05
    after = 0.6 if text[-1] in CLOSING else 0.05
    em = (columns[-1] + 1 - columns[0]) / max(0.4, len(text) - before - after)
    starts = columns[0] - before * em + em * np.arange(len(text))
    return np.stack([starts, starts + em], 1).astype(np.float32)


def _shrink(strip: npt.NDArray[np.uint8], random: Random) -> npt.NDArray[np.uint8]:
    """Show the line as small as on real pages, 14 to 32 pixels high: enlarged again it is soft."""
    height = min(random.randint(14, 32), strip.shape[0])
    width = max(1, round(strip.shape[1] * height / strip.shape[0]))
    return np.asarray(cv2.resize(strip, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _margins(strip: npt.NDArray[np.uint8], random: Random) -> npt.NDArray[np.uint8]:
    """Widen the crop's margins with its paper's grey, as detectors cut it; or trim a pixel or two."""
    height = strip.shape[0]
    margin = random.uniform(0, MARGINS[0]) if random.random() < TIGHT_SHARE else random.uniform(*MARGINS)
    top, bottom = (round(height * (margin + shift + random.uniform(-UNEVEN, UNEVEN))) for shift in (LOW, -LOW))
    left, right = (random.randint(0, round(height * 0.25)) for _ in range(2))
    return _framed(strip, top, bottom, left, right)


def _shifted(strip: npt.NDArray[np.uint8], random: Random) -> npt.NDArray[np.uint8]:
    """Move the edges of a region a little, as no detector cuts the same line twice alike."""
    reach = round(strip.shape[0] * UNEVEN)
    return _framed(
        strip, *(random.randint(-reach, reach) for _ in range(2)), *(random.randint(0, reach) for _ in range(2))
    )


def _framed(strip: npt.NDArray[np.uint8], top: int, bottom: int, left: int, right: int) -> npt.NDArray[np.uint8]:
    """Add rows and columns of the paper's grey; negative rows are cut off."""
    strip = strip[max(0, -top) : strip.shape[0] - max(0, -bottom)]
    paper = int(np.median(strip[:, :2]))
    return np.asarray(
        cv2.copyMakeBorder(strip, max(0, top), max(0, bottom), left, right, cv2.BORDER_CONSTANT, value=paper),
        np.uint8,
    )


def _tone(strip: npt.NDArray[np.uint8], random: Random) -> npt.NDArray[np.uint8]:
    """Change paper and ink: inverse now and then, less contrast, another brightness."""
    kind = random.random()
    if kind < 0.5:
        return strip
    if kind < 0.58:
        return np.asarray(255 - strip, np.uint8)
    low = random.uniform(0, 110)
    gain = random.uniform(0.35, 1.0) * (255 - low) / 255
    return np.asarray(np.clip(strip * gain + low, 0, 255), np.uint8)


def sheet(samples: Sequence[Sample], columns: int = 3, width: int = 460, height: int = 40) -> npt.NDArray[np.uint8]:
    """Draw a contact sheet: each strip in its cell, with the spans' middles marked below it."""
    rows = -(-len(samples) // columns)
    page = np.full((rows * (height + 8), columns * (width + 8)), 200, np.uint8)
    for place, sample in enumerate(samples):
        scale = min(height / sample.strip.shape[0], width / sample.strip.shape[1])
        strip = cv2.resize(sample.strip, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        y, x = place // columns * (height + 8), place % columns * (width + 8)
        page[y : y + strip.shape[0], x : x + strip.shape[1]] = strip
        for start, end in sample.spans if sample.spans is not None else ():
            page[y + height + 1 : y + height + 5, x + round(float(start + end) / 2 * scale)] = 0
    return page


def main() -> None:
    """Draw a contact sheet of the samples a run would see."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--show", type=Path, required=True, help="PNG to write")
    parser.add_argument("--fonts", type=Path, default=Path("fonts"))
    parser.add_argument("--lines", type=Path, help="folder of PDF crops")
    parser.add_argument("--run", type=int, default=1)
    parser.add_argument("--count", type=int, default=72)
    parser.add_argument("--crop-share", type=float, default=0.35)
    arguments = parser.parse_args()
    crops = load_crops(arguments.lines)[0] if arguments.lines else []
    maker = Maker(fonts.load(arguments.fonts), crops)
    made = [maker.make(arguments.run, index, arguments.crop_share) for index in range(arguments.count)]
    cv2.imwrite(str(arguments.show), sheet(made))
    for sample in made:
        print(sample.text)


if __name__ == "__main__":
    main()
