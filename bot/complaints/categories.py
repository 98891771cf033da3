"""The published list of categories, two levels, and which of them a complaint belongs to.

A category is found as a power is (:mod:`index.dispatching`): by its name, the parts of it, its group's name, and
examples that are as short as the topics of a power. Longer examples decide on what is told in the same words and on
nothing else: as texts to be found by they led more complaints to wrong categories than to right ones.
"""

from __future__ import annotations

import json
import re
import threading
from dataclasses import dataclass
from pathlib import Path

from bot.errors import InvalidInput
from bot.rule_file import RuleFile, Table
from index.dispatching import Dispatcher, Dispatching, Heard
from index.normal import bare
from index.powers import PowerDocument

LONGEST_CATEGORY = 120
LONGEST_TOPIC = 10
"""Characters up to which an example is a word that people use rather than something they say."""
_SHIPPED = Path(__file__).resolve().parents[2] / "catalogue" / "complaints" / "categories.json"
_PARTS = re.compile(r"[、与和及]")
_LEAST_PART = 2


@dataclass(frozen=True)
class _List:
    """One state of the list, ready; ``owners``: the category of each example, by its bare text."""

    listed: list[Category]
    dispatcher: Dispatcher
    owners: dict[str, str]


class Categories:
    """The published list of categories. Safe to use from several threads.

    The texts are encoded when they are first needed, and again when the city publishes another list.
    """

    def __init__(self, file: RuleFile[list[Category]], dispatching: Dispatching) -> None:
        self._file = file
        self._dispatching = dispatching
        self._lock = threading.Lock()
        self._list: _List | None = None

    def nearest(self, heard: Heard) -> str:
        """The category ``大类/小类`` that what was ``heard`` belongs to."""
        known = self._current()
        return known.owners.get(bare(heard.text)) or known.dispatcher.choices(heard, most=1)[0].department

    def check(self, category: str) -> None:
        """Raises InvalidInput where the published list has no such category."""
        if all(category != each.name for each in self._file.current()):
            raise InvalidInput(f"分类表里没有“{category}”。", code="category_unknown", remedy="请从列出的分类里选择。")

    def prepare(self) -> None:
        """Encodes the list, where it is not."""
        self._current()

    def _current(self) -> _List:
        with self._lock:
            listed = self._file.current()
            if self._list is None or self._list.listed is not listed:
                owners = {bare(text): each.name for each in listed for text in each.examples}
                dispatcher = self._dispatching.over([_document(each) for each in listed], read=False)
                self._list = _List(listed, dispatcher, owners)
            return self._list


@dataclass(frozen=True, slots=True)
class Category:
    """One category of the list; ``examples`` are what citizens say that belongs there."""

    parent: str
    child: str
    examples: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.parent}/{self.child}"


def parse_categories(text: str) -> list[Category]:
    """The categories in the JSON ``text``. Raises ValueError in Chinese."""
    form = '应为 [{"name": 大类, "children": [{"name": 小类, "examples": [例句]}]}]'
    try:
        found = [
            Category(_named(parent), _named(child), tuple(str(each) for each in child.get("examples") or ()))
            for parent in json.loads(text)
            for child in parent["children"]
        ]
    except json.JSONDecodeError as error:
        raise ValueError(f"第 {error.lineno} 行不是正确的 JSON；{form}") from None
    except (KeyError, TypeError, AttributeError):
        raise ValueError(form) from None
    if not found:
        raise ValueError("至少要有一个小类")
    names = [category.name for category in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice or max(map(len, names)) > LONGEST_CATEGORY:
        raise ValueError(f"“{twice}”有两个" if twice else f"大类与小类合起来最多 {LONGEST_CATEGORY} 个字")
    return found


def _named(part: dict[str, object]) -> str:
    name = str(part["name"]).strip()
    if not name or "/" in name:
        raise ValueError("每一类都要有名称，名称里不能有斜线")
    return name


CATEGORIES = Table(
    name="complaint_categories",
    title="诉求分类表",
    file="complaint-categories.json",
    page="docs/complaints.md",
    shipped=lambda: _SHIPPED.read_text("utf-8"),
    parse=parse_categories,
)


def _document(category: Category) -> PowerDocument:
    """The category as something to be responsible for."""
    parts = [part for part in _PARTS.split(category.child) if len(part) >= _LEAST_PART]
    words = [example for example in category.examples if len(example) <= LONGEST_TOPIC]
    return PowerDocument(category.name, category.child, category.name, (*parts, category.parent, *words))
