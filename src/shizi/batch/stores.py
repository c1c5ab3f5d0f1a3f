"""Stores: bytes by path or by address (`s3://bucket/key`, `gs://`, `https://`), the latter through fsspec.

fsspec and what it needs for a kind of store are extras; an address without them is an error that says which to
install. Access keys are those that the store's own package finds (for S3: environment, profile, role of the machine).
"""

import importlib.util
import io
import os
import re
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Any

from shizi.batch.items import most_bytes
from shizi.errors import InputError, OptionsError

if TYPE_CHECKING:
    import fsspec

# An archive's index is read in blocks of this size: of small files several with one request, of large ones little else.
_BLOCK_BYTES = 262_144
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")  # two letters at least: C:// is a path


def is_address(place: str) -> bool:
    """Say whether a place is an address rather than a path."""
    return _ADDRESS.match(place) is not None


def check(address: str) -> None:
    """Raise OptionsError where the package for this kind of address is missing."""
    _store(address)


def names(address: str) -> Iterator[tuple[str, int]]:
    """Name the files at and below an address, each with its size (-1: not told).

    Raises InputError where it cannot be listed, also in the middle.
    """
    store, path = _store(address)
    try:
        if not store.isdir(path):
            yield address, -1
            return
        for _, folders, files in store.walk(path, detail=True, on_error="raise"):
            for name in [name for name in folders if name.startswith(".")]:
                del folders[name]  # it is not gone into
            for detail in files.values():
                if not detail["name"].rsplit("/", 1)[-1].startswith("."):
                    size = detail.get("size")
                    yield store.unstrip_protocol(detail["name"]), -1 if size is None else size
            store.invalidate_cache()  # of listings that were gone through
    except Exception as error:  # each kind of store has error classes of its own
        raise _unreachable(error) from error


def rows(address: str) -> Iterator[str]:
    """Give the rows of a text at an address."""
    with io.TextIOWrapper(open_file(address), encoding="utf-8") as file:
        yield from file


def fetch(place: str, offset: int = -1, size: int = -1) -> bytes:
    """Fetch a file's bytes (one more than are read at most), or `size` of them from `offset`. Raises InputError."""
    if is_address(place):
        return _fetch_stored(place, offset, size)
    try:
        if os.path.exists(place) and not os.path.isfile(place):
            raise InputError("This is no file but a folder, a pipe or a device; expected a picture.")
        with open(place, "rb") as file:
            if offset < 0:
                return file.read(most_bytes() + 1)
            file.seek(offset)
            return file.read(size)
    except (OSError, ValueError) as error:  # ValueError: a name with a zero byte
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"The file cannot be opened ({reason}); expected the name of a picture.") from error


def _fetch_stored(address: str, offset: int, size: int) -> bytes:
    """Fetch with one request where the size is known, which costs a store least."""
    store, path = _store(address)
    try:
        if offset >= 0:
            return bytes(store.cat_file(path, start=offset, end=offset + size))
        if size >= 0:
            return bytes(store.cat_file(path))
        with store.open(path, "rb") as file:
            return bytes(file.read(most_bytes() + 1))
    except Exception as error:  # each kind of store has error classes of its own
        raise _unreachable(error) from error


def open_file(place: str) -> IO[bytes]:
    """Open a path or an address to read here and there in it. Raises OSError, InputError, OptionsError."""
    if not is_address(place):
        return open(place, "rb")
    store, path = _store(place)
    try:
        file: IO[bytes] = store.open(path, "rb", block_size=_BLOCK_BYTES)
    except OSError:
        raise
    except Exception as error:
        raise _unreachable(error) from error
    return file


def _unreachable(error: Exception) -> InputError:
    return InputError(f"The address cannot be read ({type(error).__name__}: {str(error)[:200]}).")


def _store(address: str) -> "tuple[fsspec.AbstractFileSystem, str]":
    kind = address.split("://", 1)[0]
    extra = "s3" if kind == "s3" else "fsspec"
    if importlib.util.find_spec("fsspec") is None:
        raise OptionsError(f"Reading {kind}:// needs an extra: pip install 'shizi[{extra}]'.")
    import fsspec

    options: dict[str, Any] = {} if kind in ("file", "local", "memory") else {"use_listings_cache": False}
    try:
        store, path = fsspec.url_to_fs(address, **options)
    except ImportError as error:
        raise OptionsError(f"Reading {kind}:// needs an extra: pip install 'shizi[{extra}]'. ({error})") from error
    except ValueError as error:
        raise OptionsError(f"The address {kind}:// is of no kind known here: {error}.") from error
    return store, path
