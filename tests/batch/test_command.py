"""`shizi batch` as it is typed: what it takes, prints and refuses, and how it ends."""

import io
import json
import os
import pty
import signal
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import batches
import pytest
from batches import rows
from fakes import add_version
from s3_server import S3

from shizi.batch.run import Tally
from shizi.cli import batching, main
from shizi.versions import READ_WITH, SHIPPED, Versions

pytestmark = pytest.mark.slow
Run = Callable[..., int]
COMMENT = b"\x32\x01x"  # doc_string of an ONNX file: another digest, the same model
# `shizi` with the reader of `batches`, which its workers import by that name.
SHIZI = (
    "import batches, sys; from shizi.cli import batching, main; batching.load_reader = batches.load_for_command; main()"
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    for number in range(20):
        (tmp_path / f"in/{number:02}.png").write_text(f"text {number}")
    return tmp_path


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr(batching, "load_reader", batches.load_for_command)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)  # put back what main sets

    def call(*arguments: str) -> int:
        monkeypatch.setattr(sys, "argv", ["shizi", "batch", *arguments])
        with pytest.raises(SystemExit) as stop:
            main()
        return int(stop.value.code or 0)

    return call


def test_rows_and_a_summary(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    Path("in/bad.png").write_text("damaged")
    assert run("in", "--output", "out", "--shard-rows", "8", "--workers", "2") == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("21 inputs read in ")
    assert captured.out.endswith("; 1 with an error: damaged_file 1; results in out\n")
    assert captured.err == ""
    assert len(rows(Path("out"))) == 21
    assert run("in", "--output", "out") == 20
    assert "--resume" in capsys.readouterr().err
    assert run("in", "--output", "out", "--resume") == 0
    assert "0 inputs read" in capsys.readouterr().out
    Path("in/bad.png").write_text("mended")
    assert run("in", "--output", "out", "--retry-errors") == 0
    assert "1 inputs read" in capsys.readouterr().out


def test_choices_reach_the_work(run: Run) -> None:
    flags = ("--include", "0*", "--exclude", "09*", "--format", "text", "--format", "json", "--results", "parquet")
    assert run("in", "--output", "out", "--mode", "fast", *flags, "--workers", "1") == 0
    assert sorted(path.name for path in Path("out/files/json/in").iterdir()) == [f"0{n}.png.json" for n in range(9)]
    assert Path("out/rows-000001.parquet").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("none", "--output", "out"), 10, "no file or folder none"),
        (("in", "--output", "out", "--format", "odt"), 20, "expected one of text"),
        (("in", "--output", "out", "--results", "csv"), 20, "expected one of jsonl, parquet"),
        (("in", "--output", "out", "--engine", "spark"), 20, "expected one of local, ray"),
        (("in", "--output", "out", "--address", "head:6379"), 20, "--engine ray"),
        (("in", "--output", "out", "--mode", "slow"), 20, "Option 'mode'"),
        (("in", "--output", "in/00.png/out"), 20, "cannot be written"),
    ],
)
def test_refused_before_anything_is_read(
    arguments: tuple[str, ...], code: int, said: str, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments) == code
    assert said in capsys.readouterr().err
    assert not Path("out").exists()


def test_missing_extras_are_told(run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    for flags, extra in ((("--engine", "ray"), "ray"), (("--results", "parquet"), "parquet")):
        assert run("in", "--output", "out", *flags) == 20
        assert f"pip install 'shizi[{extra}]'" in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_told_to_stop_it_keeps_its_rows(number: signal.Signals) -> None:
    for name in range(20, 200):
        Path(f"in/{name}.png").write_text("slow")
    with shizi("in", "--output", "out", "--workers", "1", "--shard-rows", "5") as process:
        ends = time.monotonic() + 60
        while not list(Path("out").glob("rows-*")):
            assert time.monotonic() < ends
            threading.Event().wait(0.05)
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "--resume goes on" in said
    kept = len(rows(Path("out")))
    assert 5 <= kept < 200
    with shizi("in", "--output", "out", "--workers", "2", "--resume") as process:
        told, _ = process.communicate(timeout=120)
    assert told.startswith(f"{200 - kept} inputs read")
    assert len(rows(Path("out"))) == 200


def test_a_terminal_sees_how_far_it_is() -> None:
    for number in range(20, 60):
        Path(f"in/{number}.png").write_text("slow")
    ours, theirs = pty.openpty()
    with shizi("in", "--output", "out", "--workers", "1", stderr=theirs, TERM="xterm", COLUMNS="120") as process:
        os.close(theirs)
        seen = b""
        while True:
            try:
                seen += os.read(ours, 4096)
            except OSError:  # the other side is closed
                break
        process.communicate(timeout=60)
    os.close(ours)
    assert b"/60  " in seen
    assert b"/s" in seen


def test_figures_beside_the_bar() -> None:
    assert batching.told_of(10, None, 2.5, 0) == "10  2.5/s"
    assert batching.told_of(100, 10_000, 2.5, 3) == "100/10000  2.5/s  1:06:00 left  3 with an error"
    assert batching.summary(Tally(5, 10), 4, Path("out")) == (
        "10 inputs read in 4 s (2.50/s), 5 had been before; no errors; results in out"
    )
    assert batching.summary(Tally(0, 0), 0, Path("out")).startswith("Nothing to read was found")
    assert batching.summary(Tally(5, 0), 0, Path("out")).startswith("0 inputs read")


def test_processes_and_threads_share_the_cores_and_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shizi.weights.cpu_quota", lambda: 8)
    monkeypatch.setattr(batching, "free_memory", lambda: 100_000_000_000)
    assert batching.shared_out(0, 0) == (8, 1)
    assert batching.shared_out(0, 2) == (4, 2)
    assert batching.shared_out(2, 0) == (2, 4)
    monkeypatch.setattr(batching, "free_memory", lambda: 2_000_000_000)
    assert batching.shared_out(0, 0) == (3, 2)
    monkeypatch.setattr(batching, "free_memory", lambda: 100_000_000)
    assert batching.shared_out(0, 0) == (1, 8)


def test_with_the_real_reader(chinese_png: bytes) -> None:
    Path("in/real.png").write_bytes(chinese_png)
    Path("in/00.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    command = [sys.executable, "-c", "from shizi.cli import main; main()", "batch", "in", "--output", "out"]
    ran = subprocess.run([*command, "--include", "real.png", "--include", "00.png"], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    found = rows(Path("out"))
    assert found["in/real.png"]["document"]["text"] == "识字读出文字\nRead me 2026"  # type: ignore[index]
    assert found["in/00.png"]["error"]["code"] == "damaged_file"  # type: ignore[index]


def test_with_the_promoted_model(chinese_png: bytes, folder: Path) -> None:
    """Every reader of the run has it, the command goes on with no other, and the rows tell which it was."""
    Path("in/real.png").write_bytes(chinese_png)
    versions = Versions(folder / "models")
    version = add_version(versions, SHIPPED, more=COMMENT)
    versions.promote(version.name)
    command = [sys.executable, "-c", "from shizi.cli import main; main()", "batch", "in", "--include", "real.png"]
    told = {**os.environ, "SHIZI_MODELS": str(versions.folder)}
    ran = subprocess.run([*command, "--output", "out", "--mode", "fast"], env=told, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    row = json.loads(Path("out/rows-000001.jsonl").read_text())
    assert row["document"]["text"] == "识字读出文字\nRead me 2026"
    assert f"crnn-int8@{version.digests[READ_WITH][:8]}" in row["document"]["weights"]
    versions.rollback()
    again = [*command, "--output", "out", "--mode", "fast", "--resume"]
    refused = subprocess.run(again, env=told, capture_output=True, text=True)
    assert refused.returncode == 20
    assert f"model was '{version.name}', now 'shipped'" in refused.stderr


def shizi(*arguments: str, stderr: int = subprocess.PIPE, **environment: str) -> "subprocess.Popen[str]":
    path = os.pathsep.join([str(Path(batches.__file__).parent), *sys.path])
    return subprocess.Popen(
        [sys.executable, "-c", SHIZI, "batch", *arguments],
        env={**os.environ, "PYTHONPATH": path, **environment},
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
    )


def test_rows_of_the_command_are_json(run: Run) -> None:
    assert run("in/00.png", "--output", "out", "--workers", "1") == 0
    (line,) = Path("out/rows-000001.jsonl").read_text().splitlines()
    assert list(json.loads(line)) == ["input", "error", "attempts", "milliseconds", "files", "document"]


def test_an_object_store_is_read(folder: Path) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, data in (("1.png", b"one"), ("2.png", b"two")):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("3.png", "three")
    objects = {
        "scans/a.png": b"text a",
        "scans/deep/扫描 b.png": "文字".encode(),
        "scans/x.tar": packed.getvalue(),
        "scans/y.zip": zipped.getvalue(),
        "elsewhere/c.png": b"text c",
        "list.txt": b"s3://bucket/elsewhere/c.png\ns3://bucket/gone.png\n",
    }
    keys = {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_DEFAULT_REGION": "us-east-1"}
    with S3("bucket", objects) as store:
        command = ("s3://bucket/scans", "@s3://bucket/list.txt", "--output", "out", "--workers", "1")
        with shizi(*command, AWS_ENDPOINT_URL=store.address, **keys) as process:
            _, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    found = rows(Path("out"))
    assert {name: row["document"] and row["document"]["text"] for name, row in found.items()} == {  # type: ignore[index]
        "s3://bucket/scans/a.png": "text a",
        "s3://bucket/scans/deep/扫描 b.png": "文字",
        "s3://bucket/scans/x.tar!/1.png": "one",
        "s3://bucket/scans/x.tar!/2.png": "two",
        "s3://bucket/scans/y.zip!/3.png": "three",
        "s3://bucket/elsewhere/c.png": "text c",
        "s3://bucket/gone.png": None,
    }
    assert found["s3://bucket/gone.png"]["error"]["code"] == "input"  # type: ignore[index]
