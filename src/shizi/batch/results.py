"""Results: rows become shards, files of many rows each, that are there whole or not at all.

A shard is written beside the results, brought to the disk and renamed into place: no reader and no interruption ever
meets half of one. JSON lines need nothing; Parquet needs the extra `parquet`. Which inputs have their row is told by
the shards alone: `inputs_of` reads it back.
"""

import contextlib
import importlib.util
import json
import os
import re
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args

from shizi.batch.rows import PARTS, Row, sync_folder
from shizi.errors import DamagedFile, OptionsError, Unavailable

if TYPE_CHECKING:
    import pyarrow

Kind = Literal["jsonl", "parquet"]
KINDS: tuple[str, ...] = get_args(Kind)
_NAME = re.compile(r"rows-(\d{6,})\.(jsonl|parquet)")
_ROWS_A_GROUP = 100  # bounds what Parquet keeps in memory before it is written
_ROWS_A_STEP = 1000  # of reading back
OnShard = Callable[[Path, list[tuple[str, str]]], None]


class _Sheet(Protocol):
    """A file that takes rows."""

    def add(self, row: Row) -> None: ...

    def close(self) -> None: ...


class _JsonLines:
    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")

    def add(self, row: Row) -> None:
        self._file.write(row.to_json().encode("utf-8", "backslashreplace") + b"\n")

    def close(self) -> None:
        self._file.close()


class _Parquet:
    def __init__(self, path: Path) -> None:
        import pyarrow.parquet as parquet

        self._schema = schema()
        self._writer = parquet.ParquetWriter(path, self._schema, compression="zstd")
        self._rows: list[dict[str, Any]] = []

    def add(self, row: Row) -> None:
        self._rows.append(
            {name: getattr(row, name) for name in self._schema.names} | {"files": list(row.files.items())}
        )
        if len(self._rows) >= _ROWS_A_GROUP:
            self._write()

    def close(self) -> None:
        if self._rows:
            self._write()
        self._writer.close()

    def _write(self) -> None:
        import pyarrow

        self._writer.write_table(pyarrow.Table.from_pylist(self._rows, self._schema))
        self._rows = []


def schema() -> "pyarrow.Schema":
    """Give the columns of a Parquet shard."""
    import pyarrow as pa

    texts = ("input", "error_code", "error", "text", "document")
    fields = [pa.field(name, pa.string()) for name in texts[:4]]
    fields += [pa.field("confidence", pa.float64()), pa.field("pages", pa.int32()), pa.field("attempts", pa.int32())]
    fields += [pa.field("milliseconds", pa.float64()), pa.field("files", pa.map_(pa.string(), pa.string()))]
    return pa.schema([*fields, pa.field(texts[4], pa.string())])


def check(kind: str) -> None:
    """Raise OptionsError for a kind of shards that is unknown or whose package is not installed."""
    if kind not in KINDS:
        raise OptionsError(f"The results are {kind!r}; expected one of {', '.join(KINDS)}.")
    if kind == "parquet" and importlib.util.find_spec("pyarrow") is None:
        raise OptionsError("Results in Parquet need an extra: pip install 'shizi[parquet]', or choose jsonl.")


def shards(folder: Path) -> list[Path]:
    """Give the shards in a folder of results, in their order."""
    return sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name))


def kind_of(shard: Path) -> str:
    """Tell which kind a shard is of."""
    return shard.suffix.removeprefix(".")


def inputs_of(shard: Path) -> Iterator[tuple[str, str]]:
    """Read back whose rows a shard holds: id and error code. Raises DamagedFile when it is no whole shard."""
    try:
        if kind_of(shard) == "parquet":
            check("parquet")
            import pyarrow.parquet as parquet

            with parquet.ParquetFile(shard) as file:
                for batch in file.iter_batches(_ROWS_A_STEP, columns=["input", "error_code"]):
                    yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)
            return
        with shard.open("rb") as file:
            for line in file:
                row = json.loads(line)
                yield row["input"], (row["error"] or {}).get("code", "")
    except (ValueError, KeyError, OSError) as error:  # pyarrow's errors are ValueErrors or OSErrors
        message = (
            f"The shard {shard} is damaged ({type(error).__name__}). Move it away: its inputs are then read again."
        )
        raise DamagedFile(message) from error


def drop_errors(shard: Path) -> None:
    """Write a shard anew without the rows that tell an error, or remove it where there are no others."""
    part = shard.parent / PARTS / uuid.uuid4().hex
    with _explained(shard.parent):
        kept = _copy_parquet(shard, part) if kind_of(shard) == "parquet" else _copy_lines(shard, part)
        if kept:
            _settle(part, shard)
        else:
            shard.unlink()


def _copy_lines(shard: Path, part: Path) -> int:
    kept = 0
    with shard.open("rb") as old, part.open("wb") as new:
        for line in old:
            if json.loads(line)["error"] is None:
                new.write(line)
                kept += 1
    return kept


def _copy_parquet(shard: Path, part: Path) -> int:
    import pyarrow
    import pyarrow.compute as compute
    import pyarrow.parquet as parquet

    kept = 0
    with parquet.ParquetFile(shard) as old, parquet.ParquetWriter(part, schema(), compression="zstd") as new:
        for batch in old.iter_batches(_ROWS_A_GROUP):
            table = pyarrow.Table.from_batches([batch])
            table = table.filter(compute.equal(table["error_code"], ""))
            if table.num_rows:
                new.write_table(table)
            kept += table.num_rows
    return kept


def _settle(part: Path, place: Path) -> None:
    """Bring a written file to the disk, then to its place."""
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.replace(place)
    sync_folder(place.parent)


class Shards:
    """Writes rows into one shard after the other."""

    def __init__(self, folder: Path, kind: str, rows: int, seconds: float, on_shard: OnShard) -> None:
        """Close a shard after `rows` rows or `seconds`; `on_shard` is told of each in its place, and what it holds."""
        self._folder, self._kind, self._most, self._seconds, self._on_shard = folder, kind, rows, seconds, on_shard
        known = [int(found[1]) for path in shards(folder) if (found := _NAME.fullmatch(path.name))]
        self._number = max(known, default=0)
        self._sheet: _Sheet | None = None
        self._part = Path()
        self._held: list[tuple[str, str]] = []
        self._since = 0.0

    def add(self, row: Row) -> None:
        """Take a row. Raises Unavailable when the disk does not take it; the open shard is then given up."""
        with self._given_up_on_error():
            if self._sheet is None:
                self._part = self._folder / PARTS / uuid.uuid4().hex
                self._sheet = _Parquet(self._part) if self._kind == "parquet" else _JsonLines(self._part)
                self._since = time.monotonic()
            self._sheet.add(row)
        self._held.append((row.input, row.error_code))
        if len(self._held) >= self._most:
            self.finish()

    def look(self) -> None:
        """Close the open shard if its time is over. Raises Unavailable as `add` does."""
        if self._sheet is not None and time.monotonic() - self._since >= self._seconds:
            self.finish()

    def finish(self) -> None:
        """Close the open shard, if there is one. Raises Unavailable as `add` does."""
        if self._sheet is None:
            return
        with self._given_up_on_error():
            self._sheet.close()
            self._number += 1
            shard = self._folder / f"rows-{self._number:06d}.{self._kind}"
            _settle(self._part, shard)
        held, self._held, self._sheet = self._held, [], None
        self._on_shard(shard, held)

    @contextlib.contextmanager
    def _given_up_on_error(self) -> Iterator[None]:
        """Never finish a shard that a full disk may have cut short: its inputs are read again."""
        try:
            with _explained(self._folder):
                yield
        except Unavailable:
            self._held, self._sheet = [], None
            with contextlib.suppress(OSError):
                self._part.unlink()
            raise


@contextlib.contextmanager
def _explained(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        message = f"The results cannot be written to {folder} ({error.strerror}). Make room, then go on with --resume."
        raise Unavailable(message) from error
