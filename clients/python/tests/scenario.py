"""A day in the life of a client, against a running service; prints one row a step.

The Node and Java clients have the same program; the project's tests hold the rows of all against one list. The
service's reader is told by pictures what to do: one that says `hold` is held until `release` lies in the folder.
"""

import asyncio
import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

from both import KIND
from shizi_client import AsyncClient, Job, QuotaSpent, Refused, Retries, Source

URL, KEY, LIMITED_KEY = os.environ["SHIZI_URL"], os.environ["SHIZI_KEY"], os.environ["SHIZI_LIMITED_KEY"]
FOLDER = Path(os.environ["SHIZI_FOLDER"])
JPEG = b"\xff\xd8"


def pictures() -> Sequence[Source]:
    return sorted((FOLDER / "batch").iterdir())


def shown(error: Refused) -> str:
    return f"{type(error).__name__} {error.status}"


async def main() -> None:
    for name, key in (("no key", None), ("wrong key", "shizi_00000000_" + "x" * 43)):
        async with KIND(URL, key) as stranger:
            try:
                await stranger.read(b"a picture")
            except Refused as error:
                print(f"{name}: {shown(error)}")
    async with KIND(URL, KEY) as shizi:
        print(f"health: {(await shizi.health()).version}")
        print(f"ready: {' '.join((await shizi.ready()).weights)}")
        reading = await shizi.read(FOLDER / "scan.png", mode="fast", pages="1")
        print(f"read: {reading.pages[0].lines[0].text}, {len(reading.pages[0].lines)} lines, {reading.options['mode']}")
        reading = await shizi.read(b"an invoice", fields="auto")
        assert reading.fields
        assert reading.verdict
        print(f"fields: {reading.fields['total'].value}, {reading.verdict.decision}")
        file = await shizi.export(FOLDER / "scan.png", "pdf")
        print(f"export: {file.name} {file.media_type} {file.data[:5].decode()}")
        entries = [entry async for entry in shizi.read_batch(pictures(), at_once=3, mode="fast")]
        bad = [f"{Path(str(entry.source)).name} {type(entry.error).__name__}" for entry in entries if entry.error]
        in_order = [entry.index for entry in entries] == list(range(20))
        read = sum(entry.reading is not None for entry in entries)
        print(f"batch: {len(entries)} entries, in order {str(in_order).lower()}, {read} read, {', '.join(bad)}")
        for name, picture, pages in (
            ("bad file", b"damaged", ""),
            ("large", bytes(6_000_000), ""),
            ("option", b"x", "a"),
        ):
            try:
                await shizi.read(picture, pages=pages)
            except Refused as error:
                print(f"{name}: {shown(error)}")
        await jobs(shizi)
        await shown_and_corrected(shizi)
        await models(shizi)
        print(f"purged: {str(await shizi.purge_cache() >= 0).lower()}")
    async with KIND(URL, LIMITED_KEY, retries=Retries(times=0)) as hasty:
        try:
            while True:
                await hasty.read(b"a picture")
        except QuotaSpent as error:
            print(f"limited: {shown(error)}, told when {str(error.retry_after is not None).lower()}")
    async with KIND(URL, LIMITED_KEY) as patient:
        print(f"patient: {(await patient.read(b'a picture')).pages[0].lines[0].text}")


async def jobs(shizi: AsyncClient) -> None:
    told: list[Job] = []
    job = await shizi.submit([FOLDER / "long.pdf"], mode="fast")
    job = await shizi.wait(job.id, on_progress=told.append, timeout=60)
    print(f"job: {job.state}, {job.pages_read} of {job.pages} pages, progress told {str(told[-1] == job).lower()}")
    print(f"document: {len((await shizi.document(job.id)).pages)} pages")
    file = await shizi.result(job.id, "pdf")
    print(f"job pdf: {file.name} {file.media_type} {file.data[:5].decode()}")
    several: list[Source] = [("a.bmp", b"BM one"), ("b.bmp", b"BM two"), ("c.bmp", b"BM damaged")]
    job = await shizi.wait((await shizi.submit(several)).id, timeout=60)
    file = await shizi.result(job.id, "text")
    print(f"several: {file.name} {file.data[:2].decode()}, failed {' '.join(file.failed_pages)}")
    print(f"one of several: {(await shizi.result(job.id, 'text', file=1)).name}, {job.errors[0].code}")
    order = f"order-{os.getpid()}"
    first = await shizi.submit([b"BM one"], idempotency_key=order)
    again = await shizi.submit([b"BM one"], idempotency_key=order)
    print(f"ordered twice: one job {str(first.id == again.id).lower()}")
    held = await shizi.submit([b"BM hold"])
    while (await shizi.job(held.id)).state != "running":
        pass
    try:
        await shizi.document(held.id)
    except Refused as error:
        print(f"too early: {shown(error)}")
    print(f"cancelled: was {(await shizi.delete(held.id)).was}")
    (FOLDER / "release").touch()
    try:
        await shizi.job(held.id)
    except Refused as error:
        print(f"forgotten: {shown(error)}")


async def shown_and_corrected(shizi: AsyncClient) -> None:
    picture = await shizi.picture(FOLDER / "long.pdf", 2, side=100)
    print(f"picture: JPEG {str(picture.data[:2] == JPEG).lower()}, {picture.pages} pages")
    reading = await shizi.read(FOLDER / "scan.png")
    [page] = reading.pages
    line = replace(page.lines[0], text="识字 corrected")
    corrected = replace(reading, pages=(replace(page, lines=(line, *page.lines[1:])),))
    file = await shizi.write(corrected, "text", name="scan.png")
    print(f"written: {file.name} {file.data.decode().splitlines()[0]}")
    file = await shizi.write(corrected, "pdf", source=FOLDER / "scan.png", name="scan.png")
    print(f"written on its source: {file.name} {file.data[:5].decode()}")
    told = await shizi.corrections()
    print(f"corrections: kept {str(told.kept).lower()}, at most {told.longest_text} characters")
    kept = await shizi.correct(b"a line", "识字", read="只字", model="crnn")
    placed = await shizi.correct(FOLDER / "scan.png", "识字 corrected", polygon=line.polygon, vertical=False)
    print(f"corrected: {kept.outcome} {kept.text}, {placed.outcome} {placed.text}")
    print(f"old corrections: {await shizi.purge_corrections(before=date(2000, 1, 1))}")
    print(f"corrections deleted: {await shizi.purge_corrections(sender='desk')}")


async def models(shizi: AsyncClient) -> None:
    there = await shizi.models()
    tuned = there.versions[1]
    gain = tuned.figures["corrections"]
    told = f"{gain['current']['exact']:.1f} to {gain['candidate']['exact']:.1f}"
    print(f"models: {there.serving}, {len(there.versions)} versions, {told}")
    promoted = await shizi.promote(tuned.name)
    print(f"promoted: {str(promoted.serving == tuned.name).lower()}, {promoted.log[-1].how}")
    print(f"rolled back: {(await shizi.rollback()).serving}")
    print(f"metrics: {str('shizi_requests_total' in await shizi.metrics()).lower()}")


asyncio.run(main())
