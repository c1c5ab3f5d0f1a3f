import pytest

from shizi.charset import Charset
from shizi.training import labels

pytestmark = pytest.mark.training


@pytest.mark.parametrize(
    ("found", "learned"),
    [
        ("ＡＢＣ１２３％", "ABC123%"),
        ("价格：￥３．５０", "价格：¥3.50"),
        ("第一，第二；（三）", "第一，第二；（三）"),
        ("• 项目・二", "·项目·二"),
        ("二○二六", "二〇二六"),
        ("a–b − c", "a-b - c"),
        ("使用 Python 3 编程", "使用Python 3编程"),
        ("  two   words ", "two words"),
        ("25 ℃ ①", "25 ℃ ①"),
    ],
)
def test_one_shape_has_one_code_point(found: str, learned: str) -> None:
    assert labels.clean(found) == learned


def test_every_character_of_the_charset_is_its_own_label() -> None:
    changed = [c for c in labels.charset().characters[:-1] if labels.clean(c) != c]
    assert changed == []


def test_the_charset_is_frozen() -> None:
    charset = labels.charset()
    assert len(charset) == 8489  # blank, 8,487 characters, space: shipped models depend on the order
    assert len(set(charset.characters)) == len(charset.characters)
    assert Charset.from_metadata(charset.to_metadata()) == charset
    assert charset.encode("的!") == [charset.encode("的")[0], 1]


def test_the_charset_is_built_from_unihan(tmp_path) -> None:
    unihan = tmp_path / "Unihan_OtherMappings.txt"
    unihan.write_text("# a comment\nU+4E00\tkGB0\t5027\nU+3447\tkTGH\t2013:6602\nU+4E02\tkJis0\t1\n", "utf-8")
    built = labels.build(unihan)
    assert built[0] == "!"
    assert built[-2:] == ["㑇", "一"]
    assert "丂" not in built
    assert "、" in built
