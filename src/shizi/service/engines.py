"""Engines: the processes that read, kept alive, and one reading at a time handed to each.

Takes a function that loads a reader (it must pickle) and gives `read` and `count`, as that reader has them, with a
deadline. A reading that brings its process down costs that reading alone: the connections of all callers are held
elsewhere, and a new engine takes the dead one's place, ever later if they keep dying. An engine that has grown too
large, or has read too long, is replaced; all are, one after the other, when other models are to be read with. Knows
nothing of HTTP, nor of who is read first.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import TypeVar

from shizi.corrections import Given, Strip
from shizi.document import Document
from shizi.errors import DeadlinePassed, ShiziError, Stopping, WorkerLost
from shizi.options import ReadOptions
from shizi.pages.picture import Wanted
from shizi.service.child import Child, Load
from shizi.service.engine import Answer, Question

Seen = TypeVar("Seen")

log = logging.getLogger(__name__)

# Deaths within this time are one crash loop; from the third on each waits twice as long as the one before.
_LOOP_SECONDS = 60.0
_FREE_DEATHS = 2
_FIRST_DELAY_SECONDS = 0.5
_LONGEST_DELAY_SECONDS = 30.0
_LOOK_SECONDS = 0.5
# A limit that a fresh engine already fills would replace engines for ever.
_ROOM_TO_GROW = 1.5


class Defect(Exception):
    """Says that an engine failed by a defect of ours; the message names its kind and places, never content."""


class Engines:
    """A fixed number of engines; `read` and `count` may be called from many threads."""

    def __init__(self, load: Load, count: int, longest_seconds: float, max_memory: int = 0) -> None:
        """Start `count` engines and wait until all have their models.

        One that reads longer than `longest_seconds` is killed; one that holds more than `max_memory` bytes (0: any) is
        replaced between readings. Raises what kept the first from loading.
        """
        self._load = load
        self._count = count
        self._longest = longest_seconds
        self._max_memory = max_memory
        self._lock = threading.Condition()
        self._idle: deque[Child] = deque()
        self._all: set[Child] = set()
        self._deaths: deque[float] = deque(maxlen=100)
        self._renewing = False
        self._closed = False
        self._closing = threading.Event()
        self._changing = threading.Lock()
        engines = [Child(load) for _ in range(count)]
        try:
            answers = [engine.ready() for engine in engines]
        except ShiziError:
            for engine in engines:
                engine.end(kill=True)
            raise
        self._weights, self._firsts = answers[0].weights, answers[0].firsts
        self._all.update(engines)
        self._idle.extend(engines)
        threading.Thread(target=self._look_after, daemon=True, name="engines").start()

    @property
    def weights(self) -> tuple[str, ...]:
        """The labels of the models that fresh engines have."""
        return self._weights

    @property
    def firsts(self) -> Mapping[str, str]:
        """What reads every line, by the modes in which another model may read it again; of fresh engines."""
        return self._firsts

    @property
    def alive(self) -> int:
        """How many engines can read now or are reading."""
        with self._lock:
            return len(self._all)

    @property
    def memory(self) -> int:
        """The bytes of memory all engines held after their last readings."""
        with self._lock:
            return sum(engine.memory for engine in self._all)

    @property
    def pids(self) -> tuple[int, ...]:
        """The process ids of the engines."""
        with self._lock:
            return tuple(engine.pid for engine in self._all)

    def read(self, data: bytes, options: ReadOptions, deadline: float | None = None) -> Document:
        """Read `data` in a free engine until `deadline` (of `time.monotonic`).

        Raises what the reader raises, WorkerLost when the engine dies, DeadlinePassed when it takes too long.
        """
        document = self._ask(Question(data, options), deadline).document
        assert document is not None
        return document

    def count(self, data: bytes, options: ReadOptions, deadline: float | None = None) -> int:
        """Count the pages of `data`; raises as `read` does."""
        return self._ask(Question(data, options, count=True), deadline).pages

    def write(
        self, name: str, document: Document, data: bytes, options: ReadOptions, deadline: float | None = None
    ) -> bytes:
        """Write `document`, which was read of `data`, in the format of this name; raises as `read` does."""
        return self._ask(Question(data, options, document=document, format=name), deadline).written

    def picture(self, data: bytes, wanted: Wanted, deadline: float | None = None) -> tuple[bytes, int]:
        """Give one page of `data` as a JPEG, and how many pages there are; raises as `read` does."""
        answer = self._ask(Question(data, ReadOptions(), picture=wanted), deadline)
        return answer.written, answer.pages

    def corrected(self, data: bytes, given: Given, deadline: float | None = None) -> Strip:
        """Cut out the line of `data` that was put right; raises as `read` does."""
        strip = self._ask(Question(data, ReadOptions(), given=given), deadline).strip
        assert strip is not None
        return strip

    def look(self, data: bytes, look: Callable[[bytes], Seen], deadline: float | None = None) -> Seen:
        """Give what `look` sees in `data` (it must pickle, and so must that); raises as `read` does."""
        seen: Seen = self._ask(Question(data, ReadOptions(), look=look), deadline).seen
        return seen

    def change(self, load: Load) -> None:
        """Read with what `load` loads from now on: put a fresh engine beside each old one, then retire the old one.

        No reading waits for it or fails by it, and at no time is there more than one engine too many. Raises what keeps
        the first fresh one from loading, and then nothing has changed; Stopping when the service closes.
        """
        with self._changing:
            fresh = Child(load)
            try:
                answer = fresh.ready()
            except ShiziError:
                fresh.end(kill=True)
                raise
            with self._lock:
                self._load, self._weights, self._firsts = load, answer.weights, answer.firsts
                old = list(self._all)
            self._enter(fresh, instead=old.pop() if old else None)
            for engine in old:
                if self._start_another(instead=engine) is None and self._closed:
                    raise Stopping("The service is stopping; its models change when it starts again.")

    def close(self) -> None:
        """End all engines; those that read are killed."""
        with self._lock:
            self._closed = True
            self._closing.set()
            idle, engines = set(self._idle), list(self._all)
            self._all.clear()
            self._idle.clear()
            self._lock.notify_all()
        for engine in engines:
            engine.end(kill=engine not in idle)

    def _ask(self, question: Question, deadline: float | None) -> Answer:
        until = time.monotonic() + self._longest if deadline is None else deadline
        engine = self._take(until)
        try:
            engine.ask(question)
            answer = engine.answer(until - time.monotonic())
        except (EOFError, OSError) as error:
            self._lose(engine)
            raise WorkerLost(
                "The process that read this input died; others are not touched. Send it again, and if it happens "
                "again, report the picture."
            ) from error
        if answer is None:
            threading.Thread(target=self._mind, args=(engine,), daemon=True).start()
            raise DeadlinePassed("The reading did not end by its deadline; its result will be dropped.")
        self._give_back(engine)
        if answer.error is not None:
            raise answer.error
        if answer.defect:
            raise Defect(answer.defect)
        return answer

    def _take(self, until: float) -> Child:
        with self._lock:
            while True:
                while self._idle:
                    engine = self._idle.popleft()
                    if engine.alive:
                        return engine
                    self._forget(engine)
                if self._closed:
                    raise Stopping("The service is stopping; send the request again, to another one or a moment later.")
                left = until - time.monotonic()
                if left <= 0:
                    raise DeadlinePassed("No reading process was free before the deadline.")
                self._lock.wait(left)

    def _give_back(self, engine: Child) -> None:
        with self._lock:
            keep = engine in self._all and not engine.retired
            if keep:
                self._idle.append(engine)
                self._lock.notify()
            renew = keep and 0 < self._max_memory < engine.memory and not self._renewing
            self._renewing = self._renewing or renew
            if not keep:
                self._all.discard(engine)
        if not keep:
            engine.end()
        if renew:
            threading.Thread(target=self._renew, args=(engine,), daemon=True).start()

    def _mind(self, engine: Child) -> None:
        """Wait for a reading nobody waits for any more; kill what will not end."""
        try:
            answer = engine.answer(engine.since + self._longest - time.monotonic())
        except (EOFError, OSError):
            answer = None
        if answer is None:
            log.warning("an engine read for more than %g seconds, or died: it is replaced", self._longest)
            self._lose(engine)
        else:
            self._give_back(engine)

    def _lose(self, engine: Child) -> None:
        with self._lock:
            if engine not in self._all:
                return  # closed meanwhile
            self._forget(engine)
        engine.end(kill=True)

    def _forget(self, engine: Child) -> None:
        """Take a dead engine out and start another. The lock is held."""
        self._all.discard(engine)
        if not engine.retired and not self._closed:
            self._deaths.append(time.monotonic())
            threading.Thread(target=self._start_another, daemon=True).start()

    def _delay(self) -> float:
        """How long the next engine waits to start, by how many died of late."""
        deaths = sum(time.monotonic() - death < _LOOP_SECONDS for death in self._deaths)
        if deaths <= _FREE_DEATHS:
            return 0.0
        return float(min(_LONGEST_DELAY_SECONDS, _FIRST_DELAY_SECONDS * 2 ** (deaths - _FREE_DEATHS - 1)))

    def _start_another(self, instead: Child | None = None) -> Child | None:
        """Start engines until one loads, and retire `instead`; None when there are enough, or the service closes."""
        while not self._closing.wait(self._delay()):
            engine = Child(self._load)
            try:
                engine.ready()
            except ShiziError as error:
                log.error("an engine did not start: %s", error.message)
                engine.end(kill=True)
                self._deaths.append(time.monotonic())
                continue
            if self._enter(engine, instead):
                return engine
            if engine.load is self._load:
                return None
        return None

    def _enter(self, engine: Child, instead: Child | None = None) -> bool:
        """Let an engine read, and retire `instead` in the same moment.

        It is ended instead if there are enough without it, or the models were changed while it loaded.
        """
        idle = False
        with self._lock:
            current = engine.load is self._load
            if current and instead is not None and instead in self._all:
                instead.retired = True
                idle = instead in self._idle
                if idle:
                    self._idle.remove(instead)
                    self._all.discard(instead)
            wanted = current and not self._closed and sum(not other.retired for other in self._all) < self._count
            if wanted:
                self._all.add(engine)
                self._idle.append(engine)
                self._lock.notify()
        if idle and instead is not None:
            instead.end()
        if not wanted:
            engine.end()
        return wanted

    def _renew(self, old: Child) -> None:
        """Put a fresh engine beside one that has grown, then retire the old one: no reading waits for it."""
        log.info("an engine holds %d MB: it is replaced", old.memory // 1_000_000)
        fresh = self._start_another(instead=old)
        with self._lock:
            self._renewing = False
            if fresh is None or self._closed:
                return
            if fresh.memory * _ROOM_TO_GROW > self._max_memory:
                self._max_memory = int(fresh.memory * _ROOM_TO_GROW)
                log.warning("a fresh engine fills its limit; from now on it is %d MB", self._max_memory // 1_000_000)

    def _look_after(self) -> None:
        """Notice engines that died while idle."""
        while not self._closing.wait(_LOOK_SECONDS):
            with self._lock:
                for engine in [engine for engine in self._idle if not engine.alive]:
                    self._idle.remove(engine)
                    self._forget(engine)
