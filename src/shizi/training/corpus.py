"""Corpus: the texts that are drawn. Takes a seeded `Random`, gives one line's text under the label rules.

Words come by their frequency from jieba's dictionary (MIT), English from Python's own documentation topics
and docstrings (PSF licence) and a list of everyday words, the rest is made: dates, money, numbers, codes, forms.
Rare characters are drawn uniformly, so that the whole charset is learned. Knows nothing of fonts.
"""

import ast
import bisect
import re
import sysconfig
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from importlib import resources
from itertools import accumulate
from pathlib import Path
from pydoc_data.topics import topics
from random import Random

import jieba  # type: ignore[import-untyped]

from shizi.training import labels

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
CAPITALS = "零壹贰叁肆伍陆柒捌玖"
BRACKETS = ("《{}》", "“{}”", "（{}）", "({})", "【{}】", "「{}」", "[{}]", "‘{}’")
MARKS = (
    "· · ● ■ □ ☑ ▶ ◆ ★ ※ √ - — {n}. {n}、 ({n}) （{n}） {n}) "
    "第{n}章 第{c}条 {c}、 （{c}） "
    "① ② ③ ④ ⑤ ⑥ {n}.{m} {n}.{m}.{n} 图{n} 表{n}-{m} [{n}] →"
)
LABORATORY = (
    "mg/L", "g/L", "U/L", "IU/L", "mmol/L", "umol/L", "μmol/L", "10^9/L", "fL", "pg", "mL/min", "ng/mL",
)  # fmt: skip
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
# A line of 17 px type across a page column.
LONGEST = 60
SECTIONS = ("[surnames]", "[places]", "[form_words]", "[units]", "[code]", "[captions]", "[english]")


@cache
def printed(kind: str) -> tuple[str, ...]:
    """Give the words of one section of `words.txt`. Raises KeyError for a section it lacks."""
    sections: dict[str, list[str]] = {}
    text = resources.files("shizi.training").joinpath("words.txt").read_text(encoding="utf-8")
    for line in text.splitlines()[1:]:
        if line in SECTIONS:
            sections[line] = []
        else:
            sections[next(reversed(sections))].extend(line.split())
    return tuple(sections[f"[{kind}]"])


@cache
def _words() -> tuple[list[str], list[int]]:
    """Read jieba's dictionary: the words the charset can write and their running frequency totals."""
    known = labels.charset()
    words, counts = [], []
    path = Path(jieba.__file__).with_name("dict.txt")
    for line in path.read_text(encoding="utf-8").splitlines():
        word, count, _ = line.split(" ")
        if all(character in known for character in word):
            words.append(word)
            # A root flattens the head of the distribution: the common words are learned in any case.
            counts.append(int(int(count) ** 0.7) + 1)
    return words, list(accumulate(counts))


@cache
def _english() -> tuple[list[str], list[str]]:
    """Give English sentences and words of Python's documentation topics and of its library's docstrings.

    Words come as often as they are written, or from a list of common ones, or each as often as any other.
    """
    text = re.sub(r"\s+", " ", " ".join((*topics.values(), *_docstrings())))
    text = "".join(character for character in labels.clean(text) if character in labels.charset())
    sentences = [part for part in re.split(r"(?<=[.:;]) ", text) if len(part) >= 8]
    written = re.findall(r"[A-Za-z][A-Za-z'-]{1,14}", text)
    common, distinct = printed("english"), sorted({word.lower() for word in written})
    times = len(written) // 2
    return sentences, written + list(common) * (times // len(common)) + distinct * (times // len(distinct))


def english_words() -> Sequence[str]:
    """Give the English words that lines are made of, each as often as it comes."""
    return _english()[1]


def _docstrings() -> Iterator[str]:
    """Give the docstrings of the modules, classes and functions of Python's library."""
    library = Path(sysconfig.get_paths()["stdlib"])
    for source in sorted((*library.glob("*.py"), *library.glob("[a-z]*/*.py"))):
        if source.parent.name in ("test", "idlelib", "site-packages"):
            continue
        for node in ast.walk(ast.parse(source.read_bytes())):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                yield ast.get_docstring(node) or ""


@cache
def _alphabets() -> tuple[list[str], list[str]]:
    """Give the Chinese characters and the other characters of the charset."""
    characters = labels.charset().characters[:-1]
    marks = set(labels.SYMBOLS)
    chinese_ones = [c for c in characters if c >= "㐀" and c not in marks]
    return chinese_ones, [c for c in characters if c < "㐀" or c in marks]


def word(random: Random) -> str:
    """Give one Chinese word by its frequency."""
    words, totals = _words()
    return words[bisect.bisect_left(totals, random.randint(1, totals[-1]))]


def chinese(random: Random, length: int) -> str:
    """Give a run of Chinese words with punctuation, about `length` characters."""
    parts: list[str] = []
    while sum(map(len, parts)) < length:
        parts.append(word(random))
        if random.random() < 0.16:
            parts.append(random.choices("，。、；：？！", (40, 20, 16, 4, 8, 3, 3))[0])
        elif random.random() < 0.05:
            parts.append(random.choice(BRACKETS).format(word(random)))
    return "".join(parts)


def rare(random: Random, length: int) -> str:
    """Give Chinese characters drawn uniformly, so that every one is seen."""
    hanzi, others = _alphabets()
    return "".join(random.choice(hanzi if random.random() < 0.93 else others) for _ in range(length))


def english(random: Random, length: int) -> str:
    """Give English words or a piece of a sentence, about twice `length` characters, sometimes in capitals."""
    length *= 2
    sentences, words = _english()
    if random.random() < 0.55:
        sentence = random.choice(sentences)
        text = sentence[: sentence.find(" ", length) if sentence.find(" ", length) > 0 else length]
    else:
        text = " ".join(random.choice(words) for _ in range(max(1, length // 6)))
    style = random.random()
    # O and 0, I and 1, S and 5 are told apart in capitals by their company alone.
    return text.upper() if style < 0.25 else text.title() if style < 0.35 else text


def spaced(random: Random, length: int) -> str:
    """Give English words, figures and single letters parted by spaces: `Section 3 of 4`, `I am 25`, `A B C`."""
    words = _english()[1]
    alone = random.random() < 0.12  # letters or figures spaced out one by one
    parts: list[str] = []
    while sum(map(len, parts)) + len(parts) < 2 * length:
        kind = random.random()
        if alone:
            parts.append(random.choice(LETTERS if kind < 0.7 else "0123456789"))
        elif kind < 0.45:
            text = random.choice(words)
            parts.append(text.title() if random.random() < 0.4 else text)
        elif kind < 0.75:
            parts.append(random.choice((str(random.randrange(10)), str(random.randrange(3000)), number(random))))
        elif kind < 0.83:
            parts.append(random.choice(MONTHS).title())
        elif kind < 0.92:
            parts.append(random.choice(("I", "I", "I", "I", "a", "A", "No.", "x", "=", "-", "/", "&", "+", "of", "to")))
        else:
            parts.append(random.choice(LETTERS))
    return " ".join(parts)


def number(random: Random) -> str:
    """Give a figure as documents print it: plain, grouped, with decimals, sign, money or per cent."""
    digits = random.choice((1, 1, 1, 2, 2, 2, 3, 3, 4, 5, 6, 7))
    value = random.randrange(10**digits)
    kind = random.randrange(10)
    if kind == 0:
        return f"{value:,}.{random.randrange(100):02d}"
    if kind == 1:
        return random.choice("¥$€¥") + f"{value / 100:,.2f}"
    if kind == 2:
        return f"{random.choice('+-±≤≥≈<>')}{value / 10 ** random.randint(0, 4):g}"
    if kind == 3:
        return f"{random.randrange(1000) / 10}%"
    if kind == 4:
        return f"{value}{random.choice(printed('units'))}"
    if kind == 5:
        return measured(random)
    return str(value) if kind < 9 else f"{value / 10 ** random.randint(1, 3):.{random.randint(1, 3)}f}"


def measured(random: Random) -> str:
    """Give figures as tables of results print them: with an error, a share, a range, a part of a whole, a unit."""
    places = random.randrange(3)
    low, high = (f"{random.uniform(0, 10 ** random.randint(0, 3)):.{places}f}" for _ in range(2))
    some = random.randrange(200)
    made = (
        f"{low}±{high}", f"{low} ± {high}", f"{some} ({random.randrange(101)})", f"{some}({low}%)", f"{low}-{high}",
        f"{low}--{high}", f"{low}~{high}", f"{low} ({low}-{high})", f"{random.randrange(50)}/{random.randrange(1, 50)}",
        f"P<0.0{random.randrange(1, 10)}", f"n={some}", random.choice(LABORATORY),
    )  # fmt: skip
    return random.choice(made)


def capital_money(random: Random) -> str:
    """Give an amount in capital numerals, as invoices and cheques write it."""
    parts = [
        random.choice(CAPITALS[1:]) + unit
        for unit in random.choice(["佰拾元", "仟佰拾元", "万仟佰拾元", "拾万仟佰拾元", "拾元", "元"])
    ]
    cents = random.choice(CAPITALS[1:]) + "角" + random.choice(CAPITALS[1:]) + "分"
    return "".join(parts) + random.choice(("整", "", cents))


def date(random: Random) -> str:
    """Give a date or time in one of the usual printed forms."""
    year, month, day = random.randint(1949, 2035), random.randint(1, 12), random.randint(1, 28)
    clock = f"{random.randrange(24):02d}:{random.randrange(60):02d}"
    written = "".join("〇一二三四五六七八九"[int(digit)] for digit in str(year))
    return random.choice(
        (
            f"{year}年{month}月{day}日", f"{year}年{month:02d}月{day:02d}日",
            f"{year}-{month:02d}-{day:02d}",
            f"{year}/{month}/{day}", f"{year}.{month:02d}.{day:02d}", f"{year}-{month:02d}-{day:02d} {clock}",
            clock, f"{clock}:{random.randrange(60):02d}", f"{written}年{word(random)[:1]}月",
        )
    )  # fmt: skip


def code(random: Random) -> str:
    """Give an identifier: an account number, serial code, URL, e-mail address, version, telephone number."""
    figures = "".join(random.choice("0123456789") for _ in range(20))
    letters = "".join(random.choice("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789") for _ in range(18))
    plain = english(random, 5).split(" ")[0].lower() or "a"
    made = (
        letters, figures[: random.randint(6, 20)], letters[: random.randint(4, 10)] + "-" + figures[:4],
        f"https://www.{plain}.com/{plain}/{figures[:3]}", f"www.{plain}.cn",
        f"{plain}{figures[:2]}@{plain}.com",
        f"v{figures[0]}.{figures[1]}.{figures[2:4]}", f"0{figures[:3]}-{figures[3:11]}", f"1{figures[:10]}",
        " ".join(figures[place : place + 4] for place in (0, 4, 8, 12)), f"{plain}_{letters[:4].lower()}.py",
        f"192.168.{int(figures[:2])}.{int(figures[2:4])}:{figures[4:8]}", f"No.{figures[:8]}",
        f"0x{figures[:8]}", figures[0] + random.choice("ABCDEFGHJKLMNP"), f"{figures[:2]}{random.choice(MONTHS)}",
        f"{random.choice('ACHMZ3')}{random.choice('ACHUQ')} {figures[:4]}", identifier(random), identifier(random),
        f"{random.choice('GDCKZT')}{figures[:4]}", f"[{figures[:2]}]", f"({figures[0]})",
        f"{plain.title()}()",
    )  # fmt: skip
    return random.choice(made)


def identifier(random: Random) -> str:
    """Give a name of a programme, file or setting: words joined by underscores, dots, slashes or capitals."""
    words = [part for part in english(random, 8).replace("'", "").split() if part.isalnum()][:4] or ["name"]
    ending = random.choice(("", "", ".py", ".h", ".txt", ".onnx", ".json", "()", "_DIR", f"_{random.randrange(10)}"))
    style = random.randrange(5)
    if style == 0:
        return "_".join(words).upper() + ending
    if style == 1:
        return "/" + "/".join(words).lower() + ending
    if style == 2:
        return "".join(part.title() for part in words) + ending
    return ("_" if style == 3 else "-").join(words).lower() + ending


def bilingual(random: Random, length: int) -> str:
    """Give a caption as tickets and slips print it, in Chinese, English or both, now and then with its value."""
    chinese_one, english_one = random.choice(printed("captions")).replace("~", " ").split("|")
    style = random.random()
    both = random.choice(("{} {}", "{}{}", "{}/{}", "{}({})", "{}（{}）", "{} {}:")).format(chinese_one, english_one)
    text = both if style < 0.7 else english_one if style < 0.9 else f"{english_one}:"
    return text if random.random() < 0.8 else f"{text} {random.choice((number, date, code, name))(random)}"


def name(random: Random) -> str:
    """Give a Chinese name."""
    return random.choice(printed("surnames")) + word(random)[: random.choice((1, 2, 2))]


def address(random: Random) -> str:
    """Give a Chinese postal address."""
    room = random.choice(("", f"{random.randint(1, 30)}栋{random.randint(101, 2999)}室", "院内"))
    town = "".join(random.sample(printed("places"), random.choice((1, 2))))
    return town + word(random) + random.choice("路街巷道") + f"{random.randint(1, 999)}号" + room


def form(random: Random, length: int) -> str:
    """Give what a form or invoice prints: a caption with its value, or several captions."""
    caption = random.choice(printed("form_words"))
    value = random.choice((number, date, code, name, address, capital_money, word))(random)
    style = random.random()
    if style < 0.25 or len(caption) > length:
        return caption
    if style < 0.35:
        return caption + " " + random.choice(printed("form_words"))
    return caption + random.choice(("：", ":", "：", "", ": ")) + value


def listed(random: Random, length: int) -> str:
    """Give an item of a list: its mark, then text."""
    mark = random.choice(MARKS.split(" "))
    mark = mark.format(n=random.randint(1, 30), m=random.randint(1, 20), c=random.choice("一二三四五六七八九十"))
    return mark + random.choice(("", " ")) + (chinese if random.random() < 0.7 else english)(random, length)


def mixed(random: Random, length: int) -> str:
    """Give Chinese with figures, English words and codes among it."""
    parts: list[str] = []
    while sum(map(len, parts)) < length:
        parts.append(chinese(random, random.randint(1, 8)))
        parts.append(random.choice((number, lambda r: english(r, 6), code, date, _signs))(random))
    return "".join(parts)


def programme(random: Random, length: int) -> str:
    """Give a piece of source code or a command."""
    text = random.choice(printed("code"))
    while len(text) < length:
        more = random.choice(printed("code")) if random.random() < 0.3 else random.choice(_english()[1])
        text += random.choice((" ", "", ".", "(", "_")) + more
    return text


def symbols(random: Random, length: int) -> str:
    """Give signs and letters drawn uniformly, in short groups."""
    others = _alphabets()[1]
    return "".join(random.choice(others) if random.random() < 0.9 else " " for _ in range(min(length, 12)))


def _signs(random: Random) -> str:
    return random.choice(_alphabets()[1]) + str(random.randint(0, 99))


Maker = Callable[[Random, int], str]
MAKERS: Sequence[tuple[Maker, float]] = (
    (chinese, 24), (mixed, 13), (english, 15), (spaced, 5), (rare, 10), (form, 11), (bilingual, 4), (listed, 5),
    (symbols, 2), (programme, 3),
    (lambda r, n: number(r), 15), (lambda r, n: date(r), 2), (lambda r, n: code(r), 6),
    (lambda r, n: address(r), 2),
    (lambda r, n: capital_money(r), 1), (lambda r, n: name(r), 1),
)  # fmt: skip


def line(random: Random, texts: Sequence[str] = ()) -> str:
    """Give one line's text, 1 to 60 characters; `texts` are real lines' texts, taken now and then."""
    length = max(1, min(28, round(random.lognormvariate(2.2, 0.65))))
    if texts and random.random() < 0.2:
        text = random.choice(texts)
    else:
        makers, weights = zip(*MAKERS, strict=True)
        text = random.choices(makers, weights)[0](random, length)
    text = labels.clean(text)[:LONGEST].strip()
    known = labels.charset()
    return "".join(character for character in text if character in known) or "一"
