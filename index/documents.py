"""Which texts a matter is found by.

A citizen may hit a matter by its official name, by what people call it, by the conditions it sets, by a question
its FAQ answers or by one an editor recorded. Each becomes one row of the index; a matter scores by its best rows.
The input is the exchange format's mapping, so the index needs nothing of the rest of the product.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

LONGEST_TEXT = 120
"""Characters of a text that are encoded; what a matter is about stands at its start."""


PASSAGE_ALIASES, PASSAGE_CONDITIONS = 24, 36
"""Characters of aliases and of the conditions in the passage that a reranker reads."""


class TextKind(StrEnum):
    """Where a text of a matter comes from; curated kinds win outright when a citizen types them exactly."""

    NAME = "name"
    ALIAS = "alias"
    CONDITIONS = "conditions"
    FAQ = "faq"
    QUESTION = "question"
    MATERIALS = "materials"


CURATED = frozenset({TextKind.NAME, TextKind.ALIAS, TextKind.FAQ, TextKind.QUESTION})


@dataclass(frozen=True, slots=True)
class Text:
    """One text of one matter."""

    kind: TextKind
    text: str


@dataclass(frozen=True, slots=True)
class Document:
    """One matter as the index sees it.

    Its texts (the name first), its family of siblings, and when it may be answered from.
    """

    code: str
    name: str
    department: str
    texts: tuple[Text, ...]
    family: str = ""
    valid_from: date | None = None
    valid_to: date | None = None
    not_texts: tuple[str, ...] = ()
    """Questions it must not answer."""


def document(guide: Mapping[str, Any]) -> Document:
    """The document of ``guide`` (a mapping in the exchange format)."""
    return Document(
        code=guide["code"],
        name=guide["name"],
        department=guide.get("department") or "",
        texts=tuple(_texts(guide)),
        family=guide.get("catalog_code") or "",
        valid_from=_day(guide.get("valid_from")),
        valid_to=_day(guide.get("valid_to")),
        not_texts=tuple(dict.fromkeys(filter(None, map(_line, guide.get("not_questions") or ())))),
    )


def passage(texts: Iterable[tuple[TextKind, str]]) -> str:
    """What a reranker reads of a matter: its name, short aliases and how its conditions begin.

    ``texts`` are the matter's texts in the order of its document.
    """
    parts: list[str] = []
    room, conditions = PASSAGE_ALIASES, ""
    for kind, text in texts:
        if kind is TextKind.NAME:
            parts.insert(0, text)
        elif kind is TextKind.ALIAS and len(text) <= room:
            parts.append(text)
            room -= len(text) + 1
        elif kind is TextKind.CONDITIONS:
            conditions = text[:PASSAGE_CONDITIONS]
    return "；".join([*parts, *([conditions] if conditions else [])])


def _day(value: date | str | None) -> date | None:
    return date.fromisoformat(value) if isinstance(value, str) and value else value or None


def _texts(guide: Mapping[str, Any]) -> Iterator[Text]:
    name = guide["name"]
    seen: set[str] = set()
    for kind, text in _candidates(guide, name):
        text = _line(text)
        if text and text not in seen:
            seen.add(text)
            yield Text(kind, text)


def _line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()[:LONGEST_TEXT]


def _candidates(guide: Mapping[str, Any], name: str) -> Iterator[tuple[TextKind, str]]:
    yield TextKind.NAME, name
    for alias in guide.get("aliases") or ():
        yield TextKind.ALIAS, alias
    for question in guide.get("questions") or ():
        yield TextKind.QUESTION, question
    if guide.get("conditions"):
        yield TextKind.CONDITIONS, guide["conditions"]
    for entry in guide.get("faq") or ():
        yield TextKind.FAQ, entry["q"]
    materials: Sequence[Mapping[str, Any]] = guide.get("materials") or ()
    if materials:
        yield TextKind.MATERIALS, f"{name}：" + "、".join(m["name"] for m in materials)
