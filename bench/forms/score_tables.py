"""Score what shizi finds in specimen tables: TEDS of structure and of content, tables missed and made up, time.

    python bench/forms.py --score --kinds tables [--count 200] [--seed 1] [--json FILE]

`count` specimens are drawn in equal parts ruled, partly ruled and borderless, and a fifth as many pages without one.
A true table that no found one overlaps counts 0; of a page without one every table found is made up.
"""

import json
import statistics
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from forms.tables import KINDS, Specimen, Truth, specimen
from forms.teds import teds
from shizi import reader as reading
from shizi.document import Table
from shizi.options import ReadOptions

OVERLAP = 0.3  # share of their common area from which a found table stands for a true one


@dataclass(frozen=True, slots=True)
class Found:
    """What came of one true table (or, of kind `none`, of one made up)."""

    name: str
    kind: str
    structure: float
    content: float
    size: str


def overlap(truth: Truth, table: Table) -> float:
    """Give the share of the area of either that both cover."""
    a, b = truth.corners.astype(np.float32), np.array(table.polygon.corners, np.float32)
    both, _ = cv2.intersectConvexConvex(a, b)
    return float(both / (cv2.contourArea(a) + cv2.contourArea(b) - both + 1e-9))


def judge(page: Specimen, tables: tuple[Table, ...]) -> list[Found]:
    """Match found tables to true ones and score them; those left over come last with a score of -1."""
    left, results = list(tables), []
    for truth in page.tables:
        best = max(left, key=lambda table: overlap(truth, table), default=None)
        shape = f"{truth.rows}x{truth.columns}"
        if best is None or overlap(truth, best) < OVERLAP:
            results.append(Found(page.name, page.kind, 0.0, 0.0, shape))
            continue
        left.remove(best)
        structure, content = teds(truth.cells, best.cells, structure=True), teds(truth.cells, best.cells)
        results.append(Found(page.name, page.kind, structure, content, f"{shape} as {best.rows}x{best.columns}"))
    return results + [Found(page.name, page.kind, -1.0, -1.0, f"none as {t.rows}x{t.columns}") for t in left]


def score(count: int, seed: int) -> tuple[list[Found], dict[str, list[float]]]:
    """Read every specimen; gives what came of the tables, and the stage's milliseconds a page."""
    reader, options = reading.Reader(threads=1), ReadOptions(tables="auto")
    results: list[Found] = []
    times: dict[str, list[float]] = {"rules": [], "tables": []}
    for name, function in (("rules", "find_rules"), ("tables", "find_tables")):
        setattr(reading, function, _timed(getattr(reading, function), times[name]))
    for kind, many in [*((kind, count // len(KINDS)) for kind in KINDS), ("none", count // 5)]:
        for i in range(many):
            page = specimen(kind, i, seed)
            (read,) = reader.read(page.pixels, options).pages
            results.extend(judge(page, read.tables))
    return results, times


def _timed(function, times: list[float]):  # type: ignore[no-untyped-def]
    def call(*arguments):  # type: ignore[no-untyped-def]
        start = time.perf_counter()
        result = function(*arguments)
        times.append(1000 * (time.perf_counter() - start))
        return result

    return call


def report(results: list[Found], times: dict[str, list[float]]) -> dict[str, object]:
    """Give the figures by kind."""
    rows = {}
    for kind in (*KINDS, "none"):
        true = [found for found in results if found.kind == kind and found.structure >= 0]
        rows[kind] = {
            "tables": len(true),
            "teds_structure": round(statistics.fmean(found.structure for found in true), 4) if true else None,
            "teds": round(statistics.fmean(found.content for found in true), 4) if true else None,
            "whole": round(statistics.fmean(found.structure == 1 for found in true), 4) if true else None,
            "missed": sum(found.structure == 0 for found in true),
            "made_up": sum(found.kind == kind and found.structure < 0 for found in results),
        }
    return {"kinds": rows, "ms_a_page": {name: round(statistics.median(many), 1) for name, many in times.items()}}


def draw(folder: Path, count: int, seed: int) -> None:
    """Write specimens as pictures, their true tables framed."""
    folder.mkdir(parents=True, exist_ok=True)
    for kind in (*KINDS, "none"):
        for i in range(count):
            page = specimen(kind, i, seed)
            pixels: NDArray[np.uint8] = page.pixels.copy()
            for truth in page.tables:
                cv2.polylines(pixels, [truth.corners.astype(np.int32)], True, (255, 0, 0), 2)
            Image.fromarray(pixels).save(folder / f"{page.name}.png")


def run(count: int, seed: int, kept: Path | None) -> None:
    """Score and print the figures; `kept`: the file for them and every table's score, worst first."""
    results, times = score(count, seed)
    figures = report(results, times)
    print(json.dumps(figures, indent=1))
    if kept:
        worst = sorted((asdict(found) for found in results), key=lambda found: found["structure"])
        kept.write_text(json.dumps({**figures, "tables": worst}, indent=1) + "\n")
