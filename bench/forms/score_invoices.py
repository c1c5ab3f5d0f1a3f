"""Score: how well the fields of drawn invoices and tickets are found, and whether their checks can be trusted.

A value is right when it is the printed one, after NFKC and without white space; numbers when they are equal. F1 counts
every field of the truth and every field given, the cells of the goods' rows among them.
"""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from decimal import Decimal, InvalidOperation
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from forms.invoices import TICKETS, Specimen, specimen
from forms.truth import VAT_KINDS
from shizi.document import Document, Field
from shizi.options import ReadOptions
from shizi.reader import Reader

CONDITIONS = ("clean", "scanned", "photographed")


def order(count: int, kinds: str, seed: int) -> Iterator[tuple[int, str, str, bool]]:
    """Name the specimens of a run: seed, kind, condition, whether a figure is falsified (every tenth)."""
    names = tuple(VAT_KINDS) if kinds == "vat" else TICKETS
    for i in range(count):
        yield seed + i, names[i % len(names)], CONDITIONS[i // len(names) % 3], kinds == "vat" and i % 10 == 7


def score(
    count: int = 300, kinds: str = "vat", seed: int = 10_000, processes: int = 1, kept: Path | None = None
) -> dict[str, Any]:
    """Read `count` specimens and give the figures by condition, with every failure named.

    `kept`: a file written after every tenth specimen, so that a run that is stopped has not been for nothing.
    """
    rows: list[dict[str, Any]] = []
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for row in pool.map(examine, order(count, kinds, seed)):
            rows.append(row)
            if kept is not None and len(rows) % 10 == 0:
                write(summed(rows), kept)
    return summed(rows)


@cache
def _reader() -> Reader:
    return Reader(threads=1)


def examine(which: tuple[int, str, str, bool]) -> dict[str, Any]:
    """Draw and read one specimen; gives counts and what went wrong."""
    drawn = specimen(*which)
    document = _reader().read(np.asarray(drawn.picture), ReadOptions(fields="auto"))
    return compared(drawn, document) | {"seed": which[0]}


def compared(drawn: Specimen, document: Document) -> dict[str, Any]:
    """Compare a document's fields with the truth."""
    wanted, found = dict(_wanted(drawn.fields)), dict(_found(document.fields))
    right = [name for name, value in wanted.items() if name in found and same(found[name].value, value)]
    passed = [name for name, field in found.items() if field.checks and all(check.passed for check in field.checks)]
    decision = document.verdict.decision if document.verdict else ""
    return {
        "kind": drawn.kind,
        "condition": drawn.condition,
        "wanted": len(wanted),
        "found": len(found),
        "right": len(right),
        "passed": len(passed),
        "passed_wrong": [[n, found[n].value, wanted.get(n, "")] for n in passed if n not in right],
        "wrong": [[n, found[n].value if n in found else "", v] for n, v in wanted.items() if n not in right],
        "extra": [[n, found[n].value] for n in found if n not in wanted],
        "repaired": [
            [n, field.repaired, field.value, wanted.get(n, "")] for n, field in found.items() if field.repaired
        ],
        "decision": decision,
        "accepted_wrong": [n for n, v in wanted.items() if decision == "accept" and n not in right],
        "falsified": drawn.falsified,
        "falsified_passes": bool(drawn.falsified) and (decision == "accept" or drawn.falsified in passed),
    }


def _wanted(fields: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in fields.items():
        if name == "items":
            yield from ((f"items.{i}.{n}", v) for i, row in enumerate(value) for n, v in row.items() if v)
        else:
            yield name, value


def _found(fields: tuple[Field, ...]) -> Iterator[tuple[str, Field]]:
    for field in fields:
        if field.rows:
            yield from ((f"items.{i}.{part.name}", part) for i, row in enumerate(field.rows) for part in row)
        elif field.value:
            yield field.name, field


def same(value: str, truth: str) -> bool:
    """Say whether a value is the printed one."""
    if plain(value) == plain(truth):
        return True
    try:
        return Decimal(value) == Decimal(truth)
    except InvalidOperation:
        return False


def plain(text: str) -> str:
    """Fold what prints alike: widths, spaces, 元 and 圆, 正 and 整."""
    return "".join(unicodedata.normalize("NFKC", text).split()).replace("元", "圆").replace("正", "整")


def summed(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Give the figures of all specimens, by condition."""
    report: dict[str, Any] = {}
    for condition in (*CONDITIONS, "all"):
        part = [row for row in rows if condition in (row["condition"], "all")]
        if not part:
            continue
        total: Counter[str] = Counter()
        for row in part:
            total.update({key: row[key] for key in ("wanted", "found", "right", "passed")})
            total["passed_wrong"] += len(row["passed_wrong"])
            total["repaired"] += len(row["repaired"])
            total["accepted"] += row["decision"] == "accept"
            total["falsified"] += bool(row["falsified"])
            total["falsified_passes"] += row["falsified_passes"]
        report[condition] = {
            "documents": len(part),
            "f1": round(2 * total["right"] / max(1, total["wanted"] + total["found"]), 4),
            "passed_right": round(1 - total["passed_wrong"] / max(1, total["passed"]), 5),
            **total,
        }
    report["failures"] = [row for row in rows if row["wrong"] or row["passed_wrong"] or row["falsified"]]
    return report


def show(report: dict[str, Any]) -> None:
    """Print the figures."""
    for condition in (*CONDITIONS, "all"):
        if condition in report:
            print(condition, json.dumps(report[condition]))


def write(report: dict[str, Any], path: Path) -> None:
    """Keep the figures with their failures."""
    path.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n")
