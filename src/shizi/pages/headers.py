"""Headers: what a picture file says of itself, read before any pixel is decoded.

Takes the bytes of a JPEG, PNG, BMP, GIF or WebP file, gives a `Header`: size, orientation, DPI, whether it
moves, and the bytes a decoder should see. Knows the containers, not the pixels. TIFF has a room of its own.

Why not Pillow's own reading of headers: it reports oddities through `warnings`, whose filters belong to the
whole process, checks sizes against a limit that belongs to the whole process too, and reads EXIF on the way.
What is needed here is little, and reading it ourselves keeps every limit ours.
"""

import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from shizi.errors import DamagedFile, UnsupportedFormat
from shizi.pages import tiff

# No honest file has more parts (segments, chunks, blocks); walking on would only cost time.
MAX_PARTS = 500_000

METRES_PER_INCH = 0.0254


@dataclass(frozen=True, slots=True)
class Header:
    """What a file says of its (first) picture, and `pixels`, the bytes to decode.

    `orientation` 1-8 as in EXIF; `dpi` across and down; `animated`: more pictures follow that are not read.
    `key`: the grey value that stands for transparent, scaled to the decoded depth; `plain_cmyk`: ink is
    stored as ink, not turned round as Adobe does; `by_pillow`: OpenCV would be wrong or slower. `components`: of a
    JPEG, 1, 3 or 4 samples a pixel; 0 if it is packed in a way that few programs unpack (arithmetic coding).
    """

    width: int
    height: int
    pixels: bytes
    orientation: int = 1
    dpi: tuple[float, float] | None = None
    animated: bool = False
    keep_depth: bool = False
    key: int | None = None
    plain_cmyk: bool = False
    by_pillow: bool = False
    components: int = 0


def read_header(name: str, data: bytes) -> Header:
    """Read the header of a file of the named format; raises DamagedFile or UnsupportedFormat."""
    try:
        return _READERS[name](data)
    except (struct.error, IndexError) as error:
        raise _cut(name) from error


def _cut(name: str) -> DamagedFile:
    return DamagedFile(f"The {name} file breaks off before its end. Send the whole file.")


def _exif(block: bytes) -> tuple[int, tuple[float, float] | None]:
    """Give orientation and DPI of an EXIF block; an unusable block says nothing, it never fails a picture."""
    try:
        directory = next(tiff.directories(block.removeprefix(b"Exif\0\0")), None)
        if directory is not None:
            orientation = directory.number(tiff.ORIENTATION, 1)
            return orientation if 1 <= orientation <= 8 else 1, directory.dpi()
    except DamagedFile:
        pass
    return 1, None


# JPEG: ITU-T T.81 annex B.
_FRAMES = {0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF}
_READ_FRAMES = {
    0xC0,
    0xC1,
    0xC2,
    0xC9,
    0xCA,
}  # baseline, extended, progressive; the latter two also arithmetic
_COMMON_FRAMES = {0xC0, 0xC1, 0xC2}


def _segments(data: bytes) -> Iterator[tuple[int, bytes, int]]:
    """Walk a JPEG's segments up to the first scan; give marker, content and where the segment starts."""
    at = 2
    for _ in range(MAX_PARTS):
        start = data.index(b"\xff", at) if data[at] != 0xFF else at
        at = start + 1
        while data[at] == 0xFF:  # fill bytes
            at += 1
        marker = data[at]
        at += 1
        if marker in (0x00, 0x01) or 0xD0 <= marker <= 0xD8:  # stand alone, or no marker at all
            continue
        (length,) = struct.unpack_from(">H", data, at)
        if at + length > len(data) or length < 2:
            raise _cut("JPEG")
        yield marker, data[at + 2 : at + length], start
        at += length
        if marker == 0xDA:
            return
    raise DamagedFile("The JPEG file has no end of segments. Save it again with another program.")


def _jpeg(data: bytes) -> Header:
    try:
        segments = list(_segments(data))
    except ValueError as error:  # no marker follows
        raise _cut("JPEG") from error
    width, height, components, common = _jpeg_size(segments)
    scan = segments[-1][2]
    if data.rfind(b"\xff\xd9", scan) < 0:  # backwards: the end mark stands at the end
        raise _cut("JPEG")
    orientation, dpi = _exif(_application(segments, 0xE1, b"Exif\0\0"))
    if len(density := _application(segments, 0xE0, b"JFIF\0")) >= 12:
        unit, x, y = struct.unpack_from(">BHH", density, 7)
        dpi = {1: (float(x), float(y)), 2: (x * 2.54, y * 2.54)}.get(unit, dpi)
    plain = components == 4 and not _application(segments, 0xEE, b"Adobe")
    pixels = _without_applications(data, segments) if plain else data
    return Header(width, height, pixels, orientation, dpi, plain_cmyk=plain, components=components if common else 0)


def _application(segments: list[tuple[int, bytes, int]], marker: int, name: bytes) -> bytes:
    return next((content for m, content, _ in segments if m == marker and content.startswith(name)), b"")


def _without_applications(data: bytes, segments: list[tuple[int, bytes, int]]) -> bytes:
    """Leave out the application segments, which Pillow would read, and warn about, on its own."""
    ends = [start for _, _, start in segments[1:]] + [len(data)]
    kept = (
        data[start:end] for (marker, _, start), end in zip(segments, ends, strict=True) if not 0xE0 <= marker <= 0xEF
    )
    return b"".join((data[:2], *kept))


def _jpeg_size(segments: list[tuple[int, bytes, int]]) -> tuple[int, int, int, bool]:
    for marker, content, _ in segments:
        if marker in _FRAMES:
            return _jpeg_frame(marker, content)
    raise DamagedFile("The JPEG file states no size before its pixels. Save it again with another program.")


def _jpeg_frame(marker: int, content: bytes) -> tuple[int, int, int, bool]:
    precision, height, width, components = struct.unpack_from(">BHHB", content)
    if marker not in _READ_FRAMES or precision != 8:
        raise UnsupportedFormat(
            f"The JPEG has {precision} bits a sample in process {marker - 0xC0}; 8 bits, baseline or "
            "progressive, are read. Save it as an ordinary JPEG or a PNG."
        )
    if components not in (1, 3, 4):
        raise UnsupportedFormat(f"The JPEG has {components} components; 1, 3 or 4 are read. Save it as PNG.")
    return width, height, components, marker in _COMMON_FRAMES


# PNG: ISO/IEC 15948. Only these chunks make pixels; the others (text, profiles, animation) stay outside the
# decoder.
_PNG_PIXELS = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}


def _chunks(data: bytes) -> Iterator[tuple[bytes, memoryview, memoryview]]:
    """Walk a PNG's chunks; give type, content and the whole chunk; raises DamagedFile on a wrong checksum."""
    view, at = memoryview(data), 8
    for _ in range(MAX_PARTS):
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if end > len(data):
            raise _cut("PNG")
        (checksum,) = struct.unpack_from(">I", data, end - 4)
        if kind in _PNG_PIXELS and zlib.crc32(view[at + 4 : end - 4]) != checksum:
            raise DamagedFile(f"The PNG file is damaged: its {kind.decode()} chunk fails its checksum. Send it again.")
        yield kind, view[at + 8 : end - 4], view[at:end]
        at = end
        if kind == b"IEND":
            return
    raise DamagedFile("The PNG file has no end of chunks. Save it again with another program.")


def _png(data: bytes) -> Header:
    first: dict[bytes, bytes] = {}
    kept: list[bytes | memoryview] = [data[:8]]
    for kind, content, chunk in _chunks(data):
        if kind == b"IDAT" or (kind in _PNG_PIXELS and kind not in first):
            kept.append(chunk)
        if kind != b"IDAT":
            first.setdefault(kind, bytes(content[:65536]))
    if b"IHDR" not in first:
        raise DamagedFile("The PNG file states no size. Save it again with another program.")
    width, height, depth, colour = struct.unpack_from(">IIBB", first[b"IHDR"])
    orientation, dpi = _exif(first.get(b"eXIf", b""))
    if b"pHYs" in first:
        x, y, unit = struct.unpack_from(">IIB", first[b"pHYs"])
        dpi = (x * METRES_PER_INCH, y * METRES_PER_INCH) if unit == 1 else dpi
    return Header(
        width,
        height,
        b"".join(kept),
        orientation,
        dpi,
        animated=b"acTL" in first and int.from_bytes(first[b"acTL"][:4], "big") > 1,
        keep_depth=depth == 16 or colour >= 4 or b"tRNS" in first,
        key=_grey_key(first.get(b"tRNS", b""), depth) if colour == 0 else None,
    )


def _grey_key(content: bytes, depth: int) -> int | None:
    """Give a grey PNG's transparent value as the decoder will show it; OpenCV passes over it."""
    if len(content) < 2 or depth not in (1, 2, 4, 8, 16):
        return None
    key = int.from_bytes(content[:2], "big") & ((1 << depth) - 1)
    return key if depth >= 8 else key * 255 // ((1 << depth) - 1)


def _bmp(data: bytes) -> Header:
    (size,) = struct.unpack_from("<I", data, 14)
    if size == 12:  # OS/2
        width, height = struct.unpack_from("<HH", data, 18)
        return Header(width, height, data)
    width, height, _planes, bits, compression = struct.unpack_from("<iiHHI", data, 18)
    if width < 0 or size < 40:
        raise DamagedFile("The BMP file's header makes no sense. Save it again with another program.")
    if compression in (4, 5):
        raise UnsupportedFormat("The BMP holds a JPEG or PNG for a printer. Save it as an ordinary picture.")
    (start,) = struct.unpack_from("<I", data, 10)
    rows_bytes = (width * bits + 31) // 32 * 4 * abs(height)
    if compression in (0, 3) and start + rows_bytes > len(data):
        raise _cut("BMP")
    x, y = struct.unpack_from("<ii", data, 38)
    dpi = (x * METRES_PER_INCH, y * METRES_PER_INCH)
    # A mask for alpha stands in newer headers only; a 32-bit picture without one has a meaningless fourth
    # byte.
    alpha = size >= 56 and bits == 32 and compression == 3 and struct.unpack_from("<I", data, 66)[0] == 0xFF000000
    # OpenCV shows the white of 5 bits as 248.
    return Header(width, abs(height), data, dpi=dpi, keep_depth=alpha, by_pillow=bits == 16)


# GIF: the GIF89a specification.
def _gif(data: bytes) -> Header:
    """Read a GIF and cut out its first frame: screen, colours, the frame's control block and pixels."""
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    at = 13 + _colours(flags)
    screen, control, frame, budget = data[:at], b"", b"", MAX_PARTS
    while data[at] != 0x3B:
        start, kind = at, data[at]
        at += 2 if kind == 0x21 else 11 + _colours(data[at + 9])
        if frame and kind != 0x21:
            return _gif_header(width, height, screen + control + frame, animated=kind == 0x2C)
        if kind not in (0x21, 0x2C):
            raise DamagedFile("The GIF file is damaged: a block of no known kind. Send it again.")
        at, budget = _after_blocks(data, at, budget)
        if kind == 0x2C:
            left, top, across, down = struct.unpack_from("<HHHH", data, start + 1)
            frame, width, height = data[start:at], max(width, left + across), max(height, top + down)
        elif data[start + 1] == 0xF9 and not frame:
            control = data[start:at]
        if at >= len(data) and frame:
            break  # many writers forget the end mark
    if not frame:
        raise DamagedFile("The GIF file holds no picture. Send it again.")
    return _gif_header(width, height, screen + control + frame, animated=False)


def _gif_header(width: int, height: int, pixels: bytes, *, animated: bool) -> Header:
    """Widen the screen to what the first frame covers, as browsers do, so the decoder need not guess."""
    if width > 0xFFFF or height > 0xFFFF:
        raise DamagedFile("The GIF file's first frame lies outside of it. Save it again with another program.")
    pixels = pixels[:6] + struct.pack("<HH", width, height) + pixels[10:] + b";"
    return Header(width, height, pixels, animated=animated, by_pillow=True)


def _colours(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _after_blocks(data: bytes, at: int, budget: int) -> tuple[int, int]:
    """Give the place after a chain of data blocks, and how many more blocks may be walked."""
    while data[at]:
        at += 1 + data[at]
        budget -= 1
        if budget < 0:
            raise DamagedFile("The GIF file has no end of blocks. Save it again with another program.")
    return at + 1, budget


# WebP: RFC 9649.
def _webp(data: bytes) -> Header:
    end = 8 + struct.unpack_from("<I", data, 4)[0]
    if end > len(data):
        raise _cut("WebP")
    parts = _webp_parts(data, end)
    animated = False
    if extended := parts.get(b"VP8X"):
        if len(extended) < 10:
            raise _cut("WebP")
        alpha, animated = bool(extended[0] & 0x10), bool(extended[0] & 0x02)
        width, height = (int.from_bytes(extended[i : i + 3], "little") + 1 for i in (4, 7))
    elif b"VP8L" in parts:
        (bits,) = struct.unpack_from("<I", parts[b"VP8L"], 1)
        width, height, alpha = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, bool(bits >> 28 & 1)
    elif b"VP8 " in parts:
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", parts[b"VP8 "], 6))
        alpha = False
    else:
        raise DamagedFile("The WebP file holds no picture. Send it again.")
    orientation, dpi = _exif(parts.get(b"EXIF", b""))
    return Header(width, height, data, orientation, dpi, animated=animated, keep_depth=alpha)


def _webp_parts(data: bytes, end: int) -> dict[bytes, bytes]:
    """Give a WebP's chunks by type, the first of each."""
    parts: dict[bytes, bytes] = {}
    at = 12
    for _ in range(MAX_PARTS):
        if at + 8 > end:
            break
        kind, length = struct.unpack_from("<4sI", data, at)
        if at + 8 + length > end:
            raise _cut("WebP")
        if kind not in parts:
            parts[kind] = data[at + 8 : at + 8 + length]
        at += 8 + length + length % 2
    return parts


_READERS: dict[str, Callable[[bytes], Header]] = {
    "JPEG": _jpeg,
    "PNG": _png,
    "BMP": _bmp,
    "GIF": _gif,
    "WebP": _webp,
}
