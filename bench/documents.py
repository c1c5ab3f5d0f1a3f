"""Measure reading documents: memory over pages, time a page, the resolution that drawn text needs.

    python bench/documents.py [memory] [text] [resolution]

Draws its own specimens (with pikepdf and, for Chinese, Debian's fonts-noto-cjk). `memory`: peak resident memory of
reading one and a hundred pages of a scan, A4 at 200 DPI, in a process each, pdfium's own process counted with it.
`text`: a text PDF of 1,000 pages. `resolution`: errors and time of drawn text read from pixels at several DPI, by size
of type. Writes its figures to bench/results/documents.json.
"""

import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import pdfs
from PIL import Image, ImageDraw, ImageFont

from shizi.evaluation import edit_distance
from shizi.options import ReadOptions
from shizi.pages import pdf_pages
from shizi.reader import Reader

FONT = "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"
RESULTS = Path(__file__).with_name("results") / "documents.json"
SENTENCES = (
    "识字把图片里的文字读出来，先中文，再英文。",
    "合同编号甲乙丙，金额壹万贰仟叁佰元整，税率百分之十三。",
    "The quick brown fox jumps over the lazy dog, 0123456789.",
    "本页第三行说明：扫描件与文字层放在同一份文件里。",
)


def scan(pages: int) -> bytes:
    picture = Image.new("L", (1654, 2339), 255)
    draw, font = ImageDraw.Draw(picture), ImageFont.truetype(FONT, 34)
    for i in range(12):
        draw.text((120, 100 + 54 * i), f"{i + 1}. {SENTENCES[i % 4]}", 0, font)
    return pdfs.scan(picture, count=pages)


def text(pages: int) -> bytes:
    """A page: 40 lines of 40 characters, half Chinese."""

    def page(number: int) -> str:
        rows = ((i, 780 - 18 * i) for i in range(40))
        return "".join(
            pdfs.shown(f"第{number}页第{i}行：{SENTENCES[0]}识字把图片里的文字读出来", 50, y, 11, "F2")
            if i % 2
            else pdfs.shown(f"{number}.{i} {SENTENCES[2]}", 50, y, 11)
            for i, y in rows
        )

    return pdfs.drawn(*map(page, range(1, pages + 1)))


def peak_megabytes() -> int:
    """The most memory this process and pdfium's own had, added (Linux)."""
    from shizi.pdf import process

    numbers = [os.getpid(), *(kept._child.pid for kept in process._idle)]
    rows = [row for number in numbers for row in Path(f"/proc/{number}/status").read_text().splitlines()]
    return sum(int(row.split()[1]) for row in rows if row.startswith("VmHWM")) // 1024


def read_scan(pages: int) -> dict[str, float]:
    reader, data = Reader(threads=1), scan(pages)
    told: list[float] = []
    start = time.process_time()
    document = reader.read(data, on_page=lambda done, total: told.append(time.process_time() - start))
    assert len(document.pages) == pages
    assert len(told) == pages + 1
    return {"cpu_seconds_a_page": round((told[-1] - told[0]) / pages, 3), "peak_megabytes": peak_megabytes()}


def read_text(pages: int) -> dict[str, float]:
    from shizi.pdf import process

    reader, data = Reader(threads=1), text(pages)
    wall, busy = time.perf_counter(), time.process_time()
    characters = sum(len(page.text) for page in reader.pages(data))
    seconds = {"seconds": round(time.perf_counter() - wall, 1), "cpu_here": round(time.process_time() - busy, 1)}
    peak = peak_megabytes()
    process._end_all()  # only then its time is told
    in_pdfium = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    return {"characters": characters, **seconds, "cpu_in_pdfium": round(in_pdfium, 1), "peak_megabytes": peak}


def read_drawn(dpi: float, size: float) -> dict[str, float]:
    rows = [SENTENCES[i % 4] for i in range(16)]
    truth = "".join("".join(row.split()) for row in rows)
    content = "".join(
        pdfs.shown(row, 50, 800 - 20 * i, size, "F1" if row.isascii() else "F2") for i, row in enumerate(rows)
    )
    pdf_pages.DRAWN_DPI = dpi
    reader = Reader(threads=1)
    start = time.process_time()
    (page,) = reader.read(pdfs.drawn(content), ReadOptions(pdf="ocr")).pages
    found = "".join("".join(line.text.split()) for line in page.lines)
    return {
        "cer": round(edit_distance(truth, found) / len(truth), 4),
        "cpu_seconds": round(time.process_time() - start, 2),
    }


def alone(call: Callable[..., object], *arguments: float) -> dict[str, float]:
    """Run one of this file's functions in a process of its own."""
    values = ", ".join(map(str, arguments))
    program = f"import json, documents; print(json.dumps(documents.{call.__name__}({values})))"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent), "OMP_NUM_THREADS": "1"}
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment)
    found: dict[str, float] = json.loads(ran.stdout)
    return found


def main() -> None:
    wanted = sys.argv[1:] or ["memory", "text", "resolution"]
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    results["date"] = date.today().isoformat()
    results["machine"] = f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    if "memory" in wanted:
        results["scan"] = {str(pages): alone(read_scan, pages) for pages in (1, 100)}
    if "text" in wanted:
        results["text, 1000 pages"] = alone(read_text, 1000)
    if "resolution" in wanted:
        results["drawn text"] = {
            f"{size:g} points": {f"{dpi:g} DPI": alone(read_drawn, dpi, size) for dpi in (100, 150, 200, 300)}
            for size in (5, 6, 8, 10.5, 14)
        }
    RESULTS.write_text(json.dumps(results, ensure_ascii=False, indent=1) + "\n")
    print(json.dumps(results, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()
