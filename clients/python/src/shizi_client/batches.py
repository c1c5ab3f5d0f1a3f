"""What a batch gives for each of its files."""

from __future__ import annotations

from dataclasses import dataclass

from shizi_client.errors import AccessError, OptionsError, ShiziError
from shizi_client.models import Reading
from shizi_client.sources import Source

# Files begun or waiting, per one that runs at a time: so that a slow one does not leave the others idle.
AHEAD = 2
# What every other file of a batch would meet too.
FATAL = (AccessError, OptionsError)


@dataclass(frozen=True, slots=True)
class BatchEntry:
    """One file of a batch: its place, what was given, and its `reading` or its `error`."""

    index: int
    source: Source
    reading: Reading | None
    error: ShiziError | OSError | None = None
