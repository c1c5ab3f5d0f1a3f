"""`shizi improve`, `models` and `corrections`: what is decided, shown and refused. Tuning itself: tests/training."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from fakes import add_version
from test_corrections import line_png, strip
from typer.testing import CliRunner

from shizi import weights
from shizi.cli import app, improving
from shizi.corrections import Corrections, held_back
from shizi.errors import OptionsError, ShiziError
from shizi.versions import READ_WITH, SHIPPED, TUNED_FROM, Versions


def figures(before: float, after: float, cer: tuple[float, float] = (0.1, 0.05)) -> dict[str, dict[str, float]]:
    rest = {"ms": 3.0, "lines": 50}
    gain = {"exact": after - before, "lowest": after - before - 0.0125, "highest": after - before + 0.0125}
    return {
        "current": {"exact": before, "cer": cer[0], **rest},
        "candidate": {"exact": after, "cer": cer[1], **rest},
        "gain": gain,
    }


@pytest.mark.parametrize(
    ("own", "drawn", "reasons"),
    [
        (figures(0.1, 0.4), figures(0.9, 0.9), []),
        (figures(0.1, 0.4), figures(0.9, 0.898), []),
        (figures(0.1, 0.4), figures(0.9, 0.8975), ["loses 0.25% of the lines of 'drawn'"]),
        (figures(0.1, 0.4), figures(0.9, 0.9, (0.01, 0.0125)), ["on 'drawn' rise"]),
        (figures(0.4, 0.4), figures(0.9, 0.9), ["no more of the held-back"]),
        (figures(0.4, 0.3, (0.1, 0.2)), figures(0.9, 0.5), ["no more", "on 'corrections' rise", "loses 40.00%"]),
    ],
)
def test_only_what_gains_and_loses_nothing_may_be_promoted(
    own: dict[str, dict[str, float]], drawn: dict[str, dict[str, float]], reasons: list[str]
) -> None:
    found = improving.judge({"corrections": own, "drawn": drawn})
    assert len(found) == len(reasons)
    assert all(reason in text for reason, text in zip(reasons, found, strict=True))


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    corrections = Corrections(tmp_path / "corrections")
    for number in range(60):
        corrections.keep(strip(f"第{number}行<b>", line_png(200 + number)), read="x")
    return tmp_path / "corrections"


@pytest.fixture
def tuned(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Stand in for the process that tunes: the shipped files come back, with good figures."""
    commands: list[list[str]] = []

    class Process:
        def __init__(self, command: list[str], **_: Any) -> None:
            commands.append(command)
            given = dict(zip(command[3::2], command[4::2], strict=False))
            to = Path(given["--to"])
            to.mkdir(parents=True)
            shutil.copyfile(weights.find("crnn").path, to / READ_WITH)
            shutil.copyfile(weights.find("crnn-full").path, to / TUNED_FROM)
            rows = (Path(given["--held"]) / "labels.tsv").read_text().splitlines()
            read = [
                {"set": "corrections", "number": number, "text": row.split("\t")[1], "current": "<i>", "candidate": "&",
                 "current_right": number % 3 == 0, "candidate_right": number % 2 == 0}
                for number, row in enumerate(rows)
            ]  # fmt: skip
            sets = {"corrections": figures(0.1, 0.5), "drawn": figures(0.9, 0.9)}
            result = {"sets": sets, "rows": read, "reach": 0.8, "cpu_minutes": 1.5}
            (to / "comparison.json").write_text(json.dumps(result))
            self.stdout = iter(['{"step": "tune", "share": 0.5}\n', "something else\n", '{"step": "done"}\n'])

        def __enter__(self) -> "Process":
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def wait(self) -> int:
            return 0

    monkeypatch.setattr(improving.subprocess, "Popen", Process)
    return commands


def shizi(*words: object) -> str:
    result = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_improve_promote_and_roll_back(kept: Path, tuned: list[list[str]], tmp_path: Path) -> None:
    models = tmp_path / "models"
    said = shizi("improve", "--corrections", kept, "--models", models, "--minutes", 1)
    [version] = Versions(models).list()[1:]
    assert f"shizi models promote {version.name}" in said
    assert "10.0% ->  50.0% (+38.75 to +41.25 points)" in said
    assert version.learned + version.held == 60
    assert version.held == sum(held_back(f"第{number}行<b>") for number in range(60))
    assert (version.parent, version.cpu_minutes) == (SHIPPED, 1.5)
    assert not list(models.glob(".building-*"))
    assert str(weights.find("crnn").path) in tuned[0]
    listed = shizi("models", "list", "--folder", models).splitlines()
    assert listed[0].startswith("* shipped")
    assert "may be promoted" in listed[1]
    assert "is in force" in shizi("models", "promote", version.name, "--folder", models)
    shizi("improve", "--corrections", kept, "--models", models)
    assert str(models / version.name / READ_WITH) in tuned[1]
    assert str(models / version.name / TUNED_FROM) in tuned[1]
    assert "shipped is in force again" in shizi("models", "rollback", "--folder", models)


def test_the_page_shows_lines_and_runs_nothing(kept: Path, tuned: list[list[str]], tmp_path: Path) -> None:
    shizi("improve", "--corrections", kept, "--models", tmp_path / "models")
    version = Versions(tmp_path / "models").list()[-1]
    page = (tmp_path / "models" / version.name / "comparison.html").read_text()
    assert page.count("<img") == version.held - sum(number % 6 == 0 for number in range(version.held))
    assert "&lt;b&gt;" in page
    assert "<b>第" not in page
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")
    assert "it may be promoted" in page
    assert "+40.0</span> (+38.8 to +41.2)" in page


def test_too_little_to_learn_from_is_told(tmp_path: Path) -> None:
    Corrections(tmp_path / "corrections").keep(strip("识", line_png()))
    with pytest.raises(OptionsError, match="1 corrections"):
        shizi("improve", "--corrections", tmp_path / "corrections", "--models", tmp_path / "models")
    with pytest.raises(OptionsError, match="There are no corrections"):
        shizi("improve", "--corrections", tmp_path / "none", "--models", tmp_path / "models")
    with pytest.raises(OptionsError, match="SHIZI_MODELS"):
        shizi("improve", "--corrections", tmp_path / "corrections")


def test_the_training_extra_is_asked_for(kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(improving, "find_spec", lambda name: None if name == "torch" else object())
    with pytest.raises(OptionsError, match=r"torch missing.*pip install 'shizi\[training\]'"):
        shizi("improve", "--corrections", kept, "--models", tmp_path / "models")


def test_a_tuning_that_fails_leaves_nothing(kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(improving.sys, "executable", shutil.which("false"))
    with pytest.raises(ShiziError, match="was not improved"):
        shizi("improve", "--corrections", kept, "--models", tmp_path / "models")
    assert list((tmp_path / "models").iterdir()) == []


def test_a_model_that_cannot_be_read_with_is_not_promoted(tmp_path: Path) -> None:
    versions = Versions(tmp_path)
    version = add_version(versions, SHIPPED, model=b"no model")
    with pytest.raises(ShiziError, match="cannot be loaded"):
        shizi("models", "promote", version.name, "--folder", tmp_path)
    assert versions.current == SHIPPED
    with pytest.raises(OptionsError, match="SHIZI_MODELS"):
        shizi("models", "list")


def test_corrections_are_counted_exported_and_deleted(kept: Path, tmp_path: Path) -> None:
    assert shizi("corrections", "count", "--folder", kept).startswith("60 lines")
    assert shizi("corrections", "export", tmp_path / "out", "--folder", kept).startswith("60 lines")
    assert (tmp_path / "out" / "00059.png").is_file()
    with pytest.raises(OptionsError, match="exists"):
        shizi("corrections", "export", tmp_path / "out", "--folder", kept)
    for wrong in ((), ("--all", "--sender", "desk")):
        with pytest.raises(OptionsError, match="--all"):
            shizi("corrections", "purge", *wrong, "--folder", kept)
    assert shizi("corrections", "purge", "--before", "2000-01-01", "--folder", kept).startswith("0 lines")
    assert shizi("corrections", "purge", "--sender", "desk", "--folder", kept).startswith("0 lines")
    assert shizi("corrections", "purge", "--all", "--folder", kept).startswith("60 lines")
    with pytest.raises(OptionsError, match="SHIZI_CORRECTIONS"):
        shizi("corrections", "count")


def test_reading_honours_what_is_promoted(kept: Path, tmp_path: Path) -> None:
    models = tmp_path / "models"
    version = add_version(Versions(models), SHIPPED)
    Versions(models).promote(version.name)
    (tmp_path / "a.png").write_bytes(line_png())
    said = json.loads(shizi("read", tmp_path / "a.png", "--format", "json", "--models", models))
    assert f"crnn-int8@{version.digests[READ_WITH][:8]}" in json.dumps(said)
