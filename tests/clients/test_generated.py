"""The SDKs' types are those of the service's description, and the SDKs are apart from the service's code."""

import ast
import json
import subprocess
import sys
from pathlib import Path

from described import description

ROOT = Path(__file__).parents[2]


def test_types_are_made_of_the_description() -> None:
    command = [sys.executable, str(ROOT / "clients/generate"), "--check"]
    made = subprocess.run(command, input=json.dumps(description()), capture_output=True, text=True, timeout=60)
    assert made.returncode == 0, made.stderr


def test_clients_and_service_do_not_know_each_other() -> None:
    for folder, stranger in (("clients", "shizi"), ("src", "shizi_client")):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                assert stranger not in {name.split(".")[0] for name in names}, path


def test_the_documentation_names_every_operation() -> None:
    page = (ROOT / "docs/clients.md").read_text()
    for path, methods in description()["paths"].items():
        for method in methods:
            assert f"`{method.upper()} {path}`" in page
