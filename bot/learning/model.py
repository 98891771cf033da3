"""What was not known, what editors change because of it, when a question is answered right. Values and pure rules."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import orjson

from bot.errors import InvalidInput
from bot.masking import masked
from bot.matters.additions import Addition, AdditionKind
from bot.text import is_blank

LONGEST_QUESTION = 300
LONGEST_SAID = 600
LONGEST_ANSWER = 1_000
LONGEST_REASON = 200
LONGEST_TEXT, LONGEST_FAQ_ANSWER = 120, 2_000
"""Characters of an added text, and of the answer of an added faq."""
MOST_CHANGES = 200
"""Changes of one draft: more cannot be looked through before they are published."""
MOST_EXAMPLES = 5
"""Wordings of one change that become regression cases."""
SETTLED = timedelta(minutes=10)
"""Silence after which a choice that was offered and not taken counts as unresolved."""
NEAR = 0.5
"""Mean cosine with the questions of a group from which a question joins it. Of the sample city's 998 development
questions without context that makes 154 groups: 83 in a hundred are of the matter most of their group is about, 93 of
its family. (Against the middle of a group alone large groups grow ever more general, and draw in everything.)"""


class Cause(StrEnum):
    """Why a question is on the review list."""

    UNKNOWN = "unknown"
    UNCLEAR = "unclear"
    CORRECTED = "corrected"
    EDITED = "edited"


CAUSE_NAMES: Mapping[Cause, str] = {
    Cause.UNKNOWN: "没答上",
    Cause.UNCLEAR: "反问后没有结果",
    Cause.CORRECTED: "答得不对",
    Cause.EDITED: "坐席改过再发",
}


class Stage(StrEnum):
    """Where a group of questions is."""

    OPEN = "open"
    DRAFTED = "drafted"
    DONE = "done"
    DISMISSED = "dismissed"


STAGE_NAMES: Mapping[Stage, str] = {
    Stage.OPEN: "待看",
    Stage.DRAFTED: "在草稿里",
    Stage.DONE: "已发布",
    Stage.DISMISSED: "不用处理",
}


@dataclass(frozen=True, slots=True)
class Missed:
    """A question of the log that was not answered well. ``event``: its number; all texts are masked.

    ``matter``: what it was answered about; ``candidates``: codes and names that were considered; ``then``: the matter
    that answered in the end; ``answer``: what a person said to it.
    """

    event: int
    at: datetime
    cause: Cause
    text: str
    said: str
    matter: str | None
    confidence: float
    candidates: tuple[tuple[str, str], ...] = ()
    then: str | None = None
    answer: str = ""
    answered_by: str = ""


class Act(StrEnum):
    """What a change of a draft does: adds one of four kinds of text to a guide, or takes an addition back."""

    ALIAS = "alias"
    QUESTION = "question"
    FAQ = "faq"
    NOT = "not"
    WITHDRAW = "withdraw"


ACT_NAMES: Mapping[Act, str] = {
    Act.QUESTION: "相似问法",
    Act.ALIAS: "别名",
    Act.FAQ: "常见问题",
    Act.NOT: "不答的问题",
    Act.WITHDRAW: "撤下以前补充的",
}


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a draft. ``kind`` says for WITHDRAW what is taken back; else it is the same as ``act``.

    ``examples``: citizens' own wordings that must be answered so from now on (or, for NOT, not so).
    """

    id: int
    act: Act
    kind: AdditionKind
    code: str
    text: str
    answer: str | None
    examples: tuple[str, ...]
    group_id: int | None
    by: str
    at: datetime

    @property
    def addition(self) -> Addition:
        return Addition(self.code, self.kind, self.text, self.answer)


@dataclass(frozen=True, slots=True)
class Expected:
    """What is right for a question: one of ``matters`` (none: nothing answers it), or, where given, not ``never``."""

    matters: frozenset[str] = frozenset()
    never: str | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """What a question got. ``offered``: codes to choose from."""

    outcome: str
    matter: str | None
    offered: tuple[str, ...] = ()
    confidence: float = 0.0


RIGHT, HALF, WRONG = 1.0, 0.5, 0.0


def judged(expected: Expected, given: Given) -> float:
    """1 for right, 0.5 for a choice that leads there (or only offers what should not be), 0 for wrong."""
    offered = given.outcome == "clarify"
    if expected.never is not None:
        if given.outcome == "answered" and given.matter == expected.never:
            return WRONG
        return HALF if offered and expected.never in given.offered else RIGHT
    if expected.matters:
        if given.outcome == "answered":
            return RIGHT if given.matter in expected.matters else WRONG
        return HALF if offered and expected.matters & set(given.offered) else WRONG
    return WRONG if given.outcome == "answered" else HALF if offered else RIGHT


def content_digest(base: str, changes: Iterable[Change]) -> str:
    """What exactly was evaluated: the base version and every change, in whatever order. SHA-256."""
    parts = sorted(
        orjson.dumps([change.act, change.kind, change.code, change.text, change.answer, sorted(change.examples)])
        for change in changes
    )
    return hashlib.sha256(b"\n".join([base.encode(), *parts])).hexdigest()


def expectations(change: Change) -> list[tuple[str, Expected]]:
    """The regression cases of a change: its own text, and the wordings that go with it. None for a withdrawal."""
    if change.act is Act.WITHDRAW:
        return []
    not_it = change.act is Act.NOT
    expected = Expected(never=change.code) if not_it else Expected(frozenset({change.code}))
    return [(text, expected) for text in dict.fromkeys((change.text, *change.examples))]


def checked_line(text: str, longest: int, what: str) -> str:
    """``text`` on one line, as it is shown to people; raises InvalidInput, naming ``what``, where it cannot be used."""
    if is_blank(text):
        raise InvalidInput(f"{what}是空的。", code="blank_text", remedy=f"请写上{what}。")
    text = " ".join(text.split())
    if len(text) > longest:
        raise InvalidInput(f"{what}太长（最多 {longest} 个字）。", code="text_too_long", remedy="请写得短一些。")
    if any(ord(character) < 32 or ord(character) == 127 for character in text):
        raise InvalidInput(f"{what}里有看不见的控制字符。", code="control_characters", remedy="请重新打一遍。")
    return text


def checked_question(text: str, what: str) -> str:
    """A text by which a matter is found: short, and without anybody's numbers. Raises InvalidInput."""
    text = checked_line(text, LONGEST_TEXT, what)
    if "*" in masked(text):
        raise InvalidInput(
            f"{what}里有像证件号、手机号的数字。", code="personal_data", remedy="请删去个人信息，指南是公开的。"
        )
    return text


def checked_prose(text: str, longest: int, what: str) -> str:
    """The same for a text of several lines."""
    lines = [" ".join(line.split()) for line in text.replace("\r\n", "\n").split("\n")]
    joined = "\n".join(line for line in lines if line)
    for line in joined.split("\n"):
        checked_line(line, longest, what)
    if len(joined) > longest:
        raise InvalidInput(f"{what}太长（最多 {longest} 个字）。", code="text_too_long", remedy="请写得短一些。")
    return joined


def kept_text(text: str, longest: int) -> str:
    """A citizen's or operator's words as they are kept: masked, on one line, bounded."""
    hidden = masked(text)
    shown = text if hidden == unicodedata.normalize("NFKC", text) else hidden
    return " ".join(shown.split())[:longest]


def wordings(texts: Sequence[str], but: Collection[str] = ()) -> list[str]:
    """Different wordings in their order, at most as many as may become regression cases."""
    different = dict.fromkeys(
        text for text in texts if text not in but and "*" not in text and len(text) <= LONGEST_TEXT
    )
    return list(different)[:MOST_EXAMPLES]
