"""Settings: from the environment, from the command line, refused by name."""

import pytest

from shizi.errors import OptionsError
from shizi.pages import Limits
from shizi.service.settings import Settings, load


def test_defaults() -> None:
    settings = Settings()
    assert (settings.host, settings.port) == ("127.0.0.1", 5000)
    assert settings.limits == Limits(bytes=100_000_000, frames=200), "jobs may be larger than requests"


def test_environment_and_what_goes_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHIZI_PORT", "6001")
    monkeypatch.setenv("SHIZI_MAX_PIXELS", "1000")
    assert load().port == 6001
    assert load(port=7001, host=None).port == 7001
    assert load().limits.pixels == 1000


@pytest.mark.parametrize(
    ("name", "value"),
    [("PORT", "x"), ("PORT", "70000"), ("WORKERS", "0"), ("MAX_BYTES", "0"), ("WAIT_SECONDS", "-1")],
)
def test_refused_by_name(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"SHIZI_{name}", value)
    with pytest.raises(OptionsError, match=rf"SHIZI_{name}\) is '{value}'"):
        load()
