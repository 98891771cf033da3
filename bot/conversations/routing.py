"""Who answers: the index, or the skill that the dialogue understanding names. Pure.

The index decides unless the understanding is sure of a dialogue act *and* the index is not sure of a matter: a plain
question misheard as small talk or a complaint must never lose its answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bot.answers.faq import bare
from bot.conversations.model import Understanding
from bot.conversations.ports import SURE, Search
from bot.conversations.reading import act_said, asks_for

Way = Literal["matter", "clarify", "unknown", "elsewhere", "private", "social", "handoff", "case", "complaint"]

SOCIAL = frozenset(
    {
        "greet",
        "thanks",
        "goodbye",
        "ask_capability",
        "smalltalk",
        "abuse",
        "satisfaction",
        "prompt_injection",
        "affirm",
        "deny",
        "repeat",
        "restart",
    }
)
SERVICES: dict[str, Way] = {
    "talk_to_human": "handoff",
    "query_case": "case",
    "file_complaint": "complaint",
    "complaint_followup": "complaint",
}


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Confidences, 0..1: from where the understanding is believed, and from where the index is not doubted."""

    social: float = 0.6
    social_over_answer: float = 0.9
    service: float = 0.85
    service_with_sign: float = 0.5
    service_over_answer: float = 0.8
    out_of_scope: float = 0.85
    index_sure: float = SURE
    index_doubtful: float = 0.45
    short: int = 8
    """Characters up to which a text may be small talk although the index would answer."""


DEFAULT = Thresholds()


@dataclass(frozen=True, slots=True)
class Route:
    """``act`` says which social act; ``complains``: a matter is answered, and the citizen may also be complaining."""

    way: Way
    act: str | None = None
    complains: bool = False


def route(understanding: Understanding, search: Search, *, elsewhere: bool = False, t: Thresholds = DEFAULT) -> Route:
    """The way this text goes. ``elsewhere``: its wording is about doing something in another city."""
    text, intent, confidence = understanding.text, understanding.intent or "", understanding.intent_confidence
    said = act_said(text)
    if said in SERVICES:
        return Route(SERVICES[said])
    if said is not None:
        return Route("social", act=said)
    if search.exact:
        return Route("matter")
    answered = search.decision == "answered"
    sure = answered and search.confidence >= t.index_sure
    if intent in SOCIAL and _is_social(text, confidence, search, t):
        return Route("social", act=intent)
    if intent in SERVICES:
        way = _service(understanding, search, t)
        if way is not None:
            return Route(way)
    if answered:
        complains = intent in ("file_complaint", "complaint_followup") and confidence >= t.service
        return Route("matter", complains=complains)
    if elsewhere and not sure:
        return Route("elsewhere")
    if intent == "out_of_scope" and confidence >= t.out_of_scope and search.confidence < t.index_doubtful:
        return Route("private")
    return Route("clarify" if search.decision == "clarify" else "unknown")


def _is_social(text: str, confidence: float, search: Search, t: Thresholds) -> bool:
    if search.decision == "unknown":
        return confidence >= t.social
    if search.decision == "clarify":
        return confidence >= t.social and search.confidence < t.index_sure
    return (
        confidence >= t.social_over_answer and search.confidence < t.social_over_answer and len(bare(text)) <= t.short
    )


def _service(understanding: Understanding, search: Search, t: Thresholds) -> Way | None:
    intent, confidence = understanding.intent or "", understanding.intent_confidence
    way, text = SERVICES[intent], understanding.text
    signed = asks_for(intent, text)
    if way == "case" and understanding.has_entity("case_number", "query_code"):
        return way
    sure = search.decision == "answered" and search.confidence >= t.index_sure
    if search.decision == "answered" and way == "complaint":
        # The guide is answered, and the way to complain is offered beside it, unless he says that he complains.
        plainly = intent == "file_complaint" and confidence >= t.service and asks_for("complain_plainly", text)
        return way if plainly else None
    if signed and confidence >= (t.service_over_answer if sure else t.service_with_sign):
        return way
    return way if confidence >= t.service and search.decision != "answered" else None
