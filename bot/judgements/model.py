"""Judgements (好差评) as values and their rules: five levels, changed once at most, credited to who did the work."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.text import normalise

LEVELS = {5: "非常满意", 4: "满意", 3: "基本满意", 2: "不满意", 1: "非常不满意"}
"""The five levels of 政务服务“好差评”, best first."""
POOR = 2
"""Levels up to here are looked into: a rectification and a call back for every one of them."""
ANSWERABLE_FOR = timedelta(days=30)
REPLIED_WITHIN = timedelta(hours=48)
"""How long a bare digit in a conversation is taken for the answer to a question asked there."""
LONGEST_COMMENT = 500

_DIGIT = re.compile(r"(?:我?(?:打|评|给|选))?([1-5])(?:分|星)?(?:吧|了)?")
_WORDS = {word: level for level, word in LEVELS.items()}


@dataclass(frozen=True, slots=True)
class Judgement:
    """One question about ``title``, and its answer where there is one."""

    id: int
    subject: str
    occasion: str
    title: str
    unit: str
    person: str | None
    asked_at: datetime
    level: int | None
    answered_at: datetime | None
    changed: bool
    comment: str | None = None

    def may_answer(self, now: datetime) -> bool:
        """Whether an answer is still taken: the first one, or one change of it, within thirty days."""
        return not self.changed and now < self.asked_at + ANSWERABLE_FOR


def said_level(text: str) -> int | None:
    """The level that a whole text names: a digit or the word itself; None where it says something else."""
    folded = normalise(text).strip(" 。.!！")
    if match := _DIGIT.fullmatch(folded):
        return int(match.group(1))
    return _WORDS.get(folded)
