"""Draws PDFs for the tests: text in Helvetica (which pdfium has built in) or with a Chinese CMap, pictures, flaws."""

import io
import re
from collections.abc import Mapping, Sequence

import pikepdf
from pikepdf import Array, Dictionary, Name, Stream
from PIL import Image

A4 = (595, 842)
# Characters of a font that calls its shapes by other names: A is B, B is C, and so on.
SHIFTED = {code: chr(code + 1) for code in range(32, 126)}


def shown(text: str, x: float = 50, y: float = 780, size: float = 12, font: str = "F1", mode: int = 0) -> str:
    """Give the operators that show one line of Latin text, or of Chinese in font F2."""
    code = text.encode("utf-16-be").hex() if font == "F2" else text.encode("latin-1").hex()
    return f"BT {mode} Tr /{font} {size} Tf 1 0 0 1 {x} {y} Tm <{code}> Tj ET\n"


def lines(*texts: str, **options: float | str) -> str:
    """Give several lines of text, one under the other."""
    return "".join(shown(text, y=780 - 20 * i, **options) for i, text in enumerate(texts))  # type: ignore[arg-type]


def placed(name: str, x: float, y: float, width: float, height: float) -> str:
    """Give the operators that place picture `name`."""
    return f"q {width} 0 0 {height} {x} {y} cm /{name} Do Q\n"


def drawn(
    *contents: str,
    size: tuple[float, float] = A4,
    pictures: Mapping[str, Image.Image] | None = None,
    rotate: int = 0,
    names: Mapping[int, str] | None = None,
    **saving: object,
) -> bytes:
    """Make a PDF of one page for each content stream. `names`: what font F1 calls its characters (ToUnicode)."""
    document = pikepdf.new()
    images = {f"/{name}": picture_stream(document, picture) for name, picture in (pictures or {}).items()}
    fonts = Dictionary(F1=helvetica(document, names), F2=song(document))
    for content in contents:
        page = document.add_blank_page(page_size=size)
        page.obj.Contents = document.make_stream(content.encode("latin-1"))
        page.obj.Resources = Dictionary(Font=fonts, XObject=Dictionary(images))
        page.obj.Rotate = rotate
    return saved(document, **saving)


def saved(document: pikepdf.Pdf, **saving: object) -> bytes:
    """Write a document; every object plain in the file, so that tests can break it."""
    buffer = io.BytesIO()
    document.save(buffer, object_stream_mode=pikepdf.ObjectStreamMode.disable, **saving)  # type: ignore[arg-type]
    return buffer.getvalue()


def helvetica(document: pikepdf.Pdf, names: Mapping[int, str] | None) -> pikepdf.Object:
    """Make font F1."""
    font = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica, Encoding=Name.WinAnsiEncoding)
    if names is not None:
        font.ToUnicode = document.make_stream(to_unicode(names))
    return document.make_indirect(font)


def to_unicode(names: Mapping[int, str]) -> bytes:
    """Write a table of what a font's codes are called."""
    rows = "\n".join(f"<{code:02x}> <{name.encode('utf-16-be').hex()}>" for code, name in names.items())
    return (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def /CMapType 2 def\n"
        "1 begincodespacerange <00> <ff> endcodespacerange\n"
        f"{len(names)} beginbfchar\n{rows}\nendbfchar endcmap end end"
    ).encode()


def song(document: pikepdf.Pdf) -> pikepdf.Object:
    """Make font F2: Chinese, not embedded, its codes those of Unicode."""
    system = Dictionary(Registry=b"Adobe", Ordering=b"GB1", Supplement=5)
    descriptor = Dictionary(
        Type=Name.FontDescriptor,
        FontName=Name("/STSong-Light"),
        Flags=6,
        FontBBox=Array([-25, -254, 1000, 880]),
        ItalicAngle=0,
        Ascent=880,
        Descent=-120,
        CapHeight=880,
        StemV=93,
    )
    inner = Dictionary(
        Type=Name.Font,
        Subtype=Name.CIDFontType0,
        BaseFont=Name("/STSong-Light"),
        CIDSystemInfo=system,
        FontDescriptor=document.make_indirect(descriptor),
        DW=1000,
    )
    return document.make_indirect(
        Dictionary(
            Type=Name.Font,
            Subtype=Name.Type0,
            BaseFont=Name("/STSong-Light"),
            Encoding=Name("/UniGB-UCS2-H"),
            DescendantFonts=Array([document.make_indirect(inner)]),
        )
    )


def picture_stream(document: pikepdf.Pdf, picture: Image.Image) -> pikepdf.Object:
    """Embed a picture without loss; its transparency becomes a soft mask."""
    plain = picture.convert("L" if picture.mode in ("1", "L") else "RGB")
    stream = Stream(document, plain.tobytes())
    stream.Type, stream.Subtype = Name.XObject, Name.Image
    stream.Width, stream.Height = picture.size
    stream.BitsPerComponent = 8
    stream.ColorSpace = Name.DeviceGray if plain.mode == "L" else Name.DeviceRGB
    if picture.mode == "RGBA":
        stream.SMask = picture_stream(document, picture.getchannel("A"))
    return document.make_indirect(stream)


def scan(picture: Image.Image, dpi: float = 200, count: int = 1, over: Sequence[str] = ()) -> bytes:
    """Make a scanned document: each page one picture, with the operators `over` drawn after it."""
    width, height = (72 * side / dpi for side in picture.size)
    content = placed("P", 0, 0, width, height) + "".join(over)
    return drawn(*[content] * count, size=(width, height), pictures={"P": picture})


def changed(data: bytes, pattern: bytes, replacement: bytes) -> bytes:
    """Change bytes in a PDF without changing its length, so that its table of contents stays right."""
    found = re.search(pattern, data)
    assert found, pattern
    assert len(replacement) <= len(found[0])
    return data[: found.start()] + replacement.ljust(len(found[0])) + data[found.end() :]
