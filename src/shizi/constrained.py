"""Constrained reading: the likeliest texts of a CTC model's output among those a pattern allows.

Takes the probabilities of one strip (T, C), a charset and a `Pattern`, gives hypotheses with their probability in the
unconstrained distribution. The search walks the pattern's states along with the prefixes (prefix beam search, Graves
2012, section 7.5; Hannun et al. 2014), so nothing that was read is filtered afterwards: what the pattern rules out
is never proposed. Knows nothing of images.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from shizi.charset import BLANK, Charset, Span
from shizi.errors import OptionsError

BEAM = 16  # prefixes kept at each step
CLASSES = 12  # classes tried at each step, of those the pattern allows at all
LEAST = 1e-6  # classes less likely than this at a step are not tried, but for the best one
LONGEST = 300  # characters of a pattern
MOST_STATES = 2000

Accepts = Callable[[str], bool]


class Hypothesis(NamedTuple):
    """One allowed text and its probability, 0..1."""

    text: str
    probability: float


@dataclass(slots=True)
class _State:
    """A state of the automaton: steps on a character, and steps on none."""

    steps: list[tuple[str, int]] = field(default_factory=list)  # the atom that is stepped on, and to where
    free: list[int] = field(default_factory=list)


class Pattern:
    r"""A small regular expression, matched whole, that can be walked character by character.

    Understands literals, `.`, `\d`, `\w`, `\` before a special character, sets such as `[A-Z0-9]` and `[^/]`, groups,
    `|`, and the counts `*`, `+`, `?`, `{3}`, `{1,4}`, `{2,}`. Raises OptionsError for anything else.
    """

    def __init__(self, text: str) -> None:
        if not text or len(text) > LONGEST:
            raise OptionsError(f"A pattern has {len(text)} characters; expected 1 to {LONGEST}.")
        self.text = text
        self._states: list[_State] = []
        self._atoms: dict[str, Accepts] = {}  # as they are written; copies of one are one
        self._fitting: dict[str, frozenset[str]] = {}
        self._alike: dict[frozenset[str], frozenset[str]] = {}  # thousands of characters fit the same few
        self._at = 0
        start, end = self._choice()
        if self._at < len(text):
            raise self._wrong(f"{text[self._at]!r} closes nothing")
        self._end = end
        self.start = self._closed({start})
        self._walked: dict[tuple[frozenset[int], str], frozenset[int]] = {}

    def step(self, states: frozenset[int], character: str) -> frozenset[int]:
        """Walk one character on; the empty set means that the pattern rules it out."""
        key = states, character
        if key not in self._walked:
            fitting = self._fitting_atoms(character)
            reached = {to for state in states for atom, to in self._states[state].steps if atom in fitting}
            self._walked[key] = self._closed(reached)
        return self._walked[key]

    def accepts(self, states: frozenset[int]) -> bool:
        """Say whether a text that leads to these states is whole."""
        return self._end in states

    def allows(self, character: str) -> bool:
        """Say whether a character can stand anywhere in a text."""
        return bool(self._fitting_atoms(character))

    def _fitting_atoms(self, character: str) -> frozenset[str]:
        if character not in self._fitting:
            fitting = frozenset(atom for atom, accepts in self._atoms.items() if accepts(character))
            self._fitting[character] = self._alike.setdefault(fitting, fitting)
        return self._fitting[character]

    def matches(self, text: str) -> bool:
        """Say whether a text is one of the pattern's."""
        states = self.start
        for character in text:
            states = self.step(states, character)
        return self.accepts(states)

    # the parser: each part gives the states it starts and ends in

    def _choice(self) -> tuple[int, int]:
        starts = [self._sequence()]
        while self._peek() == "|":
            self._at += 1
            starts.append(self._sequence())
        if len(starts) == 1:
            return starts[0]
        start, end = self._new(), self._new()
        for first, last in starts:
            self._states[start].free.append(first)
            self._states[last].free.append(end)
        return start, end

    def _sequence(self) -> tuple[int, int]:
        start = end = self._new()
        while self._peek() not in ("", "|", ")"):
            begin = self._at
            part = self._atom()
            least, most = self._count()
            after = self._at
            ends = [part]
            for _ in range(max(least, most or least + 1, 1) - 1):  # each further copy is parsed anew
                self._at = begin
                ends.append(self._atom())
            self._at = after
            for i, (first, last) in enumerate(ends):
                self._states[end].free.append(first)
                stop = self._new()
                if i >= least:
                    self._states[end].free.append(stop)
                self._states[last].free.append(stop)
                if most is None and i == len(ends) - 1:
                    self._states[last].free.append(first)
                end = stop
        return start, end

    def _count(self) -> tuple[int, int | None]:
        sign = self._peek()
        if sign and sign in "*+?":
            self._at += 1
            return {"*": (0, None), "+": (1, None), "?": (0, 1)}[sign]
        if sign != "{":
            return 1, 1
        close = self.text.find("}", self._at)
        least, comma, most = self.text[self._at + 1 : close].partition(",")
        if close < 0 or not least.isdigit() or (most and not most.isdigit()):
            raise self._wrong("a count is written {3}, {1,4} or {2,}")
        self._at = close + 1
        low, high = int(least), None if comma and not most else int(most or least)
        if max(low, high or 0) > 200 or (high is not None and (high < low or high == 0)):
            raise self._wrong("a count reaches from 0 or more to at most 200")
        return low, high

    def _atom(self) -> tuple[int, int]:
        begin, character = self._at, self._take()
        if character == "(":
            inner = self._choice()
            if self._peek() != ")":
                raise self._wrong("a group is not closed")
            self._at += 1
            return inner
        if character in "*+?{})]":
            raise self._wrong(f"{character!r} has nothing before it; write \\{character} for the character itself")
        start, end = self._new(), self._new()
        accepts = self._accepting(character)
        atom = self.text[begin : self._at]
        self._atoms.setdefault(atom, accepts)
        self._states[start].steps.append((atom, end))
        return start, end

    def _accepting(self, character: str) -> Accepts:
        if character == ".":
            return lambda other: True
        if character == "[":
            return self._set()
        if character == "\\":
            return _class(self._take())
        return lambda other: other == character

    def _set(self) -> Accepts:
        inverse = self._peek() == "^"
        self._at += inverse
        parts: list[Accepts] = []
        while (character := self._take()) != "]":
            if character == "\\":
                parts.append(_class(self._take()))
            elif self._peek() == "-" and self.text[self._at + 1 : self._at + 2] not in ("", "]"):
                self._at += 1
                parts.append(_between(character, self._take()))
            else:
                parts.append(_between(character, character))
        return lambda other: any(part(other) for part in parts) != inverse

    def _peek(self) -> str:
        return self.text[self._at : self._at + 1]

    def _take(self) -> str:
        character = self._peek()
        if not character:
            raise self._wrong("it ends too early")
        self._at += 1
        return character

    def _new(self) -> int:
        if len(self._states) >= MOST_STATES:
            raise self._wrong("its counts make it too large")
        self._states.append(_State())
        return len(self._states) - 1

    def _closed(self, states: set[int]) -> frozenset[int]:
        waiting = list(states)
        while waiting:
            for other in self._states[waiting.pop()].free:
                if other not in states:
                    states.add(other)
                    waiting.append(other)
        return frozenset(states)

    def _wrong(self, why: str) -> OptionsError:
        return OptionsError(f"The pattern {self.text!r} is not understood at character {self._at + 1}: {why}.")


def _class(character: str) -> Accepts:
    if character == "d":
        return lambda other: other in "0123456789"
    if character == "w":
        return lambda other: other.isalnum() or other == "_"
    return lambda other: other == character


def _between(first: str, last: str) -> Accepts:
    return lambda other: first <= other <= last


@lru_cache(maxsize=64)
def pattern(text: str) -> Pattern:
    """Give the pattern of a text, made once."""
    return Pattern(text)


def n_best(
    probabilities: npt.NDArray[np.floating], charset: Charset, allowed: Pattern, beam: int = BEAM
) -> list[Hypothesis]:
    """Give the likeliest texts that the pattern allows, best first. Shapes: `probabilities` T, C."""
    permitted = np.array([i for i, character in enumerate(charset.characters, 1) if allowed.allows(character)], int)
    # prefix -> states, chance of all paths to it that end in a blank, and in its last character
    prefixes: dict[str, tuple[frozenset[int], float, float]] = {"": (allowed.start, 1.0, 0.0)}
    for row in probabilities:
        blank = float(row[BLANK])
        likely = list(_likely(row, permitted, charset))
        grown: dict[str, tuple[frozenset[int], float, float]] = {}
        for text, (states, in_blank, in_character) in prefixes.items():
            _add(grown, text, states, (in_blank + in_character) * blank, 0.0)
            for character, chance in likely:
                if text[-1:] == character:
                    _add(grown, text, states, 0.0, in_character * chance)
                    reached, source = allowed.step(states, character), in_blank
                else:
                    reached, source = allowed.step(states, character), in_blank + in_character
                if reached and source:
                    _add(grown, text + character, reached, 0.0, source * chance)
        kept = sorted(grown.items(), key=lambda item: -(item[1][1] + item[1][2]))[:beam]
        prefixes = dict(kept)
    whole = [Hypothesis(text, b + c) for text, (states, b, c) in prefixes.items() if allowed.accepts(states)]
    return sorted(whole, key=lambda hypothesis: -hypothesis.probability)


def _likely(
    row: npt.NDArray[np.floating], permitted: npt.NDArray[np.integer], charset: Charset
) -> Iterator[tuple[str, float]]:
    """Name the likeliest permitted characters of one step, at least one."""
    if not len(permitted):
        return
    chances = row[permitted]
    count = min(CLASSES, len(permitted))
    top = np.argpartition(chances, len(chances) - count)[len(chances) - count :]
    best = float(chances[top].max())
    for i in top:
        chance = float(chances[i])
        if chance >= LEAST or chance == best:
            yield charset.characters[permitted[i] - 1], chance


def _add(
    grown: dict[str, tuple[frozenset[int], float, float]],
    text: str,
    states: frozenset[int],
    in_blank: float,
    in_character: float,
) -> None:
    known = grown.get(text)
    if known is None:
        grown[text] = states, in_blank, in_character
    else:
        grown[text] = known[0], known[1] + in_blank, known[2] + in_character


def align(probabilities: npt.NDArray[np.floating], charset: Charset, text: str) -> list[Span]:
    """Place the characters of a text on the time steps along its likeliest path (Viterbi). T, C probabilities.

    `text` must be one the model can write in that many steps, as those of `n_best` are.
    """
    classes = charset.encode(text)
    labels = [BLANK]
    for label in classes:
        labels += [label, BLANK]
    logs = np.log(np.maximum(probabilities[:, labels], 1e-12))  # T, 2L + 1
    jumps = np.array([i % 2 == 1 and i > 1 and labels[i] != labels[i - 2] for i in range(len(labels))])
    score = np.full(len(labels), -np.inf)
    score[:2] = logs[0, :2]
    back = np.zeros((len(logs), len(labels)), np.int8)
    for step in range(1, len(logs)):
        from_one = np.concatenate([[-np.inf], score[:-1]])
        from_two = np.where(jumps, np.concatenate([[-np.inf, -np.inf], score[:-2]]), -np.inf)
        options = np.stack([score, from_one, from_two])
        back[step] = options.argmax(axis=0)
        score = options.max(axis=0) + logs[step]
    at = len(labels) - 1 if score[-1] >= score[-2] else len(labels) - 2
    path = [at]
    for step in range(len(logs) - 1, 0, -1):
        at -= int(back[step, at])
        path.append(at)
    path.reverse()
    spans = []
    for i, character in enumerate(text):
        steps = [step for step, at in enumerate(path) if at == 2 * i + 1]
        if steps:
            peak = float(probabilities[steps, classes[i]].max())
            spans.append(Span(character, steps[0], steps[-1] + 1, peak))
    return spans
