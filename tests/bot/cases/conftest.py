"""Cases on each kind of database, with real notifications and judgements."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.cases.keeping import CaseKeeper
from bot.cases.sealing import CaseSealer
from bot.cases.service import CaseService
from bot.cases.writing import CaseWriter
from bot.clock import FixedClock
from bot.judgements.service import JudgementService
from bot.matters.model import Limit
from bot.notifications.ports import Delivery, Outgoing, Sent
from bot.notifications.service import NotificationService
from bot.settings import Settings, load_settings
from bot.store import Store
from bot.store.sealed import Sealer
from bot.workdays import WorkCalendar
from tests.bot.cases.examples import at


class Recorder:
    """A channel that keeps what it was given, and ends as it is told."""

    def __init__(self, channel: str) -> None:
        self.channel = channel
        self.sent: list[tuple[str, Outgoing]] = []
        self.ends: list[Delivery] = []

    async def deliver(self, address: str, outgoing: Outgoing, now: object) -> Delivery:
        ended = self.ends.pop(0) if self.ends else Sent()
        if isinstance(ended, Sent):
            self.sent.append((address, outgoing))
        return ended

    async def close(self) -> None:
        pass


@dataclass
class Office:
    """Everything about cases over one store."""

    store: Store
    clock: FixedClock
    settings: Settings
    keeper: CaseKeeper
    cases: CaseService
    notifications: NotificationService
    judgements: JudgementService
    sms: Recorder
    wechat: Recorder
    web: Recorder


def office_over(store: Store, clock: FixedClock, home: Path, **settings: object) -> Office:
    chosen = load_settings(home=home, **settings)
    sealer = Sealer(bytes(32))
    sms, wechat, web = (Recorder(name) for name in ("sms", "wechat", "web"))
    notifications = NotificationService(store, clock, sealer, chosen, [wechat, sms, web])
    judgements = JudgementService(store, clock, sealer)
    calendar = WorkCalendar()
    writer = CaseWriter(CaseSealer(sealer), notifications, judgements, calendar, chosen)
    limits = {"YS00103": Limit(value=15, unit="工作日")}
    return Office(
        store=store,
        clock=clock,
        settings=chosen,
        keeper=CaseKeeper(store, clock, writer, chosen),
        cases=CaseService(store, clock, writer, calendar, chosen, limits.get),
        notifications=notifications,
        judgements=judgements,
        sms=sms,
        wechat=wechat,
        web=web,
    )


@pytest.fixture
def clock() -> FixedClock:
    """Friday, 20 November 2026, at noon."""
    return FixedClock(at("11-20 12:00"))


@pytest.fixture
def office(store: Store, clock: FixedClock, tmp_path: Path) -> Office:
    return office_over(store, clock, tmp_path / "home")


@pytest.fixture
def any_office(any_store: Store, clock: FixedClock, tmp_path: Path) -> Office:
    """The same on each kind of database."""
    return office_over(any_store, clock, tmp_path / "home")
