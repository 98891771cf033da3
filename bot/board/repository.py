"""The lists of the board and what their complaints have in common; ``counting`` holds the queries that count.

Lists are read a page at a time by their key, never by counting from the start.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    and_,
    case,
    exists,
    func,
    literal,
    or_,
    select,
    tuple_,
    type_coerce,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from bot.board.model import Filter, Measure, Thresholds, midnight
from bot.complaints.model import Act
from bot.complaints.numbers import NUMBER_LENGTH
from bot.complaints.tables import IN_REVIEW, IN_TRIAGE, IS_OPEN, ComplaintEventRow, ComplaintRow
from bot.judgements.model import POOR
from bot.judgements.tables import JudgementRow
from bot.store.types import UtcDateTime
from bot.supervision.model import Light
from bot.supervision.tables import CallbackRow

PAGE = 50

C = ComplaintRow
E = ComplaintEventRow
J = JudgementRow
K = CallbackRow
LISTED = (
    C.id, C.number, C.text, C.kind, C.category, C.area, C.location, C.urgent, C.state, C.department, C.held_late_by,
    C.filed_at, C.sign_due_at, C.due_at, C.answered_at, C.provisional, C.extension_asked, C.extensions, C.version,
)  # fmt: skip
"""What a list shows of a complaint: nothing that is sealed."""
HELD = ("dispatched", "signed", "paused")
_BY_DUE = frozenset({Measure.OPEN, Measure.HELD, Measure.TRIAGE, Measure.OVERDUE, Measure.EXTENSION})
_ACCOUNTABLE = frozenset({Measure.OVERDUE, Measure.DONE, Measure.ON_TIME, Measure.EXTENDED, Measure.LATE})
"""Measures that count for the unit that was late with it, where another has it now."""
_OWN_UNIT = frozenset({Measure.RETURNED, Measure.DISSATISFIED, Measure.UNRESOLVED})
"""Measures of something that happened to a unit, which another may have followed."""
_SUBJECT = "complaint:"
RUNS = C.state != "paused"
answerer = func.coalesce(C.held_late_by, C.department)


@dataclass(frozen=True, slots=True)
class Key:
    """Where a page ended: the moment it is ordered by, and the complaint."""

    at: datetime
    id: int


# -- lists ------------------------------------------------------------------------------------------------------------


def ordering(show: Measure) -> tuple[InstrumentedAttribute[Any], bool]:
    """The moment by which a list is ordered, and whether the latest comes first."""
    if show in _BY_DUE:
        return C.due_at, False
    if show is Measure.REVIEW:
        return C.answered_at, False
    return (C.answered_at, True) if show in _ACCOUNTABLE else (C.filed_at, True)


def page(
    session: Session,
    wanted: Filter,
    thresholds: Thresholds,
    after: Key | None = None,
    size: int = PAGE,
    members: Sequence[int] = (),
) -> Sequence[Any]:
    """The next rows of the list, one more than ``size`` where there are more; ``members``: ids of ``wanted.hot``."""
    moment, latest_first = ordering(wanted.show)
    query = select(*LISTED).where(*conditions(wanted, thresholds, members))
    if after is not None:
        here, bound = tuple_(moment, C.id), tuple_(literal(after.at, UtcDateTime), literal(after.id))
        query = query.where(here < bound if latest_first else here > bound)
    order = (moment.desc(), C.id.desc()) if latest_first else (moment, C.id)
    return session.execute(query.order_by(*order).limit(size + 1)).all()


def conditions(wanted: Filter, thresholds: Thresholds, members: Sequence[int] = ()) -> list[ColumnElement[bool]]:
    """What the complaints of a filter have in common. Its period must be filled in (``Filter.within``)."""
    found = [*_population(wanted, thresholds), *narrowed(wanted)]
    if wanted.department and wanted.show not in _OWN_UNIT:
        late = wanted.show in _ACCOUNTABLE or wanted.light == Light.RED
        own = and_(C.held_late_by.is_(None), C.department == wanted.department)
        found.append(or_(C.held_late_by == wanted.department, own) if late else C.department == wanted.department)
    if wanted.light:
        found.append(lit(Light(wanted.light), thresholds))
    if wanted.hot:
        found.append(C.id.in_(members))
    return found


def narrowed(wanted: Filter) -> list[ColumnElement[bool]]:
    """The conditions of a filter but for population, unit and light."""
    found: list[ColumnElement[bool]] = []
    for name in ("kind", "state", "number", "area"):
        if value := getattr(wanted, name):
            found.append(getattr(C, name) == value)
    if wanted.category:
        whole = "/" in wanted.category
        found.append(C.category == wanted.category if whole else C.category.startswith(wanted.category + "/"))
    if wanted.urgent:
        found.append(C.urgent.is_(True))
    return found


def lit(light: Light, thresholds: Thresholds) -> ColumnElement[bool]:
    """Open complaints whose clock runs and shows ``light``."""
    soon = case((C.urgent, thresholds.soon_urgent), else_=thresholds.soon)
    near = C.due_at < type_coerce(soon, UtcDateTime)
    match light:
        case Light.RED:
            return and_(RUNS, C.due_at < thresholds.now)
        case Light.YELLOW:
            return and_(RUNS, C.due_at >= thresholds.now, near)
    return and_(RUNS, C.due_at >= thresholds.now, ~near)


def _population(wanted: Filter, thresholds: Thresholds) -> list[Any]:
    match wanted.show:
        case Measure.OPEN:
            return [IS_OPEN]
        case Measure.HELD:
            return [IS_OPEN, C.state.in_(HELD)]
        case Measure.TRIAGE:
            return [IN_TRIAGE]
        case Measure.REVIEW:
            return [IN_REVIEW]
        case Measure.EXTENSION:
            return [IS_OPEN, C.extension_asked.is_(True)]
        case Measure.OVERDUE:
            return [IS_OPEN, RUNS, C.due_at < thresholds.now]
    begin, end = bounds(wanted)
    match wanted.show:
        case Measure.FILED:
            return [C.filed_at >= begin, C.filed_at < end]
        case Measure.RETURNED:
            own = [returner() == wanted.department] if wanted.department else []
            return [exists().where(E.complaint_id == C.id, *returned(begin, end), *own)]
        case Measure.DISSATISFIED:
            own = [J.unit == wanted.department] if wanted.department else []
            return [C.number.in_(select(judged_number()).where(*judged(begin, end), *own, J.level <= POOR))]
        case Measure.UNRESOLVED:
            own = [K.unit == wanted.department] if wanted.department else []
            return [exists().where(K.complaint_id == C.id, *called(begin, end), K.outcome == "dissatisfied", *own)]
    done = [C.answered_at >= begin, C.answered_at < end]
    match wanted.show:
        case Measure.ON_TIME:
            done += [C.answered_at <= C.due_at, C.extensions == 0]
        case Measure.EXTENDED:
            done += [C.answered_at <= C.due_at, C.extensions > 0]
        case Measure.LATE:
            done += [C.answered_at > C.due_at]
    return done


def bounds(wanted: Filter) -> tuple[datetime, datetime]:
    """First moment of the period and the one after its last."""
    if wanted.since is None or wanted.until is None:
        raise ValueError("the period is not filled in")
    return midnight(wanted.since), midnight(wanted.until + timedelta(days=1))


def called(begin: datetime, end: datetime) -> list[ColumnElement[bool]]:
    """Calls at which somebody said whether he was content."""
    return [K.done_at >= begin, K.done_at < end, K.outcome.in_(("satisfied", "dissatisfied"))]


def returned(begin: datetime, end: datetime) -> list[Any]:
    return [E.act == Act.RETURN.value, E.at >= begin, E.at < end]


def returner() -> ColumnElement[str]:
    """The unit that sent it back: the one it was sent to at that time, as its event has it."""
    return cast(ColumnElement[str], E.details["department"].as_string())


def judged(begin: datetime, end: datetime) -> list[ColumnElement[bool]]:
    return [J.answered_at >= begin, J.answered_at < end, J.subject.startswith(_SUBJECT)]


def judged_number() -> ColumnElement[str]:
    """The complaint that a judgement is of; whoever joined it judges it under its number and his own."""
    return func.substr(J.subject, len(_SUBJECT) + 1, NUMBER_LENGTH)
