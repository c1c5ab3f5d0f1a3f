"""Keys: who is let in where, how often, what is kept of a key, and that changes hold at once."""

import hmac
import sqlite3
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fakes import FakeReader
from flask.testing import FlaskClient

from shizi.cli import keys as command
from shizi.errors import KeyRefused, OptionsError, QuotaSpent
from shizi.service import access
from shizi.service.access import Keys
from shizi.service.app import create_app
from shizi.service.server import open_to_all
from shizi.service.settings import Settings

NOON = 1_800_000_000 // 86_400 * 86_400 + 43_200.0


class Clock:
    """A clock that moves when told."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(tmp_path: Path, clock: Clock) -> Iterator[Keys]:
    keys = Keys(tmp_path / "keys.sqlite", clock)
    yield keys
    keys.close()


@pytest.fixture
def client(tmp_path: Path, keys: Keys, reader: FakeReader) -> FlaskClient:
    """A service that needs keys."""
    settings = Settings(keys=str(tmp_path / "keys.sqlite"), max_bytes=100_000)
    return create_app(settings, reader).test_client()  # type: ignore[arg-type]


def predict(client: FlaskClient, png: bytes, **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post("/ocr/predict", data=png, content_type="image/png", headers=named)


def test_only_a_known_key_is_let_in(client: FlaskClient, keys: Keys, png: bytes, reader: FakeReader) -> None:
    key = keys.add("desk")
    other = key[:-1] + ("A" if key[-1] != "A" else "B")
    for headers, status, code in (
        ({}, 401, "key_missing"),
        ({"Authorization": "Basic eDp5"}, 401, "key_missing"),
        ({"X_API_Key": ""}, 401, "key_missing"),
        ({"X_API_Key": "x"}, 403, "key_refused"),
        ({"X_API_Key": other}, 403, "key_refused"),
        ({"Authorization": f"Bearer {other}"}, 403, "key_refused"),
        ({"Authorization": "Bearer \u8bc6".encode().decode("latin-1")}, 403, "key_refused"),
    ):
        response = predict(client, png, **headers)
        assert (response.status_code, response.get_json()["code"]) == (status, code), headers
    assert reader.asked == [], "who is refused costs no reading"
    for headers in ({"Authorization": f"Bearer {key}"}, {"Authorization": f"bearer  {key}"}, {"X_API_Key": key}):
        assert predict(client, png, **headers).status_code == 200


def test_keys_made_and_revoked_hold_at_once(client: FlaskClient, keys: Keys, png: bytes) -> None:
    key = keys.add("desk")
    assert predict(client, png, X_API_Key=key).status_code == 200
    keys.revoke("desk")
    assert predict(client, png, X_API_Key=key).status_code == 403
    assert predict(client, png, X_API_Key=keys.add("desk")).status_code == 200


def test_scopes(client: FlaskClient, keys: Keys, png: bytes) -> None:
    reading, watching = keys.add("desk", ["read"]), keys.add("prometheus", ["admin"])
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"X-API-Key": reading}).status_code == 403
    assert client.get("/metrics", headers={"X-API-Key": watching}).status_code == 200
    refused = predict(client, png, X_API_Key=watching)
    assert (refused.status_code, refused.get_json()["code"]) == (403, "access")


def test_what_needs_no_key(client: FlaskClient) -> None:
    for path in (
        "/ocr/health",
        "/ocr/ready",
        "/ocr/webui",
        "/ocr/docs",
        "/ocr/openapi.json",
        "/ocr/static/icon.svg",
        "/ocr/assets/0/webui/main.js",
        "/ocr/webui/status",
    ):
        response = client.get(path)
        assert response.status_code == 200, path
        response.close()


def test_every_other_route_needs_one(client: FlaskClient) -> None:
    """A route added later is closed until someone opens it."""
    open_paths = ("/ocr/health", "/ocr/ready", "/ocr/webui", "/ocr/docs", "/ocr/openapi.json", "/ocr/", "/")
    open_paths += ("/ocr/webui/status", "/ocr/assets/<version>/<path:name>")
    open_paths += ("/compat/umi/api/doc/get_options", "/compat/umi/api/doc/download/<token>/<name>")
    open_paths += ("/compat/umi/api/ocr/get_options", "/compat/paddlex/health", "/compat/rapidocr/")
    for rule in client.application.url_map.iter_rules():
        if rule.rule in open_paths or rule.endpoint == "static":
            continue
        [method, *_] = sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
        if (rule.rule, method) == ("/ocr/corrections", "GET"):  # it only tells whether any are taken
            continue
        path = rule.rule.replace("<any(general_basic,general,accurate_basic,accurate):kind>", "general")
        response = client.open(path.replace("<path:rest>", "x").replace("<id>", "x"), method=method)
        if "/compat/" not in path:
            assert response.status_code == 401, path
        elif "oauth" in path:
            assert response.status_code in (400, 401)
        else:
            values = response.get_json()
            refused = response.status_code == 401 or values.get("code") == 920 or values.get("error_code") in (110, 3)
            assert refused, (path, values)


def test_the_file_holds_no_key(keys: Keys, tmp_path: Path) -> None:
    secret = keys.add("desk").split("_", 2)[2]  # a secret may hold the mark as well
    files = list(tmp_path.iterdir())
    assert all(secret.encode() not in path.read_bytes() for path in files)
    assert stat.S_IMODE((tmp_path / "keys.sqlite").stat().st_mode) == 0o600


def test_comparing_takes_constant_time(keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both a known id and an unknown one are compared, as wholes, by `compare_digest`."""
    compared: list[tuple[bytes, bytes]] = []
    real = hmac.compare_digest

    def noted(left: bytes, right: bytes) -> bool:
        compared.append((left, right))
        return real(left, right)

    monkeypatch.setattr(access.hmac, "compare_digest", noted)
    key = keys.add("desk")
    for given in (key, key[:-1] + "x", "shizi_00000000_" + "x" * 43, "x", ""):
        if given == key:
            assert keys.find(given).name == "desk"
        else:
            with pytest.raises(KeyRefused):
                keys.find(given)
    assert [(len(left), len(right)) for left, right in compared] == [(32, 32)] * 5


def test_rate(keys: Keys, clock: Clock) -> None:
    keys.add("desk", rate=6)
    [key] = keys.list()
    for _ in range(6):
        keys.spend(key)
    with pytest.raises(QuotaSpent, match="6 times a minute") as refused:
        keys.spend(key)
    assert 9 <= refused.value.retry_seconds <= 11
    clock.now += refused.value.retry_seconds
    keys.spend(key)
    with pytest.raises(QuotaSpent):
        keys.spend(key)
    clock.now += 1000
    for _ in range(6):
        keys.spend(key)


def test_a_clock_set_back_locks_no_one_out(keys: Keys, clock: Clock) -> None:
    keys.add("desk", rate=1)
    [key] = keys.list()
    keys.spend(key)
    clock.now -= 100_000
    keys.spend(key)


def test_quota_ends_with_the_day(keys: Keys, clock: Clock) -> None:
    keys.add("desk", quota=2)
    [key] = keys.list()
    keys.spend(key)
    keys.spend(key)
    with pytest.raises(QuotaSpent, match="2 requests of today") as refused:
        keys.spend(key)
    assert refused.value.retry_seconds == 43_200
    assert keys.list()[0].used == 2, "a refused request is not counted"
    clock.now += 43_200
    assert keys.list()[0].used == 0
    keys.spend(key)


def test_quota_over_http(client: FlaskClient, keys: Keys, png: bytes) -> None:
    key = keys.add("desk", quota=1)
    assert predict(client, png, X_API_Key=key).status_code == 200
    refused = predict(client, png, X_API_Key=key)
    assert (refused.status_code, refused.get_json()["code"]) == (429, "quota_spent")
    assert int(refused.headers["Retry-After"]) >= 1


def test_counting_from_many_threads_and_files_loses_nothing(keys: Keys, tmp_path: Path, clock: Clock) -> None:
    keys.add("desk", quota=100)
    [key] = keys.list()
    other = Keys(tmp_path / "keys.sqlite", clock)

    def spend(number: int) -> bool:
        try:
            (keys if number % 2 else other).spend(key)
        except QuotaSpent:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        spent = list(pool.map(spend, range(150)))
    other.close()
    assert sum(spent) == 100


@pytest.mark.parametrize(
    ("name", "rest"),
    [("", {}), ("a b", {}), ("x" * 65, {}), ("a", {"scopes": ["all"]}), ("a", {"scopes": []}), ("a", {"rate": -1})],
)
def test_what_cannot_be_a_key(name: str, rest: dict[str, Any], keys: Keys) -> None:
    with pytest.raises(OptionsError):
        keys.add(name, **rest)
    assert keys.list() == []


def test_names_are_taken_once(keys: Keys) -> None:
    keys.add("desk")
    with pytest.raises(OptionsError, match="exists"):
        keys.add("desk")
    with pytest.raises(OptionsError, match="no key named"):
        keys.revoke("attic")


def test_a_file_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("this is no database, but a text of some length" * 100)
    for path in (tmp_path / "text", tmp_path / "nowhere" / "keys", tmp_path):
        with pytest.raises(OptionsError, match="SHIZI_KEYS"):
            Keys(path)


def test_baidus_tokens(client: FlaskClient, keys: Keys, clock: Clock, image: str) -> None:
    key = keys.add("desk")
    asked = {"grant_type": "client_credentials", "client_id": "desk", "client_secret": key}
    address = "/compat/baidu/oauth/2.0/token"
    for wrong in ({"client_secret": "x"}, {"client_id": "attic"}):
        refused = client.post(address, query_string={**asked, **wrong})
        assert (refused.status_code, refused.get_json()["error"]) == (401, "invalid_client")
    token = client.post(address, query_string=asked).get_json()["access_token"]

    def code(token: str) -> int | None:
        path = f"/compat/baidu/rest/2.0/ocr/v1/general_basic?access_token={token}"
        found: int | None = client.post(path, data={"image": image}).get_json().get("error_code")
        return found

    assert code(token) is None
    assert code(token[:-20] + "x" * 20) == 110
    assert code("") == 110
    keys.revoke("desk")
    assert code(token) == 110, "a revoked key ends its tokens"


def test_tokens_end(keys: Keys, clock: Clock) -> None:
    keys.add("desk")
    [key] = keys.list()
    token = keys.issue_token(key)
    clock.now += access.TOKEN_SECONDS - 1
    assert keys.find_token(token) == key
    clock.now += 2
    with pytest.raises(KeyRefused):
        keys.find_token(token)


def test_baidu_tells_a_spent_day_from_a_spent_minute(client: FlaskClient, keys: Keys, image: str) -> None:
    path = "/compat/baidu/rest/2.0/ocr/v1/general_basic"
    for name, limits, code in (
        ("day", {"quota": 1}, 17),
        ("minute", {"rate": 1}, 18),
        ("scope", {"scopes": ["jobs"]}, 6),
    ):
        headers = {"X-API-Key": keys.add(name, **limits)}  # type: ignore[arg-type]
        client.post(path, data={"image": image}, headers=headers)
        assert client.post(path, data={"image": image}, headers=headers).get_json()["error_code"] == code


def test_the_log_shows_the_keys_name_and_not_the_key(
    client: FlaskClient, keys: Keys, png: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    key = keys.add("desk")
    predict(client, png, X_API_Key=key)
    assert caplog.records[-1].row["key"] == "desk"  # type: ignore[attr-defined]
    assert key.split("_", 2)[2] not in repr([vars(record) for record in caplog.records])


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHIZI_KEYS", str(tmp_path / "keys"))
    assert (
        command.app(["add", "desk", "--scope", "read", "--scope", "jobs", "--rate", "5"], standalone_mode=False) is None
    )
    key = capsys.readouterr().out.strip()
    assert Keys(tmp_path / "keys").find(key).scopes == ("read", "jobs")
    command.app(["list"], standalone_mode=False)
    shown = capsys.readouterr().out
    assert shown.startswith("desk\tread,jobs\trate 5, quota -, used 0\t20")
    assert key not in shown
    command.app(["revoke", "desk"], standalone_mode=False)
    assert Keys(tmp_path / "keys").list() == []
    monkeypatch.delenv("SHIZI_KEYS")
    with pytest.raises(OptionsError, match="SHIZI_KEYS"):
        command.app(["list"], standalone_mode=False)


@pytest.mark.parametrize(
    ("host", "keys", "warns"),
    [
        ("127.0.0.1", "", False),
        ("::1", "", False),
        ("0.0.0.0", "", True),
        ("10.1.2.3", "", True),
        ("0.0.0.0", "f", False),
    ],
)
def test_a_service_open_to_all_says_so(host: str, keys: str, warns: bool) -> None:
    assert bool(open_to_all(Settings(host=host, keys=keys))) is warns


def test_a_locked_file_is_no_crash(keys: Keys, tmp_path: Path) -> None:
    """Another process that holds the file for a moment delays a request and fails none."""
    keys.add("desk", quota=5)
    [key] = keys.list()
    holder = sqlite3.connect(tmp_path / "keys.sqlite", isolation_level=None, check_same_thread=False)
    holder.execute("BEGIN IMMEDIATE")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(keys.spend, key)
        holder.execute("COMMIT")
        waiting.result()
    holder.close()
    assert keys.list()[0].used == 1


def test_a_full_disk_stops_counting_and_not_reading(
    client: FlaskClient, keys: Keys, png: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    key = keys.add("desk", quota=1)
    client.application.extensions["shizi"].keys._rows.execute("PRAGMA query_only = ON")
    for _ in range(3):
        assert predict(client, png, X_API_Key=key).status_code == 200
    assert "not counted" in caplog.text


def test_a_file_that_is_gone_is_no_crash(client: FlaskClient, keys: Keys, png: bytes) -> None:
    key = keys.add("desk")
    client.application.extensions["shizi"].keys._rows.execute("DROP TABLE keys")
    response = predict(client, png, X_API_Key=key)
    assert (response.status_code, response.get_json()["code"]) == (503, "unavailable")
    assert "Retry-After" in response.headers
