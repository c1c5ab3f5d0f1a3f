"""The arrows of docs/design.md, section 3, and the promise that importing does no work."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import shizi

PACKAGE = Path(shizi.__file__).parent
PLAN = (Path(__file__).parents[1] / "docs/design.md").read_text()
WORDS = {"document", "options", "geometry", "errors"}

# Foreign packages, and the rooms that may use them; the others may be used where they are needed.
FOREIGN = {
    "torch": {"training"},
    "flask": {"service"},
    "werkzeug": {"service"},
    "gunicorn": {"service"},
    "pydantic": {"service"},
    "pydantic_settings": {"service"},
    "typer": {"cli"},
    "rich": {"cli"},
    "pypdfium2": {"pdf"},
    "defusedxml": {"xml"},
    "pikepdf": {"export"},
    "xlsxwriter": {"export"},
    "docx": {"export"},
    "fsspec": {"batch"},
    "pyarrow": {"batch"},
    "ray": {"batch"},
    "rapidocr": set(),  # its model files are used, its code never runs
}


def levels() -> dict[str, int]:
    """Read each room's height from the plan: words 0, tools 1, stages 2, product 3, doors 4."""
    rows = re.search(r"## 3\..*?```\n(.*?)```", PLAN, re.DOTALL)
    assert rows
    heights: dict[str, int] = {}
    for height, name in enumerate(("words", "tools", "stages", "product", "doors")):
        row = re.search(rf"^{name} +(.*)$", rows[1], re.MULTILINE)
        assert row, name
        heights |= dict.fromkeys(re.sub(r"\(.*?\)", "", row[1]).split(), height)
    return heights


def room_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE).parts
    return parts[0].removesuffix(".py")


def files() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def imports(path: Path) -> Iterator[str]:
    """Name every module a file imports anywhere in it, whole: `shizi.export.text`."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: imports are written in full"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def rooms_used(path: Path) -> set[str]:
    used = {name.split(".")[1] for name in imports(path) if name.startswith("shizi.")}
    return {room for room in used if (PACKAGE / room).is_dir() or (PACKAGE / f"{room}.py").is_file()}


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_arrows_point_down(path: Path) -> None:
    room, used, heights = room_of(path), rooms_used(path), levels()
    used.discard(room)
    if room == "training":
        read_with = {"crop", "detect", "recognise", "cascade"}
        assert used <= {"charset", "spelling", "lexicon", "line_image", "weights", "evaluation", "errors"} | read_with
    elif room == "export":
        assert used <= WORDS | {"pages"}
    elif room == "cache":
        assert used <= WORDS
    else:
        assert room in heights, f"the room {room} has no place in docs/design.md, section 3"
        assert "training" not in used
        higher = {name for name in used - {"export", "cache"} if heights[name] > heights[room]}
        assert not higher, f"{room} may not know {higher}"
        assert heights[room] == 4 or not used & {"export", "cache"}


def test_rooms_use_each_other_in_no_circle() -> None:
    graph: dict[str, set[str]] = {}
    for path in files():
        graph.setdefault(room_of(path), set()).update(rooms_used(path) - {room_of(path)})
    TopologicalSorter(graph).prepare()  # raises CycleError


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_foreign_packages_stay_in_their_rooms(path: Path) -> None:
    for name in {name.split(".")[0] for name in imports(path)} & set(FOREIGN):
        assert room_of(path) in FOREIGN[name], f"{name} may not be imported here"


def test_the_front_decodes_no_picture() -> None:
    """What a caller sends may bring native code down or take 500 MB: engines open it, not what holds all callers."""
    in_engines = {"engine.py", "inside.py", "looks.py"}
    decoding = ("cv2", "shizi.pages.open_pages", "shizi.pages.picture.draw", "shizi.reader.Reader")
    for path in files():
        if room_of(path) == "service" and path.name not in in_engines:
            found = {name for name in imports(path) if name.startswith(decoding)}
            assert found <= ({"shizi.reader.Reader"} if path.name == "app.py" else set()), f"{path.name}: {found}"


def in_a_fresh_process(program: str) -> None:
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("shizi", "numpy cv2 onnxruntime flask typer"),
        ("shizi.cli", "numpy cv2 onnxruntime flask pydantic gunicorn pikepdf xlsxwriter"),
        ("shizi.document", "numpy cv2 onnxruntime"),
        ("shizi.service.server", "onnxruntime torch rapidocr"),
        ("shizi.batch.run", "numpy cv2 onnxruntime pyarrow fsspec ray"),
    ],
)
def test_a_door_does_not_load_the_house(module: str, absent: str) -> None:
    in_a_fresh_process(
        f"import {module}, sys; found = set({absent.split()}) & set(sys.modules); assert not found, found"
    )


def test_importing_does_no_work() -> None:
    """Import every room: no thread is started, no logging set up, no model opened, nothing of training."""
    modules = [
        ".".join(("shizi", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")
        for path in files()
        if room_of(path) != "training"
    ]
    in_a_fresh_process(
        "import builtins, importlib, logging, pathlib, sys, threading\n"
        "opened = []\n"
        "sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == 'open' else None)\n"
        f"for name in {modules}: importlib.import_module(name)\n"
        "assert threading.active_count() == 1, threading.enumerate()\n"
        "assert not logging.getLogger().handlers\n"
        "assert not [name for name in opened if name.endswith('.onnx')]\n"
        "assert 'torch' not in sys.modules and 'rapidocr' not in sys.modules\n"
    )
