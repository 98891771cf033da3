"""Rectifications (整改): what a unit puts right after a bad judgement, with a clock that is watched like the others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bot.clock import ZONE
from bot.clock import Clock as TimeSource
from bot.complaints.model import Actor, Party
from bot.errors import Conflict, Forbidden, NotFound
from bot.judgements.tables import JudgementRow
from bot.store import Store, UnitOfWork
from bot.store.inserting import insert_new
from bot.supervision import after_repository as repository
from bot.supervision.raising import due_in
from bot.supervision.rules import Rules, RulesFile
from bot.supervision.tables import RectificationRow
from bot.supervision.wording import checked, only_supervisors
from bot.workdays import WorkCalendar

RECTIFICATION_TOPIC = "supervision.rectification"
OPEN = ("open", "submitted")


@dataclass(frozen=True, slots=True)
class Rectification:
    """What a unit puts right; ``level`` is the judgement's."""

    id: int
    number: str
    version: int
    unit: str
    person: str | None
    level: int
    state: str
    made_at: datetime
    due_at: datetime
    provisional: bool
    report: str | None
    submitted_at: datetime | None
    returned_for: str | None
    accepted_at: datetime | None


def open_rectification(
    work: UnitOfWork,
    complaint_id: int,
    number: str,
    judged: JudgementRow,
    rules: Rules,
    now: datetime,
    calendar: WorkCalendar,
) -> None:
    """Opens the rectification of the unit that was judged, unless one of this complaint is under way there.

    Several citizens of one complaint may judge its answer: it is put right once.
    """
    if judged.level is None or repository.rectification_under_way(work.session, complaint_id, judged.unit):
        return
    due_at, end = due_in(now, rules.aftercare.rectification, rules.hours, calendar)
    values = {
        "complaint_id": complaint_id,
        "judgement_id": judged.id,
        "unit": judged.unit,
        "person": judged.person,
        "level": judged.level,
        "state": "open",
        "version": 1,
        "made_at": now,
        "days": rules.aftercare.rectification,
        "due_at": due_at,
        "provisional": end.provisional,
    }
    if insert_new(work.session, RectificationRow, values):
        told = {"number": number, "unit": judged.unit, "level": judged.level, "act": "opened"}
        work.emit(RECTIFICATION_TOPIC, number, told)
        work.audit("system", "rectification.open", f"complaint:{number}", {"judgement": judged.id})


class Rectifying:
    """Rectifications as units and supervisors deal with them. Safe to use from several threads."""

    def __init__(self, store: Store, clock: TimeSource, rules: RulesFile, calendar: WorkCalendar) -> None:
        self._store = store
        self._clock = clock
        self._rules = rules
        self._calendar = calendar

    def rectifications(self, *, unit: str | None = None, states: tuple[str, ...] = OPEN) -> list[Rectification]:
        """Rectifications of a unit, or of all, the first due first."""
        with self._store.read() as session:
            return [
                _rectification(row, number)
                for row, number in repository.rectifications(session, unit=unit, states=states)
            ]

    def submit(self, rectification_id: int, version: int, report: str, actor: Actor) -> Rectification:
        """The unit's report of what it put right; stops the clock. Raises as :meth:`accept`."""
        report = checked(report, needed=True)

        def change(row: RectificationRow, now: datetime) -> None:
            if actor.party is not Party.UNIT or actor.department != row.unit:
                raise Forbidden(
                    "只有被整改的单位可以提交。", code="rectification_forbidden", remedy="请由该单位登录后提交。"
                )
            row.state, row.report, row.submitted_at, row.submitted_by = "submitted", report, now, actor.name

        return self._move(rectification_id, version, "open", "submit", actor, change)

    def accept(self, rectification_id: int, version: int, actor: Actor) -> Rectification:
        """A supervisor is content with it. Raises NotFound, Forbidden, Conflict (state, version), InvalidInput."""

        def change(row: RectificationRow, now: datetime) -> None:
            only_supervisors(actor)
            row.state, row.accepted_at, row.accepted_by = "accepted", now, actor.name

        return self._move(rectification_id, version, "submitted", "accept", actor, change)

    def send_back(self, rectification_id: int, version: int, reason: str, actor: Actor) -> Rectification:
        """It is not put right yet: the clock goes on, less the time that the supervisor took. Raises as above."""
        reason = checked(reason, needed=True)
        rules = self._rules.current()

        def change(row: RectificationRow, now: datetime) -> None:
            only_supervisors(actor)
            row.days += self._calendar.working_days_between(
                (row.submitted_at or now).astimezone(ZONE).date(), now.astimezone(ZONE).date()
            )
            row.due_at, end = due_in(row.made_at, row.days, rules.hours, self._calendar)
            row.state, row.returned_for, row.provisional = "open", reason, end.provisional

        return self._move(rectification_id, version, "submitted", "return", actor, change)

    def _move(
        self,
        rectification_id: int,
        version: int,
        state: str,
        act: str,
        actor: Actor,
        change: Callable[[RectificationRow, datetime], None],
    ) -> Rectification:
        with self._store.write() as work:
            found = repository.rectification(work.session, rectification_id, lock=True)
            if found is None:
                raise NotFound("没有这项整改。", code="rectification_unknown", remedy="请从列表中打开。")
            row, number = found
            if row.state != state or row.version != version:
                raise Conflict("这项整改刚被别人处理过。", code="rectification_changed", remedy="请刷新后再看。")
            change(row, self._clock.now())
            row.version += 1
            told = {"number": number, "unit": row.unit, "level": row.level, "act": act}
            work.emit(RECTIFICATION_TOPIC, number, told)
            work.audit(actor.name, f"rectification.{act}", f"complaint:{number}", {"rectification": row.id})
            return _rectification(row, number)


def _rectification(row: RectificationRow, number: str) -> Rectification:
    return Rectification(
        id=row.id,
        number=number,
        version=row.version,
        unit=row.unit,
        person=row.person,
        level=row.level,
        state=row.state,
        made_at=row.made_at,
        due_at=row.due_at,
        provisional=row.provisional,
        report=row.report,
        submitted_at=row.submitted_at,
        returned_for=row.returned_for,
        accepted_at=row.accepted_at,
    )
