"""Pictures drawn for tests: one page of black and white pixels, and that page in every encoding there is.

`ENCODINGS` holds the lossless ones: each must give exactly the pixels of `drawn_page`. `LOSSY` are near it.
`laid_down` makes a page that lies on its side and says so. `tiff_file` and `png_file` write what no library
writes.
"""

import io
import struct
import zlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

LINES = ("Shizi reads pages", "Total 1,234.50", "2026-11-22 END")


def drawn_page(
    lines: Sequence[str] = LINES,
    size: tuple[int, int] = (243, 121),
    ink: tuple[int, int, int] = (0, 0, 0),
    paper: tuple[int, int, int] = (255, 255, 255),
    font_size: int = 20,
    font_file: str | None = None,
) -> Image.Image:
    """Draw lines of text in two pure colours without grey edges, so that one bit a pixel keeps them."""
    font = ImageFont.truetype(font_file, font_size) if font_file else ImageFont.load_default(font_size)
    page = Image.new("1", size, 0)
    draw = ImageDraw.Draw(page)
    for number, line in enumerate(lines):
        draw.text((8, 6 + round(1.6 * font_size * number)), line, fill=1, font=font)
    return Image.composite(Image.new("RGB", size, ink), Image.new("RGB", size, paper), page)


def encoded(picture: Image.Image, name: str, **options: Any) -> bytes:
    """Write a picture with Pillow."""
    file = io.BytesIO()
    picture.save(file, name, **options)
    return file.getvalue()


def palette(page: Image.Image) -> Image.Image:
    return page.convert("P", palette=Image.Palette.ADAPTIVE, colors=16)


def paper_index(picture: Image.Image) -> int:
    """Give the palette index of the top left pixel, which is paper."""
    return int(np.asarray(picture)[0, 0])


def see_through(page: Image.Image) -> Image.Image:
    """Make the paper transparent, with the ink's colour under it: dropping alpha would hide the text."""
    ink = np.asarray(page.convert("L")) < 128
    ground = np.zeros((*ink.shape, 4), np.uint8)
    ground[..., 3] = np.where(ink, 255, 0)
    return Image.fromarray(ground, "RGBA")


def light_see_through(page: Image.Image) -> Image.Image:
    """Make white text on transparent paper that is white below."""
    ink = np.asarray(page.convert("L")) < 128
    ground = np.full((*ink.shape, 4), 255, np.uint8)
    ground[..., 3] = np.where(ink, 255, 0)
    return Image.fromarray(ground, "RGBA")


def grey_16(page: Image.Image) -> Image.Image:
    return Image.fromarray(np.asarray(page.convert("L")).astype(np.uint16) * 257)


def opencv(extension: str, array: np.ndarray) -> bytes:
    """Write an RGB, RGBA or grey array with OpenCV."""
    orders = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}
    if array.ndim == 3:
        array = cv2.cvtColor(array, orders[array.shape[2]])
    return cv2.imencode(extension, array)[1].tobytes()


def png_file(width: int, height: int, depth: int, colour: int, rows: bytes, **chunks: bytes) -> bytes:
    """Write a PNG chunk by chunk: `rows` with their filter bytes, `chunks` come before the pixels."""
    interlace = chunks.pop("interlace", b"\0")[0]
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)
    parts = {"IHDR": head, **chunks, "IDAT": zlib.compress(rows), "IEND": b""}
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(name.encode(), part) for name, part in parts.items())


def png_chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png_interlaced(page: Image.Image) -> bytes:
    pixels = np.asarray(page)
    passes = (
        (0, 0, 8, 8),
        (0, 4, 8, 8),
        (4, 0, 8, 4),
        (0, 2, 4, 4),
        (2, 0, 4, 2),
        (0, 1, 2, 2),
        (1, 0, 2, 1),
    )
    rows = b"".join(b"\0" + row.tobytes() for y, x, dy, dx in passes for row in pixels[y::dy, x::dx] if row.size)
    return png_file(page.width, page.height, 8, 2, rows, interlace=b"\1")


def bmp_topdown(page: Image.Image) -> bytes:
    stride = -(-page.width * 3 // 4) * 4
    rows = np.zeros((page.height, stride), np.uint8)
    rows[:, : page.width * 3] = np.asarray(page)[..., ::-1].reshape(page.height, -1)
    head = struct.pack("<IiiHHIIiiII", 40, page.width, -page.height, 1, 24, 0, rows.size, 11811, 11811, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + rows.size, 0, 0, 54) + head + rows.tobytes()


def bmp_565(page: Image.Image) -> bytes:
    white = np.asarray(page.convert("L")) > 128
    stride = -(-page.width * 2 // 4) * 2
    rows = np.zeros((page.height, stride), "<u2")
    rows[:, : page.width] = np.where(white, 0xFFFF, 0)[::-1]
    masks = struct.pack("<III", 0xF800, 0x07E0, 0x001F)
    head = struct.pack("<IiiHHIIiiII", 40, page.width, page.height, 1, 16, 3, rows.nbytes, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 66 + rows.nbytes, 0, 0, 66) + head + masks + rows.tobytes()


def bmp_alpha(page: Image.Image) -> bytes:
    """Write a 32-bit BMP with a mask for alpha (the header of Windows 98), dark text on transparency."""
    rows = np.asarray(see_through(page))[::-1, :, [2, 1, 0, 3]].tobytes()
    head = struct.pack("<IiiHHIIiiII", 108, *page.size, 1, 32, 3, len(rows), 0, 0, 0, 0)
    masks = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    return b"BM" + struct.pack("<IHHI", 122 + len(rows), 0, 0, 122) + (head + masks).ljust(108, b"\0") + rows


def gif_with_offset(page: Image.Image) -> bytes:
    """Write a GIF whose first frame covers only the text; the rest of the screen is transparent."""
    picture = palette(page)
    ink = Image.fromarray(np.asarray(page.convert("L")) < 128).getbbox()
    assert ink
    data = bytearray(encoded(picture.crop(ink), "GIF", transparency=paper_index(picture)))
    frame = data.index(b",", 13 + 3 * (2 << (data[10] & 7)))
    data[6:10] = struct.pack("<HH", *page.size)
    data[frame + 1 : frame + 5] = struct.pack("<HH", *ink[:2])
    return bytes(data)


def tiff_file(*frames: dict[int, Any], pixels: bytes = b"", order: str = "<", big: bool = False) -> bytes:
    """Write a TIFF tag by tag: integers, lists of them, or bytes; pixels lie at byte 16."""
    word, head, inline = ("Q", "HHQ", 8) if big else ("I", "HHI", 4)
    mark = b"II" if order == "<" else b"MM"
    body = pixels + b"\0" * (len(pixels) % 2)
    out = bytearray(mark)
    first = 16 + len(body)
    out += struct.pack(f"{order}HHHQ", 43, 8, 0, first) if big else struct.pack(f"{order}HI8x", 42, first)
    out += body
    for number, frame in enumerate(frames):
        values = bytearray()
        size = struct.calcsize(f"{order}{'Q' if big else 'H'}") + (struct.calcsize(f"{order}{head}") + inline) * len(
            frame
        )
        after = len(out) + size + inline
        out += struct.pack(f"{order}{'Q' if big else 'H'}", len(frame))
        for tag, value in sorted(frame.items()):
            numbers = value if isinstance(value, list | tuple | bytes) else [value]
            kind, code = (7, "B") if isinstance(value, bytes) else (4, "I")
            packed = struct.pack(f"{order}{len(numbers)}{code}", *numbers)
            out += struct.pack(f"{order}{head}", tag, kind, len(numbers))
            if len(packed) <= inline:
                out += packed.ljust(inline, b"\0")
            else:
                out += struct.pack(f"{order}{word}", after + len(values))
                values += packed
        out += struct.pack(f"{order}{word}", 0 if number == len(frames) - 1 else after + len(values))
        out += values
    return bytes(out)


def tiff_tags(page: Image.Image, **more: Any) -> dict[int, Any]:
    """Give the tags of an uncompressed RGB page in one strip at byte 16."""
    size = page.width * page.height * 3
    tags = {256: page.width, 257: page.height, 258: [8, 8, 8], 259: 1, 262: 2, 273: 16, 277: 3, 279: size}
    return tags | {int(name.removeprefix("tag")): value for name, value in more.items()}


def tiff_raw(page: Image.Image, order: str = "<", big: bool = False) -> bytes:
    return tiff_file(tiff_tags(page), pixels=np.asarray(page).tobytes(), order=order, big=big)


def tiff_without_lengths(page: Image.Image) -> bytes:
    row = page.width * 3
    tags = tiff_tags(page, tag278=10, tag273=[16 + row * y for y in range(0, page.height, 10)])
    del tags[279]
    return tiff_file(tags, pixels=np.asarray(page).tobytes())


def tiff_planar(page: Image.Image) -> bytes:
    planes = np.asarray(page).transpose(2, 0, 1)
    size = page.width * page.height
    tags = tiff_tags(page, tag284=2, tag273=[16 + size * i for i in range(3)], tag279=[size] * 3)
    return tiff_file(tags, pixels=planes.tobytes())


def tiff_tiled(page: Image.Image) -> bytes:
    side = 64
    across, down = -(-page.width // side), -(-page.height // side)
    whole = np.zeros((down * side, across * side, 3), np.uint8)
    whole[: page.height, : page.width] = np.asarray(page)
    tiles = [
        zlib.compress(whole[y : y + side, x : x + side].tobytes())
        for y in range(0, down * side, side)
        for x in range(0, across * side, side)
    ]
    starts = [16 + sum(map(len, tiles[:i])) for i in range(len(tiles))]
    tags = tiff_tags(page, tag259=8, tag322=side, tag323=side, tag324=starts, tag325=[len(tile) for tile in tiles])
    del tags[273], tags[279]
    return tiff_file(tags, pixels=b"".join(tiles))


def tiff_16_big_endian(page: Image.Image) -> bytes:
    deep = np.asarray(page.convert("L")).astype(">u2") * 257
    tags = {256: page.width, 257: page.height, 258: 16, 259: 1, 262: 1, 273: 16, 277: 1, 279: deep.nbytes}
    return tiff_file(tags, pixels=deep.astype(">u2").tobytes(), order=">")


def tiff_lab(page: Image.Image) -> bytes:
    lab = np.zeros((page.height, page.width, 3), np.uint8)
    lab[..., 0] = np.asarray(page.convert("L"))
    return tiff_file(tiff_tags(page, tag262=8), pixels=lab.tobytes())


def jpeg_cmyk_plain(page: Image.Image) -> bytes:
    """Write ink as ink: Pillow turns it round as Adobe does, so give it turned round; drop Adobe's mark."""
    turned = Image.fromarray(255 - np.asarray(page.convert("CMYK")), "CMYK")
    data = encoded(turned, "JPEG", quality=98)
    mark = data.index(b"\xff\xee")
    return data[:mark] + data[mark + 16 :]


def jpeg_ycck(page: Image.Image) -> bytes:
    """Write ink as Photoshop does: CMY as YCbCr, transform 2 in Adobe's mark."""
    cmyk = np.asarray(page.convert("CMYK"))
    brightness = np.asarray(Image.fromarray(np.ascontiguousarray(cmyk[..., :3]), "RGB").convert("YCbCr"))
    stored = 255 - np.dstack((brightness, 255 - cmyk[..., 3:]))
    data = bytearray(encoded(Image.fromarray(stored, "CMYK"), "JPEG", quality=98))
    data[data.index(b"Adobe") + 11] = 2
    return bytes(data)


def with_red_after(page: Image.Image, name: str, **options: Any) -> bytes:
    """Write a picture that moves: the page, then a red one."""
    red = Image.new("RGB", page.size, "red")
    return encoded(page, name, save_all=True, append_images=[red], **options)


def transparent_palette(page: Image.Image, name: str) -> bytes:
    picture = palette(page)
    return encoded(picture, name, transparency=paper_index(picture))


Encoder = Callable[[Image.Image], bytes]


def _via(mode: str, name: str, **options: Any) -> Encoder:
    return lambda page: encoded(page.convert(mode, dither=Image.Dither.NONE), name, **options)


def _deep(page: Image.Image) -> np.ndarray:
    return np.asarray(page).astype(np.uint16) * 257


ENCODINGS: dict[str, Encoder] = {
    "png rgb": _via("RGB", "PNG"),
    "png interlaced": png_interlaced,
    "png palette": lambda page: encoded(palette(page), "PNG"),
    "png palette 8 bits": lambda page: encoded(palette(page), "PNG", bits=8),
    "png palette transparent": lambda page: transparent_palette(page, "PNG"),
    "png 1 bit": _via("1", "PNG"),
    "png grey": _via("L", "PNG"),
    "png grey key": _via("L", "PNG", transparency=255),
    "png grey alpha": _via("LA", "PNG"),
    "png grey alpha transparent": lambda page: encoded(see_through(page).convert("LA"), "PNG"),
    "png rgb key": _via("RGB", "PNG", transparency=(255, 255, 255)),
    "png 16 bits grey": lambda page: encoded(grey_16(page), "PNG"),
    "png 16 bits grey key": lambda page: encoded(grey_16(page), "PNG", transparency=65535),
    "png 16 bits rgb": lambda page: opencv(".png", _deep(page)),
    "png 16 bits rgba": lambda page: opencv(".png", _deep(see_through(page))),
    "png rgba opaque": _via("RGBA", "PNG"),
    "png rgba dark on transparency": lambda page: encoded(see_through(page), "PNG"),
    "png animated": lambda page: with_red_after(page, "PNG"),
    "bmp 24": _via("RGB", "BMP"),
    "bmp 32": _via("RGBA", "BMP"),
    "bmp 1 bit": _via("1", "BMP"),
    "bmp palette": lambda page: encoded(palette(page), "BMP"),
    "bmp top down": bmp_topdown,
    "bmp 565": bmp_565,
    "bmp dark on transparency": bmp_alpha,
    "gif": lambda page: encoded(palette(page), "GIF", interlace=0),
    "gif interlaced": lambda page: encoded(palette(page), "GIF", interlace=1),
    "gif transparent": lambda page: transparent_palette(page, "GIF"),
    "gif with offset": gif_with_offset,
    "gif animated": lambda page: with_red_after(palette(page), "GIF"),
    "webp lossless": _via("RGB", "WEBP", lossless=True),
    "webp dark on transparency": lambda page: encoded(see_through(page), "WEBP", lossless=True, exact=True),
    "webp animated": lambda page: with_red_after(page, "WEBP", lossless=True),
    "tiff raw": tiff_raw,
    "tiff big endian": partial(tiff_raw, order=">"),
    "tiff 64 bits": partial(tiff_raw, big=True),
    "tiff 64 bits big endian": partial(tiff_raw, big=True, order=">"),
    "tiff without lengths": tiff_without_lengths,
    "tiff planar": tiff_planar,
    "tiff tiled": tiff_tiled,
    "tiff lzw": _via("RGB", "TIFF", compression="tiff_lzw"),
    "tiff lzw predicted": _via("RGB", "TIFF", compression="tiff_lzw", tiffinfo={317: 2}),
    "tiff deflate": _via("RGB", "TIFF", compression="tiff_adobe_deflate"),
    "tiff packbits": _via("RGB", "TIFF", compression="packbits"),
    "tiff zstandard": _via("RGB", "TIFF", compression="zstd"),
    "tiff g3": _via("1", "TIFF", compression="group3"),
    "tiff g4": _via("1", "TIFF", compression="group4"),
    "tiff g4 white is zero": _via("1", "TIFF", compression="group4", tiffinfo={262: 0}),
    "tiff 1 bit lzw": _via("1", "TIFF", compression="tiff_lzw"),
    "tiff grey": _via("L", "TIFF", compression="tiff_lzw"),
    "tiff palette": lambda page: encoded(palette(page), "TIFF", compression="tiff_lzw"),
    "tiff cmyk": _via("CMYK", "TIFF", compression="tiff_lzw"),
    "tiff rgba dark on transparency": lambda page: encoded(see_through(page), "TIFF", compression="tiff_lzw"),
    "tiff 16 bits grey": lambda page: encoded(grey_16(page), "TIFF", compression="tiff_lzw"),
    "tiff 16 bits grey big endian": tiff_16_big_endian,
    "tiff 16 bits rgb": lambda page: opencv(".tiff", _deep(page)),
    "tiff float grey": lambda page: encoded(page.convert("F"), "TIFF"),
    "tiff float rgb": lambda page: opencv(".tiff", np.asarray(page).astype(np.float32) / 255),
    "tiff 32 bits grey": lambda page: encoded(page.convert("I"), "TIFF"),
}

LIGHT_ON_TRANSPARENCY: dict[str, Encoder] = {
    "png rgba": lambda page: encoded(light_see_through(page), "PNG"),
    "png grey alpha": lambda page: encoded(light_see_through(page).convert("LA"), "PNG"),
    "webp": lambda page: encoded(light_see_through(page), "WEBP", lossless=True, exact=True),
    "tiff": lambda page: encoded(light_see_through(page), "TIFF", compression="tiff_lzw"),
}

LOSSY: dict[str, Encoder] = {
    "jpeg": _via("RGB", "JPEG", quality=95),
    "jpeg progressive": _via("RGB", "JPEG", quality=95, progressive=True),
    "jpeg grey": _via("L", "JPEG", quality=95),
    "jpeg cmyk": _via("CMYK", "JPEG", quality=98),
    "jpeg cmyk plain": jpeg_cmyk_plain,
    "jpeg ycck": jpeg_ycck,
    "jpeg mpo": lambda page: with_red_after(page, "MPO", quality=95),
    "jpeg with bytes after": lambda page: encoded(page, "JPEG", quality=95) + b"\0phone data" * 50,
    "webp lossy": _via("RGB", "WEBP", quality=95),
    "tiff jpeg": _via("RGB", "TIFF", compression="jpeg", quality=95),
    "tiff jpeg grey": _via("L", "TIFF", compression="jpeg", quality=95),
}

# What undoes each EXIF orientation, and so makes the stored picture.
LAID_DOWN = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def laid_down(page: Image.Image, orientation: int, name: str, **options: Any) -> bytes:
    """Write a page that does not lie upright and says so in its EXIF orientation."""
    turn = LAID_DOWN[orientation]
    stored = page if turn is None else page.transpose(turn)
    if name == "TIFF":
        return encoded(stored, name, tiffinfo={274: orientation}, **options)
    exif = Image.Exif()
    exif[274] = orientation
    return encoded(stored, name, exif=exif, **options)
