"""Bombs: small files that claim to be huge. Each would take hundreds of megabytes if it were decoded.

Run as a program it opens each, prints which error came, and last by how much the process grew.
"""

import resource
import struct

import pictures

from shizi.errors import InputError
from shizi.pages import open_pages

ROWS = bytes(64)

# A process that decoded only one of them would grow by ten times this.
LITTLE_MEGABYTES = 20


def bombs() -> dict[str, bytes]:
    """Draw one bomb of each kind, by name."""
    page = pictures.drawn_page()
    bmp, gif, jpeg = (bytearray(pictures.encoded(page, name)) for name in ("BMP", "GIF", "JPEG"))
    webp = bytearray(pictures.encoded(page, "WEBP", exif=b"x"))
    bmp[18:34] = struct.pack("<iiHHI", 30000, 30000, 1, 8, 1)  # run-length coded
    gif[6:10] = struct.pack("<HH", 65535, 65535)
    webp[24:30] = b"\xff\x3f\0\xff\x3f\0"
    frame = jpeg.index(b"\xff\xc0")
    jpeg[frame + 5 : frame + 9] = b"\xff" * 4
    return {
        "png": pictures.png_file(60000, 60000, 8, 2, ROWS),
        "png wide": pictures.png_file(2_000_000_000, 1, 1, 0, ROWS),
        "png long": pictures.png_file(1, 2_000_000, 1, 0, ROWS),
        **{"bmp": bytes(bmp), "gif": bytes(gif), "jpeg": bytes(jpeg), "webp": bytes(webp)},
        **tiff_bombs(pictures.tiff_tags(page)),
    }


def tiff_bombs(tags: dict[int, object]) -> dict[str, bytes]:
    """Draw TIFFs with absurd sizes, strips, tiles, samples, frames and metadata."""
    many = {**tags, 256: 100, 257: 400_000, 278: 1}
    return {
        "tiff": pictures.tiff_file({**tags, 256: 100_000, 257: 100_000}),
        "tiff many frames": pictures.tiff_file(*[{**tags, 256: 9000, 257: 9000}] * 900),
        "tiff strips": pictures.tiff_file({**many, 273: [16] * 50, 279: [4] * 50}),
        "tiff tiles": pictures.tiff_file({**tags, 322: 1 << 30, 323: 1 << 30, 324: 16, 325: 4}, pixels=ROWS),
        "tiff tiny tiles": pictures.tiff_file({**many, 322: 1, 323: 1, 324: [16] * 9, 325: [4] * 9}, pixels=ROWS),
        "tiff samples": pictures.tiff_file({**tags, 258: [8] * 60000, 277: 60000}, pixels=ROWS),
    }


def main() -> None:
    """Open every bomb; print what came of it."""
    drawn = bombs()
    list(open_pages(pictures.encoded(pictures.drawn_page(), "TIFF", compression="tiff_lzw")))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for name, data in drawn.items():
        try:
            print(name, len(list(open_pages(data))))
        except InputError as error:
            print(name, type(error).__name__)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
    print("grown by", grown if grown > LITTLE_MEGABYTES else "little", "MB")


if __name__ == "__main__":
    main()
