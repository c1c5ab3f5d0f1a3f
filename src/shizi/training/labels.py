"""Labels: the frozen charset, and how it was made. Every label, drawn or cut from a PDF, passes `clean` (`spelling`).

Knows nothing of pixels.
"""

import bz2
from collections.abc import Iterator
from functools import cache
from importlib import resources
from pathlib import Path

from shizi.charset import Charset
from shizi.spelling import clean as clean

SYMBOLS = (
    "，。、；：？！“”‘’（）《》【】「」『』〔〕〖〗—…·〇"
    "¥€£°℃‰×÷±√∞≈≠≤≥∑∏∫∂∈∪∩∠⊥∥△▲▽▼◇◆□■☑☒★☆○●◎"
    "※→←↑↓↔▶"
    "²³½①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳№™©®§"
    "ΓΔΘΛΞΠΣΦΨΩαβγδεζηθικλμνξπρστυφχψω"
    "āáǎàēéěèīíǐìōóǒòūúǔùüǖǘǚǜ"
    "の々"
)


@cache
def charset() -> Charset:
    """Give the frozen charset of the shipped models, read once from `charset.txt`."""
    text = resources.files("shizi.training").joinpath("charset.txt").read_text(encoding="utf-8")
    return Charset.from_metadata(text)


def build(unihan: Path) -> list[str]:
    """Build the charset anew from Unihan's other mappings (`kGB0`, `kTGH`), with our symbols and ASCII.

    `unihan` is `Unihan_OtherMappings.txt`, plain or bzip2 (The Unicode Standard, annex 38).
    """
    hanzi = sorted(set(_mapped(unihan)))
    ascii_signs = [chr(code) for code in range(0x21, 0x7F)]
    symbols = [c for c in dict.fromkeys(SYMBOLS) if clean(c) == c]
    return list(dict.fromkeys(ascii_signs + symbols + hanzi))


def _mapped(unihan: Path) -> Iterator[str]:
    data = unihan.read_bytes()
    for line in (bz2.decompress(data) if unihan.suffix == ".bz2" else data).decode("utf-8").splitlines():
        if "\tkGB0\t" in line or "\tkTGH\t" in line:
            yield chr(int(line.split("\t")[0][2:], 16))
