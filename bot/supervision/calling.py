"""Calling citizens after the answer (回访): what is to be called about, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.clock import Clock as TimeSource
from bot.complaints.handling import ComplaintHandling, Step
from bot.complaints.model import Act, Actor, Party, State
from bot.complaints.tables import ComplaintRow
from bot.errors import Conflict, Forbidden, InvalidInput, NotFound
from bot.store import Store, UnitOfWork
from bot.store.inserting import insert_new
from bot.store.sealed import Sealer
from bot.supervision import after_repository as repository
from bot.supervision.raising import due_in
from bot.supervision.rules import Rules, RulesFile
from bot.supervision.tables import CallbackRow
from bot.supervision.wording import checked
from bot.workdays import WorkCalendar

CALLBACK_TOPIC = "supervision.callback"
CALLED_ABOUT = frozenset({State.ANSWERED, State.REVIEWED, State.CLOSED})
"""States in which there is an answer to call about."""
_DESK = frozenset({Party.OPERATOR, Party.SUPERVISOR})


class Outcome(StrEnum):
    """How a call ended."""

    SATISFIED = "satisfied"
    DISSATISFIED = "dissatisfied"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class Callback:
    """A call to make, or that was made. ``reason``: ``poor`` or ``answer``."""

    id: int
    number: str
    version: int
    department: str | None
    reason: str
    state: str
    made_at: datetime
    due_at: datetime
    attempts: int
    outcome: str | None
    done_at: datetime | None
    done_by: str | None


def open_callback(
    work: UnitOfWork,
    row: ComplaintRow,
    reason: str,
    occasion: int,
    days: int,
    rules: Rules,
    since: datetime,
    calendar: WorkCalendar,
    *,
    unit: str | None,
) -> None:
    """Puts a call on the list, once for each reason and occasion, due ``days`` working days after ``since``.

    ``unit``: whose answer it is about.
    """
    due_at, end = due_in(since, days, rules.hours, calendar)
    values = {
        "complaint_id": row.id,
        "reason": reason,
        "occasion": occasion,
        "unit": unit,
        "state": "open",
        "version": 1,
        "made_at": since,
        "days": days,
        "due_at": due_at,
        "provisional": end.provisional,
        "attempts": 0,
    }
    if insert_new(work.session, CallbackRow, values):
        work.emit(CALLBACK_TOPIC, row.number, {"number": row.number, "reason": reason, "act": "opened"})


class Calling:
    """The list of calls as the desk works through it. Safe to use from several threads."""

    def __init__(
        self,
        store: Store,
        clock: TimeSource,
        sealer: Sealer,
        rules: RulesFile,
        calendar: WorkCalendar,
        handling: ComplaintHandling,
    ) -> None:
        self._store = store
        self._clock = clock
        self._sealer = sealer
        self._rules = rules
        self._calendar = calendar
        self._handling = handling

    def callbacks(self, *, state: str = "open", limit: int = 200) -> list[Callback]:
        """Calls to make (or made), the first due first; without notes."""
        with self._store.read() as session:
            return [
                _callback(row, complaint) for row, complaint in repository.callbacks(session, state=state, limit=limit)
            ]

    def finish(
        self, callback_id: int, version: int, outcome: Outcome, note: str, actor: Actor, *, reopen: bool = False
    ) -> Callback:
        """What came of a call. ``reopen``: the citizen wants it handled again (needs a note).

        Nobody reached: it is called again the next working day, until the tries of the rules are spent. A content
        citizen, and the last vain try, review an answered complaint. Raises NotFound, Forbidden, InvalidInput,
        Conflict.
        """
        _desk(actor)
        note = checked(note, needed=outcome is Outcome.DISSATISFIED or reopen)
        if reopen and outcome is not Outcome.DISSATISFIED:
            raise InvalidInput(
                "市民满意或没有联系上时不能重新办理。", code="callback_reopen", remedy="请改选回访结果。"
            )
        rules, now = self._rules.current(), self._clock.now()
        with self._store.write() as work:
            found = repository.callback(work.session, callback_id, lock=True)
            if found is None:
                raise NotFound("没有这次回访。", code="callback_unknown", remedy="请从列表中打开。")
            row, complaint = found
            if row.state != "open" or row.version != version:
                raise Conflict("这次回访刚被别人处理过。", code="callback_changed", remedy="请刷新后再看。")
            row.attempts += 1
            if note:
                row.note = self._sealer.seal(note, f"callbacks.note:{row.id}")
            again = outcome is Outcome.UNREACHABLE and row.attempts < rules.aftercare.attempts
            if again:
                row.days, row.made_at = 1, now
                row.due_at, end = due_in(now, 1, rules.hours, self._calendar)
                row.provisional = end.provisional
            else:
                row.state, row.outcome, row.done_at, row.done_by = "done", outcome.value, now, actor.name
                self._follow(work, complaint, outcome, note, actor, reopen)
            row.version += 1
            details = {"callback": row.id, "outcome": outcome.value, "attempt": row.attempts, "done": not again}
            work.audit(actor.name, "callback.call", f"complaint:{complaint.number}", details)
            told = {"number": complaint.number, "reason": row.reason, "act": "called", "outcome": outcome.value}
            work.emit(CALLBACK_TOPIC, complaint.number, told)
            return _callback(row, complaint)

    def _follow(
        self, work: UnitOfWork, complaint: ComplaintRow, outcome: Outcome, note: str, actor: Actor, reopen: bool
    ) -> None:
        state = State(complaint.state)
        if reopen and state in CALLED_ABOUT:
            self._handling.act_within(work, Step(complaint.number, Act.REOPEN, complaint.version, note), actor)
        elif outcome is not Outcome.DISSATISFIED and state is State.ANSWERED:
            self._handling.act_within(work, Step(complaint.number, Act.REVIEW, complaint.version), actor)

    def note(self, callback_id: int, actor: Actor) -> str:
        """What was noted at a call, in full: an audited look at personal data. Raises NotFound, Forbidden."""
        _desk(actor)
        with self._store.write() as work:
            found = repository.callback(work.session, callback_id)
            if found is None or found[0].note is None:
                raise NotFound("这次回访没有记录。", code="callback_unknown", remedy="请从列表中打开。")
            work.audit(actor.name, "callback.read", f"complaint:{found[1].number}", {"callback": callback_id})
            return self._sealer.open(found[0].note, f"callbacks.note:{callback_id}")


def _desk(actor: Actor) -> None:
    if actor.party not in _DESK:
        raise Forbidden("回访由坐席或督办员进行。", code="callback_forbidden", remedy="请联系坐席。")


def _callback(row: CallbackRow, complaint: ComplaintRow) -> Callback:
    return Callback(
        id=row.id,
        number=complaint.number,
        version=row.version,
        department=complaint.department,
        reason=row.reason,
        state=row.state,
        made_at=row.made_at,
        due_at=row.due_at,
        attempts=row.attempts,
        outcome=row.outcome,
        done_at=row.done_at,
        done_by=row.done_by,
    )
