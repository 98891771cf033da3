"""Every query that counts: what is open now, what happened in a period; of all units or of one, by what is asked for.

What a number counts is what the list of the same filter holds (``repository.conditions``).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import (
    CTE,
    ColumnElement,
    CompoundSelect,
    Date,
    Select,
    Subquery,
    Text,
    and_,
    case,
    cast,
    func,
    literal_column,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.orm import Session

from bot.board.figures import Figures
from bot.board.model import Filter, Measure, Thresholds
from bot.board.repository import (
    HELD,
    RUNS,
    C,
    E,
    J,
    K,
    answerer,
    bounds,
    called,
    judged,
    judged_number,
    lit,
    narrowed,
    returned,
    returner,
)
from bot.complaints.tables import IN_REVIEW, IS_OPEN
from bot.judgements.model import POOR
from bot.supervision.model import Light

By = Literal["all", "unit", "category", "area", "day"]
"""What figures are grouped by; ``category`` is the two levels together."""
_OF_UNITS = ("all", "unit")
_EACH: ColumnElement[int] = literal_column("1")


def open_counts(session: Session, wanted: Filter, thresholds: Thresholds) -> Any:
    """How many open complaints there are, by light, and what waits for somebody; of every unit or of one."""
    query = select(
        func.count().label("open"),
        *(_sum(lit(light, thresholds)).label(light.value) for light in Light),
        _sum(~RUNS).label("paused"),
        _sum(C.urgent).label("urgent"),
        _sum(C.extension_asked).label("extension"),
        _sum(C.state.in_(("filed", "returned", "reopened"))).label("triage"),
        # apart: the index that serves the rest does not hold it, and one of its own counts the few there are
        select(func.count())
        .select_from(C)
        .where(C.state == "dispatched", C.sign_due_at < thresholds.now, *_open(wanted))
        .scalar_subquery()
        .label("unsigned"),
        _sum(C.state == "dispatched").label("dispatched"),
        _sum(C.state == "signed").label("signed"),
    ).where(*_open(wanted))
    return session.execute(query).one()


def reviewing(session: Session) -> int:
    """How many are answered and not yet closed."""
    return session.scalar(select(func.count()).select_from(C).where(IN_REVIEW)) or 0


def open_by(
    session: Session, wanted: Filter, dimensions: Sequence[By], thresholds: Thresholds
) -> dict[By, dict[str, Figures]]:
    """Open and overdue complaints; an overdue one counts for the unit that was late with it."""
    late = [answerer == wanted.department] if wanted.department else []
    overdue = [*_open(wanted.but(department="")), lit(Light.RED, thresholds), *late]
    opened = select().select_from(C).where(*_open(wanted))
    missed = select().select_from(C).where(*overdue)
    return _counted(
        session,
        (
            _Source(opened, None, C.department, {"open": _EACH}),
            _Source(missed, None, answerer, {"overdue": _EACH}),
        ),
        dimensions,
    )


def _open(wanted: Filter) -> list[Any]:
    own = [C.department == wanted.department] if wanted.department else []
    held = [C.state.in_(HELD)] if wanted.show is Measure.HELD else []
    return [IS_OPEN, *held, *own, *narrowed(wanted.but(state="", number=""))]


@dataclass(frozen=True, slots=True)
class _Source:
    """Rows that are counted once each. ``counted``: name of a figure, and 0 or 1 of a row.

    ``of_units``: what units alone are judged by; the other tables do not show it.
    """

    rows: Select[Any]
    moment: Any
    unit: Any
    counted: Mapping[str, ColumnElement[int]]
    of_units: bool = False


def happened(session: Session, wanted: Filter, dimensions: Sequence[By]) -> dict[By, dict[str, Figures]]:
    """What happened in the period of ``wanted``, by each of ``dimensions``, counted from the complaints themselves."""
    return _counted(session, _sources(wanted), dimensions)


def _counted(session: Session, sources: Iterable[_Source], dimensions: Sequence[By]) -> dict[By, dict[str, Figures]]:
    # numbers first: adding up Figures one by one takes as long as a query
    found: dict[By, defaultdict[str, Counter[str]]] = {by: defaultdict(Counter) for by in dimensions}
    for source in sources:
        kept = [by for by in dimensions if not source.of_units or by in _OF_UNITS]
        if not kept:
            continue
        keys = {by: _key(by, session, source.moment, source.unit) for by in kept}
        for by, value, sums in _by_each(session, source, keys):
            counts = found[by][_named(value)]
            for name, count in zip(source.counted, sums, strict=True):
                counts[name] += int(count)
    return {by: {value: Figures(**counts) for value, counts in each.items()} for by, each in found.items()}


def _sources(wanted: Filter) -> Iterator[_Source]:
    begin, end = bounds(wanted)
    narrow = narrowed(wanted.but(state="", number=""))

    def of(unit: Any) -> list[Any]:
        return [unit == wanted.department] if wanted.department else []

    def narrowed_by(rows: Select[Any], same: Any) -> Select[Any]:
        return rows.join(C, same).where(*narrow) if narrow else rows

    filed = select().select_from(C).where(C.filed_at >= begin, C.filed_at < end, *narrow, *of(C.department))
    yield _Source(filed, C.filed_at, C.department, {"filed": _EACH})
    in_time = C.answered_at <= C.due_at
    ways = {"on_time": and_(in_time, C.extensions == 0), "extended": and_(in_time, C.extensions > 0), "late": ~in_time}
    for held in _answered_by(wanted.department):
        done = select().select_from(C).where(C.answered_at >= begin, C.answered_at < end, *narrow, *held)
        yield _Source(done, C.answered_at, answerer, {name: _one(way) for name, way in ways.items()})
    rows = narrowed_by(select().select_from(E), E.complaint_id == C.id)
    rows = rows.where(*returned(begin, end), *of(returner()))
    yield _Source(rows, E.at, returner(), {"returned": _EACH}, of_units=True)
    rows = narrowed_by(select().select_from(J), C.number == judged_number())
    rows = rows.where(*judged(begin, end), *of(J.unit))
    yield _Source(rows, J.answered_at, J.unit, {"judged": _EACH, "satisfied": _one(J.level > POOR)}, of_units=True)
    rows = narrowed_by(select().select_from(K), K.complaint_id == C.id).where(*called(begin, end), *of(K.unit))
    resolved = _one(K.outcome == "satisfied")
    yield _Source(rows, K.done_at, K.unit, {"asked": _EACH, "resolved": resolved}, of_units=True)


def _answered_by(unit: str) -> list[list[ColumnElement[bool]]]:
    """Whose answers count for ``unit``: each part has an index of its own, which ``answerer`` has not."""
    if not unit:
        return [[]]
    return [[C.department == unit, C.held_late_by.is_(None)], [C.held_late_by == unit]]


def _by_each(
    session: Session, source: _Source, keys: Mapping[By, ColumnElement[Any]]
) -> Iterator[tuple[By, object, Sequence[int]]]:
    """Sums by each key, after its name and value. The rows are read once for all of them."""
    columns = [*(key.label(f"by_{by}") for by, key in keys.items())]
    columns += [each.label(name) for name, each in source.counted.items()]
    read = source.rows.add_columns(*columns)
    if _on_postgresql(session):
        found = session.execute(_in_one_pass(read.subquery("read"), source.counted, keys))
        left_out = {2 ** len(keys) - 1 - 2**place: by for place, by in enumerate(reversed(list(keys)))}
        yield from ((left_out[mask], value, sums) for mask, value, *sums in found)
    else:
        found = session.execute(_one_after_another(read.cte("read"), source.counted, keys))
        yield from ((by, value, sums) for by, value, *sums in found)


def _in_one_pass(read: Subquery, counted: Mapping[str, Any], keys: Mapping[By, Any]) -> Select[Any]:
    """Half the time of :func:`_one_after_another`; SQLite cannot. A bit is set for each key that is not grouped by."""
    columns = [read.c[f"by_{by}"] for by in keys]
    value = func.coalesce(*(cast(column, Text) for column in columns))
    sums = [func.sum(read.c[name]) for name in counted]
    sets = func.grouping_sets(*(tuple_(column) for column in columns))
    return select(func.grouping(*columns), value, *sums).group_by(sets)


def _one_after_another(read: CTE, counted: Mapping[str, Any], keys: Mapping[By, Any]) -> CompoundSelect[Any]:
    sums = [func.sum(read.c[name]) for name in counted]
    return union_all(
        *(
            select(literal_column(f"'{by}'"), read.c[f"by_{by}"], *sums).select_from(read).group_by(read.c[f"by_{by}"])
            for by in keys
        )
    )


def _key(by: By, session: Session, moment: Any = None, unit: Any = answerer) -> ColumnElement[Any]:
    match by:
        case "unit":
            return unit  # type: ignore[no-any-return]
        case "category":
            return C.category.expression
        case "area":
            return C.area.expression
        case "day":
            return _day(session, moment)
    return literal_column("''")


def _day(session: Session, moment: Any) -> ColumnElement[Any]:
    """The Chinese day of a stored moment; as text it is written as in ISO 8601."""
    if _on_postgresql(session):
        return cast(func.timezone("Asia/Shanghai", moment), Date)
    return func.date(moment, "+8 hours")


def _on_postgresql(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"


def _one(condition: Any) -> ColumnElement[int]:
    return case((condition, 1), else_=0)


def _sum(condition: Any) -> ColumnElement[int]:
    return func.coalesce(func.sum(_one(condition)), 0)


def _named(value: object) -> str:
    return "" if value is None else str(value)
