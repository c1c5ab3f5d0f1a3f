"""Versions: put in whole, put in force in one move, gone back from; nothing that lost is put in force."""

import json
import multiprocessing
from pathlib import Path

import pytest
from fakes import add_version as add

from shizi import weights
from shizi.errors import OptionsError, WeightsError
from shizi.versions import READ_WITH, SHIPPED, TUNED_FROM, Versions, in_force, weights_of


@pytest.fixture
def versions(tmp_path: Path) -> Versions:
    return Versions(tmp_path / "models")


def test_without_any_the_shipped_one_is_in_force(versions: Versions) -> None:
    assert versions.current == in_force(versions.folder) == in_force(None) == SHIPPED
    assert [version.name for version in versions.list()] == [SHIPPED]
    assert weights_of(versions.folder, SHIPPED) == weights_of(None, SHIPPED) == weights.find("crnn")
    assert versions.weights(SHIPPED, TUNED_FROM) == weights.find("crnn-full")


def test_promote_and_roll_back(versions: Versions) -> None:
    first = add(versions, SHIPPED)
    assert versions.current == SHIPPED
    assert versions.promote(first.name).learned == 200
    second = add(versions, first.name, b"x")
    assert versions.promote(second.name)
    assert weights_of(versions.folder, versions.current).path.parent.name == second.name
    assert weights_of(versions.folder, second.name).label.startswith("crnn-int8@")
    assert [version.name for version in versions.list()] == [SHIPPED, *sorted([first.name, second.name])]
    assert versions.rollback().name == first.name
    assert versions.rollback().name == SHIPPED
    with pytest.raises(OptionsError, match="nothing to go back to"):
        versions.rollback()
    assert [entry["how"] for entry in versions.log()] == ["promote", "promote", "rollback", "rollback"]
    versions.promote(first.name)
    assert versions.promote(SHIPPED).name == SHIPPED == versions.current
    assert Versions(versions.folder).rollback().name == first.name


def test_one_that_lost_is_not_put_in_force(versions: Versions) -> None:
    loser = add(versions, SHIPPED, refusals=("It loses 1.0% of the lines of 'drawn'.",))
    with pytest.raises(OptionsError, match=r"It loses 1\.0%"):
        versions.promote(loser.name)
    assert versions.current == SHIPPED


def test_one_that_was_held_against_another_is_not_put_in_force(versions: Versions) -> None:
    first, rival = add(versions, SHIPPED), add(versions, SHIPPED, b"x")
    versions.promote(first.name)
    with pytest.raises(OptionsError, match="compared with shipped"):
        versions.promote(rival.name)
    with pytest.raises(OptionsError, match="in force already"):
        versions.promote(first.name)


@pytest.mark.parametrize("name", ["", "../..", "20261126-000000-00000000", "state.json", "x" * 500])
def test_a_name_that_is_none_is_refused(versions: Versions, name: str) -> None:
    with pytest.raises(OptionsError, match="shizi models list"):
        versions.promote(name)


def test_a_file_that_was_changed_is_not_read_with(versions: Versions) -> None:
    version = add(versions, SHIPPED)
    with (versions.folder / version.name / READ_WITH).open("ab") as file:
        file.write(b"tampered")
    with pytest.raises(WeightsError, match="not what was put in"):
        versions.promote(version.name)
    assert versions.current == SHIPPED


def test_a_version_without_its_files_is_not_put_in(versions: Versions) -> None:
    with versions.building() as building:
        (building / READ_WITH).write_bytes(b"x")
        with pytest.raises(WeightsError, match=TUNED_FROM):
            versions.add(building, SHIPPED, learned=0, held=0, figures={}, refusals=[])
    assert list(versions.folder.iterdir()) == []


def test_spoilt_files_are_told(versions: Versions, tmp_path: Path) -> None:
    version = add(versions, SHIPPED)
    (versions.folder / version.name / "manifest.json").write_text("{")
    with pytest.raises(WeightsError, match="manifest"):
        versions.get(version.name)
    (versions.folder / "state.json").write_text(json.dumps({"stack": []}))
    with pytest.raises(WeightsError, match="spoilt"):
        _ = versions.current
    (tmp_path / "file").write_text("")
    with pytest.raises(OptionsError, match="SHIZI_MODELS"):
        Versions(tmp_path / "file")


def _turn(folder: Path, name: str, times: int) -> None:
    """Change what is in force so many times. What the other did in between may refuse a change, in these words only."""
    versions = Versions(folder)
    changed = 0
    while changed < times:
        for change, refusal in (
            (lambda: versions.promote(name), "in force already"),
            (versions.rollback, "nothing to"),
        ):
            try:
                change()
            except OptionsError as error:
                if refusal not in str(error):
                    raise
            else:
                changed += 1
                break


def test_two_processes_never_leave_half_a_state(versions: Versions) -> None:
    version = add(versions, SHIPPED)
    context = multiprocessing.get_context("spawn")
    turning = [context.Process(target=_turn, args=(versions.folder, version.name, 15)) for _ in range(2)]
    for process in turning:
        process.start()
    while any(process.is_alive() for process in turning):
        assert versions.current in (SHIPPED, version.name)
    assert [process.exitcode for process in turning] == [0, 0]
    there, back = ("promote", SHIPPED, version.name), ("rollback", version.name, SHIPPED)
    assert [(entry["how"], entry["before"], entry["to"]) for entry in versions.log()] == [there, back] * 15
    assert versions.stack == [SHIPPED]
