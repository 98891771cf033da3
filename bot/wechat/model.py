"""Messages of the Official Account and the platform's rules on answering them: values and pure rules.

The rules are the platform's (微信公众平台 开发文档: 接收消息, 被动回复, 客服消息).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Self

MESSAGE_WINDOW = timedelta(hours=48)
MESSAGE_COUNT = 5
"""A citizen's message allows this many customer-service messages for so long."""
ACTION_WINDOW = timedelta(minutes=1)
ACTION_COUNT = 3
"""A menu click, a follow or a scan allows this many for so long."""
ACTIONS = frozenset({"subscribe", "scan", "click"})
"""Events that open the short window."""
YOUNGEST_LOST = MESSAGE_WINDOW
"""A message older than this can no longer be answered: the window is closed."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message or event. ``kind`` is ``text``, ``image`` … or ``event``; ``event`` in lower case.

    ``fields`` holds what else the kind carries, by the platform's names (``Content``, ``MediaId``, ``EventKey`` …).
    ``sent_at`` in seconds since 1970, by the platform's clock.
    """

    kind: str
    openid: str
    account: str
    sent_at: int
    message_id: str = ""
    event: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "fields": dict(self.fields)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        return cls(**values)

    @property
    def citizen(self) -> str:
        """The name conversations know the sender by."""
        return f"wechat:{self.openid}"


def identity(message: Message) -> str:
    """The same for every post of the same message: MsgId, for events who, when, what and about what."""
    if message.message_id:
        parts: tuple[str, ...] = ("message", message.message_id)
    else:
        key = message.fields.get("EventKey", "")
        parts = (message.kind, message.openid, str(message.sent_at), message.event, key)
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said to a message. ``parts`` are texts that each fit a message; ``choices`` the titles to choose from.

    Without parts nothing is said. ``prompt`` leads the choices where they are sent as a menu of their own.
    """

    parts: tuple[str, ...] = ()
    prompt: str = ""
    choices: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return {"parts": list(self.parts), "prompt": self.prompt, "choices": list(self.choices)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        return cls(tuple(values["parts"]), values["prompt"], tuple(values["choices"]))


SILENCE = Answer()


@dataclass(frozen=True, slots=True)
class Windows:
    """Until when and how many customer-service messages one citizen may still be sent, by message and by action."""

    message_until: datetime | None = None
    message_left: int = 0
    action_until: datetime | None = None
    action_left: int = 0

    def left(self, now: datetime) -> int:
        """How many may be sent now."""
        by_message = self.message_left if _open(self.message_until, now) else 0
        return by_message + (self.action_left if _open(self.action_until, now) else 0)

    def closes(self, now: datetime) -> datetime | None:
        """Until when something may still be sent; None where nothing may."""
        by_message = self.message_until if self.message_left and _open(self.message_until, now) else None
        by_action = self.action_until if self.action_left and _open(self.action_until, now) else None
        return max((until for until in (by_message, by_action) if until is not None), default=None)

    def spent(self, now: datetime) -> Windows:
        """One sent: out of the window that closes first. Raises ValueError where none may be sent."""
        if _open(self.action_until, now) and self.action_left:
            return replace(self, action_left=self.action_left - 1)
        if _open(self.message_until, now) and self.message_left:
            return replace(self, message_left=self.message_left - 1)
        raise ValueError("no customer-service message may be sent now")


def opened(windows: Windows, message: Message, now: datetime) -> Windows:
    """The windows after ``message``: each kind of contact starts its own anew. The sender's time counts, not ours."""
    since = min(now, datetime.fromtimestamp(message.sent_at, now.tzinfo))
    if message.kind != "event":
        return replace(windows, message_until=since + MESSAGE_WINDOW, message_left=MESSAGE_COUNT)
    if message.event in ACTIONS:
        return replace(windows, action_until=since + ACTION_WINDOW, action_left=ACTION_COUNT)
    return windows


def together(texts: Sequence[str], longest: int) -> tuple[str, ...]:
    """``texts`` in as few messages of at most ``longest`` UTF-8 bytes as their order allows."""
    joined: list[str] = []
    for text in texts:
        if joined and len(f"{joined[-1]}\n\n{text}".encode()) <= longest:
            joined[-1] = f"{joined[-1]}\n\n{text}"
        else:
            joined.append(text)
    return tuple(joined)


def _open(until: datetime | None, now: datetime) -> bool:
    return until is not None and now < until
