"""The documentation names everything there is, and what it tells people to run runs."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import live
import pytest
import typer
from fakes import FakeReader
from live import Live, serving

from shizi import errors
from shizi.cli import app as command_line
from shizi.errors import ShiziError
from shizi.export import FORMATS
from shizi.options import CHOICES, ReadOptions
from shizi.service.app import create_app
from shizi.service.settings import PREFIX, Settings

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
READMES = ("README.md", "README.zh-CN.md")


def text(name: str) -> str:
    return (ROOT / name).read_text()


def rows(name: str) -> list[list[str]]:
    """Give the table rows of a page as lists of cells."""
    found = re.findall(r"^\| (.*) \|$", text(name), re.MULTILINE)
    return [re.split(r" \| ", row) for row in found]


def blocks(name: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text(name), re.DOTALL | re.MULTILINE)


# Nothing is left out


def test_every_route() -> None:
    for rule in create_app(Settings(), FakeReader()).url_map.iter_rules():  # type: ignore[arg-type]
        page = text("docs/compat.md" if rule.rule.startswith("/compat/") else "docs/http.md")
        assert rule.rule in page
        if rule.endpoint.startswith("api."):
            [method] = (rule.methods or set()) - {"HEAD", "OPTIONS"}
            assert f"## {method} {rule.rule}\n" in page


@pytest.mark.parametrize("name", CHOICES)
def test_every_option_with_its_values_and_default(name: str) -> None:
    usage, http = text("docs/usage.md"), text("docs/http.md")
    start = usage.index(f"| `{name}` (`--{name}`)")
    part = usage[start : usage.find("\n| `", start + 1)] if usage.find("\n| `", start + 1) > 0 else usage[start:]
    assert f"`{getattr(ReadOptions(), name)}` (default)" in part
    for value in CHOICES[name]:
        assert f"`{value}`" in part
        assert f"`{value}`" in http
    assert f"`{name}` (" in http


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting(name: str) -> None:
    field = Settings.model_fields[name]
    default = f"`{field.default}`" if field.default != "" else "empty"
    assert [f"`{PREFIX}{name.upper()}`", default, field.description] in rows("docs/settings.md")


def classes(kind: type[ShiziError] = ShiziError) -> Iterator[type[ShiziError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from classes(child)


@pytest.mark.parametrize("kind", list(classes()))
def test_every_error(kind: type[ShiziError]) -> None:
    known = {row[0]: row[1:4] for row in rows("docs/errors.md")}
    assert known[f"`{kind.__name__}`"] == [f"`{kind.code}`", str(kind.exit_code), str(kind.http_status)]
    assert f"{kind.__name__} " in (errors.__doc__ or "")


def test_every_command_and_flag() -> None:
    page = text("docs/usage.md")
    group = typer.main.get_command(command_line)
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        assert f"## shizi {name}\n" in page
        inner = getattr(command, "commands", {})
        assert all(f"`shizi {name} {child}" in page for child in inner)
        for parameter in [*command.params, *(part for child in inner.values() for part in child.params)]:
            for flag in parameter.opts if parameter.param_type_name == "option" else ():
                assert f"`{flag}" in page, f"shizi {name} {flag}"
    assert "`shizi --version`" in page


def test_every_format() -> None:
    assert all(f"| `{name}` |" in text("docs/usage.md") for name in FORMATS)


def test_every_key_of_an_answer(png: bytes) -> None:
    client = create_app(Settings(), FakeReader()).test_client()  # type: ignore[arg-type]
    answer = client.post("/ocr/predict", data=png, content_type="image/png").get_json()
    page, line = answer["pages"][0], answer["pages"][0]["lines"][0]
    for key in {**answer, **page, **line}:
        assert f"`{key}`" in text("docs/http.md")


def test_flags_of_serve_name_the_defaults_of_the_settings() -> None:
    source = text("src/shizi/cli/__init__.py")
    for name in ("host", "port", "workers", "threads"):
        assert f"Default: {Settings.model_fields[name].default}." in source


# The two languages are one page


def test_both_readmes_have_the_same_headings_and_snippets() -> None:
    english, chinese = (text(name) for name in READMES)
    levels = [re.findall(r"^(#+) ", page, re.MULTILINE) for page in (english, chinese)]
    assert levels[0] == levels[1]
    snippets = [re.findall(r"^```.*?^```$", page, re.DOTALL | re.MULTILINE) for page in (english, chinese)]
    assert snippets[0] == snippets[1]
    assert all(
        page.count(mark) == 1
        for page in (english, chinese)
        for mark in ("<!-- results:start -->", "<!-- results:end -->")
    )


@pytest.mark.parametrize(
    "name",
    [
        *READMES,
        "CONTRIBUTING.md",
        "docs/usage.md",
        "docs/http.md",
        "docs/errors.md",
        "docs/access.md",
        "docs/clients.md",
        "clients/python/README.md",
        "clients/node/README.md",
        "clients/java/README.md",
        "docs/compat.md",
        "docs/settings.md",
        "docs/documents.md",
        "docs/operations.md",
        "docs/webui.md",
        "docs/batch.md",
        "docs/scale.md",
        "docs/improve.md",
    ],
)
def test_links_lead_somewhere(name: str) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", text(name)):
        assert ((ROOT / name).parent / target).exists(), target


# What people are told to run runs


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with serving([sys.executable, live.__file__, str(tmp_path_factory.mktemp("live"))]) as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path, png: bytes) -> Path:
    (tmp_path / "picture.png").write_bytes(png)
    return tmp_path


def run(command: list[str], folder: Path) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    ran = subprocess.run(
        command, cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def calling(language: str, service: Live) -> list[str]:
    """Give the README's snippets that call the service, with this service's port."""
    address = "http://127.0.0.1:5000"
    found = [block for block in blocks("README.md", language) if address in block]
    assert found
    return [block.replace(address, f"http://127.0.0.1:{service.port}") for block in found]


@pytest.mark.slow
def test_curl(service: Live, folder: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("Debian's package curl is missing")
    for snippet in calling("bash", service):
        assert json.loads(run(["bash", "-euo", "pipefail", "-c", snippet], folder))["success"] is True


@pytest.mark.slow
def test_python(service: Live, folder: Path) -> None:
    for snippet in calling("python", service):
        assert run([sys.executable, "-c", snippet], folder) == "\n"  # mode accurate finds nothing, see live.py


@pytest.mark.slow
def test_java(service: Live, folder: Path) -> None:
    if shutil.which("javac") is None:
        pytest.skip("Debian's package default-jdk-headless is missing")
    for snippet in calling("java", service):
        (folder / "ReadPicture.java").write_text(snippet)
        status, answer = run(["java", "ReadPicture.java", "picture.png"], folder).split(" ", 1)
        assert (status, json.loads(answer)["text"].split("\n")[0]) == ("200", "识字 reads")
