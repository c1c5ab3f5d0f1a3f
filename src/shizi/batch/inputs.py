"""Inputs: what a batch reads, named one by one and opened where they are read.

Takes sources (files, folders, archives, addresses of object stores, lists of all these), gives one `Item` after the
other: nothing is kept, so a million names cost no more memory than one. An item's id is its place as the source gave
it, the same in every run; for a member of an archive `ARCHIVE!/MEMBER`. What cannot be listed is an item with an error.
"""

import fnmatch
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from shizi.batch import archives, stores
from shizi.batch.items import Item, most_bytes, too_large
from shizi.errors import DamagedFile, InputError, OptionsError, ShiziError

LIST_MARK, STANDARD_INPUT = "@", "-"
# Lists are told by their mark; a file of names given without it would be one unreadable "picture".
_LIST_SUFFIXES = (".txt", ".lst", ".list", ".csv", ".tsv", ".jsonl")


@dataclass(frozen=True, slots=True)
class Sources:
    """What to read. `include`, `exclude`: patterns for what is found in folders and archives; `leave_out`: a folder."""

    names: tuple[str, ...]
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    leave_out: str = ""

    def check(self) -> None:
        """Refuse what can be told to be wrong before anything is read: OptionsError, InputError."""
        for name in self.names:
            place = name.removeprefix(LIST_MARK)
            if not place:
                raise OptionsError("A source is empty; expected a file, a folder, an archive, an address or @LIST.")
            if stores.is_address(place):
                stores.check(place)
            elif name.startswith(LIST_MARK):
                if place != STANDARD_INPUT and not os.path.isfile(place):
                    raise InputError(f"There is no list {place}; expected a file of names, one a row.")
            elif not os.path.exists(place):
                raise InputError(f"There is no file or folder {place}; expected something to read.")
            elif place.lower().endswith(_LIST_SUFFIXES) and os.path.isfile(place):
                raise OptionsError(f"{place} is no picture; if it is a list of inputs, name it @{place}.")

    def items(self) -> Iterator[Item]:
        """Name every input of every source, in the order of the sources."""
        for name in self.names:
            if name.startswith(LIST_MARK):
                for entry in _entries(name.removeprefix(LIST_MARK)):
                    yield from self._of(entry) if isinstance(entry, str) else iter((entry,))
            else:
                yield from self._of(name)

    def _of(self, place: str) -> Iterator[Item]:
        """Name the inputs of one place: itself, or what it holds."""
        if stores.is_address(place):
            yield from self._kept(_stored(place), place)
            return
        place = os.path.normpath(place)
        if os.path.isdir(place):
            left_out = os.path.realpath(self.leave_out) if self.leave_out else ""
            yield from self._kept(_folder(place, left_out), place)
        elif archives.is_archive(place):
            yield from self._kept(archives.items(place), place)
        else:
            yield Item(place, place)

    def _kept(self, items: Iterator[Item], source: str) -> Iterator[Item]:
        """Leave out what no pattern includes or one excludes: by its path within the source, or its name alone."""
        for item in items:
            if item.error or self._wanted(item.id.removeprefix(source).lstrip("!/")):
                yield item

    def _wanted(self, path: str) -> bool:
        included = not self.include or any(_matches(path, pattern) for pattern in self.include)
        return included and not any(_matches(path, pattern) for pattern in self.exclude)


def load(item: Item) -> bytes:
    """Fetch an item's bytes. Raises its error, InputError for what cannot be fetched, DamagedFile, TooLarge."""
    if item.error is not None:
        raise item.error
    if item.content is not None:
        return item.content
    if item.size > most_bytes():
        raise too_large(item.size)
    if item.member:
        return archives.member(item.place, item.member)
    data = stores.fetch(item.place, item.offset, item.size)
    if len(data) > most_bytes():
        raise too_large(len(data))
    if len(data) < item.size:
        raise DamagedFile(f"There are {len(data)} bytes of {item.size}; it was cut short. Send it whole.")
    return data


def _matches(path: str, pattern: str) -> bool:
    return fnmatch.fnmatchcase(path, pattern) or fnmatch.fnmatchcase(path.rsplit("/", 1)[-1], pattern)


def _folder(folder: str, leave_out: str) -> Iterator[Item]:
    """Walk a folder: files as the system gives them, archives opened, links to folders left (they may go round)."""
    waiting = [folder]
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.name.startswith("."):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        if os.path.realpath(entry.path) != leave_out:
                            waiting.append(entry.path)
                    elif archives.is_archive(entry.path) and _holds(entry.is_file):
                        yield from archives.items(entry.path)
                    elif not _holds(entry.is_dir):  # links that lead nowhere, too: who loads them says what is wrong
                        yield Item(entry.path, entry.path)
        except OSError as error:
            message = f"The folder cannot be listed ({error.strerror}); expected one that may be read."
            yield Item(folder, folder, error=InputError(message))


def _holds(test: Callable[[], bool]) -> bool:
    """Ask an entry what it is; one that cannot be told, such as a link to itself, is nothing."""
    try:
        return test()
    except OSError:
        return False


def _stored(address: str) -> Iterator[Item]:
    try:
        for place, size in stores.names(address):
            yield from archives.items(place) if archives.is_archive(place) else (Item(place, place, size=size),)
    except ShiziError as error:
        yield Item(address, address, error=error)


def _entries(place: str) -> Iterator[str | Item]:
    """Give the rows of a list; those that are relative paths are taken from the list's own folder."""
    folder = "" if place == STANDARD_INPUT or stores.is_address(place) else os.path.dirname(place)
    try:
        for row in _rows(place):
            entry = row.strip().removeprefix("\ufeff")  # editors on Windows begin a list with that
            if entry and not entry.startswith("#"):
                yield entry if stores.is_address(entry) else os.path.join(folder, entry)
    except (OSError, UnicodeDecodeError) as error:
        yield Item(f"@{place}", place, error=InputError(f"The list breaks off ({error}); expected rows of UTF-8."))


def _rows(place: str) -> Iterator[str]:
    if place == STANDARD_INPUT:
        yield from sys.stdin
    elif stores.is_address(place):
        yield from stores.rows(place)
    else:
        with open(place, encoding="utf-8") as file:
            yield from file
