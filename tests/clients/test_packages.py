"""The SDKs as packages: their own tests, their examples, what their READMEs tell people to write, one version."""

import json
import re
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

import live
import pytest
import spring
from building import CLIENTS, JUNIT, PYTHON, compile_java, compile_typescript, run
from live import Live, serving

import shizi

SPRING = CLIENTS / "java/examples/spring-boot"


@pytest.mark.slow
def test_the_tests_of_node(node: Path) -> None:
    said = run(["node", "--test", "--test-reporter=tap", str(node / "test/client.test.mjs")])
    assert re.search(r"^# pass [1-9]", said, re.MULTILINE)
    assert re.search(r"^# skipped 0$", said, re.MULTILINE)


@pytest.mark.slow
def test_the_tests_of_java(java: Path) -> None:
    said = run(["java", "-jar", str(JUNIT), "--class-path", str(java), "--scan-class-path", "--disable-ansi-colors"])
    assert re.search(r"\[ +[1-9]\d* tests successful", said)
    assert re.search(r"\[ +0 tests skipped", said)


@pytest.mark.slow
def test_the_spring_boot_example_fits_the_client(java: Path, tmp_path: Path) -> None:
    example = sorted(map(str, SPRING.rglob("*.java")))
    assert example
    compile_java(tmp_path, str(java), [*spring.write(tmp_path), *example], "17")


def test_one_version() -> None:
    names = {"m": "http://maven.apache.org/POM/4.0.0"}
    pom = ElementTree.parse(CLIENTS / "java/pom.xml").getroot()
    used = ElementTree.parse(SPRING / "pom.xml").getroot().findall("m:dependencies/m:dependency", names)[-1]
    told = [
        json.loads((CLIENTS / "node/package.json").read_text())["version"],
        pom.findtext("m:version", namespaces=names),
        used.findtext("m:version", namespaces=names),
    ]
    for file in (
        "python/pyproject.toml",
        "python/src/shizi_client/__init__.py",
        "python/src/shizi_client/wire.py",
        "node/src/client.ts",
        "java/src/main/java/shizi/client/ShiziClient.java",
    ):
        found = re.search(r"(?:version(?:__)? = \"|shizi-client-\w+/)([\d.]+)\"", (CLIENTS / file).read_text())
        told.append(found and found[1])
    assert set(told) == {shizi.__version__}, told


# What the READMEs tell people to write runs


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("live")
    kept = {"SHIZI_JOBS": str(folder / "jobs"), "SHIZI_CORRECTIONS": str(folder / "corrections")}
    with serving([sys.executable, live.__file__, str(folder)], **kept) as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path, png: bytes, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the snippets run, with a picture."""
    (tmp_path / "picture.png").write_bytes(png)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def snippets(package: str, language: str, service: Live) -> list[str]:
    readme = (CLIENTS / package / "README.md").read_text()
    found: list[str] = re.findall(rf"^```{language}\n(.*?)^```$", readme, re.DOTALL | re.MULTILINE)
    assert len(found) >= 2
    return [block.replace("127.0.0.1:5000", f"127.0.0.1:{service.port}") for block in found]


def ran_all(said: list[str], folder: Path) -> None:
    assert said[0].startswith("识字 reads")
    assert all(said)
    assert (folder / "picture.pdf").read_bytes().startswith(b"%PDF-")


@pytest.mark.slow
def test_python_as_told(service: Live, folder: Path) -> None:
    ran_all(
        [run([sys.executable, "-W", "error", "-c", one], **PYTHON) for one in snippets("python", "python", service)],
        folder,
    )


@pytest.mark.slow
def test_node_as_told(service: Live, folder: Path, node: Path) -> None:
    said, typed = [], []
    for number, snippet in enumerate(snippets("node", "js", service)):
        program = node / f"told{number}.mjs"  # beside the package, so that its name leads to it
        program.write_text(snippet)
        typed.append(program.with_suffix(".mts"))
        typed[-1].write_text(snippet)
        said.append(run(["node", str(program)]))
    compile_typescript(typed)
    ran_all(said, folder)


@pytest.mark.slow
def test_java_as_told(service: Live, folder: Path, java: Path) -> None:
    written = {}
    for snippet in snippets("java", "java", service):
        [name] = re.findall(r"^public class (\w+)", snippet, re.MULTILINE)
        written[name] = folder / f"{name}.java"
        written[name].write_text(snippet)
    compile_java(folder, str(java), list(map(str, written.values())), "11")
    ran_all([run(["java", "-Dfile.encoding=UTF-8", "-cp", f"{java}:{folder}", name]) for name in written], folder)
