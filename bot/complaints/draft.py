"""A complaint that is being told: what is known of it, what is still to be asked, what is filed in the end. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

import orjson

from bot.complaints.filing import LONGEST_HAPPENED, LONGEST_LOCATION, LONGEST_WISH, MOST_ATTACHMENTS, SHORTEST, Filing
from bot.complaints.hearing import Field, Heard, tells_something
from bot.complaints.model import Kind
from bot.conversations.corrections import Correction
from bot.text import LONGEST

_PLACED = frozenset({None, Kind.COMPLAINT, Kind.HELP, Kind.REPORT})
"""Kinds of which place and time are asked; the others are told as they are."""


@dataclass(frozen=True, slots=True)
class Draft:
    """``id``: the turn that began it, by which it is filed once; ``since``: when, in ISO 8601.

    ``asked``: fields that were asked for, whether there was an answer or not; ``separate``: it is not what others
    reported; ``reachable``: the channel itself knows how to answer.
    """

    id: str
    since: str
    text: str = ""
    kind: Kind | None = None
    place: str | None = None
    when: str | None = None
    wish: str | None = None
    contact: str | None = None
    anonymous: bool = False
    urgent: bool = False
    separate: bool = False
    reachable: bool = False
    asked: tuple[Field, ...] = ()
    code: str = ""
    """The query code, once it is filed: an anonymous citizen has nothing else to come back with."""

    def absorbing(self, told: Heard) -> Self:
        """With what a text tells; what is known already stays."""
        anonymous = self.anonymous if told.anonymous is None else told.anonymous
        contact = self.contact or told.contact
        return replace(
            self,
            kind=self.kind or told.kind,
            place=self.place or told.place,
            when=self.when or told.when,
            wish=self.wish or told.wish,
            contact=None if anonymous else contact,
            anonymous=anonymous and not (told.contact and told.anonymous is None),
        )

    def told(self, text: str) -> Self:
        """With ``text`` added to what happened, where it tells something new."""
        text = text.strip()
        if not tells_something(text) or text in self.text:
            return self
        return replace(self, text=f"{self.text}\n{text}".strip()[:LONGEST])

    def with_field(self, field: Field, value: str | None) -> Self:
        """With another value of one field; None takes it away."""
        value = value.strip() if value else None
        changed = replace(self, asked=tuple(dict.fromkeys((*self.asked, field))))
        match field:
            case "place":
                return replace(changed, place=value[:LONGEST_LOCATION] if value else None)
            case "when":
                return replace(changed, when=value[:LONGEST_HAPPENED] if value else None)
            case "wish":
                return replace(changed, wish=value[:LONGEST_WISH] if value else None)
            case "contact":
                return replace(changed, contact=value, anonymous=False)
            case "kind":
                return replace(changed, kind=Kind(value) if value in set(Kind) else self.kind)
            case _:
                return replace(changed, text=(value or "")[:LONGEST])

    def corrected(self, fault: Correction) -> Self | None:
        """With ``fault.wrong`` put right wherever it stands; None where it stands nowhere."""
        if not fault.wrong:
            return None
        changed = self
        for name in ("text", "place", "when", "wish", "contact"):
            value = getattr(self, name)
            if value and fault.wrong in value:
                changed = replace(changed, **{name: value.replace(fault.wrong, fault.right)})
        if self.kind and fault.wrong == self.kind.value and fault.right in set(Kind):
            changed = replace(changed, kind=Kind(fault.right))
        return None if changed == self else changed

    def missing(self) -> Field | None:
        """What is asked next; None where enough is known. Nothing is asked twice but what happened."""
        wanted: list[Field] = []
        if not self.text:
            return "text"
        if self.kind in _PLACED:
            wanted += [] if self.place else ["place"]
            wanted += [] if self.when or self.urgent else ["when"]
        if self.kind not in (Kind.PRAISE, Kind.ENQUIRY) and not self.urgent:
            wanted += [] if self.wish else ["wish"]
        wanted += [] if self.contact or self.anonymous or self.reachable else ["contact"]
        return next((field for field in wanted if field not in self.asked), None)

    def filing(self, attachments: Iterable[str] = ()) -> Filing:
        """What is filed. Too short a cry for help is still filed."""
        text = self.text if len(self.text) >= SHORTEST else f"市民求助：{self.text}"
        return Filing(
            text=text,
            kind=self.kind,
            location=self.place,
            contact=None if self.anonymous else self.contact,
            anonymous=self.anonymous,
            attachments=tuple(attachments)[-MOST_ATTACHMENTS:],
            happened=self.when,
            wish=self.wish,
            urgent=self.urgent,
        )

    def to_json(self) -> str:
        return orjson.dumps(asdict(self)).decode()

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Reads :meth:`to_json`; raises ValueError, TypeError or KeyError for something else."""
        values: dict[str, Any] = orjson.loads(text)
        kind = values.pop("kind")
        return cls(**{**values, "kind": Kind(kind) if kind else None, "asked": tuple(values["asked"])})
