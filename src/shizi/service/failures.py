"""Failures: pictures that could not be read, kept for whoever wants to better the models. Off unless a folder is set.

Takes bytes and the error, writes `<id>.bin` and `<id>.json` beside each other; the oldest go once the folder holds
more than it may. Errors here are logged and hurt no request. The only place of the service that writes a caller's
picture to the disk.
"""

import json
import logging
import re
import threading
import time
from pathlib import Path

from shizi.errors import Busy, ShiziError

log = logging.getLogger(__name__)

_NAME = re.compile(r"\d{13}-[A-Za-z0-9._-]{1,64}-\d+\.(bin|json)")


class Failures:
    """One folder of at most `most_bytes`. Safe to use from several threads at once."""

    def __init__(self, folder: str | Path, most_bytes: int) -> None:
        self._folder = Path(folder)
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._count = 0

    def keep(self, data: bytes, error: ShiziError, request_id: str, seconds: float) -> None:
        """Keep a picture and why it was not read; a busy service is no failure."""
        if isinstance(error, Busy) or len(data) > self._most_bytes:
            return
        told = {"code": error.code, "error": error.message, "seconds": round(seconds, 3), "request_id": request_id}
        try:
            with self._lock:
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._count += 1
                name = f"{time.time_ns() // 1_000_000:013d}-{request_id}-{self._count}"
                (self._folder / f"{name}.bin").write_bytes(data)
                (self._folder / f"{name}.json").write_text(json.dumps(told, ensure_ascii=False) + "\n")
                self._make_room()
        except OSError as problem:
            log.warning("a failure was not kept: %s", problem.strerror)

    def _make_room(self) -> None:
        """Delete the oldest of our own files until the rest fits."""
        files = sorted(path for path in self._folder.iterdir() if _NAME.fullmatch(path.name))
        total = sum(path.stat().st_size for path in files)
        for path in files:
            if total <= self._most_bytes:
                return
            total -= path.stat().st_size
            path.unlink()
