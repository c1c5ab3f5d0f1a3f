"""Lets one program try both: `Client` behind the methods of `AsyncClient`, or, with the argument `async`, that."""

import sys
from collections.abc import AsyncIterator
from typing import Any

from shizi_client import AsyncClient, BatchEntry, Client


class Threaded:
    """A `Client` whose methods are awaited."""

    def __init__(self, *args: Any, **named: Any) -> None:
        self._client = Client(*args, **named)

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)

        async def call(*args: Any, **named: Any) -> Any:
            return method(*args, **named)

        return call

    async def read_batch(self, *args: Any, **named: Any) -> AsyncIterator[BatchEntry]:
        for entry in self._client.read_batch(*args, **named):
            yield entry

    async def __aenter__(self) -> "Threaded":
        return self

    async def __aexit__(self, *_: object) -> None:
        self._client.close()


KIND: Any = AsyncClient if sys.argv[1:] == ["async"] else Threaded
