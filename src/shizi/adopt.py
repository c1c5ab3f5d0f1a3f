"""Adopt: a recogniser's file of others (PP-OCR of any version, CRNN exports) becomes weights that `recognise` can use.

Takes the path of an ONNX file, gives `Weights` with all that the file does not say of itself, and a report of what was
found where. What the file lacks is taken from beside it: `MODEL.yaml` (keys as in a model's metadata), PaddleOCR's
`inference.yml`, or `MODEL.txt` (the charset, a character a line). What is nowhere is measured where it can be, else
PP-OCR's convention is taken, and a line that was just drawn is read to see whether all that holds together.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import yaml

from shizi.charset import Charset
from shizi.errors import WeightsError
from shizi.line_image import LineFormat, Pixels
from shizi.recognise import Recogniser
from shizi.weights import Weights, from_file, open_session, run

if TYPE_CHECKING:
    import onnxruntime

# Under these keys exporters keep a charset: PP-OCR's ONNX files the first, others the others.
_CHARSET_KEYS = ("character", "characters", "charset", "alphabet")
_KNOWN = ("height", "channels", "mean", "std", "order", "trim", "blank", "space", "calibration", *_CHARSET_KEYS)
# PaddleOCR, configs/rec: lines 48 high, BGR, scaled to -1..1.
_CONVENTION = {"height": "48", "channels": "3", "mean": "127.5", "std": "127.5", "order": "BGR"}
_WIDTH = 320  # of the blank strip that shows how the model answers
_SAMPLE = "Shizi 2026 No 58"
# With less in common something does not fit: a right model reads the drawn line with an error at most.
_ALIKE = 0.7


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing known of a model: its value, and where that comes from."""

    name: str
    value: str
    origin: str


@dataclass(frozen=True, slots=True)
class Trial:
    """The reading of a drawn line: what it said, what was read, milliseconds a line (median)."""

    drawn: str
    read: str
    milliseconds: float

    @property
    def doubtful(self) -> bool:
        """Whether so much is wrong that the model is not understood rightly."""
        drawn, read = (text.replace(" ", "").casefold() for text in (self.drawn, self.read))
        return SequenceMatcher(None, drawn, read).ratio() < _ALIKE


@dataclass(frozen=True, slots=True)
class Adopted:
    """A model that can be used: its weights, what is known of it, and how it read a drawn line."""

    weights: Weights
    findings: tuple[Finding, ...]
    trial: Trial

    @property
    def advice(self) -> str:
        """What to do when the trial is doubtful."""
        return (
            f"{self.weights.path.name} read {self.trial.read!r} where {self.trial.drawn!r} was drawn: its charset or "
            "its line format (height, mean, std, order) may be another; write them to "
            f"{self.weights.path.stem}.yaml beside it."
        )


def adopt(path: Path, threads: int = 1) -> Adopted:
    """Find out all that is needed to read lines with the model at `path`, and try it.

    Raises WeightsError that says what was found, what was expected and what to do.
    """
    if not path.is_file():
        raise WeightsError(f"There is no file {path}; expected an ONNX file.")
    weights = from_file(path)
    session = open_session(weights, threads)
    book = _Book(path, dict(session.get_modelmeta().custom_metadata_map))
    _input(session, book)
    outputs = _answer(session, book)
    _charset(book)
    _output(outputs, book)
    adopted = replace(weights, metadata=book.metadata)
    return Adopted(adopted, tuple(book.findings), _try(Recogniser(adopted, threads)))


class _Book:
    """What is known of one model, and where it was found: beside the file before within it."""

    def __init__(self, path: Path, own: Mapping[str, str]) -> None:
        self.path = path
        self._sources = (
            (f"{path.stem}.yaml", _given(path)),
            ("the file's metadata", own),
            ("inference.yml", _paddle(path.with_name("inference.yml"))),
            (f"{path.stem}.txt", _characters(path.with_suffix(".txt"))),
        )
        self.metadata: dict[str, str] = {}
        self.findings: list[Finding] = []
        for key in ("trim", "calibration"):
            if self.found(key)[0]:
                self.note(key, *self.found(key))

    def found(self, key: str) -> tuple[str, str]:
        """Give what stands under a key and where; '' twice for nothing."""
        return next(((values[key], origin) for origin, values in self._sources if values.get(key)), ("", ""))

    def note(self, key: str, value: str, origin: str, shown: str = "") -> None:
        self.metadata[key] = value
        self.findings.append(Finding(key, shown or value, origin))


def _given(path: Path) -> dict[str, str]:
    """Read MODEL.yaml, all values as they are written."""
    side = path.with_suffix(".yaml")
    if not side.is_file():
        return {}
    values = _yaml(side)
    unknown = sorted(set(values) - set(_KNOWN))
    if unknown:
        raise WeightsError(f"{side} has {', '.join(unknown)}; known are {', '.join(_KNOWN)}.")
    given = {key: value for key, value in values.items() if isinstance(value, str)}
    given |= {key: "\n".join(value) for key, value in values.items() if isinstance(value, list)}
    return given


def _yaml(path: Path) -> dict[str, object]:
    try:
        with path.open(encoding="utf-8") as file:
            values = yaml.load(file, yaml.BaseLoader)  # makes texts, lists and maps only
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise WeightsError(f"{path} cannot be read ({type(error).__name__}); expected YAML.") from error
    if not isinstance(values, dict):
        raise WeightsError(f"{path} holds no names with values; expected rows such as `height: 48`.")
    return values


def _input(session: "onnxruntime.InferenceSession", book: _Book) -> None:
    """Take the line format: what is given, then what the input's shape says, then PP-OCR's convention."""
    inputs = session.get_inputs()
    if len(inputs) != 1 or len(inputs[0].shape) != 4 or inputs[0].type != "tensor(float)":
        shown = ", ".join(f"{entry.type} {entry.shape}" for entry in inputs)
        raise WeightsError(
            f"The model {book.path.name} takes {shown}; expected one input of float32: N, channels, height, width."
        )
    batch, channels, height, width = inputs[0].shape
    if isinstance(width, int):
        advice = f"a fixed width of {width}; expected any width. Export it with a dynamic last axis."
        if width in (1, 3):
            advice = f"the shape {inputs[0].shape}; expected channels before height and width. Export it so."
        raise WeightsError(f"The model {book.path.name} takes lines of {advice}")
    if isinstance(batch, int) and batch != 1:
        raise WeightsError(f"The model {book.path.name} takes {batch} lines at once; expected any number, or one.")
    for key, stated in (("height", height), ("channels", channels)):
        value, origin = book.found(key)
        if isinstance(stated, int):
            if value and value != str(stated):
                raise WeightsError(f"{origin} of {book.path.name} says {key} {value}, its input has {stated}.")
            value, origin = str(stated), "the input's shape"
        book.note(key, *((value, origin) if value else _assumed(key)))
    keys = ("mean", "std", "order") if book.metadata["channels"] == "3" else ("mean", "std")
    for key in keys:
        value, origin = book.found(key)
        book.note(key, *((value, origin) if value else _assumed(key)))
    if batch == 1:
        book.note("batch", "1", "the input's shape", "one line at a time")


def _assumed(key: str) -> tuple[str, str]:
    return _CONVENTION[key], "assumed: PP-OCR's convention"


def _charset(book: _Book) -> None:
    """Take the charset, from wherever there is one."""
    value, origin = next((book.found(key) for key in _CHARSET_KEYS if book.found(key)[0]), ("", ""))
    if not value:
        raise WeightsError(
            f"The model {book.path.name} has no charset: no metadata key 'character', and beside it neither "
            f"{book.path.stem}.txt nor an inference.yml with one. Write its characters to {book.path.stem}.txt, one a "
            "line, in the order of its classes."
        )
    characters = value.replace("\r", "") if "\n" in value else "\n".join(value)
    named = [character for character in characters.split("\n") if character]
    book.note("character", characters, origin, f"{len(named)} characters, {''.join(named[:8])}…")


def _characters(path: Path) -> dict[str, str]:
    """Read a file of characters, one a line."""
    try:
        return {"character": path.read_text(encoding="utf-8-sig")} if path.is_file() else {}
    except (OSError, UnicodeDecodeError) as error:
        raise WeightsError(f"{path} cannot be read ({type(error).__name__}); expected UTF-8.") from error


def _paddle(path: Path) -> dict[str, str]:
    """Read what PaddleOCR writes beside a model it exports: the charset, and the shape of a line."""
    if not path.is_file():
        return {}
    found: dict[str, str] = {}
    match _yaml(path):
        case {"PostProcess": {"character_dict": list(characters)}}:
            found["character"] = "\n".join(map(str, characters))
    match _yaml(path):
        case {"PreProcess": {"transform_ops": list(steps)}}:
            for step in steps:
                match step:
                    case {"RecResizeImg": {"image_shape": [channels, height, *_]}}:
                        found |= {"channels": str(channels), "height": str(height)}
    return found


def _answer(session: "onnxruntime.InferenceSession", book: _Book) -> list[np.ndarray]:
    """Let the model read white lines (two, where it takes two), and check that it answers as a reader of lines does."""
    form, lines = LineFormat.from_metadata(book.metadata), 1 if "batch" in book.metadata else 2
    blank = np.full((lines, form.channels, form.height, _WIDTH), (255 - form.mean) / form.std, np.float32)
    try:
        outputs = list(run(session, {session.get_inputs()[0].name: blank}))
    except Exception as error:  # onnxruntime's own classes
        raise WeightsError(
            f"The model {book.path.name} does not run on a white line ({str(error)[:160]}); expected a recogniser of "
            "lines. Is it a detector or a classifier?"
        ) from error
    # Two of these: a model tuned on corrections gives what it read before as well.
    whole = np.issubdtype(outputs[0].dtype, np.integer)  # classes, not their probabilities
    best_path = len(outputs) in (2, 4) and whole and all(output.ndim in (2, 3) for output in outputs)
    if not best_path and (len(outputs) != 1 or outputs[0].ndim != 3 or lines not in outputs[0].shape[:2]):
        shown = ", ".join(str(list(output.shape)) for output in outputs)
        raise WeightsError(
            f"The model {book.path.name} answers {shown} to {lines} white lines; expected one output: lines, steps, "
            "classes. Is it a recogniser with CTC?"
        )
    return outputs


def _output(outputs: list[np.ndarray], book: _Book) -> None:
    """Find out from the answer to white lines how classes are given, and whether the charset fits."""
    measured, lines = "the answer to a white line", 1 if "batch" in book.metadata else 2
    if len(outputs) > 1:
        book.findings.append(Finding("output", "the likeliest classes and their probabilities", measured))
        return
    scores = outputs[0]
    _fit_classes(scores.shape[2], book)
    axes = "NTC" if scores.shape[0] == lines else "TNC"
    book.note("axes", axes, measured, "lines, steps, classes" if axes == "NTC" else "steps, lines, classes")
    probable = scores.min() >= -1e-3 and np.allclose(scores.sum(axis=2), 1, atol=0.02)
    book.note("scores", "probabilities" if probable else "logits", measured)
    value, origin = book.found("blank")
    if not value:  # a white line is all blanks
        common = int(np.bincount(scores.argmax(axis=2).ravel()).argmax())
        value, origin = ("last", measured) if common == scores.shape[2] - 1 else ("first", measured)
    book.note("blank", value, origin)


def _fit_classes(classes: int, book: _Book) -> None:
    """Tell by the number of classes whether the space is one beyond the charset."""
    named = len(Charset.from_metadata(book.metadata["character"], space=False).characters)
    if classes not in (named + 1, named + 2):
        raise WeightsError(
            f"The model {book.path.name} has {classes} classes and its charset {named} characters; expected "
            f"{classes - 2} (then blank and space come on top) or {classes - 1} (the blank alone). Give it the charset "
            "it was trained with."
        )
    space = "last" if classes == named + 2 else "none"
    book.note(
        "space", space, "the number of classes", "a class of its own, the last" if space == "last" else "as named"
    )


def _try(recogniser: Recogniser) -> Trial:
    """Draw a line in letters that the charset has, and read it."""
    words = "".join(character for character in _SAMPLE if character == " " or character in recogniser.charset)
    strip = drawn_line(words)
    spent = []
    reading = recogniser.read([strip])[0]
    for _ in range(5):
        started = time.perf_counter()
        recogniser.read([strip])
        spent.append(1000 * (time.perf_counter() - started))
    return Trial(words.strip(), reading.text, round(sorted(spent)[len(spent) // 2], 1))


def drawn_line(text: str) -> Pixels:
    """Draw a line in plain Latin strokes, which need no typeface of the machine; H W 3."""
    width = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 1.2, 2)[0][0] + 24
    strip = np.full((48, width, 3), 255, np.uint8)
    cv2.putText(strip, text, (12, 36), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (0, 0, 0), 2, cv2.LINE_AA)
    return strip
