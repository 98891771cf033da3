"""Skills that today tell the way: to a person, to a case's progress, to the complaints desk, to the emergency number.

Each is a :class:`~bot.conversations.ports.Skill`; the parts of the system that do these things themselves replace them
where the assistant is put together.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from bot.answers.phrases import Phrases
from bot.conversations.danger import GENERAL
from bot.conversations.model import Focus, Outcome, Reply
from bot.conversations.ports import Guides, Situation
from bot.matters.model import Guide


def said(outcome: Outcome, texts: Iterable[str], confidence: float = 1.0) -> Reply:
    """A reply of plain sentences."""
    return Reply(outcome, tuple({"kind": "text", "text": text} for text in texts if text), confidence=confidence)


class Referral:
    """Says one phrase, and what the guide talked about adds to it."""

    def __init__(self, outcome: Outcome, section: str, guides: Guides, phrases: Phrases) -> None:
        self._outcome = outcome
        self._section = section
        self._guides = guides
        self._phrases = phrases

    def answer(self, situation: Situation) -> tuple[Reply, Focus]:
        guide = self._talked_about(situation.focus, situation.today)
        texts = [self._phrases.say(f"{self._section}.plain"), self._about(guide) if guide else ""]
        return said(self._outcome, texts, situation.understanding.intent_confidence), situation.focus

    def _talked_about(self, focus: Focus, today: date) -> Guide | None:
        published = self._guides.get(focus.matter, today) if focus.matter else None
        return published.guide if published else None

    def _about(self, guide: Guide) -> str:
        if self._section == "complaint":
            phone = guide.complaint_phone
            return self._phrases.say("complaint.supervision", matter=guide.name, phone=phone) if phone else ""
        if guide.consult_phone:
            return self._phrases.say(f"{self._section}.about", matter=guide.name, phone=guide.consult_phone)
        key = f"{self._section}.about_no_phone"
        return self._phrases.say(key, matter=guide.name) if self._phrases.has(key) else ""


def referrals(guides: Guides, phrases: Phrases) -> dict[str, Referral]:
    """The skills by name, for an assistant whose city has nothing better yet."""
    return {
        "handoff": Referral("handoff", "handoff", guides, phrases),
        "case": Referral("case", "case", guides, phrases),
        "complaint": Referral("complaint", "complaint", guides, phrases),
    }


def emergency_texts(kind: str, phrases: Phrases) -> list[str]:
    """The number to call first, then the way to a person."""
    key = f"emergency.{kind}"
    return [phrases.say(key if phrases.has(key) else f"emergency.{GENERAL}"), phrases.say("emergency.person")]
