"""The words of the web pages, in each language they speak. Plain data, taken by key."""

from shizi.service.texts.en import EN
from shizi.service.texts.zh import ZH

TEXTS: dict[str, dict[str, str]] = {"en": EN, "zh": ZH}
LANGUAGES = tuple(TEXTS)
