"""Item: one input of a batch: its name for good, and where its bytes are.

Made by those who list, sent to whoever reads: it pickles small, bytes travel only where they cannot be fetched again.
"""

from dataclasses import dataclass

from shizi.errors import ShiziError, TooLarge


@dataclass(frozen=True, slots=True)
class Item:
    """One input. `place`: path or address; `member`: its name in a zip; `offset`, `size`: where it lies in a plain tar.

    `content`: the bytes themselves, of a packed tar, which cannot be entered in the middle. `error`: why it cannot be
    read. An id is always whole UTF-8: of a name that is not, the odd bytes are written `\\xNN`.
    """

    id: str
    place: str
    member: str = ""
    offset: int = -1
    size: int = -1
    content: bytes | None = None
    error: ShiziError | None = None

    def __post_init__(self) -> None:
        clean = self.id.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        object.__setattr__(self, "id", clean)


def most_bytes() -> int:
    """Give the size of the largest file that is read."""
    from shizi.pages import Limits  # only when it is needed: a driver that lists and keeps has no pictures to decode

    return Limits().bytes


def too_large(size: int) -> TooLarge:
    """Say that an input has too many bytes."""
    return TooLarge(f"The file has {size} bytes or more; at most {most_bytes()} are read. Send it smaller or in parts.")
