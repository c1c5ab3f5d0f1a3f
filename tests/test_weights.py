"""Which model files are taken on which machine."""

import pytest

from shizi import weights
from shizi.errors import WeightsError
from shizi.weights import PRECISION, find, suitable


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    def made_of(*features: str, precision: str | None = None) -> None:
        monkeypatch.setattr(weights, "cpu_features", lambda: frozenset(features))
        if precision is None:
            monkeypatch.delenv(PRECISION, raising=False)
        else:
            monkeypatch.setenv(PRECISION, precision)

    return made_of


@pytest.mark.parametrize(
    ("features", "expected"),
    [
        (("avx2", "avx512f", "avx512_vnni"), "int8"),
        (("avx2", "avx_vnni"), "int8"),
        (("avx2", "avx512f"), "fp32"),
        (("asimd", "asimddp", "i8mm"), "fp32"),
        ((), "fp32"),
    ],
)
def test_the_processor_chooses(machine, features: tuple[str, ...], expected: str) -> None:  # type: ignore[no-untyped-def]
    machine(*features)
    assert suitable() == expected
    for name in ("detector", "strong"):
        assert find(name).name.endswith("-int8") == (expected == "int8")


def test_the_environment_goes_before_the_processor(machine) -> None:  # type: ignore[no-untyped-def]
    machine("avx512_vnni", precision="fp32")
    assert suitable() == "fp32"
    assert find("strong").label.startswith("PP-OCRv6_rec_small@")
    machine("avx2", precision="int8")
    assert find("strong").label.startswith("PP-OCRv6_rec_small-int8@")
    machine("avx512_vnni", precision="auto")
    assert suitable() == "int8"


def test_an_unknown_precision_is_named(machine) -> None:  # type: ignore[no-untyped-def]
    machine("avx2", precision="int4")
    with pytest.raises(WeightsError, match=r"SHIZI_PRECISION is 'int4'; expected auto, fp32 or int8"):
        find("strong")


def test_only_the_wheels_models_exist_twice(machine) -> None:  # type: ignore[no-untyped-def]
    machine("avx512_vnni")
    assert find("crnn").path == find("crnn", "fp32").path


def test_a_named_precision_is_had_on_any_machine(machine) -> None:  # type: ignore[no-untyped-def]
    machine("avx2")
    assert find("detector", "int8").path != find("detector", "fp32").path
    assert find("detector", "int8").digest != find("detector", "fp32").digest


def test_features_are_this_machines() -> None:
    assert all(" " not in feature for feature in weights.cpu_features())


@pytest.mark.parametrize(("held", "gives_back"), [(weights.KEPT, False), (weights.KEPT + 1, True)])
def test_a_run_gives_memory_back_where_the_process_holds_much(
    monkeypatch: pytest.MonkeyPatch, held: int, gives_back: bool
) -> None:
    class Session:
        def run(self, names: None, inputs: object, options: object) -> list[object]:
            self.options = options
            return [inputs]

    session = Session()
    monkeypatch.setattr(weights, "own_memory", lambda: held)
    assert weights.run(session, {"x": 1}) == [{"x": 1}]  # type: ignore[arg-type]
    assert (session.options is not None) is gives_back
