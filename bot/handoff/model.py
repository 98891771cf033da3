"""Calls for a person: why, in which queue, how long it may take, what is overdue. Values and pure rules."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

LONGEST_REPLY = 2_000
LONGEST_NOTE = 1_000
LONGEST_TAG = 20
MOST_TAGS = 8
LONGEST_SALUTATION = 20
PHONE = "phone"
"""The channel of conversations on the telephone."""
FAILURES = 2
"""Questions in a row that the assistant could not answer, after which a person is called."""


class Reason(StrEnum):
    """Why a person was called."""

    ASKED = "asked"
    FAILURES = "failures"
    DANGER = "danger"
    ANGER = "anger"
    RULE = "rule"
    STEPPED_IN = "stepped_in"
    PHONED = "phoned"


REASON_NAMES: Mapping[Reason, str] = {
    Reason.ASKED: "市民要求",
    Reason.FAILURES: "连续两次没答上",
    Reason.DANGER: "有危险",
    Reason.ANGER: "市民不满",
    Reason.RULE: "按规则",
    Reason.STEPPED_IN: "坐席介入",
    Reason.PHONED: "来电",
}


class Kind(StrEnum):
    """A call in the conversation, or a message left to be answered."""

    LIVE = "live"
    MESSAGE = "message"


class Presence(StrEnum):
    """Whether an operator takes conversations."""

    ONLINE = "online"
    AWAY = "away"
    OFFLINE = "offline"


PRESENCE_NAMES: Mapping[Presence, str] = {
    Presence.ONLINE: "在线",
    Presence.AWAY: "暂离",
    Presence.OFFLINE: "离线",
}

OTHER_OUTCOMES: Mapping[str, str] = {
    "returned": "交回问办",
    "answered": "留言已答复",
    "withdrawn": "市民不等了",
    "nobody": "没有坐席接",
    "broken_off": "坐席离线，来电中断",
    "expired": "保存期满，没有答复",
}
"""How a call ends otherwise than by a person's choice of :data:`OUTCOME_NAMES`."""

OUTCOME_NAMES: Mapping[str, str] = {
    "solved": "已解决",
    "referred": "已指引到窗口或热线",
    "filed": "已登记诉求",
    "unsolved": "没能解决",
    "no_answer": "市民没有回应",
}
"""How a person ends a conversation."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The numbers of ``desk.toml``; times as timedelta."""

    parallel: int
    first_reply: timedelta
    silent: timedelta
    give_up: timedelta
    gone: timedelta
    alone: timedelta
    expected: timedelta
    message: timedelta
    offer: timedelta
    """How long one operator is asked first; zero: nobody is."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call for a person, as the rules look at it."""

    id: int
    queue: str
    urgent: bool
    asked_at: datetime
    taken_at: datetime | None = None
    first_reply_at: datetime | None = None
    unanswered_since: datetime | None = None
    reminded_at: datetime | None = None


def in_order(calls: Sequence[Call]) -> list[Call]:
    """The order in which they are taken: danger first, then who asked first, also where somebody handed it back."""
    return sorted(calls, key=lambda call: (not call.urgent, call.asked_at, call.id))


def position(calls: Sequence[Call], call_id: int) -> int:
    """The place in the queue, from 1. Raises ValueError for a call that does not wait."""
    return [call.id for call in in_order(calls)].index(call_id) + 1


NEAR = 5
"""Who stands so near the front hears of every step."""
FAR_STEP = 0.8
"""Who stands farther back hears when so much of his place is left: a long queue is not told at every taking."""


def moved_up(told: int | None, place: int) -> bool:
    """Whether the citizen who was last ``told`` a place hears that it is ``place`` now."""
    return told is None or (place < told and (place <= NEAR or place <= told * FAR_STEP))


def estimate(place: int, operators: int, each: timedelta, parallel: int) -> timedelta:
    """How long the call at ``place`` waits, roughly: conversations of ``each`` length, ``operators`` with ``parallel``.

    At least a minute; rounded up to minutes.
    """
    rate = max(operators, 1) * max(parallel, 1)
    seconds = place * each.total_seconds() / rate
    return timedelta(minutes=max(1, -(-int(seconds) // 60)))


def first_reply_due(call: Call, limits: Limits) -> datetime:
    """By when a person's first word is owed (GB/T 33358-2016: three minutes)."""
    return call.asked_at + limits.first_reply


def is_late(call: Call, limits: Limits, now: datetime) -> bool:
    """Whether the first word is overdue."""
    return call.first_reply_at is None and now > first_reply_due(call, limits)


class Step(StrEnum):
    """What the watch does about a conversation that a person has."""

    NOTHING = "nothing"
    REMIND = "remind"
    REQUEUE = "requeue"


def watched(call: Call, limits: Limits, operator_gone_since: datetime | None, now: datetime) -> Step:
    """What is due: the silent operator is asked once; the conversation goes back when he stays silent or is gone.

    ``operator_gone_since``: since when his desk is closed; None while it is open.
    """
    if operator_gone_since is not None and now >= operator_gone_since + limits.gone:
        return Step.REQUEUE
    if call.unanswered_since is None:
        return Step.NOTHING
    if call.reminded_at is not None:
        return Step.REQUEUE if now >= call.reminded_at + limits.give_up else Step.NOTHING
    return Step.REMIND if now >= call.unanswered_since + limits.silent else Step.NOTHING


def calls_for_person(outcomes: Sequence[str]) -> bool:
    """Whether the latest outcomes, this turn's last, are failures in a row."""
    latest = outcomes[-FAILURES:]
    return len(latest) == FAILURES and all(outcome in ("unknown", "error") for outcome in latest)


@dataclass(frozen=True, slots=True)
class Rule:
    """A person is called for this matter, or a department's matters, where the answer ended so."""

    outcomes: frozenset[str]
    matter: str | None = None
    department: str | None = None

    def applies(self, matter: str | None, department: str | None, outcome: str) -> bool:
        named = (self.matter, self.department)
        said = (matter, department)
        return outcome in self.outcomes and all(
            want is None or want == have for want, have in zip(named, said, strict=True)
        )


VARIABLES: Mapping[str, str] = {
    "city": "城市",
    "hotline": "热线",
    "operator": "坐席姓名",
    "name": "市民称呼",
    "matter": "事项名称",
    "department": "承办部门",
    "phone": "咨询电话",
    "number": "编号",
}
"""What a canned reply may name, and what its blank is called while it is not known."""


_NAMED = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Canned:
    """A reply kept ready; ``text`` may hold the names of :data:`VARIABLES` in braces.

    Raises ValueError (in Chinese) for other names in braces.
    """

    title: str
    text: str

    def __post_init__(self) -> None:
        for name in _NAMED.findall(self.text):
            if name not in VARIABLES:
                known = "、".join(f"{{{each}}}" for each in VARIABLES)
                raise ValueError(f"常用语“{self.title}”里的 {{{name}}} 没有这个变量，可用的是 {known}")

    def filled(self, **values: str) -> str:
        """The text with ``values`` put in; what is not known stays as a blank to be written over: 〔编号〕.

        How the citizen is addressed is left out instead: a greeting needs no blank.
        """
        text = self.text
        for name, blank in VARIABLES.items():
            text = text.replace(f"{{{name}}}", values.get(name) or ("" if name == "name" else f"〔{blank}〕"))
        return text


@dataclass(frozen=True, slots=True)
class Ask:
    """A call for a person as it is made."""

    conversation_id: str
    reason: Reason
    text: str
    department: str | None = None
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """What a waiting citizen is told."""

    position: int
    minutes: int


@dataclass(frozen=True, slots=True)
class Nobody:
    """Nobody can be had now. ``opens``: when somebody is there again; None while it is open and nobody is at a desk."""

    opens: datetime | None


@dataclass(frozen=True, slots=True)
class Handoff:
    """One call with what the desk shows of it."""

    call: Call
    conversation_id: str
    channel: str
    kind: Kind
    state: str
    version: int
    reason: Reason
    text: str
    operator_id: int | None
    operator: str | None
    wanted_id: int | None
    due_at: datetime | None
    provisional: bool
    unread: int
    outcome: str | None
    queue_title: str = ""
    tags: Sequence[str] = ()
    offered: bool = False
    """Whether ``wanted_id`` is only asked first; else it was handed on to him by name."""
    caller: str | None = None
    """The masked number of somebody on the telephone."""
    last_event: int = 0
    salutation: str = ""


@dataclass(frozen=True, slots=True)
class Colleague:
    """An operator as others see him."""

    id: int
    username: str
    name: str
    presence: Presence
    reason: str
    holding: int


@dataclass(frozen=True, slots=True)
class Note:
    """A word among colleagues."""

    at: datetime
    author: str
    kind: str
    text: str
