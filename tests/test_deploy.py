"""What is shipped to run the service: the Dockerfile, compose.yaml, nginx.conf and Kubernetes' manifests.

`deploy/check.sh` builds and runs them, by hand, for it takes minutes; here they are held against their schemas and
against the settings, and nginx runs for real before two services.
"""

import concurrent.futures
import http.client
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import kubernetes_validate
import live
import pytest
import yaml
from live import Live, serving, until

from shizi.service.settings import PREFIX, Settings

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
MANIFESTS = ("shizi", "autoscaling", "redis", "network")


def manifests() -> Iterator[dict[str, Any]]:
    for name in MANIFESTS:
        yield from yaml.safe_load_all((DEPLOY / "k8s" / f"{name}.yaml").read_text())


def test_the_dockerfile_has_no_lint() -> None:
    linter = Path(sys.executable).parent / "hadolint"
    found = subprocess.run([linter, ROOT / "Dockerfile"], capture_output=True, text=True)
    assert (found.returncode, found.stdout) == (0, "")


def test_the_image_gets_every_package_but_what_is_only_files() -> None:
    def printed(*words: str) -> list[str]:
        command = [sys.executable, DEPLOY / "requirements.py", ROOT / "pyproject.toml", *words]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()

    everything = printed("docx", "redis") + printed("--apart")
    assert len(set(everything)) == len(everything)
    named = {re.split(r"[^\w-]", row)[0].lower() for row in everything}
    assert {"flask", "onnxruntime", "rapidocr", "redis", "python-docx"} <= named
    assert not named & {"torch", "pytest"}
    assert printed("--apart") == [row for row in everything if row.startswith("rapidocr")]


def test_what_the_image_is_made_of_is_let_into_the_build() -> None:
    let_in = {row[1:] for row in (ROOT / ".dockerignore").read_text().splitlines() if row.startswith("!")}
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert {word for row in copied for word in row.split()} == let_in
    assert all((ROOT / name).exists() for name in let_in)


@pytest.mark.parametrize(
    "manifest", list(manifests()), ids=lambda manifest: f"{manifest['kind']}-{manifest['metadata']['name']}"
)
def test_kubernetes_knows_every_key(manifest: dict[str, Any]) -> None:
    kubernetes_validate.validate(manifest, kubernetes_validate.latest_version(), strict=True)


def test_the_manifests_fit_together() -> None:
    named = yaml.safe_load((DEPLOY / "k8s" / "kustomization.yaml").read_text())["resources"]
    assert sorted(named) == sorted(f"{name}.yaml" for name in MANIFESTS)
    found = {(manifest["kind"], manifest["metadata"]["name"]): manifest for manifest in manifests()}
    pod = found["Deployment", "shizi"]["spec"]["template"]
    [container] = pod["spec"]["containers"]
    labels = pod["metadata"]["labels"]
    for kind in ("Service", "NetworkPolicy", "PodDisruptionBudget"):
        spec = found[kind, "shizi"]["spec"]
        selector = spec.get("selector") or spec["podSelector"]
        assert selector.get("matchLabels", selector) == labels
    target = found["HorizontalPodAutoscaler", "shizi"]["spec"]["scaleTargetRef"]
    assert (target["kind"], target["name"]) == ("Deployment", "shizi")
    grace = pod["spec"]["terminationGracePeriodSeconds"]
    assert grace > Settings.model_fields["stop_seconds"].default + int(
        container["lifecycle"]["preStop"]["exec"]["command"][1]
    )
    assert pod["spec"]["enableServiceLinks"] is False, "or Kubernetes sets SHIZI_PORT"


def test_every_setting_that_is_set_exists() -> None:
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["shizi"]
    [container] = next(manifests())["spec"]["template"]["spec"]["containers"]
    baked = re.findall(rf"^\s+({PREFIX}\w+)=", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    names = [*compose["environment"], *(entry["name"] for entry in container["env"]), *baked]
    assert len(names) >= 5
    for name in names:
        assert name.removeprefix(PREFIX).lower() in Settings.model_fields, name
    assert int(compose["stop_grace_period"].removesuffix("s")) > Settings.model_fields["stop_seconds"].default


# nginx before two services


@dataclass
class Front:
    """A running nginx: its ports, its folder, and what it logged."""

    plain: int
    secure: int
    folder: Path

    def ask(
        self, method: str, path: str, body: bytes | None = None, secure: bool = True, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """Send one request; give status, headers and body."""
        trusted = ssl.create_default_context(cafile=str(self.folder / "tls" / "certificate.pem"))
        connection = (
            http.client.HTTPSConnection("localhost", self.secure, timeout=60, context=trusted)
            if secure
            else http.client.HTTPConnection("localhost", self.plain, timeout=60)
        )
        try:
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            response = connection.getresponse()
            return response.status, dict(response.headers), response.read()
        finally:
            connection.close()

    def read(self, data: bytes = b"a picture", query: str = "", **headers: str) -> tuple[int, dict[str, str], bytes]:
        return self.ask("POST", f"/ocr/predict{query}", data, Content_Type="image/png", **headers)

    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(row) for row in (self.folder / "access.log").read_text().splitlines()]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def nginx(ports: list[int], **changes: str) -> Iterator[Front]:
    """Run deploy/nginx.conf as it is, but for its places, its ports and `changes`, before services on `ports`."""
    if shutil.which("nginx") is None:
        pytest.skip("Debian's package nginx-light is missing: apt-get install nginx-light")
    folder = Path(tempfile.mkdtemp(prefix="shizi-"))
    folder.chmod(0o755)  # its workers are nobody
    front = Front(free_port(), free_port(), folder)
    (folder / "tls").mkdir()
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2"]
    names = ["-keyout", folder / "tls" / "key.pem", "-out", folder / "tls" / "certificate.pem"]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *subject, *names], check=True, capture_output=True
    )
    rule = re.search(r"server shizi:5000 (.*;)", (DEPLOY / "nginx.conf").read_text())
    assert rule
    replaced = {
        " /tmp/": f" {folder}/",  # first: the folder may lie in /tmp itself
        "listen 80;": f"listen 127.0.0.1:{front.plain};",
        "listen 443 ssl;": f"listen 127.0.0.1:{front.secure} ssl;",
        rule[0]: " ".join(f"server 127.0.0.1:{port} {rule[1]}" for port in ports),
        "/etc/nginx/tls": str(folder / "tls"),
        "/dev/stdout": str(folder / "access.log"),
        "/dev/stderr": str(folder / "error.log"),
        **changes,
    }
    text = (DEPLOY / "nginx.conf").read_text()
    for old, new in replaced.items():
        assert old in text, old
        text = text.replace(old, new)
    (folder / "nginx.conf").write_text(text)
    command = ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")]
    tested = subprocess.run([*command, "-t"], capture_output=True, text=True)
    assert tested.returncode == 0, tested.stderr
    process = subprocess.Popen([*command, "-g", "daemon off;"], stderr=subprocess.DEVNULL)
    try:
        until(lambda: _listens(front.secure) or process.poll() is not None)
        yield front
    finally:
        process.terminate()
        process.wait(30)
        shutil.rmtree(folder)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def replicas(folder: Path) -> Iterator[tuple[Live, Live]]:
    with ExitStack() as stack:
        command = [sys.executable, live.__file__, str(folder)]
        one, two = (stack.enter_context(serving(command, SHIZI_CACHE="off", SHIZI_STOP_SECONDS="50")) for _ in range(2))
        yield one, two


def kill_all_of(service: Live) -> None:
    """Kill a service as a machine that goes down would: all its processes at once."""
    for pid in [*below(service.process.pid), service.process.pid]:
        os.kill(pid, signal.SIGKILL)
    service.process.wait()


def below(pid: int) -> list[int]:
    return [further for child in live.children(pid) for further in (child, *below(child))]


@pytest.mark.slow
def test_nginx_before_two_replicas(tmp_path: Path) -> None:
    with (
        replicas(tmp_path) as (one, two),
        nginx([one.port, two.port]) as front,
        concurrent.futures.ThreadPoolExecutor() as pool,
    ):
        status, headers, body = front.read(query="?password=secret", X_Request_ID="mine-1")
        assert (status, json.loads(body)["success"], headers["X-Request-ID"]) == (200, True, "mine-1")
        assert headers["Strict-Transport-Security"]
        status, headers, _ = front.ask("GET", "/ocr/webui", secure=False)
        assert (status, headers["Location"]) == (308, "https://localhost/ocr/webui")
        assert front.ask("GET", "/ocr/webui")[0] == 200
        assert front.ask("GET", "/metrics")[0] == 404

        status, _, body = front.read(bytes(9_000_000))
        assert (status, json.loads(body)["code"]) == (413, "too_large")
        status, _, body = front.ask("POST", "/ocr/jobs", bytes(20_000_000), Content_Type="application/pdf")
        assert (status, json.loads(body)["code"]) == (400, "options"), "large jobs pass; this service takes none"
        form = (
            b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
            + bytes(20_000_000)
            + b"\r\n--x--"
        )
        status, _, body = front.ask(
            "POST", "/compat/umi/api/doc/upload", form, Content_Type="multipart/form-data; boundary=x"
        )
        assert (status, json.loads(body)["code"]) != (413, "too_large"), "as do those of the drop-in endpoint"

        held = pool.submit(front.read, b"hold")
        until((tmp_path / "held").exists)
        before = len(front.rows())
        assert [front.read()[0] for _ in range(4)] == [200] * 4
        busy = {row["replica"] for row in front.rows()[before:]}
        assert len(busy) == 1, "the least busy one takes all"
        idle, working = (one, two) if busy == {f"127.0.0.1:{one.port}"} else (two, one)

        working.process.send_signal(signal.SIGTERM)  # it drains: what runs is finished, and others go elsewhere
        assert [front.read()[0] for _ in range(10)] == [200] * 10
        (tmp_path / "release").touch()
        assert held.result()[0] == 200
        assert working.process.wait(60) == 0
        assert [front.read()[0] for _ in range(4)] == [200] * 4

        kill_all_of(idle)
        status, headers, body = front.read()
        assert (status, json.loads(body)["code"], headers["Retry-After"]) == (503, "unavailable", "2")
        logged = (front.folder / "access.log").read_text() + (front.folder / "error.log").read_text()
        assert "secret" not in logged
        assert any(row["request_id"] == "mine-1" for row in front.rows())


@pytest.mark.slow
def test_a_replica_killed_costs_no_reading(tmp_path: Path) -> None:
    with replicas(tmp_path) as (one, two), nginx([one.port, two.port]) as front:
        assert front.read()[0] == 200
        kill_all_of(one)
        assert [front.read()[0] for _ in range(10)] == [200] * 10


@pytest.mark.slow
def test_nginx_bounds_each_caller() -> None:
    with nginx([free_port(), free_port()], **{"rate=20r/s": "rate=1r/m"}) as front:
        answers = [front.read() for _ in range(45)]
    refused = answers[41:]
    assert {status for status, _, _ in answers[:41]} == {503}, "no replica is there"
    assert {status for status, _, _ in refused} == {429}
    for _, headers, body in refused:
        assert (headers["Content-Type"], headers["Retry-After"]) == ("application/json", "1")
        assert (json.loads(body)["success"], json.loads(body)["code"]) == (False, "busy")
