"""Asking again without the code, by whoever filed, joined or once opened a complaint; saying more about one's own."""

from __future__ import annotations

from sqlalchemy.orm import Session

from bot.clock import Clock
from bot.complaints import numbers, repository
from bot.complaints.filing import Asker, Filing, Shown
from bot.complaints.joining import CHANGED_TOPIC, follower
from bot.complaints.model import Act, Actor, Party, State, after
from bot.complaints.tables import ComplaintRow
from bot.complaints.writing import ComplaintWriter, add_event, standing
from bot.errors import Conflict, InvalidInput
from bot.masking import masked
from bot.store import Store
from bot.text import LONGEST

MOST_LISTED = 6
_CITIZEN = Actor(Party.CITIZEN, "citizen")


class Following:
    """Complaints as those see them whom a channel or a conversation vouches for. Safe to use from several threads."""

    def __init__(self, store: Store, clock: Clock, writer: ComplaintWriter) -> None:
        self._store = store
        self._clock = clock
        self._writer = writer

    def mine(self, asker: Asker) -> list[Shown]:
        """What ``asker`` may see without a code, the latest first."""
        who = follower(asker)
        if who is None:
            return []
        with self._store.read() as session:
            rows = repository.linked(session, who, MOST_LISTED)
            return [self._shown(session, row, joiner_id) for row, joiner_id in rows]

    def look_up_again(self, number: str, asker: Asker) -> Shown | None:
        """The complaint of ``number``, where ``asker`` may see it without the code. Audited."""
        who = follower(asker)
        wanted = numbers.folded_number(number)[:20]
        with self._store.write() as work:
            row = repository.by_number(work.session, wanted)
            link = repository.link_of(work.session, who, row.id) if row is not None and who is not None else None
            if row is None or link is None:
                return None
            details = {"channel": asker.channel, "by": "link"}
            work.audit("citizen", "complaint.look_up", f"complaint:{wanted}", details)
            return self._shown(work.session, row, link.joiner_id)

    def supplement(self, shown: Shown, more: str, *, location: str | None = None, contact: str | None = None) -> Shown:
        """Adds words (and a place or a contact that was missing) to an open complaint that its citizen was shown.

        The unit and the deadlines stay. Raises InvalidInput and Conflict (not open any more, or too much by now).
        """
        if not more.strip():
            raise InvalidInput("没有要补充的内容。", code="supplement_empty", remedy="请写明要补充什么。")
        now = self._clock.now()
        with self._store.write() as work:
            row = repository.by_number(work.session, shown.number, lock=True)
            if row is None or shown.as_joiner:
                raise Conflict("这件诉求不能补充。", code="complaint_state", remedy="请拨打热线，由坐席记录。")
            state = after(standing(row), Act.SUPPLEMENT, _CITIZEN, row.version, now, reason=more)
            parts = self._writer.open(row)
            text = f"{parts['text']}\n补充：{more.strip()}"
            if len(text) > LONGEST:
                raise Conflict("补充的内容太多了。", code="complaint_too_long", remedy="请拨打热线，由坐席记录。")
            place = row.location or location
            held = Filing(text, contact=parts["contact"] or contact, wish=parts.get("wish"))
            values = {
                "text": masked(text),
                "location": place[:200] if place else None,
                "sealed": self._writer.seal(row.number, held, parts["code"]),
            }
            if not repository.change(work.session, row, row.version, values):
                raise Conflict("这件诉求刚被别人处理过。", code="complaint_changed", remedy="请再试一次。")
            add_event(work, row, Act.SUPPLEMENT, State(row.state), state, "citizen", now, note=masked(more.strip()))
            work.emit(CHANGED_TOPIC, row.number, {"number": row.number, "state": row.state, "version": row.version})
            work.audit("citizen", "complaint.supplement", f"complaint:{row.number}", {"state": row.state})
            return self._writer.shown(work.session, row)

    def _shown(self, session: Session, row: ComplaintRow, joiner_id: int | None) -> Shown:
        joiner = repository.joiner_by_id(session, joiner_id) if joiner_id is not None else None
        return self._writer.shown_to_joiner(session, row, joiner) if joiner else self._writer.shown(session, row)
