"""Time one line through each recogniser in the same run: milliseconds, sizes, times faster than the strong.

A line 32 px high and 320 wide for the CRNN is the same line 48 x 480 for the strong model; that one is also timed at
48 x 320, the width its authors quote. The pixels are a drawn line of digits, not noise: the CRNN's last layer runs only
where characters stand.

    python bench/lines.py [--threads 2] [--rounds 60] [--spin] [--json FILE]

shizi lets a thread sleep as soon as it has nothing to do, so that idle workers leave the cores to others; to wake it
for each layer costs a small network more than a large one. With `--spin` threads wait busily, as onnxruntime's own do.
"""

import argparse
import json
import platform
import statistics
import time
from importlib import resources
from pathlib import Path

import cv2
import numpy as np
import onnxruntime

from shizi import weights
from shizi.line_image import LineFormat, to_tensor

MODELS = Path(str(resources.files("shizi") / "models"))
STRONG = LineFormat(height=48, channels=3)
WARMING, COUNTED = 4, 10  # runs of a turn


def strip() -> np.ndarray:
    """Draw a line of digits, H W 3, ten times as wide as high."""
    pixels = np.full((48, 480, 3), 255, np.uint8)
    cv2.putText(pixels, "2026-11-22 No.4711 OK", (10, 35), cv2.FONT_HERSHEY_SIMPLEX, 1.15, (0, 0, 0), 2)
    return pixels


def cases() -> dict[str, tuple[weights.Weights, np.ndarray]]:
    """Give each case's weights and input tensor N C H W."""
    small = to_tensor(strip(), LineFormat(height=32, channels=1))[None]
    large = to_tensor(strip(), STRONG)[None]
    strong, strong8 = (weights.find("strong", precision) for precision in ("fp32", "int8"))
    return {
        "crnn fp32": (weights.from_file(MODELS / "crnn.onnx"), small),
        "crnn int8": (weights.from_file(MODELS / "crnn-int8.onnx"), small),
        "strong 48x480": (strong, large),
        "strong 48x320": (strong, large[:, :, :, :320].copy()),
        "strong int8 48x480": (strong8, large),  # meant for processors with VNNI
    }


def opened(found: weights.Weights, threads: int, spin: bool) -> onnxruntime.InferenceSession:
    """Open a session as shizi does, or as onnxruntime does by itself."""
    if not spin:
        return weights.open_session(found, threads)
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = threads
    settings.log_severity_level = 3
    return onnxruntime.InferenceSession(found.path, settings, providers=["CPUExecutionProvider"])


def measure(threads: int, rounds: int, spin: bool = False) -> dict[str, dict[str, float]]:
    """Time every case in turns, so that other work on the machine falls on all alike: median and least ms.

    A turn is a session of its own, and a few runs, of which the first do not count: threads of another session may wait
    busily on the same cores.
    """
    times: dict[str, list[float]] = {name: [] for name in cases()}
    for _ in range(-(-rounds // COUNTED)):
        for name, (found, tensor) in cases().items():
            session = opened(found, threads, spin)
            for place in range(WARMING + COUNTED):
                start = time.perf_counter()
                session.run(None, {session.get_inputs()[0].name: tensor})
                if place >= WARMING:
                    times[name].append(1000 * (time.perf_counter() - start))
            del session
    reference = statistics.median(times["strong 48x480"])
    return {
        name: {
            "ms": round(statistics.median(taken), 2),
            "least_ms": round(min(taken), 2),
            "times_faster": round(reference / statistics.median(taken), 1),
            "megabytes": round(cases()[name][0].path.stat().st_size / 1e6, 2),
        }
        for name, taken in times.items()
    }


def main() -> None:
    """Print one row a case; write them as JSON when asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--spin", action="store_true", help="threads wait busily")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    rows = measure(arguments.threads, arguments.rounds, arguments.spin)
    for name, row in rows.items():
        print(f"{name:20}" + "".join(f"{key} {value:<9}" for key, value in row.items()))
    if arguments.json:
        told = {
            "machine": platform.processor() or platform.machine(),
            "threads": arguments.threads,
            "spin": arguments.spin,
            "lines": rows,
        }
        arguments.json.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
