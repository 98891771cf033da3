"""Use cases of citizens: filing a complaint once, following it, correcting it or taking it back."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from bot.clock import Clock
from bot.complaints import numbers, repository
from bot.complaints.deciding import Decider, Decision
from bot.complaints.filing import Asker, Filing, Shown, checked, checked_key
from bot.complaints.joining import CHANGED_TOPIC as CHANGED
from bot.complaints.joining import Known, follower, known
from bot.complaints.model import Act, Actor, Party, State, after
from bot.complaints.ports import Notices
from bot.complaints.tables import ComplaintJoinerRow, ComplaintRow
from bot.complaints.writing import ComplaintWriter, add_event, next_versions, standing
from bot.conversations.danger import GENERAL
from bot.errors import Conflict, NotFound, TooManyRequests, Unavailable
from bot.people.model import locked_until
from bot.store import Store, UnitOfWork
from index.incident import Incidents
from index.pairing import Report, report

FILED_TOPIC = "complaint.filed"
URGENT_TOPIC = "complaint.urgent"
CHANGED_TOPIC = CHANGED
SAME_WITHIN = timedelta(days=30)
"""How far back another report of the same incident is looked for."""
MOST_COMPARED = 5_000
SELF_HARM = "self_harm"
_TRIES = 20
"""Numbers drawn before giving up; one in a million is taken on a busy day."""


def not_found() -> NotFound:
    """The same for an unknown number and for a wrong code."""
    return NotFound(
        "没有找到对应的诉求：编号或查询码不对。",
        code="complaint_not_found",
        remedy="请核对提交时给出的编号（TS 开头）和查询码；都找不到时请拨打热线，由坐席核实身份后查询。",
    )


class ComplaintLocked(TooManyRequests):
    """Too many wrong codes; ``retry_after`` in seconds."""

    default_code = "complaint_locked"

    def __init__(self, retry_after: int) -> None:
        minutes = -(-retry_after // 60)
        super().__init__("输错次数太多，暂时不能查询这件诉求。", remedy=f"请 {minutes} 分钟后再试。")
        self.retry_after = retry_after


@dataclass(frozen=True)
class Preview:
    """What a filing would become. ``same``: the open complaint of the same incident."""

    decision: Decision
    same: Known | None


class ComplaintService:
    """Complaints in the store. Safe to use from several threads."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        writer: ComplaintWriter,
        decider: Decider,
        incidents: Incidents | None = None,
        notices: Notices | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._writer = writer
        self._decider = decider
        self._incidents = incidents or Incidents.beside(decider.encoder)
        self._notices = notices

    # -- filing ----------------------------------------------------------------------------------------------------

    def file(self, filing: Filing, asker: Asker, key: str | None = None) -> Shown:
        """Files a complaint, once for each ``key`` of ``asker``; ``repeated`` says that it was there already.

        The complaint, its event, the audit row and the outbox messages are one transaction. Raises InvalidInput, and
        Conflict where the key was used for something else.
        """
        filing, key = checked(filing), checked_key(key)
        if key is not None and (earlier := self._filed_with(key, filing, asker)) is not None:
            return earlier
        decision = self.decided(filing)
        same = self.same_incident(filing, decision)
        now = self._clock.now()
        with self._store.write() as work:
            shown = self._insert(work, filing, asker, key, decision, same, now)
        if shown is None and key is not None:
            shown = self._filed_with(key, filing, asker)  # the same request came by another way at the same time
        if shown is None:
            raise Unavailable("现在没有可用的编号，诉求没有提交。", code="no_number", remedy="请再提交一次。")
        return shown

    def decided(self, filing: Filing) -> Decision:
        """What ``filing`` (checked) is and where it goes, as :meth:`file` decides it."""
        decision = self._decider.decide(filing.text, filing.kind, filing.location)
        if not filing.urgent:
            return decision
        decision = replace(decision, urgent=True, danger=decision.danger or GENERAL)
        if decision.danger == SELF_HARM:  # for the eyes of an operator first, not of a unit
            decision = replace(decision, department=None, co_departments=())
        return decision

    def preview(self, filing: Filing) -> Preview:
        """What would be filed, and the open complaint of the same incident, if there is one. Raises InvalidInput."""
        filing = checked(filing)
        decision = self.decided(filing)
        same = self.same_incident(filing, decision)
        with self._store.read() as session:
            row = repository.by_id(session, same) if same is not None else None
            return Preview(decision, known(row) if row is not None else None)

    def filed(self, key: str, asker: Asker) -> Shown | None:
        """What was filed with ``key``, whatever its contents; None where nothing was."""
        with self._store.read() as session:
            indexes = self._writer.sealer.indexes("complaint-request", asker.name, key)
            row = repository.by_request(session, indexes)
            return replace(self._writer.shown(session, row), repeated=True) if row is not None else None

    def _filed_with(self, key: str, filing: Filing, asker: Asker) -> Shown | None:
        with self._store.read() as session:
            row = repository.by_request(session, self._writer.sealer.indexes("complaint-request", asker.name, key))
            if row is None:
                return None
            if row.request_digest != filing.digest:
                raise Conflict(
                    "这个 Idempotency-Key 已用于另一件诉求。",
                    code="idempotency_key_reused",
                    remedy="重试时内容要与第一次相同；新的诉求请用新的 Idempotency-Key。",
                )
            return replace(self._writer.shown(session, row), repeated=True)

    def _insert(
        self,
        work: UnitOfWork,
        filing: Filing,
        asker: Asker,
        key: str | None,
        decision: Decision,
        same: int | None,
        now: datetime,
    ) -> Shown | None:
        """Writes all that filing writes; None where the request was filed in between."""
        code = numbers.new_code()
        values = self._writer.values(filing, asker, key, decision, now) | {"duplicate_of_id": same}
        for _ in range(_TRIES):
            number = numbers.new_number(now)
            own = {
                "number": number,
                "code_index": self._writer.sealer.index("complaint-code", number, code),
                "sealed": self._writer.seal(number, filing, code),
            }
            if repository.insert(work.session, values | own):
                break
            if key is not None and values["request_index"] is not None:
                indexes = self._writer.sealer.indexes("complaint-request", asker.name, key)
                if repository.by_request(work.session, indexes) is not None:
                    return None
        else:
            return None
        row = repository.by_number(work.session, number)
        if row is None:
            raise AssertionError("a row just inserted is there")
        state = State(row.state)
        add_event(work, row, "file", None, State.FILED, "citizen", now)
        if state is State.DISPATCHED:
            best = decision.best
            details = {"department": row.department, "confidence": round(decision.confidence, 3)}
            add_event(work, row, Act.DISPATCH, State.FILED, state, "system", now, details, best.basis if best else None)
        told = {"number": number, "kind": row.kind, "department": row.department, "urgent": row.urgent}
        work.emit(FILED_TOPIC, number, told)
        if row.urgent:
            work.emit(URGENT_TOPIC, number, told | {"danger": decision.danger})
        work.audit("citizen", "complaint.file", f"complaint:{number}", {"channel": asker.channel, **told})
        who = follower(asker, anonymous=row.anonymous)
        if who is not None:
            repository.link(work.session, who, row.id, None, now)
        if self._notices is not None:
            self._notices.tell(work, row, "file", State.FILED)
        return replace(self._writer.shown(work.session, row), danger=decision.danger)

    def same_incident(self, filing: Filing, decision: Decision) -> int | None:
        """The id of the open complaint that tells of the same incident, if there is one."""
        since = self._clock.now() - SAME_WITHIN
        with self._store.read() as session:
            recent = repository.open_since(session, since, self._writer.encoder, MOST_COMPARED)
        # Complaints about cases are worded alike; only those about the same case tell of the same thing.
        rows = [row for row in recent if row.case_number == filing.case_number]
        if not rows:
            return None
        vectors = np.stack([np.frombuffer(row.vector, np.float16) for row in rows]).astype(np.float32)

        def told(place: int) -> Report:
            return report(rows[place].text, rows[place].location, vectors[place])

        same = self._incidents.same(report(filing.text, filing.location, decision.vector), vectors, told)
        return rows[same].id if same is not None else None

    # -- following -------------------------------------------------------------------------------------------------

    def look_up(self, number: str, code: str, asker: Asker) -> Shown:
        """The complaint for somebody who knows its code. Raises NotFound, the same for number and code, and
        ComplaintLocked after repeated failures. Every look-up is audited.
        """
        now = self._clock.now()
        with self._store.write() as work:
            row, seconds, joiner = self._opened(work, number, code, asker)
            shown = None
            if row is not None:
                shown = self._writer.shown(work.session, row)
                if joiner is not None:
                    shown = self._writer.shown_to_joiner(work.session, row, joiner)
                who = follower(asker, anonymous=row.anonymous and joiner is None)
                if who is not None:
                    repository.link(work.session, who, row.id, joiner.id if joiner else None, now)
        return self._answer(shown, seconds)

    def withdraw(self, number: str, code: str, asker: Asker) -> Shown:
        """Takes the complaint back, within ten minutes. Raises as :meth:`look_up`, and Conflict."""
        with self._store.write() as work:
            row, seconds, joiner = self._opened(work, number, code, asker)
            shown = None
            if row is not None:
                now = self._clock.now()
                _check_alone(row, joiner)
                state = after(standing(row), Act.WITHDRAW, _CITIZEN, row.version, now)
                before = State(row.state)
                self._set(work, row, {"state": state.value, "closed_at": now})
                add_event(work, row, Act.WITHDRAW, before, state, "citizen", now)
                self._told(work, row, "complaint.withdraw")
                shown = self._writer.shown(work.session, row)
        return self._answer(shown, seconds)

    def correct(self, number: str, code: str, filing: Filing, asker: Asker) -> Shown:
        """Puts ``filing``'s text, kind, place and contact in place of what was filed, within ten minutes."""
        filing = checked(filing)
        decision = self.decided(filing)
        with self._store.write() as work:
            row, seconds, joiner = self._opened(work, number, code, asker)
            shown = None
            if row is not None:
                now = self._clock.now()
                _check_alone(row, joiner)
                after(standing(row), Act.CORRECT, _CITIZEN, row.version, now)
                before = State(row.state)
                values = self._writer.decided(filing, decision, row.filed_at)
                values |= next_versions(row, values, anew=True)
                values["sealed"] = self._writer.seal(row.number, filing, self._writer.open(row)["code"])
                values["anonymous"] = filing.anonymous
                if filing.anonymous:
                    values["citizen"] = None
                self._set(work, row, values)
                add_event(work, row, Act.CORRECT, before, State(row.state), "citizen", now)
                self._told(work, row, "complaint.correct")
                shown = replace(self._writer.shown(work.session, row), danger=decision.danger)
        return self._answer(shown, seconds)

    # -- inside one transaction ------------------------------------------------------------------------------------

    def _opened(
        self, work: UnitOfWork, number: str, code: str, asker: Asker
    ) -> tuple[ComplaintRow | None, int | None, ComplaintJoinerRow | None]:
        """The row whose code is right, locked, and the joiner where it is his; else None and, where look-ups are
        locked, for how many seconds.
        """
        now = self._clock.now()
        wanted = numbers.folded_number(number)[:20]
        key = self._writer.sealer.index("complaint-attempt", wanted, asker.name)
        count = repository.attempts(work.session, key, now)
        subject = f"complaint:{wanted}"
        if count.locked_until is not None and now < count.locked_until:
            work.audit("citizen", "complaint.locked", subject, {"channel": asker.channel})
            return None, max(1, round((count.locked_until - now).total_seconds())), None
        row = repository.by_number(work.session, wanted, lock=True)
        indexes = self._writer.sealer.indexes("complaint-code", wanted, numbers.folded_code(code))
        stored = row.code_index if row is not None else "0" * 64
        right = any(hmac.compare_digest(index, stored) for index in indexes)
        joiner = None
        if row is not None and not right:
            joiner = repository.joiner_by_code(work.session, row.id, indexes)
        if row is None or not (right or joiner):
            count.failures += 1
            count.locked_until = locked_until(count.failures, now)
            count.failures = 0 if count.locked_until else count.failures
            count.updated_at = now
            work.audit("citizen", "complaint.refused", subject, {"channel": asker.channel})
            return None, None, None
        count.failures, count.locked_until = 0, None
        work.audit("citizen", "complaint.look_up", subject, {"channel": asker.channel})
        return row, None, joiner

    @staticmethod
    def _answer(shown: Shown | None, seconds: int | None) -> Shown:
        """Refusals are raised after the transaction, so that the count of wrong codes is kept."""
        if seconds is not None:
            raise ComplaintLocked(seconds)
        if shown is None:
            raise not_found()
        return shown

    def _set(self, work: UnitOfWork, row: ComplaintRow, values: dict[str, Any]) -> None:
        if not repository.change(work.session, row, row.version, values):
            raise Conflict("这件诉求刚被别人处理过。", code="complaint_changed", remedy="请刷新后再试。")

    @staticmethod
    def _told(work: UnitOfWork, row: ComplaintRow, action: str) -> None:
        work.emit(CHANGED_TOPIC, row.number, {"number": row.number, "state": row.state, "version": row.version})
        work.audit("citizen", action, f"complaint:{row.number}", {"state": row.state})


def _check_alone(row: ComplaintRow, joiner: ComplaintJoinerRow | None) -> None:
    """Raises Conflict where others rely on what was filed, or he is one of those himself."""
    if joiner is not None or row.joined:
        raise Conflict(
            "这件诉求有别的市民一起反映，不能自行更改或撤回。",
            code="complaint_joined",
            remedy="可以补充说明；要撤回或改动，请拨打热线由坐席办理。",
        )


_CITIZEN = Actor(Party.CITIZEN, "citizen")
