"""Models changed while a service reads with them: no reading fails, and none is taken for another model's."""

import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from contract import keep_to_the_contract
from fakes import FakeReader, Versioned
from fakes import add_version as add
from live import until

from shizi.cache import Cache, InSqlite, key_of
from shizi.errors import WeightsError
from shizi.options import ReadOptions
from shizi.service.access import Keys
from shizi.service.app import create_app
from shizi.service.engines import Engines
from shizi.service.models import Models
from shizi.service.settings import Settings
from shizi.versions import SHIPPED, Version, Versions

OPTIONS = ReadOptions()
pytestmark = pytest.mark.slow


@pytest.fixture
def engines() -> Iterator[Engines]:
    pool = Engines(partial(Versioned, SHIPPED), count=2, longest_seconds=60)
    yield pool
    pool.close()


@pytest.fixture
def models(engines: Engines, tmp_path: Path) -> Iterator[Models]:
    following = Models(tmp_path / "models", SHIPPED, lambda name: partial(Versioned, name), engines.change)
    yield following
    following.close()


def test_a_change_puts_fresh_engines_in_the_place_of_all_old_ones(engines: Engines) -> None:
    old = set(engines.pids)
    engines.change(partial(Versioned, "new"))
    assert engines.weights == ("fake@new",)
    assert {engines.read(b"a picture", OPTIONS).text for _ in range(8)} == {"new"}
    assert not old & set(engines.pids)
    assert engines.alive == 2


def test_models_that_do_not_load_change_nothing(engines: Engines) -> None:
    old = engines.pids
    with pytest.raises(WeightsError, match="spoilt"):
        engines.change(partial(Versioned, "broken"))
    assert (engines.weights, engines.pids) == (("fake@shipped",), old)


def test_an_engine_that_dies_after_a_change_comes_back_with_the_new_models(engines: Engines) -> None:
    engines.change(partial(Versioned, "new"))
    killed = set(engines.pids)
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    until(lambda: engines.alive == 2 and not killed & set(engines.pids))
    assert engines.read(b"a picture", OPTIONS).text == "new"


def test_no_reading_is_lost_while_models_change(engines: Engines, models: Models) -> None:
    version = add(models.versions, SHIPPED)
    stop, texts = threading.Event(), []

    def press() -> int:
        count = 0
        while not stop.is_set():
            document = engines.read(b"a picture", OPTIONS)
            assert document.weights == (f"fake@{document.text}",)
            texts.append(document.text)
            count += 1
        return count

    with ThreadPoolExecutor(4) as pool:
        pressing = [pool.submit(press) for _ in range(4)]
        for _ in range(2):
            models.promote(version.name)
            assert models.serving == version.name
            models.rollback()
        stop.set()
        assert sum(press.result() for press in pressing) == len(texts)
    assert set(texts) == {SHIPPED, version.name}
    assert engines.alive == 2
    assert engines.read(b"a picture", OPTIONS).text == SHIPPED


def test_what_others_put_in_force_is_followed(engines: Engines, models: Models, tmp_path: Path) -> None:
    elsewhere = Versions(tmp_path / "models")
    version = add(elsewhere, SHIPPED)
    elsewhere.promote(version.name)
    until(lambda: models.serving == version.name)
    assert engines.weights == (f"fake@{version.name}",)
    elsewhere.rollback()
    until(lambda: models.serving == SHIPPED)


def test_a_version_that_does_not_load_is_undone(engines: Engines, tmp_path: Path) -> None:
    models = Models(tmp_path / "models", SHIPPED, lambda name: partial(Versioned, "broken"), engines.change)
    version = add(models.versions, SHIPPED)
    with pytest.raises(WeightsError, match="spoilt"):
        models.promote(version.name)
    assert (models.versions.current, models.serving) == (SHIPPED, SHIPPED)
    Versions(tmp_path / "models").promote(version.name)  # by someone who does not try it
    until(lambda: models.problem != "")
    assert models.serving == SHIPPED
    assert engines.read(b"a picture", OPTIONS).text == SHIPPED
    models.close()


def test_a_reading_by_other_models_is_given_and_not_kept() -> None:
    cache = Cache(InSqlite(":memory:", 1_000_000, 60))
    read = Versioned("new").read
    key = key_of(b"a picture", OPTIONS, ("fake@old",), "1")
    assert cache.read(key, lambda: read(b""), weights=("fake@old",)).document.weights == ("fake@new",)
    assert cache.get(key) is None
    cache.read(key, lambda: read(b""), weights=("fake@new",))
    assert cache.get(key) is not None


# Over HTTP


class _Told:
    """Stands in for `Models`: a folder of versions, and no engines."""

    def __init__(self, folder: Path) -> None:
        self.versions, self.problem = Versions(folder), ""

    @property
    def serving(self) -> str:
        return self.versions.current

    def promote(self, name: str) -> Version:
        return self.versions.promote(name)

    def rollback(self) -> Version:
        return self.versions.rollback()

    def close(self) -> None:
        pass


def test_the_routes(reader: FakeReader, tmp_path: Path) -> None:
    app = create_app(Settings(cache="off"), reader)
    app.after_request(keep_to_the_contract)
    client = app.test_client()
    assert client.get("/ocr/models").status_code == 403
    told = _Told(tmp_path / "models")
    object.__setattr__(app.extensions["shizi"], "models", told)
    version = add(told.versions, SHIPPED)
    answer = client.get("/ocr/models").get_json()
    assert (answer["serving"], answer["current"]) == (SHIPPED, SHIPPED)
    assert [found["name"] for found in answer["versions"]] == [SHIPPED, version.name]
    assert client.post("/ocr/models/promote", json={"version": version.name}).get_json()["current"] == version.name
    for wrong in ({}, {"version": 1}, {"version": "no-such"}, {"version": version.name}, {"name": version.name}, [1]):
        assert client.post("/ocr/models/promote", json=wrong).status_code == 400
    assert client.post("/ocr/models/promote", data="x").status_code == 415
    assert client.post("/ocr/models/promote", json={"version": "x" * 20_000}).status_code == 413
    answer = client.post("/ocr/models/rollback").get_json()
    assert (answer["current"], [entry["how"] for entry in answer["log"]]) == (SHIPPED, ["promote", "rollback"])
    assert client.post("/ocr/models/rollback").status_code == 400


def test_only_admins_may(reader: FakeReader, tmp_path: Path) -> None:
    keys = Keys(tmp_path / "keys")
    key = keys.add("desk", ["read", "jobs", "correct"])
    client = create_app(Settings(keys=str(tmp_path / "keys")), reader).test_client()
    for method, path in (("get", "/ocr/models"), ("post", "/ocr/models/promote"), ("post", "/ocr/models/rollback")):
        assert getattr(client, method)(path).status_code == 401
        assert getattr(client, method)(path, headers={"X-API-Key": key}).status_code == 403
