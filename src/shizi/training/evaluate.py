"""Evaluate: CER and line accuracy on held-out fonts and held-back PDF documents.

`score` reads line samples with a torch model during training; `python -m shizi.training.evaluate` compares
ONNX models on the same crops. Both fold look-alikes as the project's accuracy measure does.
"""

import argparse
import json
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import NamedTuple

import numpy as np
import torch

from shizi import weights
from shizi.charset import text_of
from shizi.evaluation import edit_distance, normalise
from shizi.recognise import ReadsLines, Recogniser
from shizi.training import fonts, labels, samples
from shizi.training.batches import collate
from shizi.training.crnn import Crnn, best_path

VALIDATION_RUN = 999


class Read(NamedTuple):
    """What a model read of a line, and how sure it is, 0 to 1."""

    text: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Split:
    """PDF crops to train on, those of documents held back, and lines of drawn pages to train on."""

    train: list[samples.Crop]
    held: list[samples.Crop]
    regions: Sequence[samples.Crop] = ()


def measure(truths: Sequence[str], readings: Sequence[str]) -> dict[str, float]:
    """Give CER and line accuracy of readings against truths, after folding."""
    pairs = [(normalise(truth), normalise(reading)) for truth, reading in zip(truths, readings, strict=True)]
    edits = sum(edit_distance(truth, reading) for truth, reading in pairs)
    exact = sum(truth == reading for truth, reading in pairs)
    characters = sum(len(truth) for truth, _ in pairs)
    return {"cer": round(edits / max(1, characters), 4), "exact": round(exact / max(1, len(pairs)), 4)}


def validation_sets(
    held: Sequence[samples.Crop], faces: Sequence[fonts.Face], count: int
) -> dict[str, list[samples.Sample]]:
    """Give fixed validation lines: drawn in held-out fonts, and crops of held-back documents as they are."""
    sets = {}
    if any(face.held_out for face in faces):
        drawn = samples.Maker(faces, [], held_out=True)
        sets["fonts"] = [drawn.make(VALIDATION_RUN, index, 0.0) for index in range(count)]
    if held:
        every = max(1, len(held) // count)
        sets["pdf"] = [samples.Sample(samples.decode(crop), crop.text, margins=False) for crop in held[::every][:count]]
    return sets


def read(model: Crnn, lines: Sequence[samples.Sample]) -> list[str]:
    """Read each line alone with a torch model (greedy CTC)."""
    model.eval()
    device = next(model.parameters()).device
    texts = []
    with torch.inference_mode():
        for line in lines:
            path, best = best_path(model(collate([line]).lines.to(device)))
            spans = labels.charset().collapse(path[0].cpu().numpy(), best[0].cpu().numpy().astype(np.float64))
            texts.append(text_of(spans))
    return texts


def score(model: Crnn, lines: Sequence[samples.Sample]) -> dict[str, float]:
    """Give CER and line accuracy of a torch model on `lines`."""
    return measure([line.text for line in lines], read(model, lines))


def test_sets(
    lines: Path | None,
    faces: Sequence[fonts.Face],
    count: int,
    regions: Path | None = None,  # noqa: PT028  # no test
) -> dict[str, list[samples.Sample]]:
    """Give the sets to compare on: PDF crops as they are and spoilt, held-out fonts, lines of drawn pages."""
    held = samples.load_crops(lines)[1] if lines else []
    sets = validation_sets(held, faces, count)
    if held:
        spoiler = samples.Maker(faces, held)
        every = max(1, len(held) // count)
        chosen = held[::every][:count]
        sets["pdf_spoilt"] = [spoiler.crop(crop, Random(place), 1.0) for place, crop in enumerate(chosen)]
    if regions:
        found = samples.load_regions(regions)
        chosen = found[:: max(1, len(found) // count)][:count]
        sets["regions"] = [samples.Sample(samples.decode(crop), crop.text) for crop in chosen]
    return sets


def read_lines(recogniser: ReadsLines, lines: Sequence[samples.Sample]) -> tuple[list[Read], float]:
    """Read each line alone through the shipped reader: gives readings and milliseconds a line (median)."""
    readings: list[Read] = []
    times = []
    for line in lines:
        strip = np.repeat(line.strip[:, :, None], 3, axis=2)
        start = time.perf_counter()
        found = recogniser.read([strip], line.margins)[0]
        times.append(time.perf_counter() - start)
        readings.append(Read(found.text, found.confidence))
    return readings, 1000 * float(np.median(times))


def right(lines: Sequence[samples.Sample], readings: Sequence[Read]) -> list[bool]:
    """Tell of each line whether it was read without an error, after folding."""
    return [normalise(line.text) == normalise(reading.text) for line, reading in zip(lines, readings, strict=True)]


def gain(before: Sequence[bool], after: Sequence[bool]) -> dict[str, float]:
    """Give the gain in line accuracy on the same lines: its estimate, and the ends of its interval of 95 %.

    Both models read the same lines, so only those that one alone reads right tell (Agresti and Min, Statistics in
    Medicine 2005: half a line is added to each cell of the table, so that few lines do not seem to be sure).
    """
    only_after = sum(now and not was for was, now in zip(before, after, strict=True))
    only_before = sum(was and not now for was, now in zip(before, after, strict=True))
    count = len(before) + 2
    middle = (only_after - only_before) / count
    reach = 1.96 * math.sqrt(max(0.0, (only_after + only_before + 1) / count - middle**2) / count)
    return {
        "exact": round((only_after - only_before) / max(1, len(before)), 4),
        "lowest": round(middle - reach, 4),
        "highest": round(middle + reach, 4),
    }


def find(model: str) -> weights.Weights:
    """Locate a model: a name that the runtime knows, or an ONNX file."""
    return weights.find(model) if model in weights.NAMES else weights.from_file(Path(model))


def main() -> None:
    """Compare models on the same lines: CER, line accuracy and milliseconds a line by set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="+", help="names the runtime knows (strong) or ONNX files")
    parser.add_argument("--lines", type=Path, help="folder of PDF crops: labels.jsonl and *.tar.gz")
    parser.add_argument("--regions", type=Path, help="folder of `regions --held-out`")
    parser.add_argument("--fonts", type=Path, default=Path("fonts"))
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--errors", action="store_true", help="print what was misread")
    arguments = parser.parse_args()
    sets = test_sets(arguments.lines, fonts.load(arguments.fonts), arguments.count, arguments.regions)
    for model in arguments.models:
        recogniser = Recogniser(find(model), arguments.threads)
        for name, lines in sets.items():
            readings, milliseconds = read_lines(recogniser, lines)
            texts = [reading.text for reading in readings]
            figures = measure([line.text for line in lines], texts)
            row = {"model": Path(model).name, "set": name, **figures, "ms": round(milliseconds, 2)}
            print(json.dumps(row), flush=True)
            for line, text in zip(lines, texts, strict=True) if arguments.errors else ():
                if normalise(line.text) != normalise(text):
                    print(f"  {line.text}\n  {text}\n")


if __name__ == "__main__":
    main()
