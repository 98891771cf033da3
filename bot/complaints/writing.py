"""What a complaint is on its row, sealed and opened; the event that goes with every change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np
import orjson
from sqlalchemy.orm import Session

from bot.clock import ZONE
from bot.complaints import repository
from bot.complaints.areas import area
from bot.complaints.clocks import Calendar, Counted, Due, Limits, due
from bot.complaints.deciding import Decision
from bot.complaints.filing import Asker, Filing, Shown
from bot.complaints.model import Standing, State
from bot.complaints.places import coarse
from bot.complaints.tables import ComplaintJoinerRow, ComplaintRow
from bot.masking import masked
from bot.store import UnitOfWork
from bot.store.sealed import Sealer


class ComplaintWriter:
    """Turns filings and decisions into rows, and rows into what people see."""

    def __init__(self, sealer: Sealer, calendar: Calendar, limits: Callable[[], Limits], encoder: str) -> None:
        """``limits`` gives the table in force; the city may change it at any time."""
        self.sealer = sealer
        self.calendar = calendar
        self._limits = limits
        self.encoder = encoder[:120]
        """Identity of the encoder that made the vectors."""

    @property
    def limits(self) -> Limits:
        """The table of limits in force."""
        return self._limits()

    def values(
        self, filing: Filing, asker: Asker, key: str | None, decision: Decision, now: datetime
    ) -> dict[str, Any]:
        """The columns of a new complaint but for its number and what that seals."""
        return {
            "request_index": self.sealer.index("complaint-request", asker.name, key) if key else None,
            "request_digest": filing.digest if key else None,
            "anonymous": filing.anonymous,
            "case_number": filing.case_number,
            "attachments": list(filing.attachments),
            "channel": asker.channel,
            "citizen": None if filing.anonymous else asker.citizen,
            # The conversation of somebody the channel knows would tell who the anonymous one is.
            "conversation_id": None if filing.anonymous and asker.citizen else asker.conversation_id,
            "version": 1,
            "filed_at": now,
            "returns": 0,
            "extension_asked": False,
            "extensions": 0,
            "sign_version": 1,
            "reply_version": 1,
            "close_version": 1,
            "joined": 0,
            **self.decided(filing, decision, now),
        }

    def decided(self, filing: Filing, decision: Decision, filed_at: datetime) -> dict[str, Any]:
        """What follows from the text: again after a correction."""
        category = filing.category or decision.category
        ends = due(filed_at, decision.kind, category, decision.urgent, self.limits, self.calendar)
        best = decision.best if decision.department else None
        return {
            "text": masked(filing.text),
            "location": filing.location,
            "happened": filing.happened,
            "wish": masked(filing.wish) if filing.wish else None,
            "area": area(filing.location),
            "kind": decision.kind.value,
            "category": category,
            "urgent": decision.urgent,
            "state": (State.DISPATCHED if decision.department else State.FILED).value,
            "department": decision.department,
            "co_departments": list(decision.co_departments),
            "power": best.power if best else None,
            "basis": best.basis if best else None,
            "confidence": decision.confidence,
            "candidates": [candidate.to_dict() for candidate in decision.candidates],
            **due_values(ends),
            "encoder": self.encoder,
            "vector": decision.vector.astype(np.float16).tobytes(),
        }

    def seal(self, number: str, filing: Filing, code: str) -> bytes:
        """Text, contact and query code in full, bound to the complaint."""
        parts = {"text": filing.text, "contact": filing.contact, "code": code, "wish": filing.wish}
        return self.sealer.seal(orjson.dumps(parts).decode(), f"complaints.sealed:{number}")

    def open(self, row: ComplaintRow) -> dict[str, str]:
        """What :meth:`seal` sealed: text, contact, code, wish."""
        parts: dict[str, str] = orjson.loads(self.sealer.open(row.sealed, f"complaints.sealed:{row.number}"))
        return parts

    def shown(self, session: Session, row: ComplaintRow) -> Shown:
        """The complaint as whoever knows its code sees it."""
        parts = self.open(row)
        same = repository.by_id(session, row.duplicate_of_id) if row.duplicate_of_id else None
        happened = repository.events(session, row.id)
        seen = Shown(
            number=row.number,
            query_code=parts["code"],
            text=parts["text"],
            kind=row.kind,
            category=row.category,
            urgent=row.urgent,
            department=row.department,
            co_departments=tuple(row.co_departments),
            candidates=tuple(row.candidates),
            state=row.state,
            version=row.version,
            filed_at=row.filed_at,
            due_at=row.due_at,
            provisional=row.provisional,
            location=row.location,
            case_number=row.case_number,
            duplicate_of=same.number if same else None,
            answer=row.answer,
            events=tuple({"number": e.number, "at": e.at, "act": e.act, "state": e.state} for e in happened),
            happened=row.happened,
            wish=parts.get("wish"),
            contact=parts["contact"],
            anonymous=row.anonymous,
            attachments=tuple(row.attachments),
            joined=row.joined,
        )
        return self._as_handled(session, row, seen)

    def shown_to_joiner(self, session: Session, row: ComplaintRow, joiner: ComplaintJoinerRow) -> Shown:
        """The complaint as somebody who joined it sees it: nothing of what its citizen wrote or left."""
        parts = self.open_joiner(row, joiner)
        seen = self.shown(session, row)
        return replace(
            seen,
            query_code=parts["code"],
            text=parts["text"],
            location=coarse(seen.location),
            contact=parts["contact"],
            anonymous=False,
            attachments=tuple(joiner.attachments),
            happened=None,
            wish=None,
            case_number=None,
            candidates=(),
            answer=masked(seen.answer) if seen.answer else None,
            as_joiner=True,
        )

    def seal_joiner(self, row: ComplaintRow, filing: Filing, code: str) -> bytes:
        """Words, contact and code of somebody who joins ``row``."""
        parts = {"text": filing.text, "contact": filing.contact, "code": code}
        return self.sealer.seal(orjson.dumps(parts).decode(), f"complaint_joiners.sealed:{row.number}")

    def open_joiner(self, row: ComplaintRow, joiner: ComplaintJoinerRow) -> dict[str, str]:
        """What :meth:`seal_joiner` sealed: text, contact, code."""
        context = f"complaint_joiners.sealed:{row.number}"
        parts: dict[str, str] = orjson.loads(self.sealer.open(joiner.sealed, context))
        return parts

    @staticmethod
    def _as_handled(session: Session, row: ComplaintRow, seen: Shown) -> Shown:
        """A merged complaint with the unit, deadline and answer of the one it is handled with."""
        root = repository.root(session, row)
        if root.id == row.id:
            return seen
        return replace(
            seen,
            merged_into=root.number,
            merged_state=root.state,
            department=root.department,
            co_departments=tuple(root.co_departments),
            due_at=root.due_at,
            provisional=root.provisional,
            answer=masked(root.answer) if root.answer else None,
        )


def add_event(
    work: UnitOfWork,
    row: ComplaintRow,
    act: str,
    before: State | None,
    state: State,
    actor: str,
    now: datetime,
    details: dict[str, Any] | None = None,
    note: str | None = None,
) -> None:
    """Adds the event of a change to its transaction; ``actor`` as in the audit trail."""
    repository.add_event(
        work.session,
        row.id,
        at=now,
        act=str(act),
        before=before.value if before else None,
        state=state.value,
        actor=actor,
        note=note,
        details=details or {},
    )


def standing(row: ComplaintRow) -> Standing:
    """What the rules look at."""
    return Standing(
        state=State(row.state),
        version=row.version,
        department=row.department,
        filed_at=row.filed_at,
        due_at=row.due_at,
        return_until=row.return_until,
        returns=row.returns,
        extension_asked=row.extension_asked,
        extensions=row.extensions,
    )


def dues(row: ComplaintRow, calendar: Calendar) -> Due:
    """The deadlines on the row, with what they were counted from."""
    ends = Due(row.sign_due_at, row.reply_due_at, row.due_at, row.return_until, row.provisional)
    if row.urgent:
        return ends
    if row.counted is not None:
        return replace(ends, counted=Counted.from_dict(row.counted))
    start = row.filed_at.astimezone(ZONE).date()  # filed before that was kept: what comes to the same
    moments = {"sign": ends.sign, "return": ends.return_until, "reply": ends.reply, "close": ends.close}
    days = {name: calendar.working_days_between(start, at.astimezone(ZONE).date()) for name, at in moments.items()}
    return replace(ends, counted=Counted(start, start, days))


def due_values(ends: Due) -> dict[str, Any]:
    """The columns of the deadlines."""
    return {
        "sign_due_at": ends.sign,
        "reply_due_at": ends.reply,
        "due_at": ends.close,
        "return_until": ends.return_until,
        "provisional": ends.provisional,
        "counted": ends.counted.to_dict() if ends.counted is not None else None,
    }


def next_versions(row: ComplaintRow, values: Mapping[str, Any], *, anew: bool) -> dict[str, int]:
    """The deadline versions after ``values``: one more for each deadline that moves, for all of them where ``anew``.

    Whatever was raised about a deadline was about one version of it, and may be raised again about the next.
    """
    columns = {"sign_version": "sign_due_at", "reply_version": "reply_due_at", "close_version": "due_at"}
    return {
        version: getattr(row, version) + 1
        for version, column in columns.items()
        if anew or values.get(column, getattr(row, column)) != getattr(row, column)
    }
