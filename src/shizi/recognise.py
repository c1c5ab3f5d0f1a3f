"""Recognise: upright strips to text, by any CTC model whose weights tell how it wants its lines.

Takes strips (H W 3 uint8 RGB), gives a `Reading` each, in the same order. Knows nothing of pages or polygons.
"""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Generic, NamedTuple, Protocol, TypeVar

import numpy as np

from shizi import lexicon
from shizi.charset import BLANK, Charset, Span, is_chinese
from shizi.constrained import Pattern, align, n_best
from shizi.document import Char, Reading
from shizi.errors import WeightsError
from shizi.line_image import LineFormat, Pixels, Tensor, scaled_width, tensor_width, to_tensor, trimmed
from shizi.weights import Weights, open_session, run

# Tensor columns of one run: bounds the memory of the last layer (18,710 classes x columns / 8 x 4 bytes).
BATCH_COLUMNS = 2048
# A line is left out of a constrained reading when the likeliest text that fits is less likely than this: the line
# says something else. Lines that say more than the pattern have 1e-6 and less, smudged ones that fit 0.05 and more.
FITTING = 0.01
# A tuned model reads a line as it did before it was tuned, unless what it reads now is so many times as likely.
LIKELIER = 1.2
Curve = tuple[list[float], list[float]]
AS_IT_IS: Curve = ([0.0, 1.0], [0.0, 1.0])
T = TypeVar("T")

# Marks as small as dirt count only when they are more likely than not: on the development set a few false ones go
# and no true one.
SPECKS, SPECK_PEAK = frozenset(".,、'`·・。，-_|"), 0.5


class ReadsLines(Protocol):
    """Anything that reads strips: one model, or several in turn."""

    def read(self, strips: Sequence[Pixels], margins: bool = False) -> list[Reading]:
        """Read each strip (H W 3 uint8 RGB, text upright, left to right).

        `margins`: the strips are a detector's regions, which hold more than the line; a model may trim them.
        """


@dataclass(frozen=True, slots=True)
class OutputShape:
    """How a model gives its classes, where that is not as ours do; `adopt` finds it out.

    time_first   T, N, classes rather than N, T, classes
    blank_last   the blank is the last class rather than the first
    logits       scores of any size (or logarithms), of which the softmax is the probability
    one_by_one   the graph takes one strip at a time
    """

    time_first: bool = False
    blank_last: bool = False
    logits: bool = False
    one_by_one: bool = False

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str]) -> "OutputShape":
        """Read the keys `axes` (TNC), `blank` (last), `scores` (logits), `batch` (1)."""
        found = (metadata.get(key) for key in ("axes", "blank", "scores", "batch"))
        return cls(*(value == other for value, other in zip(found, ("TNC", "last", "logits", "1"), strict=True)))

    def probabilities(self, scores: np.ndarray) -> np.ndarray:
        """Give N, T, classes: probabilities with the blank first."""
        if self.time_first:
            scores = scores.transpose(1, 0, 2)
        if self.logits:
            powers = np.exp(scores - scores.max(axis=2, keepdims=True))
            scores = powers / powers.sum(axis=2, keepdims=True)
        probabilities: np.ndarray = np.roll(scores, 1, axis=2) if self.blank_last else scores
        return probabilities


class Trace(NamedTuple):
    """A best path on one strip: the class of each time step and its probability, T each; the strip ends at `steps`.

    `others` and `chances`: the next likely classes of each step, T 3 each, where the model tells them.
    """

    path: np.ndarray
    probability: np.ndarray
    steps: float
    others: np.ndarray | None = None
    chances: np.ndarray | None = None

    @classmethod
    def of(cls, path: np.ndarray, probability: np.ndarray, steps: float) -> "Trace":
        """Take what a model tells of each step: one class, T, or several, T K, the likeliest first."""
        if path.ndim == 1:
            return cls(path, probability, steps)
        return cls(path[:, 0], probability[:, 0], steps, path[:, 1:], probability[:, 1:])


class Recogniser:
    """A loaded CTC model. Safe to use from several threads at once."""

    def __init__(self, weights: Weights, threads: int = 1) -> None:
        """Load `weights`, to read `threads` batches at a time, each on one CPU thread (docs/decisions/025).

        Raises WeightsError when the model is not a CTC line reader.
        """
        self.weights = weights
        self._session = open_session(weights, 1)
        self._pool = ThreadPoolExecutor(threads, "recognise") if threads > 1 else None
        metadata = {**self._session.get_modelmeta().custom_metadata_map, **weights.metadata}
        if "character" not in metadata:
            raise WeightsError(f"The model {weights.name} has no charset in its metadata key 'character'.")
        self.form = LineFormat.from_metadata(metadata)
        self.charset = Charset.from_metadata(metadata["character"], metadata.get("space") != "none")
        self._shape = OutputShape.from_metadata(metadata)
        self._calibration = _curve(metadata.get("calibration", ""), weights.name)
        self.doubt = _doubt(metadata.get("doubt"), weights.name)
        # What the confidence of a cascade that starts with this model is worth.
        self.cascade_calibration = ByMode(
            *(_curve(metadata.get(f"calibration_{mode}", ""), weights.name) for mode in ByMode._fields)
        )
        self._input = self._session.get_inputs()[0].name

    def read(self, strips: Sequence[Pixels], margins: bool = False) -> list[Reading]:
        """Read each strip (H W 3 uint8 RGB, text upright, left to right); `margins`: see `ReadsLines`."""
        return [self.reading(trace) for trace in self.traces(strips, margins)]

    def traces(self, strips: Sequence[Pixels], margins: bool = False) -> list[Trace]:
        """Give each strip's best path; strips and `margins` as for `read`."""
        strips = [trimmed(strip, self.form) for strip in strips] if margins else strips
        widths = [tensor_width(strip, self.form.height) for strip in strips]
        batches = sorted(_batches(widths), key=lambda batch: -len(batch) * widths[batch[0]])
        read = partial(self._traces_of, strips)
        found = self._pool.map(read, batches) if self._pool and len(batches) > 1 else map(read, batches)
        traces = {
            i: trace for batch, made in zip(batches, found, strict=True) for i, trace in zip(batch, made, strict=True)
        }
        return [traces[i] for i in range(len(strips))]

    def _traces_of(self, strips: Sequence[Pixels], batch: Sequence[int]) -> list[Trace]:
        tensors = np.stack([to_tensor(strips[i], self.form) for i in batch])  # N, C, H, W
        widths = [scaled_width(strips[i], self.form.height) for i in batch]
        ways = [
            [
                Trace.of(path, probability, len(path) * width / tensors.shape[3])
                for width, path, probability in zip(widths, paths, probabilities, strict=True)
            ]
            for paths, probabilities in self._best_paths(tensors)
        ]
        return [self._surer(*traces) for traces in zip(*ways, strict=True)]

    def _surer(self, first: Trace, second: Trace | None = None) -> Trace:
        """Choose between what a tuned model read before and reads now: the latter where it is clearly likelier.

        Most lines stay as they were, so that little is lost elsewhere of what is learned on some (docs/decisions/091).
        """
        if second is None:
            return first
        was, now = self._chance(first), self._chance(second)
        return second if was is not None and now is not None and now > LIKELIER * was else first

    def _chance(self, trace: Trace) -> float | None:
        """Give the chance of a trace's characters together, None without any."""
        peaks = [span.peak for span in self.charset.collapse(trace.path, trace.probability)]
        return float(np.prod(peaks)) if peaks else None

    def reading(self, trace: Trace) -> Reading:
        """Turn one best path into a reading; where the model tells what else was likely, words are weighed."""
        spans = self.charset.collapse(trace.path, trace.probability)
        return self.joined(chars_of(_tidied(self._weighed(spans, trace)), trace.steps))

    def _weighed(self, spans: list[Span], trace: Trace) -> list[Span]:
        if trace.others is None or trace.chances is None or all(span.peak >= lexicon.SURE for span in spans):
            return spans
        places = []
        for span in spans:
            step = span.start + int(trace.probability[span.start : span.end].argmax())
            also = zip(trace.others[step].tolist(), trace.chances[step].tolist(), strict=True)
            others = [
                lexicon.Seen(self.charset.characters[place - 1], chance) for place, chance in also if place != BLANK
            ]
            places.append([lexicon.Seen(span.character, span.peak), *others])
        found = lexicon.shipped().weighed(places)
        return [span._replace(character=seen.text, peak=seen.chance) for span, seen in zip(spans, found, strict=True)]

    def joined(self, chars: tuple[Char, ...]) -> Reading:
        """Make a reading of characters; its confidence is what their chances together are worth."""
        chance = float(np.prod([char.confidence for char in chars])) if chars else 0.0
        confidence = self.calibrated(chance) if chars else 0.0
        return Reading("".join(char.text for char in chars), confidence, chars, self.weights.name)

    def calibrated(self, chance: float) -> float:
        """Give the share of lines that were right of those the model gave this chance."""
        return float(np.interp(chance, *self._calibration))

    def spread(self, strip: Pixels) -> np.ndarray:
        """Give the probability of every class at each time step of one strip; T, C, padding left off.

        Raises WeightsError for a model that computes its best path inside the graph and keeps the rest to itself.
        """
        strip = trimmed(strip, self.form)
        outputs = self._run(to_tensor(strip, self.form)[None])
        if len(outputs) > 1:
            raise WeightsError(f"The model {self.weights.name} tells its best path only; expected all probabilities.")
        probabilities: np.ndarray = outputs[0][0]  # T, C
        share = scaled_width(strip, self.form.height) / tensor_width(strip, self.form.height)
        return probabilities[: max(1, round(len(probabilities) * share))]

    def _best_paths(self, tensors: Tensor) -> list[tuple[np.ndarray, np.ndarray]]:
        """Give the best class of each time step and its probability, both N, T or N, T, K; of a tuned model twice."""
        outputs = self._run(tensors)
        if len(outputs) > 1:  # the likeliest classes were found inside the graph
            return list(zip(outputs[::2], outputs[1::2], strict=True))
        path = outputs[0].argmax(axis=2)  # N, T
        return [(path, np.take_along_axis(outputs[0], path[:, :, None], axis=2)[:, :, 0])]

    def _run(self, tensors: Tensor) -> list[np.ndarray]:
        """Run the model on N, C, H, W; gives probabilities, N T classes with the blank first, or best paths."""
        batches = np.split(tensors, len(tensors)) if self._shape.one_by_one else [tensors]
        outputs = [run(self._session, {self._input: batch}) for batch in batches]
        if len(outputs[0]) == 1:
            outputs = [[self._shape.probabilities(scores)] for (scores,) in outputs]
        return [np.concatenate(parts) if len(parts) > 1 else parts[0] for parts in zip(*outputs, strict=True)]


class ConstrainedRecogniser:
    """A recogniser that reads every line as the likeliest of the texts a pattern allows. Safe for several threads."""

    def __init__(self, recogniser: Recogniser, allowed: Pattern) -> None:
        self._recogniser = recogniser
        self._allowed = allowed

    def read(self, strips: Sequence[Pixels], margins: bool = False) -> list[Reading]:
        """Read each strip (H W 3 uint8 RGB, text upright, left to right); what fits nothing is an empty reading."""
        return [self._read(strip) for strip in strips]

    def _read(self, strip: Pixels) -> Reading:
        probabilities = self._recogniser.spread(strip)  # T, C
        charset, name = self._recogniser.charset, self._recogniser.weights.name
        best = next(iter(n_best(probabilities, charset, self._allowed)), None)
        if best is None or not best.text or best.probability < FITTING:
            return Reading("", 0.0, model=name)
        spans = align(probabilities, charset, best.text)
        confidence = self._recogniser.calibrated(best.probability)
        return Reading(best.text, confidence, chars_of(spans, len(probabilities)), name)


class ByMode(NamedTuple, Generic[T]):
    """What a model's file says of the cascade in each mode."""

    fast: T
    auto: T


def _doubt(value: str | None, name: str) -> ByMode[float] | None:
    """Read the metadata key `doubt`, the chance under which a character is read again; None: not measured.

    That of mode fast and that of auto, parted by a space.
    """
    try:
        return None if value is None else ByMode(*map(float, value.split()))
    except (TypeError, ValueError) as error:
        raise WeightsError(
            f"The model {name} has doubt {value!r} in its metadata; expected two numbers 0..1, such as 0.5 0.9."
        ) from error


def _curve(value: str, name: str) -> Curve:
    """Read the metadata key `calibration`: knots `raw:right` parted by spaces, raw rising; none leave all as it is.

    Raw is the product of the characters' chances, right the share of lines with that product that were right.
    """
    try:
        knots = [tuple(map(float, knot.split(":"))) for knot in (value or "0:0 1:1").split()]
        raw, right = (list(axis) for axis in zip(*knots, strict=True))
    except ValueError as error:
        raise WeightsError(f"The model {name} has an unusable calibration; expected knots such as 0.5:0.4.") from error
    if raw != sorted(raw):
        raise WeightsError(f"The model {name} has a calibration whose knots do not rise.")
    return raw, right


def _batches(widths: Sequence[int]) -> Iterable[list[int]]:
    """Group indexes of equal width, each group within `BATCH_COLUMNS` (a wider strip goes alone)."""
    order = sorted(range(len(widths)), key=widths.__getitem__)
    batch: list[int] = []
    for i in order:
        if batch and (widths[i] != widths[batch[0]] or (len(batch) + 1) * widths[i] > BATCH_COLUMNS):
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch


def _tidied(spans: Sequence[Span]) -> list[Span]:
    """Drop specks, and spaces at both ends and between Chinese characters, which are letter-spacing and no text."""
    spans = [span for span in spans if span.character not in SPECKS or span.peak >= SPECK_PEAK]
    kept: list[Span] = []
    for i, span in enumerate(spans):
        if span.character.isspace():
            after = next((later.character for later in spans[i + 1 :] if not later.character.isspace()), "")
            if not kept or not after or (is_chinese(kept[-1].character) and is_chinese(after)):
                continue
        kept.append(span)
    return kept


def chars_of(spans: Sequence[Span], steps: float) -> tuple[Char, ...]:
    """Place each character: from halfway to the one before to halfway to the one after, as shares of `steps`.

    CTC marks a character at its most telling columns only, so its edges are taken from its neighbours; the first
    and last reach as far outwards as inwards.
    """
    centres = [(span.start + span.end) / 2 for span in spans]
    middles = [(a + b) / 2 for a, b in pairwise(centres)]
    half = (middles[0] - centres[0]) if middles else steps / 2
    edges = [max(0.0, centres[0] - half), *middles] if spans else []
    edges.append(min(steps, 2 * centres[-1] - edges[-1]) if middles else steps)
    return tuple(
        Char(span.character, span.peak, min(1.0, start / steps), min(1.0, end / steps))
        for span, start, end in zip(spans, edges, edges[1:], strict=False)
    )
