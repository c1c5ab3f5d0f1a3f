"""Pages made of words at places, as a reader would give them, and a sight that is told what to see."""

from collections.abc import Callable, Mapping, Sequence

from shizi.constrained import Hypothesis, Pattern
from shizi.document import Char, Line, Page, Word
from shizi.fields.pieces import Piece
from shizi.geometry import Polygon

HEIGHT = 20.0


def line(text: str, x: float, y: float, confidence: float = 0.99, tilt: float = 0.0, width: float = 1200.0) -> Line:
    """Place a text with its left edge at x and its middle at y; `tilt`: how far the page's rows fall per pixel."""
    sizes = [0.5 if character.isascii() else 1.0 for character in text]
    length = 15.0 * sum(sizes)
    y += tilt * (x - width / 2)
    fall = tilt * length
    polygon = Polygon(
        (
            (x, y - HEIGHT / 2),
            (x + length, y - HEIGHT / 2 + fall),
            (x + length, y + HEIGHT / 2 + fall),
            (x, y + HEIGHT / 2),
        )
    )
    chars, at = [], 0.0
    for character, size in zip(text, sizes, strict=True):
        chars.append(Char(character, confidence, at / sum(sizes), (at + size) / sum(sizes)))
        at += size
    solid = tuple(char for char in chars if not char.text.isspace())
    return Line(text, confidence, polygon, (Word(text, confidence, polygon, solid),), "strong")


def page(rows: Sequence[tuple[str, float, float]], tilt: float = 0.0) -> Page:
    """Make a page of (text, x, y)."""
    return Page(1, 1200, 800, lines=tuple(line(text, x, y, tilt=tilt) for text, x, y in rows))


def _asked(code: str | tuple[str, tuple[float, float]], holds: Callable[[float, float], bool]) -> bool:
    return isinstance(code, str) or holds(*code[1])


class ToldSight:
    """Stands in for `Sight`: codes, runner-up readings by text, texts the second recogniser reads otherwise, and such
    behind which more stands.
    """

    def __init__(
        self,
        codes: Sequence[str | tuple[str, tuple[float, float]]] = (),
        runners_up: Mapping[str, Sequence[tuple[str, float]]] | None = None,
        disputed: Sequence[str] = (),
        cut: Sequence[str] = (),
    ) -> None:
        self._codes = tuple(codes)
        self._runners_up = runners_up or {}
        self._disputed = disputed
        self._cut = cut

    def codes(self, holds: Callable[[float, float], bool]) -> tuple[str, ...]:
        """Codes given with a place count where that is asked about; others stand everywhere."""
        return tuple(code if isinstance(code, str) else code[0] for code in self._codes if _asked(code, holds))

    def alternatives(self, piece: Piece, allowed: Pattern) -> list[Hypothesis]:
        told = self._runners_up.get(piece.text.strip(), ())
        return [Hypothesis(text, chance) for text, chance in told if allowed.matches(text)]

    def agrees(self, piece: Piece, text: str) -> bool | None:
        return not any(word in text for word in self._disputed)

    def goes_on(self, piece: Piece) -> bool:
        return any(word in piece.text for word in self._cut)


ELECTRONIC: list[tuple[str, float, float]] = [
    ("四川增值税电子普通发票", 400, 40),
    ("发票代码:051001800211", 850, 30),
    ("发票号码:65281307", 850, 60),
    ("开票日期:2019年02月23日", 850, 90),
    ("校验码:02259 00286 55253 49387", 850, 120),
    ("机器编号:499099715868", 60, 120),
    ("名称:西华大学", 100, 160),
    ("纳税人识别号:12510000450717578Y", 100, 190),
    ("地址、电话:", 100, 220),
    ("开户行及账号:", 100, 250),
    ("03974>650<01>60<095/1/<*26>3", 800, 160),
    ("货物或应税劳务、服务名称", 60, 290),
    ("规格型号", 300, 290),
    ("单位", 400, 290),
    ("数量", 480, 290),
    ("单价", 590, 290),
    ("金额", 740, 290),
    ("税率", 850, 290),
    ("税额", 1000, 290),
    ("*纸制品*复印纸", 60, 330),
    ("A4", 300, 330),
    ("箱", 405, 330),
    ("2", 520, 330),
    ("100.00", 590, 330),
    ("200.00", 740, 330),
    ("13%", 850, 330),
    ("26.00", 1000, 330),
    ("*印刷品*技术手册", 60, 360),
    ("套", 405, 360),
    ("4", 520, 360),
    ("12.50", 600, 360),
    ("50.00", 745, 360),
    ("6%", 855, 360),
    ("3.00", 1005, 360),
    ("(第3版)", 60, 385),
    ("合计", 120, 430),
    ("¥250.00", 730, 430),
    ("¥29.00", 990, 430),
    ("价税合计(大写)", 60, 470),
    ("⊗贰佰柒拾玖圆整", 260, 470),
    ("(小写)", 800, 470),
    ("¥279.00", 900, 470),
    ("名称:当当网信息技术有限公司", 100, 520),
    ("纳税人识别号:91511422MA62J75P9H", 100, 550),
    ("地址、电话:眉山市青龙镇 028-37696091", 100, 580),
    ("开户行及账号:中国工商银行彭山青行 2313075309100024123", 100, 610),
    ("收款人:王伟", 80, 660),
    ("复核:", 350, 660),
    ("开票人:李芳", 600, 660),
]
CODE = "01,10,051001800211,65281307,250.00,20190223,02259002865525349387,A1B2,"


def altered(before: str, after: str) -> list[tuple[str, float, float]]:
    """Print something else in the place of one text of the invoice."""
    assert any(text == before for text, _, _ in ELECTRONIC)
    return [(after if text == before else text, x, y) for text, x, y in ELECTRONIC]
