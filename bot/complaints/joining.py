"""Joining a complaint of others about the same incident: what is shown of it, and taking part in it once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bot.clock import Clock
from bot.complaints import numbers, repository
from bot.complaints.deciding import Decision
from bot.complaints.filing import Asker, Filing, Shown, checked, checked_key
from bot.complaints.model import OPEN, State
from bot.complaints.places import coarse
from bot.complaints.tables import ComplaintJoinerRow, ComplaintRow
from bot.complaints.writing import ComplaintWriter, add_event
from bot.errors import Conflict
from bot.store import Store, UnitOfWork

CHANGED_TOPIC = "complaint.changed"


@dataclass(frozen=True, slots=True)
class Known:
    """What a stranger may see of an open complaint. ``place``: to the street, not to the door."""

    number: str
    category: str
    place: str | None
    state: str
    department: str | None
    filed_at: datetime
    due_at: datetime
    joined: int


def known(row: ComplaintRow) -> Known:
    """``row`` without anything its citizen wrote or left."""
    place = coarse(row.location)
    return Known(row.number, row.category, place, row.state, row.department, row.filed_at, row.due_at, row.joined)


def follower(asker: Asker, *, anonymous: bool = False) -> str | None:
    """By what name somebody may ask again without the code; None for one who wants to be unknown, or is."""
    if asker.citizen:
        return None if anonymous else asker.citizen
    return f"conversation:{asker.conversation_id}" if asker.conversation_id else None


Same = Callable[[Filing, Decision], int | None]
Decided = Callable[[Filing], Decision]


class Joining:
    """Joins in the store. ``decided`` and ``same``: how the service judges a filing, and finds what tells the same."""

    def __init__(self, store: Store, clock: Clock, writer: ComplaintWriter, decided: Decided, same: Same) -> None:
        self._store = store
        self._clock = clock
        self._writer = writer
        self._decided = decided
        self._same = same

    def join(self, number: str, filing: Filing, asker: Asker, key: str | None = None) -> Shown:
        """Joins the complaint ``number`` with what ``filing`` tells, once for each ``key``, citizen, conversation.

        Raises InvalidInput, and Conflict where ``filing`` tells of something else or it is not open any more.
        """
        filing, key = checked(filing), checked_key(key)
        wanted = numbers.folded_number(number)[:20]
        indexes = self._writer.sealer.indexes("complaint-join", asker.name, wanted, key or "")
        with self._store.read() as session:
            earlier = repository.joiner_by_request(session, indexes)
            if earlier is not None:
                return self._again(session, earlier)
        same = self._same(filing, self._decided(filing))
        now = self._clock.now()
        with self._store.write() as work:
            row = repository.by_number(work.session, wanted, lock=True)
            if row is None or row.id != same or State(row.state) not in OPEN:
                raise Conflict(
                    "不能加入这件诉求：它已经办结，或者说的不是同一件事。",
                    code="complaint_not_joinable",
                    remedy="请直接提交您自己的诉求。",
                )
            return self._joined(work, row, filing, asker, indexes[0], now)

    def _joined(
        self, work: UnitOfWork, row: ComplaintRow, filing: Filing, asker: Asker, index: str, now: datetime
    ) -> Shown:
        who = follower(asker, anonymous=filing.anonymous)
        link = repository.link_of(work.session, who, row.id) if who else None
        if link is not None:  # his own, or joined before
            mine = repository.joiner_by_id(work.session, link.joiner_id) if link.joiner_id else None
            seen = self._writer.shown_to_joiner(work.session, row, mine) if mine else None
            return replace(seen or self._writer.shown(work.session, row), repeated=True)
        code = numbers.new_code()
        values: dict[str, Any] = {
            "complaint_id": row.id,
            "request_index": index,
            "code_index": self._writer.sealer.index("complaint-code", row.number, code),
            "sealed": self._writer.seal_joiner(row, filing, code),
            "attachments": list(filing.attachments),
            "channel": asker.channel,
            "citizen": None if filing.anonymous else asker.citizen,
            "conversation_id": None if filing.anonymous and asker.citizen else asker.conversation_id,
            "joined_at": now,
        }
        fresh = repository.insert_joiner(work.session, values)
        joiner = repository.joiner_by_request(work.session, [index])
        if joiner is None:
            raise AssertionError("a joiner just inserted is there")
        if fresh:
            repository.count_joined(work.session, row, 1)
            state = State(row.state)
            add_event(work, row, "join", state, state, "citizen", now, {"joined": row.joined})
            work.emit(CHANGED_TOPIC, row.number, {"number": row.number, "state": row.state, "version": row.version})
            work.audit("citizen", "complaint.join", f"complaint:{row.number}", {"channel": asker.channel})
            if who is not None:
                repository.link(work.session, who, row.id, joiner.id, now)
        return replace(self._writer.shown_to_joiner(work.session, row, joiner), repeated=not fresh)

    def _again(self, session: Any, joiner: ComplaintJoinerRow) -> Shown:
        row = repository.by_id(session, joiner.complaint_id)
        if row is None:
            raise AssertionError("a joiner belongs to a complaint")
        return replace(self._writer.shown_to_joiner(session, row, joiner), repeated=True)
