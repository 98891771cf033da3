"""What supervisors, units and operators do about alarms: urge by hand, answer, take back, read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from bot.clock import Clock as TimeSource
from bot.complaints import repository as complaints
from bot.complaints.model import Actor, Party, State
from bot.errors import Conflict, Forbidden, NotFound
from bot.people import repository as people
from bot.people.model import Role
from bot.store import Store
from bot.supervision import repository
from bot.supervision.model import FORMAL, Clock, Level, Recipient, clocks_of
from bot.supervision.raising import ALARM_TOPIC, Raiser
from bot.supervision.repository import Reached
from bot.supervision.rules import Rules, RulesFile
from bot.supervision.tables import AlarmNoticeRow, AlarmRow
from bot.supervision.wording import checked, only_supervisors
from bot.workdays import WorkCalendar

MOST_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Alarm:
    """One alarm as it is shown. ``by_hand``: a supervisor urged; ``reason`` is why."""

    id: int
    number: str
    clock: Clock
    level: Level
    by_hand: bool
    department: str | None
    urgent: bool
    due_at: datetime
    raised_at: datetime
    raised_by: str
    reason: str | None
    answer_due_at: datetime | None
    answer: str | None
    answered_at: datetime | None
    answered_by: str | None
    revoked_at: datetime | None
    revoked_by: str | None
    revoke_reason: str | None

    @property
    def is_open(self) -> bool:
        """Whether the unit still owes an answer."""
        return self.level in FORMAL and self.answered_at is None and self.revoked_at is None


@dataclass(frozen=True, slots=True)
class Notice:
    """What one recipient was told: how many alarms of each level, gravest first; ``alarm`` where it is just one."""

    id: int
    role: Recipient
    department: str
    urgent: bool
    at: datetime
    seen_at: datetime | None
    levels: Mapping[Level, int]
    alarm: Alarm | None

    @property
    def count(self) -> int:
        return sum(self.levels.values())


class Supervising:
    """Alarms as people deal with them. Safe to use from several threads."""

    def __init__(self, store: Store, clock: TimeSource, rules: RulesFile, calendar: WorkCalendar) -> None:
        self._store = store
        self._clock = clock
        self._rules = rules
        self._raiser = Raiser(calendar)

    # -- documents to units --------------------------------------------------------------------------------------------

    def urge(self, number: str, reason: str, actor: Actor) -> Alarm:
        """Urges the unit that holds a complaint (催办), with a reason, whenever a supervisor sees fit.

        Raises NotFound, Forbidden, InvalidInput (no reason), Conflict where no unit owes anything.
        """
        only_supervisors(actor)
        reason = checked(reason, "请写明催办的理由。")
        now = self._clock.now()
        with self._store.write() as work:
            row = complaints.by_number(work.session, number, lock=True)
            if row is None:
                raise NotFound("没有这件诉求。", code="complaint_unknown", remedy="请检查编号。")
            running = clocks_of(State(row.state), replied=row.replied_at is not None)
            if row.department is None or Clock.DISPATCH in running or Clock.CLOSE not in running:
                raise Conflict(
                    "现在没有承办单位在办这件诉求，不能催办。",
                    code="urge_nobody",
                    remedy="待派单的请先派单；暂停、已答复或已办结的不用催办。",
                )
            serial = repository.next_serial(work.session, row.id, Clock.CLOSE, row.close_version, Level.URGE)
            found = Reached(
                row.id,
                row.number,
                Clock.CLOSE,
                0,
                row.close_version,
                Level.URGE,
                row.department,
                row.urgent,
                row.due_at,
            )
            rules = self._rules.current()
            raised = self._raiser.raise_all(work, [found], rules, now, by=actor.name, serial=serial, reason=reason)
            work.audit(actor.name, "supervision.urge", f"complaint:{row.number}", {"alarm": raised.alarms[0]})
            return self._alarm(work.session.get_one(AlarmRow, raised.alarms[0]), row.number)

    def answer(self, alarm_id: int, text: str, actor: Actor) -> Alarm:
        """The unit's answer to a document, once. Raises NotFound, Forbidden, InvalidInput, Conflict."""
        text = checked(text, "请写明办理情况。")
        now = self._clock.now()
        with self._store.write() as work:
            row, number = self._document(repository.alarm(work.session, alarm_id, lock=True))
            if actor.party is not Party.UNIT or actor.department is None or actor.department != row.department:
                raise Forbidden(
                    "只有被催办的单位可以答复。", code="alarm_forbidden", remedy="请由承办单位的经办人登录后答复。"
                )
            if row.answered_at is not None or row.revoked_at is not None:
                raise Conflict("这份文书已经答复或撤销。", code="alarm_closed", remedy="请刷新后再看。")
            row.answer, row.answered_at, row.answered_by = text, now, actor.name
            work.emit(ALARM_TOPIC, number, {"alarm": row.id, "number": number, "act": "answered"})
            work.audit(actor.name, "supervision.answer", f"complaint:{number}", {"alarm": row.id})
            return self._alarm(row, number)

    def revoke(self, alarm_id: int, reason: str, actor: Actor) -> Alarm:
        """Takes a document back, with a reason: it does not count any more. Raises as :meth:`answer`."""
        only_supervisors(actor)
        reason = checked(reason, "请写明撤销的理由。")
        now = self._clock.now()
        with self._store.write() as work:
            row, number = self._document(repository.alarm(work.session, alarm_id, lock=True))
            if row.revoked_at is not None:
                raise Conflict("这份文书已经撤销。", code="alarm_closed", remedy="请刷新后再看。")
            row.revoked_at, row.revoked_by, row.revoke_reason = now, actor.name, reason
            work.emit(ALARM_TOPIC, number, {"alarm": row.id, "number": number, "act": "revoked"})
            work.audit(actor.name, "supervision.revoke", f"complaint:{number}", {"alarm": row.id, "reason": reason})
            return self._alarm(row, number)

    # -- reading -------------------------------------------------------------------------------------------------------

    def alarms_of(self, number: str) -> list[Alarm]:
        """Everything raised about a complaint, oldest first. Raises NotFound."""
        with self._store.read() as session:
            row = complaints.by_number(session, number)
            if row is None:
                raise NotFound("没有这件诉求。", code="complaint_unknown", remedy="请检查编号。")
            return [self._alarm(each, row.number) for each in repository.alarms_of(session, row.id)]

    def notices(self, actor: Actor, *, unseen: bool = False, limit: int = 50) -> list[Notice]:
        """What somebody of this capacity (and unit) was told, latest first."""
        with self._store.read() as session:
            told = _recipients(session, actor)
            rows = repository.notices(session, told, unseen=unseen, limit=min(limit, MOST_SHOWN))
            levels = repository.levels_of(session, [row.id for row in rows])
            found = []
            for row in rows:
                alarm = None
                if sum(levels.get(row.id, {}).values()) == 1:
                    [(one, number)] = repository.alarms_of_notice(session, row.id, 1)
                    alarm = self._alarm(one, number)
                found.append(_notice(row, levels.get(row.id, {}), alarm))
            return found

    def alarms_of_notice(self, notice_id: int, actor: Actor, limit: int = MOST_SHOWN) -> list[Alarm]:
        """The alarms behind a notice, gravest first. Raises NotFound, also for notices to others."""
        with self._store.read() as session:
            self._own(session, repository.notice(session, notice_id), actor)
            return [self._alarm(row, number) for row, number in repository.alarms_of_notice(session, notice_id, limit)]

    def see(self, notice_id: int, actor: Actor) -> None:
        """Marks a notice as read. Raises NotFound, also for notices to others."""
        with self._store.write() as work:
            row = self._own(work.session, repository.notice(work.session, notice_id, lock=True), actor)
            if row.seen_at is None:
                row.seen_at, row.seen_by = self._clock.now(), actor.name

    # -- rules ---------------------------------------------------------------------------------------------------------

    def rules_text(self) -> str:
        """The rule tables in force, as text to edit."""
        return self._rules.text()

    def set_rules(self, text: str, *, actor: str) -> Rules:
        """Puts other rule tables in force for every process, checked and whole. Raises InvalidInput, StorageFull."""
        rules = self._rules.write(text)
        with self._store.write() as work:
            work.audit(actor, "supervision.rules", self._rules.path.name, {"characters": len(text)})
        return rules

    # -- inside --------------------------------------------------------------------------------------------------------

    @staticmethod
    def _document(found: tuple[AlarmRow, str] | None) -> tuple[AlarmRow, str]:
        if found is None or Level(found[0].level) not in FORMAL:
            raise NotFound("没有这份文书。", code="alarm_unknown", remedy="请从列表中打开。")
        return found

    @staticmethod
    def _own(session: Session, row: AlarmNoticeRow | None, actor: Actor) -> AlarmNoticeRow:
        if row is None or (Recipient(row.role), row.department) not in _recipients(session, actor):
            raise NotFound("没有这条提醒。", code="notice_unknown", remedy="请从列表中打开。")
        return row

    @staticmethod
    def _alarm(row: AlarmRow, number: str) -> Alarm:
        return Alarm(
            id=row.id,
            number=number,
            clock=Clock(row.clock),
            level=Level(row.level),
            by_hand=row.serial > 0,
            department=row.department,
            urgent=row.urgent,
            due_at=row.due_at,
            raised_at=row.raised_at,
            raised_by=row.raised_by,
            reason=row.reason,
            answer_due_at=row.answer_due_at,
            answer=row.answer,
            answered_at=row.answered_at,
            answered_by=row.answered_by,
            revoked_at=row.revoked_at,
            revoked_by=row.revoked_by,
            revoke_reason=row.revoke_reason,
        )


def recipients(actor: Actor, *, headless: bool = False) -> list[tuple[Recipient, str]]:
    """In which roles somebody of this capacity is told.

    ``headless``: no head of the unit has an account; then its clerks are told what is for him, lest nobody be.
    """
    match actor.party:
        case Party.SUPERVISOR:
            return [(Recipient.SUPERVISOR, "")]
        case Party.OPERATOR:
            return [(Recipient.OPERATOR, "")]
        case Party.UNIT if actor.department:
            if actor.head:
                return [(Recipient.HEAD, actor.department)]
            roles = (Recipient.HANDLER, Recipient.HEAD) if headless else (Recipient.HANDLER,)
            return [(role, actor.department) for role in roles]
        case _:
            return []


def _recipients(session: Session, actor: Actor) -> list[tuple[Recipient, str]]:
    unit = actor.department if actor.party is Party.UNIT else None
    return recipients(actor, headless=bool(unit) and not people.has_active(session, Role.HEAD, unit or ""))


def _notice(row: AlarmNoticeRow, levels: Mapping[Level, int], alarm: Alarm | None) -> Notice:
    return Notice(row.id, Recipient(row.role), row.department, row.urgent, row.at, row.seen_at, levels, alarm)
