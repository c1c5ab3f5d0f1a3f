"""The runtime under the models: it reads files and says nothing to anybody."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

OPENING = (
    "import time\n"
    "from shizi import weights\n"
    "session = weights.open_session(weights.find('detector'), 1)\n"
    "time.sleep(1)\n"  # its events are kept and sent from a thread
    "print(len(session.get_inputs()))\n"
)


@pytest.mark.slow
def test_the_runtime_keeps_no_identifier_and_sends_nothing(tmp_path: Path) -> None:
    """Onnxruntime 1.32 kept a device's identifier and a queue of events to send where the user's caches are."""
    home = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache"), "TMPDIR": str(tmp_path)}
    told = {name: value for name, value in os.environ.items() if not name.startswith("ORT_")}
    opened = subprocess.run(
        [sys.executable, "-c", OPENING], env=told | home, capture_output=True, text=True, check=True, timeout=120
    )
    assert opened.stdout == "1\n"
    assert opened.stderr == ""
    assert list(tmp_path.rglob("*")) == []
