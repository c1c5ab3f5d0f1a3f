"""The simulator of bench/ gives what can be reckoned by hand."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def simulator() -> ModuleType:
    path = Path(__file__).parents[2] / "bench/simulator.py"
    spec = importlib.util.spec_from_file_location("simulator", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["simulator"] = module  # its dataclasses look themselves up
    spec.loader.exec_module(module)
    return module


FREE = {"driver_page_seconds": 0.0, "storage_latency": 0.0, "storage_bandwidth": 1e18, "storage_requests": 1e18}


@pytest.mark.parametrize("workers", [1, 7])
def test_nothing_in_the_way_is_the_ideal(workers: int, simulator: ModuleType) -> None:
    plan = simulator.Plan(workers, 1000 * workers, [0.5], start_seconds=0.0, **FREE)
    assert simulator.simulate(plan).efficiency == pytest.approx(1, abs=0.01)


def test_the_driver_is_the_most_there_can_be(simulator: ModuleType) -> None:
    slow = {**FREE, "driver_page_seconds": 0.01}
    result = simulator.simulate(simulator.Plan(1000, 20_000, [0.5], start_seconds=0.0, **slow))
    assert result.pages_per_second == pytest.approx(100, rel=0.05)
    assert result.driver_busy > 0.95


def test_so_is_the_storage(simulator: ModuleType) -> None:
    slow = {**FREE, "storage_requests": 50.0}
    result = simulator.simulate(simulator.Plan(1000, 5_000, [0.5], start_seconds=0.0, **slow))
    assert result.pages_per_second == pytest.approx(50, rel=0.05)
    assert result.storage_busy > 0.95


def test_deaths_cost_time_and_lose_nothing(simulator: ModuleType) -> None:
    plan = simulator.Plan(
        40, 20_000, [0.5], worker_death_seconds=60.0, node_death_seconds=400.0, node_workers=10, **FREE
    )
    calm = simulator.simulate(simulator.Plan(40, 20_000, [0.5], **FREE))
    result = simulator.simulate(plan)
    assert 0 < result.read_again < 0.1
    assert result.pages_per_second < calm.pages_per_second
    assert result == simulator.simulate(plan)
