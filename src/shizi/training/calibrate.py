"""Calibrate: a model's raw line confidence becomes the chance that the line is right.

Reads labelled lines with the shipped reader, fits the chance of being right as a smooth rising function of the raw
confidence with three parameters (beta calibration; Kull, Silva Filho and Flach, AISTATS 2017: steps fitted to a
thousand lines jumped by a point from sample to sample near 1, where it counts), and writes a few of its points to the
ONNX metadata key `calibration`: `raw:right` pairs parted by spaces, to be read by linear interpolation. With
`--cascade` the same for what a cascade that starts with the model gives in each mode: `calibration_fast`,
`calibration_auto`. Draws the reliability picture of the model card.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np
import numpy.typing as npt
import onnx

from shizi import weights
from shizi.cascade import Cascade
from shizi.evaluation import calibration_error
from shizi.recognise import Recogniser
from shizi.training import evaluate, fonts

KEY, KEY_FAST, KEY_AUTO = "calibration", "calibration_fast", "calibration_auto"
# Of real pages `fast` reads fewer lines right than of sets with lines as clean as a PDF's own; `auto` as many.
CLEANER = (KEY_FAST, "pdf")
KNOTS = 18
EDGE, STEPS, PRIOR = 1e-4, 30, 1e-2
BINS = 15
Curve = list[tuple[float, float]]
Shares = npt.NDArray[np.float64]


def fit(raw: Sequence[float], right: Sequence[bool]) -> Curve:
    """Give the calibration curve's knots, `KNOTS` at most, from (0, 0) to (1, high)."""
    confidence, truth = np.asarray(raw, np.float64), np.asarray(right, np.float64)
    slope = _beta(confidence, truth)
    # Knots at even shares of the lines, and as many towards 1: most lines are sure.
    of_lines, towards = np.linspace(0, 1, KNOTS // 2 - 1), np.geomspace(0.1, EDGE, KNOTS // 2 - 1)
    wanted = np.unique(np.concatenate([np.quantile(confidence, of_lines), 1 - towards]))
    # One line more of each kind than seen: no confidence is exactly 0 or 1.
    levels = np.minimum(_shares(slope, wanted), 1 - 1 / (len(confidence) + 2))
    curve = [(0.0, 0.0), *zip(wanted.tolist(), levels.tolist(), strict=True), (1.0, float(levels[-1]))]
    return list({round(float(x), 5): round(float(y), 4) for x, y in curve}.items())


def _terms(raw: Shares) -> Shares:
    kept = np.clip(raw, EDGE, 1 - EDGE)
    return np.stack([np.log(kept), -np.log(1 - kept), np.ones_like(kept)], axis=1)  # N, 3


def _shares(slope: Shares, raw: Shares) -> Shares:
    return np.asarray(1 / (1 + np.exp(-_terms(raw) @ slope)), np.float64)


def _beta(raw: Shares, right: Shares) -> Shares:
    """Fit the three parameters by Newton's steps (logistic regression on both logarithms); neither slope falls."""
    used = [0, 1, 2]
    while True:
        terms, slope = _terms(raw)[:, used], np.zeros(len(used))
        for _ in range(STEPS):
            share = 1 / (1 + np.exp(-terms @ slope))
            # A little of a prior: where all lines are right, no finite slope fits.
            bend = (terms * (share * (1 - share))[:, None]).T @ terms + PRIOR * np.eye(len(used))
            slope = slope + np.linalg.solve(bend, terms.T @ (right - share) - PRIOR * slope)
        falling = [place for place, value in zip(used, slope, strict=True) if place < 2 and value < 0]
        if not falling:
            whole = np.zeros(3)
            whole[used] = slope
            return whole
        used.remove(falling[0])


def apply(curve: Curve, raw: Shares) -> Shares:
    """Give the chance of being right for raw confidences."""
    places, levels = np.array(curve).T
    return np.asarray(np.interp(raw, places, levels), np.float64)


def write(path: Path, curve: Curve, key: str = KEY) -> None:
    """Store the curve in the file's metadata; an empty one takes the old one out."""
    model = onnx.load(path)
    kept = {entry.key: entry.value for entry in model.metadata_props}
    kept.pop(key, None)
    if curve:
        kept[key] = " ".join(f"{x:g}:{y:g}" for x, y in curve)
    onnx.helper.set_model_props(model, kept)
    onnx.save(model, path)


def picture(raw: Shares, calibrated: Shares, right: Shares, path: Path) -> None:
    """Draw how often lines of each confidence are right, before and after, to a PNG."""
    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(4.5, 4.5))
    axes.plot([0, 1], [0, 1], color="grey", linewidth=0.8)
    for confidence, label in ((raw, "raw"), (calibrated, "calibrated")):
        bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
        used = np.unique(bins)
        points = [(confidence[bins == place].mean(), right[bins == place].mean()) for place in used]
        axes.plot(
            *zip(*points, strict=True), marker="o", label=f"{label}, error {calibration_error(confidence, right):.3f}"
        )
    axes.set(xlabel="confidence", ylabel="share of lines right", xlim=(0, 1.02), ylim=(0, 1.02))
    axes.legend()
    figure.savefig(path, dpi=100, bbox_inches="tight")
    pyplot.close(figure)


def main() -> None:
    """Fit on the test sets' lines, report the error of half of them on the rest, write the curves."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="name the runtime knows (printed only) or ONNX file (curve written into it)")
    parser.add_argument("--lines", type=Path, help="folder of PDF crops")
    parser.add_argument("--regions", type=Path, help="folder of held-back lines that `regions` wrote")
    parser.add_argument("--fonts", type=Path, default=Path("fonts"))
    parser.add_argument("--count", type=int, default=800)
    parser.add_argument("--cascade", action="store_true", help="only the cascade's confidence, in modes fast and auto")
    parser.add_argument("--picture", type=Path, help="PNG of the reliability curve")
    arguments = parser.parse_args()
    path = Path(arguments.model) if Path(arguments.model).suffix == ".onnx" else None
    faces = fonts.load(arguments.fonts)
    sets = evaluate.test_sets(arguments.lines, faces, arguments.count, arguments.regions)
    for key in (KEY_FAST, KEY_AUTO) if arguments.cascade else (KEY,):
        if path:
            write(path, [], key)  # what is read below must be raw
        recogniser = Recogniser(evaluate.find(arguments.model), 2)
        reader = _cascade(recogniser, key) if arguments.cascade else recogniser
        raw, truth = [], []
        for name, lines in sets.items():
            if (key, name) == CLEANER:
                continue
            readings, _ = evaluate.read_lines(reader, lines)
            raw += [reading.confidence for reading in readings]
            truth += evaluate.right(lines, readings)
        curve = fitted(key, raw, truth, arguments.picture)
        if path:
            write(path, curve, key)


def _cascade(first: Recogniser, key: str) -> Cascade:
    if first.doubt is None:
        raise SystemExit(f"{first.weights.name} has no doubt in its metadata; see export_onnx --doubt.")
    doubt = first.doubt.fast if key == KEY_FAST else first.doubt.auto
    return Cascade(first, Recogniser(weights.find("strong"), 2), doubt)


def fitted(key: str, raw: Sequence[float], truth: Sequence[bool], to: Path | None = None) -> Curve:
    """Fit a curve; tell the error of one fitted to every other line on the rest, and draw its picture to `to`."""
    confidence, right = np.array(raw), np.array(truth, np.float64)
    calibrated = apply(fit(raw[::2], truth[::2]), confidence[1::2])
    before, after = calibration_error(confidence[1::2], right[1::2]), calibration_error(calibrated, right[1::2])
    print(f"expected calibration error {before:.4f} raw, {after:.4f} calibrated, on {len(calibrated)} lines")
    sure = calibrated >= 0.98
    if sure.any():
        print(f"of {sure.mean():.1%} of lines with confidence >= 0.98, {right[1::2][sure].mean():.2%} are right")
    curve = fit(raw, truth)
    print(key, " ".join(f"{x:g}:{y:g}" for x, y in curve))
    if to:
        picture(confidence[1::2], calibrated, right[1::2], to)
    return curve


if __name__ == "__main__":
    main()
