"""The phrases of ``phrases.toml`` and the facet names of ``facets.toml``: citizen-facing words kept out of the code."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True)
class FacetWords:
    """How one facet is called: ``title`` heads a section, ``word`` stands in payloads, ``ask`` labels a choice."""

    title: str
    word: str
    ask: str


@cache
def _table(name: str) -> dict[str, Any]:
    return tomllib.loads(files("bot.answers").joinpath(name).read_text(encoding="utf-8"))


@cache
def facet_words() -> dict[str, FacetWords]:
    """Facet name → words, in the order in which facets are offered."""
    return {name: FacetWords(**words) for name, words in _table("facets.toml").items()}


def facet_of_word(word: str) -> str | None:
    """The facet whose payload word, label or title is exactly ``word``."""
    word = word.strip()
    for name, words in facet_words().items():
        if word in (words.word, words.ask, words.title):
            return name
    return None


@dataclass(frozen=True, slots=True)
class Phrases:
    """Says a phrase by its ``section.name``; the city's name and hotline fill in by themselves."""

    city: str
    hotline: str

    def say(self, key: str, **values: object) -> str:
        """The phrase in full. KeyError for a key that the file does not hold: a programming fault."""
        section, name = key.split(".")
        template: str = _table("phrases.toml")[section][name]
        return template.format(city=self.city, hotline=self.hotline, **values)

    def has(self, key: str) -> bool:
        section, name = key.split(".")
        return name in _table("phrases.toml").get(section, {})

    def day(self, day: date, today: date) -> str:
        """A date in words with its weekday; the year is said where it is another than today's."""
        words = _table("phrases.toml")["day"]
        template: str = words["words"] if day.year == today.year else words["other_year"]
        return template.format(year=day.year, month=day.month, day=day.day, weekday=words["weekdays"][day.weekday()])
