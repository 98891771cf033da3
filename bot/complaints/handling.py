"""Use cases of those who handle complaints: dispatching, signing, returning, pausing, extending, answering, closing.

Every act is checked against the rules (``model.py``), compared with the version its actor saw, and written with its
event, audit row and outbox message in one transaction: two people cannot both act.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from bot.clock import Clock
from bot.complaints import repository
from bot.complaints.clocks import Due, due, extended, reclassified, resumed, sent
from bot.complaints.model import Act, Actor, Kind, State, after
from bot.complaints.numbers import aloud
from bot.complaints.ports import Notices
from bot.complaints.service import CHANGED_TOPIC
from bot.complaints.tables import ComplaintRow
from bot.complaints.writing import ComplaintWriter, add_event, due_values, dues, next_versions, standing
from bot.errors import Conflict, InvalidInput, NotFound
from bot.judgements.service import JudgementService
from bot.store import Store, UnitOfWork

LONGEST_NOTE = 5_000
DECIDED_TOPIC = "complaint.decided"
"""An operator's choice of unit, or a return: what the decision learns from later."""

_CLOSING = frozenset({State.CLOSED, State.WITHDRAWN, State.MERGED})
_ANEW = frozenset({Act.DISPATCH, Act.TAKE_BACK, Act.REOPEN, Act.SPLIT})
"""Acts after which somebody else owes the next step: every deadline counts as a new one."""


@dataclass(frozen=True, slots=True)
class Classing:
    """What a complaint is: ``category`` is ``大类/小类``."""

    kind: Kind
    category: str
    urgent: bool


@dataclass(frozen=True, slots=True)
class Step:
    """One act on one complaint. ``version``: the one the actor saw; ``note``: reason or answer.

    ``department``: whom a dispatch sends it to; ``into``: the number a merge joins it to; ``classing``: what it is
    instead of what it was taken for.
    """

    number: str
    act: Act
    version: int
    note: str = ""
    department: str | None = None
    into: str | None = None
    classing: Classing | None = None


@dataclass(frozen=True, slots=True)
class Moved:
    """Where the complaint stands after the act."""

    number: str
    state: State
    version: int
    department: str | None
    due_at: datetime


class ComplaintHandling:
    """Complaints as their handlers move them. Safe to use from several threads."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        writer: ComplaintWriter,
        judgements: JudgementService | None = None,
        notices: Notices | None = None,
    ) -> None:
        """``judgements``: with it every answer is put to the citizen to be judged (subject ``complaint:NUMBER``)."""
        self._store = store
        self._clock = clock
        self._writer = writer
        self._judgements = judgements
        self._notices = notices

    def act(self, step: Step, actor: Actor) -> Moved:
        """Does ``step``. Raises NotFound, Forbidden, Conflict, InvalidInput; nothing is changed then."""
        with self._store.write() as work:
            return self.act_within(work, step, actor)

    def act_within(self, work: UnitOfWork, step: Step, actor: Actor) -> Moved:
        """Does ``step`` in the caller's transaction. Raises as :meth:`act`; the transaction must not go on then."""
        if len(step.note) > LONGEST_NOTE:
            raise InvalidInput(f"内容太长，最多 {LONGEST_NOTE} 个字。", code="note_too_long", remedy="请写得简短些。")
        now = self._clock.now()
        row = repository.by_number(work.session, step.number, lock=True)
        if row is None:
            raise NotFound("没有这件诉求。", code="complaint_unknown", remedy="请检查编号。")
        before, was = State(row.state), _classing(row)
        state = after(standing(row), step.act, actor, step.version, now, reason=step.note)
        apart = self._apart(work, row, step)
        values = {"state": state.value, **self._effects(work, row, step, actor, now)}
        values |= next_versions(row, values, anew=step.act in _ANEW)
        if state in _CLOSING:
            values["closed_at"] = now
        if not repository.change(work.session, row, step.version, values):
            raise Conflict("这件诉求刚被别人处理过。", code="complaint_changed", remedy="请刷新后看一看最新情况。")
        self._recount(work, row, apart)
        details: dict[str, Any] = {"department": row.department, "due_at": row.due_at.isoformat()}
        if step.act is Act.RECLASSIFY:
            details |= {"was": asdict(was), "now": asdict(_classing(row))}
        add_event(work, row, step.act, before, state, actor.name, now, details, step.note or None)
        work.emit(CHANGED_TOPIC, row.number, {"number": row.number, "state": row.state, "version": row.version})
        if step.act in (Act.DISPATCH, Act.RETURN, Act.TAKE_BACK):
            work.emit(DECIDED_TOPIC, row.number, self._lesson(row, step))
        if step.act is Act.ANSWER:
            self._ask(work, row)
        work.audit(actor.name, f"complaint.{step.act}", f"complaint:{row.number}", details)
        if self._notices is not None:
            self._notices.tell(work, row, step.act, before)
        return Moved(row.number, state, row.version, row.department, row.due_at)

    def _ask(self, work: UnitOfWork, row: ComplaintRow) -> None:
        """Puts the answer to the citizen to be judged, credited to the unit and the clerk that gave it."""
        if self._judgements is None:
            return
        self._judgements.ask(
            work,
            subject=f"complaint:{row.number}",
            occasion=f"answer:{row.version}",
            title=f"诉求 {aloud(row.number)}",
            unit=row.department or "",
            person=row.handler,
            citizen=row.citizen,
        )

    def _effects(self, work: UnitOfWork, row: ComplaintRow, step: Step, actor: Actor, now: datetime) -> dict[str, Any]:
        """What an act changes besides the state."""
        limits, calendar = self._writer.limits, self._writer.calendar
        match step.act:
            case Act.DISPATCH:
                return self._dispatched(row, step, now)
            case Act.SIGN:
                return {"handler": actor.name}
            case Act.REPLY:
                return {"replied_at": row.replied_at or now}
            case Act.RETURN:
                return {"returns": row.returns + 1, **self._sent(row, now)}
            case Act.TAKE_BACK:
                return self._taken_back(row, now)
            case Act.RECLASSIFY:
                return self._reclassified(row, step.classing, now)
            case Act.ASK_EXTENSION:
                if row.extensions >= limits.most_extensions:
                    raise Conflict("延期次数已用完。", code="complaint_extensions_spent", remedy="请按期办理。")
                return {"extension_asked": True}
            case Act.REFUSE_EXTENSION:
                return {"extension_asked": False}
            case Act.GRANT_EXTENSION:
                ends = extended(dues(row, calendar), limits, calendar)
                return {"extension_asked": False, "extensions": row.extensions + 1, **due_values(ends)}
            case Act.PAUSE:
                return {"paused_at": now}
            case Act.RESUME:
                ends = resumed(dues(row, calendar), row.paused_at or now, now, row.urgent, limits, calendar)
                return {"paused_at": None, **due_values(ends)}
            case Act.ANSWER:
                replied = row.replied_at or now
                return {"answer": step.note, "answered_at": now, "replied_at": replied, "handler": actor.name}
            case Act.REOPEN:
                again = {"closed_at": None, "answered_at": None, "replied_at": None, "returns": 0, "extensions": 0}
                again["held_late_by"] = None
                return {**again, "extension_asked": False, **due_values(self._due(row, now))}
            case Act.MERGE:
                return {"merged_into_id": self._target(work, row, step).id}
            case Act.SPLIT:
                return {"merged_into_id": None, "closed_at": None, **self._sent(row, now)}
            case _:
                return {}

    @staticmethod
    def _apart(work: UnitOfWork, row: ComplaintRow, step: Step) -> ComplaintRow | None:
        """The complaint from which a split parts ``row``."""
        if step.act is not Act.SPLIT or row.merged_into_id is None:
            return None
        return repository.by_id(work.session, row.merged_into_id)

    @staticmethod
    def _recount(work: UnitOfWork, row: ComplaintRow, apart: ComplaintRow | None) -> None:
        """Who joined goes along with a merge and a split: he belongs to the complaint he joined, wherever that goes."""
        if apart is not None:
            repository.count_joined(work.session, apart, -1 - row.joined)
        elif State(row.state) is State.MERGED and row.merged_into_id is not None:
            repository.count_joined(
                work.session, work.session.get_one(ComplaintRow, row.merged_into_id), row.joined + 1
            )

    def _dispatched(self, row: ComplaintRow, step: Step, now: datetime) -> dict[str, Any]:
        """A unit that is sent the complaint has its whole time to sign for it, one that was reopened for everything."""
        if not (step.department or "").strip():
            raise InvalidInput("请选择承办单位。", code="department_missing", remedy="选择后再派发。")
        reopened = State(row.state) is State.REOPENED
        late = not reopened and row.department is not None and now > row.due_at
        chosen: Mapping[str, Any] = next((c for c in row.candidates if c["department"] == step.department), {})
        return {
            "department": step.department,
            "power": chosen.get("power"),
            "basis": chosen.get("basis"),
            "handler": None,
            **(due_values(self._due(row, now)) if reopened else self._sent(row, now)),
            "held_late_by": None if reopened else (row.held_late_by or row.department) if late else row.held_late_by,
        }

    def _taken_back(self, row: ComplaintRow, now: datetime) -> dict[str, Any]:
        """A pause ends with it; the desk has its whole time to send it on."""
        limits, calendar = self._writer.limits, self._writer.calendar
        ends = dues(row, calendar)
        if row.paused_at is not None:
            ends = resumed(ends, row.paused_at, now, row.urgent, limits, calendar)
        ends = sent(ends, now, Kind(row.kind), row.category, row.urgent, limits, calendar)
        return {"extension_asked": False, "paused_at": None, **due_values(ends)}

    def _reclassified(self, row: ComplaintRow, classing: Classing | None, now: datetime) -> dict[str, Any]:
        """Its deadlines are those it would have had; an extension that was asked for stays asked for."""
        if classing is None:
            raise InvalidInput("请选择类型和分类。", code="classing_missing", remedy="选择后再提交一次。")
        if classing == _classing(row):
            raise InvalidInput("和原来的一样，没有改动。", code="classing_unchanged", remedy="不用改就直接办理。")
        limits, calendar = self._writer.limits, self._writer.calendar
        own = (classing.kind, classing.category, classing.urgent)
        moved = reclassified(dues(row, calendar), now, *own, row.extensions, limits, calendar)
        return {
            "kind": classing.kind.value,
            "category": classing.category,
            "urgent": classing.urgent,
            **due_values(moved),
        }

    def _due(self, row: ComplaintRow, now: datetime) -> Due:
        """The deadlines as of a complaint that is filed now."""
        return due(now, Kind(row.kind), row.category, row.urgent, self._writer.limits, self._writer.calendar)

    def _sent(self, row: ComplaintRow, now: datetime) -> dict[str, Any]:
        """The columns of the deadlines once somebody else was sent the complaint."""
        limits, calendar = self._writer.limits, self._writer.calendar
        before = dues(row, calendar)
        return due_values(sent(before, now, Kind(row.kind), row.category, row.urgent, limits, calendar))

    @staticmethod
    def _target(work: UnitOfWork, row: ComplaintRow, step: Step) -> ComplaintRow:
        target = repository.by_number(work.session, step.into or "", lock=True)
        if target is None or target.id == row.id or target.state in (State.MERGED, State.WITHDRAWN):
            raise InvalidInput(
                "不能并入这件诉求。", code="merge_target_invalid", remedy="请选择另一件仍在办理或已答复的诉求。"
            )
        return target

    @staticmethod
    def _lesson(row: ComplaintRow, step: Step) -> dict[str, Any]:
        return {
            "number": row.number,
            "act": step.act.value,
            "department": row.department,
            "reason": step.note,
            "candidates": row.candidates,
        }


def _classing(row: ComplaintRow) -> Classing:
    return Classing(Kind(row.kind), row.category, row.urgent)
