"""Kinds: which form a page is, told by its title or, where a seal covers that, by its words."""

from __future__ import annotations

import re

from shizi.fields.labels import distance
from shizi.fields.pieces import Piece, Sheet

# kind -> its name as value of `invoice_type`, and the ways its title is printed
TITLES: dict[str, tuple[str, tuple[str, ...]]] = {
    "train_electronic": ("电子发票(铁路电子客票)", ("电子发票(铁路电子客票)", "铁路电子客票")),
    "digital_special": ("电子发票(增值税专用发票)", ("电子发票(增值税专用发票)",)),
    "digital_ordinary": ("电子发票(普通发票)", ("电子发票(普通发票)",)),
    "electronic_special": ("增值税电子专用发票", ("增值税电子专用发票",)),
    "electronic": ("增值税电子普通发票", ("增值税电子普通发票",)),
    "roll": ("增值税普通发票(卷票)", ("增值税普通发票(卷票)",)),
    "special": ("增值税专用发票", ("增值税专用发票",)),
    "ordinary": ("增值税普通发票", ("增值税普通发票",)),
    "taxi": ("出租车发票", ("出租汽车专用发票", "出租汽车发票", "出租车发票", "出租车专用发票", "出租汽车统一发票")),
    "machine": ("通用机打发票", ("通用机打发票", "机打发票", "通用定额发票", "国家税务局通用机打发票")),
}
VAT = ("digital_special", "digital_ordinary", "electronic_special", "electronic", "special", "ordinary")
# How much of a title may be misread or hidden under its seal.
_HIDDEN = 0.34
_SURE = 0.2
_CARRIAGE = re.compile(r"\d{1,2}车(无座|\d)")


def name_of(kind: str) -> str:
    """Give the value of `invoice_type`."""
    return "火车票" if kind == "train" else TITLES[kind][0] if kind in TITLES else ""


def find_kind(sheet: Sheet) -> tuple[str, Piece | None]:
    """Give the kind ('' = unknown) and the piece that holds its title."""
    best: tuple[float, int, str, Piece] | None = None
    for piece in sheet.pieces:
        text = piece.folded
        if piece.vertical or len(text) < 4 or len(text) > 40:
            continue
        for kind, (_, titles) in TITLES.items():
            for title in titles:
                lost = _lost(text, title)
                # of titles that fit as well the longer one says more
                if lost <= _HIDDEN and (best is None or (lost, -len(title)) < best[:2]):
                    best = lost, -len(title), kind, piece
    words = "".join(piece.folded for piece in sheet.pieces)
    if best is None or best[0] > _SURE:
        told = _by_words(words)
        if told and (best is None or told not in ("vat",)):
            return told, None
    return (best[2], best[3]) if best else ("", None)


def titles(sheet: Sheet) -> list[Piece]:
    """Give the pieces that are titles without a doubt, one a form: on a page of one form there is one."""
    return [
        piece
        for piece in sheet.pieces
        if not piece.vertical
        and 4 <= len(piece.folded) <= 40
        and any(_lost(piece.folded, title) <= _SURE for _, ways in TITLES.values() for title in ways)
    ]


def _lost(text: str, title: str) -> float:
    """Give the share of a title's characters that are not in the text, at the place where it fits best."""
    if title in text:
        return 0.0
    if "发票" not in text and "客票" not in text:
        return 1.0
    size = len(title)
    windows = [text[i : i + n] for n in (size - 1, size, size + 1) for i in range(max(1, len(text) - n + 1))]
    return min(distance(window, title) for window in windows) / size


def _by_words(words: str) -> str:
    """Tell a form without a legible title by words that only it has."""
    if ("限乘当日" in words or "12306" in words) and _CARRIAGE.search(words):
        return "train"
    if _CARRIAGE.search(words) and words.count("站") >= 2 and re.search(r"\d月\d{1,2}日\d{1,2}:\d\d", words):
        return "train"
    if sum(word in words for word in ("上车", "下车", "里程", "单价", "等候", "候时", "车号")) >= 3:
        return "taxi"
    if sum(word in words for word in ("价税合计", "纳税人识别号", "税率", "税额", "开票日期")) >= 4:
        return "vat"
    return ""
