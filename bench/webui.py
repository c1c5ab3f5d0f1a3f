"""Measure the web page in Debian's Chromium: first paint, bytes, long tasks with many photos, frames while panning.

    python bench/webui.py [--pictures 100] [--port 5000]

Starts a service of its own unless one is named by --port. Photos are drawn here, 4000 x 3000. A headless Chromium draws
with the processor, so frames a second are at least these.
"""

import argparse
import io
import json
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import nullcontext
from itertools import pairwise
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import Browser, Page, expect, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from live import serving

FONT = "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
LONG_TASK_MILLISECONDS = 200
WATCH = """
window.long = [];
const keep = (one) => window.long.push([Math.round(one.startTime), one.duration]);
new PerformanceObserver((list) => list.getEntries().forEach(keep))
    .observe({type: "longtask", buffered: true});
try { localStorage.setItem("shizi.options", JSON.stringify({mode: "fast", tables: "none", fields: "none"})); } catch {}
"""
PAN = """
() => new Promise((resolve) => {
    const times = [];
    const stage = document.getElementById("stage");
    const box = stage.getBoundingClientRect();
    const at = (step) => ({clientX: box.x + 40 + (step % 200) * 2, clientY: box.y + 40 + (step % 120), bubbles: true,
        pointerId: 1, pointerType: "mouse", button: 0});
    stage.dispatchEvent(new PointerEvent("pointerdown", at(0)));
    let step = 0;
    const frame = (time) => {
        times.push(time);
        stage.dispatchEvent(new PointerEvent("pointermove", at(++step)));
        if (step < 180) return requestAnimationFrame(frame);
        stage.dispatchEvent(new PointerEvent("pointerup", at(step)));
        resolve(times);
    };
    requestAnimationFrame(frame);
})
"""


def photos(count: int) -> Iterator[bytes]:
    """Draw photos of a page, 4000 x 3000, with the grain that makes photos large; each says its number."""
    rng = np.random.default_rng(7)
    paper = Image.new("RGB", (4000, 3000), (236, 232, 224))
    grain = rng.normal(0, 9, (750, 1000, 3)).repeat(4, 0).repeat(4, 1)
    base = Image.fromarray(np.clip(np.asarray(paper) + grain, 0, 255).astype(np.uint8))
    font = ImageFont.truetype(FONT, 80, index=2)
    for number in range(count):
        picture = base.copy()
        brush = ImageDraw.Draw(picture)
        for row in range(8):
            brush.text((400, 300 + row * 280), f"第{number}张照片第{row + 1}行 line {row + 1}", (40, 40, 50), font)
        buffer = io.BytesIO()
        picture.save(buffer, format="JPEG", quality=80)
        yield buffer.getvalue()


def first_load(browser: Browser, address: str) -> dict[str, float]:
    """Load the page as a first visitor does; the best of five, since other programs run beside."""
    paints, sizes = [], []
    for _ in range(5):
        context = browser.new_context()
        page = context.new_page()
        session = context.new_cdp_session(page)
        session.send("Network.enable")
        received: list[float] = []
        session.on(
            "Network.loadingFinished", lambda event, received=received: received.append(event["encodedDataLength"])
        )
        page.goto(address)
        page.wait_for_selector("body[data-ready]")
        page.wait_for_timeout(300)
        entries = page.evaluate("performance.getEntriesByType('paint').map((one) => [one.name, one.startTime])")
        paints.append(dict(entries)["first-contentful-paint"])
        sizes.append(sum(received))
        context.close()
    return {
        "first_contentful_paint_ms": round(min(paints)),
        "median_ms": round(statistics.median(paints)),
        "transferred_kb": round(max(sizes) / 1000, 1),
    }


def many(page: Page, count: int, folder: Path) -> dict[str, float]:
    """Add many photos at once and wait until all are read."""
    for number, photo in enumerate(photos(count)):
        (folder / f"{number:03}.jpg").write_bytes(photo)
    page.set_input_files("#file", sorted(map(str, folder.glob("*.jpg"))))
    expect(page.locator("#queue li")).to_have_count(count)
    expect(page.locator("#tally")).to_contain_text(f"{count} of {count}", timeout=3_600_000)
    expect(page.locator("#queue li[data-state=done]")).to_have_count(count)
    starts = page.evaluate("window.long")
    print(starts, file=sys.stderr)
    tasks = [duration for _, duration in starts]
    return {
        "pictures": count,
        "long_tasks": len(tasks),
        "longest_ms": round(max(tasks, default=0)),
        f"over_{LONG_TASK_MILLISECONDS}_ms": sum(task > LONG_TASK_MILLISECONDS for task in tasks),
    }


def pan(page: Page) -> dict[str, float]:
    """Drag a large photo about for 180 frames."""
    page.locator(".row-open").first.click()
    expect(page.locator(".sheet-picture")).to_be_visible()
    page.click("#zoom-in")
    page.wait_for_timeout(1000)
    times = page.evaluate(PAN)
    gaps = [after - before for before, after in pairwise(times)][10:]
    return {"frames_a_second": round(1000 / statistics.median(gaps), 1), "slowest_frame_ms": round(max(gaps), 1)}


def main() -> None:
    """Measure and print one row of JSON."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--pictures", type=int, default=100)
    arguments.add_argument("--port", type=int, default=0)
    chosen = arguments.parse_args()
    shizi = str(Path(sys.executable).with_name("shizi"))
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        started = nullcontext() if chosen.port else serving([shizi, "serve"])
        with started as service:
            address = f"http://127.0.0.1:{chosen.port or service.port}/ocr/webui"
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
            found = first_load(browser, address)
            context = browser.new_context(locale="en-GB", viewport={"width": 1440, "height": 900})
            context.add_init_script(WATCH)
            page = context.new_page()
            page.goto(address)
            page.wait_for_selector("body[data-ready]")
            found |= many(page, chosen.pictures, Path(folder))
            found |= pan(page)
            print(json.dumps(found))
            browser.close()


if __name__ == "__main__":
    main()
