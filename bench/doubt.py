"""Doubt: what a cascade costs and saves under each doubt, on a labelled set.

    python bench/doubt.py SET [--doubts 0,0.5,0.7,0.9] [--small FILE] [--categories invoice,table] [--threads 1]

SET as `shizi eval` takes it. For the strong recogniser alone and for each doubt: CER, also of the printed categories
together, lines right, calibration error, share of lines read again in part or whole, share of the strips' length
(widths in heights) that the strong recogniser reads, pages' median time, seconds of CPU, and the spaces, which the
accuracy measure drops: of lines read right, how many stand between characters that are not Chinese, and how many of
these were lost, and made up. Pages are read by all settings in turn, so that other work on the machine strikes all
alike. The choice is written into the small model's metadata (`doubt`; docs/training.md).
"""

import argparse
import re
import statistics
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2

from shizi import weights
from shizi.cascade import Cascade
from shizi.charset import is_chinese
from shizi.document import Reading
from shizi.evaluation import OVERALL, Label, Measures, Prediction, evaluate, load_labels, normalise, predict
from shizi.line_image import Pixels
from shizi.options import ReadOptions
from shizi.reader import Reader
from shizi.recognise import ReadsLines, Recogniser

PRINTED = ("document", "invoice", "ticket", "screenshot", "table")


@dataclass
class Counted:
    """A recogniser whose strips are counted by their length."""

    inner: ReadsLines
    length: float = 0.0

    def read(self, strips: Sequence[Pixels], margins: bool = False) -> list[Reading]:
        """Read and count."""
        self.length += sum(strip.shape[1] / strip.shape[0] for strip in strips)
        return self.inner.read(strips, margins)


@dataclass
class Setting:
    """One way to read, and what it gave."""

    name: str
    reads: ReadsLines
    strong: Counted
    predictions: list[Prediction] = field(default_factory=list)
    cpu: float = 0.0
    spaces: Counter[str] = field(default_factory=Counter)

    def count_spaces(self, label: Label) -> None:
        """Count those of the last page's lines that were read right but for white space."""
        truths = {normalise(line): line for line in label.lines}
        for line in self.predictions[-1].lines:
            truth = truths.get(normalise(line.text), "")
            there, read = _spaced(truth), _spaced(line.text)
            if len(there) == len(read):
                self.spaces["all"] += sum(there)
                self.spaces["lost"] += sum(a and not b for a, b in zip(there, read, strict=True))
                self.spaces["made"] += sum(b and not a for a, b in zip(there, read, strict=True))


def _spaced(text: str) -> list[bool]:
    """Tell of each pair of neighbours in a text, both of them not Chinese, whether a space is between them."""
    gaps = re.finditer(r"(?<=(\S))(\s*)(?=(\S))", text)
    return [bool(gap[2]) for gap in gaps if not (is_chinese(gap[1]) or is_chinese(gap[3]))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", type=Path)
    parser.add_argument("--doubts", default="0,0.5,0.6,0.7,0.8,0.9,0.95")
    parser.add_argument("--small", type=Path, help="the small recogniser's file (default: the shipped one)")
    parser.add_argument("--categories", help="only these, parted by commas")
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    cv2.setNumThreads(given.threads)
    wanted = given.categories.split(",") if given.categories else None
    labels = [label for label in load_labels(given.set) if wanted is None or label.category in wanted]
    reader = Reader(given.threads)
    strong = Recogniser(weights.find("strong"), given.threads)
    small = Recogniser(weights.from_file(given.small) if given.small else weights.find("crnn"), given.threads)
    alone = Counted(strong)
    settings = [Setting("strong", alone, alone)]
    for doubt in given.doubts.split(","):
        counted = Counted(strong)
        settings.append(Setting(doubt, Cascade(small, counted, float(doubt)), counted))
    for label in labels:
        for setting in settings:
            reader._readers["auto"] = setting.reads
            began = time.process_time()
            setting.predictions += predict(reader, given.set, [label], ReadOptions())
            setting.cpu += time.process_time() - began
            setting.count_spaces(label)
    print("doubt    CER  printed  right   ECE  again  length  ms/page  CPU s  spaces: all, lost, made")
    for setting in settings:
        measures = evaluate(labels, setting.predictions, small.weights.name if setting.reads is not alone else None)
        print_one(setting, measures, alone.length)


def print_one(setting: Setting, measures: dict[str, Measures], whole: float) -> None:
    overall = measures[OVERALL]
    printed = [measures[name] for name in PRINTED if name in measures]
    chars = sum(measure.chars for measure in printed)
    cer = sum(measure.cer * measure.chars for measure in printed) / max(1, chars)
    median = statistics.median(item.milliseconds for item in setting.predictions)
    print(
        f"{setting.name:7s}{overall.cer:6.2%} {cer:7.2%} {overall.line_accuracy:6.1%} {overall.ece:5.1%}"
        f" {overall.reread:5.0%} {setting.strong.length / whole:6.0%} {median:8.0f} {setting.cpu:6.1f}"
        f" {setting.spaces['all']:7} {setting.spaces['lost']:4} {setting.spaces['made']:4}",
        flush=True,
    )


if __name__ == "__main__":
    main()
