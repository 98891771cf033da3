"""Puts a published guide into an answer: asked facets first, then choices for what else is known.

Pure: every fact comes from the guide, every date from ``today`` and the calendar, every word from the templates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from bot.answers import faq, fees, limits, places, situations
from bot.answers.phrases import Phrases, facet_words
from bot.answers.render import render
from bot.answers.situations import Chosen
from bot.matters.model import Guide, PublishedGuide, Situation

OVERVIEW = ("overview",)
MOST_FURTHER = 3
"""Facets offered after an answer."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One choice: ``title`` is what people see, ``payload`` the text that a press sends."""

    title: str
    payload: str

    def to_dict(self) -> dict[str, str]:
        return {"title": self.title, "payload": self.payload}


@dataclass(frozen=True, slots=True)
class Ask:
    """What is wanted of a guide. ``text`` is the citizen's question, for places and the guide's own FAQ."""

    facets: tuple[str, ...]
    text: str = ""
    chosen: tuple[Chosen, ...] = ()
    place: str | None = None
    lead: bool = True
    """Whether to say which matter is meant (it is not said again within one topic)."""


@dataclass(frozen=True, slots=True)
class Composed:
    """An answer. ``offers`` are its choices, numbered from 1; ``question`` is set where they answer a situation."""

    messages: list[dict[str, Any]]
    sources: list[dict[str, Any]]
    facets: tuple[str, ...]
    offers: tuple[Offer, ...] = ()
    question: str | None = None
    place: str | None = None
    quoted: bool = field(default=False)
    """Whether an entry of the guide's FAQ that asks exactly this was quoted."""


def compose(
    ask: Ask, published: PublishedGuide, *, today: date, calendar: limits.Calendar, phrases: Phrases
) -> Composed:
    """The answer to ``ask`` from this guide alone."""
    guide = published.guide
    facets = ask.facets or OVERVIEW
    materials = situations.grouped(guide.materials, guide.situations, ask.chosen)
    nearest = places.nearest(guide.windows, ask.text, topic=f"{guide.name} {guide.department}")
    if nearest.place is None and ask.place:
        nearest = places.nearest(guide.windows, ask.place, topic=guide.name)
    values: dict[str, object] = {
        "guide": guide,
        "materials": materials,
        "fees": fees.views(guide.fees),
        "promised": limits.view(guide.promised_limit, today, calendar) if guide.promised_limit else None,
        "statutory": limits.view(guide.statutory_limit, today, calendar) if guide.statutory_limit else None,
        "windows": nearest.windows,
        "place": nearest.place,
        "here": nearest.here,
        "asked": facets,
    }
    sections = [(f, render(f, values, phrases=phrases, today=today)) for f in facets]
    entry = faq.exact(ask.text, guide.faq) or faq.near(ask.text, guide.faq)
    quoted = entry is not None and faq.exact(ask.text, [entry]) is not None
    if entry is not None:
        quote = ("faq", render("faq", {"entry": entry}, phrases=phrases, today=today))
        if quoted and facets == OVERVIEW:
            sections = []  # the guide itself answers exactly this; the overview would bury it
        sections = [quote, *sections] if quoted else [*sections, quote]
    sources = [_source(published, facet) for facet in facets]
    source_line = render(
        "source",
        {"guide": guide, "version": sources[0]["version"], "basis": _basis(guide)},
        phrases=phrases,
        today=today,
    )
    lead = render("lead", {"guide": guide}, phrases=phrases, today=today) if ask.lead else ""
    text = "\n".join(part for part in [lead, *(body for _, body in sections), source_line] if part)
    message: dict[str, Any] = {"kind": "text", "text": text, "card": _card(guide, sections, source_line)}

    question = materials.open_questions[0] if "materials" in facets and materials.open_questions else None
    offers = _situation_offers(guide, question) if question else _further(guide, facets)
    prompt = (
        phrases.say("clarify.situation", question=question.question.rstrip("？?"))
        if question
        else phrases.say("offer.more")
    )
    messages = [message]
    if offers:
        messages.append({"kind": "choices", "text": prompt, "choices": [offer.to_dict() for offer in offers]})
    return Composed(
        messages=messages,
        sources=sources,
        facets=facets,
        offers=offers,
        question=question.question if question else None,
        place=nearest.place or ask.place,
        quoted=quoted,
    )


def _card(guide: Guide, sections: Sequence[tuple[str, str]], source_line: str) -> dict[str, Any]:
    words = facet_words()
    return {
        "title": guide.name,
        "code": guide.code,
        "department": guide.department,
        "sections": [
            {"facet": facet, "title": words[facet].title if facet in words else "", "text": text}
            for facet, text in sections
        ],
        "source": source_line,
        "online_url": guide.online_url,
        "consult_phone": guide.consult_phone,
    }


def _basis(guide: Guide) -> str:
    """The first two entries of the legal basis as one phrase, a title named once with its articles."""
    articles: dict[str, list[str]] = {}
    for basis in guide.legal_basis[:2]:
        articles.setdefault(basis.title.strip("《》"), []).extend([basis.article] if basis.article else [])
    return "、".join(f"《{title}》{'、'.join(of_title)}" for title, of_title in articles.items())


def _source(published: PublishedGuide, facet: str) -> dict[str, Any]:
    guide = published.guide
    of_fees = "；".join(dict.fromkeys(fee.basis for fee in guide.fees if fee.basis)) if facet == "fees" else ""
    return {
        "code": guide.code,
        "name": guide.name,
        "version": guide.version or published.catalogue_version,
        "catalogue_version": published.catalogue_version,
        "department": guide.department,
        "facet": facet,
        "legal_basis": of_fees or _basis(guide) or None,
    }


def _situation_offers(guide: Guide, question: Situation) -> tuple[Offer, ...]:
    return tuple(Offer(option, f"{guide.code} {option}") for option in question.options)


def _further(guide: Guide, asked: Sequence[str]) -> tuple[Offer, ...]:
    """Facets not asked that the guide says something about, the usual ones first."""
    known = {
        "materials": bool(guide.materials),
        "fees": True,
        "time_limit": guide.promised_limit is not None,
        "where": bool(guide.windows),
        "process": bool(guide.process),
        "online": guide.online_url is not None,
        "conditions": bool(guide.conditions),
        "result": guide.result is not None,
        "contact": guide.consult_phone is not None,
    }
    in_overview = {"fees", "time_limit", "conditions", "online"} if "overview" in asked else set()
    return tuple(
        Offer(words.ask, f"{guide.code} {words.word}")
        for name, words in facet_words().items()
        if known.get(name) and name not in asked and name not in in_overview
    )[:MOST_FURTHER]
