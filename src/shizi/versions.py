"""Versions: the models of one folder, which of them is in force, and which were before.

Takes the folder that SHIZI_MODELS names, gives the file to read with. A version is a folder of its own, put in whole
and never changed; `state.json` names those in force, the last one now, and is replaced in one move, so that every
process sees the old state or the new one. `shipped` is the model in the package, always there. Knows nothing of how
models are made or run.

    state.json                       {"stack": ["shipped", "20261126-101500-1f0c9a2e"], "log": [...]}
    <version>/manifest.json          digests, parent, corrections, figures, whether it may be promoted and why not
    <version>/crnn-int8.onnx         what is read with
    <version>/crnn.onnx              what the next one is fine-tuned from
    <version>/comparison.html        what the version reads better and worse than its parent
"""

import hashlib
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from shizi import weights
from shizi.errors import OptionsError, WeightsError
from shizi.weights import Weights

SHIPPED = "shipped"
READ_WITH, TUNED_FROM, COMPARISON = "crnn-int8.onnx", "crnn.onnx", "comparison.html"
_NAME = re.compile(r"\d{8}-\d{6}-[0-9a-f]{8}")
_MOST_LOGGED = 1000
_LEFT_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True)
class Version:
    """One version: its name, when it was made, what it was tuned from, and what came of the comparison with that.

    `refusals`: why it may not be promoted, none if it may; `figures`: by set of lines, of the parent and of itself;
    `reach`: how far it went from the parent towards what was tuned; `cpu_minutes`: what it all took.
    """

    name: str
    made: str = ""
    parent: str = ""
    digests: Mapping[str, str] = field(default_factory=dict)
    learned: int = 0
    held: int = 0
    figures: Mapping[str, Mapping[str, Mapping[str, float]]] = field(default_factory=dict)
    refusals: tuple[str, ...] = ()
    reach: float = 1.0
    cpu_minutes: float = 0.0


class Versions:
    """The versions of one folder. Several processes, of several machines even, may share it."""

    def __init__(self, folder: Path) -> None:
        """Open or make the folder. Raises OptionsError when it cannot be used."""
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OptionsError(
                f"The folder of models, {folder}, cannot be used ({error.strerror}); see SHIZI_MODELS."
            ) from error

    @property
    def current(self) -> str:
        """The name of the version in force. Raises WeightsError when the state cannot be read."""
        return self.stack[-1]

    @property
    def stack(self) -> Sequence[str]:
        """The versions that were put in force and not gone back from, the last one now."""
        stack: Sequence[str] = self._state()["stack"]
        return stack

    def list(self) -> list[Version]:
        """Give the shipped version and all others, the oldest first."""
        names = sorted(path.name for path in self.folder.iterdir() if _NAME.fullmatch(path.name))
        return [Version(SHIPPED), *(self.get(name) for name in names)]

    def get(self, name: str) -> Version:
        """Give one version. Raises OptionsError when there is none of this name, WeightsError for a spoilt manifest."""
        if name == SHIPPED:
            return Version(SHIPPED)
        path = self.folder / name / "manifest.json"
        if not _NAME.fullmatch(name) or not path.is_file():
            raise OptionsError(f"There is no model {name[:64]!r} here; `shizi models list` shows all.")
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            return Version(name, **{**values, "refusals": tuple(values["refusals"])})
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise WeightsError(f"The manifest of model {name} is spoilt ({error!r}); remove its folder.") from error

    def weights(self, name: str, file: str = READ_WITH) -> Weights:
        """Give a version's model file, its bytes held against the manifest. Raises WeightsError when they differ."""
        if name == SHIPPED:
            return weights.find("crnn" if file == READ_WITH else "crnn-full")
        known = self.get(name).digests
        path = self.folder / name / file
        if not path.is_file() or (found := weights.from_file(path)).digest != known.get(file):
            raise WeightsError(
                f"The file {file} of model {name} is missing or not what was put in; promote another model, or go back "
                "with `shizi models rollback`."
            )
        return found

    def add(self, built: Path, parent: str, **manifest: Any) -> Version:
        """Put a version in whole, or not at all: moves the files of the folder `built`, which lies on the same disk.

        Raises WeightsError when one of its model files is missing.
        """
        missing = [file for file in (READ_WITH, TUNED_FROM) if not (built / file).is_file()]
        if missing:
            raise WeightsError(f"The model has no {missing[0]}; expected {READ_WITH} and {TUNED_FROM}.")
        now = datetime.now(UTC)
        digests = {file: _digest(built / file) for file in (READ_WITH, TUNED_FROM)}
        while (self.folder / (name := f"{now:%Y%m%d-%H%M%S}-{digests[READ_WITH][:8]}")).exists():
            now += timedelta(seconds=1)  # the same model was added in this second
        values = {"made": now.isoformat(timespec="seconds"), "parent": parent, "digests": digests, **manifest}
        _write(built / "manifest.json", json.dumps(values, ensure_ascii=False, indent=1))
        for path in built.iterdir():
            _sync(path)
        _sync(built)
        os.replace(built, self.folder / name)
        _sync(self.folder)
        return self.get(name)

    @contextmanager
    def building(self) -> Iterator[Path]:
        """Give an empty folder on the same disk to build a version in; what is left of it goes afterwards."""
        with self._written():
            for left in self.folder.glob(".building-*"):
                if time.time() - left.stat().st_mtime > _LEFT_SECONDS:  # by a process that was killed
                    shutil.rmtree(left, ignore_errors=True)
            folder = Path(tempfile.mkdtemp(prefix=".building-", dir=self.folder))
            folder.chmod(0o755)
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)

    def promote(self, name: str) -> Version:
        """Put a version in force. Raises OptionsError when it may not be: it lost, or was held against another."""
        version = self.get(name)
        with self._changing() as state:
            self._check(version, state["stack"][-1])
            self.weights(name)
            self._enter(state, [*state["stack"], name], "promote")
        return version

    def rollback(self) -> Version:
        """Put in force what was before. Raises OptionsError when nothing was."""
        with self._changing() as state:
            *before, last = state["stack"]
            if not before:
                raise OptionsError(f"There is nothing to go back to: {last} is the first model in force here.")
            version = self.get(before[-1])
            self.weights(version.name)
            self._enter(state, before, "rollback")
        return version

    def restore(self, stack: Sequence[str]) -> None:
        """Put back what was in force before a change that failed, without asking again whether it may be."""
        with self._changing() as state:
            self._enter(state, list(stack), "restore")

    def log(self) -> Sequence[dict[str, str]]:
        """Give what was put in force and when, the oldest first."""
        return list(self._state()["log"])

    def _check(self, version: Version, current: str) -> None:
        if version.name == current:
            raise OptionsError(f"The model {current} is in force already.")
        if version.name == SHIPPED:
            return
        if version.refusals:
            raise OptionsError(f"The model {version.name} may not be promoted: {' '.join(version.refusals)}")
        if version.parent != current:
            raise OptionsError(
                f"The model {version.name} was compared with {version.parent}, and {current} is in force; run "
                "`shizi improve` again, or put that one in force first."
            )

    def _state(self) -> dict[str, Any]:
        path = self.folder / "state.json"
        try:
            state: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            if not all(isinstance(name, str) for name in state["stack"]) or not state["stack"]:
                raise ValueError("no stack")
            return {"stack": state["stack"], "log": state["log"]}
        except FileNotFoundError:
            return {"stack": [SHIPPED], "log": []}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise WeightsError(
                f"{path} is spoilt ({error!r}); remove it to read with the shipped model, then promote anew."
            ) from error

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Any]]:
        """Hold the state against every other process that would change it."""
        import fcntl  # where there is none (Windows) models are read with, and nothing is promoted

        with self._written(), (self.folder / ".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield self._state()

    @contextmanager
    def _written(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise OptionsError(
                f"The folder of models, {self.folder}, cannot be written ({error.strerror}); nothing was changed."
            ) from error

    def _enter(self, state: Mapping[str, Any], stack: Sequence[str], how: str) -> None:
        entry = {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "how": how,
            "before": state["stack"][-1],
            "to": stack[-1],
        }
        values = {"stack": list(stack), "log": [*state["log"], entry][-_MOST_LOGGED:]}
        partial = self.folder / f".state-{os.getpid()}.json"
        _write(partial, json.dumps(values, indent=1))
        _sync(partial)
        os.replace(partial, self.folder / "state.json")
        _sync(self.folder)


def in_force(folder: Path | None) -> str:
    """Name the version in force in a folder; without one, the shipped."""
    return SHIPPED if folder is None else Versions(folder).current


def weights_of(folder: Path | None, version: str) -> Weights:
    """Give the small recogniser's file of a version. Raises WeightsError when it is not there or was changed."""
    return weights.find("crnn") if folder is None or version == SHIPPED else Versions(folder).weights(version)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(path: Path, text: str) -> None:
    path.write_text(text + "\n", encoding="utf-8")


def _sync(path: Path) -> None:
    """Have the system write a file, or a folder's entries, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
