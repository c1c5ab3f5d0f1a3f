"""`shizi bench`: ways of sharing out cores, and the real thing once."""

import json
from pathlib import Path

import pytest

from shizi.cli import benching
from shizi.cli.benching import Way
from shizi.errors import InputError
from shizi.options import ReadOptions


def test_the_cores_are_shared_out_by_halves() -> None:
    assert [(way.workers, way.threads) for way in benching.ways_of(1)] == [(1, 1)]
    assert [(way.workers, way.threads) for way in benching.ways_of(6)] == [(1, 6), (2, 3), (4, 1), (6, 1)]


def test_the_fewest_workers_win_among_equals() -> None:
    ways = [Way(1, 4, 9.4), Way(2, 2, 9.7), Way(4, 1, 10.0)]
    assert benching.best_of(ways).workers == 2


def test_the_drawn_pages_differ_in_size() -> None:
    assert len({len(picture) for picture in benching.drawn()}) == 3


@pytest.mark.slow
def test_it_measures_and_advises(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    small = benching.drawn()[2:]
    monkeypatch.setattr(benching, "drawn", lambda: small)
    monkeypatch.setattr("shizi.weights.cpu_quota", lambda: 1)
    benching.bench([], {"mode": "fast"}, 0.1, as_json=True)
    *_, advice, row = capsys.readouterr().out.splitlines()
    report = json.loads(row)
    assert advice == "SHIZI_WORKERS=1 SHIZI_THREADS=1"
    assert report["best"] == report["ways"][0]
    assert report["best"]["pages_per_second"] == pytest.approx(1000 / report["best"]["ms_median"], rel=0.5)
    assert report["best"]["memory_mb"] > 50


def test_a_missing_picture_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.png"):
        benching.bench([str(tmp_path / "gone.png")], {}, 0.1, as_json=False)


@pytest.mark.slow
def test_an_unreadable_picture_ends_the_measuring(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        benching.measure(Way(1, 1), [b"no picture"], ReadOptions(mode="fast"), 0.1)
