"""Mutants: thousands of spoilt files and bodies against one service, which has to stay well.

    python bench/mutants.py [--count 20000] [--seed 1] [--clients 4] [--workers 1] [--keep FOLDER]

Takes one small picture in every encoding that the tests know, PDFs, OFDs, an XML invoice and bombs, spoils
them (bits, lengths, pieces cut, doubled, moved or taken from another file) and sends them as JSON, multipart and raw
bodies, spoilt themselves now and then, with any option, to `/ocr/predict` and the drop-in endpoints. Mutant i of a seed
is the same on every machine. Prints one JSON object; ends with 1 when there was an answer of 5xx, a connection broken
without one, a process that died, or more than 200 MB of memory beyond what the unspoilt files took. What did that is
kept in FOLDER.
"""

import argparse
import base64
import http.client
import itertools
import json
import struct
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from urllib.parse import urlencode

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).parent))
import bombs
import load
import ofds
import pdfs
import pictures

MOST_EXTRA_MEGABYTES = 200
DEADLINE_SECONDS = 60
SIZE = (160, 64)  # small, or most of the time goes into reading what is hardly spoilt
INVOICE = (
    b'<?xml version="1.0" encoding="UTF-8"?><EInvoice><Header><EIid>26312000000000000001</EIid></Header>'
    b"<EInvoiceData><BasicInformation><TotalTax-includedAmount>106.00</TotalTax-includedAmount></BasicInformation>"
    b"</EInvoiceData></EInvoice>"
)
# Numbers that lengths, sizes and counts in headings go wrong at.
NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
OPTIONS: dict[str, Sequence[str]] = {
    "mode": ("fast", "auto", "accurate", "x"),
    "enhance": ("auto", "none", "classic"),
    "orientation": ("auto", "none", "true"),
    "detail": ("line", "word", "character", "\0"),
    "tables": ("none", "auto", "1"),
    "fields": ("none", "auto"),
    "pdf": ("auto", "ocr", "text"),
    "pages": ("", "1", "2-", "0", "1-99999999999", "-", "9" * 1500),
    "password": ("", "x", "\ud7ff" * 50),
    "template": ("", "none", "../x"),
    "pattern": ("", r"\d{4}", "(", "(a|b)*c", "a" * 300, "[^]"),
    "format": ("json", "text", "pdf", "xlsx", "docx", "alto", "hocr", "doc"),
    "deadline_ms": ("1", "50", "60000", "-1", "1e3"),
    "priority": ("interactive", "bulk", ""),
    "no_store": ("true", "false", "maybe"),
    "webhook": ("http://127.0.0.1/",),
    "unknown": ("1",),
}
TYPES = (
    *("image/png", "application/octet-stream", "application/json", "multipart/form-data; boundary=x"),
    *(
        "multipart/form-data",
        "application/x-www-form-urlencoded",
        "text/plain",
        "image/" + "x" * 300,
        "application/pdf",
    ),
)


class Sent(NamedTuple):
    """One request."""

    path: str
    kind: str
    body: bytes


def corpus() -> list[bytes]:
    """Give the files that mutants are made of."""
    page = pictures.drawn_page().resize(SIZE)
    encoders = {**pictures.ENCODINGS, **pictures.LIGHT_ON_TRANSPARENCY, **pictures.LOSSY}
    return [
        *(encode(page) for encode in encoders.values()),
        *(pictures.laid_down(page, turn, name) for turn in (3, 6) for name in ("JPEG", "PNG", "WEBP", "TIFF")),
        pdfs.scan(page, 72),
        pdfs.scan(page, 72, count=3, over=["Invoice 7"]),
        ofds.ofd(ofds.page(ofds.text_object("Invoice 7", 10, 20))),
        INVOICE,
    ]


def spoilt(data: bytes, others: Sequence[bytes], random: Random) -> bytes:
    """Spoil a file in one to eight places."""
    made = bytearray(data)
    for _ in range(random.choice((1, 1, 1, 2, 3, 8))):
        # Most of what a parser believes stands in the first bytes.
        near = min(len(made), 200) if random.random() < 0.5 else len(made)
        at = random.randrange(near) if near else 0
        random.choice(WAYS)(made, at, others, random)
    return bytes(made[:2_000_000])


def _flip(made: bytearray, at: int, others: Sequence[bytes], random: Random) -> None:
    if made:
        made[at] ^= 1 << random.randrange(8)


def _number(made: bytearray, at: int, others: Sequence[bytes], random: Random) -> None:
    made[at : at + 4] = struct.pack(random.choice("<>") + "I", random.choice(NUMBERS))[: random.choice((1, 2, 4))]


def _cut(made: bytearray, at: int, others: Sequence[bytes], random: Random) -> None:
    del made[at : at + random.choice((1, 4, 50, 1000, len(made)))]


def _double(made: bytearray, at: int, others: Sequence[bytes], random: Random) -> None:
    made[at:at] = made[at : at + random.choice((1, 4, 50, 1000))] * random.choice((1, 2, 100))


def _graft(made: bytearray, at: int, others: Sequence[bytes], random: Random) -> None:
    other = random.choice(others)
    start = random.randrange(len(other))
    made[at : at + random.choice((0, 50, 1000))] = other[start : start + random.choice((8, 200, 5000))]


def _noise(made: bytearray, at: int, others: Sequence[bytes], random: Random) -> None:
    length = random.choice((1, 4, 64))
    made[at : at + length] = random.randbytes(length)


WAYS: tuple[Callable[[bytearray, int, Sequence[bytes], Random], None], ...] = (
    *(_flip, _flip, _number, _number, _cut, _double, _graft, _noise),
)


def mutant(number: int, seed: int, files: Sequence[bytes]) -> Sent:
    """Make mutant `number` of a seed."""
    random = Random(f"{seed}-{number}")
    data = random.choice(files)
    if random.random() < 0.95:
        data = spoilt(data, files, random)
    chosen = {
        name: random.choice(OPTIONS[name]) for name in random.sample(list(OPTIONS), random.choice((0, 0, 0, 1, 2)))
    }
    path, kind, body = random.choice(SHAPES)(data, chosen, random)
    if random.random() < 0.15:
        body = spoilt(body, files, random)
    if random.random() < 0.05:
        kind = random.choice(TYPES)
    return Sent(path, kind, body)


def _raw(data: bytes, chosen: dict[str, str], random: Random) -> Sent:
    return Sent(f"/ocr/predict{_query(chosen)}", "application/octet-stream", data)


def _json(data: bytes, chosen: dict[str, str], random: Random) -> Sent:
    values: dict[str, Any] = {"image": base64.b64encode(data).decode(), **chosen}
    if random.random() < 0.1:
        values[random.choice(list(values))] = random.choice([None, 1, True, [], {}, "", [values["image"]]])
    return Sent("/ocr/predict", "application/json", json.dumps(values).encode())


def _form(data: bytes, chosen: dict[str, str], random: Random) -> Sent:
    parts = [f'name="{name}"\r\n\r\n{value}'.encode("utf-8", "replace") for name, value in chosen.items()]
    parts += [b'name="file"; filename="a.png"\r\n\r\n' + data] * random.choice((1, 1, 2))
    body = b"".join(b"--x\r\nContent-Disposition: form-data; " + part + b"\r\n" for part in parts)
    return Sent("/ocr/predict", "multipart/form-data; boundary=x", body + b"--x--\r\n")


def _elsewhere(data: bytes, chosen: dict[str, str], random: Random) -> Sent:
    text = base64.b64encode(data).decode()
    path, name = random.choice((("umi/api/ocr", "base64"), ("paddlex/ocr", "file"), ("umi/api/qrcode", "base64")))
    return Sent(f"/compat/{path}", "application/json", json.dumps({name: text, "options": chosen}).encode())


SHAPES = (_raw, _raw, _json, _form, _form, _elsewhere)


def _query(chosen: dict[str, str]) -> str:
    return "?" + urlencode(chosen, errors="replace") if chosen else ""


class Trial:
    """One service under mutants, and what was met."""

    def __init__(self, service: load.Service, files: Sequence[bytes], seed: int, keep: Path | None) -> None:
        self.service, self.files, self.seed, self.keep = service, files, seed, keep
        self.answers: Counter[str] = Counter()
        self.bad: list[str] = []
        self.longest = 0.0
        self.megabytes = 0.0
        self._lock = threading.Lock()

    def send(self, sent: Sent, name: str) -> None:
        """Send one request, and note how it went."""
        began = time.monotonic()
        try:
            status, _, answer = self.service.ask(
                "POST", sent.path, sent.body, DEADLINE_SECONDS + 30, Content_Type=sent.kind
            )
            code = answer.get("code", "") if isinstance(answer, dict) else ""
        except (OSError, http.client.HTTPException, ValueError) as error:
            status, code = 0, type(error).__name__
        with self._lock:
            self.answers[f"{status} {code}".strip()] += 1
            self.longest = max(self.longest, time.monotonic() - began)
            # 504 is a right answer to a caller who said how long he waits.
            if status == 0 or (
                status >= 500 and not (status == 504 and b"deadline_ms" in sent.path.encode() + sent.body)
            ):
                self.bad.append(f"{name}: {status} {code}")
                if self.keep:
                    self.keep.mkdir(parents=True, exist_ok=True)
                    heading = f"{sent.path}\n{sent.kind}\n".encode()
                    (self.keep / f"{name}.request").write_bytes(heading + sent.body)

    def all_of(self, count: int, clients: int) -> None:
        """Send mutants 0 to `count`, from as many clients."""
        numbers = itertools.count()

        def client() -> None:
            while (number := next(numbers)) < count:
                self.send(mutant(number, self.seed, self.files), f"mutant-{self.seed}-{number}")

        threads = [threading.Thread(target=client) for _ in range(clients)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            self.megabytes = max(self.megabytes, self.service.memory())
            time.sleep(0.5)


def run(command: Sequence[str], count: int, seed: int, clients: int, workers: int, keep: Path | None) -> dict[str, Any]:
    """Send the files, the bombs and `count` mutants to one service; give what was met."""
    files = corpus()
    service = load.Service(
        command, SHIZI_CACHE="off", SHIZI_WORKERS=str(workers), SHIZI_DEADLINE_SECONDS=str(DEADLINE_SECONDS)
    )
    trial = Trial(service, files, seed, keep)
    try:
        for number, data in enumerate(files):
            for query in ("", "?mode=accurate&detail=character&tables=auto&fields=auto"):
                trial.send(Sent(f"/ocr/predict{query}", "application/octet-stream", data), f"file-{number}")
        processes, before = service.pids(), service.memory()
        for name, bomb in bombs.bombs().items():
            trial.send(Sent("/ocr/predict", "application/octet-stream", bomb), f"bomb-{name}")
        trial.all_of(count, clients)
        last, died = service.memory(), sorted(set(processes) - set(service.pids()))
        trial.send(Sent("/ocr/predict", "application/octet-stream", files[0]), "afterwards")
    finally:
        code = service.stop()
    result = {
        "mutants": count,
        "seed": seed,
        "answers": dict(trial.answers.most_common()),
        "bad": trial.bad[:50],
        "processes_that_died": len(died),
        "longest_seconds": round(trial.longest, 1),
        "megabytes": {"before": round(before), "most": round(trial.megabytes), "last": round(last)},
        "exit_code": code,
    }
    result["passed"] = not (trial.bad or died or code or trial.megabytes - before > MOST_EXTRA_MEGABYTES)
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args()
    result = run(load.SERVE, given.count, given.seed, given.clients, given.workers, given.keep)
    print(json.dumps(result, indent=1))
    return int(not result["passed"])


if __name__ == "__main__":
    sys.exit(main())
