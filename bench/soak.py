"""Watch one process's memory while it reads thousands of mixed pages.

    python bench/soak.py [SET] [--pages 2000] [--mode auto] [--threads 2] [--out bench/results/soak.json]

Pages of SET (labels.jsonl) and the screens and A4 scans of drawn.py are read in a shuffled order, over and over.
Writes the resident memory after each page as JSON and as a picture beside it, and says by how much it grew after page
200.
"""

import argparse
import datetime
import json
import os
import resource
import statistics
import tempfile
import time
from pathlib import Path
from random import Random

import cv2
import drawn
import numpy as np

from shizi.options import ReadOptions
from shizi.reader import Reader

SETTLED = 200  # pages after which memory is held to be at its level
WINDOW = 50  # its level is the median over so many pages


def resident_mb() -> float:
    """Give the process's resident memory in megabytes, from /proc."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def pictures(folder: Path | None, temporary: Path) -> list[Path]:
    """Name every picture to read."""
    drawn.draw_set(temporary, pages=1)
    folders = [temporary, *([folder] if folder else [])]
    return [
        place / json.loads(row)["image"]
        for place in folders
        for row in (place / "labels.jsonl").read_text(encoding="utf-8").splitlines()
    ]


def draw(levels: list[float], path: Path) -> None:
    """Draw memory over pages, nought at the bottom."""
    width, height, margin = 900, 300, 40
    canvas = np.full((height + 2 * margin, width + 2 * margin, 3), 255, np.uint8)
    top = max(levels) * 1.1
    across = np.linspace(margin, margin + width, len(levels))
    points = np.stack([across, margin + height * (1 - np.array(levels) / top)], axis=1).astype(np.int32)
    cv2.rectangle(canvas, (margin, margin), (margin + width, margin + height), (200, 200, 200))
    cv2.polylines(canvas, [points[:, None]], False, (160, 60, 20), 1, cv2.LINE_AA)
    caption = f"resident memory, MB (0 to {top:.0f}), over {len(levels)} pages"
    cv2.putText(canvas, caption, (margin, margin - 12), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (60, 60, 60), 1, cv2.LINE_AA)
    cv2.imwrite(str(path), canvas)


def main() -> None:
    """Read, watch, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", nargs="?", type=Path)
    parser.add_argument("--pages", type=int, default=2000)
    parser.add_argument("--mode", default="auto")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "soak.json")
    arguments = parser.parse_args()
    reader, options, random = Reader(arguments.threads), ReadOptions.parse({"mode": arguments.mode}), Random(1)
    levels: list[float] = []
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as temporary:
        files = pictures(arguments.set, Path(temporary))
        while len(levels) < arguments.pages:
            for path in random.sample(files, len(files))[: arguments.pages - len(levels)]:
                reader.read(path, options)
                levels.append(resident_mb())
    settled = statistics.median(levels[SETTLED - WINDOW : SETTLED]) if len(levels) > SETTLED else levels[-1]
    last = statistics.median(levels[-WINDOW:])
    report = {
        "date": datetime.date.today().isoformat(),
        "mode": arguments.mode,
        "pages": len(levels),
        "seconds": round(time.monotonic() - start),
        "settled_mb": round(settled, 1),
        "last_mb": round(last, 1),
        "growth": round(last / settled - 1, 4),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000, 1),
        "every_tenth_mb": [round(level, 1) for level in levels[::10]],
    }
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    draw(levels, arguments.out.with_suffix(".png"))
    print({key: value for key, value in report.items() if key != "every_tenth_mb"})


if __name__ == "__main__":
    main()
