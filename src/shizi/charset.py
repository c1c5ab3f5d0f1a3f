"""Charset: the characters a CTC model can write, and the way from its best path to text.

Takes index paths, gives spans of characters. Index 0 is the CTC blank, the last index is the space; between them
stand the characters in the order of the model's metadata key `character` (one a line, the convention of PP-OCR
ONNX files). Knows nothing of images or of a runtime.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from shizi.errors import WeightsError

BLANK = 0


class Span(NamedTuple):
    """One decoded character and the time steps [start, end) that wrote it; `peak` is its best probability."""

    character: str
    start: int
    end: int
    peak: float


@dataclass(frozen=True, slots=True)
class Charset:
    """The characters of one model; `characters[i]` is written by class i + 1."""

    characters: tuple[str, ...]
    _index: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        index = {character: i + 1 for i, character in enumerate(self.characters)}
        object.__setattr__(self, "_index", index)

    @classmethod
    def from_metadata(cls, value: str, space: bool = True) -> "Charset":
        """Read the metadata key `character`: one character a line, the space implied as the last class.

        Without `space` the model has no class for it beyond those named.
        """
        characters = value.split("\n")
        while characters and not characters[-1]:
            characters.pop()
        if not characters or "" in characters:
            raise WeightsError("The model's charset has an empty entry; expected one character a line.")
        return cls((*characters, " ") if space else tuple(characters))

    def to_metadata(self) -> str:
        """Write the metadata key `character`; the inverse of `from_metadata`."""
        return "\n".join(self.characters[:-1])

    def __len__(self) -> int:
        """Count the classes, the blank included."""
        return len(self.characters) + 1

    def __contains__(self, character: str) -> bool:
        return character in self._index

    def encode(self, text: str) -> list[int]:
        """Give the class of each character of `text`. Raises KeyError for a character the charset lacks."""
        return [self._index[character] for character in text]

    def collapse(self, path: npt.NDArray[np.integer], probability: npt.NDArray[np.floating]) -> list[Span]:
        """Merge repeats and drop blanks of a best path (CTC greedy decoding; Graves et al., ICML 2006).

        Shapes: `path` T, class indices; `probability` T, the probability of each. Each run of one class is one
        character; its peak is the highest probability within the run.
        """
        if len(path) == 0:
            return []
        bounds = np.flatnonzero(path[1:] != path[:-1]) + 1
        starts, ends = np.concatenate([[0], bounds]), np.concatenate([bounds, [len(path)]])
        peaks = np.maximum.reduceat(probability, starts)
        runs = zip(path[starts].tolist(), starts.tolist(), ends.tolist(), peaks.tolist(), strict=True)
        return [Span(self.characters[best - 1], start, end, peak) for best, start, end, peak in runs if best != BLANK]


def text_of(spans: Sequence[Span]) -> str:
    """Join the characters of `spans`."""
    return "".join(span.character for span in spans)


def is_chinese(character: str) -> bool:
    """Say whether a character is a Han ideograph or Chinese punctuation, written without spaces around it."""
    return unicodedata.east_asian_width(character) in "WF"
