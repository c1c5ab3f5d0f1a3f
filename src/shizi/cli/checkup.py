"""The check-up of `shizi doctor`: what this machine and this installation have, and what is broken.

Looks at packages, CPU, memory, model files and folders; prints one row each to standard output, what is
broken to standard error as well. Loads no model.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

import shizi
from shizi.errors import ShiziError
from shizi.machine import free_memory

# What onnxruntime's kernels make use of; a CPU without the first two reads several times slower.
_CPU_FEATURES = ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8", "asimd", "asimddp", "i8mm")
_PACKAGES = (
    "onnxruntime",
    "opencv-python-headless",
    "numpy",
    "pillow",
    "pypdfium2",
    "rapidocr",
    "flask",
    "gunicorn",
    "pydantic",
)
_EXTRAS = {
    "docx": "python-docx",
    "fsspec": "fsspec",
    "heic": "pillow-heif",
    "parquet": "pyarrow",
    "ray": "ray",
    "redis": "redis",
    "s3": "s3fs",
    "training": "torch",
}
# Measured peak of one process reading large pages is below this; under it the kernel may end the process.
_LEAST_MEMORY_BYTES = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Finding:
    """One row of the check-up; `error` tells what is broken."""

    name: str
    value: str
    error: ShiziError | None = None
    optional: bool = False


def examine() -> ShiziError | None:
    """Print the check-up and give the first error found, or None."""
    findings = [*_versions(), *_machine(), *_weights(), _in_force(), *_extras(), *_folders()]
    table = Table("check", "found", "", box=None, pad_edge=False)
    for finding in findings:
        table.add_row(finding.name, Text(finding.value, overflow="fold"), _mark(finding))
    Console().print(table)
    errors = [finding.error for finding in findings if finding.error]
    for error in errors:
        Console(stderr=True).print(Text(f"shizi: {error.message}"), soft_wrap=True)
    return errors[0] if errors else None


def _mark(finding: Finding) -> Text:
    if finding.error:
        return Text("broken", "bold red")
    return Text("optional", "dim") if finding.optional else Text("ok", "green")


def _versions() -> Iterator[Finding]:
    yield Finding("shizi", shizi.__version__)
    yield Finding("Python", f"{platform.python_version()} on {platform.platform(terse=True)}")
    for package in _PACKAGES:
        try:
            yield Finding(package, importlib.metadata.version(package))
        except importlib.metadata.PackageNotFoundError:
            missing = ShiziError(f"The package {package} is missing; install it: pip install {package}.")
            yield Finding(package, "missing", missing)


def _machine() -> Iterator[Finding]:
    from shizi.weights import PRECISION, cpu_features, cpu_quota, suitable

    known = [feature for feature in _CPU_FEATURES if feature in cpu_features()]
    yield Finding("CPU", f"{platform.machine()}, {', '.join(known) or 'features unknown'}")
    try:
        chosen = f"by {PRECISION}" if os.environ.get(PRECISION, "auto") != "auto" else "by the CPU's features"
        yield Finding("precision", f"{suitable()}, {chosen}")
    except ShiziError as unusable:
        yield Finding("precision", "unusable", unusable)
    yield Finding("cores", f"{os.cpu_count()} in the machine, {cpu_quota()} for this process")
    memory = free_memory()
    if memory is None:
        yield Finding("memory", "unknown")
        return
    error = None
    if memory < _LEAST_MEMORY_BYTES:
        error = ShiziError(f"{memory / 1e9:.1f} GB of memory are free; expected 1 GB: free some or raise the limit.")
    yield Finding("memory", f"{memory / 1e9:.1f} GB free for this process", error)


def _weights() -> Iterator[Finding]:
    from shizi.weights import NAMES, find

    for name in NAMES:
        try:
            weights = find(name)
        except ShiziError as error:
            yield Finding(f"weights {name}", "missing", error)
        else:
            size = weights.path.stat().st_size / 1e6
            yield Finding(f"weights {name}", f"{weights.label}, {size:.1f} MB, {weights.path}")


def _in_force() -> Finding:
    """Look at the version of the small recogniser that a service, `read` and `batch` would read with now."""
    from shizi.versions import SHIPPED, Versions

    name, folder = "model in force", os.environ.get("SHIZI_MODELS", "")
    if not folder:
        return Finding(name, f"{SHIPPED}; SHIZI_MODELS names no folder of others")
    if not Path(folder).is_dir():
        return Finding(name, f"{SHIPPED}; the folder that SHIZI_MODELS names, {folder}, is not there yet")
    try:
        versions = Versions(Path(folder))
        current = versions.current
        label = versions.weights(current).label
    except ShiziError as error:
        return Finding(name, "unusable", error)
    return Finding(name, f"{current}, {label}, in {folder}")


def _extras() -> Iterator[Finding]:
    for extra, package in _EXTRAS.items():
        try:
            yield Finding(f"extra {extra}", f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            yield Finding(f"extra {extra}", f"not installed: pip install 'shizi[{extra}]'", optional=True)


def _folders() -> Iterator[Finding]:
    yield _writable("temporary folder", tempfile.gettempdir, "set TMPDIR to one that is")
    if Path("/dev/shm").is_dir():
        yield _writable("shared memory", lambda: "/dev/shm", "give the container one (--shm-size)")


def _writable(name: str, folder: Callable[[], str], remedy: str) -> Finding:
    try:
        place = folder()
        with tempfile.TemporaryFile(dir=place):
            return Finding(name, f"{place}, writable")
    except OSError as error:
        return Finding(name, "not writable", ShiziError(f"The {name} is not writable ({error.strerror}); {remedy}."))
