"""Calls become requests of httpx2, its errors become ours; the same for both clients."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import httpx2

from shizi_client.calls import Answer, Call
from shizi_client.errors import ConnectionFailed, TimedOut

# A service with its own defaults lets a request wait 30 s for its turn and read for 120 s.
TIMEOUT_SECONDS = 150.0
_AGENT = "shizi-client-python/0.1.0"


def request(
    http: httpx2.Client | httpx2.AsyncClient,
    url: str,
    key: str | None,
    timeout: float,
    call: Call[Answer],
    loaded: Sequence[tuple[str, tuple[str, bytes]]],
) -> httpx2.Request:
    """Make the request of a call, whose sources have been loaded."""
    headers = {"User-Agent": _AGENT, "Accept": "*/*", **call.headers}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    return http.build_request(
        call.method,
        url + call.path,
        params=call.query or None,
        data=dict(call.fields) if loaded else None,
        files=[(part, (name, data, "application/octet-stream")) for part, (name, data) in loaded] or None,
        json=call.json,
        headers=headers,
        timeout=timeout,
    )


def checked(url: str) -> str:
    """Give the address without its last slash. Raises ValueError for what is none."""
    if not url.startswith(("http://", "https://")):
        raise ValueError(f"The url is {url!r}; expected the address of a shizi, such as http://127.0.0.1:5000.")
    return url.rstrip("/")


@contextmanager
def translated(url: str, timeout: float) -> Iterator[None]:
    """Raise our errors in place of httpx2's."""
    try:
        yield
    except httpx2.TimeoutException as error:
        raise TimedOut(f"{url} did not answer within {timeout:g} s; give the client a longer timeout.") from error
    except (httpx2.RequestError, httpx2.InvalidURL) as error:
        raise ConnectionFailed(f"No answer from {url} ({error or type(error).__name__}); is a shizi there?") from error
