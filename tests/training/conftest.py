"""Faces to draw with: those of matplotlib, a training dependency, so that no font need be installed.

Without the `training` extra this folder is not collected: nothing else of shizi needs it.
"""

from importlib.util import find_spec
from pathlib import Path

import pytest

if find_spec("torch") is None:
    collect_ignore_glob = ["test_*.py"]
else:
    import matplotlib

    from shizi.training import fonts, labels, samples

    FOLDER = Path(matplotlib.get_data_path()) / "fonts" / "ttf"


def face(file: str, style: str, held_out: bool = False) -> "fonts.Face":
    drawable = "".join(c for c in labels.charset().characters if "!" <= c <= "~")
    return fonts.Face(Path(file).stem, str(FOLDER / file), "Bitstream Vera", style, held_out, drawable)


@pytest.fixture(scope="session")
def faces() -> "list[fonts.Face]":
    return [
        face("DejaVuSans.ttf", "sans"),
        face("DejaVuSerif.ttf", "song"),
        face("DejaVuSansMono.ttf", "latin"),
        face("STIXGeneral.ttf", "kai", held_out=True),
    ]


@pytest.fixture(scope="session")
def maker(faces: "list[fonts.Face]") -> "samples.Maker":
    return samples.Maker(faces, [])
