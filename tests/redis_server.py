"""A Redis for tests: Debian's redis-server on a socket of its own, which a test may kill and start again."""

import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest
import redis
from live import until


class RedisServer:
    """One server; all it was told is on its disk before it says so."""

    def __init__(self) -> None:
        if shutil.which("redis-server") is None:
            pytest.skip("Debian's package redis-server is missing: apt-get install redis-server")
        self.folder = Path(tempfile.mkdtemp(prefix="shizi-"))  # short: the path of a socket has 107 bytes
        self.url = f"unix://{self.folder}/redis.sock"
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        socket = ["--port", "0", "--unixsocket", f"{self.folder}/redis.sock"]
        disk = ["--dir", str(self.folder), "--appendonly", "yes", "--appendfsync", "always", "--save", ""]
        self._process = subprocess.Popen(["redis-server", *socket, *disk], stdout=subprocess.DEVNULL)
        until(self._answers)

    def _answers(self) -> bool:
        with redis.Redis.from_url(self.url, retry=None) as client:
            try:
                return bool(client.ping())
            except redis.RedisError:
                return False

    def kill(self) -> None:
        assert self._process
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def flush(self) -> None:
        with redis.Redis.from_url(self.url) as client:
            client.flushall()

    def end(self) -> None:
        self.kill()
        shutil.rmtree(self.folder)
