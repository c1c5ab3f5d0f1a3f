"""Archives: what lies in zip and tar files, named without unpacking them.

A plain tar (also one of thousands of shards) is entered at the place of each member; a zip has an index; a packed tar
has to be read from front to end, so its members' bytes travel with them. A damaged archive gives the members before
the damage and one item with the error, under its own name. Nothing is ever unpacked to a disk.
"""

import lzma
import os
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from shizi.batch import stores
from shizi.batch.items import Item, most_bytes, too_large
from shizi.errors import DamagedFile, InputError, ShiziError

PACKED = (".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
SUFFIXES = (".zip", ".tar", *PACKED)
# What writers of archives add for themselves.
_LITTER = ("__MACOSX/",)
_IS_UTF8 = 0x800  # APPNOTE.TXT, 4.4.4, bit 11
_BROKEN = (tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError)


def is_archive(place: str) -> bool:
    """Say by its name whether a file is looked into."""
    return place.lower().endswith(SUFFIXES)


def items(place: str) -> Iterator[Item]:
    """Name the files in the archive at `place`, a path or an address."""
    zipped, empty = place.lower().endswith(".zip"), True
    try:
        for item in _in_zip(place) if zipped else _in_tar(place, place.lower().endswith(PACKED)):
            empty = False
            yield item
        if empty:
            yield Item(place, place, error=InputError("The archive holds no files to read; expected pictures in it."))
    except _BROKEN as error:
        read = "its table of contents cannot be read" if zipped else "what stands before the damage was read"
        damaged = f"The archive is damaged or cut short ({type(error).__name__}); {read}. Send it whole."
        yield Item(place, place, error=DamagedFile(damaged))
    except OSError as error:
        yield Item(place, place, error=DamagedFile(f"The archive cannot be read ({error.strerror or error})."))
    except ShiziError as error:
        yield Item(place, place, error=error)


def member(place: str, name: str) -> bytes:
    """Fetch one member of a zip. Raises TooLarge, DamagedFile, and InputError where it is locked or gone."""
    try:
        archive = _last_zip.open(place)
        size = archive.getinfo(name).file_size
        if size > most_bytes():
            raise too_large(size)
        with archive.open(name) as file:
            data = file.read(most_bytes() + 1)
    except _BROKEN as error:
        raise DamagedFile(f"The archive's member is damaged ({type(error).__name__}). Pack it again.") from error
    except (RuntimeError, KeyError) as error:
        raise InputError("The archive's member is encrypted, or gone since it was listed; unpack it first.") from error
    except OSError as error:
        raise InputError(f"The archive cannot be opened ({error.strerror or error}).") from error
    if len(data) > most_bytes():
        raise too_large(len(data))
    return data


@dataclass(slots=True)
class _LastZip:
    """The zip that was read from last, kept open: its index is read once for all its members, not for each."""

    key: object = None
    archive: zipfile.ZipFile | None = None

    def open(self, place: str) -> zipfile.ZipFile:
        """Open `place`, or give it as it is open already. For one thread."""
        key = (os.path.abspath(place), os.stat(place).st_mtime_ns) if not stores.is_address(place) else place
        if self.archive is None or self.key != key:
            if self.archive is not None:
                self.archive.close()
            self.archive = zipfile.ZipFile(stores.open_file(place) if stores.is_address(place) else place)
            self.key = key
        return self.archive


_last_zip = _LastZip()


def _in_zip(place: str) -> Iterator[Item]:
    with stores.open_file(place) as file, zipfile.ZipFile(file) as archive:
        for info in archive.infolist():
            if not info.is_dir() and _is_input(info.filename):
                yield Item(f"{place}!/{_readable(info)}", place, member=info.filename, size=info.file_size)


def _readable(info: zipfile.ZipInfo) -> str:
    """Give a member's name as it was meant: packers on Chinese Windows write GBK, which is then taken for CP437."""
    if info.flag_bits & _IS_UTF8 or info.filename.isascii():
        return info.filename
    try:
        return info.filename.encode("cp437").decode("gbk")
    except UnicodeError:
        return info.filename


def _in_tar(place: str, packed: bool) -> Iterator[Item]:
    with stores.open_file(place) as file, tarfile.open(fileobj=file, mode="r|*" if packed else "r:") as archive:
        for info in archive:
            archive.members = []  # type: ignore[attr-defined]  # the module would keep every header it has seen
            if info.isreg() and _is_input(info.name):
                yield _tar_member(archive, place, info, packed)


def _tar_member(archive: tarfile.TarFile, place: str, info: tarfile.TarInfo, packed: bool) -> Item:
    name = f"{place}!/{info.name}"
    if info.size > most_bytes():
        return Item(name, place, error=too_large(info.size))
    if not packed and not info.issparse():
        return Item(name, place, offset=info.offset_data, size=info.size)
    file: IO[bytes] | None = archive.extractfile(info)
    return Item(name, place, content=file.read() if file else b"")


def _is_input(name: str) -> bool:
    hidden = any(part.startswith(".") and part not in (".", "..") for part in name.split("/"))
    return not hidden and not name.startswith(_LITTER)
