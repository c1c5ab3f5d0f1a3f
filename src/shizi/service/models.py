"""Models: which version the service reads with, changed while it runs: `/ocr/models`, and by whoever else promotes.

Follows the folder that SHIZI_MODELS names: what the command line or another service of the same folder puts in force
is read with a second later. Engines are changed one by one, so no request waits for it or fails by it. Knows nothing of
how models are made.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from flask import Blueprint, g, jsonify, request
from flask.typing import ResponseReturnValue

from shizi.errors import AccessError, OptionsError, ShiziError
from shizi.service import bodies
from shizi.service.answers import ModelsAnswer
from shizi.service.api import service
from shizi.service.child import Load
from shizi.service.contract import describes
from shizi.service.schemas import promotion_bodies
from shizi.versions import Version, Versions

log = logging.getLogger(__name__)

models = Blueprint("models", __name__, url_prefix="/ocr")

_LOOK_SECONDS = 1.0
_RETRY_SECONDS = 60.0
_MOST_BODY_BYTES = 10_000
_REFUSALS = (400, 401, 403, 429, 500, 503)


class Models:
    """The versions of one folder, and the engines that read with one of them."""

    def __init__(
        self, folder: Path, serving: str, load_for: Callable[[str], Load], change: Callable[[Load], None]
    ) -> None:
        """Follow `folder` with engines that read with `serving`; `change` has them read with another load."""
        self.versions = Versions(folder)
        self.serving = serving
        self.problem = ""
        self._failed, self._retry_at = "", 0.0
        self._load_for, self._change = load_for, change
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._look_after, daemon=True, name="models")
        self._thread.start()

    def promote(self, name: str) -> None:
        """Put a version in force and read with it. Raises OptionsError when it may not be, WeightsError when it fails.

        After either the models are those from before.
        """
        with self._lock:
            before = self.versions.stack
            self.versions.promote(name)
            self._follow_or_restore(before)

    def rollback(self) -> None:
        """Read with the version from before. Raises as `promote` does."""
        with self._lock:
            before = self.versions.stack
            self.versions.rollback()
            self._follow_or_restore(before)

    def _follow_or_restore(self, before: Sequence[str]) -> None:
        try:
            self._follow(self.versions.current)
        except (ShiziError, OSError):
            self.versions.restore(before)
            raise

    def follow(self) -> None:
        """Read with what is in force, if it is another version; what fails to load is tried again a minute later."""
        with self._lock:
            try:
                wanted = self.versions.current
                if wanted == self.serving:
                    self._failed = self.problem = ""
                elif wanted != self._failed or time.monotonic() > self._retry_at:
                    self._failed, self._retry_at = wanted, time.monotonic() + _RETRY_SECONDS
                    self._follow(wanted)
            except (ShiziError, OSError) as error:
                if self.problem != str(error):
                    log.error("the models were not changed: %s", error)
                self.problem = str(error)

    def _follow(self, wanted: str) -> None:
        self.versions.weights(wanted)
        self._change(self._load_for(wanted))
        self.serving, self.problem = wanted, ""
        log.info("models changed", extra={"row": {"version": wanted}})

    def _look_after(self) -> None:
        while not self._closing.wait(_LOOK_SECONDS):
            self.follow()

    def close(self) -> None:
        """Follow no more. A change that is being made ends with the engines."""
        self._closing.set()


def _models() -> Models:
    found = service().models
    if found is None:
        raise AccessError("This service reads with the shipped models; its operator can set SHIZI_MODELS.")
    return found


@models.get("/models")
@describes(ModelsAnswer, refusals=_REFUSALS)
def list_models() -> ResponseReturnValue:
    """List the versions: which is read with, which is in force, which may be promoted."""
    return _answer(_models())


@models.post("/models/promote")
@describes(ModelsAnswer, refusals=(*_REFUSALS, 413, 415), bodies=promotion_bodies)
def promote_model() -> ResponseReturnValue:
    """Read with a version that lost nothing, from now on; answers when the first process does."""
    here = _models()
    service().gate.check_open()
    here.promote(_named())
    return _answer(here)


@models.post("/models/rollback")
@describes(ModelsAnswer, refusals=_REFUSALS)
def roll_back_model() -> ResponseReturnValue:
    """Read with the version from before, from now on."""
    here = _models()
    service().gate.check_open()
    here.rollback()
    return _answer(here)


def _named() -> str:
    values = bodies.json_object(request, _MOST_BODY_BYTES)
    strange = sorted(set(values) - {"version"})
    if strange:
        raise OptionsError(f"The key {strange[0][:40]!r} is not known; expected 'version' alone.")
    name = values.get("version")
    if not isinstance(name, str):
        raise OptionsError("The key 'version' is missing or no string; expected a name that GET /ocr/models lists.")
    return name


def _answer(here: Models) -> ResponseReturnValue:
    current = here.versions.current
    versions = [_told(version, current) for version in here.versions.list()]
    return jsonify(
        success=True, serving=here.serving, current=current, problem=here.problem, versions=versions,
        log=here.versions.log(), request_id=g.request_id,
    )  # fmt: skip


def _told(version: Version, current: str) -> dict[str, object]:
    return {
        "name": version.name,
        "current": version.name == current,
        "made": version.made,
        "parent": version.parent,
        "learned": version.learned,
        "held": version.held,
        "figures": version.figures,
        "refusals": list(version.refusals),
    }
