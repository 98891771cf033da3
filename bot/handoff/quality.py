"""What was said at the desk, found again and judged: figures of operators, search in transcripts, transcripts."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.clock import ZONE, Clock
from bot.conversations import repository as conversations
from bot.conversations.tables import EventRow
from bot.errors import NotFound
from bot.handoff import repository
from bot.handoff.desk import Desk
from bot.handoff.model import OTHER_OUTCOMES, OUTCOME_NAMES, REASON_NAMES, Reason
from bot.judgements import repository as judgements
from bot.masking import masked, without_codes
from bot.people.model import Account
from bot.store import Store

MOST_FOUND = 50
LONGEST_WORDS = 60
MOST_LINES = 2_000
_EXCERPT = 40
_TOLD_CODE = re.compile(r"(查询码\s*[：:是为“「]?\s*)[A-Za-z0-9]{3,}(?:[ -][A-Za-z0-9]{2,})*")
_SPEAKERS = {"citizen": "市民", "bot": "问办", "person": "坐席"}


@dataclass(frozen=True, slots=True)
class Figures:
    """One operator in a period. ``first_reply``: the mean of those there were; ``level``: the mean of five levels."""

    username: str
    name: str
    served: int
    in_time: int
    late: int
    first_reply: timedelta | None
    length: timedelta | None
    judged: int
    level: float | None
    poor: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for; ``words`` in what citizen or operator said. ``operator_id``: only what this one had."""

    since: datetime
    until: datetime
    words: str = ""
    tag: str = ""
    operator_id: int | None = None
    before: int | None = None


@dataclass(frozen=True, slots=True)
class Served:
    """One call for a person that is found again. ``level``: how the citizen judged it, 1..5."""

    id: int
    conversation_id: str
    channel: str
    at: datetime
    operator: str | None
    reason: str
    outcome: str | None
    tags: Sequence[str]
    excerpt: str
    first_reply: timedelta | None
    late: bool
    level: int | None


class Quality:
    """Reads for supervisors (everything) and operators (their own). What is shown is masked."""

    def __init__(self, store: Store, clock: Clock, desk: Desk) -> None:
        self._store = store
        self._clock = clock
        self._desk = desk

    def figures(self, since: datetime, until: datetime, operator_id: int | None = None) -> list[Figures]:
        """Every operator (or one) who had a conversation in the period, the most served first."""
        limit = self._desk.limits.first_reply
        with self._store.read() as session:
            rows = repository.served(session, since, until, operator_id)
            levels = judgements.levels(session, [f"handoff:{row.id}" for row, _ in rows])
            found = []
            for account in {account.id: account for _, account in rows}.values():
                own = [row for row, whose in rows if whose.id == account.id]
                waits = [row.first_reply_at - row.asked_at for row in own if row.first_reply_at is not None]
                lengths = [row.ended_at - row.taken_at for row in own if row.ended_at and row.taken_at]
                given = [level for row in own if (level := levels.get(f"handoff:{row.id}")) is not None]
                found.append(
                    Figures(
                        account.username,
                        account.display_name,
                        len(own),
                        sum(wait <= limit for wait in waits),
                        sum(wait > limit for wait in waits),
                        _mean(waits),
                        _mean(lengths),
                        len(given),
                        sum(given) / len(given) if given else None,
                        sum(level <= 2 for level in given),
                    )
                )
        return sorted(found, key=lambda each: (-each.served, each.username))

    def search(self, wanted: Wanted) -> list[Served]:
        """The latest calls that fit, at most :data:`MOST_FOUND`."""
        words = wanted.words.strip()[:LONGEST_WORDS]
        limit = self._desk.limits.first_reply
        with self._store.read() as session:
            found = repository.search(
                session,
                wanted.since,
                wanted.until,
                words,
                wanted.operator_id,
                wanted.before,
                None if wanted.tag else MOST_FOUND,
            )
            fitting = [full for full in found if not wanted.tag or wanted.tag in full[0].tags][:MOST_FOUND]
            levels = judgements.levels(session, [f"handoff:{row.id}" for row, *_ in fitting])
            served = []
            for row, channel, _, operator in fitting:
                wait = row.first_reply_at - row.asked_at if row.first_reply_at else None
                said = repository.said_with(session, row.conversation_id, words) if words else None
                served.append(
                    Served(
                        row.id,
                        row.conversation_id,
                        channel,
                        row.asked_at,
                        operator,
                        REASON_NAMES[Reason(row.reason)],
                        outcome_name(row.outcome),
                        tuple(row.tags),
                        _around(_text(said) if said else row.text, words),
                        wait,
                        wait is not None and wait > limit,
                        levels.get(f"handoff:{row.id}"),
                    )
                )
        return served

    def transcript(self, conversation_id: str, reader: Account) -> str:
        """Everything said, as text, masked and without codes; that it was taken away is audited. Raises NotFound."""
        with self._store.write() as work:
            row = conversations.conversation(work.session, conversation_id)
            if row is None:
                raise NotFound("没有这个对话。", code="conversation_not_found", remedy="请从列表里重新选一个。")
            work.audit(reader.username, "handoff.export", conversation_id)
            events = conversations.events_after(work.session, conversation_id, 0, MOST_LINES)
            lines = [_line(event) for event in events]
            head = f"对话 {conversation_id}（{row.channel}），{_moment(row.created_at)} 开始；已隐去号码与查询码。"
        return "\n".join([head, "", *(line for line in lines if line), ""])


def outcome_name(outcome: str | None) -> str | None:
    """An outcome in words."""
    return None if outcome is None else OUTCOME_NAMES.get(outcome) or OTHER_OUTCOMES.get(outcome) or outcome


def hidden(text: str) -> str:
    """``text`` as it may leave the desk: without personal numbers, and without the codes the citizen was told."""
    starred = masked(text)
    if starred == unicodedata.normalize("NFKC", text):
        starred = text  # nothing to hide: the citizen's own signs stay as he wrote them
    return _TOLD_CODE.sub(r"\1******", without_codes(starred))


def _mean(spans: Sequence[timedelta]) -> timedelta | None:
    return sum(spans, timedelta()) / len(spans) if spans else None


def _moment(at: datetime) -> str:
    return f"{at.astimezone(ZONE):%Y-%m-%d %H:%M:%S}"


def _text(event: EventRow) -> str:
    if event.kind in ("citizen", "holder", "notice"):
        return str(event.payload.get("text") or "")
    return "\n".join(str(message.get("text") or "") for message in event.payload.get("messages") or ())


def _line(event: EventRow) -> str:
    text = hidden(_text(event)).strip()
    who = _SPEAKERS.get(event.kind, "（系统）")
    if event.kind == "person":
        who = f"坐席{event.payload.get('operator', '')}"
    return f"{_moment(event.at)} {who}：{text}" if text else ""


def _around(text: str, words: str) -> str:
    """The part of ``text`` in which ``words`` stand, masked."""
    text = hidden(text)
    at = max(text.find(words), 0) if words else 0
    start = max(0, at - _EXCERPT)
    end = at + len(words) + _EXCERPT
    return f"{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}"
