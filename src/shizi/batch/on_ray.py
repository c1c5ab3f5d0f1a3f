"""On Ray: the same work as a Ray Data pipeline, on one machine or a cluster.

Takes items as the pipeline asks for them, gives rows: chunks of items go from the driver through a bounded feed into
one read task, from there to an autoscaling pool of reader actors, and the rows come back as blocks. Each actor keeps a
pool of one process of `local`, so an input that brings native code down does not cost the actor, and is tried and given
up by the same rules. Ray restarts the actors of lost nodes and makes lost blocks again; what it gives twice or not at
all is settled in `run`. The nodes need shizi with its extra `ray`, and must see the inputs (and, for exports, the
folder of results) under the same paths.
"""

import contextlib
import importlib.util
import logging
import os
import pickle
import queue
import threading
from collections.abc import Generator, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shizi.batch.items import Item
from shizi.batch.local import MOST_WORKER_BYTES, Pool
from shizi.batch.rows import PARTS, Row, Work
from shizi.errors import OptionsError, ShiziError, Unavailable

if TYPE_CHECKING:
    import pyarrow
    import ray

# How long a chunk of inputs should keep an actor busy. The driver spends 7 ms of CPU time on each (measured, Zen 5), so
# it has to grow with the number of actors; little is lost with a node, and the last chunks end about together.
_CHUNK_SECONDS, _ACTORS_A_SECOND = 1.0, 50
_MOST_IN_CHUNK, _MOST_BYTES_IN_CHUNK = 1000, 32_000_000
_FIRST_CHUNK = 4
_FEED_DEPTH = 4  # chunks waiting in the feed
_TICK_SECONDS = 0.5
# Items are names, rows are texts: nothing here needs the third of the memory that Ray takes by default.
_OBJECT_STORE_BYTES = 300_000_000
_MARK = "ray-sees-this"


def check() -> None:
    """Raise OptionsError where Ray is not installed."""
    if importlib.util.find_spec("ray") is None or importlib.util.find_spec("pyarrow") is None:
        raise OptionsError("The engine ray needs an extra: pip install 'shizi[ray]', or read with --engine local.")


class Cluster:
    """A pool of reader actors. For one thread, like `local.Pool`."""

    def __init__(self, work: Work, address: str, workers: int, threads: int, seconds: float) -> None:
        """Connect to the cluster at `address`, or start one on this machine without one.

        `workers` actors at most (0: as many as the cluster has cores for), each on `threads` cores. Raises Unavailable
        when there is no such cluster.
        """
        check()
        # Nothing leaves this machine by itself: Ray would report its use to its makers.
        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
        # What Ray has to say comes as exceptions too.
        os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
        os.environ.setdefault("RAY_DATA_LOG_LEVEL", "ERROR")
        import ray

        address = address or os.environ.get("RAY_ADDRESS", "")  # set where Ray itself runs the command
        self._work, self._seconds, self._threads = work, seconds, threads
        own: dict[str, Any] = {"num_cpus": max(1, workers) * threads, "object_store_memory": _OBJECT_STORE_BYTES}
        try:
            ray.init(
                address or "local",
                include_dashboard=None if address else False,
                configure_logging=False,
                log_to_driver=False,
                logging_level=logging.ERROR,
                **({} if address else own),
            )
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise Unavailable(f"There is no Ray cluster at {address or 'this machine'}: {str(error)[:200]}.") from error
        cores = int(ray.cluster_resources().get("CPU", 1))  # type: ignore[no-untyped-call]
        self._workers = workers or max(1, cores // threads)
        self._fewest = 1 if address else self._workers  # a cluster may first have to grow
        self._pace = _Pace(chunk_seconds(self._workers))

    def read(self, items: Iterable[Item]) -> Generator[Row | None]:
        """Read every item and give its rows as they come; None every half second, so that the caller can look up."""
        import ray

        # With the driver's node the driver ends too; so what is on its way in the feed is lost with no other.
        here = {"ray.io/node-id": _node()}
        feed: Any = ray.remote(Feed).options(num_cpus=0, max_concurrency=4, label_selector=here).remote(_FEED_DEPTH)
        coming: queue.Queue[list[Row] | Exception | None] = queue.Queue(maxsize=_FEED_DEPTH)
        ended = threading.Event()
        threads = [
            threading.Thread(target=self._give, args=(iter(items), feed, ended, coming), daemon=True),
            threading.Thread(target=self._take, args=(feed, ended, coming), daemon=True),
        ]
        for thread in threads:
            thread.start()
        try:
            while True:
                try:
                    rows = coming.get(timeout=_TICK_SECONDS)
                except queue.Empty:
                    yield None
                    continue
                if rows is None:
                    return
                if isinstance(rows, Exception):
                    raise rows
                self._pace.add(rows)
                yield from rows
        finally:
            ended.set()
            with contextlib.suppress(ray.exceptions.RayError):  # the cluster may be gone
                ray.kill(feed)

    def close(self) -> None:
        """Leave the cluster; one that was started here ends, with all its processes."""
        import ray

        ray.shutdown()

    def _give(self, items: Iterator[Item], feed: Any, ended: threading.Event, coming: "queue.Queue[Any]") -> None:
        """Hand chunks of items to the feed, which takes no more than are about to be read."""
        import ray

        try:
            while not ended.is_set() and (chunk := _chunk(items, self._pace.chunk())):
                ray.get(feed.put.remote(pickle.dumps(chunk)))
            ray.get(feed.put.remote(None))
        except Exception as error:  # noqa: BLE001  # handed on: `read` raises it in the caller's thread
            _hand_on(error, ended, coming)

    def _take(self, feed: Any, ended: threading.Event, coming: "queue.Queue[Any]") -> None:
        """Run the pipeline and take its rows."""
        try:
            for rows in self._pipeline(feed):
                while not ended.is_set():
                    try:
                        coming.put(rows, timeout=_TICK_SECONDS)
                        break
                    except queue.Full:
                        continue
                if ended.is_set():
                    return
            coming.put(None)
        except Exception as error:  # noqa: BLE001  # as above
            _hand_on(error, ended, coming)

    def _pipeline(self, feed: Any) -> Iterator[list[Row]]:
        import ray.data

        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        context.print_on_execution_start = False
        context.target_max_block_size = 1  # a row a block: each is a whole chunk
        chunks = ray.data.read_datasource(
            _source(feed), override_num_blocks=1, num_cpus=0, label_selector={"ray.io/node-id": _node()}
        )
        done = chunks.map_batches(
            Reading,
            fn_constructor_args=(self._work, self._seconds, _mark(self._work)),
            batch_size=1,
            batch_format="pyarrow",
            num_cpus=self._threads,
            compute=ray.data.ActorPoolStrategy(
                min_size=self._fewest, max_size=self._workers, max_tasks_in_flight_per_actor=2
            ),
        )
        for block in done.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0):
            for cell in block.column("chunk").to_pylist():
                read = pickle.loads(cell)  # of our own actors
                if isinstance(read, ShiziError):
                    raise read
                yield read


class Feed:
    """Chunks on their way from the driver to the read task: an actor on the driver's node."""

    def __init__(self, depth: int) -> None:
        self._chunks: queue.Queue[bytes | None] = queue.Queue(maxsize=depth)

    def put(self, chunk: bytes | None) -> None:
        """Take a chunk, or the end; waits until there is room."""
        self._chunks.put(chunk)

    def take(self) -> bytes | None:
        """Give the next chunk; None at the end, however often it is asked."""
        chunk = self._chunks.get()
        if chunk is None:
            self._chunks.put(None)  # for a read task that is begun again
        return chunk


class Reading:
    """The actor: reads chunk after chunk with one process of its own."""

    def __init__(self, work: Work, seconds: float, mark: str) -> None:
        """Start the process. `mark`: a file in the folder of results, which exports have to reach; '' without any."""
        self._unseen = Path(mark).parents[1] if mark and not Path(mark).exists() else None
        self._pool = Pool(work, 1, seconds, MOST_WORKER_BYTES)

    def __call__(self, block: "pyarrow.Table") -> "pyarrow.Table":
        """Read the chunks of a block; each becomes its rows, or the error that ends the run."""
        chunks = (pickle.loads(cell) for cell in block.column("chunk").to_pylist())  # of our driver
        return _block([pickle.dumps(self._read(chunk)) for chunk in chunks])

    def _read(self, chunk: list[Item]) -> list[Row] | ShiziError:
        # Ray would hand on the text of an exception, not its class.
        if self._unseen is not None:
            return OptionsError(f"A node does not see {self._unseen}; exports need a folder that all nodes share.")
        try:
            return [row for row in self._pool.read(chunk) if row]
        except ShiziError as error:
            return error


def chunk_seconds(workers: int) -> float:
    """Say how long a chunk should keep one of so many actors busy."""
    return max(_CHUNK_SECONDS, workers / _ACTORS_A_SECOND)


class _Pace:
    """How many inputs make a chunk, by how long the last ones took."""

    def __init__(self, wanted: float) -> None:
        self._wanted = wanted
        self._seconds = wanted / _FIRST_CHUNK

    def add(self, rows: list[Row]) -> None:
        """Take the rows of a chunk."""
        spent = sum(row.milliseconds for row in rows) / max(1, len(rows)) / 1000
        self._seconds = 0.8 * self._seconds + 0.2 * spent

    def chunk(self) -> int:
        """Say how many inputs the next chunk should have."""
        return max(1, min(_MOST_IN_CHUNK, round(self._wanted / max(self._seconds, 1e-6))))


def _chunk(items: Iterator[Item], most: int) -> list[Item]:
    """Take the next items, fewer where they carry their bytes."""
    chunk, size = [], 0
    for item in islice(items, most):
        chunk.append(item)
        size += len(item.content or b"")
        if size >= _MOST_BYTES_IN_CHUNK:
            break
    return chunk


def _block(chunks: list[bytes]) -> "pyarrow.Table":
    import pyarrow

    return pyarrow.table({"chunk": pyarrow.array(chunks, pyarrow.binary())})


def _node() -> str:
    """Name the driver's own node."""
    import ray

    node: str = ray.get_runtime_context().get_node_id()
    return node


def _source(feed: Any) -> "ray.data.Datasource":
    """Make a source of one read task that gives the feed's chunks, a block each."""
    import ray.data
    from ray.data.block import BlockMetadata
    from ray.data.datasource import ReadTask

    def chunks() -> Iterator["pyarrow.Table"]:
        while (chunk := ray.get(feed.take.remote())) is not None:
            yield _block([chunk])

    class Chunks(ray.data.Datasource):
        """Chunks of items, until the driver has no more."""

        def estimate_inmemory_data_size(self) -> int | None:
            """Say that it is not known."""
            return None

        def get_read_tasks(self, parallelism: int, *_: object, **__: object) -> list[ReadTask]:
            """Give the one task there is."""
            return [ReadTask(chunks, BlockMetadata(num_rows=None, size_bytes=None, input_files=None, exec_stats=None))]

    return Chunks()  # type: ignore[no-untyped-call]


def _mark(work: Work) -> str:
    """Leave a file in the folder of results by which a node can tell that it sees it; '' where no node writes there."""
    if not work.formats:
        return ""
    mark = Path(work.output, PARTS, _MARK).resolve()
    mark.touch()
    return str(mark)


def _hand_on(error: Exception, ended: threading.Event, coming: "queue.Queue[Any]") -> None:
    """Give the caller's thread what ended a thread here."""
    if ended.is_set():
        return  # nobody waits: it was the end that ended it
    told = f"The Ray cluster failed: {type(error).__name__}: {str(error)[:300]}"
    coming.put(error if isinstance(error, ShiziError) else Unavailable(told))
