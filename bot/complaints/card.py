"""A complaint as its citizen sees it: the fields of its card, and the same in sentences. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from bot.answers.phrases import Phrases
from bot.clock import ZONE
from bot.complaints import numbers
from bot.complaints.draft import Draft
from bot.complaints.filing import Shown
from bot.complaints.model import Act, State

_WAY: Sequence[tuple[str, str]] = (
    ("file", "file"),
    (Act.DISPATCH, "dispatch"),
    (Act.SIGN, "sign"),
    (Act.ANSWER, "answer"),
    (Act.CLOSE, "close"),
)
"""The steps of a complaint: the act that ends each, and its name in ``phrases.toml``."""
_REACHED: Mapping[str, int] = {
    State.FILED: 1,
    State.RETURNED: 1,
    State.REOPENED: 1,
    State.DISPATCHED: 2,
    State.SIGNED: 3,
    State.PAUSED: 3,
    State.ANSWERED: 4,
    State.REVIEWED: 4,
    State.CLOSED: 5,
}
"""How many steps are done in each state."""
_OVER = frozenset({State.CLOSED, State.WITHDRAWN})
LONGEST_TEXT = 400


def card(shown: Shown, phrases: Phrases, today: date, *, with_code: bool = False) -> dict[str, Any]:
    """The fields of the card. ``with_code``: only where it was just filed."""
    state = State(shown.handled_state)
    return {
        "number": shown.number,
        "spoken": numbers.aloud(shown.number),
        "query_code": shown.query_code if with_code else None,
        "kind": shown.kind,
        "category": shown.category.rpartition("/")[2],
        "text": _short(shown.text),
        "place": shown.location,
        "when": shown.happened,
        "wish": shown.wish,
        "urgent": shown.urgent,
        "state": shown.state,
        "headline": headline(shown, phrases),
        "unit": shown.department,
        "due": due_text(shown, phrases, today) if state not in _OVER else None,
        "next": _next(state, phrases),
        "answer": shown.answer,
        "joined": shown.joined,
        "steps": list(_steps(shown, state, phrases)) if shown.state != State.WITHDRAWN else [],
        "attachments": len(shown.attachments),
        "filed_at": shown.filed_at.astimezone(ZONE).isoformat(),
    }


def text(shown: Shown, phrases: Phrases, today: date, *, with_code: bool = False) -> str:
    """The card in sentences, one a line."""
    return "\n".join(_lines(shown, phrases, today, with_code=with_code))


def headline(shown: Shown, phrases: Phrases) -> str:
    """Where it stands, in a sentence."""
    if shown.merged_into:
        where = phrases.say(f"complaint_card.{shown.handled_state}", unit=shown.department or "")
        return phrases.say("complaint_card.merged", into=numbers.aloud(shown.merged_into)) + where
    if shown.state == State.DISPATCHED or shown.department:
        return phrases.say(f"complaint_card.{shown.state}", unit=shown.department or "")
    return phrases.say(f"complaint_card.{shown.state}", unit=phrases.say("complaint_card.no_unit"))


def due_text(shown: Shown, phrases: Phrases, today: date) -> str:
    """By when it is to be closed."""
    due = shown.due_at.astimezone(ZONE)
    day = phrases.day(due.date(), today)
    words = phrases.say(
        "complaint_card.due_urgent" if shown.urgent else "complaint_card.due", day=day, time=f"{due:%H:%M}"
    )
    return words + (phrases.say("complaint_card.provisional") if shown.provisional else "")


def summary(draft: Draft, kind: str, attachments: int, phrases: Phrases) -> dict[str, Any]:
    """What will be filed, for confirming."""
    contact = draft.contact
    if draft.anonymous:
        contact = phrases.say("complaint_card.anonymous")
    elif contact is None:
        contact = phrases.say("complaint_card.by_channel" if draft.reachable else "complaint_card.no_contact")
    return {
        "kind": kind,
        "text": _short(draft.text),
        "place": draft.place,
        "when": draft.when,
        "wish": draft.wish,
        "contact": contact,
        "attachments": attachments,
    }


def summary_text(fields: Mapping[str, Any], phrases: Phrases) -> str:
    """The summary in sentences, one a line."""
    lines = [
        phrases.say(f"complaint_card.label_{name}", value=fields[name])
        for name in ("kind", "text", "place", "when", "wish", "contact")
        if fields[name]
    ]
    if fields["attachments"]:
        lines.append(phrases.say("complaint_card.label_attachments", value=fields["attachments"]))
    return "\n".join(lines)


def _lines(shown: Shown, phrases: Phrases, today: date, *, with_code: bool) -> Iterator[str]:
    say = phrases.say
    yield say("complaint_card.title", kind=shown.kind, number=numbers.aloud(shown.number))
    if with_code:
        yield say("complaint_card.code", code=shown.query_code)
    yield headline(shown, phrases)
    state = State(shown.handled_state)
    if state not in _OVER and state not in (State.ANSWERED, State.REVIEWED):
        yield due_text(shown, phrases, today)
    if shown.answer:
        yield say("complaint_card.answer", answer=shown.answer)
    following = _next(state, phrases)
    if following and shown.state != State.WITHDRAWN:
        yield following
    if shown.joined:
        yield say("complaint_card.joined", count=shown.joined)


def _next(state: State, phrases: Phrases) -> str | None:
    key = f"complaint_card.next_{state.value}"
    return phrases.say(key) if phrases.has(key) else None


def _steps(shown: Shown, state: State, phrases: Phrases) -> Iterator[Mapping[str, Any]]:
    reached = _REACHED.get(state, 1)
    for place, (act, name) in enumerate(_WAY):
        at = next((event["at"] for event in reversed(shown.events) if event["act"] == act), None)
        done = place < reached
        yield {
            "name": phrases.say(f"complaint_card.step_{name}"),
            "status": "done" if done else "now" if place == reached else "todo",
            "at": at.astimezone(ZONE).isoformat() if done and isinstance(at, datetime) else None,
        }


def _short(words: str) -> str:
    return words if len(words) <= LONGEST_TEXT else words[: LONGEST_TEXT - 1] + "…"
