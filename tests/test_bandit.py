"""What bandit finds in the code is what docs/decisions/057 answers: nothing more, and nothing that is gone."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

ANSWERED = {
    ("src/shizi/adopt.py", "B506"),
    ("src/shizi/batch/local.py", "B404"),
    ("src/shizi/batch/local.py", "B603"),
    ("src/shizi/batch/on_ray.py", "B301"),
    ("src/shizi/batch/on_ray.py", "B403"),
    ("src/shizi/cli/checkup.py", "B108"),
    ("src/shizi/cli/improving.py", "B404"),
    ("src/shizi/cli/improving.py", "B603"),
    ("src/shizi/einvoice.py", "B107"),
    ("src/shizi/einvoice.py", "B405"),
    ("src/shizi/export/__init__.py", "B107"),
    ("src/shizi/export/alto.py", "B405"),
    ("src/shizi/export/hocr.py", "B405"),
    ("src/shizi/export/searchable_pdf.py", "B107"),
    ("src/shizi/ofd.py", "B405"),
    ("src/shizi/pdf/__init__.py", "B107"),
    ("src/shizi/pdf/child.py", "B105"),
    ("src/shizi/pdf/process.py", "B404"),
    ("src/shizi/pdf/process.py", "B603"),
    ("src/shizi/service/child.py", "B404"),
    ("src/shizi/service/child.py", "B603"),
    ("src/shizi/service/compat/baidu.py", "B105"),
    ("src/shizi/service/compat/baidu_forms.py", "B105"),
    ("src/shizi/service/jobs/on_disk.py", "B608"),
    ("src/shizi/service/readings.py", "B107"),
    ("src/shizi/service/server.py", "B104"),
    ("src/shizi/service/server.py", "B108"),
    ("src/shizi/service/texts/en.py", "B105"),
    ("src/shizi/service/texts/zh.py", "B105"),
    ("src/shizi/training/fonts.py", "B404"),
    ("src/shizi/training/fonts.py", "B603"),
    ("src/shizi/training/fonts.py", "B607"),
    ("src/shizi/xml.py", "B405"),
}


@pytest.mark.slow
def test_every_finding_is_answered() -> None:
    command = [sys.executable, "-m", "bandit", "-q", "-r", "src", "-c", "pyproject.toml", "-f", "json"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    report = json.loads(ran.stdout)
    assert report["errors"] == []
    assert {(found["filename"], found["test_id"]) for found in report["results"]} == ANSWERED
    answers = (ROOT / "docs/decisions/057-seeing-without-reading.md").read_text()
    assert all(number in answers for _, number in ANSWERED)
