"""Labelled questions: the rows of a questions file (JSON Lines).

    {"text": "换驾照要带啥", "matter": "11…", "facet": "materials", "context": ["我驾照快到期了"]}

``matter`` is null where nothing in the catalogue answers; ``matter_any`` lists the codes where several fit equally;
``facets`` may stand for ``facet`` where a question asks for more than one thing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Question:
    """One labelled question; ``line`` is its line in the file from 1, ``matters`` is empty when unanswerable."""

    line: int
    text: str
    matters: frozenset[str]
    facets: tuple[str, ...]
    context: tuple[str, ...] = ()
    family: str | None = None

    @property
    def answerable(self) -> bool:
        """Whether some matter of the catalogue answers it."""
        return bool(self.matters)


@dataclass(frozen=True, slots=True)
class QuestionFault:
    """Why a line is not a question."""

    line: int
    field: str
    reason: str


class QuestionsFaulty(ValueError):
    """The file holds lines that are no questions; none of it is scored."""

    def __init__(self, faults: list[QuestionFault]) -> None:
        super().__init__(f"{len(faults)} faulty lines")
        self.faults = faults


def read_questions(path: Path) -> list[Question]:
    """The questions of the file at ``path``.

    Raises OSError when it cannot be read and QuestionsFaulty when any line is not a question.
    """
    return parse_questions(path.read_text(encoding="utf-8-sig", errors="replace").splitlines())


def parse_questions(lines: Iterable[str]) -> list[Question]:
    """The questions of ``lines``; blank lines are passed over. Raises QuestionsFaulty."""
    questions: list[Question] = []
    faults: list[QuestionFault] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            questions.append(_question(number, json.loads(line)))
        except json.JSONDecodeError as error:
            faults.append(QuestionFault(number, "", f"不是 JSON：第 {error.colno} 个字符处"))
        except _Faulty as fault:
            faults.append(QuestionFault(number, fault.field, fault.reason))
    if faults:
        raise QuestionsFaulty(faults)
    return questions


class _Faulty(ValueError):
    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field, self.reason = field, reason


def _question(line: int, row: object) -> Question:
    if not isinstance(row, Mapping):
        raise _Faulty("", "应为一个对象 {…}")
    text = row.get("text")
    if not isinstance(text, str) or not text.strip():
        raise _Faulty("text", "应为非空文字")
    if "matter" not in row and "matter_any" not in row:
        raise _Faulty("matter", "缺少：应为实施编码；目录中无事项可答时写 null")
    matter = row.get("matter")
    if matter is not None and not isinstance(matter, str):
        raise _Faulty("matter", "应为实施编码（文字）或 null")
    matters = frozenset(_strings(row, "matter_any")) | ({matter} if matter else frozenset())
    facets = _strings(row, "facets")
    facet = row.get("facet")
    if facet is not None and not isinstance(facet, str):
        raise _Faulty("facet", "应为一个要素名或 null")
    if facet and facet not in facets:
        facets = (facet, *facets)
    family = row.get("family")
    return Question(line, text, matters, facets, _strings(row, "context"), family if isinstance(family, str) else None)


def _strings(row: Mapping[str, Any], field: str) -> tuple[str, ...]:
    value = row.get(field)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise _Faulty(field, "应为文字的列表")
    return tuple(value)
