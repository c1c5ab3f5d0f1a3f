"""The short versions of bench/load.py, faults.py and mutants.py, on the fake reader; the long ones are run by hand."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import live
import pytest
from redis_server import RedisServer

BENCH = Path(__file__).parents[2] / "bench"
pytestmark = pytest.mark.slow


def room(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, BENCH / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def command(folder: Path) -> list[str]:
    return [sys.executable, live.__file__, str(folder)]


def test_many_clients(tmp_path: Path) -> None:
    load = room("load")
    service = load.Service(command(tmp_path), SHIZI_CACHE="off", SHIZI_QUEUE="2", SHIZI_WORKERS="2")
    tally, memory, _ = load.press(service, load.pictures(None), clients=8, seconds=2)
    assert service.stop() == 0
    assert not tally.bad, tally
    assert tally.statuses[200] > 10
    assert min(memory) > 20


@pytest.mark.parametrize("store", ["disk", "redis"])
def test_faults(store: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    room("load")
    faults = room("faults")
    chosen = [
        ("engine killed", faults.kill_an_engine),
        ("slow connections", faults.be_slow(100)),
        ("half bodies", faults.send_half),
        ("worker killed", faults.kill_the_worker),
    ]
    where = str(tmp_path / "jobs")
    if store == "redis":
        server: RedisServer = request.getfixturevalue("redis_server")
        chosen.append(("redis killed", faults.restart(server)))
        where = server.url
    with faults.jumping() as (clock, environment):
        chosen.append(("clock set", faults.jump(clock)))
        result = faults.run(command(tmp_path), 1, 3, chosen, where, environment)
    assert result["passed"], result


def test_spoilt_bodies(tmp_path: Path) -> None:
    room("load")
    mutants = room("mutants")
    result = mutants.run(command(tmp_path), count=200, seed=7, clients=2, workers=1, keep=None)
    assert result["passed"], result
    assert sum(result["answers"].values()) > 300
    assert {answer[:3] for answer in result["answers"]} >= {"200", "400"}


def test_a_mutant_is_the_same_wherever_it_is_made() -> None:
    room("load")
    mutants = room("mutants")
    files = [b"a file", b"another one"]
    made = [mutants.mutant(number, 1, files) for number in range(50)]
    assert made == [mutants.mutant(number, 1, files) for number in range(50)]
    assert made != [mutants.mutant(number, 2, files) for number in range(50)]
    assert len({sent.body for sent in made}) > 40
