"""Weights: the model files by name, and the runtime sessions made of them.

Takes a name (`detector`, `strong`, `crnn`), gives a `Weights` (where the file lies, its digest) and onnxruntime
sessions. The files of PP-OCRv6 lie in the `rapidocr` wheel, which is located but never imported; made into 8 bits, in
this package: which of the two is taken the processor decides (docs/decisions/007). Knows nothing of what the models
compute.
"""

import hashlib
import importlib.util
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from shizi.errors import WeightsError
from shizi.machine import KEPT, own_memory

if TYPE_CHECKING:
    import onnxruntime

# What PP-OCR's files do not say of themselves: their lines are BGR, 48 high, scaled to -1..1
# (PaddleOCR, configs/rec/PP-OCRv6; the same in the wheel's ch_ppocr_rec).
_STRONG_LINES = {"height": "48", "channels": "3", "mean": "127.5", "std": "127.5", "order": "BGR"}
# Fitted by `python -m shizi.training.calibrate strong` on 450 lines of PDFs and drawn ones: raw chance of a line to the
# share of lines with it that were right. Calibration error on real pages: 3.5% before, 2.3% after; 2.0% in 8 bits.
_STRONG_CALIBRATION = (
    "0:0 0.00798:0.125 0.45335:0.7765 0.68056:0.9101 0.84757:0.9453 0.94656:0.9618 0.97742:0.9829 0.99006:0.9921 "
    "0.99559:0.9965 1:0.9971"
)

_WHEEL_FILES = {
    "detector": ("PP-OCRv6_det_small", {}),
    "strong": ("PP-OCRv6_rec_small", {**_STRONG_LINES, "calibration": _STRONG_CALIBRATION}),
}
# The same in 8 bits, made by `python -m shizi.training.quantise_ppocr`.
_INT8_FILES = {"detector": "PP-OCRv6_det_small-int8.onnx", "strong": "PP-OCRv6_rec_small-int8.onnx"}
# Our own, in the package. Absent from a tree in which none was trained yet.
_OWN_FILES = {"crnn": "crnn-int8.onnx", "crnn-full": "crnn.onnx"}
NAMES = (*_WHEEL_FILES, *_OWN_FILES)

Precision = Literal["fp32", "int8"]
PRECISION = "SHIZI_PRECISION"  # the environment variable that may force one
_CHOICES: dict[str, Precision | None] = {"auto": None, "fp32": "fp32", "int8": "int8"}
# Multiplies bytes and sums them in 32 bits. Without it 8 bits are no faster on x86, and sums overflow; ARM's own
# (asimddp, i8mm) are left out until someone has measured them.
VNNI = frozenset(("avx512_vnni", "avx_vnni"))


@dataclass(frozen=True, slots=True)
class Weights:
    """One model file: its name, its place, the SHA-256 of its bytes, and metadata the file itself lacks."""

    name: str
    path: Path
    digest: str
    metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The name with the first eight digits of the digest, as results carry it."""
        return f"{self.name}@{self.digest[:8]}"


def find(name: str, precision: Precision | None = None) -> Weights:
    """Locate the weights called `name` (one of `NAMES`), of the detector and the strong model in `precision`.

    None: the one that suits this machine (see `suitable`). Raises WeightsError when the file is not there.
    """
    return _found(name, precision or suitable() if name in _INT8_FILES else "fp32")


@cache
def _found(name: str, precision: Precision) -> Weights:
    if name in _OWN_FILES:
        return from_file(_own_models() / _OWN_FILES[name])
    file_name, metadata = _WHEEL_FILES[name]
    if precision == "int8":
        return from_file(_own_models() / _INT8_FILES[name], metadata)
    return from_file(_wheel_models() / f"{file_name}.onnx", metadata)


def suitable() -> Precision:
    """Say which files suit this machine: int8 where the processor has VNNI, else fp32, unless `PRECISION` names one.

    Raises WeightsError for any other value of `PRECISION`.
    """
    chosen = os.environ.get(PRECISION, "auto")
    try:
        return _CHOICES[chosen] or ("int8" if VNNI & cpu_features() else "fp32")
    except KeyError:
        raise WeightsError(f"{PRECISION} is {chosen[:40]!r}; expected auto, fp32 or int8.") from None


@cache
def cpu_features() -> frozenset[str]:
    """Give what the processor can do, as Linux names it; nothing where that cannot be read."""
    try:
        rows = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return frozenset()
    return frozenset(next((row.split(":", 1)[1].split() for row in rows if row.startswith(("flags", "Features"))), []))


def has(name: str) -> bool:
    """Say whether the weights called `name` came with this package."""
    return name not in _OWN_FILES or (_own_models() / _OWN_FILES[name]).is_file()


def from_file(path: Path, metadata: Mapping[str, str] | None = None) -> Weights:
    """Take any ONNX file as weights. Raises WeightsError when it cannot be read."""
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise WeightsError(
            f"The model file {path.name} cannot be read in {path.parent} ({error.strerror}); "
            "expected it from the installed packages: reinstall with `pip install --force-reinstall rapidocr shizi`."
        ) from error
    return Weights(path.stem, path, digest, metadata or {})


def _own_models() -> Path:
    return Path(__file__).parent / "models"


def _wheel_models() -> Path:
    spec = importlib.util.find_spec("rapidocr")  # finds the folder without running the package
    if spec is None or not spec.submodule_search_locations:
        raise WeightsError("The package `rapidocr`, which carries PP-OCRv6, is not installed: `pip install rapidocr`.")
    return Path(spec.submodule_search_locations[0]) / "models"


def _runtime() -> Any:
    """Import onnxruntime, told to be silent.

    From 1.32 on its Linux builds keep an identifier under ~/.cache and send events to their maker as soon as they are
    imported; nothing of that may happen in a network that lets no picture out (docs/decisions/058).
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    return onnxruntime


def open_session(weights: Weights, threads: int) -> "onnxruntime.InferenceSession":
    """Load `weights` into onnxruntime with `threads` CPU threads. Raises WeightsError for an unusable file.

    Threads are named rather than left to the runtime, which would otherwise pin them to cores a container may not
    own (RapidOCR issue 144), and do not spin: idle workers must leave the cores to their neighbours.
    """
    onnxruntime = _runtime()
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = threads
    settings.inter_op_num_threads = 1
    settings.enable_mem_pattern = False  # a plan for each new shape: memory would grow with the shapes seen
    settings.log_severity_level = 3
    settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(weights.path, settings, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises a dozen classes without a shared one of its own
        raise WeightsError(
            f"The model file {weights.path} cannot be loaded ({str(error)[:200]}); expected a whole ONNX file that "
            f"onnxruntime {onnxruntime.__version__} reads."
        ) from error


@cache
def _shrinking() -> "onnxruntime.RunOptions":
    options: onnxruntime.RunOptions = _runtime().RunOptions()
    options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    options.log_severity_level = 4  # an error is raised; its row on standard error would say it twice
    return options


def run(session: "onnxruntime.InferenceSession", inputs: Mapping[str, object]) -> Sequence[Any]:
    """Run a session once and, where the process holds much memory, give back to the system what the run took.

    The runtime's arena packs a run's tensors tighter than plain allocation does (the detector at 736 x 1088: 196 MB
    against 350); emptied only then, it spares most runs the page faults of filling it anew (docs/decisions/006).
    """
    outputs: Sequence[Any] = session.run(None, inputs, _shrinking() if own_memory() > KEPT else None)
    return outputs


def cpu_quota() -> int:
    """Count the cores this process may use: scheduler affinity, cut by the cgroup's quota; at least 1."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    return max(1, min(cores, round(_cgroup_cores(Path("/sys/fs/cgroup")) or cores)))


def _cgroup_cores(root: Path) -> float | None:
    """Read the CPU quota in cores: cgroup v2 `cpu.max`, else v1 `cpu.cfs_*`; None without a limit."""
    try:
        quota, period = (root / "cpu.max").read_text().split()
        return None if quota == "max" else int(quota) / int(period)
    except (OSError, ValueError):
        pass
    try:
        quota_us = int((root / "cpu/cpu.cfs_quota_us").read_text())
        return quota_us / int((root / "cpu/cpu.cfs_period_us").read_text()) if quota_us > 0 else None
    except (OSError, ValueError):
        return None
