"""Measure shizi against RapidOCR and Tesseract on one labelled set, in one run, page by page in turn.

    python bench/against.py [SET] [--drawn] [--engines shizi,rapidocr,tesseract] [--threads N] [--json FILE] [--readme]

SET is a folder with labels.jsonl as `shizi eval` takes it; without one, or beside it with `--drawn`, the pages of
drawn.py are read (they need fonts-noto-cjk). Each engine runs in a process of its own with the same number of threads
and its own defaults; every page is read by all of them before the next one, so that a busy moment of the machine hits
all alike. `--readme` writes the table into both READMEs. `shizi-accurate`, `shizi-auto` and `shizi-fast` are the modes;
`shizi` is the default mode.
"""

import argparse
import datetime
import importlib.metadata
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import drawn

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "results"
MARKERS = "<!-- results:start -->", "<!-- results:end -->"
Read = Callable[[Path], list[str]]


def shizi(mode: str, threads: int) -> Read:
    from shizi.options import ReadOptions
    from shizi.reader import Reader

    reader, options = Reader(threads), ReadOptions.parse({"mode": mode})
    return lambda path: [line.text for page in reader.read(path, options).pages for line in page.lines]


def rapidocr(threads: int) -> Read:
    from rapidocr import RapidOCR

    settings = {"Global.log_level": "critical", "EngineConfig.onnxruntime.intra_op_num_threads": threads}
    engine = RapidOCR(params=settings)
    return lambda path: list(engine(str(path)).txts or [])


def tesseract(threads: int) -> Read:
    os.environ["OMP_THREAD_LIMIT"] = str(threads)

    def read(path: Path) -> list[str]:
        command = ["tesseract", str(path), "-", "-l", "chi_sim+eng"]
        result = subprocess.run(command, capture_output=True, text=True, check=True)
        return [row for row in result.stdout.splitlines() if row.strip()]

    return read


def engine(name: str, threads: int) -> Read:
    if name == "rapidocr":
        return rapidocr(threads)
    if name == "tesseract":
        return tesseract(threads)
    return shizi(name.removeprefix("shizi-") if "-" in name else "auto", threads)


def serve(name: str, threads: int) -> None:
    """Read the pictures named on standard input and answer each with one row of JSON: the engine's own process."""
    read = engine(name, threads)
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what engines print must not mix with the replies
    for row in sys.stdin:
        path = Path(row.rstrip("\n"))
        start = time.perf_counter()
        try:
            lines = read(path)
        except subprocess.CalledProcessError:  # Tesseract refuses a picture: it has read nothing
            lines = []
        milliseconds = (time.perf_counter() - start) * 1000
        kind = resource.RUSAGE_CHILDREN if name == "tesseract" else resource.RUSAGE_SELF
        peak = resource.getrusage(kind).ru_maxrss / 1024
        print(json.dumps({"lines": lines, "ms": milliseconds, "peak_rss_mb": peak}), file=replies, flush=True)


class Process:
    """One engine in a process of its own."""

    def __init__(self, name: str, threads: int) -> None:
        self.name = name
        command = [sys.executable, __file__, "--serve", name, "--threads", str(threads)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self.answers: dict[str, dict] = {}  # type: ignore[type-arg]

    def read(self, path: Path) -> dict:  # type: ignore[type-arg]
        """Read one picture: lines, ms, peak_rss_mb."""
        assert self._process.stdin
        assert self._process.stdout
        print(path, file=self._process.stdin, flush=True)
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()


def measure(folder: Path, names: list[str], threads: int) -> dict[str, dict]:  # type: ignore[type-arg]
    """Read every labelled page with every engine in turn and give the measures of each."""
    from shizi.document import Line
    from shizi.evaluation import OVERALL, Prediction, evaluate, load_labels
    from shizi.geometry import Polygon

    labels = load_labels(folder)
    processes = [Process(name, threads) for name in names]
    for process in processes:
        process.read(folder / labels[0].image)  # the first page loads and allocates
    for number, label in enumerate(labels):
        order = processes[number % len(processes) :] + processes[: number % len(processes)]
        for process in order:
            process.answers[label.image] = process.read(folder / label.image)
        if sys.stderr.isatty():
            print(f"\r{number + 1}/{len(labels)}", end="", file=sys.stderr)
    rows = {}
    box = Polygon.from_bounds(0, 0, 1, 1)
    for process in processes:
        process.close()
        predictions = [
            Prediction(image, tuple(Line(text, 1.0, box) for text in answer["lines"]), answer["ms"])
            for image, answer in process.answers.items()
        ]
        measures = evaluate(labels, predictions)
        times = sorted(answer["ms"] for answer in process.answers.values())
        overall = measures[OVERALL]
        rows[process.name] = {
            "cer": overall.cer,
            "line_accuracy": overall.line_accuracy,
            "order_cer": overall.order_cer,
            "spurious": overall.spurious,
            "ms_median": round(statistics.median(times), 1),
            "ms_p95": round(times[min(len(times) - 1, round(0.95 * (len(times) - 1)))], 1),
            "pages_per_second": round(1000 * len(times) / sum(times), 2),
            "peak_rss_mb": round(max(answer["peak_rss_mb"] for answer in process.answers.values())),
            "cer_by_category": {key: value.cer for key, value in measures.items() if key != OVERALL},
            "ms": {image: round(answer["ms"], 1) for image, answer in process.answers.items()},
        }
    _add_ratios(rows, {label.image: label.category for label in labels})
    return rows


def _add_ratios(rows: dict[str, dict], categories: dict[str, str]) -> None:  # type: ignore[type-arg]
    """Give each engine the median, over pages, of RapidOCR's time divided by its own: overall and by category."""
    if "rapidocr" not in rows:
        return
    theirs = rows["rapidocr"]["ms"]
    for row in rows.values():
        ratios = {image: theirs[image] / row["ms"][image] for image in theirs}
        row["times_faster"] = round(statistics.median(ratios.values()), 2)
        row["times_faster_by_category"] = {
            category: round(statistics.median(ratios[image] for image in ratios if categories[image] == category), 2)
            for category in dict.fromkeys(categories.values())
        }


def machine() -> str:
    """Name the processor, as far as the system tells."""
    try:
        rows = Path("/proc/cpuinfo").read_text().splitlines()
        name = next(row.split(":")[1].strip() for row in rows if row.startswith("model name"))
    except (OSError, StopIteration):
        name = platform.processor() or platform.machine()
    return f"{name}, {len(os.sched_getaffinity(0))} cores"


def table(report: dict) -> str:  # type: ignore[type-arg]
    """Write the measures as a Markdown table."""
    heads = ["", "CER", "lines right", "order CER", "ms a page, median", "p95", "pages/s", "faster", "peak MB"]
    rows = [heads, ["---", *["---:"] * (len(heads) - 1)]]
    for name, row in report["engines"].items():
        faster = f"{row['times_faster']:.2f}x" if "times_faster" in row else ""
        rows.append(
            [
                report["versions"].get(name, name),
                f"{row['cer']:.2%}",
                f"{row['line_accuracy']:.1%}",
                f"{row['order_cer']:.1%}",
                f"{row['ms_median']:.0f}",
                f"{row['ms_p95']:.0f}",
                f"{row['pages_per_second']:.2f}",
                faster,
                str(row["peak_rss_mb"]),
            ]
        )
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def categories_table(report: dict) -> str:  # type: ignore[type-arg]
    """Write, for each category, the CER of each engine and how many times faster than RapidOCR it is."""
    engines = report["engines"]
    heads = ["category", *(f"{name}: CER" for name in engines), *(f"{name}: faster" for name in engines)]
    rows = [heads, ["---", *["---:"] * (len(heads) - 1)]]
    for category in next(iter(engines.values()))["cer_by_category"]:
        cells = [f"{row['cer_by_category'][category]:.2%}" for row in engines.values()]
        cells += [f"{row.get('times_faster_by_category', {}).get(category, 0):.2f}x" for row in engines.values()]
        rows.append([category, *cells])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def versions(names: list[str]) -> dict[str, str]:
    own = importlib.metadata.version("shizi")
    known = {name: f"shizi {own}, {name.partition('-')[2] or 'auto'}" for name in names}
    if "rapidocr" in names:
        known["rapidocr"] = f"RapidOCR {importlib.metadata.version('rapidocr')}"
    if "tesseract" in names:
        reply = subprocess.run(["tesseract", "--version"], capture_output=True, text=True, check=True)
        known["tesseract"] = f"Tesseract {reply.stdout.split()[1]}, chi_sim+eng"
    return known


def write_readmes(report: dict) -> None:  # type: ignore[type-arg]
    """Put table and circumstances between the markers of both READMEs."""
    where = report["pages"], report["threads"], report["machine"], report["date"]
    told = {
        "README.md": "{} real pages, {} threads, {}, {}; `faster`: RapidOCR's time divided by this one's, median over "
        "pages.",
        "README.zh-CN.md": "{} 张真实图片，{} 线程，{}，{}；`faster` 为逐页 RapidOCR 用时与本行用时之比的中位数。",
    }
    for name, note in told.items():
        path = ROOT / name
        before, rest = path.read_text(encoding="utf-8").split(MARKERS[0])
        after = rest.split(MARKERS[1])[1]
        block = f"{MARKERS[0]}\n{table(report)}\n\n{note.format(*where)}\n{MARKERS[1]}"
        path.write_text(before + block + after, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", nargs="?", type=Path)
    parser.add_argument("--drawn", action="store_true", help="read the drawn pages too")
    parser.add_argument("--engines", default="shizi,rapidocr,tesseract")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path, default=RESULTS / "against.json")
    parser.add_argument("--readme", action="store_true")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve(arguments.serve, arguments.threads)
        return
    names = arguments.engines.split(",")
    if "tesseract" in names and not shutil.which("tesseract"):
        names.remove("tesseract")
        print("Tesseract is left out: apt-get install tesseract-ocr tesseract-ocr-chi-sim", file=sys.stderr)
    with tempfile.TemporaryDirectory() as temporary:
        sets = [arguments.set] if arguments.set else []
        if arguments.drawn or not sets:
            drawn.draw_set(Path(temporary) / "drawn")
            sets.append(Path(temporary) / "drawn")
        reports = [report(folder, names, arguments.threads) for folder in sets]
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    for made in reports:
        path = arguments.json if made["set"] != "drawn" else arguments.json.with_stem(arguments.json.stem + "-drawn")
        path.write_text(json.dumps(made, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        print(table(made), categories_table(made), sep="\n\n", end="\n\n")
    if arguments.readme:
        write_readmes(reports[0])


def report(folder: Path, names: list[str], threads: int) -> dict:  # type: ignore[type-arg]
    """Measure one set and say under which circumstances."""
    rows = measure(folder, names, threads)
    return {
        "date": datetime.date.today().isoformat(),
        "machine": machine(),
        "threads": threads,
        "set": folder.name,
        "pages": len(next(iter(rows.values()))["ms"]),
        "versions": versions(names),
        "engines": rows,
    }


if __name__ == "__main__":
    main()
