"""The SDKs built as their users build them, and programs run with them."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

CLIENTS = Path(__file__).parents[1] / "clients"
JUNIT = Path("/usr/share/java/junit-platform-console-standalone.jar")
PYTHON = {"PYTHONPATH": os.pathsep.join([str(CLIENTS / "python/src"), str(CLIENTS / "python/tests")])}
# Node 18, which Debian 12 has, warns once of the part of its own FormData that carries files.
FORM_OF_NODE_18 = re.compile(
    r"^\(node:\d+\) ExperimentalWarning: buffer\.File .*\n\(Use `node --trace-w.*\n", re.MULTILINE
)


def needs(tool: str, package: str) -> None:
    if shutil.which(tool) is None:
        pytest.skip(f"Debian's package {package} is missing: apt-get install {package}")


def run(command: list[str], **environment: str) -> str:
    ran = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"
    assert FORM_OF_NODE_18.sub("", ran.stderr) == "", ran.stderr
    return ran.stdout


def compiler() -> str:
    """Give the TypeScript compiler: the package's own where npm has brought it, else Debian's."""
    own = CLIENTS / "node/node_modules/.bin/tsc"
    if own.exists():
        return str(own)
    needs("tsc", "node-typescript")
    return "tsc"


def build_node(folder: Path) -> None:
    """Copy the Node SDK into a folder and build it there."""
    needs("node", "nodejs")
    shutil.copytree(CLIENTS / "node", folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("node_modules", "dist"))
    run([compiler(), "--project", str(folder)])


def compile_typescript(programs: list[Path]) -> None:
    """Check the types of programs that lie beside the built Node SDK."""
    strict = ["--noEmit", "--strict", "--target", "es2022", "--module", "node16", "--lib", "es2022,dom"]
    run([compiler(), *strict, *map(str, programs)])


def build_java(folder: Path) -> None:
    """Compile the Java SDK and its tests into a folder, for Java 11."""
    needs("javac", "default-jdk-headless")
    if not JUNIT.exists():
        pytest.skip("Debian's package junit5 is missing: apt-get install junit5")
    compile_java(folder, str(JUNIT), sorted(map(str, (CLIENTS / "java/src").rglob("*.java"))), "11")


def compile_java(folder: Path, classpath: str, sources: list[str], release: str) -> None:
    """Compile Java sources into a folder; a warning is an error."""
    strict = ["--release", release, "-encoding", "UTF-8", "-Xlint:all,-processing", "-Werror"]
    run(["javac", *strict, "-cp", classpath, "-d", str(folder), *sources])
