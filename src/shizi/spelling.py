"""Spelling: one code point for what prints alike, so that one printed line has one text.

Takes any text, gives text as the models of shizi write it: what they are trained on, and what a correction is brought
to before it is kept. Knows nothing of pixels or of a charset.

The rules, which agree with the folding of the accuracy measure (docs/decisions/020):
  full-width letters, digits, signs   their ASCII forms; the marks ，：；！？（） keep their own width
  dashes                              - for hyphens, minus and en dash; — for em dash and bars
  dots in mid-height                  ·
  circles as large as a character     〇
  spaces                              one, and only between two characters that are both not Chinese
"""

import re
import unicodedata

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
# Characters that print almost like the simplified ones beside them, by a stroke or a dot.
TWINS = dict(
    zip(
        "黃橫稅內吳呂別戶沒換奧溫兌悅脫彥爭淨靜冊刪強眞値況沖決減涼湊獎妝將壯狀恆敎晉朶柵汚滾潛狹瑤盜硏祿粵靑淸卽旣郞寬",
        "黄横税内吴吕别户没换奥温兑悦脱彦争净静册删强真值况冲决减凉凑奖妆将壮状恒教晋朵栅污滚潜狭瑶盗研禄粤青清即既郎宽",
        strict=True,
    )
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
