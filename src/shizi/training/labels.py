"""Labels: the frozen charset and the rules that make one label of one printed line.

Takes any text, gives text that the model can learn. Every label, drawn or cut from a PDF, passes `clean`, so
that one shape has one code point wherever a reader could not tell two apart. Knows nothing of pixels.

The rules, which agree with the folding of the accuracy measure (docs/decisions/020):
  full-width letters, digits, signs   their ASCII forms; the marks ，：；！？（） keep their own width
  dashes                              - for hyphens, minus and en dash; — for em dash and bars
  dots in mid-height                  ·
  circles as large as a character     〇
  spaces                              one, and only between two characters that are both not Chinese
"""

import bz2
import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from importlib import resources
from pathlib import Path

from shizi.charset import Charset

# Marks whose two widths look different in print: a full-width one stands in the left half of its square.
WIDE_MARKS = "，：；！？（）"
# Kept although NFKC would split or change them: each is one printed shape.
KEPT = WIDE_MARKS + "℃…²³①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳№™½"
FOLD = str.maketrans(
    {
        **dict.fromkeys("–‐‑‒−－﹣⁃", "-"),
        **dict.fromkeys("―─━", "—"),
        **dict.fromkeys("•・∙⋅‧･●⚫", "·") | {"●": "●", "⚫": "●"},
        **dict.fromkeys("○◯⚪〇", "〇"),
        **dict.fromkeys("∶︰﹕ː", ":"),
        **dict.fromkeys("～∼〜˜", "~"),
        **dict.fromkeys("￥￥", "¥"),
        **dict.fromkeys("✕✖╳", "×"),
        **dict.fromkeys("☐▢◻", "□"),
        **dict.fromkeys("✓✔", "√"),
        **dict.fromkeys("▪◼", "■"),
        **dict.fromkeys("➢➤▸►", "▶"),
        **dict.fromkeys("∣│┃", "|"),
        **dict.fromkeys("⋯", "…"),
        **dict.fromkeys("′", "'"),
        **dict.fromkeys("″", '"'),
        **dict.fromkeys("〈", "<"),
        **dict.fromkeys("〉", ">"),
        "º": "°",
        "˚": "°",
        "∆": "Δ",
        "Ω": "Ω",
        "µ": "μ",
        "⇒": "→",
        "➔": "→",
        "．": ".",
        **dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧο", "ABEZHIKMNOPTYXo", strict=True)),
    }
)
SYMBOLS = (
    "，。、；：？！“”‘’（）《》【】「」『』〔〕〖〗—…·〇"
    "¥€£°℃‰×÷±√∞≈≠≤≥∑∏∫∂∈∪∩∠⊥∥△▲▽▼◇◆□■☑☒★☆○●◎"
    "※→←↑↓↔▶"
    "²³½①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳№™©®§"
    "ΓΔΘΛΞΠΣΦΨΩαβγδεζηθικλμνξπρστυφχψω"
    "āáǎàēéěèīíǐìōóǒòūúǔùüǖǘǚǜ"
    "の々"
)
_SPACED = re.compile(r"\s+")
_CHINESE = re.compile(r"[⺀-鿿豈-﫿＀-￯　-〿\U00020000-\U0003ffff“”‘’—…·]")


def clean(text: str) -> str:
    """Apply the label rules to `text`; characters outside the charset stay and are the caller's to judge."""
    folded = text.translate(FOLD)
    narrow = "".join(c if c in KEPT else unicodedata.normalize("NFKC", c) for c in folded).translate(FOLD)
    return _spaces(_SPACED.sub(" ", narrow).strip())


def _spaces(text: str) -> str:
    """Drop each space that touches a Chinese character or mark: print does not show it reliably."""
    parts = text.split(" ")
    kept = parts[0]
    for part in parts[1:]:
        beside_chinese = bool(_CHINESE.match(part[:1])) or bool(_CHINESE.match(kept[-1:]))
        kept += part if beside_chinese else " " + part
    return kept


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
