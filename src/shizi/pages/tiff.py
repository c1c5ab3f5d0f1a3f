"""TIFF directories: what each frame of a TIFF is, and one frame as a small clean TIFF of its own.

Takes the bytes of a TIFF, a BigTIFF or an EXIF block (which is a TIFF without pixels). Gives `Directory`
values: tag numbers to integers, read only when asked for. Knows the file's structure (TIFF 6.0), not how
pixels are packed.

`alone` is why a decoder never meets the file itself: it gets one directory holding only the tags that make
pixels, so metadata can neither hurt nor mislead it, every frame is reached at once, and frames cost their own
bytes only.
"""

import struct
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from shizi.errors import DamagedFile

WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC = 256, 257, 258, 259, 262
STRIP_OFFSETS, SAMPLES, ROWS_PER_STRIP, STRIP_BYTES = 273, 277, 278, 279
PLANAR, TILE_WIDTH, TILE_HEIGHT, TILE_OFFSETS, TILE_BYTES = 284, 322, 323, 324, 325
SUBFILE, ORIENTATION, X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT = 254, 274, 282, 283, 296
EXTRA_SAMPLES, SAMPLE_FORMAT, JPEG_TABLES = 338, 339, 347
FILL_ORDER, T4_OPTIONS, PREDICTOR, COLOUR_MAP, SUBSAMPLING = 266, 292, 317, 320, 530

# Tags a frame keeps when it is cut out, with how many values each may have (None: as many as it has).
_KEPT: dict[int, int | None] = {
    **dict.fromkeys((WIDTH, HEIGHT, COMPRESSION, PHOTOMETRIC, FILL_ORDER, SAMPLES, ROWS_PER_STRIP), 1),
    **dict.fromkeys((PLANAR, T4_OPTIONS, PREDICTOR, TILE_WIDTH, TILE_HEIGHT), 1),
    **dict.fromkeys((BITS, COLOUR_MAP, EXTRA_SAMPLES, SAMPLE_FORMAT, SUBSAMPLING), None),
}
_LONG_TAGS = {WIDTH, HEIGHT, ROWS_PER_STRIP, TILE_WIDTH, TILE_HEIGHT, T4_OPTIONS}

_INTEGERS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q"}
_SIZES = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,
}
_SHORT, _LONG, _RATIONAL, _UNDEFINED = 3, 4, 5, 7

# The longest honest list is a 16-bit palette (3 * 65536); strips beyond that say the file is made to exhaust
# us.
MAX_VALUES = 200_000

# Tags walked in one file: 200 pages of 5,000. More are a trap made of directories that lie over one another.
MAX_TAGS = 1_000_000

# A tile is decoded whole, so its size counts; on small pages tiles of 256 to 1024 pixels a side are usual.
LARGEST_TILE = 2048 * 2048


@dataclass(frozen=True, slots=True)
class Directory:
    """One frame's tags: `entries` maps a tag to the type, count and place of its values in `data`."""

    data: bytes
    order: str
    entries: dict[int, tuple[int, int, int]]

    def numbers(self, tag: int) -> tuple[int, ...]:
        """Give a tag's integers, none when it is absent or holds no integers; raises DamagedFile."""
        kind, count, place = self.entries.get(tag, (0, 0, 0))
        if kind not in _INTEGERS:
            return ()
        if count > MAX_VALUES:
            raise DamagedFile(f"The TIFF's tag {tag} claims {count} values; at most {MAX_VALUES} are expected.")
        self._check(tag, place + count * _SIZES[kind])
        return struct.unpack_from(f"{self.order}{count}{_INTEGERS[kind]}", self.data, place)

    def number(self, tag: int, default: int) -> int:
        """Give a tag's first integer, or `default`."""
        numbers = self.numbers(tag)
        return numbers[0] if numbers else default

    def rational(self, tag: int) -> float | None:
        """Give a tag's first fraction, None when it is absent, cut off or divides by zero."""
        kind, count, place = self.entries.get(tag, (0, 0, 0))
        if kind != _RATIONAL or not count or place + 8 > len(self.data):
            return None
        above, below = struct.unpack_from(f"{self.order}2I", self.data, place)
        return above / below if below else None

    def dpi(self) -> tuple[float, float] | None:
        """Give the dots an inch across and down, None when either is not stated."""
        x, y = self.rational(X_RESOLUTION), self.rational(Y_RESOLUTION)
        scale = {2: 1.0, 3: 2.54}.get(self.number(RESOLUTION_UNIT, 2))
        return (x * scale, y * scale) if x and y and scale else None

    def block(self, tag: int) -> bytes:
        """Give a tag's raw bytes, empty when it is absent; raises DamagedFile."""
        kind, count, place = self.entries.get(tag, (_UNDEFINED, 0, 0))
        self._check(tag, place + count * _SIZES[kind])
        return self.data[place : place + count * _SIZES[kind]]

    def _check(self, tag: int, end: int) -> None:
        if end > len(self.data):
            raise DamagedFile(f"The TIFF breaks off: the values of tag {tag} are missing. Send the whole file.")


def directories(data: bytes) -> Iterator[Directory]:
    """Walk the frames of a TIFF, in file order; raises DamagedFile when they break off or form a circle."""
    try:
        yield from _walk(data)
    except struct.error as error:
        raise DamagedFile("The TIFF breaks off inside its list of frames. Send the whole file.") from error


def _walk(data: bytes) -> Iterator[Directory]:
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None or len(data) < 8:
        raise DamagedFile("The TIFF has no header of its own. Send the whole file.")
    big = struct.unpack_from(f"{order}H", data, 2)[0] == 43
    (place,) = struct.unpack_from(f"{order}{'Q' if big else 'I'}", data, 8 if big else 4)
    seen: set[int] = set()
    left = MAX_TAGS
    while place:
        if place in seen:
            raise DamagedFile("The TIFF's list of frames runs in a circle. Save it again with another program.")
        seen.add(place)
        directory, place, count = _directory(data, order, big, place)
        left -= count + 1
        if left < 0:
            raise DamagedFile(f"The TIFF has more than {MAX_TAGS} tags. Save it again with another program.")
        yield directory


def _directory(data: bytes, order: str, big: bool, place: int) -> tuple[Directory, int, int]:
    """Read the directory at `place`; give it, the place of the next (0: none) and its tag count."""
    head, entry, inline = (f"{order}Q", f"{order}HHQ", 8) if big else (f"{order}H", f"{order}HHI", 4)
    if place > len(data):
        raise struct.error
    (count,) = struct.unpack_from(head, data, place)
    start, step = place + struct.calcsize(head), struct.calcsize(entry) + inline
    if start + count * step > len(data):
        raise struct.error
    entries: dict[int, tuple[int, int, int]] = {}
    for at in range(start, start + count * step, step):
        tag, kind, values = struct.unpack_from(entry, data, at)
        value_at, size = at + step - inline, values * _SIZES.get(kind, 0)
        if size > inline:
            (value_at,) = struct.unpack_from(f"{order}{'Q' if big else 'I'}", data, value_at)
        if size:
            entries.setdefault(tag, (kind, values, value_at))
    (following,) = struct.unpack_from(f"{order}{'Q' if big else 'I'}", data, start + count * step)
    return Directory(data, order, entries), following, count


def alone(frame: Directory) -> bytes:
    """Write one frame as a TIFF of its own, with only the tags its pixels need; raises DamagedFile."""
    tiled = bool(frame.numbers(TILE_OFFSETS))
    pieces = _pieces(frame, tiled)
    values = {tag: frame.numbers(tag)[:count] for tag, count in _KEPT.items()}
    tags: dict[int, tuple[int, bytes]] = {}
    for tag, numbers in values.items():
        if numbers:
            kind = _LONG if tag in _LONG_TAGS else _SHORT
            tags[tag] = (kind, _packed(frame.order, kind, numbers))
    if tables := frame.block(JPEG_TABLES):
        tags[JPEG_TABLES] = (_UNDEFINED, tables)
    lengths = [len(piece) for piece in pieces]
    tags[TILE_BYTES if tiled else STRIP_BYTES] = (_LONG, _packed(frame.order, _LONG, lengths))
    # The offsets need their room before their values are known: the pixels come after everything else.
    offsets_tag = TILE_OFFSETS if tiled else STRIP_OFFSETS
    tags[offsets_tag] = (_LONG, bytes(4 * len(pieces)))
    start = len(_written(frame.order, tags))
    starts = list(accumulate(lengths[:-1], initial=start))
    tags[offsets_tag] = (_LONG, _packed(frame.order, _LONG, starts))
    return b"".join((_written(frame.order, tags), *pieces))


def _packed(order: str, kind: int, numbers: Sequence[int]) -> bytes:
    try:
        return struct.pack(f"{order}{len(numbers)}{_INTEGERS[kind]}", *numbers)
    except struct.error as error:
        raise DamagedFile("The TIFF has a value beyond its tag's range. Save it again.") from error


def _pieces(frame: Directory, tiled: bool) -> list[bytes]:
    """Give the strips or tiles of a frame, in order; raises DamagedFile when bytes are missing."""
    offsets = frame.numbers(TILE_OFFSETS if tiled else STRIP_OFFSETS)
    lengths = frame.numbers(TILE_BYTES if tiled else STRIP_BYTES)
    expected = _expected_pieces(frame, tiled)
    if len(offsets) < expected:
        raise DamagedFile(f"The TIFF has {len(offsets)} of {expected} strips or tiles. Send the whole file.")
    if len(lengths) < expected:  # old writers leave them out: a strip then reaches to the next one
        ends = sorted({*offsets, len(frame.data)})
        nexts = (bisect_right(ends, offset) for offset in offsets)
        lengths = tuple(
            ends[after] - offset if after < len(ends) else 0 for offset, after in zip(offsets, nexts, strict=True)
        )
    offsets, lengths = offsets[:expected], lengths[:expected]
    if any(offset + length > len(frame.data) for offset, length in zip(offsets, lengths, strict=True)):
        raise DamagedFile("The TIFF breaks off: pixels it points to are missing. Send the whole file.")
    # Strips that share bytes would let a small file grow without end.
    if sum(lengths) > len(frame.data):
        raise DamagedFile("The TIFF's strips lie over one another. Save it again with another program.")
    return [frame.data[offset : offset + length] for offset, length in zip(offsets, lengths, strict=True)]


def _expected_pieces(frame: Directory, tiled: bool) -> int:
    width, height = frame.number(WIDTH, 0), frame.number(HEIGHT, 0)
    planes = frame.number(SAMPLES, 1) if frame.number(PLANAR, 1) == 2 else 1
    if tiled:
        across, down = frame.number(TILE_WIDTH, 0), frame.number(TILE_HEIGHT, 0)
        if not across or not down:
            raise DamagedFile("The TIFF's tiles have no size. Save it again with another program.")
        if across * down > max(LARGEST_TILE, 2 * width * height):
            raise DamagedFile(
                f"The TIFF's tiles have {across} x {down} pixels, its page {width} x {height}. Save it again."
            )
        count = -(-width // across) * -(-height // down)
    else:
        count = -(-height // max(1, min(frame.number(ROWS_PER_STRIP, height), height)))
    return count * planes


def _written(order: str, tags: dict[int, tuple[int, bytes]]) -> bytes:
    """Write header, directory and the values that do not fit into it."""
    at = 8 + 2 + 12 * len(tags) + 4
    entries, values = [], []
    for tag, (kind, packed) in sorted(tags.items()):
        entries.append(struct.pack(f"{order}HHI", tag, kind, len(packed) // _SIZES[kind]))
        if len(packed) <= 4:
            entries.append(packed.ljust(4, b"\0"))
            continue
        entries.append(struct.pack(f"{order}I", at))
        values.append(packed + b"\0" * (len(packed) % 2))
        at += len(values[-1])
    mark = b"II" if order == "<" else b"MM"
    head = mark + struct.pack(f"{order}HIH", 42, 8, len(tags))
    return b"".join((head, *entries, bytes(4), *values))
