"""The SDKs against the running service, and against a server in trouble: the same programs in each language.

Each prints what came of every step; the rows of all are held against one list, so no SDK can behave otherwise than its
siblings. What a program asked of the service is read off the service's own metrics.
"""

import re
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import live
import pypdfium2
import pytest
from building import CLIENTS, PYTHON, run
from described import description
from fakes import add_version
from live import Live, serving
from stubborn import READING, stubborn

import shizi
from shizi import errors
from shizi.errors import ShiziError
from shizi.service.access import SCOPES, Keys
from shizi.service.answers import PredictAnswer
from shizi.versions import SHIPPED, Versions

pytestmark = pytest.mark.slow


SCENARIO = f"""
no key: KeyMissing 401
wrong key: KeyRefused 403
health: {shizi.__version__}
ready: fake@00000000
read: 识字 reads, 2 lines, fast
fields: 108.00, accept
export: scan.pdf application/pdf %PDF-
batch: 20 entries, in order true, 19 read, 07.png DamagedFile
bad file: DamagedFile 422
large: TooLarge 413
option: OptionsError 400
job: done, 3 of 3 pages, progress told true
document: 3 pages
job pdf: long.pdf application/pdf %PDF-
several: documents.zip PK, failed 2:1
one of several: b.txt, damaged_file
ordered twice: one job true
too early: NotFinished 409
cancelled: was running
forgotten: UnknownJob 404
picture: JPEG true, 3 pages
written: scan.txt 识字 corrected
written on its source: scan.pdf %PDF-
corrections: kept true, at most 200 characters
corrected: kept 识字, kept 识字 corrected
old corrections: 0
corrections deleted: 2
models: shipped, 2 versions, 0.1 to 0.5
promoted: true, promote
rolled back: shipped
metrics: true
purged: true
limited: QuotaSpent 429, told when true
patient: 识字 reads
""".strip().splitlines()

MANNERS = """
refuse/418/teapot: Refused 418 teapot
busy: 9.9
waits: waited
dated: waited
later: QuotaSpent 429 quota_spent after 86400
lost: WorkerLost 503 worker_lost
bare: 9.9
gateway: Refused 502 http_502
reset: 9.9
redirect: UnexpectedAnswer
notjson: UnexpectedAnswer
other: UnexpectedAnswer
future: 9.9
closed: ConnectionFailed
slow: TimedOut
full: 价 😀 "\\ 8.5 价 true title 2 300 90 108.00 1O8.00 100 + 8 pen review 4 3
echo: 发票 "1".png 5 deadline_ms=900,mode=fast,no_store=true,password=密 码+& Bearer K
twice: same
ordered: order-7 https://desk.example/told 1
partial: file=1,format=json,partial=true
promoted: 2026"
unanswered: ConnectionFailed
failed-job: JobFailed damaged_file
slow-job: TimedOut
hostile: 发票.pdf
""".strip().splitlines()

# How often each is asked: what is worth a second try gets one, nothing else does.
ASKED = {
    **{"busy": 3, "waits": 2, "dated": 2, "later": 1, "lost": 2, "bare": 2, "gateway": 1, "reset": 2, "redirect": 1},
    **{
        "notjson": 1,
        "other": 1,
        "future": 1,
        "slow": 1,
        "full": 1,
        "echo": 1,
        "twice": 2,
        "promoted": 2,
        "unanswered": 1,
        "failed-job": 1,
        "hostile": 1,
    },
}


@pytest.fixture(params=["python", "python-async", "node", "java"])
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def program(name: str, language: str, request: pytest.FixtureRequest) -> list[str]:
    """Give the command that runs a program, such as `scenario`, in a language."""
    if language == "node":
        return ["node", str(request.getfixturevalue("node") / f"test/{name}.mjs")]
    if language == "java":
        folder = request.getfixturevalue("java")
        return ["java", "-Dfile.encoding=UTF-8", "-cp", str(folder), f"shizi.client.{name.capitalize()}"]
    python = [sys.executable, "-W", "error", str(CLIENTS / f"python/tests/{name}.py")]
    return [*python, "async"] if language == "python-async" else python


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, png: bytes) -> Path:
    """What the scenario reads, and where it meets the service's reader."""
    folder = tmp_path_factory.mktemp("clients")
    (folder / "batch").mkdir()
    for number in range(20):
        data = b"damaged" if number == 7 else f"picture {number}".encode()
        (folder / f"batch/{number:02}.png").write_bytes(data)
    (folder / "scan.png").write_bytes(png)
    document = pypdfium2.PdfDocument.new()
    for _ in range(3):
        document.new_page(200, 80)
    document.save(folder / "long.pdf")
    document.close()
    return folder


@pytest.fixture(scope="module")
def keys(folder: Path) -> dict[str, str]:
    """The callers' keys, in the environment of the programs."""
    made = Keys(folder / "keys")
    given = {
        "SHIZI_KEY": made.add("desk", SCOPES),
        "SHIZI_LIMITED_KEY": made.add("limited", ["read"], rate=30),
        "SHIZI_FOLDER": str(folder),
    }
    made.close()
    return given


@pytest.fixture(scope="module")
def service(folder: Path, keys: dict[str, str]) -> Iterator[Live]:
    add_version(Versions(folder / "models"), SHIPPED)
    settings = {f"SHIZI_{name.upper()}": str(folder / name) for name in ("keys", "jobs", "corrections", "models")}
    with serving([sys.executable, live.__file__, str(folder)], **settings) as running:
        yield running


def answered(service: Live, key: str) -> dict[tuple[str, str], int]:
    """Tell how many requests of each operation succeeded so far."""
    status, _, body = service.request("GET", "/metrics", X_API_Key=key)
    assert status == 200
    counts: dict[tuple[str, str], int] = {}
    for labels, count in re.findall(r"^shizi_requests_total\{(.*?)\} (\S+)$", body.decode(), re.MULTILINE):
        told = dict(re.findall(r'(\w+)="([^"]*)"', labels))
        if told["status"].startswith("2"):
            operation = (told["method"], re.sub(r"<(\w+)>", r"{\1}", told["route"]))
            counts[operation] = counts.get(operation, 0) + int(float(count))
    return counts


def test_the_same_scenario_and_every_operation(
    language: str, service: Live, folder: Path, keys: dict[str, str], request: pytest.FixtureRequest
) -> None:
    command = program("scenario", language, request)
    for told in ("release", "held"):
        (folder / told).unlink(missing_ok=True)
    before = answered(service, keys["SHIZI_KEY"])
    said = run(command, SHIZI_URL=f"http://127.0.0.1:{service.port}", **keys, **PYTHON)
    assert said.splitlines() == SCENARIO
    after = answered(service, keys["SHIZI_KEY"])
    called = {operation for operation, count in after.items() if count > before.get(operation, 0)}
    paths = description()["paths"]
    there_are = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    # The drop-in endpoints under /compat/, for other services' own clients, and the pages for people are not described.
    assert there_are <= called


def kinds(kind: type[ShiziError]) -> Iterator[type[ShiziError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from kinds(child)


def test_the_same_manners(language: str, request: pytest.FixtureRequest) -> None:
    """Every error of the service is one of the SDK's, of the same name; trouble is met with patience, once."""
    command = program("manners", language, request)
    codes = {kind.code: (kind.http_status, kind.__name__) for kind in kinds(errors.ShiziError)}
    codes["internal"] = (500, "InternalError")
    refused = [f"refuse/{status}/{code}: {name} {status} {code}" for code, (status, name) in codes.items()]
    with stubborn() as server, socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # and not listening
        environment = {
            "SHIZI_STUBBORN": server.url,
            "SHIZI_CLOSED": f"http://127.0.0.1:{closed.getsockname()[1]}",
            "SHIZI_CODES": " ".join([*(f"{status}:{code}" for code, (status, _) in codes.items()), "418:teapot"]),
        }
        said = run(command, **environment, **PYTHON)
    assert said.splitlines() == refused + MANNERS
    assert {name: server.asked[name] for name in ASKED} == ASKED
    assert "stolen" not in server.asked, "the key went to where a redirect led"


def test_the_sample_answer_is_one_of_the_service() -> None:
    PredictAnswer.model_validate(READING)
