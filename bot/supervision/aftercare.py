"""What follows an answer by itself: calls, rectifications, closing by rule. Written once, whoever writes it.

A judgement of 不满意 or 非常不满意 opens a rectification of the unit it was credited to and a call to the citizen;
every other answer is called about on the next working day (rules.toml). A call that finds the citizen content reviews
the complaint; one that does not, or the citizen himself, may reopen it (``Act.REOPEN``).
"""

from __future__ import annotations

from datetime import datetime

import structlog

from bot.clock import ZONE
from bot.clock import Clock as TimeSource
from bot.complaints import repository as complaints
from bot.complaints.handling import ComplaintHandling, Step
from bot.complaints.model import Act, Actor, Party, State
from bot.errors import WenbanError
from bot.judgements import repository as judgements
from bot.judgements.model import POOR
from bot.store import Store
from bot.supervision import after_repository as repository
from bot.supervision.calling import CALLED_ABOUT, open_callback
from bot.supervision.raising import due_in
from bot.supervision.rectifying import open_rectification
from bot.supervision.rules import Rules, RulesFile
from bot.workdays import WorkCalendar

log = structlog.get_logger("wenban.supervision")

SYSTEM = Actor(Party.SYSTEM, "system")
BATCH = 200


class AfterCare:
    """The worker's part; several workers may run it at once."""

    def __init__(
        self, store: Store, clock: TimeSource, rules: RulesFile, calendar: WorkCalendar, handling: ComplaintHandling
    ) -> None:
        self._store = store
        self._clock = clock
        self._rules = rules
        self._calendar = calendar
        self._handling = handling

    def judged_poorly(self, judgement_id: int) -> None:
        """Opens the rectification and the call that a bad judgement is owed; nothing where they are there.

        Judgements of other things than complaints are left to others.
        """
        rules, now = self._rules.current(), self._clock.now()
        with self._store.write() as work:
            judged = judgements.by_id(work.session, judgement_id)
            kind, _, number = (judged.subject if judged else "").partition(":")
            row = complaints.by_number(work.session, number.partition(":")[0]) if kind == "complaint" else None
            if judged is None or row is None or judged.level is None or judged.level > POOR:
                return
            if not row.anonymous or judged.citizen is not None:
                days = rules.aftercare.poor_callback
                open_callback(work, row, "poor", judged.id, days, rules, now, self._calendar, unit=judged.unit)
            open_rectification(work, row.id, row.number, judged, rules, now, self._calendar)

    def run(self, now: datetime) -> None:
        """One turn: calls about new answers, calls that have become void, closing by rule."""
        rules = self._rules.current()
        if rules.aftercare.answer_callback:
            self._call_about_answers(rules, now)
        self._void_callbacks(now)
        self._settle(rules, now)

    def recount(self) -> int:
        """Counts anew the deadlines that rested on unpublished holidays; how many moved."""
        rules, moved = self._rules.current(), 0
        with self._store.write() as work:
            for row in repository.provisional(work.session):
                due_at, end = due_in(row.made_at, row.days, rules.hours, self._calendar)
                row.provisional = end.provisional
                if due_at != row.due_at:
                    row.due_at, row.version = due_at, row.version + 1
                    moved += 1
        return moved

    def _call_about_answers(self, rules: Rules, now: datetime) -> None:
        days = rules.aftercare.answer_callback
        with self._store.read() as session:
            waiting = [row.id for row in repository.answered_uncalled(session, BATCH)]
        for number in waiting:
            with self._store.write() as work:
                row = complaints.by_id(work.session, number)
                if row is not None and row.state == State.ANSWERED:
                    since = row.answered_at or now
                    open_callback(
                        work, row, "answer", row.close_version, days, rules, since, self._calendar, unit=row.department
                    )

    def _void_callbacks(self, now: datetime) -> None:
        """Calls about an answer that does not stand any more: the complaint was reopened."""
        standing = sorted(state.value for state in CALLED_ABOUT)
        with self._store.read() as session:
            if not repository.void_callbacks(session, standing, 1):
                return
        with self._store.write() as work:
            for row in repository.void_callbacks(work.session, standing, BATCH, lock=True):
                row.state, row.outcome, row.done_at, row.done_by = "done", "void", now, SYSTEM.name

    def _settle(self, rules: Rules, now: datetime) -> None:
        """Reviews what nobody could be called about, and closes what was reviewed, once their days have gone by."""
        waits = (
            (State.ANSWERED, Act.REVIEW, rules.aftercare.close_answered),
            (State.REVIEWED, Act.CLOSE, rules.aftercare.close_reviewed),
        )
        for state, act, days in waits:
            with self._store.read() as session:
                waiting = [
                    (row.number, row.version)
                    for row, entered in repository.settled(session, state.value, BATCH)
                    if self._calendar.working_days_between(entered.astimezone(ZONE).date(), now.astimezone(ZONE).date())
                    >= days
                ]
            for number, version in waiting:
                self._quietly(Step(number, act, version))

    def _quietly(self, step: Step) -> None:
        try:
            self._handling.act(step, SYSTEM)
        except WenbanError as refused:
            log.info("complaint_moved_on", number=step.number, act=step.act.value, reason=refused.code)
