"""Print what the image installs: the packages of pyproject.toml, with the extras named, one a line.

    python deploy/requirements.py pyproject.toml [EXTRA...] > requirements.txt

All but `rapidocr`, which `--apart` prints alone: shizi loads that wheel's model files and runs none of its code, so the
image takes it without the dozen packages that it would import (one of which comes as source only).
"""

import sys
import tomllib
from pathlib import Path

APART = "rapidocr"


def requirements(project: dict[str, object], extras: list[str]) -> list[str]:
    """Give the requirements of the project and of these extras."""
    optional = project["optional-dependencies"]
    assert isinstance(optional, dict)
    found = project["dependencies"]
    assert isinstance(found, list)
    return [*found, *(requirement for extra in extras for requirement in optional[extra])]


def main(path: str, *words: str) -> None:
    """Print the requirements, each once."""
    project = tomllib.loads(Path(path).read_text(encoding="utf-8"))["project"]
    extras = [word for word in words if not word.startswith("--")]
    for requirement in dict.fromkeys(requirements(project, extras)):
        if requirement.startswith(APART) == ("--apart" in words):
            print(requirement)


if __name__ == "__main__":
    main(*sys.argv[1:])
