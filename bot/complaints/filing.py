"""What a citizen hands in, checked; and what he gets for it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson

from bot.complaints.model import Kind
from bot.errors import InvalidInput
from bot.text import LONGEST, is_blank

SHORTEST = 4
LONGEST_LOCATION = 200
LONGEST_CONTACT = 100
MOST_ATTACHMENTS = 9
LONGEST_HAPPENED = 100
LONGEST_WISH = 200
LONGEST_KEY = 200


@dataclass(frozen=True, slots=True)
class Filing:
    """A complaint as it is handed in.

    ``happened``: when, in the citizen's words; ``wish``: what he wants done; ``urgent``: whoever takes it in knows of a
    danger, whatever the text alone is judged to be.
    """

    text: str
    kind: Kind | None = None
    location: str | None = None
    contact: str | None = None
    anonymous: bool = False
    attachments: tuple[str, ...] = ()
    case_number: str | None = None
    happened: str | None = None
    wish: str | None = None
    urgent: bool = False
    category: str | None = None
    """``大类/小类`` where whoever files it chose one of the published list; else the text decides."""

    @property
    def digest(self) -> str:
        """Tells one filing from another."""
        parts: list[object] = [self.text, self.kind, self.location, self.contact, self.anonymous, self.attachments]
        parts += [self.case_number, *((self.happened, self.wish, self.urgent) if self._says_more else ())]
        if self.category is not None:
            parts.append(self.category)
        return hashlib.sha256(orjson.dumps(parts)).hexdigest()

    @property
    def _says_more(self) -> bool:
        return bool(self.happened or self.wish or self.urgent)


@dataclass(frozen=True, slots=True)
class Asker:
    """Who files or asks: the channel, what tells strangers apart, and whom the channel vouches for."""

    channel: str
    origin: str = ""
    citizen: str | None = None
    conversation_id: str | None = None

    @property
    def name(self) -> str:
        """What requests and wrong codes are counted by."""
        return self.citizen or self.origin or self.conversation_id or self.channel


@dataclass(frozen=True)
class Shown:
    """A complaint as whoever knows its code sees it."""

    number: str
    query_code: str
    text: str
    kind: str
    category: str
    urgent: bool
    department: str | None
    co_departments: tuple[str, ...]
    candidates: tuple[Mapping[str, Any], ...]
    state: str
    version: int
    filed_at: datetime
    due_at: datetime
    provisional: bool
    location: str | None
    case_number: str | None
    duplicate_of: str | None
    answer: str | None
    events: tuple[Mapping[str, Any], ...]
    repeated: bool = False
    danger: str | None = None
    happened: str | None = None
    wish: str | None = None
    contact: str | None = None
    anonymous: bool = False
    attachments: tuple[str, ...] = ()
    joined: int = 0
    """How many others joined it."""
    merged_into: str | None = None
    """The complaint it is handled with; unit, deadline and answer shown are that one's."""
    merged_state: str | None = None
    as_joiner: bool = False
    """Seen by somebody who joined: of whoever filed it nothing is shown."""

    @property
    def handled_state(self) -> str:
        """Where the handling stands: of the complaint it was merged into, where it was."""
        return self.merged_state or self.state


def checked(filing: Filing) -> Filing:
    """``filing`` with white space trimmed. Raises InvalidInput that says what is wrong."""
    text = filing.text.strip()
    if is_blank(text) or len(text) < SHORTEST:
        raise InvalidInput(
            "请写明发生了什么。", code="complaint_empty", remedy=f"至少 {SHORTEST} 个字：什么事、在哪里、什么时候。"
        )
    if len(text) > LONGEST:
        raise InvalidInput(
            f"内容太长，最多 {LONGEST} 个字。", code="complaint_too_long", remedy="请写主要的情况，其余可作附件。"
        )
    location = _bounded(filing.location, LONGEST_LOCATION, "地点")
    contact = _bounded(filing.contact, LONGEST_CONTACT, "联系方式")
    if filing.anonymous and contact:
        raise InvalidInput(
            "匿名诉求不能带联系方式。", code="complaint_anonymous_contact", remedy="请去掉联系方式，或不选匿名。"
        )
    if len(filing.attachments) > MOST_ATTACHMENTS:
        raise InvalidInput(
            f"附件最多 {MOST_ATTACHMENTS} 个。", code="complaint_attachments", remedy="请挑选最能说明情况的。"
        )
    case_number = _bounded(filing.case_number, 64, "办件编号")
    happened = _bounded(filing.happened, LONGEST_HAPPENED, "发生时间")
    wish = _bounded(filing.wish, LONGEST_WISH, "希望怎么解决")
    return replace(
        filing,
        text=text,
        location=location,
        contact=contact,
        attachments=tuple(filing.attachments),
        case_number=case_number,
        happened=happened,
        wish=wish,
    )


def checked_key(key: str | None) -> str | None:
    """The Idempotency-Key as compared. Raises InvalidInput."""
    if key is None or not key.strip():
        return None
    if len(key) > LONGEST_KEY:
        raise InvalidInput(
            "Idempotency-Key 太长。", code="idempotency_key_invalid", remedy=f"最多 {LONGEST_KEY} 个字符。"
        )
    return key.strip()


def _bounded(value: str | None, longest: int, name: str) -> str | None:
    value = (value or "").strip()
    if len(value) > longest:
        raise InvalidInput(f"{name}太长。", code="complaint_field_too_long", remedy=f"最多 {longest} 个字。")
    return value or None
