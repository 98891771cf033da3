"""What a conversation is about (Focus), what was understood of a text, and what is replied: values and pure rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, Literal, Self

from bot.answers.compose import Offer
from bot.answers.situations import Chosen, merged
from bot.conversations.holding import Holder

Outcome = Literal["answered", "clarify", "unknown", "case", "complaint", "handoff", "smalltalk", "error"]
PendingKind = Literal["matter", "situation", "facet"]

MOST_TURNS = 3
"""Earlier texts of the citizen that are kept about the current topic."""
MOST_CANDIDATES = 3
MOST_OFFERS = 6
LONGEST_KEPT = 300
"""Characters of an earlier text that are kept: enough to find the matter again."""
MOST_SKILL_DATA = 12
LONGEST_SKILL_DATA = 500
"""Entries, and characters of one, that a skill may keep between turns."""
LONGEST_SEALED = 20_000


@dataclass(frozen=True, slots=True)
class Candidate:
    """A matter that may be meant; ``score`` is the calibrated probability, 0..1."""

    code: str
    name: str
    score: float


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply of the assistant, in the shape promised to integrators (less the conversation's id)."""

    outcome: Outcome
    messages: tuple[Mapping[str, Any], ...]
    matter: str | None = None
    candidates: tuple[Candidate, ...] = ()
    facets: tuple[str, ...] = ()
    confidence: float = 0.0
    sources: tuple[Mapping[str, Any], ...] = ()
    limited: bool = False
    """Whether it was made without the dialogue understanding; a message then says so."""
    danger: str | None = None
    """The danger that came to light while it was made, for whoever calls a person; not part of what is replied."""

    def to_dict(self) -> dict[str, Any]:
        return {
            "outcome": self.outcome,
            "matter": self.matter,
            "candidates": [asdict(candidate) for candidate in self.candidates],
            "facets": list(self.facets),
            "confidence": round(self.confidence, 4),
            "messages": [dict(message) for message in self.messages],
            "sources": [dict(source) for source in self.sources],
            "limited": self.limited,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Reads :meth:`to_dict`; raises KeyError, TypeError or ValueError where it is something else."""
        return cls(
            outcome=values["outcome"],
            messages=tuple(dict(message) for message in values["messages"]),
            matter=values["matter"],
            candidates=tuple(Candidate(c["code"], c["name"], float(c["score"])) for c in values["candidates"]),
            facets=tuple(values["facets"]),
            confidence=float(values["confidence"]),
            sources=tuple(dict(source) for source in values["sources"]),
            limited=bool(values.get("limited", False)),
        )

    @property
    def text(self) -> str:
        """All that is said, for logs and plain channels."""
        return "\n".join(str(message.get("text", "")) for message in self.messages)


SILENCE = Reply("handoff", ())
"""What the assistant says while a person has the conversation."""


@dataclass(frozen=True, slots=True)
class FacetGuess:
    name: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Understanding:
    """A citizen's text as understood. ``facets``: most probable first; ``entities``: as the NLU gives them."""

    text: str
    intent: str | None = None
    intent_confidence: float = 0.0
    facets: tuple[FacetGuess, ...] = ()
    entities: tuple[Mapping[str, Any], ...] = ()

    def has_entity(self, *kinds: str) -> bool:
        return any(entity.get("entity") in kinds for entity in self.entities)


@dataclass(frozen=True, slots=True)
class Pending:
    """A choice the assistant has offered and that may still be taken, by number, name or description.

    ``text`` is the question that led to it and ``facets`` what was asked, to be answered once the choice is made.
    """

    kind: PendingKind
    prompt: str
    offers: tuple[Offer, ...]
    text: str = ""
    facets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SkillState:
    """A skill that is not done: what it keeps between turns. While it is set that skill sees a text first.

    ``data`` is small: at most :data:`MOST_SKILL_DATA` short texts. Never a secret: the focus is stored in clear.
    ``sealed``: what is nobody else's business, sealed by the skill (base64).
    """

    name: str
    data: Mapping[str, str] = field(default_factory=dict)
    sealed: str = ""

    def __post_init__(self) -> None:
        if len(self.sealed) > LONGEST_SEALED:
            raise ValueError(f"skill {self.name} keeps too much")
        if len(self.data) > MOST_SKILL_DATA or any(len(value) > LONGEST_SKILL_DATA for value in self.data.values()):
            raise ValueError(f"skill {self.name} keeps too much")

    @property
    def awaits_secret(self) -> bool:
        """Whether what was asked for must not be kept in the log: ``data["secret"]`` says so."""
        return self.data.get("secret") == "yes"

    def with_data(self, **changes: str) -> Self:
        return replace(self, data={**self.data, **changes})


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who is talking, as far as it is known.

    ``citizen``: the name the channel vouches for, such as ``wechat:<openid>``; ``origin``: tells strangers apart (a
    digest of the client's address), for counting wrong codes. ``channel``: web, api, wechat …; ``turn_id``: the turn in
    which he speaks, the same however often it is answered.
    """

    conversation_id: str = ""
    citizen: str | None = None
    origin: str = ""
    channel: str = "conversation"
    turn_id: str = ""


@dataclass(frozen=True, slots=True)
class Focus:
    """What the conversation is about now. Small and bounded: it travels with every turn."""

    matter: str | None = None
    facets: tuple[str, ...] = ()
    """Facets answered last about ``matter``."""
    chosen: tuple[Chosen, ...] = ()
    """Situations the citizen has said, for ``matter``."""
    place: str | None = None
    turns: tuple[str, ...] = ()
    """The citizen's earlier texts about the topic, latest last."""
    pending: Pending | None = None
    skill: SkillState | None = None

    @property
    def offered_codes(self) -> tuple[str, ...]:
        """Codes of the matters that are offered now."""
        if self.pending is None or self.pending.kind != "matter":
            return ()
        return tuple(offer.payload.split(" ", 1)[0] for offer in self.pending.offers)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any] | None) -> Self:
        """Reads :meth:`to_dict`. What another release wrote and cannot be read is an empty focus, not an error."""
        try:
            return cls._read(values or {})
        except (KeyError, TypeError, ValueError):
            return cls()

    @classmethod
    def _read(cls, values: Mapping[str, Any]) -> Self:
        pending = values.get("pending")
        skill = values.get("skill")
        return cls(
            matter=values.get("matter"),
            facets=tuple(values.get("facets", ())),
            chosen=tuple(Chosen(c["question"], c["option"]) for c in values.get("chosen", ())),
            place=values.get("place"),
            turns=tuple(values.get("turns", ())),
            pending=None
            if pending is None
            else Pending(
                kind=pending["kind"],
                prompt=pending["prompt"],
                offers=tuple(Offer(o["title"], o["payload"]) for o in pending["offers"]),
                text=pending["text"],
                facets=tuple(pending["facets"]),
            ),
            skill=None
            if skill is None
            else SkillState(
                str(skill["name"]),
                {str(key): str(value) for key, value in skill["data"].items()},
                str(skill.get("sealed", "")),
            ),
        )


def with_turn(turns: Sequence[str], text: str) -> tuple[str, ...]:
    """``turns`` with ``text`` added, bounded: the text that opened the topic stays, and the latest ones."""
    text = text[:LONGEST_KEPT]
    if not text or text in turns:
        return tuple(turns)
    longer = (*turns, text)
    return longer if len(longer) <= MOST_TURNS else (longer[0], *longer[-(MOST_TURNS - 1) :])


def after_answer(
    focus: Focus,
    *,
    matter: str,
    facets: Iterable[str],
    text: str,
    joined: bool,
    chosen: Iterable[Chosen] = (),
    place: str | None = None,
    pending: Pending | None = None,
) -> Focus:
    """The focus once ``matter`` was answered about. ``joined``: the text went on with the topic."""
    same = focus.matter == matter
    return Focus(
        matter=matter,
        facets=tuple(facets),
        chosen=merged(focus.chosen if same else (), chosen),
        place=place or (focus.place if joined or same else None),
        turns=with_turn(focus.turns if joined or same else (), text),
        pending=pending,
    )


def after_offer(focus: Focus, pending: Pending, *, joined: bool) -> Focus:
    """The focus once matters were offered: the one answered about before stays until a choice is made."""
    return replace(
        focus,
        turns=with_turn(focus.turns if joined else (), pending.text),
        pending=replace(pending, text=pending.text[:LONGEST_KEPT], offers=pending.offers[:MOST_OFFERS]),
    )


def without_pending(focus: Focus) -> Focus:
    return replace(focus, pending=None)


def with_skill(focus: Focus, skill: SkillState | None) -> Focus:
    """``focus`` with another active skill, or none; a choice that is still open is dropped, for the skill asks now."""
    return replace(focus, skill=skill, pending=None if skill else focus.pending)


Answer = tuple[Reply, Focus]
"""What is said, and what the conversation is about afterwards."""


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a conversation's log; numbers run from 1 without gaps.

    ``kind``: citizen, bot, person (an operator's word), attachment (what the citizen sent beside words) or holder
    (somebody else holds the conversation now).
    """

    number: int
    kind: str
    at: datetime
    payload: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        return {"number": self.number, "kind": self.kind, "at": self.at.isoformat(), **self.payload}


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of a citizen, taken in. ``reply`` is there already where the same message came before.

    ``sender`` is what Rasa knows the conversation by; it changes now and then so that its sessions stay short.
    """

    id: str
    conversation_id: str
    sender: str
    text: str
    focus: Focus
    speaker: Speaker = field(default_factory=Speaker)
    state: Literal["mine", "busy", "answered"] = "mine"
    """mine: to be answered by the caller; busy: another turn (or the same, elsewhere) is being answered, try again."""
    holder: Holder = Holder.BOT
    """Who answers: the assistant only where it is the bot."""
    reply: Reply | None = None
    events: tuple[Event, ...] = field(default=())
