"""Which questions of a conversation were not answered well, read off its log. Pure.

The log is read again whenever the conversation goes on; what comes out for a question only grows: an answer that a
person gave later, the matter that was meant in the end.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from bot.answers.faq import bare
from bot.conversations.corrections import correction, takes_back
from bot.conversations.holding import Holder
from bot.conversations.model import Event
from bot.conversations.payloads import coded
from bot.learning.model import LONGEST_ANSWER, LONGEST_QUESTION, LONGEST_SAID, SETTLED, Cause, Missed, kept_text

LONGEST_OBJECTION = 24
"""Characters up to which a text may say no more than that the answer was wrong."""


def missed_in(events: Sequence[Event], now: datetime) -> list[Missed]:
    """The questions of one conversation's log (oldest line first) that belong on the review list, in their order."""
    listener = _Listener()
    for event in events:
        listener.hear(event)
    return listener.end(now)


class _Listener:
    """Goes through a log once."""

    def __init__(self) -> None:
        self._found: dict[int, Missed] = {}
        self._turns: dict[str, Event] = {}
        self._asked: Event | None = None
        self._pending: Missed | None = None
        """A choice that was offered and not taken yet."""
        self._answered: Missed | None = None
        """The answer given last, which may turn out to be wrong."""
        self._open: Missed | None = None
        """What a person is answering."""
        self._offered: set[str] = set()
        """Codes that the reply before named: a press of one is no wording of the citizen's."""
        self._objection = 0
        """The number of the line that said an answer was wrong: no question of its own."""
        self._holder = Holder.BOT
        self._last: datetime | None = None

    def hear(self, event: Event) -> None:
        self._last = event.at
        hearers = {"citizen": self._citizen, "bot": self._bot, "person": self._person, "holder": self._moved}
        if event.kind in hearers:
            hearers[event.kind](event)

    def end(self, now: datetime) -> list[Missed]:
        if self._last is not None and now - self._last >= SETTLED:
            self._give_up()
        return [self._found[number] for number in sorted(self._found)]

    def _citizen(self, event: Event) -> None:
        text = str(event.payload.get("text", ""))
        self._asked = event
        if turn := event.payload.get("turn_id"):
            self._turns[str(turn)] = event
        if self._holder is Holder.BOT and self._answered is not None and self._objects(text, self._answered):
            self._keep(self._answered)
            self._open, self._answered = self._answered, None
            self._objection = event.number

    def _bot(self, event: Event) -> None:
        asked = self._turns.get(str(event.payload.get("turn_id")))
        if asked is None or (asked.number == self._objection and event.payload.get("outcome") != "answered"):
            return
        outcome = event.payload.get("outcome")
        missed = _missed(asked, event)
        pressed = any(each.code in self._offered for each in coded(str(asked.payload.get("text", ""))))
        self._offered = {code for code, _ in missed.candidates}
        if outcome == "answered":
            self._settle(missed, pressed=pressed)
        elif outcome == "unknown":
            self._give_up()
            if not pressed and missed.text:
                self._keep(missed)
                self._open = missed
            self._answered = None
        elif outcome == "clarify":
            if self._pending is None and not pressed and missed.text:
                self._pending = missed
            self._answered = None
        elif outcome == "handoff":
            self._give_up()

    def _settle(self, missed: Missed, *, pressed: bool) -> None:
        """An answer: what was offered before led to it, and what was unknown before may have meant it."""
        question = self._pending or (self._open if pressed else None)
        if self._open is not None and (pressed or self._open.cause is Cause.CORRECTED) and self._open.then is None:
            self._keep(replace(self._open, then=missed.matter))
        text = question.text if pressed and question is not None else missed.text
        number = question.event if pressed and question is not None else missed.event
        self._answered = replace(missed, text=text, event=number, cause=Cause.CORRECTED) if text else None
        self._pending = self._open = None

    def _moved(self, event: Event) -> None:
        self._holder = Holder(event.payload["holder"])
        if self._holder in (Holder.WAITING, Holder.PERSON):
            self._give_up()
        else:
            self._open = self._answered = None

    def _person(self, event: Event) -> None:
        guide = event.payload.get("guide") or {}
        said = " ".join(str(message.get("text", "")) for message in event.payload.get("messages", ()))
        by = str(event.payload.get("operator", ""))
        own = not guide and not any(message.get("card") for message in event.payload.get("messages", ()))
        if guide.get("edited") and self._asked is not None:
            text = kept_text(str(self._asked.payload.get("text", "")), LONGEST_QUESTION)
            edited = Missed(self._asked.number, self._asked.at, Cause.EDITED, text, "", str(guide["code"]), 0.0)
            if text and edited.event not in self._found:
                self._keep(replace(edited, answer=kept_text(said, LONGEST_ANSWER), answered_by=by))
                return
        if self._open is None and own and self._holder is Holder.PERSON:
            self._open = self._answered  # the citizen had an answer, and yet a person had to give another
        if self._open is None or event.payload.get("complaint"):
            return
        answer = kept_text(f"{self._open.answer} {said}", LONGEST_ANSWER)
        self._keep(replace(self._open, answer=answer, answered_by=by))

    def _give_up(self) -> None:
        """What was offered led nowhere."""
        if self._pending is not None:
            self._keep(self._pending)
            self._open, self._pending = self._pending, None

    def _keep(self, missed: Missed) -> None:
        self._found[missed.event] = missed
        if self._open is not None and self._open.event == missed.event:
            self._open = missed

    @staticmethod
    def _objects(text: str, answered: Missed) -> bool:
        """Whether the citizen says that the answer was wrong."""
        if len(text) <= LONGEST_OBJECTION and any(pattern.search(bare(text)) for pattern in _wrong()):
            return True
        corrected = correction(text)
        names = [name for code, name in answered.candidates if code == answered.matter]
        return bool(corrected and names and takes_back(corrected.wrong, names[0], corrected.right))


def _missed(asked: Event, answer: Event) -> Missed:
    payload: Mapping[str, Any] = answer.payload
    said = " ".join(str(message.get("text", "")) for message in payload.get("messages", ()))
    cause = Cause.UNKNOWN if payload.get("outcome") == "unknown" else Cause.UNCLEAR
    return Missed(
        event=asked.number,
        at=asked.at,
        cause=cause,
        text=kept_text(str(asked.payload.get("text", "")), LONGEST_QUESTION),
        said=kept_text(said, LONGEST_SAID),
        matter=payload.get("matter"),
        confidence=float(payload.get("confidence") or 0.0),
        candidates=tuple((str(c["code"]), str(c["name"])) for c in payload.get("candidates", ())),
    )


@cache
def _wrong() -> tuple[re.Pattern[str], ...]:
    wording = tomllib.loads((Path(__file__).parent / "wording.toml").read_text("utf-8"))
    return tuple(re.compile(pattern) for pattern in wording["wrong"])
