"""Evaluation: how well a labelled set of pictures is read, in figures.

Takes a folder with `labels.jsonl` (one object an image: image, category, lines, ignore) and what was read, gives
`Measures` overall and by category. Knows nothing of how reading is done.

    cer            for each labelled line the smallest edit distance to any stretch of the page's text, summed, over
                   the labelled characters: what was misread or missed, whatever the order
    line_accuracy  share of labelled lines found without an error
    order_cer      edit distance of the whole page in reading order, over the labelled characters
    spurious       characters read beyond the labelled and the ignored ones, over the labelled characters
    ms_per_page    median milliseconds a page
    reread         share of lines read again by the strong model, whole or in part
    ece            expected calibration error of line confidence, 15 bins (Guo et al., ICML 2017); a line counts as
                   right when it stands without an error in the labelled text of its page

Text is compared after NFKC, without white space, with marks that print alike taken for one.
"""

import json
import statistics
import time
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from shizi.document import Document, Line
from shizi.errors import DamagedFile, InputError
from shizi.options import ReadOptions

ECE_BINS = 15
OVERALL = "overall"

# Marks that print alike, each group written as its first: dashes, quotes, dots, and the like.
_ALIKE = ("-—–－―‐", '"“”', "'‘’", ".·•・。", "¥￥", "○〇", "~～", ":∶")
_FOLD = str.maketrans({mark: group[0] for group in _ALIKE for mark in group[1:]} | {"…": "..."})


class Reads(Protocol):
    """What evaluation needs of a reader."""

    def read(self, data: Path, options: ReadOptions) -> Document:
        """Read one picture."""


@dataclass(frozen=True, slots=True)
class Label:
    """The truth of one picture; `ignore` is text that is neither required nor held against the reader."""

    image: str
    category: str
    lines: tuple[str, ...]
    ignore: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Prediction:
    """What was read on one picture: its lines in reading order, each with its confidence and model, and the time."""

    image: str
    lines: tuple[Line, ...]
    milliseconds: float


@dataclass(frozen=True, slots=True)
class Measures:
    """The figures of one set or category; see the head of this file."""

    images: int
    chars: int
    cer: float
    line_accuracy: float
    order_cer: float
    spurious: float
    ms_per_page: float
    reread: float
    ece: float


@dataclass(slots=True)
class _Sums:
    images: int = 0
    chars: int = 0
    lines: int = 0
    wrong: int = 0
    exact: int = 0
    order: int = 0
    spurious: int = 0
    reread: int = 0
    milliseconds: list[float] = field(default_factory=list)
    confidences: list[float] = field(default_factory=list)
    right: list[bool] = field(default_factory=list)

    def measures(self) -> Measures:
        chars = max(1, self.chars)
        return Measures(
            images=self.images,
            chars=self.chars,
            cer=round(self.wrong / chars, 4),
            line_accuracy=round(self.exact / max(1, self.lines), 4),
            order_cer=round(self.order / chars, 4),
            spurious=round(self.spurious / chars, 4),
            ms_per_page=round(statistics.median(self.milliseconds), 1) if self.milliseconds else 0.0,
            reread=round(self.reread / max(1, len(self.confidences)), 4),
            ece=round(calibration_error(self.confidences, self.right), 4),
        )


def load_labels(folder: Path) -> list[Label]:
    """Read `labels.jsonl` of a labelled set. Raises InputError when it is missing or not as described above."""
    path = folder / "labels.jsonl"
    try:
        rows = [json.loads(row) for row in path.read_text(encoding="utf-8").splitlines() if row.strip()]
        return [
            Label(row["image"], row.get("category", "all"), tuple(row["lines"]), tuple(row.get("ignore", ())))
            for row in rows
        ]
    except OSError as error:
        raise InputError(
            f"No labels at {path} ({error.strerror}); expected a folder with labels.jsonl, one object an image: "
            '{"image": "images/a.png", "category": "document", "lines": ["…"], "ignore": []}.'
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedFile(
            f"{path} is not usable ({error!r}); expected one JSON object a line with at least 'image' and 'lines'."
        ) from error


def predict(reader: Reads, folder: Path, labels: Iterable[Label], options: ReadOptions) -> Iterator[Prediction]:
    """Read every labelled picture, one after the other."""
    for label in labels:
        start = time.perf_counter()
        document = reader.read(folder / label.image, options)
        milliseconds = (time.perf_counter() - start) * 1000
        lines = tuple(line for page in document.pages for line in page.lines)
        yield Prediction(label.image, lines, milliseconds)


def evaluate(
    labels: Sequence[Label], predictions: Iterable[Prediction], first_model: str | None = None
) -> dict[str, Measures]:
    """Give the measures overall and of each category; a picture without a prediction counts as read as nothing.

    `first_model` names what read every line before another one did again (`Reader.first_model`): lines of another model
    count as reread.
    """
    by_image = {prediction.image: prediction for prediction in predictions}
    sums: dict[str, _Sums] = {}
    for label in labels:
        prediction = by_image.get(label.image)
        for key in (OVERALL, label.category):
            _add(sums.setdefault(key, _Sums()), label, prediction, first_model)
    return {key: value.measures() for key, value in sums.items()}


def _add(sums: _Sums, label: Label, prediction: Prediction | None, first_model: str | None) -> None:
    read = prediction.lines if prediction else ()
    page = normalise("".join(line.text for line in read))
    lines = [line for line in map(normalise, label.lines) if line]
    truth = "".join(lines)
    ignored = normalise("".join(label.ignore))
    misses = [edit_distance(line, page, anywhere=True) for line in lines]
    sums.images += 1
    sums.chars += len(truth)
    sums.lines += len(lines)
    sums.wrong += sum(misses)
    sums.exact += misses.count(0)
    sums.order += edit_distance(truth, page)
    sums.spurious += max(0, len(page) - len(truth) - len(ignored))
    if prediction:
        sums.milliseconds.append(prediction.milliseconds)
    for line in read:
        text = normalise(line.text)
        sums.reread += first_model is not None and line.model != first_model
        sums.confidences.append(line.confidence)
        sums.right.append(text in truth or text in ignored)


def normalise(text: str) -> str:
    """Fold marks that print alike, compose (NFKC) and drop white space, so that only true differences count."""
    return "".join(unicodedata.normalize("NFKC", text.translate(_FOLD)).translate(_FOLD).split())


def edit_distance(pattern: str, text: str, anywhere: bool = False) -> int:
    """Count the edits from `pattern` to `text`, or (`anywhere`) to the nearest stretch of `text`.

    One row of the usual table a character (Wagner and Fischer, 1974; for stretches Sellers, 1980), each row computed
    at once: the running minimum of `row - position` carries insertions along.
    """
    if not pattern:
        return 0 if anywhere else len(text)
    letters = np.array([ord(letter) for letter in text], np.int64)
    positions = np.arange(len(text) + 1)
    row = np.zeros_like(positions) if anywhere else positions
    for letter in pattern:
        deleted = row + 1
        replaced = row[:-1] + (letters != ord(letter))
        best = np.concatenate([deleted[:1], np.minimum(deleted[1:], replaced)])
        row = np.minimum.accumulate(best - positions) + positions
    return int(row.min() if anywhere else row[-1])


def calibration_error(confidences: npt.ArrayLike, right: npt.ArrayLike) -> float:
    """Give the mean gap between confidence and the share that is right, over `ECE_BINS` equal bins, by weight."""
    values, hits = np.asarray(confidences, float), np.asarray(right, float)
    if not values.size:
        return 0.0
    bins = np.minimum((values * ECE_BINS).astype(int), ECE_BINS - 1)
    gaps = np.bincount(bins, values - hits, minlength=ECE_BINS)
    return float(np.abs(gaps).sum() / len(values))


def to_json(mode: str, measures: Mapping[str, Measures]) -> dict[str, Any]:
    """Give the measures as one JSON-ready object: mode, overall, categories."""
    rows = {key: asdict(value) for key, value in measures.items()}
    empty = asdict(_Sums().measures())
    return {"mode": mode, "overall": rows.pop(OVERALL, empty), "categories": rows}


def predictions_to_jsonl(predictions: Iterable[Prediction]) -> str:
    """Write predictions one JSON object a line: image, lines in reading order, ms."""
    rows = (
        {"image": item.image, "lines": [line.text for line in item.lines], "ms": item.milliseconds}
        for item in predictions
    )
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
