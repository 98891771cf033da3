"""An overdue case that its applicant wants looked into: kept at once, filed as a complaint exactly once.

The request and its outbox message are one transaction. Then it is filed under the request's own number, which the
complaints' side takes only once: by the process that keeps it, or, should that one end or fail in between, by the
worker, which then tells the citizen what he was not told in the conversation.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import structlog

from bot.cases import repository
from bot.cases.numbers import folded
from bot.cases.ports import COMPLAINT_TOPIC, DelayComplaint, FileComplaint, Filed
from bot.cases.service import Asker, CaseService
from bot.cases.tables import CaseRequestRow, CaseRow
from bot.clock import Clock
from bot.notifications.model import Address, Notice
from bot.notifications.service import NotificationService
from bot.store import Store, UnitOfWork, outbox

log = structlog.get_logger("wenban.cases")

PATIENCE = timedelta(minutes=1)
"""How long the worker leaves a request to the process that kept it."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a citizen gets for a request. ``filed`` None: it is kept, and will be filed by the worker.

    ``repeated``: it had been asked before; the complaint's code is told only to whoever asked then.
    """

    number: str
    filed: Filed | None
    repeated: bool


class Delays:
    """Requests in the store. ``file`` None: this process cannot file complaints, so the worker does.

    ``links``: what the link to the complaint begins with.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        cases: CaseService,
        notifications: NotificationService,
        file: FileComplaint | None,
        links: str,
    ) -> None:
        self._store = store
        self._clock = clock
        self._cases = cases
        self._notifications = notifications
        self._file = file
        self._links = links

    def report(self, number: str, asker: Asker) -> Receipt | None:
        """Asks that the case be looked into, once a due date; None where the caller may not ask or it is not late."""
        with self._store.write() as work:
            row = repository.by_folded(work.session, folded(number), lock=True)
            if row is None or not self._cases.knows(work, row, asker):
                return None
            found = self._asked_before(work, row) or self._ask(work, row, asker)
        if found is None:
            return None
        delay, repeated = found
        return Receipt(delay.receipt, self._filed(delay, asker, repeated), repeated)

    def file_kept(self, payload: Mapping[str, Any]) -> None:
        """The worker's part: files what is still only kept, and tells the citizen. Raises what filing raises."""
        delay = DelayComplaint.from_dict(payload)
        if self._file is None:
            raise AssertionError("a process that handles kept requests needs somebody who files them")
        with self._store.read() as session:
            row = repository.request_by_receipt(session, delay.receipt)
            if row is None or row.complaint is not None:
                return  # filed meanwhile, or gone with its case
            contact = self._contact(repository.by_id(session, row.case_id))
        filed = self._file(delay, contact)
        with self._store.write() as work:
            if self._note(work, delay, filed):
                self._tell(work, delay, filed)

    # -- steps ---------------------------------------------------------------------------------------------------------

    def _ask(self, work: UnitOfWork, row: CaseRow, asker: Asker) -> tuple[DelayComplaint, bool] | None:
        now = self._clock.now()
        case, state = self._cases.standing(row, now)
        due = state.clock.due
        if not state.overdue or due is None:
            return None
        delay = DelayComplaint(
            receipt=f"CB{now:%Y%m%d}{secrets.randbelow(10**6):06d}",
            case_number=case.number,
            matter=case.matter,
            matter_name=case.matter_name,
            department=case.department,
            unit=state.stage.unit,
            person=state.stage.person,
            due=due,
            late_days=state.clock.late_days,
            citizen=asker.citizen,
            conversation_id=asker.conversation_id,
            requested_at=now,
        )
        work.session.add(
            CaseRequestRow(case_id=row.id, kind="delay", occasion=_occasion(due), receipt=delay.receipt, created_at=now)
        )
        work.emit(COMPLAINT_TOPIC, delay.receipt, delay.to_dict()).due_at = now + PATIENCE
        work.audit("citizen", "case.report_delay", f"case:{row.folded}", {"receipt": delay.receipt})
        return delay, False

    def _asked_before(self, work: UnitOfWork, row: CaseRow) -> tuple[DelayComplaint, bool] | None:
        _, state = self._cases.standing(row, self._clock.now())
        due = state.clock.due
        earlier = repository.request_of(work.session, row.id, _occasion(due)) if state.overdue and due else None
        kept = outbox.message_of(work.session, COMPLAINT_TOPIC, earlier.receipt) if earlier is not None else None
        return (DelayComplaint.from_dict(kept.payload), True) if kept is not None else None

    def _filed(self, delay: DelayComplaint, asker: Asker, repeated: bool) -> Filed | None:
        """The complaint of a request, filed now where it was not; None where it cannot be at present."""
        if self._file is None:
            return None
        try:
            with self._store.read() as session:
                row = repository.request_by_receipt(session, delay.receipt)
                contact = self._contact(repository.by_id(session, row.case_id)) if row is not None else None
            filed = self._file(delay, contact)
            with self._store.write() as work:
                self._note(work, delay, filed)
        except Exception:
            # The request is kept: the worker files it and tells the citizen.
            log.exception("delay_not_filed", receipt=delay.receipt)
            return None
        if repeated and not _same_person(delay, asker):
            return Filed(filed.number, None, filed.department)
        return filed

    def _note(self, work: UnitOfWork, delay: DelayComplaint, filed: Filed) -> bool:
        """Writes the complaint's number beside the request and takes it off the outbox; whether that was news."""
        row = repository.request_by_receipt(work.session, delay.receipt, lock=True)
        if row is None or row.complaint is not None:
            return False
        row.complaint = filed.number
        kept = outbox.message_of(work.session, COMPLAINT_TOPIC, delay.receipt)
        if kept is not None and kept.state == outbox.OutboxState.NEW:
            outbox.finish(kept)
        return True

    def _tell(self, work: UnitOfWork, delay: DelayComplaint, filed: Filed) -> None:
        addresses: tuple[Address, ...] = ()
        if delay.citizen:
            channel, _, address = delay.citizen.partition(":")
            addresses = ((channel, address),)
        elif delay.conversation_id:
            addresses = (("web", delay.conversation_id),)
        values = {
            "matter": delay.matter_name,
            "number": delay.case_number,
            "complaint": filed.number,
            "code": filed.query_code or "",
            "link": f"{self._links}/complaints/{filed.number}",
        }
        subject = f"case:{delay.case_number}"[:120]
        self._notifications.tell(work, Notice(f"delay:{delay.receipt}", subject, "case.delay", values, addresses))

    def _contact(self, row: CaseRow | None) -> str | None:
        return self._cases.sealer.case(row).applicant.phone if row is not None else None


def _occasion(due: date) -> str:
    return f"delay:{due.isoformat()}"


def _same_person(delay: DelayComplaint, asker: Asker) -> bool:
    if delay.citizen is not None:
        return delay.citizen == asker.citizen
    return delay.conversation_id is not None and delay.conversation_id == asker.conversation_id
