"""How the client lives with proxies, broken networks and services in trouble; prints one row a trial.

The Node and Java clients have the same program; the project's tests hold the rows of all against one list.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any

from both import KIND
from shizi_client import AsyncClient, JobFailed, Reading, Refused, Retries, ShiziError

URL = os.environ["SHIZI_STUBBORN"]
CODES = os.environ["SHIZI_CODES"].split()  # status:code
CLOSED = os.environ["SHIZI_CLOSED"]  # an address where nobody listens
Ask = Callable[[AsyncClient], Awaitable[str]]


async def trial(behaviour: str, ask: Ask, url: str = "", **named: Any) -> None:
    """Print what comes of asking a server that behaves so."""
    async with KIND(url or f"{URL}/{behaviour}", "K", **named) as shizi:
        try:
            outcome = await ask(shizi)
        except Refused as error:
            outcome = f"{type(error).__name__} {error.status} {error.code}"
            outcome += f" after {error.retry_after:g}" if error.retry_after else ""
        except JobFailed as error:
            outcome = f"JobFailed {error.job.errors[0].code}"
        except ShiziError as error:
            outcome = type(error).__name__
    print(f"{behaviour}: {outcome}")


async def version(shizi: AsyncClient) -> str:
    return (await shizi.health()).version


async def everything(shizi: AsyncClient) -> str:
    reading: Reading = await shizi.read(b"x")
    page, total, items = reading.pages[0], (reading.fields or {})["total"], (reading.fields or {})["items"]
    line, cell = page.lines[0], page.tables[0].cells[0]
    assert line.words
    assert line.words[0].chars
    assert reading.verdict
    assert total.repaired
    assert items.rows
    assert items.polygon is None
    told = [
        *(line.text, f"{line.polygon[3][1]:g}", line.words[0].chars[1].text, str(line.vertical).lower()),
        *(page.blocks[0].kind, cell.column_span, f"{page.dpi:g}", page.rotation),
        *(total.value, total.repaired.before, total.checks[0].detail, items.rows[0]["name"].value),
        *(reading.verdict.decision, f"{reading.stages['detect']:g}", f"{reading.cache_age_seconds:g}"),
    ]
    return " ".join(map(str, told))


async def echo(shizi: AsyncClient) -> str:
    source = ('发票 "1".png', b"12345")
    return (await shizi.read(source, mode="fast", no_store=True, deadline_ms=900, password="密 码+&")).text


async def main() -> None:
    none = Retries(times=0)
    for status, code in (pair.split(":") for pair in CODES):
        await trial(f"refuse/{status}/{code}", version, retries=none)
    for behaviour in ("busy", "waits", "dated", "later", "lost", "bare", "gateway", "reset", "redirect"):
        await trial(behaviour, version)
    for behaviour in ("notjson", "other", "future"):
        await trial(behaviour, version)
    await trial("closed", version, CLOSED, retries=none)
    await trial("slow", version, timeout=0.3)
    await trial("full", everything)
    await trial("echo", echo)

    async def submit(shizi: AsyncClient) -> str:
        return (await shizi.submit([b"x"])).id

    async def wait(shizi: AsyncClient) -> str:
        return (await shizi.wait("j1", timeout=0.3)).state

    async def export(shizi: AsyncClient) -> str:
        return (await shizi.export(b"x", "pdf")).name

    async def order(shizi: AsyncClient) -> str:
        return (await shizi.submit([b"x"], webhook="https://desk.example/told", idempotency_key="order-7")).id

    async def partial(shizi: AsyncClient) -> str:
        return (await shizi.document("j1", 1, partial=True)).text

    await trial("twice", submit)
    await trial("ordered", order)
    await trial("partial", partial)

    async def promote(shizi: AsyncClient) -> str:
        return (await shizi.promote('2026"')).serving

    async def rollback(shizi: AsyncClient) -> str:
        return (await shizi.rollback()).serving

    await trial("promoted", promote)
    await trial("unanswered", rollback)
    await trial("failed-job", wait)
    await trial("slow-job", wait)
    await trial("hostile", export)


asyncio.run(main())
