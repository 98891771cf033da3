"""Help for the operator: the passages of the guides that answer what the citizen said, each with its source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from bot.answers.compose import Ask, compose
from bot.answers.limits import Calendar
from bot.answers.phrases import Phrases
from bot.conversations.facets import asked_facets
from bot.conversations.model import Focus
from bot.conversations.ports import FinderNow, Guides
from bot.conversations.reading import read
from bot.errors import NotFound
from bot.text import is_blank, normalise

MOST = 3
COMPARABLE = 0.1
"""Passages less likely than this part of the best are left out: beside a sure answer they are only in the way."""


@dataclass(frozen=True, slots=True)
class Passage:
    """One matter's answer. ``score``: the calibrated probability that it is meant, 0..1; ``text`` names its source."""

    code: str
    name: str
    department: str
    score: float
    text: str


NOTICE = ("conditions", "materials", "process", "time_limit", "fees", "where", "contact")
"""What a citizen is told at once and completely (一次性告知; 行政许可法 arts. 30 and 32)."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is sent: as text, and the same as a card."""

    text: str
    card: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Cited:
    """A guide's words that went through the operator's hands. ``edited``: not all of them are left as they were."""

    text: str
    code: str
    edited: bool


class Assist:
    """Looks up what the assistant would look up, and leaves the choice to the operator."""

    def __init__(self, finder: FinderNow, guides: Guides, calendar: Calendar, phrases: Phrases) -> None:
        self._finder = finder
        self._guides = guides
        self._calendar = calendar
        self._phrases = phrases

    def passages(self, text: str, today: date, *, matter: str | None = None) -> Sequence[Passage]:
        """The best passages for ``text``, best first; ``matter``: what was talked about. Raises Unavailable."""
        text = normalise(text)
        if is_blank(text):
            return []
        found = self._finder().find(text, focus=matter, today=today)
        facets = asked_facets(read(text), Focus(matter=matter), follows_up=found.kept_focus)
        passages = []
        least = max((candidate.score for candidate in found.candidates), default=0.0) * COMPARABLE
        for candidate in found.candidates[:MOST]:
            if candidate.score < least:
                continue
            published = self._guides.get(candidate.code, today)
            if published is None:
                continue
            ask = Ask(tuple(facets), text)
            composed = compose(ask, published, today=today, calendar=self._calendar, phrases=self._phrases)
            texts = [str(message["text"]) for message in composed.messages if message.get("kind") == "text"]
            guide = published.guide
            passages.append(Passage(guide.code, guide.name, guide.department, candidate.score, "\n".join(texts)))
        return passages

    def prepared(self, code: str, asked: str, today: date, *, notice: bool = False) -> Prepared:
        """What the guide ``code`` says to ``asked``; ``notice``: everything one must know before one comes.

        Raises NotFound where no such guide is in force.
        """
        published = self._guides.get(code, today)
        if published is None:
            raise NotFound("没有这个事项，或者今天不在有效期内。", code="guide_not_found", remedy="请换一个事项再发。")
        asked = "" if notice else normalise(asked)
        facets = NOTICE if notice else tuple(asked_facets(read(asked), Focus(), follows_up=False)) if asked else ()
        ask = Ask(tuple(facets), asked)
        composed = compose(ask, published, today=today, calendar=self._calendar, phrases=self._phrases)
        message = next(each for each in composed.messages if each.get("kind") == "text")
        lead = self._phrases.say("handoff.notice", matter=published.guide.name) if notice else ""
        text = "\n".join(part for part in (lead, str(message["text"])) if part)
        return Prepared(text, message.get("card"))

    def cited(self, code: str, asked: str, text: str, today: date) -> Cited:
        """``text``, which the operator made of what the guide ``code`` says to ``asked``, with its source and, where it
        was edited, a word that it was. Raises NotFound where no such guide is in force.
        """
        prepared = self.prepared(code, asked, today)
        text = "\n".join(text.splitlines()).strip()
        edited = prepared.text not in text
        source = str(prepared.card["source"]) if prepared.card else ""
        said = [text, self._phrases.say("handoff.edited") if edited else "", source if source not in text else ""]
        return Cited("\n".join(part for part in said if part), code, edited)
