"""Regions: lines cut out of drawn pages by the shipped detector, as the recogniser meets them in use.

`python -m shizi.training.regions --to FOLDER --count 60000` draws pages (`sheets`), lets the detector find their lines,
labels each region by the pieces that lie in it, and writes shards: crops `NNN.tar.gz`, labels `NNN.jsonl`. Regions that
cut a piece in two, or hold two rows, teach nothing and are left out. Page i of a run is the same on every machine with
the same fonts, crops and detector. Goes on where it stopped.

`--easy 0.2` lets the shipped recogniser read every region first and keeps a fifth of those it reads right and surely:
what is trained on is then mostly what is still wrong (Jiang et al., "Accelerating deep learning by focusing on the
biggest losers", 2019, do so by loss). What it reads as something else altogether is more often labelled wrong than
hard, and is left out.
"""

import argparse
import io
import json
import tarfile
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from random import Random

import cv2
import numpy as np

from shizi.charset import is_chinese
from shizi.crop import Region, cut
from shizi.detect import Detector
from shizi.evaluation import edit_distance, normalise
from shizi.recognise import Recogniser
from shizi.training import fonts, labels, samples, sheets
from shizi.training.sheets import Grey, Piece
from shizi.weights import find

SHARD = 2000
HIGHEST = 48  # the line is shown 32 pixels high; more is not kept
# A piece counts as in a region when so much of its height is, and as out of it when no more than that is.
MOSTLY, BARELY = 0.7, 0.35
# A gap between pieces of so many text heights is a space, where one can be written; under the first it is none.
CLOSE, SPACED = 0.12, 0.3
OVERHANG = 0.25  # text heights by which a piece may stick out of its region
# Read surely: every character with so much of a chance. Another text: so many edits by character of the label.
SURE, OTHER = 0.9, 0.5


def label_of(region: Region, pieces: Sequence[Piece]) -> str:
    """Tell what a region says by the pieces in it; nothing where it cuts a piece or holds more than one row."""
    frame = np.array([[0, 0], [region.width, 0], [0, region.height]], np.float32)
    turn = cv2.getAffineTransform(region.corners[[0, 1, 3]].astype(np.float32), frame)
    inside: list[tuple[float, float, float, str]] = []
    for piece in pieces:
        points = piece.corners @ turn[:, :2].T + turn[:, 2]
        left, right = float(points[[0, 3], 0].mean()), float(points[[1, 2], 0].mean())
        top, bottom = float(points[[0, 1], 1].mean()), float(points[[2, 3], 1].mean())
        high = max(1.0, bottom - top)
        seen = (min(bottom, region.height) - max(top, 0.0)) / high
        if right <= 0 or left >= region.width or seen <= BARELY:
            continue
        reach = OVERHANG * high
        if seen < MOSTLY or left < -reach or right > region.width + reach or high < 0.3 * region.height:
            return ""
        inside.append((left, right, high, piece.text))
    inside.sort()
    text = inside[0][3] if inside else ""
    for (_, end, high, before), (start, _, _, after) in pairwise(inside):
        if start < end - 0.3 * high:
            return ""
        gap, written = (start - end) / high, not (is_chinese(before[-1]) and is_chinese(after[0]))
        if written and CLOSE < gap <= SPACED:  # nobody can tell
            return ""
        text += (" " if written and gap > SPACED else "") + after
    return labels.clean(text)


def crops_of(pixels: Grey, pieces: Sequence[Piece], detector: Detector) -> list[tuple[Grey, str]]:
    """Cut the lines the detector finds out of a page (H W): each strip (h w) and its label."""
    page = np.repeat(pixels[:, :, None], 3, axis=2)
    found = []
    for region in detector.find(page):
        text = "" if region.is_tall else label_of(region, pieces)
        if text and all(character in labels.charset() for character in text):
            strip = np.ascontiguousarray(cut(page, region)[:, :, 0])
            if strip.shape[0] > HIGHEST:
                size = max(1, round(strip.shape[1] * HIGHEST / strip.shape[0])), HIGHEST
                strip = np.asarray(cv2.resize(strip, size, interpolation=cv2.INTER_AREA), np.uint8)
            found.append((strip, text))
    return found


class Choice:
    """Which regions are worth training on: those a recogniser reads wrong or unsurely, and a share of the others."""

    def __init__(self, recogniser: Recogniser, easy: float) -> None:
        self._recogniser = recogniser
        self._easy = easy

    def of(self, crops: Sequence[tuple[Grey, str]], random: Random) -> list[tuple[Grey, str]]:
        """Choose among crops and their labels."""
        strips = [np.repeat(strip[:, :, None], 3, axis=2) for strip, _ in crops]
        chosen = []
        for crop, reading in zip(crops, self._recogniser.read(strips, margins=True), strict=True):
            truth = _words(crop[1])
            edits = edit_distance(truth, _words(reading.text))
            sure = all(char.confidence >= SURE for char in reading.chars)
            if edits <= OTHER * len(truth) and (edits or not sure or random.random() < self._easy):
                chosen.append(crop)
        return chosen


def _words(text: str) -> str:
    """Fold look-alikes as the measure does, but keep the spaces."""
    return " ".join(map(normalise, text.split()))


def write(
    folder: Path, run: int, count: int, writer: sheets.Writer, detector: Detector, choice: Choice | None = None,
    shard: int = SHARD,
) -> None:  # fmt: skip
    """Write `count` crops or a few more, `shard` and a few at a time; a shard that is there is not made again."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(-(-count // shard)):
        name = f"{run:03d}{number:03d}"
        if (folder / f"{name}.jsonl").exists():
            continue
        rows: list[dict[str, str]] = []
        page = 0
        with tarfile.open(folder / f"{name}.tar.gz", "w:gz", compresslevel=1) as archive:
            while len(rows) < shard:
                random = Random(f"{run} {number} {page}")
                crops = crops_of(*sheets.page(writer, random), detector)
                for strip, text in choice.of(crops, random) if choice else crops:
                    data = cv2.imencode(".png", strip, [cv2.IMWRITE_PNG_COMPRESSION, 3])[1].tobytes()
                    member = tarfile.TarInfo(f"{len(rows):06d}.png")
                    member.size = len(data)
                    archive.addfile(member, io.BytesIO(data))
                    rows.append({"file": f"{name}/{member.name}", "text": text, "source": f"{name} {page}"})
                page += 1
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")


def main() -> None:
    """Draw pages and cut their lines."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("--count", type=int, default=60_000)
    parser.add_argument("--run", type=int, default=1)
    parser.add_argument("--fonts", type=Path, default=Path("fonts"))
    parser.add_argument("--lines", type=Path, help="folder of PDF crops")
    parser.add_argument("--held-out", action="store_true", help="with the faces and documents kept for validation")
    parser.add_argument(
        "--easy", type=float, default=1.0, help="share kept of what the shipped recogniser reads right and surely"
    )
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    crops = samples.load_crops(arguments.lines)[1 if arguments.held_out else 0] if arguments.lines else []
    writer = sheets.Writer(fonts.load(arguments.fonts), crops, arguments.held_out)
    choice = Choice(Recogniser(find("crnn"), 1), arguments.easy) if arguments.easy < 1 else None
    write(arguments.to, arguments.run, arguments.count, writer, Detector(find("detector"), 1), choice)


if __name__ == "__main__":
    main()
