"""On which questions a draft is judged: all regression cases, the draft's own, the installation's labelled questions,
and the catalogue's typical questions asked as if it had not seen them.

Of the many only some are asked, always the same ones: all about guides that the draft changes and their siblings first,
then others by the hash of their text.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from bot.errors import InvalidInput
from bot.learning.model import Act, Change, Expected, expectations
from bot.learning.regressions import Regression
from bot.matters.model import Guide
from index.evaluation.questions import Question, QuestionsFaulty, read_questions

MOST_CASES, MOST_LABELLED, MOST_OF_CATALOGUE = 1_000, 300, 150
NEAR_SHARE = 0.5
"""Of the questions asked, how many may be about the guides that change and their siblings."""

Item = TypeVar("Item")


class Source(StrEnum):
    """Where a question comes from."""

    DRAFT = "draft"
    CASE = "case"
    LABELLED = "labelled"
    CATALOGUE = "catalogue"


SOURCE_NAMES: Mapping[Source, str] = {
    Source.DRAFT: "这次要改的",
    Source.CASE: "回归题",
    Source.LABELLED: "评测题",
    Source.CATALOGUE: "指南里的典型问题",
}


@dataclass(frozen=True, slots=True)
class Put:
    """One question to be put. ``unseen``: as if no guide held the text itself."""

    text: str
    source: Source
    expected: Expected
    context: tuple[str, ...] = ()
    unseen: bool = False


def questions(
    changes: Sequence[Change], cases: Sequence[Regression], labelled: Sequence[Question], guides: Iterable[Guide]
) -> list[Put]:
    """The questions for a draft with ``changes``. ``guides``: all of the catalogue."""
    drafted = {(text, expected): None for change in changes for text, expected in expectations(change)}
    found = [Put(text, Source.DRAFT, expected) for text, expected in drafted]
    opposed = {(text, _about(expected)) for text, expected in drafted}
    opposed |= {(change.text, change.code) for change in changes if change.act is Act.WITHDRAW}
    found += [
        Put(case.text, Source.CASE, case.expected)
        for case in cases[:MOST_CASES]
        if (case.text, _about(case.expected)) not in opposed
    ]
    families: dict[str, str] = {}
    typical: list[tuple[str, str]] = []
    for guide in guides:
        families[guide.code] = guide.catalog_code or guide.code
        typical += [(text, guide.code) for text in (*guide.questions, *(each.q for each in guide.faq))]
    near = {families[change.code] for change in changes if change.code in families}
    taken = {put.text for put in found}
    own = [each for each in labelled if each.text not in taken]
    found += [
        Put(each.text, Source.LABELLED, Expected(each.matters), each.context)
        for each in chosen(own, MOST_LABELLED, lambda q: q.text, lambda q: _near(q.matters, families, near))
    ]
    taken |= {put.text for put in found}
    others = [each for each in typical if each[0] not in taken]
    found += [
        Put(text, Source.CATALOGUE, Expected(frozenset({code})), unseen=True)
        for text, code in chosen(
            others, MOST_OF_CATALOGUE, lambda pair: "\n".join(pair), lambda pair: _near({pair[1]}, families, near)
        )
    ]
    return found


def chosen(items: Sequence[Item], most: int, text: Callable[[Item], str], near: Callable[[Item], bool]) -> list[Item]:
    """At most ``most`` of ``items``, always the same ones: up to half of them near ones, the others by their hash."""
    ordered = sorted(items, key=lambda item: hashlib.sha256(text(item).encode()).digest())
    first = [item for item in ordered if near(item)][: int(most * NEAR_SHARE)]
    kept = {id(item) for item in first}
    return [*first, *[item for item in ordered if id(item) not in kept][: most - len(first)]]


def labelled_in(file: Path, codes: Collection[str]) -> list[Question]:
    """The labelled questions of ``file`` that this catalogue can be asked: answers in it, or none at all.

    None where there is no file. Raises InvalidInput where it holds something else.
    """
    if not file.exists():
        return []
    try:
        rows = read_questions(file)
    except OSError as error:
        raise InvalidInput(f"读不到评测题 {file}：{error.strerror}。", remedy="请检查路径和权限。") from error
    except QuestionsFaulty as error:
        first = error.faults[0]
        raise InvalidInput(
            f"评测题 {file.name} 有 {len(error.faults)} 行有误，第一处：第 {first.line} 行，{first.reason}。",
            code="questions_faulty",
            remedy="请对照 docs/evaluation.md 改正，再评测一次。",
        ) from error
    return list(_asked(rows, set(codes)))


def _asked(rows: Iterable[Question], codes: Collection[str]) -> Iterator[Question]:
    for row in rows:
        if not row.answerable or row.matters & set(codes):
            yield row


def _near(codes: Collection[str], families: Mapping[str, str], near: Collection[str]) -> bool:
    return any(families.get(code) in near for code in codes)


def _about(expected: Expected) -> str:
    return expected.never or next(iter(expected.matters), "")
