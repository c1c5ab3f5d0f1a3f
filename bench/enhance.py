"""Measure what each enhancement does for clean, blurred, tilted and shaded pages.

    python bench/enhance.py SET [--every N] [--json FILE]

SET is a labelled folder as `shizi eval` takes it; single lines (category `line`) are left out. The flaws are made here,
page i always with the same draw. Every flawed page is read plain and after each step of `shizi.enhance`; the table
gives the CER.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from shizi import enhance
from shizi.evaluation import OVERALL, Prediction, evaluate, load_labels
from shizi.options import ReadOptions
from shizi.pages import open_pages
from shizi.reader import Reader

Pixels = NDArray[np.uint8]
Step = Callable[[Pixels, np.random.Generator], Pixels]


def blurred(pixels: Pixels, draw: np.random.Generator) -> Pixels:
    """Defocus by a Gaussian of 0.8 to 1.6 pixels."""
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), draw.uniform(0.8, 1.6)), np.uint8)


def tilted(pixels: Pixels, draw: np.random.Generator) -> Pixels:
    """Turn by 1 to 8 degrees either way."""
    return enhance.deskew(pixels, float(draw.uniform(1, 8) * draw.choice([-1, 1])))


def shaded(pixels: Pixels, draw: np.random.Generator) -> Pixels:
    """Darken smoothly from one side, down to a quarter of the light, with a soft shadow's edge."""
    height, width = pixels.shape[:2]
    angle, edge = draw.uniform(0, 2 * np.pi), draw.uniform(-0.3, 0.3)
    y, x = np.mgrid[0:height, 0:width]
    across = (x / width - 0.5) * np.cos(angle) + (y / height - 0.5) * np.sin(angle)
    light = 0.25 + 0.75 / (1 + np.exp(-12 * (across - edge)))
    return np.asarray(pixels * light[:, :, None], np.uint8)


def noisy(pixels: Pixels, draw: np.random.Generator) -> Pixels:
    """Add sensor noise of 12 grey levels."""
    return np.asarray(np.clip(pixels + draw.normal(0, 12, pixels.shape), 0, 255), np.uint8)


FLAWS: dict[str, Step] = {
    "clean": lambda pixels, draw: pixels,
    "blurred": blurred,
    "tilted": tilted,
    "shaded": shaded,
    "noisy": noisy,
}
STEPS: dict[str, Callable[[Pixels], Pixels]] = {
    "none": lambda pixels: pixels,
    "classic": lambda pixels: enhance.prepare(pixels, "classic"),
    "local contrast": enhance.local_contrast,
    "even light": enhance.even_light,
    "denoise": enhance.denoise,
    "Otsu": enhance.binarise,
}


def straightened(reader: Reader, pixels: Pixels) -> Pixels:
    """Deskew by the median direction of the lines that a first reading finds."""
    lines = reader.read(pixels, ReadOptions(mode="accurate")).pages[0].lines
    angles = [line.polygon.angle for line in lines if abs(line.polygon.angle) < 20]
    return enhance.deskew(pixels, -float(np.median(angles))) if angles else pixels


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", type=Path)
    parser.add_argument("--every", type=int, default=1, help="take every Nth page only")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    labels = [label for label in load_labels(arguments.set) if label.category != "line"][:: arguments.every]
    reader, options = Reader(), ReadOptions(mode="accurate", enhance="none")
    steps = STEPS | {"deskew": lambda pixels: straightened(reader, pixels)}
    result: dict[str, dict[str, float]] = {}
    print("| pages |" + "".join(f" {name} |" for name in steps) + "\n| --- |" + " ---: |" * len(steps))
    for flaw, spoil in FLAWS.items():
        read: dict[str, list[Prediction]] = {name: [] for name in steps}
        for number, label in enumerate(labels):
            pixels = next(iter(open_pages((arguments.set / label.image).read_bytes()))).pixels
            pixels = spoil(pixels, np.random.default_rng(number))
            for name, step in steps.items():
                (page,) = reader.read(step(pixels), options).pages
                read[name].append(Prediction(label.image, page.lines, 0.0))
        result[flaw] = {name: evaluate(labels, items)[OVERALL].cer for name, items in read.items()}
        print(f"| {flaw} |" + "".join(f" {cer:.2%} |" for cer in result[flaw].values()), flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps({"pages": len(labels), "cer": result}, indent=1) + "\n")


if __name__ == "__main__":
    main()
