"""The improvement loop from end to end: lines put right, a model made of them, put in force and gone back from.

Draws lines in a typeface that the small recogniser reads badly (slanted letters), starts a service that keeps
corrections, posts the lines, runs `shizi improve`, reads lines that were never posted with both models, then promotes
and rolls back four times (over HTTP and by the command line) while clients press the service, and counts what is lost.
Everything lies in a folder of its own; the service listens on this machine alone.

    python bench/improve.py                      # as the bar has it: 200 lines learned, 30 minutes of processor time
    python bench/improve.py --minutes 3 --compared 2000     # a quick look
"""

import argparse
import base64
import http.client
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import cv2
import numpy as np

from shizi import weights
from shizi.recognise import Recogniser
from shizi.service.access import Keys
from shizi.training import corpus, evaluate, fonts, improve, render, samples
from shizi.versions import Versions

# The bar: with 200 lines put right, 20 points more of the face's other lines right. What may be lost elsewhere,
# 0.2 points, is judged by `shizi improve`.
GAIN, CPU_MINUTES = 20.0, 30.0
POSTED_RUN, FRESH_RUN = 71, 72
FRESH_LINES = 600
CLIENTS = 4
# How long clients press between two changes of the model.
PRESS_SECONDS = 4.0


def slanted(face: fonts.Face, faces: Sequence[fonts.Face], run: int, count: int, slant: float) -> list[samples.Sample]:
    """Draw `count` lines in a face, its letters leaning by `slant` of their height; different runs share no text."""
    pen, lines = render.Pen(list(faces), face), []
    for number in range(count):
        random = Random(run * 1_000_003 + number)
        drawn = pen.draw(corpus.line(random, []), face, face, render.draw_look(random))
        height, width = drawn.ink.shape
        room = round(slant * height / 2)
        turn = np.array([[1, -slant, slant * height / 2 + room], [0, 1, 0]], np.float32)
        lines.append(samples.Sample(255 - cv2.warpAffine(drawn.ink, turn, (width + 2 * room, height)), drawn.text))
    return lines


@contextmanager
def serving(port: int, work: Path, workers: int) -> Iterator[subprocess.Popen[str]]:
    """Run a service until the block ends, its log in the work folder."""
    environment = {
        **os.environ,
        "SHIZI_CORRECTIONS": str(work / "corrections"),
        "SHIZI_MODELS": str(work / "models"),
        "SHIZI_KEYS": str(work / "keys"),
        "SHIZI_CACHE": "off",
    }
    command = [sys.executable, "-c", "from shizi.cli import main; main()", "serve"]
    with (work / "service.log").open("w") as log:
        process = subprocess.Popen(
            [*command, "--port", str(port), "--workers", str(workers)],
            env=environment, stdout=subprocess.PIPE, stderr=log, text=True,
        )  # fmt: skip
        assert process.stdout is not None
        if "/ocr/webui" not in process.stdout.readline():
            process.wait(60)
            sys.exit(f"the service did not start; see {work / 'service.log'}")
        try:
            yield process
        finally:
            process.terminate()
            process.wait(60)


class Caller:
    """Plain requests to the service."""

    def __init__(self, port: int, key: str) -> None:
        self._port, self._headers = port, {"X-API-Key": key, "Content-Type": "application/json"}

    def ask(self, method: str, path: str, values: object = None) -> tuple[int, dict[str, Any]]:
        """Send one request, give status and answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=300)
        try:
            connection.request(method, path, json.dumps(values).encode(), self._headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def must(self, method: str, path: str, values: object = None) -> dict[str, Any]:
        """Send one request that has to succeed."""
        status, answer = self.ask(method, path, values)
        if status != 200:
            raise SystemExit(f"{method} {path}: {status} {answer}")
        return answer


def encoded(line: samples.Sample) -> str:
    return base64.b64encode(cv2.imencode(".png", line.strip)[1].tobytes()).decode()


def shizi(work: Path, *words: str) -> str:
    """Run a command of shizi on the work folder; what it says on the way goes to standard error."""
    environment = {**os.environ, "SHIZI_CORRECTIONS": str(work / "corrections"), "SHIZI_MODELS": str(work / "models")}
    ran = subprocess.run(
        [sys.executable, "-c", "from shizi.cli import main; main()", *words],
        env=environment, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    if ran.returncode != 0:
        raise SystemExit(f"shizi {' '.join(words)} ended with {ran.returncode}")
    return ran.stdout


def press(caller: Caller, pictures: Sequence[str], stop: threading.Event, told: Counter[str]) -> None:
    """Send pictures until told to stop; count answers by status and by the model that read."""
    number = 0
    while not stop.is_set():
        number += 1
        try:
            status, answer = caller.ask(
                "POST", "/ocr/predict", {"image": pictures[number % len(pictures)], "mode": "fast"}
            )
        except (OSError, http.client.HTTPException, ValueError) as error:
            told[f"lost: {type(error).__name__}"] += 1
            continue
        told[f"status {status}"] += 1
        if status == 200:
            told[next(label for label in answer["weights"] if label.startswith("crnn"))] += 1


def swap_under_load(caller: Caller, work: Path, version: str, pictures: Sequence[str]) -> Counter[str]:
    """Promote and roll back twice by each way while clients press; give what they were answered."""
    stop, told = threading.Event(), Counter[str]()
    clients = [threading.Thread(target=press, args=(caller, pictures, stop, told)) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    try:
        for _ in range(2):
            caller.must("POST", "/ocr/models/promote", {"version": version})
            time.sleep(PRESS_SECONDS)
            caller.must("POST", "/ocr/models/rollback")
            time.sleep(PRESS_SECONDS)
        for words in (("promote", version), ("rollback",)) * 2:
            shizi(work, "models", *words)
            wait_until_served(caller)
            time.sleep(PRESS_SECONDS)
    finally:
        stop.set()
        for client in clients:
            client.join()
    return told


def wait_until_served(caller: Caller) -> None:
    """Wait until the service reads with what is in force."""
    until = time.monotonic() + 120
    while (answer := caller.must("GET", "/ocr/models"))["serving"] != answer["current"]:
        if time.monotonic() > until:
            raise SystemExit(f"the service did not follow: {answer['problem']}")
        time.sleep(0.2)


def read_right(path: Path, lines: Sequence[samples.Sample]) -> list[bool]:
    """Tell which lines a model reads without an error."""
    readings, _ = evaluate.read_lines(Recogniser(weights.from_file(path), weights.cpu_quota()), lines)
    return evaluate.right(lines, readings)


def main() -> None:
    """Run the loop and print its figures beside the bars."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fonts", type=Path, default=Path("fonts"), help="folder of `make fonts`; else the system's")
    parser.add_argument("--face", default="wqy-zenhei", help="a face of it that no line is drawn with in training")
    parser.add_argument("--slant", type=float, default=0.4)
    parser.add_argument("--lines", type=int, default=275, help="lines to post; 75 of these are held back")
    parser.add_argument("--minutes", type=float, default=23.0, help="processor time of tuning")
    parser.add_argument("--steps", type=int, default=0)
    parser.add_argument("--compared", type=int, default=10_000, help="drawn lines to compare on")
    parser.add_argument("--port", type=int, default=5180)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--work", type=Path, help="folder to keep; default: one that goes")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the service ends with this
    with tempfile.TemporaryDirectory() as folder:
        work = arguments.work or Path(folder)
        work.mkdir(parents=True, exist_ok=True)
        figures = run(arguments, work)
    for name, value in figures.items():
        print(f"{name:32} {value}")
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    if not all(value for name, value in figures.items() if name.startswith("bar: ")):
        sys.exit(1)


def run(arguments: argparse.Namespace, work: Path) -> dict[str, Any]:
    """Go once around the loop; give the figures."""
    if not (arguments.fonts / "fonts.json").is_file():
        arguments.fonts = work / "fonts"
        fonts.installed(arguments.fonts, improve.SYSTEM_FONTS)
    faces = fonts.load(arguments.fonts)
    face = next((found for found in faces if found.name == arguments.face), faces[0])
    posted = slanted(face, faces, POSTED_RUN, arguments.lines, arguments.slant)
    fresh = slanted(face, faces, FRESH_RUN, FRESH_LINES, arguments.slant)
    key = Keys(work / "keys").add("bench", ["read", "correct", "admin"])
    with serving(arguments.port, work, arguments.workers):
        caller = Caller(arguments.port, key)
        outcomes = Counter(
            caller.ask("POST", "/ocr/corrections", {"line": encoded(line), "text": line.text, "margins": True})[1].get(
                "outcome", "refused"
            )
            for line in posted
        )
        said = shizi(
            work, "improve", "--fonts", str(arguments.fonts), "--minutes", str(arguments.minutes),
            "--steps", str(arguments.steps), "--lines", str(arguments.compared),
        )  # fmt: skip
        print(said, file=sys.stderr)
        version = Versions(work / "models").list()[-1]
        before = read_right(weights.find("crnn").path, fresh)
        after = read_right(work / "models" / version.name / "crnn-int8.onnx", fresh)
        gain = evaluate.gain(before, after)
        figures: dict[str, Any] = {
            "date": f"{datetime.now(UTC):%Y-%m-%d}",
            "machine": f"{platform.machine()}, {os.cpu_count()} cores",
            "load": os.getloadavg()[2],
            "shipped": weights.find("crnn").digest[:8],
            "corrections": dict(outcomes),
            "learned, held": [version.learned, version.held],
            "way gone": version.reach,
            **told_sets(version.figures),
            "cpu minutes": version.cpu_minutes,
            "fresh lines": len(fresh),
            "fresh lines right, before": round(100 * float(np.mean(before)), 1),
            "fresh lines right, after": round(100 * float(np.mean(after)), 1),
            "fresh lines, points": points(gain),
        }
        figures["bar: gain"] = 100 * gain["exact"] >= GAIN
        figures["bar: no loss"] = not version.refusals
        figures["bar: time"] = figures["cpu minutes"] <= CPU_MINUTES
        if version.refusals:
            return figures | {"refusals": list(version.refusals), "bar: nothing lost under load": False}
        told = swap_under_load(caller, work, version.name, [encoded(line) for line in fresh[:20]])
        figures["under load"] = dict(told)
        figures["bar: nothing lost under load"] = set(told) - {"status 200"} == {
            name for name in told if name.startswith("crnn")
        }
    return figures


def told_sets(sets: Any) -> dict[str, str]:
    """Give line accuracy of each set before and after, how many lines, and the interval of the gain in points."""
    return {
        f"{name}, right": f"{100 * found['current']['exact']:.2f} -> {100 * found['candidate']['exact']:.2f} of "
        f"{round(found['current']['lines'])} lines, {points(found['gain'])}; CER {100 * found['current']['cer']:.2f} "
        f"-> {100 * found['candidate']['cer']:.2f}"
        for name, found in sets.items()
    }


def points(gain: Any) -> str:
    """Tell a gain in points with its interval of 95 %."""
    return f"{100 * gain['exact']:+.2f} ({100 * gain['lowest']:+.2f} to {100 * gain['highest']:+.2f})"


if __name__ == "__main__":
    main()
