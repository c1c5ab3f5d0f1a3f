"""A batch from its inputs to its rows: by processes that die, hang and grow, and through every kill of its own."""

import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path

import batches
import pyarrow.parquet as parquet
import pytest
from batches import batch, read_all, rows

from shizi.batch import local, results
from shizi.batch.inputs import Sources, load
from shizi.batch.items import Item
from shizi.batch.rows import Row, Work, read_item, write_whole
from shizi.batch.run import Tally, run
from shizi.errors import DamagedFile, OptionsError, ShiziError, Unavailable, WeightsError, WorkerLost
from shizi.options import ReadOptions

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of 40 inputs, each its own text."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    for number in range(40):
        (tmp_path / f"in/{number:02}.png").write_text(f"text {number}")
    return Path("in")


@pytest.fixture
def output(folder: Path) -> Path:
    return Path("out")


def test_each_input_has_its_row(folder: Path, output: Path) -> None:
    (folder / "bad.png").write_text("damaged")
    tally = read_all(batch(folder, output, shard_rows=15))
    assert (tally.before, tally.read, dict(tally.errors)) == (0, 41, {"damaged_file": 1})
    found = rows(output)
    assert len(found) == 41
    row = found["in/07.png"]
    assert row["document"]["text"] == "text 7"  # type: ignore[index]
    assert (row["error"], row["attempts"], row["files"]) == (None, 1, {})
    bad = {"code": "damaged_file", "message": "The file is damaged. Send it again."}
    assert (found["in/bad.png"]["error"], found["in/bad.png"]["document"]) == (bad, None)
    assert [len(path.read_text().splitlines()) for path in results.shards(output)] == [15, 15, 11]
    assert list((output / ".parts").iterdir()) == []


def test_a_defect_is_a_row_that_tells_no_content(folder: Path, output: Path) -> None:
    (folder / "00.png").write_text("defect")
    read_all(batch(folder, output))
    error = rows(output)["in/00.png"]["error"]
    assert error["code"] == "internal"  # type: ignore[index]
    assert "ValueError at batches.py" in error["message"]  # type: ignore[index]
    assert "机密" not in json.dumps(rows(output), ensure_ascii=False)


def test_parquet_holds_the_same(folder: Path, output: Path) -> None:
    (folder / "bad.png").write_text("damaged")
    read_all(batch(folder, output, results="parquet", shard_rows=15, formats=("text",)))
    tables = [parquet.read_table(path).to_pylist() for path in results.shards(output)]
    found = {row["input"]: row for table in tables for row in table}
    assert (len(found), [len(table) for table in tables]) == (41, [15, 15, 11])
    row = found["in/07.png"]
    assert (row["text"], row["pages"], row["confidence"], row["error_code"]) == ("text 7", 1, 0.9, "")
    assert json.loads(row["document"])["text"] == "text 7"
    assert dict(row["files"]) == {"text": "files/text/in/07.png.txt"}
    assert (found["in/bad.png"]["error_code"], found["in/bad.png"]["document"]) == ("damaged_file", "")
    assert read_all(batch(folder, output, results="parquet", formats=("text",), resume=True)).read == 0


def test_exports_are_files_beside_the_rows(folder: Path, output: Path) -> None:
    read_all(batch(folder, output, formats=("text", "markdown")))
    row = rows(output)["in/07.png"]
    assert row["files"] == {"text": "files/text/in/07.png.txt", "markdown": "files/markdown/in/07.png.md"}
    assert (output / "files/text/in/07.png.txt").read_text() == "text 7\n"


def test_exports_lead_nowhere_else(tmp_path: Path, folder: Path) -> None:
    os.mkdir("deep")
    os.chdir("deep")
    names = ("../in/01.png", str(tmp_path / "in/02.png"))
    read_all(batch(folder, Path("out"), sources=Sources(names), formats=("text",)))
    files = [str(row["files"]["text"]) for row in rows(Path("out")).values()]  # type: ignore[index]
    assert all(Path("out", file).is_file() and ".." not in file for file in files)
    assert sorted(path.name for path in tmp_path.rglob("*.txt")) == sorted(Path(file).name for file in files)
    assert len(files) == 2


def test_an_input_named_twice_is_read_once(folder: Path, output: Path) -> None:
    assert read_all(batch(folder, output, sources=Sources(("in", "in/07.png", "./in")))).read == 40
    assert len(rows(output)) == 40


# Processes that read


def test_one_that_kills_its_process_is_tried_again_then_told(folder: Path, output: Path) -> None:
    (folder / "03.png").write_text("die")
    (folder / "04.png").write_text(f"die until {folder.resolve()}/../here")
    tally = read_all(batch(folder, output))
    found = rows(output)
    assert len(found) == 40
    assert dict(tally.errors) == {"worker_lost": 1}
    assert (found["in/03.png"]["error"]["code"], found["in/03.png"]["attempts"]) == ("worker_lost", local.TRIES)  # type: ignore[index]
    assert (found["in/04.png"]["error"], found["in/04.png"]["attempts"]) == (None, 2)
    assert {row["attempts"] for name, row in found.items() if name not in ("in/03.png", "in/04.png")} == {1}


def test_one_that_hangs_is_given_up(folder: Path, output: Path) -> None:
    (folder / "03.png").write_text("hang")
    tally = read_all(batch(folder, output), seconds=6.0)
    assert dict(tally.errors) == {"deadline": 1}
    assert len(rows(output)) == 40


def test_of_quick_inputs_many_wait_and_few_are_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    fetched: list[str] = []
    monkeypatch.setattr(local.inputs, "load", lambda item: fetched.append(item.id) or b"")
    here, there = socket.socketpair()
    driver, worker = Connection(here.detach()), Connection(there.detach())
    waiting: queue.SimpleQueue[tuple[Item, Future[bytes]]] = queue.SimpleQueue()
    room = threading.Semaphore(2)
    monkeypatch.setattr(local.os, "_exit", lambda code: None)  # which it does once its driver is gone
    listening = threading.Thread(target=local._listen, args=(worker, waiting, room), daemon=True)
    listening.start()
    for number in range(local.DEEP):
        driver.send(Item(str(number), ""))
    taken = [waiting.get(timeout=10) for _ in range(local.DEEP)]
    assert [item.id for item, _ in taken] == list(map(str, range(local.DEEP)))
    assert [taken[0][1].result(10), taken[1][1].result(10)] == [b"", b""]
    time.sleep(0.1)
    assert fetched == ["0", "1"]
    room.release()
    assert taken[2][1].result(10) == b""
    assert not taken[3][1].done()
    for _ in range(local.DEEP):
        room.release()
    assert taken[-1][1].result(10) == b""
    driver.close()
    listening.join(10)
    assert not listening.is_alive()


def test_a_process_that_grows_is_replaced(folder: Path, output: Path) -> None:
    for number in range(0, 40, 10):
        (folder / f"{number:02}.png").write_text("grow")
    pools: list[local.Pool] = []
    seen: set[int] = set()

    def start(work: Work) -> local.Pool:
        pools.append(local.Pool(work, 1, max_memory=150_000_000))
        return pools[0]

    tally = run(batch(folder, output), start, lambda tally: seen.update(pools[0].pids) if pools else None)
    assert (tally.read, len(rows(output)), dict(tally.errors)) == (40, 40, {})
    assert len(seen) >= 4


@pytest.mark.parametrize(("load", "error"), [(batches.load_nothing, WeightsError), (batches.load_and_die, WorkerLost)])
def test_models_that_do_not_load_end_the_run(
    load: Callable[[], batches.Echo], error: type[ShiziError], folder: Path, output: Path
) -> None:
    asked = batch(folder, output)
    with pytest.raises(error):
        read_all(replace(asked, work=Work(load, output="out")))
    assert read_all(replace(asked, resume=True)).read == 40


def test_no_more_is_taken_than_is_about_to_be_read() -> None:
    taken = count()

    def items() -> Iterator[Item]:
        for number in range(100):
            next(taken)
            yield Item(f"{number}", "", content=b"x")

    pool = local.Pool(Work(batches.load), 2)
    given = (row for row in pool.read(items()) if row)
    next(given)
    assert next(taken) <= 2 * local.DEPTH + 1
    assert sum(1 for _ in given) == 99
    pool.close()


def test_big_inputs_and_rows_do_not_wait_for_each_other() -> None:
    """Both sides of a connection have more to send than it holds."""
    pool = local.Pool(Work(batches.load), 1)
    items = [Item(f"{number}", "", content=b"x" * 3_000_000) for number in range(6)]
    assert sum(1 for row in pool.read(items) if row) == 6
    pool.close()


def test_workers_end_with_their_driver(folder: Path) -> None:
    program = (
        "import batches, sys; from shizi.batch import local, rows; from shizi.batch.items import Item\n"
        "pool = local.Pool(rows.Work(batches.load), 2)\n"
        "print(*pool.pids, flush=True)\n"
        "list(pool.read([Item('a', '', content=b'hang'), Item('b', '', content=b'hang')]))\n"
    )
    with driver("-c", program, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        pids = [int(pid) for pid in process.stdout.readline().split()]
        process.kill()
    ends = time.monotonic() + 60
    while any(Path(f"/proc/{pid}/cmdline").exists() and Path(f"/proc/{pid}/cmdline").read_text() for pid in pids):
        assert time.monotonic() < ends
        threading.Event().wait(0.05)


# Interrupted


def driver(*arguments: str, **more: object) -> "subprocess.Popen[str]":
    path = os.pathsep.join([str(Path(batches.__file__).parent), *sys.path])
    return subprocess.Popen([sys.executable, *arguments], env={**os.environ, "PYTHONPATH": path}, **more)  # type: ignore[call-overload,no-any-return]


def program(folder: Path, output: Path, moment: str, engine: str = "local") -> tuple[str, ...]:
    """Name the program of `batches`; run by its import, so that what it sends has the same names there."""
    return ("-c", "import batches; batches.main()", str(folder), str(output), engine, moment)


def run_program(folder: Path, output: Path, moment: str, engine: str = "local") -> int:
    with driver(*program(folder, output, moment, engine)) as process:
        return process.wait(120)


@pytest.mark.parametrize("moment", batches.MOMENTS)
def test_killed_at_this_moment_and_resumed(moment: str, folder: Path, output: Path) -> None:
    if moment == "while shards are indexed":
        read_all(replace(batch(folder, output, shard_rows=10), sources=Sources(("in",), include=("[012]*",))))
        (output / "manifest.db").unlink()
    assert run_program(folder, output, moment) == -signal.SIGKILL
    assert len(rows(output)) < 40
    assert run_program(folder, output, "never") == 0
    assert len(rows(output)) == 40
    assert list((output / ".parts").iterdir()) == []


def test_killed_at_any_moment(folder: Path, output: Path) -> None:
    for number in range(40, 400):
        (folder / f"{number}.png").write_text(f"text {number}")
    for seconds in (0.6, 0.8, 1.0):
        with driver(*program(folder, output, "never")) as process:
            threading.Event().wait(seconds)
            process.kill()
        if output.exists():
            rows(output)  # none twice, no shard in pieces
    assert run_program(folder, output, "never") == 0
    assert len(rows(output)) == 400


def test_stopped_it_keeps_what_it_received(folder: Path, output: Path) -> None:
    stop = threading.Event()

    def on_row(tally: Tally) -> None:
        if tally.read == 12:
            stop.set()

    tally = run(batch(folder, output), lambda work: local.Pool(work, 2), on_row, stop)
    assert tally.stopped
    assert len(rows(output)) == 12
    assert read_all(batch(folder, output, resume=True)).read == 28
    assert len(rows(output)) == 40


def test_results_are_gone_on_with_only_when_asked(folder: Path, output: Path) -> None:
    read_all(batch(folder, output))
    with pytest.raises(OptionsError, match="--resume"):
        read_all(batch(folder, output))
    (folder / "new.png").write_text("new")
    tally = read_all(batch(folder, output, resume=True))
    assert (tally.before, tally.read) == (40, 1)


def test_other_settings_are_refused(folder: Path, output: Path) -> None:
    read_all(batch(folder, output))
    with pytest.raises(OptionsError, match="mode was 'auto', now 'fast'"):
        read_all(batch(folder, output, resume=True, options=ReadOptions(mode="fast")))
    with pytest.raises(OptionsError, match="recogniser was '', now 'their"):
        read_all(batch(folder, output, resume=True, recogniser="their.onnx"))
    with pytest.raises(OptionsError, match="model was 'shipped', now '20261126"):
        read_all(batch(folder, output, resume=True, model="20261126-101500-1f0c9a2e"))
    (output / "manifest.db").unlink()
    with pytest.raises(OptionsError, match="results was 'jsonl', now 'parquet'"):
        read_all(batch(folder, output, resume=True, results="parquet"))


def test_two_runs_do_not_share_results(folder: Path, output: Path) -> None:
    def second(tally: Tally) -> None:
        if tally.read == 1:
            with pytest.raises(OptionsError, match="in use by another run"):
                read_all(batch(folder, output, resume=True))

    run(batch(folder, output), lambda work: local.Pool(work, 1), second)
    assert len(rows(output)) == 40


@pytest.mark.parametrize("harm", [Path.unlink, lambda path: path.write_bytes(b"no database" * 1000)])
def test_the_manifest_is_made_again_from_the_shards(harm: Callable[[Path], None], folder: Path, output: Path) -> None:
    read_all(batch(folder, output, shard_rows=15))
    harm(output / "manifest.db")
    assert read_all(batch(folder, output, resume=True)).read == 0
    results.shards(output)[1].unlink()
    assert read_all(batch(folder, output, resume=True)).read == 15
    assert len(rows(output)) == 40


def test_a_damaged_shard_is_told(folder: Path, output: Path) -> None:
    read_all(batch(folder, output))
    (shard,) = results.shards(output)
    shard.write_bytes(shard.read_bytes()[:-20])
    with pytest.raises(DamagedFile, match=r"rows-000001\.jsonl is damaged"):
        read_all(batch(folder, output, resume=True))


@pytest.mark.parametrize("kind", results.KINDS)
def test_errors_are_read_again(kind: str, folder: Path, output: Path) -> None:
    for number in (3, 5, 35):
        (folder / f"{number:02}.png").write_text("damaged")
    read_all(batch(folder, output, shard_rows=1 if kind == "jsonl" else 10, results=kind))
    (folder / "05.png").write_text("mended")
    tally = read_all(batch(folder, output, resume=True, retry_errors=True, results=kind))
    assert (tally.before, tally.read, dict(tally.errors)) == (37, 3, {"damaged_file": 2})
    inputs = [name for shard in results.shards(output) for name, _ in results.inputs_of(shard)]
    assert len(inputs) == len(set(inputs)) == 40


def test_a_full_disk_loses_nothing(folder: Path, output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = count()
    original = results._settle

    def full(part: Path, place: Path) -> None:
        if next(calls) == 1:
            raise OSError(28, "No space left on device")
        original(part, place)

    monkeypatch.setattr(results, "_settle", full)
    with pytest.raises(Unavailable, match="No space left"):
        read_all(batch(folder, output, shard_rows=10))
    assert len(rows(output)) == 10
    assert list((output / ".parts").iterdir()) == []
    assert read_all(batch(folder, output, shard_rows=10, resume=True)).read == 30
    assert len(rows(output)) == 40


def test_exports_that_find_no_room_end_the_run(folder: Path, output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original, calls = write_whole, count()

    def full(path: Path, content: bytes, part: Path) -> None:
        if next(calls) == 5:
            raise OSError(28, "No space left on device")
        original(path, content, part)

    monkeypatch.setattr("shizi.batch.rows.write_whole", full)
    with pytest.raises(Unavailable, match=r"txt cannot be written \(No space left on device\)\. Make room"):
        run(batch(folder, output, formats=("text",)), InThisProcess)
    assert len(rows(output)) == 5
    assert read_all(batch(folder, output, formats=("text",), resume=True)).read == 35
    assert all(row["error"] is None and row["files"] for row in rows(output).values())


class InThisProcess:
    """Reads one item after the other, right here."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def read(self, items: Iterable[Item]) -> Generator[Row | None]:
        reader = self._work.load()
        yield from (read_item(reader, self._work, item, partial(load, item)) for item in items)

    def close(self) -> None:
        pass


# Engines that do things twice, or not at all


class Careless:
    """Gives some rows twice, late ones of long ago too, and loses others, as a cluster does whose nodes die."""

    def __init__(self, loses: Callable[[int, int], bool]) -> None:
        self._loses = loses
        self._round = 0

    def read(self, items: object) -> Generator[Row | None]:
        self._round += 1
        done: list[Row] = []
        for number, item in enumerate(items):  # type: ignore[arg-type, var-annotated]
            if self._loses(self._round, number):
                continue
            done.append(Row(item.id))
            yield from (done[-1], None, done[-1], done[0])

    def close(self) -> None:
        pass


def test_what_comes_twice_is_kept_once_and_what_is_lost_is_read_again(folder: Path, output: Path) -> None:
    tally = run(batch(folder, output, shard_rows=7), lambda work: Careless(lambda turn, n: turn == 1 and n % 3 == 0))
    assert (tally.read, dict(tally.errors)) == (40, {})
    assert len(rows(output)) == 40


def test_what_is_lost_every_time_is_an_error(folder: Path, output: Path) -> None:
    tally = run(batch(folder, output), lambda work: Careless(lambda turn, n: n == 0))
    assert (tally.read, dict(tally.errors)) == (40, {"worker_lost": 1})
    assert len(rows(output)) == 40


def test_memory_of_the_driver_does_not_grow_with_the_inputs(tmp_path: Path) -> None:
    """Ten times the inputs, the same peak: read by an engine that costs nothing, in a process of its own."""

    def peak(number: int) -> int:
        program = (
            "import resource, sys; from pathlib import Path; from shizi.batch.rows import Row, Work\n"
            "from shizi.batch.run import Batch, run; from shizi.batch.inputs import Sources; import batches\n"
            "class Free:\n"
            "    def read(self, items):\n"
            "        for item in items: yield Row(item.id, document='{}')\n"
            "    def close(self): pass\n"
            f"output = Path({str(tmp_path / f'out{number}')!r})\n"
            f"asked = Batch(Sources(('@{tmp_path}/list{number}',)), Work(batches.load), output)\n"
            f"assert run(asked, lambda work: Free()).read == {number}\n"
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
        )
        (tmp_path / f"list{number}").write_text("".join(f"{index:09}/scan.png\n" for index in range(number)))
        with driver("-c", program, stdout=subprocess.PIPE, text=True) as process:
            return int(process.communicate(timeout=120)[0])

    small, large = peak(4_000), peak(40_000)
    assert large < small + 6_000, (small, large)  # kilobytes; 36,000 ids kept would be more


def test_load_may_have_arguments() -> None:
    pool = local.Pool(Work(partial(batches.load, 0.0)), 1)
    assert [row.text for row in pool.read([Item("a", "", content=b"x")]) if row] == ["x"]
    pool.close()
