"""Use cases of those who look: a page of a list, figures with what makes them, one complaint with all it carries."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.board import counting, hot_spots, keeping, repository
from bot.board.counting import By
from bot.board.figures import Figures, Ranked, ranked
from bot.board.model import Filter, Thresholds
from bot.board.repository import PAGE, Key
from bot.board.tables import HotSpotRow
from bot.clock import Clock
from bot.complaints import repository as complaints
from bot.complaints.model import STATE_NAMES, Act, Actor, Standing, State, acts_possible
from bot.complaints.numbers import folded_number
from bot.complaints.tables import ComplaintEventRow, ComplaintRow
from bot.complaints.writing import standing
from bot.errors import InvalidInput, NotFound
from bot.store import Store
from bot.supervision.model import Calendar, Light
from bot.supervision.model import Clock as RunningClock
from bot.supervision.rules import Rules
from bot.supervision.tables import AlarmRow

SHOWN: tuple[By, ...] = ("unit", "day", "category", "area")
"""What the board shows figures by."""
KEPT_OF_A_UNIT: tuple[By, ...] = ("unit", "day")
"""What is kept of one unit; its categories and places are counted."""
BATCH = 1_000
OVERVIEW_FOR = timedelta(seconds=30)
"""How long a board is shown while nothing happens; lights change by time alone."""
MOST_OVERVIEWS = 200
CHOICES_FOR = timedelta(minutes=5)
CHOSEN_FROM = timedelta(days=30)
"""How far back a unit, category or place must have been met to be offered."""


@dataclass(frozen=True, slots=True)
class Item:
    """A complaint as a list shows it; nothing in it is sealed."""

    id: int
    number: str
    text: str
    kind: str
    category: str
    area: str | None
    location: str | None
    urgent: bool
    state: State
    department: str | None
    held_late_by: str | None
    filed_at: datetime
    sign_due_at: datetime
    due_at: datetime
    answered_at: datetime | None
    provisional: bool
    extension_asked: bool
    extensions: int
    version: int
    light: Light | None
    unsigned: bool
    """Sent to a unit that has not signed for it in time."""

    @property
    def state_name(self) -> str:
        return STATE_NAMES[self.state]


@dataclass(frozen=True, slots=True)
class ItemPage:
    """``next``: what to ask for the next page with; empty at the end."""

    items: Sequence[Item]
    next: str


@dataclass(frozen=True, slots=True)
class Happened:
    """One event of a complaint."""

    number: int
    at: datetime
    act: str
    state: State
    actor: str
    note: str | None
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Detail:
    """A complaint with all that its handlers need, personal numbers starred."""

    item: Item
    co_departments: Sequence[str]
    power: str | None
    basis: str | None
    confidence: float
    candidates: Sequence[Mapping[str, Any]]
    attachments: Sequence[str]
    anonymous: bool
    channel: str
    case_number: str | None
    reply_due_at: datetime
    return_until: datetime
    returns: int
    paused_at: datetime | None
    replied_at: datetime | None
    handler: str | None
    answer: str | None
    duplicate_of: str | None
    merged_into: str | None
    merged: Sequence[str]
    """Numbers of those that were merged into it."""
    events: Sequence[Happened]
    standing: Standing


@dataclass(frozen=True, slots=True)
class Choices:
    """Values that were there lately, the most frequent first."""

    units: Sequence[str]
    categories: Sequence[str]
    areas: Sequence[str]


@dataclass(frozen=True)
class Overview:
    """What the board shows above its lists. ``as_of``: the kept figures; None where all was counted just now."""

    wanted: Filter
    now: datetime
    lights: Any
    whole: Figures
    units: Sequence[Ranked]
    days: Mapping[str, Figures]
    categories: Mapping[str, Figures]
    areas: Mapping[str, Figures]
    as_of: datetime | None


class BoardService:
    """Reads complaints for their handlers. Safe to use from several threads."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        calendar: Calendar,
        rules: Callable[[], Rules],
        held_for: timedelta = OVERVIEW_FOR,
    ) -> None:
        """``rules``: those in force, for the lights; ``held_for``: how long an overview is shown again."""
        self._store = store
        self._clock = clock
        self._calendar = calendar
        self._rules = rules
        self._held_for = held_for
        self._choices: tuple[datetime, Choices] | None = None
        self._overviews: dict[Filter, tuple[object, Overview]] = {}

    def thresholds(self) -> Thresholds:
        """The moments that part the lights now."""
        return Thresholds.at(self._clock.now(), self._rules().yellow[RunningClock.CLOSE], self._calendar)

    def filled(self, wanted: Filter) -> Filter:
        """``wanted`` with its period and the number as it is kept."""
        number = folded_number(wanted.number)[:20] if wanted.number else ""
        return wanted.within(self._clock.now().date()).but(number=number)

    def items(self, wanted: Filter, cursor: str = "", size: int = PAGE) -> ItemPage:
        """A page of the list of ``wanted``. Raises InvalidInput for a cursor that no page gave."""
        thresholds = self.thresholds()
        with self._store.read() as session:
            rows = repository.page(
                session, self.filled(wanted), thresholds, _key(cursor), size, _members(session, wanted)
            )
        items = [_item(row, thresholds) for row in rows[:size]]
        moment = repository.ordering(wanted.show)[0].key
        end = _cursor(getattr(items[-1], moment), items[-1].id) if len(rows) > size else ""
        return ItemPage(items, end)

    def every(self, wanted: Filter, most: int) -> Iterator[Sequence[Item]]:
        """The list, up to ``most``, batch by batch for a file; no transaction stays open between two."""
        cursor, left = "", most
        while left > 0:
            found = self.items(wanted, cursor, min(BATCH, left))
            yield found.items
            cursor, left = found.next, left - len(found.items)
            if not cursor:
                return

    def exported(self, actor: str, wanted: Filter, form: str) -> None:
        """Records that ``actor`` takes the list of ``wanted`` away as a file."""
        with self._store.write() as work:
            work.audit(actor, "board.export", "complaints", {"form": form, "filter": self.filled(wanted).query()})

    def hot_spots(self) -> tuple[Sequence[HotSpotRow], datetime | None]:
        """The hot spots, the hottest first, and as of when they are."""
        with self._store.read() as session:
            return hot_spots.spots(session)

    def counts(self, wanted: Filter) -> Any:
        """Open complaints of ``wanted`` by light and by what they wait for (see ``counting.open_counts``)."""
        with self._store.read() as session:
            return counting.open_counts(session, wanted, self.thresholds())

    def reviewing(self) -> int:
        """How many are answered and not yet closed."""
        with self._store.read() as session:
            return counting.reviewing(session)

    def choices(self) -> Choices:
        """What the filters offer; looked up again after some minutes."""
        now = self._clock.now()
        if self._choices is None or now - self._choices[0] > CHOICES_FOR:
            since = (now - CHOSEN_FROM).date()
            with self._store.read() as session:
                found = Choices(*(keeping.values(session, by, since) for by in ("unit", "category", "area")))
            self._choices = (now, found)
        return self._choices[1]

    def acts(self, detail: Detail, actor: Actor) -> Sequence[Act]:
        """What ``actor`` can do with the complaint now."""
        return acts_possible(detail.standing, actor, self._clock.now())

    def overview(self, wanted: Filter) -> Overview:
        """Lights, ranking, trend, categories and places of ``wanted``, counted again when something happened."""
        wanted, present = self.filled(wanted), self.snapshot()
        held = self._overviews.get(wanted)
        if held is not None and held[0] == present and self._clock.now() - held[1].now < self._held_for:
            return held[1]
        found = self._counted(wanted)
        if len(self._overviews) >= MOST_OVERVIEWS:
            self._overviews.clear()
        self._overviews[wanted] = (present, found)
        return found

    def _counted(self, wanted: Filter) -> Overview:
        thresholds = self.thresholds()
        with self._store.read() as session:
            as_of = keeping.as_of(session) if wanted.but(department="").is_plain else None
            figures = _happened(session, wanted, as_of)
            opened = counting.open_by(session, wanted, ("unit", "category"), thresholds)
            units = _added(figures["unit"], opened["unit"])
            return Overview(
                wanted=wanted,
                now=thresholds.now,
                lights=counting.open_counts(session, wanted, thresholds),
                whole=sum(units.values(), Figures()),
                units=ranked((unit, each) for unit, each in units.items() if unit),
                days=figures["day"],
                categories=_added(figures["category"], opened["category"]),
                areas=figures["area"],
                as_of=as_of,
            )

    def complaint(self, number: str, department: str | None = None) -> Detail:
        """One complaint; ``department``: only where that unit has it. Raises NotFound, the same for both."""
        thresholds = self.thresholds()
        with self._store.read() as session:
            row = complaints.by_number(session, folded_number(number)[:20])
            if row is None or (department is not None and row.department != department):
                raise NotFound("没有这件诉求。", code="complaint_unknown", remedy="请检查编号，或回到列表。")
            same = complaints.by_id(session, row.duplicate_of_id) if row.duplicate_of_id else None
            into = complaints.by_id(session, row.merged_into_id) if row.merged_into_id else None
            merged = session.scalars(select(ComplaintRow.number).where(ComplaintRow.merged_into_id == row.id)).all()
            return Detail(
                item=_item(row, thresholds),
                co_departments=row.co_departments,
                power=row.power,
                basis=row.basis,
                confidence=row.confidence,
                candidates=row.candidates,
                attachments=row.attachments,
                anonymous=row.anonymous,
                channel=row.channel,
                case_number=row.case_number,
                reply_due_at=row.reply_due_at,
                return_until=row.return_until,
                returns=row.returns,
                paused_at=row.paused_at,
                replied_at=row.replied_at,
                handler=row.handler,
                answer=row.answer,
                duplicate_of=same.number if same else None,
                merged_into=into.number if into else None,
                merged=merged,
                events=[_event(event) for event in complaints.events(session, row.id)],
                standing=standing(row),
            )

    def snapshot(self) -> object:
        """Differs whenever something happened to any complaint or was raised: what a page's stream compares."""
        event = ComplaintEventRow
        with self._store.read() as session:
            last = session.scalar(select(func.max(event.at)))
            count = session.scalar(select(func.count()).where(event.at == last)) if last else 0
            raised = session.scalar(select(func.max(AlarmRow.id)))
            return last, count, raised, keeping.as_of(session)


def _happened(session: Session, wanted: Filter, as_of: datetime | None) -> Mapping[By, Mapping[str, Figures]]:
    if as_of is None:
        return counting.happened(session, wanted, SHOWN)
    kept = KEPT_OF_A_UNIT if wanted.department else SHOWN
    counted = [by for by in SHOWN if by not in kept]
    found = counting.happened(session, wanted, counted) if counted else {}
    return {**found, **{by: keeping.kept(session, wanted, by) for by in kept}}


def _added(one: Mapping[str, Figures], other: Mapping[str, Figures]) -> dict[str, Figures]:
    nothing = Figures()
    return {name: one.get(name, nothing) + other.get(name, nothing) for name in {**one, **other}}


def _members(session: Session, wanted: Filter) -> Sequence[int]:
    spot = session.get(HotSpotRow, wanted.hot) if wanted.hot else None
    return spot.members if spot else ()


def _item(row: Any, thresholds: Thresholds) -> Item:
    state = State(row.state)
    return Item(
        id=row.id,
        number=row.number,
        text=row.text,
        kind=row.kind,
        category=row.category,
        area=row.area,
        location=row.location,
        urgent=row.urgent,
        state=state,
        department=row.department,
        held_late_by=row.held_late_by,
        filed_at=row.filed_at,
        sign_due_at=row.sign_due_at,
        due_at=row.due_at,
        answered_at=row.answered_at,
        provisional=row.provisional,
        extension_asked=row.extension_asked,
        extensions=row.extensions,
        version=row.version,
        light=thresholds.light(state, row.due_at, row.urgent),
        unsigned=state is State.DISPATCHED and row.sign_due_at < thresholds.now,
    )


def _event(row: ComplaintEventRow) -> Happened:
    return Happened(row.number, row.at, row.act, State(row.state), row.actor, row.note, row.details)


def _cursor(at: datetime, item: int) -> str:
    return base64.urlsafe_b64encode(f"{at.isoformat()} {item}".encode()).decode().rstrip("=")


def _key(cursor: str) -> Key | None:
    if not cursor:
        return None
    try:
        at, item = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().split(" ")
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None:
            raise ValueError("a moment without a zone")
        return Key(moment, int(item))
    except ValueError as error:
        raise InvalidInput("翻页位置不对。", code="cursor_invalid", remedy="请从第一页重新开始。") from error
