"""Queue: the words of jobs, and what a store of them does.

A job is one or more files; its units are pages. Page 0 of a file stands for counting its pages, which makes the
others. A unit is claimed under a lease that is kept up by heartbeats; one whose worker fell silent is claimed again,
and what the silent one may still bring is ignored. Knows nothing of HTTP or of reading.
"""

import hashlib
import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

State = Literal["queued", "running", "done", "failed", "cancelled"]
ENDED = ("done", "failed", "cancelled")
COUNTING = 0
# No webhook waits longer than this for its next try.
LONGEST_WAIT_SECONDS = 7200.0


@dataclass(frozen=True, slots=True)
class Order:
    """What a job is made of. `repeat`: what its caller calls it by, so that sending it twice makes one job."""

    files: Sequence[tuple[str, bytes]]
    options: Mapping[str, str]
    owner: str = ""
    webhook: str = ""
    repeat: str = ""
    no_store: bool = False
    id: str = field(default_factory=lambda: secrets.token_urlsafe(16))


@dataclass(frozen=True, slots=True)
class Unit:
    """One page to read, claimed: `claim` tells this claim from earlier ones of the same page."""

    job: str
    file: int
    page: int
    tries: int
    claim: str


@dataclass(frozen=True, slots=True)
class FileView:
    """One file of a job: its name, its pages once they are counted, and how many were read."""

    name: str
    pages: int | None
    read: int
    failed: int


@dataclass(frozen=True, slots=True)
class View:
    """A job as it stands."""

    id: str
    state: State
    files: tuple[FileView, ...]
    options: Mapping[str, str]
    owner: str
    created: float
    ended: float | None
    webhook: str = ""
    reported: str = ""
    no_store: bool = False

    @property
    def pages(self) -> int | None:
        """The pages of all files; None while some are not counted."""
        counts = [file.pages for file in self.files]
        return None if None in counts else sum(count or 0 for count in counts)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one page: the document of that page alone, or the error's message and code."""

    file: int
    page: int
    values: Mapping[str, Any]

    @property
    def failed(self) -> bool:
        """Whether the page could not be read."""
        return "error" in self.values


@dataclass(frozen=True, slots=True)
class Report:
    """One webhook to send: that `job` is over."""

    job: str
    url: str
    tries: int


class Queue(Protocol):
    """A store of jobs. Every method raises Unavailable when it cannot be written or reached."""

    def submit(self, order: Order) -> str:
        """Take a job, or find the one that the same `repeat` made; give its id.

        Raises OptionsError when `repeat` came with another order.
        """
        ...

    def claim(self) -> Unit | None:
        """Take the next unit under a lease; None if there is nothing to do."""
        ...

    def beat(self, unit: Unit) -> bool:
        """Keep up the lease; False if the unit is no longer this claimer's."""
        ...

    def expand(self, unit: Unit, pages: Sequence[int]) -> None:
        """End counting: these are the pages of the file that are to be read."""
        ...

    def finish(self, unit: Unit, values: Mapping[str, Any]) -> bool:
        """Keep what became of a page; False if another claimer was first, or the job is gone."""
        ...

    def give_back(self, unit: Unit, tried: bool) -> None:
        """Let another claim the unit; `tried` says that the try counts."""
        ...

    def view(self, job: str) -> View | None:
        """Tell how a job stands; None if there is no such job."""
        ...

    def outcomes(self, job: str, failed_only: bool = False) -> Iterator[Outcome]:
        """Give what became of the pages so far, in order; or of those alone that could not be read."""
        ...

    def upload(self, job: str, file: int) -> bytes:
        """Give a file as it came; empty if it is no longer there."""
        ...

    def cancel(self, job: str) -> bool:
        """Stop a job that is not over: its units are dropped. False if it is over or unknown."""
        ...

    def delete(self, job: str) -> bool:
        """Forget a job and all of its content. False if it is unknown."""
        ...

    def take_report(self) -> Report | None:
        """Take a webhook that is due, under a lease."""
        ...

    def reported(self, report: Report, delivered: bool, again_seconds: float | None) -> None:
        """Note how sending went: delivered, to be tried again after so long, or (None) given up."""
        ...

    def sweep(self) -> int:
        """Forget jobs that are kept long enough; say how many."""
        ...

    def close(self) -> None:
        """Let go of the store."""
        ...


def order_digest(order: Order) -> str:
    """Digest all that an order asks for, to tell a repeated one from another under the same key."""
    digest = hashlib.sha256(json.dumps([dict(order.options), order.webhook, order.no_store]).encode())
    for name, data in order.files:
        digest.update(hashlib.sha256(name.encode()).digest() + hashlib.sha256(data).digest())
    return digest.hexdigest()


def lost(tries: int) -> dict[str, str]:
    """Give the outcome of a page that brought its worker down too often."""
    return {
        "error": f"The process that read this page died {tries} times; the page was given up.",
        "code": "worker_lost",
    }
