"""An engine: the process that reads. Run as a program by `engines`, one question at a time.

Takes on its connection first `sys.path` and a function that loads a reader, then questions; gives one answer to each,
with the memory it holds. What goes wrong inside native code ends this process and nothing else. Knows nothing of HTTP.
"""

import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, get_args

from shizi.corrections import Given, Strip
from shizi.document import Document
from shizi.errors import ShiziError
from shizi.export import FORMATS
from shizi.machine import give_memory_back, own_memory
from shizi.options import Mode, ReadOptions
from shizi.pages.picture import Wanted, draw

if TYPE_CHECKING:
    from shizi.service.child import Reads

_WATCH_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Question:
    """What an engine is asked: to read `data`, to count its pages, to write a `document` read of it in `format`, to
    give the `picture` of a page, to cut out the line of it that was put right, or to give what `look` sees in it.
    """

    data: bytes
    options: ReadOptions
    count: bool = False
    document: Document | None = None
    format: str = ""
    picture: Wanted | None = None
    given: Given | None = None
    look: Callable[[bytes], Any] | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What an engine answers: what it was asked for, an error, or the places of a defect of ours."""

    document: Document | None = None
    pages: int = 0
    written: bytes = b""
    strip: Strip | None = None
    seen: Any = None
    error: ShiziError | None = None
    defect: str = ""
    weights: tuple[str, ...] = ()
    firsts: Mapping[str, str] = field(default_factory=dict)
    memory: int = 0


def main() -> None:
    """Load the reader and answer until the connection ends."""
    parent = os.getppid()
    # Ctrl-C and a supervisor's SIGTERM reach the whole group: the service drains, and ends its engines itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()
    with Connection(int(sys.argv[1])) as connection:
        try:
            sys.path[:] = connection.recv()
            reader: Reads = _load(connection)
            while True:
                answer = _answer(reader, connection.recv())
                connection.send(replace(answer, memory=_held()))
        except (EOFError, ConnectionError):
            return  # the service is gone or needs this engine no longer


def _load(connection: Connection) -> "Reads":
    load = connection.recv()
    try:
        reader: Reads = load()
    except ShiziError as error:
        connection.send(Answer(error=error))
        raise EOFError from error
    firsts = firsts_of(reader)
    connection.send(Answer(weights=tuple(reader.weights), firsts=firsts, memory=_held()))
    return reader


def firsts_of(reader: "Reads") -> dict[str, str]:
    """Name what reads every line, by the modes in which another model may read it again."""
    named = ((mode, reader.first_model(mode)) for mode in get_args(Mode))
    return {mode: name for mode, name in named if name}


def _answer(reader: "Reads", question: Question) -> Answer:
    try:
        return _answered(reader, question)
    except ShiziError as error:
        return Answer(error=error)
    except Exception as error:  # noqa: BLE001  # stands in for the HTTP handler: a defect fails one request
        # The message may hold recognised text: only its kind and place leave.
        frames = traceback.extract_tb(error.__traceback__)
        places = " < ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in reversed(frames[-8:]))
        return Answer(defect=f"{type(error).__name__} at {places}")


def _answered(reader: "Reads", question: Question) -> Answer:
    if question.count:
        return Answer(pages=reader.count(question.data, question.options))
    if question.picture is not None:
        drawn, pages = draw(question.data, question.picture)
        return Answer(written=drawn, pages=pages)
    if question.document is not None:
        return Answer(
            written=FORMATS[question.format].write(question.document, question.data, question.options.password)
        )
    if question.given is not None:
        return Answer(strip=reader.corrected(question.data, question.given))
    if question.look is not None:
        return Answer(seen=question.look(question.data))
    return Answer(document=reader.read(question.data, question.options))


def _held() -> int:
    """Give the memory that is held between two questions."""
    give_memory_back()
    return own_memory()


def _watch(parent: int) -> None:
    """End with the service, also in the middle of a reading that may never end."""
    pause = threading.Event()
    while os.getppid() == parent:
        pause.wait(_WATCH_SECONDS)
    os._exit(0)
