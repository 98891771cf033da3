"""Answers about matters: from a guide, by offering a choice, or by saying that nothing is known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from bot.answers import situations
from bot.answers.compose import Ask, Composed, Offer, compose
from bot.answers.limits import Calendar
from bot.answers.phrases import Phrases
from bot.answers.situations import Chosen
from bot.conversations.model import (
    MOST_CANDIDATES,
    Candidate,
    Focus,
    Outcome,
    Pending,
    Reply,
    after_answer,
    after_offer,
    with_turn,
)
from bot.conversations.ports import Guides, Search
from bot.matters.model import PublishedGuide

NEAR = 0.12
"""A matter's score from which it is worth naming to somebody whose question nothing answers."""


class MatterAnswers:
    """Makes replies about matters. Holds no state but what it was given."""

    def __init__(self, guides: Guides, calendar: Calendar, phrases: Phrases) -> None:
        self._guides = guides
        self._calendar = calendar
        self.phrases = phrases

    def guide(self, code: str, today: date) -> PublishedGuide | None:
        """The guide in force, or None."""
        return self._guides.get(code, today)

    def valid(self, candidates: Iterable[Candidate], today: date) -> tuple[Candidate, ...]:
        """Those candidates whose guides are in force today, by the guides' own names; at most three."""
        kept = []
        for candidate in candidates:
            published = self.guide(candidate.code, today)
            if published is not None:
                kept.append(replace(candidate, name=published.guide.name))
            if len(kept) == MOST_CANDIDATES:
                break
        return tuple(kept)

    def answer(
        self,
        published: PublishedGuide,
        facets: Sequence[str],
        focus: Focus,
        *,
        text: str,
        today: date,
        chosen: Iterable[Chosen] = (),
        confidence: float = 1.0,
        candidates: tuple[Candidate, ...] = (),
        joined: bool = True,
        lead: bool | None = None,
    ) -> tuple[Reply, Focus]:
        """The facts of ``facets``. Situations the citizen said earlier about this matter, or says now, narrow them.

        ``joined``: the text goes on with the topic of ``focus``. ``lead``: whether to name the matter first; by
        default where it is not the one talked about already.
        """
        guide = published.guide
        same = focus.matter == guide.code
        said = situations.said_options(text, guide.situations)
        now = situations.merged(situations.merged(focus.chosen if same else (), said), chosen)
        composed = compose(
            Ask(
                facets=tuple(facets),
                text=text,
                chosen=now,
                place=focus.place if joined or same else None,
                lead=(not same) if lead is None else lead,
            ),
            published,
            today=today,
            calendar=self._calendar,
            phrases=self.phrases,
        )
        reply = Reply(
            outcome="answered",
            messages=tuple(composed.messages),
            matter=guide.code,
            candidates=candidates or (Candidate(guide.code, guide.name, confidence),),
            facets=composed.facets,
            confidence=confidence,
            sources=tuple(composed.sources),
        )
        after = after_answer(
            focus,
            matter=guide.code,
            facets=composed.facets,
            text=text,
            joined=joined,
            chosen=now,
            place=composed.place,
            pending=_pending(composed, text),
        )
        return reply, after

    def clarify(
        self, search: Search, facets: tuple[str, ...], focus: Focus, *, text: str, today: date
    ) -> tuple[Reply, Focus]:
        """Offers the best candidates, at most three; unknown where none of them has a guide in force."""
        candidates = self.valid(search.candidates, today)
        if not candidates:
            return self.unknown(replace(search, candidates=()), focus, today=today)
        prompt = self.phrases.say("clarify.matter" if len(candidates) > 1 else "clarify.one")
        pending = Pending("matter", prompt, offers_of(candidates), text, facets)
        reply = self._choice(
            "clarify", [choices_message(prompt, pending.offers)], candidates, facets, search.confidence
        )
        return reply, after_offer(focus, pending, joined=search.follows_up)

    def unknown(
        self,
        search: Search | None,
        focus: Focus,
        *,
        today: date,
        phrase: str = "unknown.plain",
        near: bool = True,
        text: str = "",
        facets: tuple[str, ...] = (),
    ) -> tuple[Reply, Focus]:
        """Says plainly that nothing answers, names what is near, and the way to a person.

        A question that opened no matter is remembered all the same: what follows may explain it.
        """
        near_candidates = [c for c in search.candidates if c.score >= NEAR] if search and near else []
        candidates = self.valid(near_candidates, today)
        said = f"{self.phrases.say(phrase)}{self.phrases.say('unknown.person')}"
        messages: list[dict[str, Any]] = [{"kind": "text", "text": said}]
        confidence = search.confidence if search else 0.0
        if near and text and focus.matter is None:
            focus = replace(focus, turns=with_turn(focus.turns if search and search.follows_up else (), text))
        if not candidates:
            return self._choice("unknown", messages, (), (), confidence), replace(focus, pending=None)
        prompt = self.phrases.say("unknown.near")
        pending = Pending("matter", prompt, offers_of(candidates), text, facets)
        messages.append(choices_message(prompt, pending.offers))
        return self._choice("unknown", messages, candidates, (), confidence), replace(focus, pending=pending)

    def offer_again(self, focus: Focus, phrase: str) -> tuple[Reply, Focus]:
        """The pending choice once more, introduced by ``phrase``."""
        pending = focus.pending
        if pending is None:
            raise ValueError("nothing is pending")
        candidates = tuple(
            Candidate(code, o.title, 0.0) for code, o in zip(focus.offered_codes, pending.offers, strict=False)
        )
        message = choices_message(self.phrases.say(phrase), pending.offers)
        return self._choice("clarify", [message], candidates[:MOST_CANDIDATES], pending.facets, 0.0), focus

    @staticmethod
    def _choice(
        outcome: Outcome,
        messages: Sequence[dict[str, Any]],
        candidates: tuple[Candidate, ...],
        facets: tuple[str, ...],
        confidence: float,
    ) -> Reply:
        return Reply(outcome, tuple(messages), None, candidates, facets, confidence)


def offers_of(candidates: Iterable[Candidate]) -> tuple[Offer, ...]:
    return tuple(Offer(c.name, f"{c.code} {c.name}") for c in candidates)


def choices_message(prompt: str, offers: Iterable[Offer]) -> dict[str, Any]:
    return {"kind": "choices", "text": prompt, "choices": [offer.to_dict() for offer in offers]}


def _pending(composed: Composed, text: str) -> Pending | None:
    if not composed.offers:
        return None
    prompt = str(composed.messages[-1]["text"])
    return Pending("situation" if composed.question else "facet", prompt, composed.offers, text, composed.facets)
